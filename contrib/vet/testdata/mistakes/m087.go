package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m087: a code for too many calls is misspelt.
// want wxcode
func m087(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/certificates").Get(ctx)
	if wxpay.IsCode(err, "FREQUENCY_LIMIT", "FREQUENCY_LIMITTED") {
		return o.set("later")
	}
	return err
}
