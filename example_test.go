package wxpay_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/api"
	"github.com/wxpay-go/wxpay/middleware"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/wxcode"
)

// exampleClient connects a client to a sandbox in this process. In production, New or FromEnv take its place.
func exampleClient(options ...wxpay.Option) *wxpay.Client {
	gateway, err := sandbox.New()
	if err != nil {
		log.Fatal(err)
	}
	client, err := wxpay.FromLookupEnv(gateway.LookupEnv, append(options, wxpay.WithTransport(gateway.Transport()))...)
	if err != nil {
		log.Fatal(err)
	}
	return client
}

// A client from values you hold. Mistakes in them are found here, offline.
func ExampleNew() {
	gateway, err := sandbox.New()
	if err != nil {
		log.Fatal(err)
	}
	merchant := gateway.Merchant()
	client, err := wxpay.New(wxpay.Merchant{
		ID:         merchant.ID,
		Serial:     merchant.Serial,
		PrivateKey: merchant.PrivateKey, // LoadPrivateKey("apiclient_key.pem"), a KMS, an HSM
	},
		wxpay.WithPublicKey(gateway.Keys.PublicKeyID(), gateway.Keys.PublicKey()),
		wxpay.WithTransport(gateway.Transport()), // in production: nothing
	)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(client.Pipeline())
	// Output: [retry sign verify transport]
}

// A client from a file that a decoder has read. A key is its text or its file's path.
func ExampleFromConfig() {
	gateway, err := sandbox.New()
	if err != nil {
		log.Fatal(err)
	}
	env := func(name string) string { value, _ := gateway.LookupEnv(name); return value }
	config := wxpay.Config{ // yaml.Unmarshal, toml.Decode, json.Unmarshal: the fields have the tags
		MchID: env("WXPAY_MCHID"), Serial: env("WXPAY_SERIAL"), PrivateKey: env("WXPAY_PRIVATE_KEY"),
		PublicKeyID: env("WXPAY_PUBLIC_KEY_ID"), PublicKey: env("WXPAY_PUBLIC_KEY"),
	}
	client, err := wxpay.FromConfig(config)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(client.MchID(), client.BaseURL())
	// Output: 1900000109 https://api.mch.weixin.qq.com
}

// A client from variables that are not those of the process; FromEnv reads these. The error names all that is wrong.
func ExampleFromLookupEnv() {
	variables := map[string]string{"WXPAY_MCHID": "1900000109", "WXPAY_PRIVATE_KEY": "/etc/wxpay/apiclient_key.pem"}
	_, err := wxpay.FromLookupEnv(func(name string) (string, bool) {
		value, ok := variables[name]
		return value, ok
	})
	fmt.Println(err)
	// Output: wxpay: not set in the environment: WXPAY_SERIAL; WXPAY_PRIVATE_KEY: the file "/etc/wxpay/apiclient_key.pem" cannot be read: no such file or directory
}

// Declarative: the path as the manual prints it.
func ExampleClient_Chain() {
	client, ctx := exampleClient(), context.Background()
	res, err := client.Chain("v3/brand/partner/card-member/user-feeds").Post(ctx, wxpay.JSON{
		"brand_id": "1004", "card_id": "pbLatjvWOibDc5-TBnbUk1pD12o0", "user_card_code": "478515832665",
		"openid": "obLatjnx9gnqzS4myYGmLZ7LgLBA", "out_request_no": "100002322019090134234sfdf", "cell_message": "15_1200_1",
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(res.Status, res.Verified, res.Get("out_request_no"))
	// Output: 200 true 100002322019090134234sfdf
}

// Attribute: names as one would write properties.
func ExampleClient_At() {
	client, ctx := exampleClient(), context.Background()
	res, err := client.At("v3", "brand", "partner", "cardMember", "userFeeds").Post(ctx, feed())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(res.Get("brand_id"))
	// Output: 1004
}

// Pure chain: one method per segment, completed by the editor and checked by the compiler.
func Example_pureChain() {
	client, ctx := exampleClient(), context.Background()
	res, err := api.V3(client).Brand().Partner().CardMember().UserFeeds().Post(ctx, feed())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(res.Get("brand_id"))
	// Output: 1004
}

// A call ends with a verified response or an error. An order that does not exist is one.
func ExampleChain_Get() {
	client, ctx := exampleClient(), context.Background()
	_, err := client.Chain("v3/pay/transactions/out-trade-no/{out_trade_no}", "ABC-001").Query("mchid", "1900000109").Get(ctx)
	if wxpay.IsCode(err, wxcode.OrderNotExist) {
		fmt.Println("there is no such order")
	}
	// Output: there is no such order
}

// A body is a map, a struct or raw JSON. Amounts are fen.
func ExampleChain_Post() {
	client, ctx := exampleClient(), context.Background()
	type amount struct {
		Total int64 `json:"total"`
	}
	res, err := client.Chain("v3/pay/transactions/native").Post(ctx, struct {
		AppID       string `json:"appid"`
		MchID       string `json:"mchid"`
		Description string `json:"description"`
		Number      string `json:"out_trade_no"`
		NotifyURL   string `json:"notify_url"`
		Amount      amount `json:"amount"`
	}{"wx8888888888888888", client.MchID(), "T-shirt", "ABC-001", "https://shop.example.com/notify", amount{Total: 5900}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(strings.HasPrefix(res.Get("code_url").String(), "weixin://"))
	// Output: true
}

// A query field is data: it is escaped, and may be a text, a number or a time.
func ExampleChain_Query() {
	client := exampleClient()
	req, err := client.Chain("v3/merchant-service/complaints-v2").Query("limit", 5).
		Query("begin_date", "2026-11-01").Query("end_date", "2026-11-22").Request(context.Background(), "GET", nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(req.URL.RequestURI())
	// Output: /v3/merchant-service/complaints-v2?limit=5&begin_date=2026-11-01&end_date=2026-11-22
}

// A value by the name of its placeholder.
func ExampleChain_Var() {
	client := exampleClient()
	req, err := client.Chain("v3/refund/domestic/refunds/{out_refund_no}").Var("out_refund_no", "ABC-001-R1").
		Request(context.Background(), "GET", nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(req.URL.Path)
	// Output: /v3/refund/domestic/refunds/ABC-001-R1
}

// A list page by page, each verified; Each goes through its elements.
func ExampleChain_Pages() {
	client, ctx := exampleClient(), context.Background()
	pages := 0
	for page, err := range client.Chain("v3/merchant-service/complaints-v2").
		Query("begin_date", "2026-11-01").Query("end_date", "2026-11-22").Pages(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		if err := page.Need("total_count"); err != nil {
			log.Fatal(err)
		}
		pages++
	}
	fmt.Println(pages)
	// Output: 1
}

// A future is waited for, or stands in a select.
func ExampleFuture() {
	client, ctx := exampleClient(), context.Background()
	future := client.Chain("v3/certificates").GetAsync(ctx)
	select {
	case <-future.Done():
		res, err := future.Wait(ctx) // at once
		fmt.Println(res.Status, err)
	case <-time.After(time.Minute):
		fmt.Println("still under way")
	}
	// Output: 200 <nil>
}

// Asynchronous: each verb has a twin. The body is written before it returns.
func ExampleChain_PostAsync() {
	client, ctx := exampleClient(), context.Background()
	future := client.Chain("v3/brand/partner/card-member/user-feeds").PostAsync(ctx, feed()).
		Then(func(res *wxpay.Response) error {
			fmt.Println("saving", res.Get("out_request_no"))
			return nil
		})
	if _, err := future.Wait(ctx); err != nil {
		log.Fatal(err)
	}
	// Output: saving 100002322019090134234sfdf
}

// Many calls at once, with their responses in order.
func ExampleWaitAll() {
	client, ctx := exampleClient(), context.Background()
	var futures []*wxpay.Future
	for i := range 3 {
		body := feed()
		body["out_request_no"] = fmt.Sprintf("activity-%d", i)
		futures = append(futures, client.Chain("v3/brand/partner/card-member/user-feeds").PostAsync(ctx, body))
	}
	answers, err := wxpay.WaitAll(ctx, futures...)
	if err != nil {
		log.Fatal(err)
	}
	for _, res := range answers {
		fmt.Println(res.Get("out_request_no"))
	}
	// Output:
	// activity-0
	// activity-1
	// activity-2
}

// The path stays as the manual prints it; values fill its placeholders and the query.
func ExampleClient_Chain_values() {
	client := exampleClient()
	order := client.Chain("v3/pay/transactions/out-trade-no/{out_trade_no}", "ABC|001*")
	req, err := order.Query("mchid", "1900000109").Request(context.Background(), "GET", nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(req.URL.RequestURI())
	// Output: /v3/pay/transactions/out-trade-no/ABC%7C001%2A?mchid=1900000109
}

// In the attribute style values follow by their names.
func ExampleChain_Vars() {
	client := exampleClient()
	order := client.At("v3", "pay", "transactions", "outTradeNo", "_out_trade_no_").Vars(wxpay.JSON{"out_trade_no": "ABC|001*"})
	req, err := order.Query("mchid", "1900000109").Request(context.Background(), "GET", nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(req.URL.RequestURI())
	// Output: /v3/pay/transactions/out-trade-no/ABC%7C001%2A?mchid=1900000109
}

// A chain is a value: keep a stem, derive calls from it.
func ExampleChain_Chain() {
	client, ctx := exampleClient(), context.Background()
	order := client.Chain("v3/pay/transactions/out-trade-no/{out_trade_no}", "ABC-001")
	_, err := order.Query("mchid", "1900000109").Get(ctx)
	fmt.Println(wxpay.IsCode(err, wxcode.OrderNotExist))
	_, err = order.Chain("close").Post(ctx, wxpay.JSON{"mchid": "1900000109"})
	fmt.Println(wxpay.IsCode(err, wxcode.OrderNotExist))
	// Output:
	// true
	// true
}

// Into decodes the response in one expression.
func ExampleInto() {
	type Feed struct {
		Brand  string `json:"brand_id"`
		Number string `json:"out_request_no"`
	}
	client, ctx := exampleClient(), context.Background()
	answer, err := wxpay.Into[Feed](client.Chain("v3/brand/partner/card-member/user-feeds").Post(ctx, feed()))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(answer.Brand, answer.Number)
	// Output: 1004 100002322019090134234sfdf
}

// What the platform said, and what is known about the operation.
func ExampleAPIError() {
	client, ctx := exampleClient(wxpay.WithLanguage("en")), context.Background()
	body := feed()
	delete(body, "openid")
	_, err := client.Chain("v3/brand/partner/card-member/user-feeds").Post(ctx, body)
	var refusal *wxpay.APIError
	if errors.As(err, &refusal) {
		fmt.Println(refusal.Status, refusal.Code, refusal.Detail.Field, refusal.Verified)
	}
	fmt.Println(wxpay.OutcomeOf(err))
	// Output:
	// 400 PARAM_ERROR /openid true
	// rejected
}

// A mistake is found before anything is sent.
func ExampleOutcomeOf() {
	client, ctx := exampleClient(), context.Background()
	_, err := client.Chain("v3/refund/domestic/refunds/{out_refund_no}").Get(ctx)
	fmt.Println(err)
	fmt.Println(wxpay.OutcomeOf(err))
	// Output:
	// wxpay: GET /v3/refund/domestic/refunds/{out_refund_no}: not sent: {out_refund_no} has no value: call Var("out_refund_no", …)
	// not sent
}

// A middleware of one's own stands outside signing: what it changes is signed.
func ExampleWithMiddleware() {
	trace := func(next http.RoundTripper) http.RoundTripper {
		return middleware.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
			res, err := next.RoundTrip(req)
			if err == nil {
				fmt.Println(req.Method, middleware.CallFrom(req.Context()).Template, res.StatusCode)
			}
			return res, err
		})
	}
	client, ctx := exampleClient(wxpay.WithMiddleware(trace)), context.Background()
	if _, err := client.Chain("v3/brand/partner/card-member/user-feeds").Post(ctx, feed()); err != nil {
		log.Fatal(err)
	}
	// Output: POST /v3/brand/partner/card-member/user-feeds 200
}
