//go:build go1.25

package sandbox_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/sandbox"
)

const (
	billsPath = "/v3/fund-app/mch-transfer/transfer-bills"
	billPath  = billsPath + "/out-bill-no/"
)

// bill asks for a transfer of 100 fen.
func bill(number string) map[string]any {
	return map[string]any{
		"appid": "wx0123456789abcdef", "out_bill_no": number, "openid": "obLatjnx9gnqzS4myYGmLZ7LgLBA", "transfer_amount": 100, "transfer_remark": "新会员开通有礼",
		"transfer_scene_id": "1000", "transfer_scene_report_infos": []any{map[string]any{"info_type": "活动名称", "info_content": "新会员有礼"}},
	}
}

func TestTransferLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSandbox(t)
		written := time.Now()
		beijing := func(at time.Time) string { return at.In(time.FixedZone("", 8*3600)).Format(time.RFC3339) }
		sealed, err := apiv3.RSA().Encrypt(s.Keys.PublicKey(), []byte("张三"))
		require.NoError(t, err)
		request := with(bill("B1"), "user_name", base64.StdEncoding.EncodeToString(sealed))
		a := ask(t, s, "POST", billsPath, request)
		require.Equal(t, 200, a.StatusCode, "%s", a.body)
		verify(t, s, time.Now(), a)
		accepted := a.json(t)
		assert.Regexp(t, `^\d{40}$`, accepted["transfer_bill_no"])
		assert.NotEmpty(t, accepted["package_info"])
		assert.Equal(t, map[string]any{
			"out_bill_no": "B1", "transfer_bill_no": accepted["transfer_bill_no"], "create_time": beijing(written), "state": "WAIT_USER_CONFIRM",
			"package_info": accepted["package_info"],
		}, accepted)

		time.Sleep(time.Minute)
		again := with(request, "user_name", nil)
		assert.Equal(t, "INVALID_REQUEST", ask(t, s, "POST", billsPath, again).json(t)["code"], "other parameters")
		resealed, err := apiv3.RSA().Encrypt(s.Keys.PublicKey(), []byte("张三"))
		require.NoError(t, err)
		again["user_name"] = base64.StdEncoding.EncodeToString(resealed)
		assert.Equal(t, accepted, ask(t, s, "POST", billsPath, again).json(t), "the same name under another encryption is the same request")

		require.NoError(t, s.Ledger.Settle(sandbox.TransferEffect, "B1", "SUCCESS"))
		for _, path := range []string{billPath + "B1", billsPath + "/transfer-bill-no/" + accepted["transfer_bill_no"].(string)} {
			a = ask(t, s, "GET", path, nil)
			require.Equal(t, 200, a.StatusCode)
			got := a.json(t)
			name, err := base64.StdEncoding.DecodeString(got["user_name"].(string))
			require.NoError(t, err)
			opened, err := apiv3.RSA().Decrypt(s.Merchant().PrivateKey, name)
			require.NoError(t, err, "encrypted to the merchant")
			assert.Equal(t, "张三", string(opened))
			delete(got, "user_name")
			assert.Equal(t, map[string]any{
				"mch_id": s.Merchant().ID, "out_bill_no": "B1", "transfer_bill_no": accepted["transfer_bill_no"], "appid": "wx0123456789abcdef", "state": "SUCCESS",
				"transfer_amount": 100.0, "transfer_remark": "新会员开通有礼", "openid": "obLatjnx9gnqzS4myYGmLZ7LgLBA",
				"create_time": beijing(written), "update_time": beijing(written.Add(time.Minute)),
			}, got)
		}
		repeated := ask(t, s, "POST", billsPath, again).json(t)
		assert.Equal(t, "SUCCESS", repeated["state"])
		assert.NotContains(t, repeated, "package_info")
		effects := s.Ledger.Effects()
		require.Len(t, effects, 1)
		assert.Contains(t, effects[0].Params, "张三")
		effects[0].Params = ""
		assert.Equal(t, sandbox.Effect{Kind: "transfer", Number: "B1", Amount: 100, State: "SUCCESS", Time: written}, effects[0])
	})
}

func TestTransferEnds(t *testing.T) {
	s := newSandbox(t)
	require.NoError(t, s.Rules.Relax(sandbox.AsyncCancel))
	s.Ledger.SetEnding(func(_ sandbox.EffectKind, number string) sandbox.Ending {
		return map[string]sandbox.Ending{"FAIL": {State: "FAIL"}, "WAIT": {After: -1}, "LATER": {After: time.Hour}, "BAD": {State: "CLOSED"}}[number]
	})
	for _, number := range []string{"OK", "FAIL", "WAIT", "LATER"} {
		a := ask(t, s, "POST", billsPath, bill(number))
		require.Equal(t, 200, a.StatusCode, "%s", a.body)
		assert.Equal(t, "WAIT_USER_CONFIRM", a.json(t)["state"])
	}
	assert.Equal(t, 500, ask(t, s, "POST", billsPath, bill("BAD")).StatusCode)
	state := func(number string) any { return ask(t, s, "GET", billPath+number, nil).json(t)["state"] }
	assert.Equal(t, "SUCCESS", state("OK"))
	assert.Equal(t, "PAYEE_ACCOUNT_ABNORMAL", ask(t, s, "GET", billPath+"FAIL", nil).json(t)["fail_reason"])
	assert.Equal(t, "PAYEE_ACCOUNT_ABNORMAL", ask(t, s, "POST", billsPath, bill("FAIL")).json(t)["fail_reason"])

	for number, want := range map[string]struct {
		status int
		member string
		value  any
	}{
		"WAIT": {200, "state", "CANCELING"}, "LATER": {200, "state", "CANCELING"},
		"OK": {400, "code", "INVALID_REQUEST"}, "FAIL": {400, "code", "INVALID_REQUEST"}, "NONE": {404, "code", "NOT_FOUND"},
	} {
		a := ask(t, s, "POST", billPath+number+"/cancel", nil)
		assert.Equal(t, want.status, a.StatusCode, "%s: %s", number, a.body)
		assert.Equal(t, want.value, a.json(t)[want.member], number)
	}
	assert.Equal(t, "CANCELLED", state("WAIT"))
	assert.Equal(t, "CANCELLED", ask(t, s, "POST", billPath+"WAIT/cancel", nil).json(t)["state"], "cancelling again")
	assert.Equal(t, "CANCELLED", state("LATER"), "the cancellation overtook what was to come")
	assert.EqualError(t, s.Ledger.Settle(sandbox.TransferEffect, "LATER", "SUCCESS"), "sandbox: settle: the transfer has ended as CANCELLED")
	assert.NoError(t, s.Close())
}

func TestTransferRefusals(t *testing.T) {
	s := newSandbox(t)
	for name, body := range map[string]map[string]any{
		"amount zero":         with(bill("B1"), "transfer_amount", 0),
		"amount fraction":     with(bill("B1"), "transfer_amount", 1.5),
		"amount text":         with(bill("B1"), "transfer_amount", "100"),
		"number with -":       bill("B-1"),
		"number of 33":        bill(strings.Repeat("B", 33)),
		"name in the clear":   with(bill("B1"), "user_name", "张三"),
		"no remark":           with(bill("B1"), "transfer_remark", nil),
		"remark of 33":        with(bill("B1"), "transfer_remark", strings.Repeat("字", 33)),
		"notify_url relative": with(bill("B1"), "notify_url", "/x"),
	} {
		a := ask(t, s, "POST", billsPath, body)
		assert.Equal(t, 400, a.StatusCode, "%s: %s", name, a.body)
		assert.Equal(t, "PARAM_ERROR", a.json(t)["code"], name)
	}
	for _, path := range []string{billPath + "B1", billsPath + "/transfer-bill-no/1330"} {
		a := ask(t, s, "GET", path, nil)
		assert.Equal(t, 404, a.StatusCode)
		assert.Equal(t, "NOT_FOUND", a.json(t)["code"])
	}
	assert.Empty(t, s.Ledger.Effects())
}
