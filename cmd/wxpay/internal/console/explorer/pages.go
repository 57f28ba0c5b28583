package explorer

import (
	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/gocode"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/sandbox"
)

// Pages are the pages of the explorer.
type Pages struct {
	Sandbox *sandbox.Sandbox
	Facts   *catalog.Catalog // described
	Writer  *gocode.Writer
}

// Bounds of lists: of operations, and of notifications, which are few.
const (
	most       = 60
	mostEvents = 200
)

// results is what a search finds.
type results struct {
	Words, Tag string
	Operations []*fact.Operation
	More       int // that are not shown
	Events     []*fact.Event
	MoreEvents int
	Tags       []tag
}

// tag is a product family.
type tag struct {
	Name  string
	Count int
}
