package score

import (
	"github.com/wxpay-go/wxpay/sandbox/internal/book"
	"github.com/wxpay-go/wxpay/sandbox/internal/console"
	"github.com/wxpay-go/wxpay/sandbox/internal/flow/order"
	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
	"github.com/wxpay-go/wxpay/sandbox/internal/ledger"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// Open adds the flow to a merchant.
func Open(m *gate.Merchant, orders *order.Flow) *Flow {
	f := &Flow{Merchant: m, orders: orders, table: book.OpenTable[serviceOrder](m.Book, m.ID, "service orders")}
	f.table.OnDue(f.expire)
	m.Serve(f.operations()...)
	m.Ledger.Register(ledger.Kind{Name: "service", State: func(key string) string {
		o, _ := f.table.Get(key)
		return o.State
	}})
	m.Control(
		console.Order{
			Method: "POST", Path: "service-orders/confirm", Does: "Users.ConfirmServiceOrder", Run: f.ConfirmServiceOrder,
			In: "out_order_no",
		},
		console.Order{
			Method: "POST", Path: "service-orders/pay", Does: "Users.PayServiceOrder", Run: f.PayServiceOrder,
			In: "out_order_no", Out: "transaction_id",
		},
	)
	return f
}

// Limits of the fields of pay score orders. Their pages count texts in characters; rejections count
// out_order_no in bytes.
var (
	createLimits = map[string]gate.Limit{
		"/out_order_no": serviceNumber, "/service_introduction": {Min: 1, Max: 20, Characters: true}, "/attach": {Max: 256, Characters: true},
	}
	numberLimits = map[string]gate.Limit{"out_order_no": serviceNumber, "/reason": {Min: 1, Max: 50, Characters: true}}
)

// operations returns those of pay score orders.
func (f *Flow) operations() []gate.Operation {
	var list []gate.Operation
	for _, orders := range []string{"/v3/payscore/serviceorder", "/v3/payscore/partner/serviceorder"} {
		list = append(list,
			gate.Operation{
				Operation: gate.Documented("POST", orders),
				Limits:    createLimits,
				Do:        f.createServiceOrder,
			},
			gate.Operation{Operation: gate.Documented("GET", orders), Do: f.queryServiceOrder},
		)
		for name, do := range map[string]func(*gate.Call) (any, *say.Rejection){
			"cancel": f.cancelServiceOrder, "complete": f.completeServiceOrder, "modify": f.modifyServiceOrder,
			"pay": f.collectServiceOrder, "sync": f.syncServiceOrder,
		} {
			list = append(list, gate.Operation{
				Operation: gate.Documented("POST", orders+"/{out_order_no}/"+name),
				Limits:    numberLimits, Do: do,
			})
		}
	}
	return list
}
