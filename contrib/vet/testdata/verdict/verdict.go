// Package verdict looks at verdicts, or does not.
package verdict

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

func refund(ctx context.Context, client *wxpay.Client, body wxpay.JSON) error {
	chain := client.Chain("v3/refund/domestic/refunds")
	verdict, err := chain.Ensure(ctx, body)
	if err != nil || verdict.State != wxpay.Succeeded {
		return err
	}
	chain.Ensure(ctx, body)                                         // want `the verdict is ignored`
	if _, err := chain.UntilFinal().Ensure(ctx, body); err != nil { // want `the verdict is ignored`
		return err
	}
	_, err = chain.Ensure(ctx, body) // want `the verdict is ignored`
	return err
}
