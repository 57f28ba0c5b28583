// Shop is a small web shop that stays right about money on bad days: lost responses, repeated, forged and late
// notifications, a slow platform, keys that change. "wxpay checkup -- go run ./examples/shop" plays such days on it.
//
// It keeps its orders in memory; a real shop keeps them in a database, where each change under the mutex is a
// transaction. It sells one thing, needs the variables of wxpay.FromEnv and WXPAY_APIV3_KEY, and listens on PORT:
//
//	POST /orders                    {}                            orders a T-shirt: {"out_trade_no":…,"code_url":…}
//	GET  /orders/{number}                                         what the shop has booked: {"paid":100,"refunded":0}, fen
//	POST /orders/{number}/refunds   {"number":"R1","amount":30}   refunds so many fen; the same number is the same refund
//	POST /orders/{number}/cancel                                  gives the order up, unless it is paid
//	POST /notify                                                  for the platform
package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/webhook"
	"github.com/wxpay-go/wxpay/wxcode"
)

func main() {
	client, err := wxpay.FromEnv(wxpay.WithCertificates()) // and the public key, if the merchant has one
	if err != nil {
		log.Fatal(err)
	}
	s := &shop{wechat: client, appID: cmp.Or(os.Getenv("APPID"), "wxd678efh567hg6787"), orders: make(map[string]*order)}
	s.address = "127.0.0.1:" + cmp.Or(os.Getenv("PORT"), "8080")
	s.notified, err = webhook.New(webhook.Merchant{ID: client.MchID(), APIv3Key: os.Getenv("WXPAY_APIV3_KEY"), Keys: client})
	if err != nil {
		log.Fatal(err)
	}
	s.notified.On(webhook.TransactionSuccess, s.onPaid)
	for _, event := range []string{webhook.RefundSuccess, webhook.RefundClosed, webhook.RefundAbnormal} {
		s.notified.On(event, s.onRefund)
	}
	server := &http.Server{Addr: s.address, Handler: s.routes(), ReadHeaderTimeout: 10 * time.Second}
	log.Fatal(server.ListenAndServe())
}

// price is that of a T-shirt, in fen.
const price = 100

type shop struct {
	wechat   *wxpay.Client
	notified *webhook.Handler
	appID    string
	address  string

	mu     sync.Mutex
	orders map[string]*order // by out_trade_no
}

// order is what the shop has booked. Everything about a payment or a refund is set, never added up, so that hearing of it
// twice changes nothing.
type order struct {
	paid     bool
	canceled bool
	refunds  map[string]refund // by out_refund_no
}

type refund struct {
	amount int64 // fen
	status string
}

// Statuses of a refund that are final. Until then its money may still move.
const (
	refunded = "SUCCESS"
	closed   = "CLOSED"
)

func (s *shop) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /orders", respond(s.place))
	mux.HandleFunc("GET /orders/{number}", respond(s.book))
	mux.HandleFunc("POST /orders/{number}/refunds", respond(s.refund))
	mux.HandleFunc("POST /orders/{number}/cancel", respond(s.cancel))
	mux.Handle("POST /notify", s.notified)
	return mux
}

// status is an error with the HTTP status of its response.
type status struct {
	code int
	text string
}

func (s status) Error() string { return s.text }

var errNoOrder = status{http.StatusNotFound, "there is no such order"}

// respond serves a function. An error without a status is one of the platform: the caller may ask again.
func respond(serve func(r *http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		code, body := http.StatusOK, any(nil)
		result, err := serve(r)
		if body = result; err != nil {
			known := status{http.StatusServiceUnavailable, "ask again later"}
			if !errors.As(err, &known) {
				log.Print(err)
			}
			code, body = known.code, map[string]string{"error": known.text}
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		_ = json.NewEncoder(w).Encode(body) // the caller may be gone
	}
}

// change changes an order under the mutex.
func (s *shop) change(number string, do func(*order) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.orders[number]
	if o == nil {
		return errNoOrder
	}
	return do(o)
}

func (s *shop) notifyURL() string { return "http://" + s.address + "/notify" }

// place places an order. The number is stored before the platform hears of it, since the notification may come first.
func (s *shop) place(r *http.Request) (any, error) {
	number := rand.Text()
	s.mu.Lock()
	s.orders[number] = &order{refunds: make(map[string]refund)}
	s.mu.Unlock()
	res, err := s.wechat.Chain("v3/pay/transactions/native").Post(r.Context(), wxpay.JSON{
		"appid": s.appID, "mchid": s.wechat.MchID(), "description": "T-shirt", "out_trade_no": number,
		"notify_url": s.notifyURL(), "amount": wxpay.JSON{"total": price},
	})
	if err != nil {
		return nil, err // the user has no code to pay this order with, and may order again
	}
	link, err := res.Text("code_url")
	return map[string]string{"out_trade_no": number, "code_url": link}, err
}

// book tells what is booked. It asks the platform first about everything that a late notification may still tell.
func (s *shop) book(r *http.Request) (any, error) {
	number := r.PathValue("number")
	if err := s.update(r.Context(), number); err != nil {
		return nil, err
	}
	var paid, back int64
	err := s.change(number, func(o *order) error {
		if o.paid {
			paid = price
		}
		for _, f := range o.refunds {
			if f.status == refunded {
				back += f.amount
			}
		}
		return nil
	})
	return map[string]int64{"paid": paid, "refunded": back}, err
}

// update asks the platform about what is open: an order that may be paid, and refunds under way.
func (s *shop) update(ctx context.Context, number string) error {
	var unpaid bool
	var pending []string
	err := s.change(number, func(o *order) error {
		unpaid = !o.paid && !o.canceled
		for id, f := range o.refunds {
			if f.status != refunded && f.status != closed {
				pending = append(pending, id)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if unpaid {
		if err := s.queryOrder(ctx, number); err != nil {
			return err
		}
	}
	for _, id := range pending {
		res, err := s.wechat.Chain("v3/refund/domestic/refunds/{out_refund_no}", id).Get(ctx)
		if wxpay.IsCode(err, wxcode.ResourceNotExists) {
			continue // its request has not arrived, or not yet
		}
		if err != nil {
			return err
		}
		if err := s.setRefund(number, id, res.Get("status").String()); err != nil {
			return err
		}
	}
	return nil
}

// queryOrder asks whether an order is paid.
func (s *shop) queryOrder(ctx context.Context, number string) error {
	res, err := s.wechat.Chain("v3/pay/transactions/out-trade-no/{out_trade_no}", number).
		Query("mchid", s.wechat.MchID()).Get(ctx)
	if err != nil || res.Get("trade_state").String() != "SUCCESS" {
		return err
	}
	if total, err := res.Fen("amount.total"); err != nil || total != price {
		return errors.Join(fmt.Errorf("order %s is paid with another amount", number), err)
	}
	return s.setPaid(number)
}

func (s *shop) setPaid(number string) error {
	return s.change(number, func(o *order) error {
		o.paid = true
		return nil
	})
}

func (s *shop) setRefund(number, id, status string) error {
	return s.change(number, func(o *order) error {
		f, known := o.refunds[id]
		if !known {
			return fmt.Errorf("there is no refund %s of order %s", id, number)
		}
		f.status = status
		o.refunds[id] = f
		return nil
	})
}

// onPaid books a payment, if it is that of the order.
func (s *shop) onPaid(_ context.Context, e *webhook.Event) error {
	number, err := e.Text("out_trade_no")
	if err != nil {
		return err
	}
	expected := webhook.Payment{MchID: s.wechat.MchID(), AppID: s.appID, OutTradeNo: number, Total: price}
	if err := expected.Check(e); err != nil {
		return err
	}
	return s.setPaid(number)
}

// onRefund books how a refund ended.
func (s *shop) onRefund(_ context.Context, e *webhook.Event) error {
	return s.setRefund(e.Get("out_trade_no").String(), e.Get("out_refund_no").String(), e.Get("refund_status").String())
}

// refund refunds a part of an order, once for each number of the caller.
func (s *shop) refund(r *http.Request) (any, error) {
	var wanted struct {
		Number string `json:"number"`
		Amount int64  `json:"amount"`
	}
	if err := json.NewDecoder(r.Body).Decode(&wanted); err != nil || wanted.Number == "" || wanted.Amount <= 0 {
		return nil, status{http.StatusBadRequest, "number or amount is missing"}
	}
	number := r.PathValue("number")
	id := number + "-" + wanted.Number
	err := s.change(number, func(o *order) error {
		sum := wanted.Amount
		for other, f := range o.refunds {
			if other == id && f.amount != wanted.Amount {
				return status{http.StatusConflict, "the number is that of another refund"}
			}
			if other != id && f.status != closed {
				sum += f.amount
			}
		}
		if !o.paid || sum > price {
			return status{http.StatusConflict, "so much was not paid"}
		}
		if _, known := o.refunds[id]; !known {
			o.refunds[id] = refund{amount: wanted.Amount} // before the platform hears of it
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	verdict, err := s.wechat.Chain("v3/refund/domestic/refunds").Ensure(r.Context(), wxpay.JSON{
		"out_trade_no": number, "out_refund_no": id, "notify_url": s.notifyURL(),
		"amount": wxpay.JSON{"refund": wanted.Amount, "total": price, "currency": "CNY"},
	})
	if err != nil {
		return nil, err // the refund stays under way: the next question about the order tells what became of it
	}
	return map[string]any{"state": verdict.State}, nil
}

// cancel gives an order up. Only the platform can say that nobody will pay it any more.
func (s *shop) cancel(r *http.Request) (any, error) {
	number := r.PathValue("number")
	if err := s.change(number, func(*order) error { return nil }); err != nil {
		return nil, err
	}
	_, err := s.wechat.Chain("v3/pay/transactions/out-trade-no/{out_trade_no}/close", number).
		Post(r.Context(), wxpay.JSON{"mchid": s.wechat.MchID()})
	if wxpay.IsCode(err, wxcode.OrderPaid) {
		if err := s.queryOrder(r.Context(), number); err != nil {
			return nil, err
		}
		return nil, status{http.StatusConflict, "the order is paid"}
	}
	if err != nil && !wxpay.IsCode(err, wxcode.OrderClosed) {
		return nil, err
	}
	return map[string]bool{"canceled": true}, s.change(number, func(o *order) error {
		o.canceled = true
		return nil
	})
}
