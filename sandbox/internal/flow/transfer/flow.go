package transfer

import (
	"fmt"
	"time"

	"github.com/wxpay-go/wxpay/sandbox/internal/book"
	"github.com/wxpay-go/wxpay/sandbox/internal/console"
	"github.com/wxpay-go/wxpay/sandbox/internal/flow/order"
	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
	"github.com/wxpay-go/wxpay/sandbox/internal/ledger"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// Open adds the flow to a merchant.
func Open(m *gate.Merchant, orders *order.Flow) *Flow {
	f := &Flow{
		Merchant: m, orders: orders,
		transfers: book.OpenTable[Transfer](m.Book, m.ID, "transfers"),
		bills:     book.OpenTable[string](m.Book, m.ID, "bills"),
		receipts:  book.OpenTable[receipt](m.Book, m.ID, "receipts"),
	}
	f.transfers.OnDue(func(number string, t Transfer, at time.Time) { f.reach(number, t, t.Next, at) })
	m.Serve(f.billOperations()...)
	m.Serve(f.receiptOperations()...)
	m.Ledger.Register(ledger.Kind{Name: "transfer", Finals: []string{"SUCCESS", "FAIL", "CANCELLED"}, Waits: true, Find: f.find})
	m.Control(console.Order{Method: "GET", Path: "transfers/asked", Does: "Users.TransferAsked", Run: f.Asked, In: "package", Out: "out_bill_no"})
	m.Post.Show("MCHTRANSFER.BILL.FINISHED", f.sample)
	return f
}

// Asked returns the out_bill_no of the bill that a package_info asks its user to confirm.
func (f *Flow) Asked(packageInfo string) (outBillNo string, err error) {
	b, _ := f.Begin()
	defer b.Commit()
	for number, t := range f.transfers.Rows() {
		if packageInfo != "" && t.Package == packageInfo {
			return number, nil
		}
	}
	return "", fmt.Errorf("sandbox: transfer: no transfer bill of the merchant %s has this package_info", f.ID)
}

func (f *Flow) find(number string) (record ledger.Course, known bool, reach func(final string, now time.Time)) {
	t, known := f.transfers.Get(number)
	return t.Course, known, func(final string, now time.Time) { f.reach(number, t, final, now) }
}

// sample is an example resource of the event of a transfer bill.
func (f *Flow) sample(_ string, now time.Time) map[string]any {
	t := Transfer{
		Course: ledger.Begin("SUCCESS", now), Request: string(say.JSON(map[string]any{"openid": say.AnyPayer})),
		ID: "1330020251123000000000000000000000000001", Number: "plfk2020042013", Amount: 100,
	}
	return t.resource(f.ID)
}

// Limits of the fields of transfers. Their pages count transfer_remark in characters.
var (
	createLimits = map[string]gate.Limit{
		"/appid": {Min: 1, Max: 32}, "/out_bill_no": billNumber, "/openid": {Min: 1, Max: 64},
		"/transfer_remark": {Min: 1, Max: 32, Characters: true}, "/notify_url": {Max: 256},
	}
	numberLimits  = map[string]gate.Limit{"out_bill_no": billNumber}
	billLimits    = map[string]gate.Limit{"transfer_bill_no": {Min: 1, Max: 64}}
	receiptLimits = map[string]gate.Limit{"/out_bill_no": billNumber, "/transfer_bill_no": {Min: 1, Max: 64}}
)

// billOperations are those of merchant transfers that the user confirms.
func (f *Flow) billOperations() []gate.Operation {
	const bills = "/v3/fund-app/mch-transfer/transfer-bills"
	return []gate.Operation{
		{
			Operation: gate.Documented("POST", bills),
			Limits:    createLimits,
			Do:        f.createTransfer,
		},
		{Operation: gate.Documented("GET", bills+"/out-bill-no/{out_bill_no}"), Limits: numberLimits, Do: f.queryTransfer},
		{
			Operation: gate.Documented("GET", bills+"/transfer-bill-no/{transfer_bill_no}"),
			Limits:    billLimits, Do: f.queryBill,
		},
		{Operation: gate.Documented("POST", bills+"/out-bill-no/{out_bill_no}/cancel"), Limits: numberLimits, Do: f.cancelTransfer},
	}
}

// receiptOperations are those of the receipts of transfer bills.
func (f *Flow) receiptOperations() []gate.Operation {
	const base = "/v3/fund-app/mch-transfer/elecsign/"
	// The documentation has both addresses of receipts, and does not say which one a query gets.
	return []gate.Operation{
		{Operation: gate.Documented("POST", base+"out-bill-no"), Limits: receiptLimits, Do: func(c *gate.Call) (any, *say.Rejection) {
			return f.applyForReceipt(c, c.Object["out_bill_no"].(string))
		}},
		{Operation: gate.Documented("POST", base+"transfer-bill-no"), Limits: receiptLimits, Do: func(c *gate.Call) (any, *say.Rejection) {
			return f.applyForReceipt(c, f.numberOfBill(c, c.Object["transfer_bill_no"].(string)))
		}},
		{Operation: gate.Documented("GET", base+"out-bill-no/{out_bill_no}"), Do: func(c *gate.Call) (any, *say.Rejection) {
			return f.queryReceipt(c, c.Path["out_bill_no"], "/v3/transferdownload/signfile", "")
		}},
		{Operation: gate.Documented("GET", base+"transfer-bill-no/{transfer_bill_no}"), Do: func(c *gate.Call) (any, *say.Rejection) {
			return f.queryReceipt(c, f.numberOfBill(c, c.Path["transfer_bill_no"]), "/v3/transferdownload/elecvoucherfile", "source=SANDBOX")
		}},
	}
}
