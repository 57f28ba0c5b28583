package wxpay_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
)

// A log alone tells what to do about a refund whose fate is not known; the number is in it for those who ask for it.
func TestLogOfRefundInDoubt(t *testing.T) {
	for name, options := range map[string][]wxpay.Option{"usual": nil, "numbers": {wxpay.WithLoggedNumbers()}} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			client := newClient(t, append(options, wxpay.WithLogger(slog.New(slog.NewJSONHandler(&out, nil))), wxpay.WithTransport(badGateway))...)
			_, err := client.Chain("v3/refund/domestic/refunds").Post(context.Background(), wxpay.JSON{
				"out_trade_no": "O-1", "out_refund_no": "R-1", "amount": wxpay.JSON{"refund": 1, "total": 1, "currency": "CNY"},
			})
			require.ErrorIs(t, err, wxpay.ErrOutcomeUnknown)
			var got map[string]any
			require.NoError(t, json.Unmarshal(out.Bytes(), &got), "exactly one record: %s", out.String())
			for name, want := range map[string]any{
				"level": "WARN", "msg": "wxpay call failed", "path": "/v3/refund/domestic/refunds", "status": 502.0, "outcome": "outcome unknown",
				"money_may_have_moved": true,
				"advice":               "it may have taken effect: ask GET /v3/refund/domestic/refunds/{out_refund_no} before repeating, as Client.Resolve does",
			} {
				assert.Equal(t, want, got[name], name)
			}
			assert.NotContains(t, out.String(), "O-1")
			if name == "numbers" {
				assert.Equal(t, "R-1", got["number"])
			} else {
				assert.NotContains(t, out.String(), "R-1")
			}
		})
	}
}
