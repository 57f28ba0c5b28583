package wxpay_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/wxcode"
)

// paidOrder is the query of an order that is paid.
func paidOrder() wxpay.Chain {
	gateway, err := sandbox.New()
	if err != nil {
		log.Fatal(err)
	}
	if _, err := gateway.Users.AddPaidOrder("ABC-001", 5900); err != nil {
		log.Fatal(err)
	}
	client, err := wxpay.FromLookupEnv(gateway.LookupEnv, wxpay.WithTransport(gateway.Transport()))
	if err != nil {
		log.Fatal(err)
	}
	return client.Chain("v3/pay/transactions/out-trade-no/{out_trade_no}", "ABC-001").Query("mchid", client.MchID())
}

// Strict reads are errors where a value is absent or of another kind. Get is lenient, and reads any gjson path.
func ExampleResponse() {
	res, err := paidOrder().Get(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	number, err := res.Text("out_trade_no")
	fmt.Println(number, err)
	at, err := res.Time("success_time")
	fmt.Println(time.Since(at) < time.Hour, err)
	_, err = res.Int("payer.openid")
	fmt.Println(err != nil)
	_, err = res.Bool("trade_state")
	fmt.Println(err != nil)
	fmt.Println(res.Get("trade_state"), res.Get("promotion_detail.#")) // an absent list has no length
	fmt.Println(res.Verified, res.Stale(), res.DecryptErr(), len(res.Raw()) > 100)
	// Output:
	// ABC-001 <nil>
	// true <nil>
	// true
	// true
	// SUCCESS 0
	// true false <nil> true
}

// An amount is whole fen or an error, never a rounded number.
func ExampleResponse_Fen() {
	res, err := paidOrder().Get(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	total, err := res.Fen("amount.total")
	fmt.Println(total, err)
	_, err = res.Fen("amount.discount")
	fmt.Println(err)
	// Output:
	// 5900 <nil>
	// wxpay: GET /v3/pay/transactions/out-trade-no/{out_trade_no}: the platform confirmed success, but decoding the response failed: amount.discount is absent; the catalogue does not have it (the response is in CallError.Response)
}

// Say what must be there before you rely on it.
func ExampleResponse_Need() {
	res, err := paidOrder().Get(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(res.Need("transaction_id", "amount.total", "trade_state"))
	err = res.Need("transaction_id", "sub_mchid")
	fmt.Println(err)
	fmt.Println(wxpay.OutcomeOf(err)) // the call itself succeeded
	// Output:
	// <nil>
	// wxpay: GET /v3/pay/transactions/out-trade-no/{out_trade_no}: the platform confirmed success, but decoding the response failed: sub_mchid is absent; the catalogue does not have it (the response is in CallError.Response)
	// confirmed
}

// A call that failed without a response to trust. Its text says whether money may have moved, and what to do next.
func ExampleCallError() {
	client, ctx := exampleClient(), context.Background()
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	_, err := client.Chain("v3/pay/transactions/native").Post(ctx, wxpay.JSON{
		"out_trade_no": "ABC-001", "description": "Tea", "notify_url": "https://shop.example/notify", "amount": wxpay.JSON{"total": 5900},
	})
	var failed *wxpay.CallError
	if errors.As(err, &failed) {
		fmt.Println(failed.Stage, failed.Outcome, failed.Attempts, failed.Number, errors.Is(err, context.Canceled))
	}
	// Output: sending not sent 0 ABC-001 true
}

// A response that cannot be trusted, here because the configured key is not the platform's: the outcome is unknown.
func ExampleVerifyError() {
	gateway, merchant, transport := exampleGateway()
	wrong := testKeys().platform.Public() // of another platform
	client, err := wxpay.New(merchant, wxpay.WithPublicKey(gateway.Keys.PublicKeyID(), wrong), transport)
	if err != nil {
		log.Fatal(err)
	}
	_, err = client.Chain("v3/brand/partner/card-member/user-feeds").Post(context.Background(), feed())
	var untrusted *wxpay.VerifyError
	if errors.As(err, &untrusted) {
		fmt.Println(untrusted.Status, errors.Is(err, apiv3.ErrSignature), wxpay.OutcomeOf(err))
	}
	// Output: 200 true outcome unknown
}

// The field of a request that cannot be sent. The text has its place, and never its value.
func ExampleFieldError() {
	client, ctx := exampleClient(), context.Background()
	body := feed()
	body["openid"] = wxpay.Secret(strings.Repeat("x", 300)) // more than the key can encrypt
	_, err := client.Chain("v3/brand/partner/card-member/user-feeds").Post(ctx, body)
	var field *wxpay.FieldError
	if errors.As(err, &field) {
		fmt.Println(field.Pointer, wxpay.OutcomeOf(err))
	}
	// Output: /openid not sent
}

// The platform's codes, in any of their spellings.
func ExampleIsCode() {
	client, ctx := exampleClient(), context.Background()
	_, err := client.Chain("v3/refund/domestic/refunds/{out_refund_no}", "ABC-001-R1").Get(ctx)
	switch {
	case wxpay.IsCode(err, wxcode.ResourceNotExists):
		fmt.Println("there is no such refund")
	case err != nil:
		log.Fatal(err)
	}
	// Output: there is no such refund
}
