package sandbox_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/sandbox/fault"
	"github.com/wxpay-go/wxpay/webhook"
)

// A whole sale without money: the shop orders, the user pays, the platform notifies the shop, the shop refunds.
func Example_shop() {
	ctx := context.Background()
	gateway, err := sandbox.New()
	check(err)
	defer gateway.Close()
	client, err := wxpay.FromLookupEnv(gateway.LookupEnv, wxpay.WithTransport(gateway.Transport()))
	check(err)
	keys, err := apiv3.NewKeySet(apiv3.PlatformKey{Serial: gateway.Keys.PublicKeyID(), Key: gateway.Keys.PublicKey()})
	check(err)
	merchant := gateway.Merchant()

	heard := make(chan string, 1)
	notified, err := webhook.New(webhook.Merchant{ID: merchant.ID, APIv3Key: merchant.APIv3Key, Keys: webhook.Static(keys)})
	check(err)
	notified.On("TRANSACTION.SUCCESS", func(_ context.Context, e *webhook.Event) error {
		amount, err := e.Fen("amount.total")
		heard <- fmt.Sprint(e.Get("out_trade_no"), " is paid: ", amount, " fen")
		return err
	})
	notified.On("REFUND.SUCCESS", func(_ context.Context, e *webhook.Event) error {
		amount, err := e.Fen("amount.refund")
		heard <- fmt.Sprint(e.Get("out_refund_no"), " is refunded: ", amount, " fen")
		return err
	})
	gateway.Deliveries.To(notified)

	_, err = client.Chain("v3/pay/transactions/native").Post(ctx, wxpay.JSON{
		"appid": "wxd678efh567hg6787", "mchid": merchant.ID, "description": "T-shirt", "out_trade_no": "ORDER-0001",
		"notify_url": "https://shop.example.com/notify", "amount": wxpay.JSON{"total": 100},
	})
	check(err)
	_, err = gateway.Users.Pay("ORDER-0001")
	check(err)
	fmt.Println(<-heard)
	_, err = client.Chain("v3/refund/domestic/refunds").Post(ctx, wxpay.JSON{
		"out_trade_no": "ORDER-0001", "out_refund_no": "REFUND-0001", "notify_url": "https://shop.example.com/notify",
		"amount": wxpay.JSON{"refund": 30, "total": 100, "currency": "CNY"},
	})
	check(err)
	fmt.Println(<-heard)
	for _, effect := range gateway.Ledger.Effects() {
		fmt.Println(effect.Kind, effect.Number, effect.Amount, effect.State)
	}
	// Output:
	// ORDER-0001 is paid: 100 fen
	// REFUND-0001 is refunded: 30 fen
	// order ORDER-0001 100 REFUND
	// payment ORDER-0001 100 SUCCESS
	// refund REFUND-0001 30 SUCCESS
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// The answer to a refund is lost, so the caller knows nothing; the ledger knows.
func ExampleFaults_Inject() {
	gateway, err := sandbox.New()
	check(err)
	_, err = gateway.Users.AddPaidOrder("ORDER-0001", 100)
	check(err)
	rule, err := fault.Parse("reset-after path=/v3/refund/* count=1")
	check(err)
	check(gateway.Faults.Inject(rule))

	const body = `{"out_trade_no":"ORDER-0001","out_refund_no":"REFUND-0001","amount":{"refund":30,"total":100,"currency":"CNY"}}`
	for range 2 {
		request := signed(gateway, "POST", "https://api.mch.weixin.qq.com/v3/refund/domestic/refunds", body)
		answer, err := gateway.Transport().RoundTrip(request)
		if err != nil {
			fmt.Println(err)
			continue
		}
		answer.Body.Close()
		fmt.Println(answer.Status)
	}
	fmt.Println(len(gateway.Ledger.Effects(sandbox.RefundEffect)), "refund")
	// Output:
	// read tcp: sandbox: the connection was reset by a fault
	// 200 OK
	// 1 refund
}

// Of two refunds one succeeds at once, and the other waits for the test.
func ExampleLedger_SetEnding() {
	gateway, err := sandbox.New()
	check(err)
	_, err = gateway.Users.AddPaidOrder("ORDER-0001", 100)
	check(err)
	gateway.Ledger.SetEnding(func(kind sandbox.EffectKind, number string) sandbox.Ending {
		if number == "SLOW" {
			return sandbox.Ending{After: -1}
		}
		return sandbox.Ending{}
	})
	for _, number := range []string{"QUICK", "SLOW"} {
		body := fmt.Sprintf(`{"out_trade_no":"ORDER-0001","out_refund_no":%q,"amount":{"refund":10,"total":100,"currency":"CNY"}}`, number)
		answer, err := gateway.Transport().RoundTrip(signed(gateway, "POST", "https://api.mch.weixin.qq.com/v3/refund/domestic/refunds", body))
		check(err)
		answer.Body.Close()
		check(gateway.Clock.Jump(time.Minute)) // between two refunds of an order
	}
	show := func() {
		for _, refund := range gateway.Ledger.Effects(sandbox.RefundEffect) {
			fmt.Println(refund.Number, refund.State)
		}
	}
	show()
	check(gateway.Ledger.Settle(sandbox.RefundEffect, "SLOW", "ABNORMAL"))
	show()
	// Output:
	// QUICK SUCCESS
	// SLOW PROCESSING
	// QUICK SUCCESS
	// SLOW ABNORMAL
}

// A handler is tried with a genuine notification and with a probe.
func ExampleDeliveries_Notify() {
	gateway, err := sandbox.New()
	check(err)
	handler := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		check(err)
		signature, err := apiv3.ReadSignature(r.Header)
		check(err)
		fmt.Println(signature.IsProbe(), signature.Verify(apiv3.RSA(), gateway.Keys.PublicKey(), body) == nil)
	})
	for _, faults := range [][]fault.Kind{nil, {fault.Probe}} {
		request, err := gateway.Deliveries.Notify("TRANSACTION.SUCCESS", nil, faults...)
		check(err)
		handler.ServeHTTP(nil, request)
	}
	// Output:
	// false true
	// true false
}

// The log of deliveries tells what the receiver answered.
func ExampleDeliveries_Deliver() {
	gateway, err := sandbox.New()
	check(err)
	defer gateway.Close()
	gateway.Deliveries.To(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }))
	id, err := gateway.Deliveries.Deliver("https://shop.example.com/notify", "REFUND.SUCCESS", nil)
	check(err)
	delivery, err := gateway.Deliveries.Await(context.Background(), id, 1)
	check(err)
	fmt.Println(delivery.State, delivery.Attempts[0].Status, delivery.Next.Sub(delivery.Attempts[0].Time).Seconds() >= 15)
	// Output:
	// waiting 503 true
}
