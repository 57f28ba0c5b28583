package wxpay_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/middleware"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/sandbox/fault"
	"github.com/wxpay-go/wxpay/wxcode"
)

// A client of a sandbox whose answers to the first refund are lost on the way, although the refund took place.
func unluckyClient() *wxpay.Client {
	gateway, err := sandbox.New()
	if err != nil {
		log.Fatal(err)
	}
	if _, err := gateway.Users.AddPaidOrder("ABC-001", 500); err != nil {
		log.Fatal(err)
	}
	lost := fault.Rule{Kind: fault.ResetAfter, Method: "POST", Path: "/v3/refund/domestic/refunds", Count: 1}
	if err := gateway.Faults.Inject(lost); err != nil {
		log.Fatal(err)
	}
	client, err := wxpay.FromLookupEnv(gateway.LookupEnv, wxpay.WithTransport(gateway.Transport()))
	if err != nil {
		log.Fatal(err)
	}
	return client
}

var exampleRefund = wxpay.JSON{
	"out_trade_no": "ABC-001", "out_refund_no": "ABC-001-R1", "amount": wxpay.JSON{"refund": 100, "total": 500, "currency": "CNY"},
}

// Make a refund happen once, and be told the truth, whatever is lost on the way.
func ExampleChain_Ensure() {
	client := unluckyClient()
	verdict, err := client.Chain("v3/refund/domestic/refunds").Ensure(context.Background(), exampleRefund)
	switch {
	case errors.Is(err, wxpay.ErrOutcomeUnknown):
		log.Fatal("still unknown; keep the number and resolve it later: ", err)
	case err != nil && wxpay.OutcomeOf(err) == wxpay.Confirmed:
		log.Fatal("it took effect, and a later step of this program failed: ", err)
	case err != nil:
		log.Fatal("nothing took effect: ", err)
	}
	fmt.Println(verdict.State, verdict.Attempts, verdict.Response.Get("out_refund_no"))
	// Output: succeeded 1 ABC-001-R1
}

// Wait until the platform states an end, or until the deadline.
func ExampleChain_UntilFinal() {
	gateway, err := sandbox.New()
	if err != nil {
		log.Fatal(err)
	}
	if _, err := gateway.Users.AddPaidOrder("ABC-001", 500); err != nil {
		log.Fatal(err)
	}
	client, err := wxpay.FromLookupEnv(gateway.LookupEnv, wxpay.WithTransport(gateway.Transport()))
	if err != nil {
		log.Fatal(err)
	}
	verdict, err := client.Chain("v3/refund/domestic/refunds").UntilFinal().Ensure(context.Background(), exampleRefund)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(verdict.State, verdict.Response.Get("status"))
	// Output: succeeded SUCCESS
}

// A process that died has left only the number: nothing is sent before the platform was asked.
func ExampleChain_SentBefore() {
	client, ctx := unluckyClient(), context.Background()
	_, err := client.Chain("v3/refund/domestic/refunds").Post(ctx, exampleRefund) // the process dies before it reads the response
	fmt.Println(wxpay.OutcomeOf(err))
	verdict, err := client.Chain("v3/refund/domestic/refunds").SentBefore(time.Now()).Ensure(ctx, exampleRefund)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(verdict.State, verdict.Attempts)
	// Output:
	// outcome unknown
	// succeeded 0
}

// What is certain about an operation, and the response that says so.
func ExampleVerdict() {
	client := unluckyClient()
	verdict, err := client.Chain("v3/refund/domestic/refunds").Ensure(context.Background(), exampleRefund)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(verdict.State == wxpay.Succeeded, verdict.Inferred, verdict.Unbound, verdict.Missing)
	fmt.Println(verdict.Response.Fen("amount.refund"))
	for _, attempt := range verdict.History {
		fmt.Println(attempt.Outcome)
	}
	// Output:
	// true false false []
	// 100 <nil>
	// outcome unknown
}

// Find out what became of a call that ended in doubt. Nothing is repeated.
func ExampleClient_Resolve() {
	client, ctx := unluckyClient(), context.Background()
	_, err := client.Chain("v3/refund/domestic/refunds").Post(ctx, exampleRefund)
	fmt.Println(wxpay.OutcomeOf(err))
	if errors.Is(err, wxpay.ErrOutcomeUnknown) {
		verdict, err := client.Resolve(ctx, err)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(verdict.State, verdict.Response.Get("status"))
	}
	// Output:
	// outcome unknown
	// succeeded SUCCESS
}

// Vouch for a call of your own knowledge, so that trouble on the way is repeated.
func ExampleChain_Idempotent() {
	client := exampleClient()
	res, err := client.Chain("v3/pay/transactions/out-trade-no/{out_trade_no}/close", "ABC-001").
		Idempotent().Post(context.Background(), wxpay.JSON{"mchid": "1900000109"})
	fmt.Println(res == nil, wxpay.IsCode(err, wxcode.OrderNotExist))
	// Output: true true
}

// Keep the documented rates, and one of your own.
func ExampleWithLimiter() {
	limits := middleware.NewLimits(middleware.Rule{Method: "POST", Template: "/v3/brand/partner/card-member/user-feeds", PerSecond: 20})
	client := exampleClient(wxpay.WithLimiter(limits))
	fmt.Println(client.Pipeline())
	// Output: [retry limit sign verify transport]
}
