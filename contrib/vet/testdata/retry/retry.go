// Package retry repeats calls.
package retry

import (
	"context"
	"errors"
	"fmt"
	"math/rand"
	"time"

	"github.com/wxpay-go/wxpay"
)

var errGaveUp = errors.New("gave up")

func number() string { return fmt.Sprint("R", time.Now().UnixNano()) }

func right(ctx context.Context, client *wxpay.Client, amount wxpay.JSON, orders []string) error {
	once := number()
	for range 3 {
		if _, err := client.Chain("v3/refund/domestic/refunds").Post(ctx, wxpay.JSON{"out_refund_no": once, "amount": amount}); err == nil {
			return nil
		}
	}
	for _, order := range orders {
		if _, err := client.Chain("v3/refund/domestic/refunds").Post(ctx, wxpay.JSON{"out_trade_no": order, "out_refund_no": number(), "amount": amount}); err != nil {
			return err
		}
	}
	for i := range 3 {
		if _, err := client.Chain("v3/refund/domestic/refunds").Post(ctx, wxpay.JSON{"out_refund_no": number(), "out_trade_no": orders[i], "amount": amount}); err != nil {
			return err
		}
	}
	return errGaveUp
}

func wrong(ctx context.Context, client *wxpay.Client, amount wxpay.JSON, order string) error {
	for range 3 {
		if _, err := client.Chain("v3/refund/domestic/refunds").Post(ctx, wxpay.JSON{"out_trade_no": order, "out_refund_no": number(), "amount": amount}); err == nil { // want `out_refund_no is another one for each attempt`
			return nil
		}
	}
	for attempt := 0; attempt < 3; attempt++ {
		no := fmt.Sprintf("R%d", rand.Int63())
		_, err := client.Chain("v3/fund-app/mch-transfer/transfer-bills").Post(ctx, wxpay.JSON{"out_bill_no": no}) // want `out_bill_no is another one for each attempt`
		if err == nil {
			break
		}
		time.Sleep(time.Second)
	}
	for {
		body := wxpay.JSON{"out_trade_no": order, "amount": amount, "out_refund_no": number()} // want `out_refund_no is another one for each attempt`
		_, err := client.Chain("v3/refund/domestic/refunds").Post(ctx, body)
		if err != nil {
			continue
		}
		return nil
	}
}
