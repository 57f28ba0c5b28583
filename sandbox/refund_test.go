//go:build go1.25

package sandbox_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/sandbox"
)

const refundPath = "/v3/refund/domestic/refunds"

// refund asks for a refund of the order ORDER-0001 over 100 fen.
func refund(number string, sum int) map[string]any {
	return map[string]any{
		"out_trade_no": "ORDER-0001", "out_refund_no": number, "amount": map[string]any{"refund": sum, "total": 100, "currency": "CNY"},
	}
}

func paid(t testing.TB, s *sandbox.Sandbox) (transaction string) {
	t.Helper()
	transaction, err := s.Users.AddPaidOrder("ORDER-0001", 100)
	require.NoError(t, err)
	assert.Regexp(t, `^\d{28}$`, transaction)
	return transaction
}

func TestRefundLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSandbox(t)
		transaction := paid(t, s)
		s.Ledger.SetEnding(func(kind sandbox.EffectKind, number string) sandbox.Ending {
			assert.Equal(t, sandbox.RefundEffect, kind)
			assert.Equal(t, "R-1", number)
			return sandbox.Ending{After: time.Hour}
		})
		written := time.Now()
		request := refund("R-1", 30)
		request["amount"].(map[string]any)["from"] = []any{map[string]any{"account": "AVAILABLE", "amount": 30}}
		a := ask(t, s, "POST", refundPath, request)
		require.Equal(t, 200, a.StatusCode, "%s", a.body)
		verify(t, s, time.Now(), a)
		want := a.json(t)
		assert.Regexp(t, `^\d{29}$`, want["refund_id"])
		assert.Equal(t, map[string]any{
			"refund_id": want["refund_id"], "out_refund_no": "R-1", "transaction_id": transaction, "out_trade_no": "ORDER-0001", "channel": "ORIGINAL",
			"user_received_account": "支付用户零钱", "create_time": written.In(time.FixedZone("", 8*3600)).Format(time.RFC3339), "status": "PROCESSING",
			"funds_account": "UNSETTLED", "promotion_detail": []any{}, "amount": map[string]any{
				"total": 100.0, "refund": 30.0, "payer_total": 100.0, "payer_refund": 30.0, "settlement_refund": 30.0, "settlement_total": 100.0,
				"discount_refund": 0.0, "currency": "CNY", "from": []any{map[string]any{"account": "AVAILABLE", "amount": 30.0}},
			},
		}, want)
		assert.Equal(t, want, ask(t, s, "POST", refundPath, request).json(t), "the state comes back")
		assert.Equal(t, want, ask(t, s, "GET", refundPath+"/R-1", nil).json(t))
		order := ask(t, s, "GET", orderPath+"?mchid="+s.Merchant().ID, nil).json(t)
		assert.Equal(t, "REFUND", order["trade_state"])

		time.Sleep(time.Hour)
		after := ask(t, s, "GET", refundPath+"/R-1", nil).json(t)
		assert.Equal(t, "SUCCESS", after["status"])
		assert.Equal(t, written.Add(time.Hour).In(time.FixedZone("", 8*3600)).Format(time.RFC3339), after["success_time"])
		assert.Equal(t, "SUCCESS", ask(t, s, "POST", refundPath, request).json(t)["status"])

		effects := s.Ledger.Effects(sandbox.RefundEffect)
		require.Len(t, effects, 1)
		assert.JSONEq(t, string(newCall(s, written, "POST", "", request).body), effects[0].Params)
		effects[0].Params = ""
		assert.Equal(t, []sandbox.Effect{{Kind: "refund", Number: "R-1", Amount: 30, State: "SUCCESS", Time: written}}, effects)
		assert.Len(t, s.Ledger.Effects(), 3)
		assert.Len(t, s.Ledger.Effects(sandbox.OrderEffect, sandbox.PaymentEffect), 2)
		assert.Equal(t, "REFUND", s.Ledger.Effects(sandbox.OrderEffect)[0].State)
	})
}

func TestRefundRefusals(t *testing.T) {
	s := unpaced(t)
	require.NoError(t, s.Rules.Relax(sandbox.RefundPace))
	transaction := paid(t, s)
	require.Equal(t, 200, ask(t, s, "POST", "/v3/pay/transactions/native", with(native(s), "out_trade_no", "UNPAID")).StatusCode)
	require.Equal(t, 200, ask(t, s, "POST", refundPath, refund("R-1", 60)).StatusCode)
	amount := func(name string, value any) map[string]any {
		r := refund("R-2", 1)
		r["amount"] = with(r["amount"].(map[string]any), name, value)
		return r
	}
	before := s.Ledger.Effects()
	for name, test := range map[string]struct {
		body   map[string]any
		status int
		code   string
	}{
		"same number, other sum":    {refund("R-1", 61), 400, "INVALID_REQUEST"},
		"same number, other member": {with(refund("R-1", 60), "reason", "x"), 400, "INVALID_REQUEST"},
		"more than is left":         {refund("R-2", 41), 400, "INVALID_REQUEST"},
		"another total":             {amount("total", 99), 400, "INVALID_REQUEST"},
		"unknown order":             {with(refund("R-2", 1), "out_trade_no", "ORDER-0002"), 404, "RESOURCE_NOT_EXISTS"},
		"unpaid order":              {with(refund("R-2", 1), "out_trade_no", "UNPAID"), 404, "RESOURCE_NOT_EXISTS"},
		"unknown transaction":       {with(refund("R-2", 1), "transaction_id", "4200"), 404, "RESOURCE_NOT_EXISTS"},
		"transaction of another":    {with(with(refund("R-2", 1), "transaction_id", transaction), "out_trade_no", "UNPAID"), 404, "RESOURCE_NOT_EXISTS"},
		"neither number":            {with(refund("R-2", 1), "out_trade_no", nil), 400, "PARAM_ERROR"},
		"a sub-merchant":            {with(refund("R-2", 1), "sub_mchid", "1900000110"), 403, "NO_AUTH"},
		"nothing to refund":         {refund("R-2", 0), 400, "PARAM_ERROR"},
		"total zero":                {amount("total", 0), 400, "PARAM_ERROR"},
		"other currency":            {amount("currency", "USD"), 400, "PARAM_ERROR"},
		"no currency":               {amount("currency", nil), 400, "PARAM_ERROR"},
		"number of 65":              {refund(strings.Repeat("1", 65), 1), 400, "PARAM_ERROR"},
		"number with a blank":       {refund("R 2", 1), 400, "PARAM_ERROR"},
		"notify_url with a query":   {with(refund("R-2", 1), "notify_url", "https://a.example/?x"), 400, "PARAM_ERROR"},
	} {
		a := ask(t, s, "POST", refundPath, test.body)
		assert.Equal(t, test.status, a.StatusCode, "%s: %s", name, a.body)
		assert.Equal(t, test.code, a.json(t)["code"], name)
	}
	a := ask(t, s, "GET", refundPath+"/R-2", nil)
	assert.Equal(t, 404, a.StatusCode)
	assert.Equal(t, "RESOURCE_NOT_EXISTS", a.json(t)["code"])
	assert.Equal(t, 403, ask(t, s, "GET", refundPath+"/R-1?sub_mchid=1900000110", nil).StatusCode)
	assert.Equal(t, before, s.Ledger.Effects(), "no refusal has an effect")

	body := with(refund("A_-|*@"+strings.Repeat("9", 58), 40), "transaction_id", transaction)
	assert.Equal(t, 200, ask(t, s, "POST", refundPath, body).StatusCode, "the rest can be refunded, by both numbers")
}

func TestRefundLimits(t *testing.T) {
	now := time.Now()
	s := newSandbox(t, sandbox.WithClock(func() time.Time { return now }))
	require.NoError(t, s.Rules.Relax(sandbox.RefundPace))
	paid(t, s)
	ask := func(number string) answer {
		return newCall(s, now, "POST", refundPath, refund(number, 1)).sign(s).send(t, s.Transport(), inProcess)
	}
	for i := range 50 {
		require.Equal(t, 200, ask(fmt.Sprint("R", i)).StatusCode)
	}
	assert.Equal(t, "INVALID_REQUEST", ask("R50").json(t)["code"])
	_, err := s.Users.AddPaidOrder("ORDER-0002", 100)
	require.NoError(t, err)
	body := with(refund("R60", 1), "out_trade_no", "ORDER-0002")
	now = now.AddDate(1, 0, 1)
	assert.Equal(t, "INVALID_REQUEST", newCall(s, now, "POST", refundPath, body).sign(s).send(t, s.Transport(), inProcess).json(t)["code"])
}

func TestRefundEnds(t *testing.T) {
	s := newSandbox(t)
	require.NoError(t, s.Rules.Relax(sandbox.RefundPace))
	paid(t, s)
	fates := map[string]sandbox.Ending{"R1": {State: "CLOSED"}, "R2": {State: "ABNORMAL"}, "R3": {After: -1}, "R4": {State: "FAIL"}}
	s.Ledger.SetEnding(func(_ sandbox.EffectKind, number string) sandbox.Ending { return fates[number] })
	status := func(number string) any { return ask(t, s, "GET", refundPath+"/"+number, nil).json(t)["status"] }

	assert.Equal(t, "PROCESSING", ask(t, s, "POST", refundPath, refund("R1", 100)).json(t)["status"], "what comes at once comes after the answer")
	assert.Equal(t, "CLOSED", status("R1"))
	assert.Equal(t, "SUCCESS", s.Ledger.Effects(sandbox.OrderEffect)[0].State, "a closed refund gives its sum back")
	require.Equal(t, 200, ask(t, s, "POST", refundPath, refund("R2", 60)).StatusCode)
	assert.Equal(t, "ABNORMAL", status("R2"))
	require.Equal(t, 200, ask(t, s, "POST", refundPath, refund("R3", 40)).StatusCode)
	assert.Equal(t, "PROCESSING", status("R3"))

	a := ask(t, s, "POST", refundPath, with(refund("R4", 1), "out_trade_no", "ORDER-0001"))
	assert.Equal(t, "INVALID_REQUEST", a.json(t)["code"], "nothing is left")
	require.NoError(t, s.Ledger.Settle(sandbox.RefundEffect, "R3", "CLOSED"))
	a = ask(t, s, "POST", refundPath, refund("R4", 1))
	assert.Equal(t, 500, a.StatusCode)
	assert.Contains(t, s.Journal.All()[len(s.Journal.All())-1].Reason, `SetEnding gave the refund the state "FAIL", which it cannot end in`)
	assert.Nil(t, status("R4"))

	require.NoError(t, s.Ledger.Settle(sandbox.RefundEffect, "R2", "SUCCESS"), "an abnormal refund can be handled")
	assert.Equal(t, "SUCCESS", status("R2"))
	for want, err := range map[string]error{
		"sandbox: settle: the refund has ended as SUCCESS":                                               s.Ledger.Settle(sandbox.RefundEffect, "R2", "CLOSED"),
		"sandbox: settle: the refund has ended as CLOSED":                                                s.Ledger.Settle(sandbox.RefundEffect, "R1", "SUCCESS"),
		`sandbox: settle: there is no refund "R9"`:                                                       s.Ledger.Settle(sandbox.RefundEffect, "R9", "SUCCESS"),
		`sandbox: settle: there is no transfer "R2"`:                                                     s.Ledger.Settle(sandbox.TransferEffect, "R2", "SUCCESS"),
		`sandbox: settle: a refund ends in SUCCESS, CLOSED, ABNORMAL, not in "DONE"`:                     s.Ledger.Settle(sandbox.RefundEffect, "R2", "DONE"),
		`sandbox: settle: only refunds, transfers, shares and returns have states to reach, not "order"`: s.Ledger.Settle(sandbox.OrderEffect, "R2", "CLOSED"),
	} {
		assert.EqualError(t, err, want)
	}
}

// TestRefundOnce: of many at a time one takes effect.
func TestRefundOnce(t *testing.T) {
	s := newSandbox(t)
	require.NoError(t, s.Rules.Relax(sandbox.RefundPace))
	paid(t, s)
	var wait sync.WaitGroup
	for i := range 32 {
		wait.Go(func() {
			assert.Equal(t, 200, ask(t, s, "POST", refundPath, refund("R-1", 60)).StatusCode)
			ask(t, s, "POST", refundPath, refund(fmt.Sprint("S", i%4), 20)) // two of four fit
			s.Ledger.Effects()
		})
	}
	wait.Wait()
	sum := int64(0)
	for _, e := range s.Ledger.Effects(sandbox.RefundEffect) {
		sum += e.Amount
	}
	assert.EqualValues(t, 100, sum)
	assert.Len(t, s.Ledger.Effects(sandbox.RefundEffect), 3)
}

// TestRefundsByTheClock: where the clock is the test's, what is due has come whoever asks first.
func TestRefundsByTheClock(t *testing.T) {
	now := time.Now()
	s := newSandbox(t, sandbox.WithClock(func() time.Time { return now }))
	defer s.Close()
	paid(t, s)
	s.Ledger.SetEnding(func(sandbox.EffectKind, string) sandbox.Ending {
		return sandbox.Ending{State: "CLOSED", After: time.Hour}
	})
	ask := func(method, target string, body any) answer {
		return newCall(s, now, method, target, body).sign(s).send(t, s.Transport(), inProcess)
	}
	closes := func(number string) {
		require.Equal(t, 200, ask("POST", refundPath, refund(number, 100)).StatusCode)
		now = now.Add(time.Hour)
	}
	closes("R1")
	assert.Equal(t, "SUCCESS", s.Ledger.Effects(sandbox.OrderEffect)[0].State)
	closes("R2")
	assert.Equal(t, "SUCCESS", ask("GET", orderPath+"?mchid="+s.Merchant().ID, nil).json(t)["trade_state"])
	closes("R3")
	closes("R4") // over the whole order again
	assert.Equal(t, "CLOSED", s.Ledger.Effects(sandbox.RefundEffect)[3].State)
}
