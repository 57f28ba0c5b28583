package sandbox_test

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/sandbox"
)

// exchange sends a request and returns the status and the body of its response.
func exchange(gateway *sandbox.Sandbox, method, target, body string) (string, []byte) {
	answer, err := gateway.Transport().RoundTrip(signed(gateway, method, "https://api.mch.weixin.qq.com"+target, body))
	check(err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	check(err)
	return answer.Status, text
}

// Two refunds of an order are a minute apart in production, and so they are here: the second comes too soon. A test that
// does not care says so, or lets the minute pass.
func ExampleRules_Relax() {
	gateway, err := sandbox.New()
	check(err)
	_, err = gateway.Users.AddPaidOrder("ORDER-0001", 100)
	check(err)
	refund := func(number string) {
		status, _ := exchange(gateway, "POST", "/v3/refund/domestic/refunds",
			`{"out_trade_no":"ORDER-0001","out_refund_no":"`+number+`","amount":{"refund":10,"total":100,"currency":"CNY"}}`)
		fmt.Println(number, status)
	}
	refund("R-1")
	refund("R-2")
	check(gateway.Clock.Jump(time.Minute))
	refund("R-2")
	check(gateway.Rules.Relax(sandbox.RefundPace))
	refund("R-3")
	// Output:
	// R-1 200 OK
	// R-2 429 Too Many Requests
	// R-2 200 OK
	// R-3 200 OK
}

// The bill of a day on which, as the sandbox would have it, a thousand things happened.
func ExampleWithBillRows() {
	gateway, err := sandbox.New(sandbox.WithBillRows(1000))
	check(err)
	day := time.Now().AddDate(0, 0, -3).Format(time.DateOnly)
	_, answer := exchange(gateway, "GET", "/v3/bill/fundflowbill?bill_date="+day, "")
	var bill struct {
		HashType    string `json:"hash_type"`
		DownloadURL string `json:"download_url"`
	}
	check(json.Unmarshal(answer, &bill))
	_, file := exchange(gateway, "GET", strings.TrimPrefix(bill.DownloadURL, "https://api.mch.weixin.qq.com"), "")
	lines := strings.Split(string(file), "\r\n")
	fmt.Println(bill.HashType, len(lines))
	fmt.Println(lines[1001])
	fmt.Println(lines[1002])
	// Output:
	// SHA1 1004
	// 资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额
	// `1000,`1000,`1000.00,`0,`0.00
}
