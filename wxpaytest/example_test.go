package wxpaytest_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/webhook"
	"github.com/wxpay-go/wxpay/wxcode"
	"github.com/wxpay-go/wxpay/wxpaytest"
)

// t is the *testing.T of a test.
var t testing.TB = exampleT{}

type exampleT struct{ testing.TB }

func (exampleT) Helper()                           {}
func (exampleT) Context() context.Context          { return context.Background() }
func (exampleT) Errorf(format string, args ...any) { fmt.Printf(format+"\n", args...) }
func (exampleT) Fatalf(format string, args ...any) { log.Fatalf(format, args...) }

// A client whose platform is a handler: here one that reads what is sent.
func ExampleClient() {
	client := wxpaytest.Client(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println(r.Method, r.URL.Path)
		wxpaytest.Answer(http.StatusOK, wxpay.JSON{"code_url": "weixin://wxpay/1"}).ServeHTTP(w, r)
	}))
	res, err := client.Chain("v3/pay/transactions/native").Post(context.Background(), nativeOrder())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(res.Verified, res.Get("code_url"))
	// Output:
	// POST /v3/pay/transactions/native
	// true weixin://wxpay/1
}

func nativeOrder() wxpay.JSON {
	return wxpay.JSON{
		"appid": "wx8888888888888888", "mchid": wxpaytest.MchID, "description": "T-shirt", "out_trade_no": "ORDER-0001",
		"notify_url": "https://shop.example.com/notify", "amount": wxpay.JSON{"total": 100},
	}
}

// Answers by method and path. A request without one fails the test.
func ExampleAnswers() {
	client, ctx := wxpaytest.Client(t, wxpaytest.Answers{
		"GET /v3/pay/transactions/out-trade-no/{out_trade_no}": wxpaytest.Answer(200, `{"trade_state":"SUCCESS"}`),
	}), context.Background()
	query := client.Chain("v3/pay/transactions/out-trade-no/{out_trade_no}", "ORDER-0001")
	res, err := query.Query("mchid", wxpaytest.MchID).Get(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(res.Get("trade_state"))
	_, err = query.Chain("close").Post(ctx, wxpay.JSON{"mchid": wxpaytest.MchID})
	fmt.Println(err != nil)
	// Output:
	// SUCCESS
	// wxpaytest: no answer for POST /v3/pay/transactions/out-trade-no/ORDER-0001/close; there are answers for: GET /v3/pay/transactions/out-trade-no/{out_trade_no}
	// true
}

// A rejection of the platform: its status and its code.
func ExampleAnswer() {
	client := wxpaytest.Client(t, wxpaytest.Answer(http.StatusForbidden, `{"code":"NOT_ENOUGH","message":"余额不足"}`))
	_, err := client.Chain("v3/pay/transactions/native").Post(context.Background(), nativeOrder())
	fmt.Println(wxpay.IsCode(err, wxcode.NotEnough), wxpay.OutcomeOf(err))
	// Output: true rejected
}

// The day that a test is for: the platform has the order, and the answer is lost.
func ExampleLost() {
	client := wxpaytest.Client(t, wxpaytest.Lost(), wxpay.WithAttempts(1))
	_, err := client.Chain("v3/pay/transactions/native").Post(context.Background(), nativeOrder())
	fmt.Println(errors.Is(err, wxpay.ErrOutcomeUnknown))
	// Output: true
}

// An event for the function of a webhook handler, without a handler.
func ExampleEvent() {
	paid := func(_ context.Context, e *webhook.Event) error {
		total, err := e.Fen("amount.total")
		fmt.Println(e.Type, e.Get("out_trade_no"), total)
		return err
	}
	e := wxpaytest.Event(t, webhook.TransactionSuccess, wxpay.JSON{"out_trade_no": "ORDER-0001", "amount": wxpay.JSON{"total": 100}})
	if err := paid(context.Background(), e); err != nil {
		log.Fatal(err)
	}
	// Output: TRANSACTION.SUCCESS ORDER-0001 100
}

// handler is the handler of a service, with a function for payments.
func handler(options ...webhook.Option) *webhook.Handler {
	handler, err := webhook.New(wxpaytest.Receiver(t), options...)
	if err != nil {
		log.Fatal(err)
	}
	handler.On(webhook.TransactionSuccess, func(_ context.Context, e *webhook.Event) error {
		fmt.Println(e.Get("out_trade_no"), "is paid")
		return nil
	})
	return handler
}

// A notification goes the whole way: signed, encrypted, verified, decrypted.
func ExampleNotification() {
	w := httptest.NewRecorder()
	handler().ServeHTTP(w, wxpaytest.Notification(t, webhook.TransactionSuccess, `{"out_trade_no":"ORDER-0001"}`))
	fmt.Println(w.Code)
	// Output:
	// ORDER-0001 is paid
	// 204
}

// A notification that was signed an hour ago is rejected.
func ExampleNotificationAt() {
	w := httptest.NewRecorder()
	handler().ServeHTTP(w, wxpaytest.NotificationAt(t, time.Now().Add(-time.Hour), webhook.TransactionSuccess, `{"out_trade_no":"ORDER-0001"}`))
	fmt.Println(w.Code)
	// Output: 401
}

// The receiving merchant has the keys for the notifications of this package.
func ExampleReceiver() {
	receiver := wxpaytest.Receiver(t)
	handler, err := webhook.New(receiver)
	if err != nil {
		log.Fatal(err)
	}
	e, err := handler.Parse(context.Background(), nil, nil)
	fmt.Println(receiver.ID, e == nil, err != nil) // no notification, no event
	// Output: 1900000109 true true
}

// A field that the platform encrypts for the merchant arrives as plain text.
func ExampleEncrypt() {
	client := wxpaytest.Client(t, wxpaytest.Answers{
		"GET /v3/merchant-service/complaints-v2/{complaint_id}": wxpaytest.Answer(200, wxpay.JSON{"payer_phone": wxpaytest.Encrypt(t, "13800138000")}),
	})
	res, err := client.Chain("v3/merchant-service/complaints-v2/{complaint_id}", "200201820200101080076610000").Get(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(res.Get("payer_phone"))
	// Output: 13800138000
}

// A clock that only the test moves: six minutes later, the signature of a notification is too old.
func ExampleClock() {
	clock := wxpaytest.NewClock(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC))
	handler := handler(webhook.WithClock(clock.Now))
	for range 2 {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, wxpaytest.NotificationAt(t, time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC), webhook.TransactionSuccess, `{"out_trade_no":"ORDER-0001"}`))
		fmt.Println(w.Code, clock.Now().Format(time.TimeOnly))
		clock.Advance(6 * time.Minute)
	}
	// Output:
	// ORDER-0001 is paid
	// 204 12:00:00
	// 401 12:06:00
}
