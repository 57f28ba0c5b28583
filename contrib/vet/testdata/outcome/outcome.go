// Package outcome looks at the errors of refunds, or does not.
package outcome

import (
	"context"
	"errors"
	"log"

	"github.com/wxpay-go/wxpay"
)

var client *wxpay.Client

const refunds = "v3/refund/domestic/refunds"

func returned(ctx context.Context, refund wxpay.JSON) error {
	_, err := client.Chain(refunds).Post(ctx, refund)
	if err != nil {
		return err
	}
	return nil
}

func named(ctx context.Context, refund wxpay.JSON) (err error) {
	_, err = client.Chain(refunds).Post(ctx, refund)
	if err != nil {
		return
	}
	return
}

func asked(ctx context.Context, refund wxpay.JSON) {
	_, err := client.Chain(refunds).Post(ctx, refund)
	if err != nil && errors.Is(err, wxpay.ErrOutcomeUnknown) {
		log.Print(err)
	}
}

func harmless(ctx context.Context, number string) {
	client.Chain("v3/certificates").Get(ctx)
	_, err := client.Chain("v3/pay/transactions/out-trade-no/{out_trade_no}/close", number).Post(ctx, wxpay.JSON{"mchid": number})
	if err != nil {
		log.Print(err)
	}
}

func dropped(ctx context.Context, refund wxpay.JSON) {
	client.Chain(refunds).Post(ctx, refund)           // want `the error of /v3/refund/domestic/refunds is dropped`
	_, _ = client.Chain(refunds).Post(ctx, refund)    // want `the error of /v3/refund/domestic/refunds is dropped`
	res, _ := client.Chain(refunds).Post(ctx, refund) // want `the error of /v3/refund/domestic/refunds is dropped`
	_ = res
}

func failed(ctx context.Context, refund wxpay.JSON, mark func(string)) {
	_, err := client.Chain(refunds).Post(ctx, refund) // want `is only compared with nil`
	if err != nil {
		log.Printf("refund: %v", err)
		mark("FAILED")
		return
	}
	mark("DONE")
}

func condition(ctx context.Context, refund wxpay.JSON) bool {
	if _, err := client.Chain(refunds).Post(ctx, refund); err != nil { // want `is only compared with nil`
		return false
	}
	return true
}
