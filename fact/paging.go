package fact

// Paging says how an operation divides a long list into pages.
type Paging struct {
	// By is the way to choose a page.
	By PagedBy
	// Place is the query field that chooses the page: an offset, a page number or a cursor.
	Place string
	// Size is the query field with the number of elements of a page; empty for ByCursor.
	Size string
	// Next is the response field with the cursor of the next page; empty unless By is ByCursor.
	Next string
	// List is the response field with the elements.
	List string
}

// PagedBy is the way to choose a page.
type PagedBy string

// Kinds of paging.
const (
	ByOffset PagedBy = "offset" // by the number of elements before it
	ByPage   PagedBy = "page"   // by its number, from 1
	ByCursor PagedBy = "cursor" // by a value that the page before gave
	// ByOffsetOfPages is an offset that counts pages from 0, as the documentation says of some.
	// That may be its mistake.
	ByOffsetOfPages PagedBy = "offset-of-pages"
)

// PageSize is the number of elements to request for a page: the least of the documented limits.
const PageSize = 10
