package sandbox_test

import (
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/sandbox"
)

const (
	servicePath  = "/v3/payscore/serviceorder"
	serviceQuery = servicePath + "?out_order_no=S-1&service_id=500001&appid=wx1"
)

// service is the body that makes a pay score order.
func service(more map[string]any) map[string]any {
	body := map[string]any{
		"out_order_no": "S-1", "appid": "wx1", "service_id": "500001", "service_introduction": "充电宝", "notify_url": "https://merchant.example/score",
		"time_range": map[string]any{"start_time": "20250101200000"}, "risk_fund": map[string]any{"name": "DEPOSIT", "amount": 9900},
	}
	maps.Copy(body, more)
	return body
}

// serviceBill is the body that completes it or changes its amount.
func serviceBill(total int, more map[string]any) map[string]any {
	body := map[string]any{
		"appid": "wx1", "service_id": "500001", "total_amount": total,
		"post_payments":  []any{map[string]any{"name": "使用", "amount": total + 100}},
		"post_discounts": []any{map[string]any{"name": "会员", "description": "减", "amount": 100}},
		"time_range":     map[string]any{"end_time": "20250101210000"},
	}
	maps.Copy(body, more)
	return body
}

func TestServiceOrder(t *testing.T) {
	g := newGate(t)
	made := g.do("POST", servicePath, service(nil))
	assert.Equal(t, "CREATED", made["state"])
	assert.NotContains(t, made, "state_description", "only an order under way has it")
	assert.NotEmpty(t, made["package"])
	assert.Equal(t, made, g.do("POST", servicePath, service(nil)), "again is answered the same")
	assert.Equal(t, "400 ALREADY_EXISTS", g.refused("POST", servicePath, service(map[string]any{"attach": "a"})))

	assert.Equal(t, "400 INVALID_REQUEST", g.refused("POST", servicePath+"/S-1/complete", serviceBill(500, nil)), "nobody confirmed it")
	_, err := g.Users.PayServiceOrder("S-1")
	assert.ErrorContains(t, err, "nothing is to be paid, the order is CREATED")
	require.NoError(t, g.Users.ConfirmServiceOrder("S-1"))
	assert.ErrorContains(t, g.Users.ConfirmServiceOrder("S-1"), "does not wait for its user")
	notice := g.noticed("PAYSCORE.USER_CONFIRM")
	require.Len(t, notice, 1)
	assert.Equal(t, "DOING", notice[0]["state"])
	assert.Equal(t, "USER_CONFIRM", notice[0]["state_description"])
	told := g.do("GET", serviceQuery, nil)
	assert.Equal(t, "USER_CONFIRM", told["state_description"])
	assert.NotEmpty(t, told["openid"])

	assert.Equal(t, "400 PARAM_ERROR", g.refused("POST", servicePath+"/S-1/complete", serviceBill(500, map[string]any{"total_amount": 501})), "not the sum")
	assert.Equal(t, "400 PARAM_ERROR", g.refused("POST", servicePath+"/S-1/complete", serviceBill(9901, nil)), "more than the deposit")
	assert.Equal(t, "400 PARAM_ERROR", g.refused("POST", servicePath+"/S-1/complete", serviceBill(500, map[string]any{"time_range": map[string]any{}})), "no end")
	assert.Equal(t, "400 PARAM_ERROR", g.refused("POST", servicePath+"/S-1/complete", serviceBill(500, map[string]any{"appid": "wx2"})))
	assert.Equal(t, "400 INVALID_REQUEST", g.refused("POST", servicePath+"/S-1/pay", map[string]any{}), "it is not complete")
	done := g.do("POST", servicePath+"/S-1/complete", serviceBill(500, nil))
	assert.Equal(t, "MCH_COMPLETE", done["state_description"])
	assert.Equal(t, true, done["need_collection"])
	assert.Equal(t, map[string]any{"start_time": "20250101200000", "end_time": "20250101210000"}, done["time_range"])
	assert.Equal(t, done, g.do("POST", servicePath+"/S-1/complete", serviceBill(500, nil)))
	assert.Equal(t, "400 INVALID_REQUEST", g.refused("POST", servicePath+"/S-1/complete", serviceBill(400, nil)))

	assert.EqualValues(t, 300, g.do("POST", servicePath+"/S-1/modify", modification(300))["total_amount"])
	assert.EqualValues(t, 300, g.do("POST", servicePath+"/S-1/modify", modification(300))["total_amount"])
	assert.Equal(t, "USER_PAYING", g.do("GET", serviceQuery, nil)["collection"].(map[string]any)["state"])
	g.do("POST", servicePath+"/S-1/pay", map[string]any{"appid": "wx1", "service_id": "500001"})
	transaction, err := g.Users.PayServiceOrder("S-1")
	require.NoError(t, err)
	paid := g.noticed("PAYSCORE.USER_PAID")
	require.Len(t, paid, 1)
	assert.Equal(t, "DONE", paid[0]["state"])
	collection := g.do("GET", serviceQuery, nil)["collection"].(map[string]any)
	assert.Equal(t, "USER_PAID", collection["state"])
	assert.EqualValues(t, 300, collection["paid_amount"])
	assert.Equal(t, transaction, collection["details"].([]any)[0].(map[string]any)["transaction_id"])
	assert.Equal(t, "400 PARAM_ERROR", g.refused("POST", servicePath+"/S-1/cancel", cancellation("r")))
	assert.Equal(t, "400 INVALID_REQUEST", g.refused("POST", servicePath+"/S-1/modify", modification(200)))
	_, err = g.Users.PayServiceOrder("S-1")
	assert.ErrorContains(t, err, "nothing is to be paid")
	effects := g.Ledger.Effects(sandbox.ServiceEffect)
	require.Len(t, effects, 1)
	assert.Equal(t, "DONE", effects[0].State)

	assert.Equal(t, "404 RESOURCE_NOT_EXISTS", g.refused("GET", servicePath+"?out_order_no=S-2&service_id=500001&appid=wx1", nil))
	assert.Equal(t, "400 PARAM_ERROR", g.refused("GET", servicePath+"?service_id=500001&appid=wx1", nil))
	assert.Equal(t, "400 PARAM_ERROR", g.refused("GET", serviceQuery+"&query_id=1", nil))
	assert.ErrorContains(t, g.Users.ConfirmServiceOrder("S-2"), "no pay score order")
}

func modification(total int) map[string]any {
	body := serviceBill(total, map[string]any{"reason": "r"})
	delete(body, "time_range")
	return body
}

func cancellation(reason string) map[string]any {
	return map[string]any{"appid": "wx1", "service_id": "500001", "reason": reason}
}

// TestServiceOrderEnds ends orders in every other way.
func TestServiceOrderEnds(t *testing.T) {
	complete := func(total int) func(*gate) {
		return func(g *gate) {
			require.NoError(g.t, g.Users.ConfirmServiceOrder("S-1"))
			g.do("POST", servicePath+"/S-1/complete", serviceBill(total, nil))
		}
	}
	cancel := func(g *gate) {
		g.do("POST", servicePath+"/S-1/cancel", cancellation("r"))
		g.do("POST", servicePath+"/S-1/cancel", cancellation("r"))
		assert.Equal(g.t, "400 PARAM_ERROR", g.refused("POST", servicePath+"/S-1/cancel", cancellation("other")))
		assert.Error(g.t, g.Users.ConfirmServiceOrder("S-1"))
	}
	sync := func(g *gate) {
		body := map[string]any{"appid": "wx1", "service_id": "500001", "type": "Order_Paid", "detail": map[string]any{"paid_time": "20250102000000"}}
		assert.Equal(g.t, "MCH", g.do("POST", servicePath+"/S-1/sync", body)["collection"].(map[string]any)["details"].([]any)[0].(map[string]any)["paid_type"])
		g.do("POST", servicePath+"/S-1/sync", body)
		body["detail"] = map[string]any{"paid_time": "20250103000000"}
		assert.Equal(g.t, "400 INVALID_REQUEST", g.refused("POST", servicePath+"/S-1/sync", body))
		delete(body, "detail")
		assert.Equal(g.t, "400 PARAM_ERROR", g.refused("POST", servicePath+"/S-1/sync", body), "this type needs the time of payment")
		body["type"] = "Paid"
		assert.Equal(g.t, "400 PARAM_ERROR", g.refused("POST", servicePath+"/S-1/sync", body))
	}
	for name, test := range map[string]struct {
		make  map[string]any
		steps []func(*gate)
		state string
	}{
		"cancelled when new":       {nil, []func(*gate){cancel}, "REVOKED"},
		"cancelled when confirmed": {nil, []func(*gate){func(g *gate) { require.NoError(g.t, g.Users.ConfirmServiceOrder("S-1")) }, cancel}, "REVOKED"},
		"cancelled when complete":  {nil, []func(*gate){complete(500), cancel}, "REVOKED"},
		"over nothing":             {nil, []func(*gate){complete(0)}, "DONE"},
		"paid otherwise":           {nil, []func(*gate){complete(500), sync}, "DONE"},
		"not confirmed in time":    {nil, []func(*gate){func(g *gate) { g.now = g.now.Add(30 * 24 * time.Hour) }}, "EXPIRED"},
		"almost too late":          {nil, []func(*gate){func(g *gate) { g.now = g.now.Add(30*24*time.Hour - 1) }}, "CREATED"},
		"without confirmation":     {map[string]any{"need_user_confirm": false, "openid": "user"}, nil, "DOING"},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGate(t)
			g.do("POST", servicePath, service(test.make))
			for _, step := range test.steps {
				step(g)
			}
			assert.Equal(t, test.state, g.do("GET", serviceQuery, nil)["state"])
		})
	}
	g := newGate(t)
	assert.Equal(t, "400 PARAM_ERROR", g.refused("POST", servicePath, service(map[string]any{"need_user_confirm": false})), "then a user must be named")
}

// TestServiceOrderOfASubMerchant follows an order that a service provider makes.
func TestServiceOrderOfASubMerchant(t *testing.T) {
	const path, query = "/v3/payscore/partner/serviceorder", "/v3/payscore/partner/serviceorder?out_order_no=S-1&service_id=500001&sub_mchid=1900000110"
	g := newGate(t)
	sub := map[string]any{"sub_mchid": "1900000110", "sub_openid": "user", "need_user_confirm": true}
	assert.Equal(t, "403 NO_AUTH", g.refused("POST", path, service(sub)), "whose sub-merchant it is not")
	require.NoError(t, g.AddSubMerchant("1900000110"))
	assert.Equal(t, "1900000110", g.do("POST", path, service(sub))["sub_mchid"])
	assert.Equal(t, "404 RESOURCE_NOT_EXISTS", g.refused("GET", serviceQuery, nil), "it is no order of the provider's own")
	require.NoError(t, g.Users.ConfirmServiceOrder("S-1"))
	assert.Equal(t, "user", g.noticed("PAYSCORE.USER_CONFIRM")[0]["sub_openid"])

	complete := serviceBill(500, map[string]any{"sub_mchid": "1900000110"})
	delete(complete, "appid")
	other := maps.Clone(complete)
	other["sub_mchid"] = "1900000111"
	assert.Equal(t, "400 PARAM_ERROR", g.refused("POST", path+"/S-1/complete", other))
	assert.Nil(t, g.do("POST", path+"/S-1/complete", complete), "204")
	_, err := g.Users.PayServiceOrder("S-1")
	require.NoError(t, err)
	told := g.do("GET", query, nil)
	assert.Equal(t, "DONE", told["state"])
	assert.Equal(t, "user", told["sub_openid"])
	assert.NotContains(t, told, "openid")
	assert.Equal(t, "1900000110", g.noticed("PAYSCORE.USER_PAID")[0]["sub_mchid"])
}
