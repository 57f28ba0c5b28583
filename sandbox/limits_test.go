package sandbox

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
)

// Sources of limits. Pages are at https://pay.weixin.qq.com/doc/v3/merchant/ unless they say more.
const (
	seenBytes      = "a refusal that counts bytes was seen: 字节数 35，大于最大值 32"
	seenAttach     = "a refusal was seen: 字节数 203，大于最大值 128"
	seenCharacters = "a refusal was seen: 字符数 0，小于最小值 1"
	refundPage     = "4012791862: at most 64 bytes for the number, 80 bytes for the reason"
	orderPage      = "4012791856: at most 127 characters; string(256) for the address"
	scorePage      = "4012587905: at most 50 characters; 4012587900: an error above 20 and 256 characters"
	transferPage   = "4012716434: at most 32 characters"
	complaintPage  = "4012467254 has 200 characters, v3/partner/4012467213 has 500: the wider one"
	sharePage      = "4012528995: at most 10 characters"
	unsaid         = "its page gives a length without a unit, which is taken as bytes"
)

// limit is a row of TestLimits: what is counted, and who says so.
type limit struct {
	place    string
	min, max int
	unit     string // bytes or characters
	source   string
}

// limits are those of every flow, by the operations that share them.
var limits = []struct {
	operations string // methods and paths; a * is any one segment
	rows       []limit
}{
	{"POST /v3/pay/transactions/*, POST /v3/pay/partner/transactions/*", []limit{
		{"/appid", 1, 32, "bytes", unsaid}, {"/mchid", 1, 32, "bytes", unsaid},
		{"/sp_appid", 1, 32, "bytes", unsaid}, {"/sp_mchid", 1, 32, "bytes", unsaid},
		{"/sub_appid", 0, 32, "bytes", unsaid}, {"/sub_mchid", 1, 32, "bytes", unsaid},
		{"/description", 1, 127, "characters", orderPage}, {"/attach", 0, 128, "bytes", seenAttach},
		{"/out_trade_no", 6, 32, "bytes", seenBytes}, {"/notify_url", 1, 256, "bytes", orderPage},
		{"/goods_tag", 0, 32, "bytes", unsaid}, {"/payer/openid", 1, 128, "bytes", unsaid},
		{"/payer/sp_openid", 0, 128, "bytes", unsaid}, {"/payer/sub_openid", 0, 128, "bytes", unsaid},
	}},
	{"GET /v3/pay/transactions/out-trade-no/*, GET /v3/pay/partner/transactions/out-trade-no/*", []limit{
		{"out_trade_no", 6, 32, "bytes", seenBytes},
	}},
	{"POST /v3/pay/transactions/out-trade-no/*/close, POST /v3/pay/partner/transactions/out-trade-no/*/close, " +
		"POST /v3/pay/transactions/out-trade-no/*/reverse, POST /v3/pay/partner/transactions/out-trade-no/*/reverse", []limit{
		{"out_trade_no", 6, 32, "bytes", seenBytes},
	}},
	{"GET /v3/pay/transactions/id/*, GET /v3/pay/partner/transactions/id/*", []limit{
		{"transaction_id", 1, 32, "bytes", unsaid},
	}},
	{"POST /v3/combine-transactions/*", []limit{
		{"/combine_appid", 1, 32, "bytes", unsaid}, {"/combine_out_trade_no", 2, 32, "bytes", seenBytes},
		{"/notify_url", 1, 256, "bytes", orderPage}, {"/sub_orders/out_trade_no", 6, 32, "bytes", seenBytes},
		{"/sub_orders/attach", 0, 128, "bytes", seenAttach}, {"/sub_orders/description", 1, 127, "characters", orderPage},
	}},
	{"GET /v3/combine-transactions/out-trade-no/*, POST /v3/combine-transactions/out-trade-no/*/close", []limit{
		{"combine_out_trade_no", 2, 32, "bytes", seenBytes},
	}},
	{"POST /v3/refund/domestic/refunds", []limit{
		{"/transaction_id", 0, 32, "bytes", unsaid}, {"/out_trade_no", 0, 32, "bytes", seenBytes},
		{"/out_refund_no", 1, 64, "bytes", refundPage}, {"/reason", 0, 80, "bytes", refundPage},
		{"/notify_url", 0, 256, "bytes", unsaid},
	}},
	{"GET /v3/refund/domestic/refunds/*", []limit{{"out_refund_no", 1, 64, "bytes", refundPage}}},
	{"POST /v3/refund/domestic/refunds/*/apply-abnormal-refund", []limit{{"/out_refund_no", 1, 64, "bytes", refundPage}}},
	{"POST /v3/ecommerce/refunds/apply", []limit{
		{"/transaction_id", 0, 32, "bytes", unsaid}, {"/out_trade_no", 0, 32, "bytes", seenBytes},
		{"/out_refund_no", 1, 64, "bytes", refundPage}, {"/reason", 0, 80, "bytes", refundPage},
		{"/notify_url", 0, 256, "bytes", unsaid},
	}},
	{"GET /v3/ecommerce/refunds/out-refund-no/*", []limit{{"out_refund_no", 1, 64, "bytes", refundPage}}},
	{"POST /v3/ecommerce/refunds/*/apply-abnormal-refund", []limit{{"/out_refund_no", 1, 64, "bytes", refundPage}}},
	{"POST /v3/profitsharing/receivers/*", []limit{
		{"/appid", 1, 32, "bytes", unsaid}, {"/account", 1, 64, "characters", seenCharacters},
		{"/name", 0, 1024, "bytes", unsaid}, {"/custom_relation", 0, 10, "characters", sharePage},
	}},
	{"POST /v3/profitsharing/orders, POST /v3/profitsharing/orders/unfreeze", []limit{
		{"/out_order_no", 1, 64, "bytes", unsaid}, {"/transaction_id", 1, 32, "bytes", unsaid},
		{"/description", 1, 80, "bytes", unsaid}, {"/receivers/account", 1, 64, "characters", seenCharacters},
		{"/receivers/description", 1, 80, "bytes", unsaid},
	}},
	{"GET /v3/profitsharing/orders/*", []limit{{"out_order_no", 1, 64, "bytes", unsaid}}},
	{"GET /v3/profitsharing/return-orders/*", []limit{{"out_return_no", 1, 64, "bytes", unsaid}}},
	{"POST /v3/profitsharing/return-orders", []limit{
		{"/out_order_no", 0, 64, "bytes", unsaid}, {"/order_id", 0, 64, "bytes", unsaid},
		{"/out_return_no", 1, 64, "bytes", unsaid}, {"/return_mchid", 1, 32, "bytes", unsaid},
		{"/description", 1, 80, "bytes", unsaid},
	}},
	{"POST /v3/ecommerce/profitsharing/receivers/*", []limit{
		{"/appid", 1, 32, "bytes", unsaid}, {"/account", 1, 64, "characters", seenCharacters}, {"/name", 0, 256, "bytes", unsaid},
	}},
	{"POST /v3/ecommerce/profitsharing/orders, POST /v3/ecommerce/profitsharing/finish-order", []limit{
		{"/out_order_no", 1, 64, "bytes", unsaid}, {"/transaction_id", 1, 32, "bytes", unsaid},
		{"/description", 1, 80, "bytes", unsaid}, {"/receivers/receiver_account", 1, 64, "characters", seenCharacters},
		{"/receivers/description", 1, 80, "bytes", unsaid}, {"/notify_url", 0, 256, "bytes", unsaid},
	}},
	{"GET /v3/ecommerce/profitsharing/orders", []limit{{"out_order_no", 1, 64, "bytes", unsaid}}},
	{"GET /v3/ecommerce/profitsharing/returnorders", []limit{{"out_return_no", 1, 64, "bytes", unsaid}}},
	{"POST /v3/ecommerce/profitsharing/returnorders", []limit{
		{"/out_order_no", 0, 64, "bytes", unsaid}, {"/order_id", 0, 64, "bytes", unsaid},
		{"/out_return_no", 1, 64, "bytes", unsaid}, {"/return_mchid", 1, 32, "bytes", unsaid},
		{"/description", 1, 80, "bytes", unsaid}, {"/transaction_id", 0, 32, "bytes", unsaid},
	}},
	{"POST /v3/papay/pay/transactions/apply", []limit{
		{"/out_trade_no", 6, 32, "bytes", seenBytes}, {"/description", 1, 127, "characters", orderPage},
		{"/attach", 0, 128, "bytes", seenAttach}, {"/transaction_notify_url", 1, 256, "bytes", orderPage},
	}},
	{"POST /v3/marketing/favor/coupon-stocks", []limit{
		{"/out_request_no", 1, 128, "bytes", unsaid}, {"/belong_merchant", 1, 20, "bytes", unsaid},
	}},
	{"POST /v3/marketing/favor/users/*/coupons", []limit{
		{"openid", 1, 128, "bytes", unsaid}, {"/stock_id", 1, 20, "bytes", unsaid},
		{"/out_request_no", 1, 128, "bytes", unsaid}, {"/appid", 1, 128, "bytes", unsaid},
	}},
	{"POST /v3/marketing/favor/callbacks", []limit{
		{"/mchid", 1, 20, "bytes", unsaid}, {"/notify_url", 1, 256, "bytes", unsaid},
	}},
	{"POST /v3/payscore/serviceorder, POST /v3/payscore/partner/serviceorder", []limit{
		{"/out_order_no", 1, 32, "bytes", seenBytes}, {"/service_introduction", 1, 20, "characters", scorePage},
		{"/attach", 0, 256, "characters", scorePage},
	}},
	{"POST /v3/payscore/serviceorder/*/*, POST /v3/payscore/partner/serviceorder/*/*", []limit{
		{"out_order_no", 1, 32, "bytes", seenBytes}, {"/reason", 1, 50, "characters", scorePage},
	}},
	{"POST /v3/fund-app/mch-transfer/transfer-bills", []limit{
		{"/appid", 1, 32, "bytes", unsaid}, {"/out_bill_no", 1, 32, "bytes", unsaid}, {"/openid", 1, 64, "bytes", unsaid},
		{"/transfer_remark", 1, 32, "characters", transferPage}, {"/notify_url", 0, 256, "bytes", unsaid},
	}},
	{"GET /v3/fund-app/mch-transfer/transfer-bills/out-bill-no/*, " +
		"POST /v3/fund-app/mch-transfer/transfer-bills/out-bill-no/*/cancel", []limit{{"out_bill_no", 1, 32, "bytes", unsaid}}},
	{"GET /v3/fund-app/mch-transfer/transfer-bills/transfer-bill-no/*", []limit{{"transfer_bill_no", 1, 64, "bytes", unsaid}}},
	{"POST /v3/fund-app/mch-transfer/elecsign/*", []limit{
		{"/out_bill_no", 1, 32, "bytes", unsaid}, {"/transfer_bill_no", 1, 64, "bytes", unsaid},
	}},
	{"POST /v3/brand/partner/card-member/user-feeds, POST /brand/card-member/user-feeds", []limit{
		{"/out_request_no", 1, 64, "bytes", unsaid}, {"/cell", 1, 128, "bytes", unsaid},
	}},
	{"POST /v3/brand/partner/card-member/user-points/sync, POST /brand/card-member/user-points/sync", []limit{
		{"/out_request_no", 1, 64, "bytes", unsaid},
	}},
	{"POST /v3/merchant-service/complaints-v2/*/response", []limit{
		{"/response_content", 1, 500, "characters", complaintPage},
	}},
	{"POST /v3/merchant-service/complaint-notifications, PUT /v3/merchant-service/complaint-notifications", []limit{
		{"/url", 1, 255, "bytes", unsaid},
	}},
}

// TestLimits holds the limit of every text field of every flow against its row, and each row against
// texts at its bounds and beyond.
func TestLimits(t *testing.T) {
	s, err := New(WithKeyMode(PublicKeyOnly))
	require.NoError(t, err)
	defer s.Close()
	left := make(map[string]gate.Limit)
	for o := range s.merchant.Served() {
		for place, l := range o.Limits {
			left[o.Method+" "+o.Path+" "+place] = l
		}
	}
	require.NotEmpty(t, left)
	for _, group := range limits {
		for _, row := range group.rows {
			require.NotEmpty(t, row.source)
			served := 0
			for _, pattern := range strings.Split(group.operations, ", ") {
				for _, name := range slices.Sorted(maps.Keys(left)) {
					method, rest, _ := strings.Cut(name, " ")
					path, place, _ := strings.Cut(rest, " ")
					if place != row.place || !sameShape(pattern, method+" "+path) {
						continue
					}
					served++
					checkLimit(t, name, row, left[name])
					delete(left, name)
				}
			}
			assert.NotZero(t, served, "%s %s", group.operations, row.place)
		}
	}
	assert.Empty(t, slices.Sorted(maps.Keys(left)), "limits without a row")
}

func sameShape(pattern, operation string) bool {
	want, have := strings.Split(pattern, "/"), strings.Split(operation, "/")
	return slices.EqualFunc(want, have, func(want, have string) bool { return want == have || want == "*" })
}

func checkLimit(t *testing.T, name string, row limit, l gate.Limit) {
	l.Charset = ""
	long := map[string]string{"bytes": strings.Repeat("字", row.max/3+1), "characters": strings.Repeat("字", row.max+1)}[row.unit]
	full := map[string]string{"bytes": strings.Repeat("字", row.max/3), "characters": strings.Repeat("字", row.max)}[row.unit]
	for text, good := range map[string]bool{
		strings.Repeat("a", row.max): true, strings.Repeat("a", row.max+1): false, full: true, long: false,
		strings.Repeat("a", row.min): true,
	} {
		assert.Equal(t, good, l.Check(text) == nil, "%s: %s of %d bytes", name, row.unit, len(text))
	}
	if row.min > 0 {
		issue := l.Check(strings.Repeat("a", row.min-1))
		if assert.NotNil(t, issue, name) {
			assert.Contains(t, issue.EN, fmt.Sprintf("%d %s, at least %d", row.min-1, row.unit, row.min), name)
		}
	}
}
