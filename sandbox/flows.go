package sandbox

import (
	"github.com/wxpay-go/wxpay/sandbox/internal/flow/bill"
	"github.com/wxpay-go/wxpay/sandbox/internal/flow/complaint"
	"github.com/wxpay-go/wxpay/sandbox/internal/flow/coupon"
	"github.com/wxpay-go/wxpay/sandbox/internal/flow/ecommerce"
	"github.com/wxpay-go/wxpay/sandbox/internal/flow/file"
	"github.com/wxpay-go/wxpay/sandbox/internal/flow/member"
	"github.com/wxpay-go/wxpay/sandbox/internal/flow/order"
	"github.com/wxpay-go/wxpay/sandbox/internal/flow/papay"
	"github.com/wxpay-go/wxpay/sandbox/internal/flow/refund"
	"github.com/wxpay-go/wxpay/sandbox/internal/flow/score"
	"github.com/wxpay-go/wxpay/sandbox/internal/flow/security"
	"github.com/wxpay-go/wxpay/sandbox/internal/flow/share"
	"github.com/wxpay-go/wxpay/sandbox/internal/flow/transfer"
	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
)

// flows are those of a merchant to which the Go API leads.
type flows struct {
	orders     *order.Flow
	shares     *share.Flow
	members    *member.Flow
	complaints *complaint.Flow
	scores     *score.Flow
	coupons    *coupon.Flow
	contracts  *papay.Flow
	transfers  *transfer.Flow
}

// open adds every flow to a merchant: one line each.
func open(m *gate.Merchant, set settings) (f flows) {
	security.Open(m)
	file.Open(m)
	f.orders = order.Open(m)
	refunds := refund.Open(m, f.orders)
	f.transfers = transfer.Open(m, f.orders)
	f.shares = share.Open(m, f.orders)
	ecommerce.Open(m, refunds, f.shares)
	f.members = member.Open(m, set.lenientCards)
	f.complaints = complaint.Open(m, f.orders)
	f.scores = score.Open(m, f.orders)
	f.coupons = coupon.Open(m, f.orders)
	f.contracts = papay.Open(m, f.orders)
	bill.Open(m, f.orders, refunds, f.shares, f.transfers, set.billRows)
	return f
}
