package wxpay_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/webhook"
)

// README.md shows the shop from here …

type shop struct {
	wechat *wxpay.Client
	appID  string
	prices map[string]int64 // fen, by order number
}

// order places an order of a user; its result is for WeixinJSBridge, as JSON.
func (s *shop) order(ctx context.Context, number, openID string) (wxpay.JSAPIPayment, error) {
	res, err := s.wechat.Chain("v3/pay/transactions/jsapi").Post(ctx, wxpay.JSON{
		"appid": s.appID, "mchid": s.wechat.MchID(), "description": "T-shirt", "out_trade_no": number,
		"notify_url": "https://shop.example.com/notify", "amount": wxpay.JSON{"total": s.prices[number]},
		"payer": wxpay.JSON{"openid": openID},
	})
	if err != nil {
		return wxpay.JSAPIPayment{}, err
	}
	return s.wechat.Invoke().JSAPI(ctx, s.appID, res.Get("prepay_id").String())
}

// orderByCode places an order that is paid by scanning; its result is the text of the QR code.
func (s *shop) orderByCode(ctx context.Context, number string) (string, error) {
	res, err := s.wechat.Chain("v3/pay/transactions/native").Post(ctx, wxpay.JSON{
		"appid": s.appID, "mchid": s.wechat.MchID(), "description": "T-shirt", "out_trade_no": number,
		"notify_url": "https://shop.example.com/notify", "amount": wxpay.JSON{"total": s.prices[number]},
	})
	if err != nil {
		return "", err
	}
	return res.Text("code_url")
}

// paid handles the notification of a payment, once for each. An error makes the platform send it again.
func (s *shop) paid(_ context.Context, e *webhook.Event) error {
	number := e.Get("out_trade_no").String()
	expected := webhook.Payment{MchID: s.wechat.MchID(), AppID: s.appID, OutTradeNo: number, Total: s.prices[number]}
	if err := expected.Check(e); err != nil {
		return err
	}
	fmt.Println(number, "is paid")
	return nil
}

// refund gives the money back under one number, whatever is lost on the way.
func (s *shop) refund(ctx context.Context, number string) error {
	verdict, err := s.wechat.Chain("v3/refund/domestic/refunds").Ensure(ctx, wxpay.JSON{
		"out_trade_no": number, "out_refund_no": number + "-R1",
		"amount": wxpay.JSON{"refund": s.prices[number], "total": s.prices[number], "currency": "CNY"},
	})
	if err != nil {
		return err // wxpay.OutcomeOf(err) tells whether money may have moved
	}
	fmt.Println(number, "refund", verdict.State)
	return nil
}

// … to here.

// An order, its payment, its notification and its refund.
func Example_shop() {
	ctx := context.Background()
	gateway, err := sandbox.New() // in production: nothing
	check(err)
	defer gateway.Close()
	client, err := wxpay.FromLookupEnv(gateway.LookupEnv, wxpay.WithTransport(gateway.Transport())) // in production: wxpay.FromEnv()
	check(err)
	s := &shop{wechat: client, appID: "wxd678efh567hg6787", prices: map[string]int64{"ORDER-0001": 100, "ORDER-0002": 200}}

	handler, err := webhook.New(webhook.Merchant{ID: client.MchID(), APIv3Key: gateway.Merchant().APIv3Key, Keys: client})
	check(err)
	done := make(chan struct{}, 2)
	handler.On(webhook.TransactionSuccess, func(ctx context.Context, e *webhook.Event) error {
		defer func() { done <- struct{}{} }()
		return s.paid(ctx, e)
	})
	gateway.Deliveries.To(handler) // in production: http.Handle("/notify", handler)

	bridge, err := s.order(ctx, "ORDER-0001", "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o")
	check(err)
	front, err := json.Marshal(bridge)
	check(err)
	fmt.Println(strings.Contains(string(front), `"package":"prepay_id=`), bridge.SignType)
	code, err := s.orderByCode(ctx, "ORDER-0002")
	check(err)
	fmt.Println(strings.HasPrefix(code, "weixin://"))

	_, err = gateway.Users.Pay("ORDER-0001")
	check(err)
	<-done
	check(s.refund(ctx, "ORDER-0001"))
	// Output:
	// true RSA
	// true
	// ORDER-0001 is paid
	// ORDER-0001 refund accepted
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// README.md opens with the shop of the example.
func TestReadmeShowsTheShop(t *testing.T) {
	source, err := os.ReadFile("shop_example_test.go")
	require.NoError(t, err)
	_, code, _ := strings.Cut(string(source), "// README.md shows the shop from here …\n\n")
	code, _, found := strings.Cut(code, "\n// … to here.\n")
	require.True(t, found)
	for _, page := range []string{"README.md", "README.zh-CN.md"} {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		_, block, _ := strings.Cut(string(text), "```go\n")
		block, _, _ = strings.Cut(block, "```")
		assert.Equal(t, code, block, "%s opens with other code than shop_example_test.go", page)
	}
}
