package mistakes

import (
	"context"
	"errors"

	"github.com/wxpay-go/wxpay"
)

// m086: an error code is compared with a misspelt one.
// want wxcode
func m086(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/pay/transactions/id/{transaction_id}", o.Transaction).Query("mchid", mchid).Get(ctx)
	var failed *wxpay.APIError
	if errors.As(err, &failed) && failed.Code == "RESOURCE_NOT_EXIST" {
		return o.set("none")
	}
	return err
}
