package papay

import (
	"github.com/wxpay-go/wxpay/sandbox/internal/book"
	"github.com/wxpay-go/wxpay/sandbox/internal/console"
	"github.com/wxpay-go/wxpay/sandbox/internal/flow/order"
	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
)

// Open adds the flow to a merchant.
func Open(m *gate.Merchant, orders *order.Flow) *Flow {
	f := &Flow{Merchant: m, orders: orders, contracts: book.OpenTable[contract](m.Book, m.ID, "contracts")}
	m.Serve(f.operations()...)
	m.Control(
		console.Order{
			Method: "POST", Path: "contracts/sign", Does: "Users.SignContract", Run: f.SignContract,
			In: "plan_id out_contract_code", Out: "contract_id",
		},
		console.Order{Method: "POST", Path: "contracts/terminate", Does: "Users.TerminateContract", Run: f.TerminateContract, In: "contract_id"},
	)
	return f
}

// deductLimits are those of orders for the fields that become an order's. The page of the twin for
// HarmonyOS (v3/merchant/4013388429) has the same upper lengths.
var deductLimits = map[string]gate.Limit{
	"/out_trade_no": {Min: 6, Max: 32, Charset: gate.OrderChars}, "/description": {Min: 1, Max: 127, Characters: true},
	"/attach": {Max: 128}, "/transaction_notify_url": {Min: 1, Max: 256},
}

func (f *Flow) operations() []gate.Operation {
	const byCode = "/v3/papay/sign/contracts/plan-id/{plan_id}/out-contract-code/{out_contract_code}"
	list := []gate.Operation{
		{Operation: gate.Documented("POST", "/v3/papay/sign/contracts/pre-entrust-sign"), Do: f.preSign},
		{Operation: gate.Documented("GET", byCode), Do: f.query},
		{Operation: gate.Documented("POST", byCode+"/terminate"), Do: f.terminate},
		{Operation: gate.Documented("POST", "/v3/papay/pay/transactions/apply"), Limits: deductLimits, Do: f.deduct},
	}
	for _, scene := range []string{"jsapi", "h5", "app", "mini-program"} {
		list = append(list, gate.Operation{
			Operation: gate.Documented("POST", "/v3/papay/scheduled-deduct-sign/contracts/pre-entrust-sign/"+scene),
			Do:        f.preSign,
		})
	}
	return list
}
