package sandbox_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/sandbox"
)

const subMerchant = "1900000110"

// want asks, and wants a response with that status and code.
func (s shop) want(t testing.TB, status int, code, method, target string, body any) map[string]any {
	t.Helper()
	a := s.ask(t, method, target, body)
	verify(t, s.Sandbox, s.now(), a)
	require.Equal(t, status, a.StatusCode, "%s %s: %s\n%s", method, target, a.body, lastEntry(t, s.Sandbox).Reason)
	if len(a.body) == 0 {
		return nil
	}
	if answer := a.json(t); code != "" {
		assert.Equal(t, code, answer["code"], "%s %s", method, target)
	} else {
		return answer
	}
	return nil
}

// partnerOrder is an order of a service provider.
func partnerOrder(number string) map[string]any {
	return map[string]any{
		"sp_appid": "wx0123456789abcdef", "sp_mchid": "1900000109", "sub_mchid": subMerchant, "description": "店", "out_trade_no": number,
		"notify_url": "https://shop.example.com/notify", "amount": map[string]any{"total": 100}, "payer": map[string]any{"sp_openid": "oSP", "sub_openid": "oSUB"},
		"settle_info": map[string]any{"profit_sharing": true},
	}
}

func TestPartnerOrders(t *testing.T) {
	s := newShop(t, "2026-11-22 12:00:00")
	const path = "/v3/pay/partner/transactions/"
	s.want(t, 403, "NO_AUTH", "POST", path+"jsapi", partnerOrder("ORDER-0001"))
	require.NoError(t, s.AddSubMerchant(subMerchant))
	require.NoError(t, s.AddSubMerchant("1900000111"))
	s.want(t, 400, "PARAM_ERROR", "POST", path+"jsapi", with(partnerOrder("ORDER-0001"), "sp_mchid", "1900000111"))
	s.want(t, 400, "PARAM_ERROR", "POST", path+"jsapi", with(partnerOrder("ORDER-0001"), "payer", map[string]any{}))
	assert.Contains(t, s.want(t, 200, "", "POST", path+"jsapi", partnerOrder("ORDER-0001"))["prepay_id"], "wx20261122120000")
	s.want(t, 403, "OUT_TRADE_NO_USED", "POST", path+"jsapi", with(partnerOrder("ORDER-0001"), "description", "x"))
	native := partnerOrder("ORDER-0001")
	delete(native, "payer")
	native["sub_mchid"] = "1900000111"
	s.want(t, 200, "", "POST", path+"native", native) // the number is free with another sub-merchant

	query := "?sp_mchid=1900000109&sub_mchid=" + subMerchant
	s.want(t, 403, "NO_AUTH", "GET", path+"out-trade-no/ORDER-0001?sp_mchid=1900000109&sub_mchid=1900000112", nil)
	s.want(t, 404, "ORDER_NOT_EXIST", "GET", path+"out-trade-no/ORDER-0002"+query, nil)
	s.want(t, 404, "ORDER_NOT_EXIST", "GET", "/v3/pay/transactions/out-trade-no/ORDER-0001?mchid=1900000109", nil)
	order := s.want(t, 200, "", "GET", path+"out-trade-no/ORDER-0001"+query, nil)
	assert.Equal(t, "NOTPAY", order["trade_state"])
	assert.NotContains(t, order, "payer")

	_, err := s.Users.Pay("ORDER-0001")
	assert.EqualError(t, err, `sandbox: pay: several sub-merchants have an order "ORDER-0001"; put SUB_MCHID/ before it`)
	_, err = s.Users.PayAs(subMerchant+"/ORDER-0001", "oOTHER")
	assert.ErrorContains(t, err, "names its payer")
	id, err := s.Users.Pay(subMerchant + "/ORDER-0001")
	require.NoError(t, err)
	order = s.want(t, 200, "", "GET", path+"id/"+id+query, nil)
	assert.Equal(t, "SUCCESS", order["trade_state"])
	assert.Equal(t, map[string]any{"sp_openid": "oSP", "sub_openid": "oSUB"}, order["payer"])
	assert.Equal(t, subMerchant, order["sub_mchid"])
	assert.Equal(t, []sandbox.Effect{{
		Kind: sandbox.PaymentEffect, Number: "ORDER-0001", Sub: subMerchant, Amount: 100, State: "SUCCESS", Time: s.now(),
	}}, s.Ledger.Effects(sandbox.PaymentEffect))

	closing := map[string]any{"sp_mchid": "1900000109", "sub_mchid": subMerchant}
	s.want(t, 400, "ORDER_PAID", "POST", path+"out-trade-no/ORDER-0001/close", closing)
	s.want(t, 204, "", "POST", path+"out-trade-no/ORDER-0001/close", with(closing, "sub_mchid", "1900000111"))

	// Refunds name the sub-merchant.
	refund := map[string]any{"out_trade_no": "ORDER-0001", "out_refund_no": "R-1", "amount": map[string]any{"refund": 40, "total": 100, "currency": "CNY"}}
	s.want(t, 404, "RESOURCE_NOT_EXISTS", "POST", refundPath, refund)
	s.want(t, 404, "RESOURCE_NOT_EXISTS", "POST", refundPath, with(refund, "sub_mchid", "1900000111"))
	s.want(t, 404, "RESOURCE_NOT_EXISTS", "POST", refundPath, with(with(refund, "transaction_id", id), "out_trade_no", nil))
	assert.Equal(t, "PROCESSING", s.want(t, 200, "", "POST", refundPath, with(refund, "sub_mchid", subMerchant))["status"])
	s.want(t, 404, "RESOURCE_NOT_EXISTS", "GET", refundPath+"/R-1", nil)
	assert.Equal(t, "SUCCESS", s.want(t, 200, "", "GET", refundPath+"/R-1?sub_mchid="+subMerchant, nil)["status"])
	assert.Equal(t, "REFUND", s.want(t, 200, "", "GET", path+"id/"+id+query, nil)["trade_state"])
	assert.Equal(t, "SUCCESS", s.Ledger.Effects(sandbox.RefundEffect)[0].State)
}

func TestOrderExpires(t *testing.T) {
	s := newShop(t, "2026-11-22 12:00:00")
	order := func(number, way string, expire any) map[string]any {
		o := with(native(s.Sandbox), "out_trade_no", number)
		if expire != nil {
			o["time_expire"] = expire
		}
		switch way {
		case "h5":
			o["scene_info"] = map[string]any{"payer_client_ip": "127.0.0.1", "h5_info": map[string]any{"type": "Wap"}}
		case "jsapi":
			o["payer"] = map[string]any{"openid": "o1"}
		}
		return o
	}
	for _, test := range []struct {
		way, expire, code string
	}{
		{"native", "2026-11-22T12:00:59+08:00", "PARAM_ERROR"},
		{"native", "2026-11-22T12:01:00+08:00", ""},
		{"native", "2026-11-29T04:00:00Z", ""},
		{"native", "2026-11-29T12:00:01+08:00", "PARAM_ERROR"},
		{"jsapi", "2026-12-07T12:00:00+08:00", ""},
		{"app", "2026-12-07T12:00:01+08:00", "PARAM_ERROR"},
		{"native", "tomorrow", "PARAM_ERROR"},
	} {
		status := 200
		if test.code != "" {
			status = 400
		}
		s.want(t, status, test.code, "POST", "/v3/pay/transactions/"+test.way, order("E-"+digestOf([]byte(test.expire + test.way))[:20], test.way, test.expire))
	}

	state := func(number string) any {
		return s.want(t, 200, "", "GET", "/v3/pay/transactions/out-trade-no/"+number+"?mchid=1900000109", nil)["trade_state"]
	}
	for number, way := range map[string]string{"DEFAULT": "native", "WEB-001": "h5", "REPAID": "jsapi", "PAID-001": "native"} {
		s.want(t, 200, "", "POST", "/v3/pay/transactions/"+way, order(number, way, nil))
	}
	s.want(t, 200, "", "POST", "/v3/pay/transactions/native", order("QUARTER", "native", "2026-11-22T12:15:00+08:00"))
	_, err := s.Users.Pay("PAID-001")
	require.NoError(t, err)
	s.pass(5*time.Minute + time.Second)
	_, err = s.Users.Pay("WEB-001")
	assert.ErrorContains(t, err, "has expired after 5m0s")
	assert.Equal(t, "NOTPAY", state("QUARTER"))
	s.pass(10 * time.Minute)
	assert.Equal(t, "CLOSED", state("QUARTER"))
	s.want(t, 400, "ORDER_CLOSED", "POST", "/v3/pay/transactions/native", order("QUARTER", "native", "2026-11-22T12:15:00+08:00"))

	s.pass(2 * time.Hour)
	_, err = s.Users.Pay("REPAID")
	assert.ErrorContains(t, err, "has expired after 2h0m0s: the merchant has to create it again")
	s.want(t, 200, "", "POST", "/v3/pay/transactions/jsapi", order("REPAID", "jsapi", nil))
	require.NoError(t, s.Users.FailPayment("REPAID"))
	assert.Equal(t, "NOTPAY", state("REPAID"))
	_, err = s.Users.Pay("REPAID")
	assert.NoError(t, err)

	assert.Equal(t, "NOTPAY", state("DEFAULT"))
	s.pass(7 * 24 * time.Hour)
	assert.Equal(t, "CLOSED", state("DEFAULT"))
	assert.Equal(t, "SUCCESS", state("PAID-001"), "what is paid stays")
	assert.ErrorContains(t, s.Users.FailPayment("DEFAULT"), "closed")

	require.NoError(t, s.Rules.Relax(sandbox.Expiry))
	s.want(t, 200, "", "POST", "/v3/pay/transactions/native", order("FOREVER", "native", "2026-11-22T12:15:00+08:00"))
	s.pass(30 * 24 * time.Hour)
	assert.Equal(t, "NOTPAY", state("FOREVER"))
	_, err = s.Users.Pay("FOREVER")
	assert.NoError(t, err)
}

func TestAppIDs(t *testing.T) {
	s := newShop(t, "2026-11-22 12:00:00")
	s.want(t, 200, "", "POST", "/v3/pay/transactions/native", native(s.Sandbox)) // nothing is bound yet
	require.NoError(t, s.BindAppID("wxother"))
	s.want(t, 400, "APPID_MCHID_NOT_MATCH", "POST", "/v3/pay/transactions/native", with(native(s.Sandbox), "out_trade_no", "ORDER-0002"))
	require.NoError(t, s.BindAppID("wx0123456789abcdef"))
	s.want(t, 200, "", "POST", "/v3/pay/transactions/native", with(native(s.Sandbox), "out_trade_no", "ORDER-0002"))
	assert.Error(t, s.BindAppID(""))
}

// combinedOrder combines two orders.
func combinedOrder(number string) map[string]any {
	part := func(number, sub string, total int) map[string]any {
		return map[string]any{
			"mchid": "1900000109", "sub_mchid": sub, "out_trade_no": number, "attach": "a", "description": "d", "amount": map[string]any{"total_amount": total,
				"currency": "CNY"},
			"settle_info": map[string]any{"profit_sharing": true},
		}
	}
	return map[string]any{
		"combine_appid": "wx0123456789abcdef", "combine_mchid": "1900000109", "combine_out_trade_no": number, "notify_url": "https://shop.example.com/notify",
		"combine_payer_info": map[string]any{"openid": "o1"}, "sub_orders": []any{part(number+"-PART-1", subMerchant, 10), part(number+"-PART-2", "1900000111", 20)},
	}
}

func TestCombinedOrders(t *testing.T) {
	s := newShop(t, "2026-11-22 12:00:00")
	const path = "/v3/combine-transactions/"
	require.NoError(t, s.AddSubMerchant(subMerchant))
	s.want(t, 403, "NO_AUTH", "POST", path+"jsapi", combinedOrder("C1"))
	require.NoError(t, s.AddSubMerchant("1900000111"))
	changed := func(change func(order map[string]any, first map[string]any)) map[string]any {
		o := combinedOrder("C1")
		change(o, o["sub_orders"].([]any)[0].(map[string]any))
		return o
	}
	for name, body := range map[string]map[string]any{
		"another merchant": changed(func(o, _ map[string]any) { o["combine_mchid"] = "1900000111" }),
		"no parts":         changed(func(o, _ map[string]any) { o["sub_orders"] = []any{} }),
		"nobody":           changed(func(o, _ map[string]any) { o["combine_payer_info"] = map[string]any{} }),
		"free of charge":   changed(func(_, p map[string]any) { p["amount"] = map[string]any{"total_amount": 0, "currency": "CNY"} }),
		"in dollars":       changed(func(_, p map[string]any) { p["amount"] = map[string]any{"total_amount": 1, "currency": "USD"} }),
		"short number":     changed(func(_, p map[string]any) { p["out_trade_no"] = "12345" }),
		"number twice": changed(func(_, p map[string]any) {
			p["out_trade_no"], p["sub_mchid"] = "C1-PART-2", "1900000111"
		}),
		"too late": changed(func(o, _ map[string]any) { o["time_expire"] = "2026-11-22T12:00:00+08:00" }),
	} {
		t.Run(name, func(t *testing.T) { s.want(t, 400, "PARAM_ERROR", "POST", path+"jsapi", body) })
	}
	s.want(t, 404, "ORDER_NOT_EXIST", "GET", path+"out-trade-no/C1", nil)
	assert.Contains(t, s.want(t, 200, "", "POST", path+"jsapi", combinedOrder("C1")), "prepay_id")
	assert.Contains(t, s.want(t, 200, "", "POST", path+"jsapi", combinedOrder("C1")), "prepay_id", "again")
	s.want(t, 403, "OUT_TRADE_NO_USED", "POST", path+"app", changed(func(o, _ map[string]any) { delete(o, "combine_payer_info") }))
	taken := combinedOrder("C2")
	taken["sub_orders"].([]any)[0].(map[string]any)["out_trade_no"] = "C1-PART-1"
	s.want(t, 403, "OUT_TRADE_NO_USED", "POST", path+"jsapi", taken)
	s.want(t, 404, "ORDER_NOT_EXIST", "GET", "/v3/pay/partner/transactions/out-trade-no/C1-PART-1?sp_mchid=1900000109&sub_mchid="+subMerchant, nil)

	parts := func(number string) (states []any) {
		for _, part := range s.want(t, 200, "", "GET", path+"out-trade-no/"+number, nil)["sub_orders"].([]any) {
			states = append(states, part.(map[string]any)["trade_state"])
		}
		return states
	}
	assert.Equal(t, []any{"NOTPAY", "NOTPAY"}, parts("C1"))
	require.NoError(t, s.Users.FailPayment("C1"))
	assert.Equal(t, []any{"PAYERROR", "PAYERROR"}, parts("C1"))
	_, err := s.Users.Pay("C1-PART-1")
	assert.ErrorContains(t, err, `a part of the combined order "C1"`)
	_, err = s.Users.PayAs("C1", "o2")
	assert.ErrorContains(t, err, "names its payer")
	id, err := s.Users.Pay("C1")
	require.NoError(t, err)
	assert.Equal(t, []any{"SUCCESS", "SUCCESS"}, parts("C1"))
	order := s.want(t, 200, "", "GET", path+"out-trade-no/C1", nil)
	assert.Equal(t, id, order["combine_transaction_id"])
	assert.Equal(t, map[string]any{"openid": "o1"}, order["combine_payer_info"])
	part := order["sub_orders"].([]any)[1].(map[string]any)
	assert.Equal(t, map[string]any{"total_amount": 20.0, "payer_amount": 20.0, "currency": "CNY", "payer_currency": "CNY"}, part["amount"])
	s.want(t, 400, "ORDER_PAID", "POST", path+"jsapi", combinedOrder("C1"))
	_, err = s.Users.Pay("C1")
	assert.ErrorContains(t, err, "is paid")

	// A part is refunded by its own transaction.
	s.want(t, 200, "", "POST", refundPath, map[string]any{
		"sub_mchid": "1900000111", "transaction_id": part["transaction_id"], "out_refund_no": "R-1", "amount": map[string]any{"refund": 5, "total": 20,
			"currency": "CNY"},
	})
	assert.Equal(t, []any{"SUCCESS", "REFUND"}, parts("C1"))

	closing := func(number string) map[string]any {
		return map[string]any{"combine_appid": "wx0123456789abcdef", "sub_orders": []any{
			map[string]any{"mchid": "1900000109", "out_trade_no": number + "-PART-1", "sub_mchid": subMerchant},
			map[string]any{"mchid": "1900000109", "out_trade_no": number + "-PART-2", "sub_mchid": "1900000111"},
		}}
	}
	s.want(t, 400, "ORDER_PAID", "POST", path+"out-trade-no/C1/close", closing("C1"))
	s.want(t, 200, "", "POST", path+"jsapi", combinedOrder("C3"))
	s.want(t, 400, "PARAM_ERROR", "POST", path+"out-trade-no/C3/close", with(closing("C3"), "sub_orders", closing("C3")["sub_orders"].([]any)[:1]))
	s.want(t, 400, "PARAM_ERROR", "POST", path+"out-trade-no/C3/close", with(closing("C3"), "combine_appid", "wx"))
	s.want(t, 404, "ORDER_NOT_EXIST", "POST", path+"out-trade-no/C4/close", closing("C3"))
	for range 2 {
		s.want(t, 204, "", "POST", path+"out-trade-no/C3/close", closing("C3"))
	}
	assert.Equal(t, []any{"CLOSED", "CLOSED"}, parts("C3"))
	s.want(t, 400, "ORDER_CLOSED", "POST", path+"jsapi", combinedOrder("C3"))

	s.want(t, 200, "", "POST", path+"jsapi", combinedOrder("C5"))
	s.pass(3 * time.Hour)
	_, err = s.Users.Pay("C5")
	assert.ErrorContains(t, err, "has expired after 2h0m0s")
	s.pass(7 * 24 * time.Hour)
	assert.Equal(t, []any{"CLOSED", "CLOSED"}, parts("C5"))
}

// TestNoticesOfOrders opens what the merchant is told of payments, refunds and shares that concern others.
func TestNoticesOfOrders(t *testing.T) {
	s := newShop(t, "2026-11-22 12:00:00")
	defer s.Close()
	heard := make(chan notice, 10)
	s.Deliveries.To(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { heard <- receive(t, s.Sandbox, r) }))
	next := func(event string) map[string]any {
		t.Helper()
		select {
		case n := <-heard:
			require.NoError(t, n.failed)
			require.Equal(t, event, n.EventType)
			var resource map[string]any
			require.NoError(t, json.Unmarshal(n.opened, &resource))
			return resource
		case <-time.After(time.Minute):
			require.Fail(t, "nobody was told", event)
			return nil
		}
	}
	require.NoError(t, s.AddSubMerchant(subMerchant))
	require.NoError(t, s.AddSubMerchant("1900000111"))
	s.want(t, 200, "", "POST", "/v3/pay/partner/transactions/jsapi", partnerOrder("ORDER-0001"))
	id, err := s.Users.Pay("ORDER-0001")
	require.NoError(t, err)
	paid := next("TRANSACTION.SUCCESS")
	assert.Equal(t, map[string]any{
		"sp_appid": "wx0123456789abcdef", "sp_mchid": "1900000109", "sub_mchid": subMerchant, "out_trade_no": "ORDER-0001", "transaction_id": id,
		"trade_type":  "JSAPI",
		"trade_state": "SUCCESS", "trade_state_desc": "支付成功", "bank_type": "OTHERS", "success_time": "2026-11-22T12:00:00+08:00",
		"attach": "",
		"payer":  map[string]any{"sp_openid": "oSP", "sub_openid": "oSUB"},
		"amount": map[string]any{"total": 100.0, "payer_total": 100.0, "currency": "CNY", "payer_currency": "CNY"},
	}, paid)

	s.want(t, 200, "", "POST", "/v3/combine-transactions/jsapi", combinedOrder("C1"))
	id, err = s.Users.Pay("C1")
	require.NoError(t, err)
	together := next("TRANSACTION.SUCCESS")
	assert.Equal(t, id, together["combine_transaction_id"])
	require.Len(t, together["sub_orders"], 2)
	assert.Equal(t, "SUCCESS", together["sub_orders"].([]any)[0].(map[string]any)["trade_state"])

	s.want(t, 200, "", "POST", refundPath, map[string]any{
		"sub_mchid": subMerchant, "out_trade_no": "ORDER-0001", "out_refund_no": "R-1", "notify_url": "https://shop.example.com/notify",
		"amount": map[string]any{"refund": 1, "total": 100, "currency": "CNY"},
	})
	refunded := next("REFUND.SUCCESS")
	assert.Equal(t, "1900000109", refunded["sp_mchid"])
	assert.Equal(t, subMerchant, refunded["sub_mchid"])
	assert.NotContains(t, refunded, "mchid")

	require.NoError(t, s.NotifySharesAt("https://shop.example.com/notify"))
	s.pass(time.Minute)
	s.want(t, 200, "", "POST", sharePath+"receivers/add", map[string]any{"sub_mchid": subMerchant,
		"appid": "wx0123456789abcdef", "type": "PERSONAL_OPENID", "account": "o1", "relation_type": "STAFF"})
	share := shareOf(paid["transaction_id"].(string), "P1", 5, 0)
	share["sub_mchid"] = subMerchant
	share["receivers"] = []any{map[string]any{"type": "PERSONAL_OPENID", "account": "o1", "amount": 5, "description": "奖"}}
	s.want(t, 200, "", "POST", sharePath+"orders", share)
	told := next("PROFITSHARING.SUCCESS")
	assert.Equal(t, map[string]any{"type": "PERSONAL_OPENID", "account": "o1", "amount": 5.0, "description": "奖"}, told["receiver"])
	assert.Equal(t, subMerchant, told["sub_mchid"])
	assert.Equal(t, "P1", told["out_order_no"])
}
