package sandbox_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/sandbox"
)

const sharePath = "/v3/profitsharing/"

// sharing is a shop with an order of 100 fen to share, paid a minute ago, and its transaction.
func sharing(t testing.TB) (shop, string) {
	t.Helper()
	s := newShop(t, "2026-11-22 12:00:00")
	order := with(native(s.Sandbox), "settle_info", map[string]any{"profit_sharing": true})
	order["amount"] = map[string]any{"total": 100}
	s.want(t, 200, "", "POST", "/v3/pay/transactions/native", order)
	id, err := s.Users.Pay("ORDER-0001")
	require.NoError(t, err)
	s.pass(time.Minute)
	s.want(t, 200, "", "POST", sharePath+"receivers/add", map[string]any{
		"appid": "wx0123456789abcdef", "type": "MERCHANT_ID", "account": subMerchant, "name": sealed(t, s.Sandbox, "某商户"), "relation_type": "STORE",
	})
	s.want(t, 200, "", "POST", sharePath+"receivers/add", map[string]any{"appid": "wx0123456789abcdef",
		"type": "PERSONAL_OPENID", "account": "o1", "relation_type": "STAFF"})
	return s, id
}

// shareOf shares with the merchant, and with the person if that is above 0.
func shareOf(transaction, number string, merchant, person int) map[string]any {
	to := []any{map[string]any{"type": "MERCHANT_ID", "account": subMerchant, "amount": merchant, "description": "分到商户"}}
	if person > 0 {
		to = append(to, map[string]any{"type": "PERSONAL_OPENID", "account": "o1", "amount": person, "description": "分到个人"})
	}
	return map[string]any{"appid": "wx0123456789abcdef", "transaction_id": transaction, "out_order_no": number, "receivers": to, "unfreeze_unsplit": false}
}

func results(answer map[string]any) (list []string) {
	for _, to := range answer["receivers"].([]any) {
		to := to.(map[string]any)
		reason := ""
		if to["fail_reason"] != nil {
			reason = " " + to["fail_reason"].(string)
		}
		list = append(list, fmt.Sprint(to["account"], " ", to["amount"], " ", to["result"], reason))
	}
	return list
}

func TestReceivers(t *testing.T) {
	s := newShop(t, "2026-11-22 12:00:00")
	add := map[string]any{"appid": "wx1", "type": "MERCHANT_ID", "account": subMerchant, "name": sealed(t, s.Sandbox, "某商户"),
		"relation_type": "CUSTOM", "custom_relation": "代理商"}
	answer := s.want(t, 200, "", "POST", sharePath+"receivers/add", add)
	assert.Equal(t, "代理商", answer["custom_relation"])
	assert.Equal(t, subMerchant, answer["account"])
	assert.NotEqual(t, "某商户", answer["name"])
	for name, body := range map[string]map[string]any{
		"no name":            with(add, "name", nil),
		"no custom relation": with(add, "custom_relation", nil),
		"unknown type":       with(add, "type", "PHONE"),
	} {
		t.Run(name, func(t *testing.T) { s.want(t, 400, "PARAM_ERROR", "POST", sharePath+"receivers/add", body) })
	}
	s.want(t, 400, "PARAM_ERROR", "POST", sharePath+"receivers/add", with(add, "name", "某商户")) // in the clear
	s.want(t, 403, "NO_AUTH", "POST", sharePath+"receivers/add", with(add, "sub_mchid", "1900000111"))
	for range 2 {
		s.want(t, 200, "", "POST", sharePath+"receivers/delete", map[string]any{"appid": "wx1", "type": "MERCHANT_ID", "account": subMerchant})
	}
}

func TestShare(t *testing.T) {
	s, id := sharing(t)
	left := func() any {
		return s.want(t, 200, "", "GET", sharePath+"transactions/"+id+"/amounts", nil)["unsplit_amount"]
	}
	query := func(number string) map[string]any {
		return s.want(t, 200, "", "GET", sharePath+"orders/"+number+"?transaction_id="+id, nil)
	}
	assert.EqualValues(t, 100, left())
	first := s.want(t, 200, "", "POST", sharePath+"orders", shareOf(id, "P1", 30, 20))
	assert.Equal(t, "PROCESSING", first["state"])
	assert.Equal(t, []string{subMerchant + " 30 PENDING", "o1 20 PENDING"}, results(first))
	assert.Equal(t, "1970-01-01T08:00:00+08:00", first["receivers"].([]any)[0].(map[string]any)["finish_time"])
	again := s.want(t, 200, "", "POST", sharePath+"orders", shareOf(id, "P1", 30, 20))
	assert.Equal(t, "FINISHED", again["state"], "the same number tells the state")
	assert.Equal(t, first["order_id"], again["order_id"])
	assert.Equal(t, []string{subMerchant + " 30 SUCCESS", "o1 20 SUCCESS"}, results(query("P1")))
	assert.EqualValues(t, 50, left())
	s.want(t, 400, "INVALID_REQUEST", "POST", sharePath+"orders", shareOf(id, "P1", 31, 20))
	s.want(t, 404, "RESOURCE_NOT_EXISTS", "GET", sharePath+"orders/P1?transaction_id=4200", nil)
	s.want(t, 404, "RESOURCE_NOT_EXISTS", "GET", sharePath+"orders/P9?transaction_id="+id, nil)
	s.want(t, 403, "NOT_ENOUGH", "POST", sharePath+"orders", shareOf(id, "P2", 51, 0))

	// One receiver fails: its sum can be shared again.
	s.Ledger.SetEnding(func(kind sandbox.EffectKind, number string) sandbox.Ending {
		if kind == sandbox.ShareEffect && number == "P3/o1" {
			return sandbox.Ending{State: "CLOSED", After: time.Hour}
		}
		return sandbox.Ending{}
	})
	s.want(t, 200, "", "POST", sharePath+"orders", shareOf(id, "P3", 10, 15))
	assert.Equal(t, "PROCESSING", query("P3")["state"])
	assert.EqualValues(t, 25, left())
	s.pass(time.Hour)
	assert.Equal(t, []string{subMerchant + " 10 SUCCESS", "o1 15 CLOSED ACCOUNT_ABNORMAL"}, results(query("P3")))
	assert.EqualValues(t, 40, left())

	// A relation that ends before the share arrives.
	s.Ledger.SetEnding(func(sandbox.EffectKind, string) sandbox.Ending { return sandbox.Ending{After: -1} })
	s.want(t, 200, "", "POST", sharePath+"orders", shareOf(id, "P4", 1, 2))
	s.want(t, 200, "", "POST", sharePath+"receivers/delete", map[string]any{"appid": "wx0123456789abcdef", "type": "PERSONAL_OPENID", "account": "o1"})
	require.NoError(t, s.Ledger.Settle(sandbox.ShareEffect, "P4", "SUCCESS"))
	assert.Equal(t, []string{subMerchant + " 1 SUCCESS", "o1 2 CLOSED NO_RELATION"}, results(query("P4")))
	assert.ErrorContains(t, s.Ledger.Settle(sandbox.ShareEffect, "P4", "CLOSED"), "has ended")
	s.want(t, 400, "INVALID_REQUEST", "POST", sharePath+"orders", shareOf(id, "P5", 1, 2))
	s.Ledger.SetEnding(nil)

	// The last sharing gives the rest back.
	s.want(t, 200, "", "POST", sharePath+"orders", with(shareOf(id, "P6", 9, 0), "unfreeze_unsplit", true))
	assert.Equal(t, []string{subMerchant + " 9 SUCCESS", "1900000109 30 SUCCESS"}, results(query("P6")))
	assert.EqualValues(t, 0, left())
	s.want(t, 403, "NOT_ENOUGH", "POST", sharePath+"orders", shareOf(id, "P7", 1, 0))
	assert.Len(t, s.Ledger.Effects(sandbox.ShareEffect), 4)
}

func TestShareRefusals(t *testing.T) {
	s, id := sharing(t)
	receivers := func(n int) []any {
		list := make([]any, n)
		for i := range list {
			list[i] = map[string]any{"type": "MERCHANT_ID", "account": subMerchant, "amount": 1, "description": "x"}
		}
		return list
	}
	plain, err := s.Users.AddPaidOrder("PLAIN-1", 100)
	require.NoError(t, err)
	s.pass(time.Minute)
	for name, test := range map[string]struct {
		body   map[string]any
		status int
		code   string
	}{
		"an order that is not to be shared": {shareOf(plain, "P1", 1, 0), 400, "INVALID_REQUEST"},
		"an unknown order":                  {shareOf("4200", "P1", 1, 0), 404, "RESOURCE_NOT_EXISTS"},
		"no receivers":                      {with(shareOf(id, "P1", 1, 0), "receivers", receivers(0)), 400, "PARAM_ERROR"},
		"51 receivers":                      {with(shareOf(id, "P1", 1, 0), "receivers", receivers(51)), 400, "PARAM_ERROR"},
		"nothing":                           {shareOf(id, "P1", 0, 0), 400, "PARAM_ERROR"},
		"a number with a blank":             {shareOf(id, "P 1", 1, 0), 400, "PARAM_ERROR"},
		"a sub-merchant":                    {with(shareOf(id, "P1", 1, 0), "sub_mchid", subMerchant), 403, "NO_AUTH"},
	} {
		t.Run(name, func(t *testing.T) { s.want(t, test.status, test.code, "POST", sharePath+"orders", test.body) })
	}
	assert.Empty(t, s.Ledger.Effects(sandbox.ShareEffect))
	s.want(t, 200, "", "POST", sharePath+"orders", with(shareOf(id, "P1", 1, 0), "receivers", receivers(50)))
	for i := range 49 {
		s.want(t, 200, "", "POST", sharePath+"orders", shareOf(id, fmt.Sprint("Q", i), 1, 0))
	}
	s.want(t, 403, "RULE_LIMIT", "POST", sharePath+"orders", shareOf(id, "Q50", 1, 0))
}

func TestSharePace(t *testing.T) {
	s := newShop(t, "2026-11-22 12:00:00")
	order := with(native(s.Sandbox), "settle_info", map[string]any{"profit_sharing": true})
	s.want(t, 200, "", "POST", "/v3/pay/transactions/native", order)
	id, err := s.Users.Pay("ORDER-0001")
	require.NoError(t, err)
	unfreeze := map[string]any{"transaction_id": id, "out_order_no": "U1", "description": "解冻"}
	s.pass(59 * time.Second)
	s.want(t, 400, "INVALID_REQUEST", "POST", sharePath+"orders/unfreeze", unfreeze)
	require.NoError(t, s.Rules.Relax(sandbox.SharePace))
	s.want(t, 200, "", "POST", sharePath+"orders/unfreeze", unfreeze)
}

func TestUnfreeze(t *testing.T) {
	s, id := sharing(t)
	unfreeze := map[string]any{"transaction_id": id, "out_order_no": "U1", "description": "解冻"}
	s.want(t, 200, "", "POST", sharePath+"orders", shareOf(id, "P1", 30, 0))
	assert.Equal(t, "PROCESSING", s.want(t, 200, "", "POST", sharePath+"orders/unfreeze", unfreeze)["state"])
	assert.Equal(t, "FINISHED", s.want(t, 200, "", "POST", sharePath+"orders/unfreeze", unfreeze)["state"], "again")
	done := s.want(t, 200, "", "GET", sharePath+"orders/U1?transaction_id="+id, nil)
	assert.Equal(t, []string{"1900000109 70 SUCCESS"}, results(done))
	s.want(t, 400, "INVALID_REQUEST", "POST", sharePath+"orders/unfreeze", with(unfreeze, "description", "x"))
	s.want(t, 403, "NOT_ENOUGH", "POST", sharePath+"orders/unfreeze", with(unfreeze, "out_order_no", "U2"))
	s.want(t, 403, "NOT_ENOUGH", "POST", sharePath+"orders", shareOf(id, "P2", 1, 0))
}

func TestShareReturns(t *testing.T) {
	s, id := sharing(t)
	shared := s.want(t, 200, "", "POST", sharePath+"orders", shareOf(id, "P1", 30, 20))
	back := func(number string, amount int) map[string]any {
		return map[string]any{"out_order_no": "P1", "out_return_no": number, "return_mchid": subMerchant, "amount": amount, "description": "退货"}
	}
	query := func(number string) map[string]any {
		return s.want(t, 200, "", "GET", sharePath+"return-orders/"+number+"?out_order_no=P1", nil)
	}
	for name, test := range map[string]struct {
		body   map[string]any
		status int
		code   string
	}{
		"more than was shared":    {back("B1", 31), 403, "NOT_ENOUGH"},
		"nothing":                 {back("B1", 0), 400, "PARAM_ERROR"},
		"an unknown sharing":      {with(back("B1", 1), "out_order_no", "P9"), 404, "RESOURCE_NOT_EXISTS"},
		"numbers of two sharings": {with(back("B1", 1), "order_id", "3008"), 404, "RESOURCE_NOT_EXISTS"},
		"no sharing":              {with(back("B1", 1), "out_order_no", nil), 400, "PARAM_ERROR"},
		"somebody else":           {with(back("B1", 1), "return_mchid", "1900000111"), 400, "INVALID_REQUEST"},
	} {
		t.Run(name, func(t *testing.T) { s.want(t, test.status, test.code, "POST", sharePath+"return-orders", test.body) })
	}
	assert.Equal(t, "PROCESSING", s.want(t, 200, "", "POST", sharePath+"return-orders", back("B1", 10))["result"])
	done := query("B1")
	assert.Equal(t, "SUCCESS", done["result"])
	assert.Equal(t, shared["order_id"], done["order_id"])
	s.want(t, 400, "INVALID_REQUEST", "POST", sharePath+"return-orders", back("B1", 11))
	byID := with(back("B2", 5), "order_id", shared["order_id"])
	delete(byID, "out_order_no")
	s.want(t, 200, "", "POST", sharePath+"return-orders", byID)
	s.want(t, 404, "RESOURCE_NOT_EXISTS", "GET", sharePath+"return-orders/B1?out_order_no=P9", nil)

	// Without balance the response is an error, and yet there is a return that a repetition
	// completes.
	require.NoError(t, s.SetBalance(subMerchant, 3))
	s.want(t, 403, "NOT_ENOUGH", "POST", sharePath+"return-orders", back("B3", 4))
	assert.Equal(t, "PROCESSING", query("B3")["result"])
	s.want(t, 403, "NOT_ENOUGH", "POST", sharePath+"return-orders", back("B3", 4))
	require.NoError(t, s.SetBalance(subMerchant, 4))
	s.want(t, 200, "", "POST", sharePath+"return-orders", back("B3", 4))
	assert.Equal(t, "SUCCESS", query("B3")["result"])
	s.want(t, 200, "", "POST", sharePath+"return-orders", back("B3", 4))
	s.want(t, 403, "NOT_ENOUGH", "POST", sharePath+"return-orders", back("B4", 1)) // all is gone
	require.NoError(t, s.SetBalance(subMerchant, -1))
	assert.Len(t, s.Ledger.Effects(sandbox.ReturnEffect), 4)

	// A return that fails gives the sum back to whom it came from.
	s.Ledger.SetEnding(func(sandbox.EffectKind, string) sandbox.Ending { return sandbox.Ending{State: "FAILED"} })
	s.want(t, 200, "", "POST", sharePath+"return-orders", back("B5", 10))
	assert.Equal(t, "ACCOUNT_ABNORMAL", query("B5")["fail_reason"])
	s.Ledger.SetEnding(nil)
	s.want(t, 403, "NOT_ENOUGH", "POST", sharePath+"return-orders", back("B6", 11))
	s.want(t, 200, "", "POST", sharePath+"return-orders", back("B6", 10))
	s.pass(181 * 24 * time.Hour)
	s.want(t, 400, "INVALID_REQUEST", "POST", sharePath+"return-orders", back("B7", 1))
	assert.Error(t, s.SetBalance("1", 1))
}

func TestShareNotices(t *testing.T) {
	s, id := sharing(t)
	require.NoError(t, s.NotifySharesAt("http://127.0.0.1:9/notify"))
	s.want(t, 200, "", "POST", sharePath+"orders", with(shareOf(id, "P1", 30, 20), "unfreeze_unsplit", true))
	s.want(t, 200, "", "POST", sharePath+"return-orders", map[string]any{"out_order_no": "P1", "out_return_no": "B1",
		"return_mchid": subMerchant, "amount": 5, "description": "退货"})
	events := make(map[string]int)
	for _, d := range s.Deliveries.All() {
		events[d.Event]++
	}
	assert.Equal(t, map[string]int{"TRANSACTION.SUCCESS": 1, "PROFITSHARING.SUCCESS": 2, "PROFITSHARING.RETURN": 1}, events,
		"the merchant is not told of its own rest")
	require.NoError(t, s.Close())
}

// TestSharesTooLargeToAdd asks for shares whose sum is beyond 64 bits.
func TestSharesTooLargeToAdd(t *testing.T) {
	s, id := sharing(t)
	body := shareOf(id, "S1", math.MaxInt64, math.MaxInt64)
	s.want(t, 403, "NOT_ENOUGH", "POST", sharePath+"orders", body)
	assert.EqualValues(t, 100, s.want(t, 200, "", "GET", sharePath+"transactions/"+id+"/amounts", nil)["unsplit_amount"])
}
