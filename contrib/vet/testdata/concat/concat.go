// Package concat makes paths.
package concat

import (
	"context"
	"fmt"

	"github.com/wxpay-go/wxpay"
)

const root = "v3/pay/transactions"

func paths(ctx context.Context, client *wxpay.Client, number, product string) {
	client.Chain(root+"/native").Post(ctx, number)
	client.Chain("v3/pay/transactions/out-trade-no/{out_trade_no}", "A"+number).Get(ctx)
	client.Chain("v3").Chain(product).Get(ctx)
	client.Chain("v3/pay/transactions/"+product).Post(ctx, number) // it chooses between jsapi, native and others
	client.Chain(fmt.Sprintf("v3/bill/%s", product)).Get(ctx)
	client.Chain("v3/pay/transactions/out-trade-no/" + number).Get(ctx)                                    // want `as in Chain\("v3/pay/transactions/out-trade-no/\{out_trade_no\}", …\)`
	client.Chain(root+"/id/"+number).Query("mchid", "1900000109").Get(ctx)                                 // want `as in Chain`
	client.Chain(fmt.Sprintf("v3/pay/transactions/out-trade-no/%s/close", number)).Post(ctx, wxpay.JSON{}) // want `as in Chain`
	client.Chain("v3/bill/tradebill?bill_date=" + number).Get(ctx)                                         // want `use Query`
	client.Chain("v3/new/thing-" + number).Get(ctx)                                                        // want `a value is put into the text of a path`
}
