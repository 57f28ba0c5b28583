package bill

import (
	"slices"

	"github.com/wxpay-go/wxpay/sandbox/internal/flow/order"
	"github.com/wxpay-go/wxpay/sandbox/internal/flow/refund"
	"github.com/wxpay-go/wxpay/sandbox/internal/flow/share"
	"github.com/wxpay-go/wxpay/sandbox/internal/flow/transfer"
	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
)

// Open adds the flow to a merchant. rows are those of an invented bill; 0 is for bills from the
// records.
func Open(m *gate.Merchant, orders *order.Flow, refunds *refund.Flow, shares *share.Flow, transfers *transfer.Flow, rows int64) {
	f := &Flow{Merchant: m, orders: orders, refunds: refunds, shares: shares, transfers: transfers, rows: rows, digests: make(map[string]*digests)}
	m.Serve(f.operations()...)
}

// operations are the applications for bills, and the statements that need none.
func (f *Flow) operations() []gate.Operation {
	list := []gate.Operation{
		{Operation: gate.Documented("GET", "/v3/bill/tradebill"), Do: f.tradeBill},
		{Operation: gate.Documented("GET", "/v3/bill/fundflowbill"), Do: f.fundBill},
		{Operation: gate.Documented("GET", "/v3/profitsharing/bills"), Do: f.shareBill},
		{Operation: gate.Documented("GET", "/v3/merchant/fund/withdraw/bill-type/{bill_type}"), Do: f.withdrawBill},
		{Operation: gate.Documented("GET", "/v3/bill/sub-merchant-fundflowbill"), Do: f.subMerchantFundBill},
		{Operation: gate.Documented("GET", "/v3/ecommerce/bill/fundflowbill"), Do: f.ecommerceFundBill},
		{Operation: gate.Documented("GET", "/v3/payscore/merchant-bill"), Do: f.payScoreBill},
		{Operation: gate.Documented("GET", "/hk/v3/statements"), Do: f.statement},
	}
	// The catalogue marks mchid as required, but a provider sends sp_mchid and sub_mchid in its
	// place.
	global := *gate.Documented("GET", "/v3/global/statements")
	global.In.Query = slices.Clone(global.In.Query)
	for i := range global.In.Query {
		global.In.Query[i].Required = global.In.Query[i].Name == "date"
	}
	return append(list, gate.Operation{Operation: &global, Do: f.statement})
}
