package answer_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/answer"
)

// TestEveryExampleIsAnswered sends the example of every operation to the sandbox. None may lack a field, or have a wrong one:
// what the sandbox rejects is what the call needs first.
func TestEveryExampleIsAnswered(t *testing.T) {
	operations := slices.Collect(catalog.V3().Described().All())
	platform, err := answer.New(operations)
	require.NoError(t, err)
	defer platform.Close()
	count, rejected := 0, 0
	for _, operation := range operations {
		name := operation.Method + " " + operation.Path
		got, err := platform.Of(t.Context(), operation)
		require.NoError(t, err, name)
		count++
		if got.Status < 300 {
			continue
		}
		rejected++
		body := strings.Join(strings.Fields(string(got.Body)), " ")
		t.Logf("%s: %d %s", name, got.Status, body)
		if !wrong[name] {
			assert.NotContains(t, body, "PARAM_ERROR", name)
			assert.NotContains(t, body, "MISMATCH", name)
		}
	}
	assert.Greater(t, count, 1000)
	assert.Less(t, rejected, 80)
}

// wrong are the examples whose body depends on one of its own values.
var wrong = map[string]bool{"POST /v3/marketing/favor/coupon-stocks": true}

// TestAnswers calls what another operation has to come before, and finds the number of the example in the response.
func TestAnswers(t *testing.T) {
	facts := catalog.V3().Described()
	platform, err := answer.New(slices.Collect(facts.All()))
	require.NoError(t, err)
	defer platform.Close()
	for name, test := range map[string]struct {
		status int
		first  string
		has    string
	}{
		"POST /v3/pay/transactions/native":                                       {200, "", `"code_url"`},
		"GET /v3/pay/transactions/out-trade-no/{out_trade_no}":                   {200, "POST /v3/pay/transactions/", `"NOTPAY"`},
		"POST /v3/pay/transactions/out-trade-no/{out_trade_no}/close":            {204, "POST /v3/pay/transactions/native", ""},
		"POST /v3/refund/domestic/refunds":                                       {200, "", `"refund_id"`},
		"GET /v3/refund/domestic/refunds/{out_refund_no}":                        {200, "POST /v3/refund/domestic/refunds", `"out_refund_no"`},
		"POST /v3/fund-app/mch-transfer/transfer-bills":                          {200, "", `"package_info"`},
		"GET /v3/fund-app/mch-transfer/transfer-bills/out-bill-no/{out_bill_no}": {200, "POST /v3/fund-app/mch-transfer/transfer-bills", "out_bill_no"},
		"GET /v3/pay/transactions/id/{transaction_id}":                           {404, "", "ORDER_NOT_EXIST"},
	} {
		t.Run(name, func(t *testing.T) {
			method, path, _ := strings.Cut(name, " ")
			operation, ok := facts.Lookup(method, path)
			require.True(t, ok)
			got, err := platform.Of(t.Context(), operation)
			require.NoError(t, err)
			assert.Equal(t, test.status, got.Status)
			assert.True(t, strings.HasPrefix(got.First, test.first), got.First)
			assert.Equal(t, test.first == "", got.First == "")
			assert.Contains(t, string(got.Body), test.has)
		})
	}
}
