package wxpay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strings"

	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/jsonwalk"
	"github.com/wxpay-go/wxpay/internal/pages"
	"github.com/wxpay-go/wxpay/internal/redact"
)

// Paging sets the paging of the operation for [Chain.Pages] and [Chain.Each], in place of the
// catalogue.
func (c Chain) Paging(paging Paging) Chain {
	if err := paging.paging.Check(); err != nil {
		return c.fail(err)
	}
	return c.with(setting{kind: settingPaging, more: &more{paging: paging}})
}

// Pages reads a list page by page, with GET:
//
//	for page, err := range chain.Query("limit", 50).Pages(ctx) {
//
// The catalogue knows the paging of its operations; [Chain.Paging] sets it for others. Query on the
// chain sets the first page and the size of pages.
//
// Each page is a separate call, with its own time limits, signed and verified like any other. The
// list ends with an empty page, with the element that completes its total, or without a next
// cursor. An error, such as the end of ctx, also ends it and comes with a nil page. A list that
// would never end, because a cursor or a page repeats, is [ErrBrokenList], and so is a list that
// ends before its own total: nothing is silently left out. A page that is not JSON is a
// *[CallError] with the response, as for [Response.Decode].
func (c Chain) Pages(ctx context.Context) iter.Seq2[*Response, error] {
	return func(yield func(*Response, error) bool) {
		c.read(ctx, "", func(page *Response, _ []Result, err error) bool { return yield(page, err) })
	}
}

// Each reads a list element by element, over all of its pages; see [Chain.Pages]. path is the gjson
// path of the list in a response, such as "data".
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

// ErrBrokenList means that the pages of a list do not fit together, so the list cannot be read to
// its end. The text gives the reason.
var ErrBrokenList = pages.ErrBroken

// read yields page after page, with the elements at path unless it is empty, until yield returns
// false.
func (c Chain) read(ctx context.Context, path string, yield func(*Response, []Result, error) bool) {
	walk, err := c.walk()
	if err != nil {
		yield(nil, nil, c.fail(err).Err())
		return
	}
	// The caller's path of the list overrides the catalogue's, if it is a plain path and not a
	// query.
	if path != "" && !strings.ContainsAny(path, "#@|*?!{[\\") {
		walk.List = path
	}
	for first := true; ; first = false {
		next := c
		walk.Query(func(name string, value any) { next = next.Query(name, value) })
		res, err := next.Get(ctx)
		if err != nil {
			yield(nil, nil, err)
			return
		}
		if raw := res.Raw(); len(raw) > 0 && !res.get("@this").Exists() { // which proves nothing, not even that the list is empty
			_, err = jsonwalk.Read(raw)
			yield(nil, nil, res.decodeFailed(cmp.Or(err, errNoList)))
			return
		}
		list, err := res.list(walk.List)
		page := listPage{res, list}
		elements := list
		if err == nil && path != "" && path != walk.List {
			elements, err = res.list(path)
		}
		if err == nil {
			err = walk.Compare(page)
		}
		if err != nil {
			yield(nil, nil, res.listError(err))
			return
		}
		more, err := walk.Step(page)
		if (first || more || len(list) > 0) && !yield(res, elements, nil) {
			return
		}
		if err != nil {
			yield(nil, nil, res.listError(err))
			return
		}
		if !more {
			return
		}
	}
}

var errNoList = errors.New("it is a JSON value that holds no list")

// listPage is a response as a page of a list; see [pages.Page].
type listPage struct {
	res  *Response
	list []Result
}

var _ pages.Page = listPage{}

func (p listPage) Len() int             { return len(p.list) }
func (p listPage) Element(i int) string { return p.list[i].Raw }

func (p listPage) Text(path string) (string, bool) {
	value := p.res.get(path)
	return value.String(), value.Exists()
}

func (p listPage) Int(path string) (int64, bool) {
	value := p.res.get(path)
	return value.Int(), value.Exists()
}

func (r *Response) listError(err error) error {
	return fmt.Errorf("wxpay: GET %s: %w", r.from.Call.Template, err)
}

// list returns the elements of the list at path, none when there is nothing. Without a path it is
// data, or else the only array in the response.
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
			return nil, fmt.Errorf("the response has several lists, %s: choose one with Paging(….In(…))", strings.Join(arrays, ", "))
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
		return nil, fmt.Errorf("the value at %s in the response is not a list", redact.Quote(path))
	}
	return nil, nil
}

// walk returns the paging of the chain's list and the place to begin.
func (c Chain) walk() (*pages.Walk, error) {
	if err := c.Err(); err != nil {
		return nil, err
	}
	own := c.last
	for own != nil && own.kind != settingPaging {
		own = own.before
	}
	paging, documented := c.documentedPaging()
	switch {
	case own != nil:
		paging = own.more.paging.paging
	case documented:
	case c.client == nil:
		return nil, errNoClient
	case c.client.facts() == nil:
		return nil, errors.New("without a catalogue the paging of the list is unknown: call Paging, or leave WithCatalog(nil) out")
	default:
		return nil, errors.New("the catalogue does not know the paging of the list: call Paging")
	}
	return pages.Begin(paging, c.ownQuery)
}

// documentedPaging returns the paging of the operation by the catalogue.
func (c Chain) documentedPaging() (pages.Paging, bool) {
	if c.client == nil || c.client.facts() == nil {
		return pages.Paging{}, false
	}
	operation, ok := c.client.facts().Lookup(http.MethodGet, "/"+c.path)
	if !ok || operation.Paging == nil {
		return pages.Paging{}, false
	}
	return pages.Paging{Paging: *operation.Paging, PerPage: fact.PageSize}, true
}

// ownQuery returns the value of a field of the chain's query.
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
