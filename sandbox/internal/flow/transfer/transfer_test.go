package transfer_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/sandbox/internal/flow/file"
	"github.com/wxpay-go/wxpay/sandbox/internal/flow/order"
	"github.com/wxpay-go/wxpay/sandbox/internal/flow/transfer"
	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
	"github.com/wxpay-go/wxpay/sandbox/internal/ledger"
	"github.com/wxpay-go/wxpay/sandbox/internal/sandboxtest"
)

const (
	bills    = "/v3/fund-app/mch-transfer/transfer-bills"
	byNumber = bills + "/out-bill-no/"
	byID     = bills + "/transfer-bill-no/"
	openid   = "obLatjnx9gnqzS4myYGmLZ7LgLBA"
	finished = "MCHTRANSFER.BILL.FINISHED"
)

func newBench(t *testing.T) *sandboxtest.Bench {
	t.Helper()
	b := sandboxtest.New(t)
	transfer.Open(b.Merchant, order.Open(b.Merchant))
	file.Open(b.Merchant)
	return b
}

// bill is a request for a transfer of 100 fen. A nil value in change removes a field.
func bill(number string, change map[string]any) map[string]any {
	body := map[string]any{
		"appid": "wx0123456789abcdef", "out_bill_no": number, "openid": openid, "transfer_amount": 100,
		"transfer_remark": "新会员开通有礼", "transfer_scene_id": "1000", "notify_url": "https://merchant.example/transfers",
		"transfer_scene_report_infos": []any{map[string]any{"info_type": "活动名称", "info_content": "新会员有礼"}},
	}
	maps.Copy(body, change)
	maps.DeleteFunc(body, func(_ string, value any) bool { return value == nil })
	return body
}

func TestLife(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	named := bill("B1", map[string]any{"user_name": b.EncryptForPlatform("张三")})
	accepted := b.Do("POST", bills, named)
	id, _ := accepted["transfer_bill_no"].(string)
	assert.Regexp(t, `^1330020250101\d{27}$`, id)
	assert.NotEmpty(t, accepted["package_info"])
	assert.Equal(t, map[string]any{
		"out_bill_no": "B1", "transfer_bill_no": id, "create_time": "2025-01-01T20:00:00+08:00",
		"state": "WAIT_USER_CONFIRM", "package_info": accepted["package_info"],
	}, accepted)

	b.Pass(time.Minute)
	b.Reload()
	assert.Equal(t, "400 INVALID_REQUEST", b.Rejected("POST", bills, bill("B1", nil)), "with other parameters")
	named["user_name"] = b.EncryptForPlatform("张三")
	assert.Equal(t, accepted, b.Do("POST", bills, named), "the same name under another encryption is the same request")
	assert.Empty(t, b.Notified(finished), "nothing is final yet")

	require.NoError(t, b.Ledger.Settle("transfer", "B1", "SUCCESS"))
	final := map[string]any{
		"mch_id": sandboxtest.MerchantID, "out_bill_no": "B1", "transfer_bill_no": id, "state": "SUCCESS",
		"transfer_amount": 100.0, "openid": openid,
		"create_time": "2025-01-01T20:00:00+08:00", "update_time": "2025-01-01T20:01:00+08:00",
	}
	assert.Equal(t, []map[string]any{final}, b.Notified(finished))
	final["appid"], final["transfer_remark"] = "wx0123456789abcdef", "新会员开通有礼"
	for _, path := range []string{byNumber + "B1", byID + id} {
		told := b.Do("GET", path, nil)
		assert.Equal(t, "张三", b.Decrypt(told["user_name"]))
		delete(told, "user_name")
		assert.Equal(t, final, told)
	}
	repeated := b.Do("POST", bills, named)
	assert.Equal(t, "SUCCESS", repeated["state"])
	assert.NotContains(t, repeated, "package_info", "the user has nothing to confirm any more")

	effects := b.Ledger.Effects("transfer")
	require.Len(t, effects, 1)
	assert.Contains(t, effects[0].Params, "张三")
	effects[0].Params = ""
	assert.Equal(t, ledger.Effect{Kind: "transfer", Number: "B1", Amount: 100, State: "SUCCESS", Time: sandboxtest.Start}, effects[0])
}

func TestEnds(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		ending   ledger.Ending
		before   string // state when it was accepted
		after    string // state an hour later
		reason   any    // fail_reason then
		notified int
	}{
		"with success":        {ledger.Ending{}, "WAIT_USER_CONFIRM", "SUCCESS", nil, 1},
		"with failure":        {ledger.Ending{State: "FAIL"}, "WAIT_USER_CONFIRM", "FAIL", "PAYEE_ACCOUNT_ABNORMAL", 1},
		"after an hour":       {ledger.Ending{After: time.Hour}, "WAIT_USER_CONFIRM", "SUCCESS", nil, 1},
		"just not yet":        {ledger.Ending{After: time.Hour + 1}, "WAIT_USER_CONFIRM", "WAIT_USER_CONFIRM", nil, 0},
		"when it is settled":  {ledger.Ending{After: -1}, "WAIT_USER_CONFIRM", "WAIT_USER_CONFIRM", nil, 0},
		"with a cancellation": {ledger.Ending{State: "CANCELLED"}, "WAIT_USER_CONFIRM", "CANCELLED", nil, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.Ledger.SetEnding(func(kind, number string) ledger.Ending {
				assert.Equal(t, "transfer B1", kind+" "+number)
				return test.ending
			})
			assert.Equal(t, test.before, b.Do("POST", bills, bill("B1", nil))["state"], "the first response knows no end")
			b.Pass(time.Hour)
			told := b.Do("GET", byNumber+"B1", nil)
			assert.Equal(t, test.after, told["state"])
			assert.Equal(t, test.reason, told["fail_reason"])
			assert.Equal(t, test.reason, b.Do("POST", bills, bill("B1", nil))["fail_reason"])
			assert.Len(t, b.Notified(finished), test.notified)
		})
	}
	t.Run("with a state that does not exist", func(t *testing.T) {
		t.Parallel()
		b := newBench(t)
		b.Ledger.SetEnding(func(string, string) ledger.Ending { return ledger.Ending{State: "CLOSED"} })
		assert.Equal(t, "500 SYSTEM_ERROR", b.Rejected("POST", bills, bill("B1", nil)))
		assert.Empty(t, b.Ledger.Effects())
	})
}

func TestCancel(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.Do("POST", bills, bill("B1", nil))
	cancel := byNumber + "B1/cancel"
	assert.Equal(t, "CANCELING", b.Do("POST", cancel, nil)["state"])
	assert.Equal(t, "CANCELING", b.Do("POST", cancel, nil)["state"], "a repetition changes nothing")
	b.Pass(time.Second - 1)
	b.Reload()
	assert.Equal(t, "CANCELING", b.Do("GET", byNumber+"B1", nil)["state"])
	b.Pass(1)
	assert.Equal(t, "CANCELLED", b.Do("GET", byNumber+"B1", nil)["state"])
	assert.Equal(t, "CANCELLED", b.Do("POST", cancel, nil)["state"])
	assert.EqualError(t, b.Ledger.Settle("transfer", "B1", "SUCCESS"), "sandbox: settle: the transfer has ended as CANCELLED")
	assert.Equal(t, "404 NOT_FOUND", b.Rejected("POST", byNumber+"B2/cancel", nil))

	require.NoError(t, b.Rules.Set(false, []gate.Rule{gate.AsyncCancel}))
	b.Ledger.SetEnding(func(string, string) ledger.Ending { return ledger.Ending{After: time.Hour} })
	b.Do("POST", bills, bill("B3", nil))
	b.Do("POST", byNumber+"B3/cancel", nil)
	assert.Equal(t, "CANCELLED", b.Do("GET", byNumber+"B3", nil)["state"], "a cancellation takes no time without the rule")
	b.Pass(2 * time.Hour)
	assert.Equal(t, "CANCELLED", b.Do("GET", byNumber+"B3", nil)["state"], "it came before the ending")

	for _, final := range []string{"SUCCESS", "FAIL"} {
		b.Do("POST", bills, bill(final, nil))
		require.NoError(t, b.Ledger.Settle("transfer", final, final))
		assert.Equal(t, "400 INVALID_REQUEST", b.Rejected("POST", byNumber+final+"/cancel", nil), final)
	}
}

func TestRejections(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	name := b.EncryptForPlatform("张三")
	for reason, test := range map[string]struct {
		change map[string]any
		want   string
	}{
		"amount of zero":          {map[string]any{"transfer_amount": 0}, "400 PARAM_ERROR"},
		"amount with a fraction":  {map[string]any{"transfer_amount": 1.5}, "400 PARAM_ERROR"},
		"amount as a text":        {map[string]any{"transfer_amount": "100"}, "400 PARAM_ERROR"},
		"number with a hyphen":    {map[string]any{"out_bill_no": "B-1"}, "400 PARAM_ERROR"},
		"number of 33 characters": {map[string]any{"out_bill_no": strings.Repeat("B", 33)}, "400 PARAM_ERROR"},
		"name in the clear":       {map[string]any{"user_name": "张三"}, "400 PARAM_ERROR"},
		"no remark":               {map[string]any{"transfer_remark": nil}, "400 PARAM_ERROR"},
		"remark of 33 characters": {map[string]any{"transfer_remark": strings.Repeat("字", 33)}, "400 PARAM_ERROR"},
		"relative notify_url":     {map[string]any{"notify_url": "/x"}, "400 PARAM_ERROR"},
		"29 fen with a name":      {map[string]any{"transfer_amount": 29, "user_name": name}, "400 PARAM_ERROR"},
		"2,000 yuan, no name":     {map[string]any{"transfer_amount": 200_000}, "400 PARAM_ERROR"},
	} {
		assert.Equal(t, test.want, b.Rejected("POST", bills, bill("B1", test.change)), reason)
	}
	for _, path := range []string{byNumber + "B1", byID + "1330"} {
		assert.Equal(t, "404 NOT_FOUND", b.Rejected("GET", path, nil), path)
	}
	assert.Empty(t, b.Ledger.Effects(), "a rejection has no effect")

	b.Do("POST", bills, bill("N1", map[string]any{"transfer_amount": 30, "user_name": name}))
	b.Do("POST", bills, bill("N2", map[string]any{"transfer_amount": 199_999}))
	require.NoError(t, b.Rules.Set(false, []gate.Rule{gate.Names}))
	b.Do("POST", bills, bill("N3", map[string]any{"transfer_amount": 200_000}))
	b.Do("POST", bills, bill("N4", map[string]any{"transfer_amount": 29, "user_name": name}))
}

func TestBoundAppID(t *testing.T) {
	t.Parallel()
	b := sandboxtest.New(t)
	orders := order.Open(b.Merchant)
	transfer.Open(b.Merchant, orders)
	require.NoError(t, orders.BindAppID("wx8888888888888888"))
	assert.Equal(t, "400 APPID_MCHID_NOT_MATCH", b.Rejected("POST", bills, bill("B1", nil)))
	b.Do("POST", bills, bill("B1", map[string]any{"appid": "wx8888888888888888"}))
}

func TestQueriesLookBack(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.Do("POST", bills, bill("B1", nil))
	b.Pass(30 * 24 * time.Hour)
	b.Do("GET", byNumber+"B1", nil)
	b.Pass(1)
	assert.Equal(t, "404 NOT_FOUND", b.Rejected("GET", byNumber+"B1", nil))
	require.NoError(t, b.Rules.Set(false, []gate.Rule{gate.LookBack}))
	b.Do("GET", byNumber+"B1", nil)
}
