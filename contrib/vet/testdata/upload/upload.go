// Package upload sends files.
package upload

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

func send(ctx context.Context, client *wxpay.Client, name string) {
	client.Chain("v3/merchant/media/upload").Upload(ctx, wxpay.FileAt(name))
	client.Chain("v3/merchant/media/upload").Upload(ctx, wxpay.FileAt("shop.PNG"))
	client.Chain("v3/merchant/media/upload").Post(ctx, wxpay.JSON{"file": name})               // want `takes a file: call Upload`
	client.Chain("v3/merchant/media/upload").Upload(ctx, wxpay.FileAt("shop.gif"))             // want `with the suffixes .* only, not gif`
	client.Chain("v3/pay/transactions/native").Upload(ctx, wxpay.FileAt(name))                 // want `takes a JSON body, and no file`
	client.Chain("v3/merchant/media/upload").UploadAsync(ctx, wxpay.FileFrom("a.txt", nil, 1)) // want `with the suffixes .* only, not txt`
}
