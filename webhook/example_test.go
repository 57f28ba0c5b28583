//go:build go1.25

package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/webhook"
)

// exampleKeys are the platform's keys: the WeChat Pay public key, or platform certificates, or both.
func exampleKeys() webhook.Keys {
	set, err := apiv3.NewKeySet(apiv3.PlatformKey{Serial: publicKeyID, Key: &platformKey().PublicKey})
	if err != nil {
		panic(err)
	}
	return webhook.Static(set)
}

const examplePayment = `{"mchid":"1900000109","appid":"wx0123456789abcdef","out_trade_no":"ORDER1","transaction_id":"4200000000202501010000000001",` +
	`"trade_state":"SUCCESS","amount":{"total":100,"currency":"CNY"}}`

func Example() {
	handler, err := webhook.New(webhook.Merchant{ID: "1900000109", APIv3Key: apiv3Key, Keys: exampleKeys()})
	if err != nil {
		fmt.Println(err)
		return
	}
	handler.On("TRANSACTION.SUCCESS", func(ctx context.Context, e *webhook.Event) error {
		total, err := e.Fen("amount.total")
		if err != nil {
			return err
		}
		fmt.Println("paid:", e.Get("out_trade_no"), total, "fen")
		return nil
	})
	handler.On("REFUND.*", func(ctx context.Context, e *webhook.Event) error {
		fmt.Println("refund:", e.Get("refund_status")) // the API calls it status
		return nil
	})
	mux := http.NewServeMux()
	mux.Handle("/wxpay/notify", handler)

	// What the platform sends, twice.
	notification := event("TRANSACTION.SUCCESS", "transaction", examplePayment)
	for range 2 {
		r := notification.request()
		r.URL.Path = "/wxpay/notify"
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		fmt.Println(w.Code)
	}
	// Output:
	// paid: ORDER1 100 fen
	// 204
	// 204
}

// Events of one kind by a pattern. An event of money without a function is not acknowledged, unless Ignore names it: it
// comes again, and is not lost to a mistake.
func ExampleHandler_On() {
	handler, err := webhook.New(webhook.Merchant{ID: "1900000109", APIv3Key: apiv3Key, Keys: exampleKeys()})
	if err != nil {
		fmt.Println(err)
		return
	}
	handler.On("REFUND.*", func(_ context.Context, e *webhook.Event) error {
		fmt.Println(e.Type, e.Get("out_refund_no"))
		return nil
	})
	fmt.Println(event("REFUND.SUCCESS", "refund", `{"mchid":"1900000109","out_refund_no":"R1","refund_status":"SUCCESS"}`).send(handler).Code)
	fmt.Println(event(webhook.TransactionSuccess, "transaction", examplePayment).send(handler).Code)
	handler.Ignore(webhook.TransactionSuccess)
	fmt.Println(event(webhook.TransactionSuccess, "transaction", examplePayment).send(handler).Code)
	// Output:
	// REFUND.SUCCESS R1
	// 204
	// 500
	// 204
}

// A function that takes longer than the platform waits goes on. Wait for it when the program ends, after the server.
func ExampleHandler() {
	handler, err := webhook.New(webhook.Merchant{ID: "1900000109", APIv3Key: apiv3Key, Keys: exampleKeys()})
	if err != nil {
		fmt.Println(err)
		return
	}
	handler.On(webhook.TransactionSuccess, func(context.Context, *webhook.Event) error { return nil })
	server := httptest.NewServer(handler) // http.Server with timeouts, in production
	server.Close()                        // its Shutdown
	fmt.Println(handler.Wait(context.Background()))
	// Output: <nil>
}

// Strict reads are errors where a value is absent or of another kind.
func ExampleEvent() {
	handler, err := webhook.New(webhook.Merchant{ID: "1900000109", APIv3Key: apiv3Key, Keys: exampleKeys(), PrivateKey: merchantKey()})
	if err != nil {
		fmt.Println(err)
		return
	}
	handler.On(webhook.TransactionSuccess, func(_ context.Context, e *webhook.Event) error {
		if err := e.Need("out_trade_no", "amount.total"); err != nil {
			return err
		}
		number, err := e.Text("out_trade_no")
		fmt.Println(number, err)
		total, err := e.Fen("amount.total")
		fmt.Println(total, err)
		at, err := e.Time("success_time")
		fmt.Println(at.UTC(), err)
		first, err := e.Bool("first")
		fmt.Println(first, err)
		goods, err := e.Int("goods")
		fmt.Println(goods, err)
		var order struct {
			State string `json:"trade_state"`
		}
		fmt.Println(e.Decode(&order), order.State)
		phone, err := e.Decrypt(e.Get("phone").String()) // a field that no catalogue marks as encrypted
		fmt.Println(phone, err)
		fmt.Println(strings.HasPrefix(e.Key(), "1900000109/"), len(e.Raw()) > len(e.Resource()))
		return nil
	})
	event(webhook.TransactionSuccess, "transaction", `{"mchid":"1900000109","out_trade_no":"ORDER1","trade_state":"SUCCESS",`+
		`"amount":{"total":100},"success_time":"2018-06-08T10:34:56+08:00","first":true,"goods":2,"phone":"`+sealedPhone()+`"}`).send(handler)
	// Output:
	// ORDER1 <nil>
	// 100 <nil>
	// 2018-06-08 02:34:56 +0000 UTC <nil>
	// true <nil>
	// 2 <nil>
	// <nil> SUCCESS
	// 13800138000 <nil>
	// true true
}

// Headers and body from whatever serves HTTP: fasthttp, hertz, a queue, a log.
func ExampleHandler_Parse() {
	handler, err := webhook.New(webhook.Merchant{APIv3Key: apiv3Key, Keys: exampleKeys()})
	if err != nil {
		fmt.Println(err)
		return
	}
	header, body := event("TRANSACTION.SUCCESS", "transaction", examplePayment).build()
	e, err := handler.Parse(context.Background(), header, body)
	fmt.Println(e.Type, e.OriginalType, e.Get("transaction_id"), err)

	body[len(body)-10] ^= 1
	_, err = handler.Parse(context.Background(), header, body)
	var untrusted *webhook.VerifyError
	fmt.Println(errors.As(err, &untrusted), errors.Is(err, apiv3.ErrSignature))
	// Output:
	// TRANSACTION.SUCCESS transaction 4200000000202501010000000001 <nil>
	// true true
}

// Routing, deduplication, budgets and responses without net/http.
func ExampleHandler_Deliver() {
	handler, err := webhook.New(webhook.Merchant{APIv3Key: apiv3Key, Keys: exampleKeys()})
	if err != nil {
		fmt.Println(err)
		return
	}
	handler.On("TRANSACTION.SUCCESS", func(context.Context, *webhook.Event) error {
		return errors.New("the database is down")
	})
	header, body := event("TRANSACTION.SUCCESS", "transaction", examplePayment).build()
	answer := handler.Deliver(context.Background(), &webhook.Delivery{Header: header, Body: body})
	fmt.Println(answer.Status, string(answer.Body))
	// Output: 500 {"code":"FAIL","message":"processing failed"}
}

// A function that gets the decrypted resource as a type of its own.
func ExampleOn() {
	handler, err := webhook.New(webhook.Merchant{APIv3Key: apiv3Key, Keys: exampleKeys()})
	if err != nil {
		fmt.Println(err)
		return
	}
	type transfer struct {
		Number string `json:"out_bill_no"`
		State  string `json:"state"`
		Amount int64  `json:"transfer_amount"` // fen
	}
	webhook.On(handler, "MCHTRANSFER.BILL.FINISHED", func(_ context.Context, _ *webhook.Event, t transfer) error {
		fmt.Println(t.Number, t.State, t.Amount)
		return nil
	})
	event("MCHTRANSFER.BILL.FINISHED", "mch_payment", `{"out_bill_no":"T1","state":"SUCCESS","transfer_amount":30}`).send(handler)
	// Output: T1 SUCCESS 30
}

// A question wants a response at once: 200 with a body, signed where that is required.
func ExampleHandler_OnInquiry() {
	handler, err := webhook.New(webhook.Merchant{
		ID: "1900000109", Serial: serial, PrivateKey: merchantKey(), APIv3Key: apiv3Key, Keys: exampleKeys(),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	handler.OnInquiry("PARKING_FEE.QUERY_TRANS_INFO", func(_ context.Context, e *webhook.Event) (any, error) {
		return map[string]any{"code": "SUCCESS", "total_amount": 500}, nil
	})
	handler.OnInquiry("CROSS_BORDER_PAY.GET_MCH_INFO", func(_ context.Context, e *webhook.Event) (any, error) {
		return map[string]any{"code": "SUCCESS", "acq_tid": e.Get("acq_tid").String(), "mch_id": "1900000109"}, nil
	})
	handler.OnInquiry("ENTRUST.TERMINATE_INQUIRY", func(_ context.Context, e *webhook.Event) (any, error) {
		return nil, webhook.Fail("a payment of this contract is still due")
	})

	w := event("PARKING_FEE.QUERY_TRANS_INFO", "parking_fee", `{"out_serial_number":"P1"}`).send(handler)
	fmt.Println(w.Code, w.Body)
	w = event("CROSS_BORDER_PAY.GET_MCH_INFO", "cross_border_pay", `{"acq_tid":"T1"}`).send(handler)
	fmt.Println(w.Code, w.Body, strings.HasPrefix(w.Header().Get("Authorization"), "WECHATPAY2-SHA256-RSA2048 mchid="))
	w = event("ENTRUST.TERMINATE_INQUIRY", "", `{"contract_id":"C1"}`).send(handler)
	fmt.Println(w.Code, w.Body)
	// Output:
	// 200 {"code":"SUCCESS","total_amount":500}
	// 200 {"acq_tid":"T1","code":"SUCCESS","mch_id":"1900000109"} true
	// 500 {"code":"FAIL","message":"a payment of this contract is still due"}
}

// One address for several merchants, told apart by the path of their notify_url.
func ExampleNewMulti() {
	merchants := map[string]*webhook.Merchant{
		"1900000109": {ID: "1900000109", APIv3Key: apiv3Key, Keys: exampleKeys()},
		"1900000110": {ID: "1900000110", APIv3Key: strings.Repeat("k", 32), Keys: exampleKeys()},
	}
	handler, err := webhook.NewMulti(func(_ context.Context, d *webhook.Delivery) (*webhook.Merchant, error) {
		if m, ok := merchants[d.Request.PathValue("mchid")]; ok {
			return m, nil
		}
		return nil, webhook.ErrUnknownMerchant
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	handler.OnDefault(func(_ context.Context, e *webhook.Event) error {
		fmt.Println(e.Type, "for", e.Merchant)
		return nil
	})
	mux := http.NewServeMux()
	mux.Handle("/notify/{mchid}", handler)
	for _, path := range []string{"/notify/1900000109", "/notify/1"} {
		r := event("TRANSACTION.SUCCESS", "transaction", examplePayment).request()
		r.URL.Path = path
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		fmt.Println(w.Code)
	}
	// Output:
	// TRANSACTION.SUCCESS for 1900000109
	// 204
	// 404
}

// Before anything is delivered to a customer: is it the payment that was expected?
func ExamplePayment_Check() {
	handler, err := webhook.New(webhook.Merchant{APIv3Key: apiv3Key, Keys: exampleKeys()})
	if err != nil {
		fmt.Println(err)
		return
	}
	prices := map[string]int64{"ORDER1": 100_00} // fen
	handler.On("TRANSACTION.SUCCESS", func(_ context.Context, e *webhook.Event) error {
		number := e.Get("out_trade_no").String()
		err := webhook.Payment{MchID: "1900000109", AppID: "wx0123456789abcdef", OutTradeNo: number, Total: prices[number]}.Check(e)
		var mismatch *webhook.MismatchError
		if errors.As(err, &mismatch) {
			fmt.Printf("%s is %s instead of %s: for a person to look at\n", mismatch.Field, mismatch.Got, mismatch.Want)
			return nil // it would not get better by coming again
		}
		return err
	})
	fmt.Println(event("TRANSACTION.SUCCESS", "transaction", examplePayment).send(handler).Code)
	// Output:
	// amount.total is 100 instead of 10000: for a person to look at
	// 204
}

// Store first, then answer: for events that are given up after minutes, and wherever the work depends on others.
func ExampleEvent_Resource() {
	handler, err := webhook.New(webhook.Merchant{APIv3Key: apiv3Key, Keys: exampleKeys()})
	if err != nil {
		fmt.Println(err)
		return
	}
	folder, err := os.MkdirTemp("", "inbox")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	inbox, err := os.OpenRoot(folder) // a table or a queue, rather than a folder
	if err != nil {
		fmt.Println(err)
		return
	}
	defer inbox.Close()
	handler.On("COUPON.*", func(_ context.Context, e *webhook.Event) error {
		return inbox.WriteFile(e.ID+"."+e.Type, e.Resource(), 0o600)
	})
	n := event("COUPON.SEND", "coupon", `{"coupon_code":"C1"}`)
	n.id = "EV-2018022511223320873"
	fmt.Println(n.send(handler).Code)
	stored, err := inbox.ReadFile("EV-2018022511223320873.COUPON.SEND")
	fmt.Println(string(stored), err)
	// Output:
	// 204
	// {"coupon_code":"C1"} <nil>
}

// With a private key, members that are encrypted for the merchant arrive in plain text.
func ExampleNew_encryptedMembers() {
	handler, err := webhook.New(webhook.Merchant{
		APIv3Key: apiv3Key, Keys: exampleKeys(), PrivateKey: merchantKey(),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	handler.On("MEMBERCARD.ACCEPT_CARD", func(_ context.Context, e *webhook.Event) error {
		fmt.Println(e.Get("phone_number"))
		return nil
	})
	event("MEMBERCARD.ACCEPT_CARD", "membercard", `{"phone_number":"`+sealedPhone()+`"}`).send(handler)
	// Output: 13800138000
}

// A metric for each delivery. Signature tests of the platform are refused, and no trouble.
func ExampleWithObserver() {
	handler, err := webhook.New(webhook.Merchant{APIv3Key: apiv3Key, Keys: exampleKeys()},
		webhook.WithObserver(func(_ context.Context, o webhook.Observation) {
			fmt.Println(o.Status, o.Failure, o.Probe)
		}))
	if err != nil {
		fmt.Println(err)
		return
	}
	n := event("TRANSACTION.SUCCESS", "transaction", examplePayment)
	n.alter = func(h http.Header) { h.Set("Wechatpay-Signature", "WECHATPAY/SIGNTEST/aGVsbG8=") }
	n.send(handler)
	fmt.Println(handler.Probes())
	// Output:
	// 401 probe true
	// 1
}
