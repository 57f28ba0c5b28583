// Package ignore silences lines.
package ignore

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

func silent(ctx context.Context, client *wxpay.Client) {
	client.Chain("v3/new/thing").Get(ctx) //wxpayvet:ignore opened to us alone
	//wxpayvet:ignore opened to us alone
	client.Chain("v3/new/thing").Get(ctx)
	//wxpayvet:ignore // want `needs a reason`
	client.Chain("v3/certificates").Get(ctx)
}
