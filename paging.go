package wxpay

import (
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/pages"
)

// Paging is the way in which an operation divides a long list into pages. The catalogue knows it
// for its operations; for others pass it to [Chain.Paging]. Make one with [ByOffset], [ByPage] or
// [ByCursor].
type Paging struct{ paging pages.Paging }

// ByOffset is paging by the number of elements to skip, in the query field offset, with at most
// perPage elements on a page, in the query field limit.
func ByOffset(offset, limit string, perPage int) Paging {
	return Paging{pages.Paging{Paging: fact.Paging{By: fact.ByOffset, Place: offset, Size: limit}, PerPage: perPage}}
}

// ByPage is paging by the number of the page, in the query field page, with at most perPage
// elements on a page, in the query field size. Pages count from 1; for an operation that counts
// from 0 set Query(page, 0).
func ByPage(page, size string, perPage int) Paging {
	return Paging{pages.Paging{Paging: fact.Paging{By: fact.ByPage, Place: page, Size: size}, PerPage: perPage}}
}

// ByCursor is paging by a cursor: each response has, at the gjson path next, the value of the query
// field cursor for the next page; the last response has none or an empty one.
func ByCursor(cursor, next string) Paging {
	return Paging{pages.Paging{Paging: fact.Paging{By: fact.ByCursor, Place: cursor, Next: next}}}
}

// In sets the gjson path of the list in a response. Without it the list is data, else the only
// array in the response.
func (p Paging) In(list string) Paging {
	p.paging.List = list
	return p
}
