package wxpay

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/fault"
	"github.com/wxpay-go/wxpay/internal/redact"
)

// Paging says how an operation divides a long list into pages. The catalogue knows it for the operations it has; for others
// give it to [Chain.Paging]. Make one with [ByOffset], [ByPage] or [ByCursor].
type Paging struct {
	kind   pagingKind
	place  string // query member that moves: offset, page number or cursor
	size   string // query member with the number of elements of a page; empty if there is none
	next   string // gjson path of the next cursor in an answer
	list   string // gjson path of the list in an answer; empty to look for it
	assume int    // elements of a page when the chain's own query names none
	first  int    // number of the first page
	doubt  bool   // the documentation has offset count pages, which may be its mistake
}

type pagingKind uint8

const (
	pagingUnknown pagingKind = iota
	pagingOffset
	pagingNumber
	pagingCursor
)

// ByOffset is paging by the number of elements to pass over, in the query member offset, with at most perPage elements a
// page, in the query member limit.
func ByOffset(offset, limit string, perPage int) Paging {
	return Paging{kind: pagingOffset, place: offset, size: limit, assume: perPage}
}

// ByPage is paging by the number of the page, in the query member page, with at most perPage elements a page, in the query
// member size. Pages count from 1; for an operation that counts from 0 set Query(page, 0).
func ByPage(page, size string, perPage int) Paging {
	return Paging{kind: pagingNumber, place: page, size: size, assume: perPage, first: 1}
}

// ByCursor is paging by a cursor: each answer has, at the gjson path next, the value of the query member cursor for the
// next page, and none or an empty one when it is the last.
func ByCursor(cursor, next string) Paging {
	return Paging{kind: pagingCursor, place: cursor, next: next}
}

// In says where the list is in an answer, by gjson path. Without it the list is data, or else the only array in the answer.
func (p Paging) In(list string) Paging {
	p.list = list
	return p
}

func (p Paging) check() error {
	switch {
	case p.kind == pagingUnknown:
		return errors.New("Paging: the value is empty: make one with ByOffset, ByPage or ByCursor")
	case p.place == "" || p.kind != pagingCursor && p.size == "" || p.kind == pagingCursor && p.next == "":
		return errors.New("Paging: a name is empty")
	case p.kind != pagingCursor && p.assume <= 0:
		return fmt.Errorf("Paging: %d elements a page, it must be positive", p.assume)
	}
	return nil
}

// Paging tells [Chain.Pages] and [Chain.Each] how the operation is paged, in place of what the catalogue says.
func (c Chain) Paging(paging Paging) Chain {
	if err := paging.check(); err != nil {
		return c.fail(err)
	}
	return c.with(setting{kind: settingPaging, more: &more{paging: paging}})
}

// Pages reads a list page by page, with GET:
//
//	for page, err := range chain.Query("limit", 50).Pages(ctx) {
//
// How the operation is paged is known from the catalogue, else it is named with [Chain.Paging]. What the chain's own Query
// says about the place and the size of a page is where it begins and how large pages are.
//
// Each page is a call of its own, with its own time limits, and signed and verified as any. The list ends with an empty
// page, when its total is reached, or without a next cursor. An error ends it too and comes with a nil page; the end of ctx
// is one. A list that would never end, because a cursor or a page comes again, is [ErrBrokenList], and so is one that ends
// before its own total is reached: nothing is left out in silence.
func (c Chain) Pages(ctx context.Context) iter.Seq2[*Response, error] {
	return func(yield func(*Response, error) bool) {
		c.read(ctx, "", func(page *Response, _ []Result, err error) bool { return yield(page, err) })
	}
}

// Each reads a list element by element, over all of its pages; see [Chain.Pages]. path is the gjson path of the list in an
// answer, such as "data".
func (c Chain) Each(ctx context.Context, path string) iter.Seq2[Result, error] {
	if path == "" {
		c = c.fail(errors.New("Each: the path of the list is empty; most operations call it data"))
	}
	return func(yield func(Result, error) bool) {
		c.read(ctx, path, func(_ *Response, elements []Result, err error) bool {
			for _, element := range elements {
				if !yield(element, nil) {
					return false
				}
			}
			return err == nil || yield(Result{}, err)
		})
	}
}

// ErrBrokenList means that the pages of a list do not fit together, so that reading it to its end in this way is not
// possible. The text tells why.
var ErrBrokenList = fault.New("the pages of the list do not fit together")

// read hands over page after page, with the elements at path where one is given, until yield has enough.
func (c Chain) read(ctx context.Context, path string, yield func(*Response, []Result, error) bool) {
	l, err := c.begin()
	if err != nil {
		yield(nil, nil, c.fail(err).Err())
		return
	}
	// The caller's word on where the list is goes before the catalogue's, if it is a place and no query over one.
	if path != "" && !strings.ContainsAny(path, "#@|*?!{[\\") {
		l.list = path
	}
	for first := true; ; first = false {
		page, err := l.ask(c).Get(ctx)
		if err != nil {
			yield(nil, nil, err)
			return
		}
		list, err := page.list(l.list)
		elements := list
		if err == nil && path != "" && path != l.list {
			elements, err = page.list(path)
		}
		if err == nil {
			err = l.compare(list)
		}
		if err != nil {
			yield(nil, nil, page.listError(err))
			return
		}
		more, err := l.step(page, len(list))
		if (first || more || len(list) > 0) && !yield(page, elements, nil) {
			return
		}
		if err != nil {
			yield(nil, nil, page.listError(err))
			return
		}
		if !more {
			return
		}
	}
}

func (r *Response) listError(err error) error {
	return fmt.Errorf("wxpay: GET %s: %w", r.flight.Template, err)
}

// list returns the elements of the list at path, none when there is nothing. Without a path it is data, or else the only
// array in the answer.
func (r *Response) list(path string) ([]Result, error) {
	at := path
	if path == "" {
		var arrays []string
		r.get("@this").ForEach(func(name, value Result) bool {
			if value.IsArray() {
				arrays = append(arrays, name.String())
			}
			return true
		})
		switch {
		case slices.Contains(arrays, "data"):
			at = "data"
		case len(arrays) > 1:
			return nil, fmt.Errorf("the answer has several lists, %s: name one with Paging(….In(…))", strings.Join(arrays, ", "))
		case len(arrays) == 1:
			at = strings.NewReplacer(`.`, `\.`, `*`, `\*`, `?`, `\?`).Replace(arrays[0])
		default:
			return nil, nil
		}
	}
	list := r.Get(at)
	if list.IsArray() {
		return list.Array(), nil
	}
	if list.Exists() && list.Value() != nil {
		return nil, fmt.Errorf("what the answer has at %s is not a list", redact.Quote(path))
	}
	return nil, nil
}

// listing is a list that is being read.
type listing struct {
	Paging
	at     int                 // offset or number of the next page
	cursor string              // of the next page
	seen   map[string]struct{} // cursors that were used
	passed int                 // elements before the next page; -1 if that is not known
	asked  int                 // elements of a page
	last   []Result            // of the page before
	again  bool                // the page before came twice
}

// begin finds out how the chain's list is paged, and where to begin.
func (c Chain) begin() (*listing, error) {
	if err := c.Err(); err != nil {
		return nil, err
	}
	l := &listing{seen: map[string]struct{}{}}
	own := c.last
	for own != nil && own.kind != settingPaging {
		own = own.before
	}
	switch paging, ok := c.documentedPaging(); {
	case own != nil:
		l.Paging = own.more.paging
	case ok:
		l.Paging = paging
	case c.client != nil && c.client.facts() == nil:
		return nil, errors.New("without a catalogue it is not known how the list is paged: call Paging, or leave WithCatalog(nil) out")
	default:
		return nil, errors.New("the catalogue does not know how the list is paged: call Paging")
	}
	place, has := c.ownQuery(l.place)
	if l.kind == pagingCursor {
		l.cursor = place
		return l, nil
	}
	var err error
	if l.at = l.first; has {
		if l.at, err = strconv.Atoi(place); err != nil || l.at < 0 {
			return nil, fmt.Errorf("the query member %s is not a whole number, and the pages count from it", redact.Quote(l.place))
		}
	}
	l.asked = l.assume
	if size, has := c.ownQuery(l.size); has {
		if l.asked, err = strconv.Atoi(size); err != nil || l.asked <= 0 {
			return nil, fmt.Errorf("the query member %s is not a positive whole number, and pages have so many elements", redact.Quote(l.size))
		}
	}
	switch {
	case l.kind == pagingOffset:
		l.passed = l.at
	case l.at > l.first:
		l.passed = -1
	}
	return l, nil
}

// ownQuery returns what the chain's query says.
func (c Chain) ownQuery(name string) (string, bool) {
	for s := c.last; s != nil; s = s.before {
		switch {
		case s.name != name:
		case (s.kind == settingQuery || s.kind == settingQueryTime) && len(s.values) > 0:
			return s.values[0], true
		}
	}
	return "", false
}

// ask makes the call of the next page.
func (l *listing) ask(c Chain) Chain {
	if l.kind == pagingCursor {
		if l.cursor != "" {
			c = c.Query(l.place, l.cursor)
		}
		return c
	}
	return c.Query(l.place, l.at).Query(l.size, l.asked)
}

// compare refuses a page that shows that the platform does not page as assumed.
func (l *listing) compare(list []Result) error {
	if l.kind == pagingCursor || len(list) == 0 {
		return nil
	}
	same := slices.EqualFunc(list, l.last, func(a, b Result) bool { return a.Raw == b.Raw })
	// One element may come twice, when another was put in before it meanwhile.
	if same && (len(list) > 1 || l.again) {
		return fmt.Errorf("%w: the same page came twice; does the operation take the query member %s?", ErrBrokenList, l.place)
	}
	if l.doubt && len(l.last) > 2 && list[0].Raw == l.last[1].Raw {
		return fmt.Errorf("%w: %s is documented as a number of pages and counts elements: call Paging(ByOffset(%q, %q, %d))", ErrBrokenList, l.place, l.place, l.size, l.asked)
	}
	l.last, l.again = list, same
	return nil
}

// step reads from a page whether and where the list goes on.
func (l *listing) step(page *Response, count int) (more bool, err error) {
	if l.kind == pagingCursor {
		l.seen[l.cursor] = struct{}{}
		if l.cursor = page.Get(l.next).String(); l.cursor == "" {
			return false, nil
		}
		if _, again := l.seen[l.cursor]; again {
			return false, fmt.Errorf("%w: the cursor in %s was used before", ErrBrokenList, l.next)
		}
		return true, nil
	}
	if l.kind == pagingNumber {
		l.at++
	} else {
		l.at += count
	}
	if l.passed >= 0 {
		l.passed += count
	}
	total := page.get("total_count")
	if !total.Exists() {
		total = page.get("total_num")
	}
	echo := page.get(l.size)
	switch {
	case count == 0:
		// The total is that of this very list where the answer says which part of it this is.
		if its := echo.Exists() || page.get(l.place).Exists(); its && l.passed >= 0 && total.Int() > int64(l.passed) {
			return false, fmt.Errorf("%w: it ended after %d of %d elements; if %s counts otherwise than assumed, call Paging", ErrBrokenList, l.passed, total.Int(), l.place)
		}
		return false, nil
	case l.passed >= 0 && total.Int() > 0:
		return int64(l.passed) < total.Int(), nil
	}
	return echo.Int() <= int64(count), nil
}

// documentedPaging returns how the catalogue has the operation paged.
func (c Chain) documentedPaging() (Paging, bool) {
	if c.client == nil || c.client.facts() == nil {
		return Paging{}, false
	}
	operation, ok := c.client.facts().Lookup(http.MethodGet, "/"+c.path)
	if !ok || operation.Paging == nil {
		return Paging{}, false
	}
	p := operation.Paging
	var paging Paging
	switch p.By {
	case fact.ByOffset:
		paging = ByOffset(p.Place, p.Size, fact.PageSize)
	case fact.ByPage:
		paging = ByPage(p.Place, p.Size, fact.PageSize)
	case fact.ByOffsetOfPages:
		paging = ByPage(p.Place, p.Size, fact.PageSize)
		paging.first, paging.doubt = 0, true
	case fact.ByCursor:
		paging = ByCursor(p.Place, p.Next)
	default:
		return Paging{}, false
	}
	return paging.In(p.List), true
}
