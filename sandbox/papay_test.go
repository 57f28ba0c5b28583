package sandbox_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestContractThroughTheUser signs a contract as its user does, and charges and refunds the user.
func TestContractThroughTheUser(t *testing.T) {
	s := newSandbox(t)
	s.Deliveries.To(http.NotFoundHandler())
	sign := map[string]any{
		"appid": "wx0123456789abcdef", "plan_id": 12535, "out_contract_code": "K-1", "contract_display_account": "用户A",
		"contract_notify_url": "https://shop.example.com/contracts",
	}
	a := ask(t, s, "POST", "/v3/papay/scheduled-deduct-sign/contracts/pre-entrust-sign/app", sign)
	require.Equal(t, 200, a.StatusCode, "%s", a.body)
	assert.NotEmpty(t, a.json(t)["pre_entrustweb_id"])
	id, err := s.Users.SignContract("12535", "K-1")
	require.NoError(t, err)
	a = ask(t, s, "POST", "/v3/papay/pay/transactions/apply", map[string]any{
		"appid": "wx0123456789abcdef", "out_trade_no": "DEDUCT-1", "description": "月卡", "contract_id": id,
		"transaction_notify_url": "https://shop.example.com/orders", "amount": map[string]any{"total": 100},
	})
	require.Equal(t, 200, a.StatusCode, "%s", a.body)
	query := ask(t, s, "GET", "/v3/pay/transactions/out-trade-no/DEDUCT-1?mchid="+s.Merchant().ID, nil).json(t)
	assert.Equal(t, "SUCCESS", query["trade_state"])
	assert.NotContains(t, query, "contract_id")
	a = ask(t, s, "POST", "/v3/refund/domestic/refunds", map[string]any{
		"out_trade_no": "DEDUCT-1", "out_refund_no": "R-1", "amount": map[string]any{"refund": 100, "total": 100, "currency": "CNY"},
	})
	require.Equal(t, 200, a.StatusCode, "%s", a.body)
	require.NoError(t, s.Users.TerminateContract(id))
	told := ask(t, s, "GET", "/v3/papay/sign/contracts/plan-id/12535/out-contract-code/K-1", nil).json(t)
	assert.Equal(t, "TERMINATED", told["contract_state"])
}
