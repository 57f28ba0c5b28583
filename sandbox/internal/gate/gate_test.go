package gate_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
	"github.com/wxpay-go/wxpay/sandbox/internal/sandboxtest"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// Operations of the catalogue in whose place the tests serve their own.
const (
	posted  = "/v3/pay/transactions/native"
	queried = "/v3/certificates"
)

// serve serves an operation with other parameters than the documented ones.
func serve(b *sandboxtest.Bench, method, path string, in fact.Request, limits map[string]gate.Limit) {
	facts := *gate.Documented(method, path)
	facts.In = in
	b.Serve(gate.Operation{Operation: &facts, Limits: limits, Do: func(*gate.Call) (any, *say.Rejection) {
		return map[string]any{"served": true}, nil
	}})
}

// rejected returns the detail of a PARAM_ERROR; nil where the operation was carried out.
func rejected(t *testing.T, b *sandboxtest.Bench, r sandboxtest.Response) map[string]any {
	t.Helper()
	object := b.Object(r)
	if r.Status == 200 {
		require.Equal(t, map[string]any{"served": true}, object)
		return nil
	}
	require.Equal(t, 400, r.Status, "%s", r.Body)
	require.Equal(t, "PARAM_ERROR", object["code"])
	return object["detail"].(map[string]any)
}
