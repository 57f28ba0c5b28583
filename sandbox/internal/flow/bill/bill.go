// Package bill is bills and statements: from the records of the other flows, or invented.
package bill

import (
	"sync"

	"github.com/wxpay-go/wxpay/sandbox/internal/flow/order"
	"github.com/wxpay-go/wxpay/sandbox/internal/flow/refund"
	"github.com/wxpay-go/wxpay/sandbox/internal/flow/share"
	"github.com/wxpay-go/wxpay/sandbox/internal/flow/transfer"
	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
)

// digests are the sections of one invented bill, which take time to know.
type digests struct {
	known    chan struct{} // closed when they are
	sections []section
}

// Flow is the bills of one merchant.
type Flow struct {
	*gate.Merchant
	orders    *order.Flow
	refunds   *refund.Flow
	shares    *share.Flow
	transfers *transfer.Flow
	rows      int64 // of an invented bill; 0 for bills from the records

	mu      sync.Mutex
	digests map[string]*digests
}
