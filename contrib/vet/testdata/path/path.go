// Package path has paths with mistakes and without.
package path

import (
	"context"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/api"
)

const query = "v3/pay/transactions/out-trade-no/{out_trade_no}"

type service struct{ client *wxpay.Client }

func (s *service) order(number string) wxpay.Chain { return s.client.Chain(query, number) }

func right(ctx context.Context, client *wxpay.Client, s *service, number, anywhere string) {
	client.Chain("v3/pay/transactions/native").Post(ctx, anywhere)
	client.Chain(query, number).Get(ctx)
	client.Chain(query).Var("out_trade_no", number).Get(ctx)
	client.Chain(query).Vars(map[string]any{"out_trade_no": number}).Get(ctx)
	client.Chain(query, number).Chain("close").Post(ctx, wxpay.JSON{"mchid": number})
	client.At("v3", "pay", "transactions", "outTradeNo", "_out_trade_no_").Var("out_trade_no", number).Get(ctx)
	client.Chain("v3/pay/transactions/{kind}", anywhere).Post(ctx, nil)
	client.Chain("v3/bill/{kind}", anywhere).Get(ctx)
	client.Chain(anywhere).Get(ctx)
	client.At("v3", anywhere).Get(ctx)
	client.Chain("v3").Chain(anywhere).Get(ctx)
	s.order(number).Query("mchid", number).Get(ctx)
	api.V3(client).Pay().Transactions().OutTradeNo().OutTradeNo(number).Get(ctx)
	list := client.Chain(query)
	if number != "" {
		list = list.Var("out_trade_no", number)
	}
	list.Get(ctx)
	either := client.Chain("v3/certificates")
	if number != "" {
		either = client.Chain(anywhere)
	}
	either.Get(ctx)
}

func wrong(ctx context.Context, client *wxpay.Client, s *service, number string) {
	client.Chain("v3/pay/transactions/natvie").Post(ctx, nil)                                     // want `no operation POST /v3/pay/transactions/natvie; did you mean POST /v3/pay/transactions/native\? \(hint\)`
	client.Chain("v3/something/entirely/different").Get(ctx)                                      // want `no operation GET /v3/something/entirely/different \(hint\)`
	client.Chain("v3/certificates").Post(ctx, nil)                                                // want `documented with GET only, not POST`
	client.Chain("v3/refund/domestic/refunds").Put(ctx, number)                                   // want `documented with POST only, not PUT`
	client.Chain(query).Get(ctx)                                                                  // want `the placeholder \{out_trade_no\} of .* has no value`
	client.Chain(query).Var("out_trade", number).Get(ctx)                                         // want `has no value` `has no placeholder \{out_trade\}`
	client.Chain(query, number, number).Get(ctx)                                                  // want `the chain is refused`
	client.Chain("v3//certificates").Get(ctx)                                                     // want `the chain is refused: .*empty segment`
	client.Chain("v3/certificates?limit=1").Get(ctx)                                              // want `the chain is refused`
	client.At("v3", "pay", "transactions", "outTradeNo", "1217752501201407033233368018").Get(ctx) // want `the chain is refused`
	s.order(number).Chain("closed").Post(ctx, wxpay.JSON{"mchid": number})                        // want `no operation POST .*/closed; did you mean .*/close\?`
	client.Chain("v3/transfer/batches").Do(ctx, "GET", nil)                                       // want `documented with POST only, not GET`
	client.Chain("v3/marketing/favor/stock").Query("stock_creator_mchid", number).Get(ctx)        // want `no operation`
}
