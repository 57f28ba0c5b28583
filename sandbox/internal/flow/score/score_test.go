package score_test

import (
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/sandbox/internal/flow/order"
	"github.com/wxpay-go/wxpay/sandbox/internal/flow/score"
	"github.com/wxpay-go/wxpay/sandbox/internal/sandboxtest"
)

const (
	orders  = "/v3/payscore/serviceorder"
	query   = orders + "?out_order_no=S-1&service_id=500001&appid=wx1"
	partner = "/v3/payscore/partner/serviceorder"
)

// bench is a merchant with the flow.
type bench struct {
	*sandboxtest.Bench
	flow   *score.Flow
	orders *order.Flow
	t      *testing.T
}

func newBench(t *testing.T) bench {
	t.Helper()
	b := sandboxtest.New(t)
	o := order.Open(b.Merchant)
	return bench{Bench: b, flow: score.Open(b.Merchant, o), orders: o, t: t}
}

// service is the body that makes an order.
func service(more map[string]any) map[string]any {
	body := map[string]any{
		"out_order_no": "S-1", "appid": "wx1", "service_id": "500001", "service_introduction": "充电宝",
		"notify_url": "https://merchant.example/score", "time_range": map[string]any{"start_time": "20250101200000"},
		"risk_fund": map[string]any{"name": "DEPOSIT", "amount": 9900},
	}
	maps.Copy(body, more)
	return body
}

// bill is the body that completes an order.
func bill(total int, more map[string]any) map[string]any {
	body := map[string]any{
		"appid": "wx1", "service_id": "500001", "total_amount": total,
		"post_payments":  []any{map[string]any{"name": "使用", "amount": total + 100}},
		"post_discounts": []any{map[string]any{"name": "会员", "description": "减", "amount": 100}},
		"time_range":     map[string]any{"end_time": "20250101210000"},
	}
	maps.Copy(body, more)
	return body
}

// modification is the body that changes the total.
func modification(total int) map[string]any {
	body := bill(total, map[string]any{"reason": "r"})
	delete(body, "time_range")
	return body
}

func cancellation(reason string) map[string]any {
	return map[string]any{"appid": "wx1", "service_id": "500001", "reason": reason}
}

// TestPaid follows an order until the user pays it. Each step survives a reload.
func TestPaid(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	made := b.Do("POST", orders, service(nil))
	b.Reload()
	assert.Equal(t, "CREATED", made["state"])
	assert.NotContains(t, made, "state_description", "only a DOING order has it")
	assert.NotEmpty(t, made["package"])
	assert.Equal(t, made, b.Do("POST", orders, service(nil)), "a repetition gets the same response")
	assert.Equal(t, "400 ALREADY_EXISTS", b.Rejected("POST", orders, service(map[string]any{"attach": "a"})))
	assert.Equal(t, "400 INVALID_REQUEST", b.Rejected("POST", orders+"/S-1/complete", bill(500, nil)), "nobody confirmed it")
	_, err := b.flow.PayServiceOrder("S-1")
	assert.ErrorContains(t, err, "nothing is to be paid, the order is CREATED")

	require.NoError(t, b.flow.ConfirmServiceOrder("S-1"))
	b.Reload()
	assert.ErrorContains(t, b.flow.ConfirmServiceOrder("S-1"), "does not wait for its user")
	notified := b.Notified("PAYSCORE.USER_CONFIRM")
	require.Len(t, notified, 1)
	assert.Equal(t, "DOING", notified[0]["state"])
	assert.Equal(t, "USER_CONFIRM", notified[0]["state_description"])
	told := b.Do("GET", query, nil)
	assert.Equal(t, "USER_CONFIRM", told["state_description"])
	assert.NotEmpty(t, told["openid"])
	assert.Equal(t, "400 INVALID_REQUEST", b.Rejected("POST", orders+"/S-1/pay", map[string]any{}), "it is not complete")

	done := b.Do("POST", orders+"/S-1/complete", bill(500, nil))
	b.Reload()
	assert.Equal(t, "MCH_COMPLETE", done["state_description"])
	assert.Equal(t, true, done["need_collection"])
	assert.Equal(t, map[string]any{"start_time": "20250101200000", "end_time": "20250101210000"}, done["time_range"])
	assert.Equal(t, done, b.Do("POST", orders+"/S-1/complete", bill(500, nil)), "a repetition gets the same response")
	assert.Equal(t, "400 INVALID_REQUEST", b.Rejected("POST", orders+"/S-1/complete", bill(400, nil)))

	changed := b.Do("POST", orders+"/S-1/modify", modification(300))
	b.Reload()
	late := b.Rejected("POST", orders+"/S-1/complete", bill(500, nil))
	assert.Equal(t, "400 INVALID_REQUEST", late, "a late repetition does not take the modification back")
	assert.EqualValues(t, 300, changed["total_amount"])
	assert.Equal(t, changed, b.Do("POST", orders+"/S-1/modify", modification(300)), "a repetition gets the same response")
	collection, _ := b.Do("GET", query, nil)["collection"].(map[string]any)
	assert.Equal(t, map[string]any{"state": "USER_PAYING", "total_amount": 300.0, "paying_amount": 300.0, "paid_amount": 0.0}, collection)
	b.Do("POST", orders+"/S-1/pay", map[string]any{"appid": "wx1", "service_id": "500001"})

	b.Pass(time.Hour)
	transaction, err := b.flow.PayServiceOrder("S-1")
	require.NoError(t, err)
	b.Reload()
	paid := b.Notified("PAYSCORE.USER_PAID")
	require.Len(t, paid, 1)
	assert.Equal(t, "DONE", paid[0]["state"])
	collection, _ = b.Do("GET", query, nil)["collection"].(map[string]any)
	assert.Equal(t, map[string]any{
		"state": "USER_PAID", "total_amount": 300.0, "paying_amount": 0.0, "paid_amount": 300.0, "details": []any{map[string]any{
			"seq": 1.0, "amount": 300.0, "paid_type": "NEWTON", "paid_time": "20250101210000", "transaction_id": transaction,
		}},
	}, collection)
	_, err = b.flow.PayServiceOrder("S-1")
	assert.ErrorContains(t, err, "nothing is to be paid")
	assert.Equal(t, "400 PARAM_ERROR", b.Rejected("POST", orders+"/S-1/cancel", cancellation("r")))
	assert.Equal(t, "400 INVALID_REQUEST", b.Rejected("POST", orders+"/S-1/modify", modification(200)))
	effects := b.Ledger.Effects("service")
	require.Len(t, effects, 1)
	assert.Equal(t, "DONE", effects[0].State)

	id, _ := made["order_id"].(string)
	payment, known := b.orders.Get(id)
	require.True(t, known, "the payment is an order of its own")
	assert.Equal(t, transaction, payment.Transaction)
	assert.EqualValues(t, 300, payment.Total)
	assert.Equal(t, "S-1", payment.Service)
}

func TestRejections(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.Do("POST", orders, service(nil))
	require.NoError(t, b.flow.ConfirmServiceOrder("S-1"))
	complete := orders + "/S-1/complete"
	other := func(more map[string]any) map[string]any {
		body := service(more)
		body["out_order_no"] = "S-3"
		return body
	}
	for name, test := range map[string]struct {
		method, target string
		body           any
		want           string
	}{
		"total that is not the sum": {"POST", complete, bill(500, map[string]any{"total_amount": 501}), "400 PARAM_ERROR"},
		"total above the deposit":   {"POST", complete, bill(9901, nil), "400 PARAM_ERROR"},
		"no end of the service":     {"POST", complete, bill(500, map[string]any{"time_range": map[string]any{}}), "400 PARAM_ERROR"},
		"another appid":             {"POST", complete, bill(500, map[string]any{"appid": "wx2"}), "400 PARAM_ERROR"},
		"another order":             {"GET", orders + "?out_order_no=S-2&service_id=500001&appid=wx1", nil, "404 RESOURCE_NOT_EXISTS"},
		"another service_id":        {"GET", orders + "?out_order_no=S-1&service_id=500002&appid=wx1", nil, "400 PARAM_ERROR"},
		"no number":                 {"GET", orders + "?service_id=500001&appid=wx1", nil, "400 PARAM_ERROR"},
		"two numbers":               {"GET", query + "&query_id=1", nil, "400 PARAM_ERROR"},
		"query_id":                  {"GET", orders + "?query_id=1&service_id=500001&appid=wx1", nil, "404 RESOURCE_NOT_EXISTS"},
		"nobody to confirm":         {"POST", orders, other(map[string]any{"need_user_confirm": false}), "400 PARAM_ERROR"},
		"deposit of 0 fen": {
			"POST", orders, other(map[string]any{"risk_fund": map[string]any{"name": "DEPOSIT", "amount": 0}}), "400 PARAM_ERROR",
		},
	} {
		assert.Equal(t, test.want, b.Rejected(test.method, test.target, test.body), name)
	}
	assert.ErrorContains(t, b.flow.ConfirmServiceOrder("S-2"), "no pay score order")
	assert.Len(t, b.Ledger.Effects(), 1, "a rejection has no effect")
	b.Do("POST", complete, bill(9900, nil))
}

// TestEnds ends orders in every way but a payment.
func TestEnds(t *testing.T) {
	t.Parallel()
	confirm := func(b bench) { require.NoError(b.t, b.flow.ConfirmServiceOrder("S-1")) }
	complete := func(total int) func(bench) {
		return func(b bench) {
			confirm(b)
			b.Do("POST", orders+"/S-1/complete", bill(total, nil))
		}
	}
	cancel := func(b bench) {
		b.Do("POST", orders+"/S-1/cancel", cancellation("r"))
		b.Reload()
		b.Do("POST", orders+"/S-1/cancel", cancellation("r"))
		assert.Equal(b.t, "400 PARAM_ERROR", b.Rejected("POST", orders+"/S-1/cancel", cancellation("other")))
		assert.Error(b.t, b.flow.ConfirmServiceOrder("S-1"))
	}
	sync := func(b bench) {
		body := map[string]any{
			"appid": "wx1", "service_id": "500001", "type": "Order_Paid", "detail": map[string]any{"paid_time": "20250102000000"},
		}
		first := b.Do("POST", orders+"/S-1/sync", body)
		b.Reload()
		collection, _ := first["collection"].(map[string]any)
		details, _ := collection["details"].([]any)
		require.Len(b.t, details, 1)
		assert.Equal(b.t, map[string]any{"seq": 1.0, "amount": 500.0, "paid_type": "MCH", "paid_time": "20250102000000"}, details[0])
		assert.Equal(b.t, first, b.Do("POST", orders+"/S-1/sync", body), "a repetition gets the same response")
		body["detail"] = map[string]any{"paid_time": "20250103000000"}
		assert.Equal(b.t, "400 INVALID_REQUEST", b.Rejected("POST", orders+"/S-1/sync", body))
		body["type"] = "Paid"
		assert.Equal(b.t, "400 PARAM_ERROR", b.Rejected("POST", orders+"/S-1/sync", body))
	}
	const life = 30 * 24 * time.Hour
	for name, test := range map[string]struct {
		make  map[string]any
		steps []func(bench)
		state string
	}{
		"cancelled when new":       {nil, []func(bench){cancel}, "REVOKED"},
		"cancelled when confirmed": {nil, []func(bench){confirm, cancel}, "REVOKED"},
		"cancelled when complete":  {nil, []func(bench){complete(500), cancel}, "REVOKED"},
		"over nothing":             {nil, []func(bench){complete(0)}, "DONE"},
		"paid otherwise":           {nil, []func(bench){complete(500), sync}, "DONE"},
		"not confirmed in time":    {nil, []func(bench){func(b bench) { b.Pass(life) }}, "EXPIRED"},
		"almost too late":          {nil, []func(bench){func(b bench) { b.Pass(life - 1) }}, "CREATED"},
		"confirmed, long ago":      {nil, []func(bench){confirm, func(b bench) { b.Pass(2 * life) }}, "DOING"},
		"without confirmation":     {map[string]any{"need_user_confirm": false, "openid": "user"}, nil, "DOING"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.Do("POST", orders, service(test.make))
			for _, step := range test.steps {
				step(b)
			}
			assert.Equal(t, test.state, b.Do("GET", query, nil)["state"])
		})
	}
}

// TestSubMerchant follows an order that a service provider makes.
func TestSubMerchant(t *testing.T) {
	t.Parallel()
	const sub = "1900000110"
	b := newBench(t)
	made := service(map[string]any{"sub_mchid": sub, "sub_openid": "user", "need_user_confirm": true})
	assert.Equal(t, "403 NO_AUTH", b.Rejected("POST", partner, made), "it is no sub-merchant of the provider")
	require.NoError(t, b.AddSub(sub))
	assert.Equal(t, sub, b.Do("POST", partner, made)["sub_mchid"])
	assert.Equal(t, "404 RESOURCE_NOT_EXISTS", b.Rejected("GET", query, nil), "it is no order of the provider's own")
	require.NoError(t, b.flow.ConfirmServiceOrder("S-1"))
	notified := b.Notified("PAYSCORE.USER_CONFIRM")
	require.Len(t, notified, 1)
	assert.Equal(t, "user", notified[0]["sub_openid"])

	complete := bill(500, map[string]any{"sub_mchid": sub})
	delete(complete, "appid")
	other := maps.Clone(complete)
	other["sub_mchid"] = "1900000111"
	assert.Equal(t, "400 PARAM_ERROR", b.Rejected("POST", partner+"/S-1/complete", other))
	assert.Nil(t, b.Do("POST", partner+"/S-1/complete", complete), "204")
	_, err := b.flow.PayServiceOrder("S-1")
	require.NoError(t, err)
	told := b.Do("GET", partner+"?out_order_no=S-1&service_id=500001&sub_mchid="+sub, nil)
	assert.Equal(t, "DONE", told["state"])
	assert.Equal(t, "user", told["sub_openid"])
	assert.NotContains(t, told, "openid")
	paid := b.Notified("PAYSCORE.USER_PAID")
	require.Len(t, paid, 1)
	assert.Equal(t, sub, paid[0]["sub_mchid"])
}
