package sandbox_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/sandbox"
)

func TestRules(t *testing.T) {
	s := newSandbox(t)
	held := func(without ...sandbox.Rule) (list []sandbox.Rule) {
	next:
		for _, rule := range s.Rules.All() {
			for _, other := range without {
				if rule == other {
					continue next
				}
			}
			list = append(list, rule)
		}
		return list
	}
	assert.Equal(t, held(sandbox.ReadDelay), s.Rules.Enforced())
	require.NoError(t, s.Rules.Relax(sandbox.Names, sandbox.Expiry))
	assert.Equal(t, held(sandbox.ReadDelay, sandbox.Names, sandbox.Expiry), s.Rules.Enforced())
	assert.EqualError(t, s.Rules.Relax(sandbox.Rates, "gravity"),
		`sandbox: there is no rule "gravity"; there are rates, read-delay, refund-pace, share-pace, look-back, async-cancel, names, expiry, bare-query`)
	assert.Contains(t, s.Rules.Enforced(), sandbox.Rates, "all or nothing")
	require.NoError(t, s.Rules.Relax(s.Rules.All()...))
	assert.Empty(t, s.Rules.Enforced())
}

func TestRates(t *testing.T) {
	s := newShop(t, "2026-11-22 12:00:00")
	require.NoError(t, s.Rules.Relax(sandbox.RefundPace))
	const feeds = "/v3/brand/partner/card-member/pay-view-tokens"
	status := func() int { return s.ask(t, "POST", feeds, map[string]any{}).StatusCode }
	for range 5 {
		assert.NotEqual(t, 429, status())
	}
	s.want(t, 429, "FREQUENCY_LIMITED", "POST", feeds, map[string]any{})
	off := "; rule rates, by the sandbox's clock: Relax(sandbox.Rates) or --relax rates switches it off"
	reason := func() string { list := s.Journal.All(); return list[len(list)-1].Reason }
	assert.Equal(t, "5 requests a second are documented for this operation"+off, reason())
	other, err := s.AddMerchant("1900000110")
	require.NoError(t, err)
	assert.NotEqual(t, 429, shop{other, s.hands}.ask(t, "POST", feeds, map[string]any{}).StatusCode, "each merchant has a rate of its own")
	s.pass(time.Second)
	assert.NotEqual(t, 429, status())

	// Failing refunds have a rate of their own.
	bad := map[string]any{"out_trade_no": "NOWHERE", "out_refund_no": "R-1", "amount": map[string]any{"refund": 1, "total": 1, "currency": "CNY"}}
	for range 6 {
		s.want(t, 404, "RESOURCE_NOT_EXISTS", "POST", refundPath, bad)
	}
	s.want(t, 429, "FREQUENCY_LIMITED", "POST", refundPath, bad)
	assert.Equal(t, "more than 6 refunds fail in a second"+off, reason())
	_, err = s.Users.AddPaidOrder("ORDER-0001", 1)
	require.NoError(t, err)
	s.want(t, 200, "", "POST", refundPath, with(bad, "out_trade_no", "ORDER-0001"))

	for range 100 {
		s.ask(t, "POST", "/v3/profitsharing/return-orders", map[string]any{})
	}
	s.want(t, 429, "RATELIMIT_EXCEED", "POST", "/v3/profitsharing/return-orders", map[string]any{})
	require.NoError(t, s.Rules.Relax(sandbox.Rates))
	assert.NotEqual(t, 429, s.ask(t, "POST", "/v3/profitsharing/return-orders", map[string]any{}).StatusCode)
}

func TestReadDelay(t *testing.T) {
	s := newShop(t, "2026-11-22 12:00:00")
	require.NoError(t, s.Rules.Enforce(sandbox.ReadDelay))
	s.want(t, 200, "", "POST", "/v3/pay/transactions/native", native(s.Sandbox))
	s.want(t, 404, "ORDER_NOT_EXIST", "GET", orderPath+"?mchid=1900000109", nil)
	s.pass(time.Second)
	s.want(t, 200, "", "GET", orderPath+"?mchid=1900000109", nil)
}

func TestRefundPace(t *testing.T) {
	s := newShop(t, "2026-11-22 12:00:00")
	for _, number := range []string{"ORDER-0001", "ORDER-0002"} {
		_, err := s.Users.AddPaidOrder(number, 100)
		require.NoError(t, err)
	}
	s.want(t, 200, "", "POST", refundPath, refund("R-1", 10))
	s.want(t, 200, "", "POST", refundPath, refund("R-1", 10)) // the same one
	s.want(t, 200, "", "POST", refundPath, with(refund("R-2", 10), "out_trade_no", "ORDER-0002"))
	s.pass(59 * time.Second)
	s.want(t, 429, "FREQUENCY_LIMITED", "POST", refundPath, refund("R-3", 10))
	s.pass(time.Second)
	s.want(t, 200, "", "POST", refundPath, refund("R-3", 10))
	require.NoError(t, s.Rules.Relax(sandbox.RefundPace))
	s.want(t, 200, "", "POST", refundPath, refund("R-4", 10))
}

func TestAbnormalRefund(t *testing.T) {
	s := newShop(t, "2026-11-22 12:00:00")
	_, err := s.Users.AddPaidOrder("ORDER-0001", 100)
	require.NoError(t, err)
	state := "ABNORMAL"
	s.Ledger.SetEnding(func(sandbox.EffectKind, string) sandbox.Ending { return sandbox.Ending{State: state} })
	id := s.want(t, 200, "", "POST", refundPath, refund("R-1", 10))["refund_id"].(string)
	status := func() any { return s.want(t, 200, "", "GET", refundPath+"/R-1", nil)["status"] }
	assert.Equal(t, "ABNORMAL", status())
	path := refundPath + "/" + id + "/apply-abnormal-refund"
	toMerchant := map[string]any{"out_refund_no": "R-1", "type": "MERCHANT_BANK_CARD"}
	s.want(t, 404, "RESOURCE_NOT_EXISTS", "POST", refundPath+"/5030/apply-abnormal-refund", toMerchant)
	s.want(t, 404, "RESOURCE_NOT_EXISTS", "POST", path, with(toMerchant, "out_refund_no", "R-2"))
	s.want(t, 400, "PARAM_ERROR", "POST", path, with(toMerchant, "type", "CASH"))
	toUser := map[string]any{"out_refund_no": "R-1", "type": "USER_BANK_CARD", "bank_type": "ICBC_DEBIT",
		"bank_account": sealed(t, s.Sandbox, "6222"), "real_name": sealed(t, s.Sandbox, "张三")}
	s.want(t, 400, "PARAM_ERROR", "POST", path, with(toUser, "bank_type", nil))
	state = "SUCCESS"
	assert.Equal(t, "PROCESSING", s.want(t, 200, "", "POST", path, toUser)["status"])
	assert.Equal(t, "SUCCESS", status())
	s.want(t, 400, "INVALID_REQUEST", "POST", path, toUser)
}

func TestTransferRules(t *testing.T) {
	s := newShop(t, "2026-11-22 12:00:00")
	transfer := func(number string, amount int, name string) map[string]any {
		b := with(bill(number), "transfer_amount", amount)
		delete(b, "user_name")
		if name != "" {
			b["user_name"] = sealed(t, s.Sandbox, name)
		}
		return b
	}
	for i, test := range []struct {
		amount int
		name   string
		status int
	}{{29, "张三", 400}, {29, "", 200}, {30, "张三", 200}, {199_999, "", 200}, {200_000, "", 400}, {200_000, "张三", 200}} {
		code := ""
		if test.status != 200 {
			code = "PARAM_ERROR"
		}
		s.want(t, test.status, code, "POST", billsPath, transfer(fmt.Sprint("N", i), test.amount, test.name))
	}
	require.NoError(t, s.Rules.Relax(sandbox.Names))
	s.want(t, 200, "", "POST", billsPath, transfer("N9", 200_000, ""))

	assert.Equal(t, "CANCELING", s.want(t, 200, "", "POST", billPath+"N1/cancel", nil)["state"])
	assert.Equal(t, "CANCELING", s.want(t, 200, "", "GET", billPath+"N1", nil)["state"])
	assert.Equal(t, "CANCELING", s.want(t, 200, "", "POST", billPath+"N1/cancel", nil)["state"])
	s.pass(time.Second)
	assert.Equal(t, "CANCELLED", s.want(t, 200, "", "GET", billPath+"N1", nil)["state"])
	s.pass(30*24*time.Hour - time.Second)
	s.want(t, 200, "", "GET", billPath+"N1", nil)
	s.pass(time.Second)
	s.want(t, 404, "NOT_FOUND", "GET", billPath+"N1", nil)
	require.NoError(t, s.Rules.Relax(sandbox.LookBack))
	s.want(t, 200, "", "GET", billPath+"N1", nil)
}
