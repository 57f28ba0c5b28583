package ecommerce_test

import (
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/sandbox/internal/flow/ecommerce"
	"github.com/wxpay-go/wxpay/sandbox/internal/flow/order"
	"github.com/wxpay-go/wxpay/sandbox/internal/flow/refund"
	"github.com/wxpay-go/wxpay/sandbox/internal/flow/share"
	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
	"github.com/wxpay-go/wxpay/sandbox/internal/ledger"
	"github.com/wxpay-go/wxpay/sandbox/internal/sandboxtest"
)

const (
	sub     = "1900000110"
	refunds = "/v3/ecommerce/refunds/"
	byOut   = refunds + "out-refund-no/"
	ofSub   = "?sub_mchid=" + sub
)

// bench is a platform with the flow and one sub-merchant, whose order over 100 fen is paid.
type bench struct {
	*sandboxtest.Bench
	shares      *share.Flow
	transaction string
}

func newBench(t *testing.T) bench {
	t.Helper()
	b := bench{Bench: sandboxtest.New(t)}
	o := order.Open(b.Merchant)
	b.shares = share.Open(b.Merchant, o)
	ecommerce.Open(b.Merchant, refund.Open(b.Merchant, o), b.shares)
	require.NoError(t, b.AddSub(sub))
	b.Do("POST", "/v3/pay/partner/transactions/native", map[string]any{
		"sp_appid": "wx1", "sp_mchid": b.ID, "sub_mchid": sub, "description": "店", "out_trade_no": "ORDER-0001",
		"notify_url": "https://platform.example/pay", "amount": map[string]any{"total": 100}, "settle_info": map[string]any{"profit_sharing": true},
	})
	var err error
	b.transaction, err = o.Pay("ORDER-0001")
	require.NoError(t, err)
	b.Pass(2 * time.Minute)
	return b
}

// application asks for a refund of the order.
func application(number string, sum int, more map[string]any) map[string]any {
	body := map[string]any{
		"sp_appid": "wx1", "sub_mchid": sub, "out_trade_no": "ORDER-0001", "out_refund_no": number,
		"amount": map[string]any{"refund": sum, "total": 100}, "notify_url": "https://platform.example/refund",
	}
	maps.Copy(body, more)
	return body
}

// ends lets every effect of a kind end in a state, after a time.
func (b bench) ends(kind, state string, after time.Duration) {
	b.Ledger.SetEnding(func(of, _ string) ledger.Ending {
		if of == kind {
			return ledger.Ending{State: state, After: after}
		}
		return ledger.Ending{}
	})
}

// TestRefund follows a refund to its end. Each step survives a reload.
func TestRefund(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.ends("refund", "", time.Hour)
	body := application("R-1", 30, map[string]any{"refund_account": "REFUND_SOURCE_SUB_MERCHANT", "funds_account": "AVAILABLE"})
	accepted := b.Do("POST", refunds+"apply", body)
	assert.NotContains(t, accepted, "status", "only a query tells it")
	assert.Equal(t, "R-1", accepted["out_refund_no"])
	assert.Equal(t, "REFUND_SOURCE_SUB_MERCHANT", accepted["refund_account"])
	assert.Equal(t, map[string]any{"refund": 30.0, "payer_refund": 30.0, "discount_refund": 0.0, "currency": "CNY", "from": []any{}}, accepted["amount"])
	b.Reload()
	assert.Equal(t, accepted, b.Do("POST", refunds+"apply", body), "a repetition gets the same response")

	found := b.Do("GET", byOut+"R-1"+ofSub, nil)
	assert.Equal(t, found, b.Do("GET", refunds+"id/"+accepted["refund_id"].(string)+ofSub, nil))
	assert.Equal(t, []any{"PROCESSING", b.transaction, "ORDER-0001", "AVAILABLE"},
		[]any{found["status"], found["transaction_id"], found["out_trade_no"], found["funds_account"]})
	b.Pass(time.Hour)
	found = b.Do("GET", byOut+"R-1"+ofSub, nil)
	assert.Equal(t, "SUCCESS", found["status"])
	assert.NotEmpty(t, found["success_time"])

	told := b.Notified("REFUND.SUCCESS")
	require.Len(t, told, 1)
	assert.Equal(t, []any{b.ID, sub, "SUCCESS", "R-1", "REFUND_SOURCE_SUB_MERCHANT"},
		[]any{told[0]["sp_mchid"], told[0]["sub_mchid"], told[0]["refund_status"], told[0]["out_refund_no"], told[0]["refund_account"]})
}

// TestRefundNamesOfStates holds that a closed refund is CLOSE for queries and CLOSED for notifications,
// and gives its sum back.
func TestRefundNamesOfStates(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.ends("refund", "CLOSED", 0)
	b.Do("POST", refunds+"apply", application("R-1", 100, nil))
	b.Pass(time.Minute)
	assert.Equal(t, "CLOSE", b.Do("GET", byOut+"R-1"+ofSub, nil)["status"])
	require.Len(t, b.Notified("REFUND.CLOSED"), 1)
	assert.Equal(t, "CLOSED", b.Notified("REFUND.CLOSED")[0]["refund_status"])

	b.ends("refund", "ABNORMAL", 0)
	id := b.Do("POST", refunds+"apply", application("R-2", 100, nil))["refund_id"].(string)
	b.Pass(time.Minute)
	assert.Equal(t, "ABNORMAL", b.Do("GET", byOut+"R-2"+ofSub, nil)["status"])
	b.ends("refund", "SUCCESS", 0)
	repair := map[string]any{"sub_mchid": sub, "out_refund_no": "R-2", "type": "MERCHANT_BANK_CARD"}
	assert.Equal(t, "404 RESOURCE_NOT_EXISTS", b.Rejected("POST", refunds+"5030/apply-abnormal-refund", repair))
	assert.Equal(t, "PROCESSING", b.Do("POST", refunds+id+"/apply-abnormal-refund", repair)["status"])
	b.Pass(time.Minute)
	assert.Equal(t, "SUCCESS", b.Do("GET", byOut+"R-2"+ofSub, nil)["status"])
}

func TestRefundRejections(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	require.NoError(t, b.Rules.Set(false, []gate.Rule{gate.RefundPace}))
	b.Do("POST", refunds+"apply", application("R-1", 60, nil))
	for name, test := range map[string]struct {
		body map[string]any
		want string
	}{
		"same number, other content": {application("R-1", 61, nil), "400 INVALID_REQUEST"},
		"more than is left":          {application("R-2", 41, nil), "400 INVALID_REQUEST"},
		"unknown order":              {application("R-2", 1, map[string]any{"out_trade_no": "ORDER-0002"}), "404 RESOURCE_NOT_EXISTS"},
		"neither number":             {application("R-2", 1, map[string]any{"out_trade_no": ""}), "400 PARAM_ERROR"},
		"no payee":                   {application("R-2", 1, map[string]any{"sub_mchid": ""}), "400 PARAM_ERROR"},
		"an individual":              {application("R-2", 1, map[string]any{"sub_mchid": "", "individual_auth_id": "1"}), "404 RESOURCE_NOT_EXISTS"},
		"a stranger":                 {application("R-2", 1, map[string]any{"sub_mchid": "1900000111"}), "403 NO_AUTH"},
		"another currency": {
			application("R-2", 1, map[string]any{"amount": map[string]any{"refund": 1, "total": 100, "currency": "USD"}}), "400 PARAM_ERROR",
		},
	} {
		assert.Equal(t, test.want, b.Rejected("POST", refunds+"apply", test.body), name)
	}
	for target, want := range map[string]string{
		byOut + "R-2" + ofSub: "404 RESOURCE_NOT_EXISTS", refunds + "id/5030" + ofSub: "404 RESOURCE_NOT_EXISTS",
		byOut + "R-1": "400 PARAM_ERROR", byOut + "R-1?sub_mchid=1900000111": "403 NO_AUTH",
	} {
		assert.Equal(t, want, b.Rejected("GET", target, nil), target)
	}
	sum := int64(0)
	for _, e := range b.Ledger.Effects() {
		if e.Kind == "refund" {
			sum += e.Amount
		}
	}
	assert.Equal(t, int64(60), sum, "a rejected refund has no effect")
	b.Do("POST", refunds+"apply", application("R-2", 40, map[string]any{"out_trade_no": "", "transaction_id": b.transaction}))
}

// TestRefundSharesItsNumbers holds that both paths to a refund have one set of numbers and one sum.
func TestRefundSharesItsNumbers(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	require.NoError(t, b.Rules.Set(false, []gate.Rule{gate.RefundPace}))
	domestic := func(number string, sum int) map[string]any {
		return map[string]any{
			"sub_mchid": sub, "out_trade_no": "ORDER-0001", "out_refund_no": number,
			"amount": map[string]any{"refund": sum, "total": 100, "currency": "CNY"},
		}
	}
	const path = "/v3/refund/domestic/refunds"
	b.Do("POST", refunds+"apply", application("R-1", 60, nil))
	assert.Equal(t, "400 INVALID_REQUEST", b.Rejected("POST", path, domestic("R-1", 60)))
	assert.Equal(t, "400 INVALID_REQUEST", b.Rejected("POST", path, domestic("R-2", 41)))
	b.Do("POST", path, domestic("R-2", 40))
}
