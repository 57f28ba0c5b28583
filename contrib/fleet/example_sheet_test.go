package fleet_test

import (
	"fmt"
	"strings"

	"github.com/wxpay-go/wxpay/contrib/fleet"
)

// A list of refunds as an office has it: amounts in yuan, labels of the manual as names, and a
// column of notes.
func ExampleSheet_CSV() {
	list := `商户订单号,商户退款单号,退款金额,#经办人
0004200001,000R00001,12.30,张三
0004200002,4.78516E+11,5,李四
`
	sheet := fleet.Sheet{File: "refunds.csv", Path: "v3/refund/domestic/refunds", Map: []fleet.Column{
		{From: "退款金额", To: "amount.refund", Type: "yuan"},
		{To: "amount.currency", Value: "CNY"},
	}}
	for job, err := range sheet.CSV(strings.NewReader(list)) {
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(string(job.Body), job.Amounts())
	}
	// Output:
	// {"out_trade_no":"0004200001","out_refund_no":"000R00001","amount":{"refund":1230,"currency":"CNY"}} map[amount.refund:1230]
	// refunds.csv, line 3: B3 (column 商户退款单号): a spreadsheet program has shortened this number (as in 4.78516E+11), and its digits are lost: make the column text, and fill it in again
}
