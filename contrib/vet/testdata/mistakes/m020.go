package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m020: a combined order has total in place of total_amount.
// report https://github.com/wechatpay-apiv3/wechatpay-guzzle-middleware/issues/26
// want wxbody
func m020(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/combine-transactions/jsapi").Post(ctx, wxpay.JSON{
		"combine_appid":        appid,
		"combine_mchid":        mchid,
		"combine_out_trade_no": o.Number,
		"combine_payer_info":   wxpay.JSON{"openid": o.OpenID},
		"notify_url":           notify,
		"sub_orders":           []wxpay.JSON{{"mchid": mchid, "attach": "shop", "out_trade_no": o.Number + "-1", "description": o.Title, "amount": wxpay.JSON{"total": o.Total, "currency": "CNY"}}},
	})
	return err
}
