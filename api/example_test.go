package api_test

import (
	"context"
	"fmt"
	"log"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/api"
	"github.com/wxpay-go/wxpay/sandbox"
)

// newClient returns a client of a sandbox that runs in this process.
func newClient() *wxpay.Client {
	gateway, err := sandbox.New()
	if err != nil {
		log.Fatal(err)
	}
	client, err := wxpay.FromLookupEnv(gateway.LookupEnv, wxpay.WithTransport(gateway.Transport()))
	if err != nil {
		log.Fatal(err)
	}
	return client
}

var feed = wxpay.JSON{
	"brand_id": "1004", "card_id": "pbLatjvWOibDc5-TBnbUk1pD12o0", "user_card_code": "478515832665",
	"openid": "obLatjnx9gnqzS4myYGmLZ7LgLBA", "out_request_no": "100002322019090134234sfdf", "cell_message": "15_1200_1",
}

// order is a Native order of the merchant whom the sandbox knows.
func order(number string) wxpay.JSON {
	return wxpay.JSON{
		"appid": "wxd678efh567hg6787", "mchid": "1900000109", "description": "one cup", "out_trade_no": number,
		"notify_url": "https://www.example.com/notify", "amount": wxpay.JSON{"total": 100},
	}
}

// One method a path segment; the last node has the verbs that the operation has.
func Example() {
	client := newClient()
	res, err := api.V3(client).Brand().Partner().CardMember().UserFeeds().Post(context.Background(), feed)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(res.Get("out_request_no"))
	// Output: 100002322019090134234sfdf
}

// Every verb has a twin that makes the call in the background.
func Example_async() {
	client, ctx := newClient(), context.Background()
	future := api.V3(client).Brand().Partner().CardMember().UserFeeds().PostAsync(ctx, feed).
		Then(func(res *wxpay.Response) error {
			fmt.Println("verified:", res.Get("brand_id"))
			return nil
		})
	if _, err := future.Wait(ctx); err != nil {
		log.Fatal(err)
	}
	// Output: verified: 1004
}

// A path variable is the argument of its method; settings come last.
func Example_variable() {
	client, ctx := newClient(), context.Background()
	transactions := api.V3(client).Pay().Transactions()
	if _, err := transactions.Native().Post(ctx, order("ABC-001")); err != nil {
		log.Fatal(err)
	}
	res, err := transactions.OutTradeNo().OutTradeNo("ABC-001").Query("mchid", "1900000109").Get(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(res.Get("trade_state"))
	// Output: NOTPAY
}

// A node is a value: keep it and derive from it, also from several goroutines.
func Example_stem() {
	client, ctx := newClient(), context.Background()
	transactions := api.V3(client).Pay().Transactions()
	for _, number := range []string{"ABC-001", "ABC-002"} {
		if _, err := transactions.Native().Post(ctx, order(number)); err != nil {
			log.Fatal(err)
		}
		res, err := transactions.OutTradeNo().OutTradeNo(number).Close().Post(ctx, wxpay.JSON{"mchid": "1900000109"})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(number, res.Status)
	}
	// Output:
	// ABC-001 204
	// ABC-002 204
}

// What an operation supports beyond being called, its node has: a refund can be made to happen once, and to its end.
func Example_ensure() {
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
	verdict, err := api.V3(client).Refund().Domestic().Refunds().Ensure(context.Background(), wxpay.JSON{
		"out_trade_no": "ABC-001", "out_refund_no": "ABC-001-R1", "amount": wxpay.JSON{"refund": 100, "total": 500, "currency": "CNY"},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(verdict.State)
	// Output: accepted
}

// Chain is the way out to what the pure chain does not offer, such as the signed request itself.
func ExamplePostCall_Chain() {
	client := newClient()
	req, err := api.V3(client).Refund().Domestic().Refunds().Chain().
		Request(context.Background(), "POST", wxpay.JSON{
			"out_trade_no": "ABC-001", "out_refund_no": "R-1", "amount": wxpay.JSON{"refund": 1, "total": 1, "currency": "CNY"},
		})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(req.Method, req.URL.Path)
	// Output: POST /v3/refund/domestic/refunds
}
