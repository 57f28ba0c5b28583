package webhook_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/webhook"
)

func TestPayment(t *testing.T) {
	const (
		direct  = `{"mchid":"1","appid":"wx1","out_trade_no":"A","trade_state":"SUCCESS","amount":{"total":100,"payer_total":90,"currency":"CNY"}}`
		partner = `{"sp_mchid":"1","sub_mchid":"2","sp_appid":"wx1","sub_appid":"wx2","out_trade_no":"A","trade_state":"SUCCESS",` +
			`"amount":{"total":100,"currency":"CNY"}}`
		parking = `{"sp_mchid":"1","sub_mchid":"2","appid":"wx1","out_trade_no":"A","trade_state":"SUCCESS","amount":{"total":100}}`
		joined  = `{"combine_mchid":"9","combine_appid":"wx1","sub_orders":[` +
			`{"mchid":"1","out_trade_no":"A","trade_state":"SUCCESS","amount":{"total_amount":100,"currency":"CNY"}},` +
			`{"mchid":"1","sub_mchid":"2","out_trade_no":"B","trade_state":"NOTPAY","amount":{"total_amount":7,"currency":"CNY"}},` +
			`{"mchid":"1","sub_mchid":"2","out_trade_no":"C","trade_state":"SUCCESS","amount":{"total_amount":7,"currency":"HKD"}},` +
			`{"mchid":"1","sub_mchid":"3","out_trade_no":"C","trade_state":"SUCCESS","amount":{"total_amount":8,"currency":"CNY"}}]}`
	)
	type P = webhook.Payment
	for _, test := range []struct {
		name     string
		resource string
		want     P
		member   string // that differs; empty if none
		err      error
	}{
		{"direct", direct, P{MchID: "1", AppID: "wx1", OutTradeNo: "A", Total: 100}, "", nil},
		{"only what is required", direct, P{MchID: "1", Total: 100, Currency: "CNY"}, "", nil},
		{"another merchant", direct, P{MchID: "2", Total: 100}, "mchid", nil},
		{"another appid", direct, P{MchID: "1", AppID: "wx2", Total: 100}, "appid", nil},
		{"another order", direct, P{MchID: "1", OutTradeNo: "B", Total: 100}, "out_trade_no", nil},
		{"a fen less", direct, P{MchID: "1", Total: 101}, "amount.total", nil},
		{"a fen more", direct, P{MchID: "1", Total: 99}, "amount.total", nil},
		{"what the user paid", direct, P{MchID: "1", Total: 90}, "amount.total", nil},
		{"another currency", direct, P{MchID: "1", Total: 100, Currency: "HKD"}, "amount.currency", nil},
		{"a sub-merchant that is not there", direct, P{MchID: "1", SubMchID: "2", Total: 100}, "sub_mchid", nil},
		{"partner", partner, P{MchID: "1", SubMchID: "2", AppID: "wx1", Total: 100}, "", nil},
		{"partner, another sub-merchant", partner, P{MchID: "1", SubMchID: "3", Total: 100}, "sub_mchid", nil},
		{"partner, sub-merchant forgotten", partner, P{MchID: "1", Total: 100}, "sub_mchid", nil},
		{"partner, another provider", partner, P{MchID: "3", SubMchID: "2", Total: 100}, "sp_mchid", nil},
		{"partner, appid of the sub-merchant", partner, P{MchID: "1", SubMchID: "2", AppID: "wx2", Total: 100}, "sp_appid", nil},
		{"parking", parking, P{MchID: "1", SubMchID: "2", AppID: "wx1", Total: 100}, "", nil},
		{"parking, another appid", parking, P{MchID: "1", SubMchID: "2", AppID: "wx2", Total: 100}, "appid", nil},
		{"combined", joined, P{MchID: "1", AppID: "wx1", OutTradeNo: "A", Total: 100}, "", nil},
		{"combined, not this one", joined, P{MchID: "1", SubMchID: "2", OutTradeNo: "B", Total: 7}, "", webhook.ErrNotPaid},
		{"combined, no such order", joined, P{MchID: "1", OutTradeNo: "D", Total: 7}, "sub_orders.out_trade_no", nil},
		{"combined, the second of that number", joined, P{MchID: "1", SubMchID: "3", OutTradeNo: "C", Total: 8}, "", nil},
		{"combined, another amount", joined, P{MchID: "1", OutTradeNo: "A", Total: 7}, "sub_orders.amount.total_amount", nil},
		{"combined, another merchant", joined, P{MchID: "9", OutTradeNo: "A", Total: 100}, "sub_orders.mchid", nil},
		{"combined, sub-merchant forgotten", joined, P{MchID: "1", OutTradeNo: "C", Total: 7, Currency: "HKD"}, "sub_orders.sub_mchid", nil},
		{"combined, another appid", joined, P{MchID: "1", AppID: "wx9", OutTradeNo: "A", Total: 100}, "combine_appid", nil},
		{"combined, another currency", joined, P{MchID: "1", SubMchID: "2", OutTradeNo: "C", Total: 7}, "sub_orders.amount.currency", nil},
		{"state refund", `{"mchid":"1","trade_state":"REFUND","amount":{"total":100}}`, P{MchID: "1", Total: 100}, "", webhook.ErrNotPaid},
		{"no state", `{"mchid":"1","amount":{"total":100}}`, P{MchID: "1", Total: 100}, "", webhook.ErrNotPaid},
		{"amount as a text", `{"mchid":"1","trade_state":"SUCCESS","amount":{"total":"100"}}`, P{MchID: "1", Total: 100}, "amount.total", nil},
		{"amount with a fraction", `{"mchid":"1","trade_state":"SUCCESS","amount":{"total":100.9}}`, P{MchID: "1", Total: 100}, "amount.total", nil},
		{"no amount", `{"mchid":"1","trade_state":"SUCCESS"}`, P{MchID: "1", Total: 100}, "amount.total", nil},
		{"not JSON", `mchid=1`, P{MchID: "1", Total: 100}, "", webhook.ErrNotPaid},
	} {
		t.Run(test.name, func(t *testing.T) {
			header, body := event("TRANSACTION.SUCCESS", "transaction", test.resource).build()
			e, err := newHandler(t).Parse(t.Context(), header, body)
			require.NoError(t, err)
			err = test.want.Check(e)
			if test.member == "" {
				require.ErrorIs(t, err, test.err)
				return
			}
			var mismatch *webhook.MismatchError
			require.ErrorAs(t, err, &mismatch)
			assert.Equal(t, test.member, mismatch.Field)
			assert.NotEqual(t, mismatch.Want, mismatch.Got)
			assert.Contains(t, err.Error(), test.member)
		})
	}

	h := newHandler(t)
	header, body := event("TRANSACTION.SUCCESS", "transaction", joined).build()
	e, err := h.Parse(t.Context(), header, body)
	require.NoError(t, err)
	require.ErrorContains(t, P{MchID: "1", Total: 100}.Check(e), "needs OutTradeNo")

	for _, n := range []notification{
		event("TRANSACTION.SUCCESS", "profitsharing", direct), event("REFUND.SUCCESS", "refund", direct),
		event("PROFITSHARING.SUCCESS", "profitsharing", direct),
	} {
		header, body := n.build()
		e, err := h.Parse(t.Context(), header, body)
		require.NoError(t, err)
		require.ErrorIs(t, P{MchID: "1", Total: 100}.Check(e), webhook.ErrNotPayment)
		for _, incomplete := range []P{{}, {MchID: "1"}, {Total: 100}, {MchID: "1", Total: -1}} {
			require.ErrorContains(t, incomplete.Check(e), "needs MchID", fmt.Sprint(incomplete))
		}
	}
}
