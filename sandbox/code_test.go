package sandbox_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/sandbox"
)

const (
	codePath    = "/v3/pay/transactions/codepay"
	reversePath = orderPath + "/reverse"
)

// byCode is a payment by code over total fen.
func byCode(s *sandbox.Sandbox, total int) map[string]any {
	return map[string]any{
		"appid": "wx0123456789abcdef", "mchid": s.Merchant().ID, "description": "形象店-深圳腾大", "out_trade_no": "ORDER-0001",
		"attach": "自定义", "payer": map[string]any{"auth_code": "130061098828009406"},
		"amount": map[string]any{"total": total}, "scene_info": map[string]any{"device_id": "POS-1"},
	}
}

// reversal is the body that reverses a payment by code.
func reversal(s *sandbox.Sandbox) map[string]any {
	return map[string]any{"appid": "wx0123456789abcdef", "mchid": s.Merchant().ID}
}

func state(t *testing.T, s *sandbox.Sandbox) any {
	t.Helper()
	a := ask(t, s, "GET", orderPath+"?mchid="+s.Merchant().ID, nil)
	require.Equal(t, 200, a.StatusCode, "%s", a.body)
	return a.json(t)["trade_state"]
}

func rejected(t *testing.T, a answer, status int, code string) {
	t.Helper()
	assert.Equal(t, status, a.StatusCode, "%s", a.body)
	assert.Equal(t, code, a.json(t)["code"])
}

func TestPaymentByCode(t *testing.T) {
	s := newSandbox(t)
	a := ask(t, s, "POST", codePath, byCode(s, 1000_00))
	require.Equal(t, 200, a.StatusCode, "%s", a.body)
	verify(t, s, time.Now(), a)
	paid := a.json(t)
	assert.Equal(t, "SUCCESS", paid["trade_state"])
	assert.Equal(t, "MICROPAY", paid["trade_type"])
	assert.Equal(t, "自定义", paid["attach"])
	assert.NotEmpty(t, paid["transaction_id"])
	assert.NotContains(t, string(a.body), "130061098828009406", "no response tells the code")
	assert.NotContains(t, paid, "description", "a field of the query alone")
	assert.Equal(t, "SUCCESS", state(t, s))
	assert.Empty(t, s.Deliveries.All(), "a payment by code has no notify_url")

	rejected(t, ask(t, s, "POST", codePath, byCode(s, 1000_00)), 400, "ORDER_PAID")
	rejected(t, ask(t, s, "POST", codePath, byCode(s, 1)), 403, "OUT_TRADE_NO_USED")
	other := with(byCode(s, 1000_00), "payer", map[string]any{"auth_code": "130061098828009407"})
	rejected(t, ask(t, s, "POST", codePath, other), 403, "OUT_TRADE_NO_USED")
	closing := ask(t, s, "POST", orderPath+"/close", map[string]any{"mchid": s.Merchant().ID})
	rejected(t, closing, 400, "INVALID_REQUEST")
	assert.Regexp(t, `-268449641$`, closing.Header.Get("Request-ID"))
	require.Len(t, s.Ledger.Effects("payment"), 1)
}

func TestPaymentByCodeWithPassword(t *testing.T) {
	tests := map[string]struct {
		act  func(*testing.T, *sandbox.Sandbox)
		want string
	}{
		"the user enters it": {func(t *testing.T, s *sandbox.Sandbox) {
			_, err := s.Users.Pay("ORDER-0001")
			require.NoError(t, err)
		}, "SUCCESS"},
		"the user turns away": {func(t *testing.T, s *sandbox.Sandbox) {
			require.NoError(t, s.Users.FailPayment("ORDER-0001"))
			_, err := s.Users.Pay("ORDER-0001")
			assert.ErrorContains(t, err, "another attempt takes another number")
		}, "PAYERROR"},
		"the merchant gives up": {func(t *testing.T, s *sandbox.Sandbox) {
			require.Equal(t, 200, ask(t, s, "POST", reversePath, reversal(s)).StatusCode)
			_, err := s.Users.Pay("ORDER-0001")
			assert.ErrorContains(t, err, "is reversed")
			rejected(t, ask(t, s, "POST", codePath, byCode(s, 1000_01)), 400, "ORDER_CLOSED")
			assert.Empty(t, s.Ledger.Effects(sandbox.ReversalEffect), "nothing was paid, and nothing goes back")
		}, "REVOKED"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newSandbox(t)
			for range 2 { // the same request again changes nothing
				a := ask(t, s, "POST", codePath, byCode(s, 1000_01))
				require.Equal(t, 200, a.StatusCode, "%s", a.body)
				assert.Equal(t, "USERPAYING", a.json(t)["trade_state"])
				assert.NotContains(t, a.json(t), "transaction_id")
			}
			assert.Equal(t, "USERPAYING", state(t, s))
			test.act(t, s)
			assert.Equal(t, test.want, state(t, s))
		})
	}
}

func TestReversePaid(t *testing.T) {
	s := newSandbox(t)
	missing := ask(t, s, "POST", reversePath, reversal(s))
	rejected(t, missing, 404, "ORDER_NOT_EXIST")
	require.Equal(t, 200, ask(t, s, "POST", codePath, byCode(s, 100)).StatusCode)
	for range 2 { // again with the same response, and one effect
		a := ask(t, s, "POST", reversePath, reversal(s))
		require.Equal(t, 200, a.StatusCode, "%s", a.body)
		want := map[string]any{"appid": "wx0123456789abcdef", "mchid": s.Merchant().ID, "out_trade_no": "ORDER-0001"}
		assert.Equal(t, want, a.json(t))
	}
	assert.Equal(t, "REVOKED", state(t, s))
	effects := s.Ledger.Effects(sandbox.ReversalEffect)
	require.Len(t, effects, 1)
	refund := map[string]any{
		"out_trade_no": "ORDER-0001", "out_refund_no": "R-1",
		"amount": map[string]any{"refund": 1, "total": 100, "currency": "CNY"},
	}
	late := ask(t, s, "POST", "/v3/refund/domestic/refunds", refund)
	rejected(t, late, 400, "INVALID_REQUEST")
	assert.Contains(t, string(late.body), "订单已撤销")
}

func TestReverseRejected(t *testing.T) {
	tests := map[string]func(*testing.T, *sandbox.Sandbox){
		"no payment by code": func(t *testing.T, s *sandbox.Sandbox) {
			require.Equal(t, 200, ask(t, s, "POST", "/v3/pay/transactions/native", native(s)).StatusCode)
		},
		"after a week": func(t *testing.T, s *sandbox.Sandbox) {
			require.Equal(t, 200, ask(t, s, "POST", codePath, byCode(s, 100)).StatusCode)
			require.NoError(t, s.Clock.Jump(7*24*time.Hour+time.Minute))
		},
		"after a refund": func(t *testing.T, s *sandbox.Sandbox) {
			require.Equal(t, 200, ask(t, s, "POST", codePath, byCode(s, 100)).StatusCode)
			a := ask(t, s, "POST", "/v3/refund/domestic/refunds", map[string]any{
				"out_trade_no": "ORDER-0001", "out_refund_no": "R-1",
				"amount": map[string]any{"refund": 1, "total": 100, "currency": "CNY"},
			})
			require.Equal(t, 200, a.StatusCode, "%s", a.body)
		},
	}
	for name, prepare := range tests {
		t.Run(name, func(t *testing.T) {
			s := newSandbox(t)
			prepare(t, s)
			rejected(t, ask(t, s, "POST", reversePath, reversal(s)), 400, "INVALID_REQUEST")
		})
	}
}

func TestReversalInBills(t *testing.T) {
	s := newShop(t, "2026-11-22 10:00:00")
	require.Equal(t, 200, s.ask(t, "POST", codePath, byCode(s.Sandbox, 1000)).StatusCode)
	s.pass(time.Minute)
	require.Equal(t, 200, s.ask(t, "POST", reversePath, reversal(s.Sandbox)).StatusCode)
	s.set("2026-11-23 10:00:00")
	file := func(target string) string {
		apply := s.get(t, target)
		return string(s.follow(t, apply["download_url"]).body)
	}
	trades := file("/v3/bill/tradebill?bill_date=2026-11-22")
	assert.Equal(t, 1, strings.Count(trades, "`MICROPAY,`SUCCESS,"))
	assert.Equal(t, 1, strings.Count(trades, "`MICROPAY,`REVOKED,"))
	assert.Contains(t, trades, "`2,`10.00,`10.00,`0.00,`0.00000,`10.00,`10.00", "the sums")
	flows := file("/v3/bill/fundflowbill?bill_date=2026-11-22")
	assert.Equal(t, 1, strings.Count(flows, "付款码支付撤销"))
}
