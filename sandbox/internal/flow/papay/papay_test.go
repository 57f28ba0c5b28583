package papay_test

import (
	"fmt"
	"maps"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/sandbox/internal/flow/order"
	"github.com/wxpay-go/wxpay/sandbox/internal/flow/papay"
	"github.com/wxpay-go/wxpay/sandbox/internal/sandboxtest"
)

const (
	preSign  = "/v3/papay/scheduled-deduct-sign/contracts/pre-entrust-sign/"
	contract = "/v3/papay/sign/contracts/plan-id/12535/out-contract-code/K-1"
	apply    = "/v3/papay/pay/transactions/apply"
)

type bench struct {
	*sandboxtest.Bench
	flow   *papay.Flow
	orders *order.Flow
}

func newBench(t *testing.T) bench {
	t.Helper()
	b := sandboxtest.New(t)
	orders := order.Open(b.Merchant)
	return bench{Bench: b, flow: papay.Open(b.Merchant, orders), orders: orders}
}

// with is the body that asks for the contract K-1, with changes.
func with(changes map[string]any) map[string]any {
	body := map[string]any{
		"appid": "wx1", "openid": "o1", "plan_id": 12535, "out_contract_code": "K-1", "contract_display_account": "用户A",
		"contract_notify_url": "https://merchant.example/contracts",
		"deduct_schedule": map[string]any{
			"estimated_deduct_date": "2025-01-08", "estimated_deduct_amount": map[string]any{"total": 100, "currency": "CNY"}, "description": "月卡",
		},
	}
	maps.Copy(body, changes)
	return body
}

// deduction is the body of a deduction of 100 fen, with changes.
func deduction(contractID string, changes map[string]any) map[string]any {
	body := map[string]any{
		"appid": "wx1", "out_trade_no": "DEDUCT-1", "description": "月卡", "attach": "a",
		"transaction_notify_url": "https://merchant.example/orders", "contract_id": contractID, "amount": map[string]any{"total": 100, "currency": "CNY"},
	}
	maps.Copy(body, changes)
	return body
}

func (b bench) signed(t *testing.T) (contractID string) {
	t.Helper()
	b.Do("POST", preSign+"jsapi", with(nil))
	contractID, err := b.flow.SignContract("12535", "K-1")
	require.NoError(t, err)
	return contractID
}

// TestContract leads a contract through its states. Each step survives a reload.
func TestContract(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	assert.Contains(t, b.Do("POST", preSign+"jsapi", with(nil))["redirect_url"], "https://")
	b.Reload()
	assert.Equal(t, "404 RESOURCE_NOT_EXISTS", b.Rejected("GET", contract, nil), "nobody has signed")
	assert.NotEmpty(t, b.Do("POST", preSign+"mini-program", with(nil))["redirect_appid"], "the same again, elsewhere")
	assert.Equal(t, "400 INVALID_REQUEST", b.Rejected("POST", preSign+"jsapi", with(map[string]any{"openid": "o2"})), "other content")

	id, err := b.flow.SignContract("12535", "K-1")
	require.NoError(t, err)
	b.Reload()
	told := b.Do("GET", contract, nil)
	assert.Equal(t, []any{id, "SIGNED", "o1", 12535.0, sandboxtest.MerchantID},
		[]any{told["contract_id"], told["contract_state"], told["openid"], told["plan_id"], told["mchid"]})
	assert.Equal(t, "NO_SCHEDULED", told["deduct_schedule"].(map[string]any)["schedule_state"])
	assert.NotContains(t, told, "contract_terminate_info")
	notified := b.Notified("ENTRUST.SIGN")
	require.Len(t, notified, 1)
	assert.Equal(t, []any{id, "SIGNED"}, []any{notified[0]["contract_id"], notified[0]["contract_state"]})
	assert.Equal(t, "400 INVALID_REQUEST", b.Rejected("POST", preSign+"jsapi", with(nil)), "it is signed")
	_, err = b.flow.SignContract("12535", "K-1")
	assert.EqualError(t, err, `sandbox: sign the contract "K-1" of plan "12535": it is SIGNED`)

	for range 2 { // the second one changes nothing
		told = b.Do("POST", contract+"/terminate", map[string]any{"contract_termination_remark": "套餐到期"})
		assert.Equal(t, "TERMINATED", told["contract_state"])
		assert.Equal(t, map[string]any{
			"contract_termination_mode": "MCH_API_TERMINATE", "contract_terminated_time": "2025-01-01T20:00:00+08:00", "contract_termination_remark": "套餐到期",
		}, told["contract_terminate_info"])
		b.Reload()
	}
	require.Len(t, b.Notified("ENTRUST.TERMINATE"), 1)
	assert.Equal(t, "400 INVALID_REQUEST", b.Rejected("POST", preSign+"jsapi", with(nil)), "its number is used up")
	assert.EqualError(t, b.flow.TerminateContract(id), `sandbox: terminate the contract "`+id+`": it is TERMINATED`)
	assert.ErrorContains(t, b.flow.TerminateContract("none"), "there is no such contract")
	_, err = b.flow.SignContract("1", "K-1")
	assert.ErrorContains(t, err, "there is no such contract")
}

func TestUserTerminates(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	id := b.signed(t)
	require.NoError(t, b.flow.TerminateContract(id))
	info := b.Do("GET", contract, nil)["contract_terminate_info"].(map[string]any)
	assert.Equal(t, "USER_TERMINATE", info["contract_termination_mode"])
	notified := b.Notified("ENTRUST.TERMINATE")
	require.Len(t, notified, 1)
	assert.Equal(t, "TERMINATED", notified[0]["contract_state"])
	assert.Equal(t, "400 INVALID_REQUEST", b.Rejected("POST", apply, deduction(id, nil)), "nothing is deducted any more")
}

// TestDeduction charges a user, whose order can be queried and is in the ledger.
func TestDeduction(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	id := b.signed(t)
	assert.Equal(t, map[string]any{"out_trade_no": "DEDUCT-1", "amount": map[string]any{"total": 100.0, "currency": "CNY"}},
		b.Do("POST", apply, deduction(id, nil)))
	b.Reload()
	told := b.Do("GET", "/v3/pay/transactions/out-trade-no/DEDUCT-1?mchid="+b.ID, nil)
	assert.Equal(t, []any{"SUCCESS", "PAP", "a", map[string]any{"openid": "o1"}},
		[]any{told["trade_state"], told["trade_type"], told["attach"], told["payer"]})
	notified := b.Notified("TRANSACTION.SUCCESS")
	require.Len(t, notified, 1)
	assert.Equal(t, []any{"DEDUCT-1", "SUCCESS"}, []any{notified[0]["out_trade_no"], notified[0]["trade_state"]})

	assert.Equal(t, "400 ORDER_PAID", b.Rejected("POST", apply, deduction(id, nil)), "the same again")
	assert.Equal(t, "403 OUT_TRADE_NO_USED", b.Rejected("POST", apply, deduction(id, map[string]any{"description": "年卡"})), "other content")
	require.NoError(t, b.flow.TerminateContract(id))
	assert.Equal(t, "400 ORDER_PAID", b.Rejected("POST", apply, deduction(id, nil)), "the same again, after the end of the contract")
	require.Len(t, b.Ledger.Effects("payment"), 1)
}

func TestRejections(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	id := b.signed(t)
	assert.Equal(t, "404 RESOURCE_NOT_EXISTS", b.Rejected("POST", apply, deduction("none", nil)))
	assert.Equal(t, "404 RESOURCE_NOT_EXISTS", b.Rejected("POST", contract+"9/terminate", map[string]any{"contract_termination_remark": "x"}))
	for name, changes := range map[string]map[string]any{
		"nothing to charge":     {"amount": map[string]any{"total": 0}},
		"another currency":      {"amount": map[string]any{"total": 1, "currency": "USD"}},
		"no address":            {"transaction_notify_url": "merchant.example"},
		"a blank in the number": {"out_trade_no": "DEDUCT 1"},
	} {
		assert.Equal(t, "400 PARAM_ERROR", b.Rejected("POST", apply, deduction(id, changes)), name)
	}
	assert.Equal(t, "400 PARAM_ERROR", b.Rejected("POST", preSign+"jsapi", with(map[string]any{"contract_notify_url": "ftp://x"})))
	require.Empty(t, b.Ledger.Effects("payment"), "a rejected one has no effect")
	require.NoError(t, b.orders.BindAppID("wx2"))
	assert.Equal(t, "400 APPID_MCHID_NOT_MATCH", b.Rejected("POST", preSign+"h5", with(map[string]any{"out_contract_code": "K-2"})))
	assert.Equal(t, "400 APPID_MCHID_NOT_MATCH", b.Rejected("POST", apply, deduction(id, nil)))
	require.Empty(t, b.Ledger.Effects("payment"), "nor has this one")
}

// TestBindingMeanwhile binds appids while requests come. The race detector finds a request that
// reads them without the book.
func TestBindingMeanwhile(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	id := b.signed(t)
	require.NoError(t, b.orders.BindAppID("wx1"))
	stop := sandboxtest.Meanwhile(func(i int) { assert.NoError(t, b.orders.BindAppID(fmt.Sprint("wx-", i))) })
	for i := range 20 {
		number := fmt.Sprint("DEDUCT-", i)
		b.Do("POST", preSign+"h5", with(map[string]any{"out_contract_code": number}))
		b.Do("POST", apply, deduction(id, map[string]any{"out_trade_no": number}))
	}
	stop()
}
