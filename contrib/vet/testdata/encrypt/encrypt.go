// Package encrypt sends identities.
package encrypt

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

const transfer = "v3/fund-app/mch-transfer/transfer-bills"

type bill struct {
	Number string       `json:"out_bill_no"`
	Name   wxpay.Secret `json:"user_name"`
}

func right(ctx context.Context, merchant wxpay.Merchant, name string, client *wxpay.Client) {
	client.Chain(transfer).Ensure(ctx, wxpay.JSON{"user_name": name})
	off, _ := wxpay.New(merchant, wxpay.WithCatalog(nil))
	off.Chain(transfer).Ensure(ctx, wxpay.JSON{"user_name": wxpay.Secret(name)})
	off.Chain(transfer).Encrypt("/user_name").Ensure(ctx, wxpay.JSON{"user_name": name})
	off.Chain(transfer).Ensure(ctx, bill{Name: wxpay.Secret(name)})
}

func wrong(ctx context.Context, merchant wxpay.Merchant, name string) {
	off, _ := wxpay.New(merchant, wxpay.WithCatalog(nil))
	off.Chain(transfer).Ensure(ctx, wxpay.JSON{"user_name": name}) // want `user_name .* travels in clear`
	off.Chain("v3/transfer/batches").Post(ctx, wxpay.JSON{
		"transfer_detail_list": []wxpay.JSON{{"user_name": name}}, // want `user_name .* travels in clear`
	})
}
