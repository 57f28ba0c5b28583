// Package pages walks through the pages of a list: it makes the query for the next page and checks
// that the pages fit together. It makes no call.
package pages

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/fault"
	"github.com/wxpay-go/wxpay/internal/redact"
)

// Paging is the way in which an operation divides a list into pages. See fact.Paging; here names
// may be gjson paths.
type Paging struct {
	fact.Paging
	// PerPage is the number of elements on a page, if the query sets none.
	PerPage int
}

// Check reports a fault of p.
func (p Paging) Check() error {
	switch {
	case p.By == "":
		return errors.New("Paging: the value is empty: make one with ByOffset, ByPage or ByCursor")
	case p.Place == "" || p.By != fact.ByCursor && p.Size == "" || p.By == fact.ByCursor && p.Next == "":
		return errors.New("Paging: a name is empty")
	case p.By != fact.ByCursor && p.PerPage <= 0:
		return fmt.Errorf("Paging: %d elements on a page, it must be positive", p.PerPage)
	}
	return nil
}

// ErrBroken means that the pages of a list do not fit together.
var ErrBroken = fault.New("the pages of the list do not fit together")

// Page is one page of a list.
type Page interface {
	// Element returns the JSON text of element i of Len.
	Element(i int) string
	Len() int
	// Text returns the text at a gjson path, and whether there is a value. Int is the same for a
	// number.
	Text(path string) (string, bool)
	Int(path string) (int64, bool)
}

// Walk is the way through a list.
type Walk struct {
	Paging
	at     int                 // offset or number of the next page
	cursor string              // of the next page
	seen   map[string]struct{} // cursors that were used
	passed int                 // elements before the next page; -1 if unknown
	asked  int                 // elements of a page
	last   []string            // elements of the previous page
	again  bool                // the previous page came twice
}

// Begin starts a walk at the place that the query of the call names.
func Begin(paging Paging, query func(name string) (string, bool)) (*Walk, error) {
	w := &Walk{Paging: paging, seen: map[string]struct{}{}}
	place, has := query(w.Place)
	if w.By == fact.ByCursor {
		w.cursor = place
		return w, nil
	}
	first := 0
	if w.By == fact.ByPage {
		first = 1
	}
	var err error
	if w.at = first; has {
		if w.at, err = strconv.Atoi(place); err != nil || w.at < 0 {
			return nil, fmt.Errorf("the query field %s is not a whole number, but pages are counted from it", redact.Quote(w.Place))
		}
	}
	w.asked = w.PerPage
	if size, has := query(w.Size); has {
		if w.asked, err = strconv.Atoi(size); err != nil || w.asked <= 0 {
			return nil, fmt.Errorf("the query field %s is not a positive whole number, but it is the number of elements on a page", redact.Quote(w.Size))
		}
	}
	switch {
	case w.By == fact.ByOffset:
		w.passed = w.at
	case w.at > first:
		w.passed = -1
	}
	return w, nil
}

// Query calls set with the fields of the query that asks for the next page.
func (w *Walk) Query(set func(name string, value any)) {
	switch {
	case w.By != fact.ByCursor:
		set(w.Place, w.at)
		set(w.Size, w.asked)
	case w.cursor != "":
		set(w.Place, w.cursor)
	}
}

// Compare returns ErrBroken for a page which shows that the platform uses another paging.
func (w *Walk) Compare(page Page) error {
	if w.By == fact.ByCursor || page.Len() == 0 {
		return nil
	}
	elements := make([]string, page.Len())
	for i := range elements {
		elements[i] = page.Element(i)
	}
	same := slices.Equal(elements, w.last)
	// An element may come twice, if another one was inserted before it meanwhile.
	if same && (len(elements) > 1 || w.again) {
		return fmt.Errorf("%w: the same page came twice; does the operation take the query field %s?", ErrBroken, w.Place)
	}
	if w.By == fact.ByOffsetOfPages && len(w.last) > 2 && elements[0] == w.last[1] {
		return fmt.Errorf("%w: the documentation says that %s counts pages, but it counts elements: call Paging(ByOffset(%q, %q, %d))",
			ErrBroken, w.Place, w.Place, w.Size, w.asked)
	}
	w.last, w.again = elements, same
	return nil
}

// Step reads the next place from a page, and whether there is one. Its error is ErrBroken.
func (w *Walk) Step(page Page) (more bool, err error) {
	if w.By == fact.ByCursor {
		w.seen[w.cursor] = struct{}{}
		if w.cursor, _ = page.Text(w.Next); w.cursor == "" {
			return false, nil
		}
		if _, again := w.seen[w.cursor]; again {
			return false, fmt.Errorf("%w: the cursor in %s was used before", ErrBroken, w.Next)
		}
		return true, nil
	}
	count := page.Len()
	if w.By == fact.ByOffset {
		w.at += count
	} else {
		w.at++
	}
	if w.passed >= 0 {
		w.passed += count
	}
	total, there := page.Int("total_count")
	if !there {
		total, _ = page.Int("total_num")
	}
	size, echoed := page.Int(w.Size)
	switch {
	case count == 0:
		// The total belongs to this very list if the response says which part of the list it is.
		if !echoed {
			_, echoed = page.Int(w.Place)
		}
		if echoed && w.passed >= 0 && total > int64(w.passed) {
			return false, fmt.Errorf("%w: it ended after %d of %d elements; if the catalogue has the meaning of %s wrong, call Paging",
				ErrBroken, w.passed, total, w.Place)
		}
		return false, nil
	case w.passed >= 0 && total > 0:
		return int64(w.passed) < total, nil
	}
	return size <= int64(count), nil
}
