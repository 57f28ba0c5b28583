package demo

import (
	"context"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/api"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

// style is one way to write the call.
type style struct {
	name   string
	async  bool
	source string // the line of Go; a test compares it with call
	call   func(ctx context.Context, client *wxpay.Client, feed wxpay.JSON) (*wxpay.Response, error)
}

var styles = []style{
	{shell.Text("declarative"), false, `client.Chain("v3/brand/partner/card-member/user-feeds").Post(ctx, feed)`,
		func(ctx context.Context, client *wxpay.Client, feed wxpay.JSON) (*wxpay.Response, error) {
			return client.Chain("v3/brand/partner/card-member/user-feeds").Post(ctx, feed)
		}},
	{shell.Text("declarative"), true, `client.Chain("v3/brand/partner/card-member/user-feeds").PostAsync(ctx, feed).Wait(ctx)`,
		func(ctx context.Context, client *wxpay.Client, feed wxpay.JSON) (*wxpay.Response, error) {
			return client.Chain("v3/brand/partner/card-member/user-feeds").PostAsync(ctx, feed).Wait(ctx)
		}},
	{shell.Text("attribute"), false, `client.At("v3", "brand", "partner", "cardMember", "userFeeds").Post(ctx, feed)`,
		func(ctx context.Context, client *wxpay.Client, feed wxpay.JSON) (*wxpay.Response, error) {
			return client.At("v3", "brand", "partner", "cardMember", "userFeeds").Post(ctx, feed)
		}},
	{shell.Text("attribute"), true, `client.At("v3", "brand", "partner", "cardMember", "userFeeds").PostAsync(ctx, feed).Wait(ctx)`,
		func(ctx context.Context, client *wxpay.Client, feed wxpay.JSON) (*wxpay.Response, error) {
			return client.At("v3", "brand", "partner", "cardMember", "userFeeds").PostAsync(ctx, feed).Wait(ctx)
		}},
	{shell.Text("pure chain"), false, `api.V3(client).Brand().Partner().CardMember().UserFeeds().Post(ctx, feed)`,
		func(ctx context.Context, client *wxpay.Client, feed wxpay.JSON) (*wxpay.Response, error) {
			return api.V3(client).Brand().Partner().CardMember().UserFeeds().Post(ctx, feed)
		}},
	{shell.Text("pure chain"), true, `api.V3(client).Brand().Partner().CardMember().UserFeeds().PostAsync(ctx, feed).Wait(ctx)`,
		func(ctx context.Context, client *wxpay.Client, feed wxpay.JSON) (*wxpay.Response, error) {
			return api.V3(client).Brand().Partner().CardMember().UserFeeds().PostAsync(ctx, feed).Wait(ctx)
		}},
}

// memberFeed returns the body of the call, with the values of the documentation's sample: the activity of a card member in
// another payment channel (https://pay.weixin.qq.com/doc/v3/partner/4015336987).
func memberFeed() wxpay.JSON {
	return wxpay.JSON{
		"brand_id":       "1004",
		"card_id":        "pbLatjvWOibDc5-TBnbUk1pD12o0",
		"user_card_code": "478515832665",
		"openid":         "obLatjnx9gnqzS4myYGmLZ7LgLBA",
		"out_request_no": "100002322019090134234sfdf",
		"cell_message":   "15_1200_1",
	}
}
