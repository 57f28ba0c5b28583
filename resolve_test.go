//go:build go1.25

package wxpay_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
)

// Resolve asks once and repeats nothing.
func TestResolve(t *testing.T) {
	ctx := context.Background()
	fail := func(t *testing.T, path string, body wxpay.JSON, answers ...answer) (*wxpay.Client, *script, error) {
		gateway := play(trips(answers...)...)
		client := newClient(t, wxpay.WithTransport(gateway))
		_, err := client.Chain(path).Post(ctx, body)
		require.Error(t, err)
		return client, gateway, fmt.Errorf("wrapped: %w", err)
	}
	t.Run("found", func(t *testing.T) {
		client, gateway, err := fail(t, refundCall, refundBody, tradeError, refund("SUCCESS"))
		verdict, err := client.Resolve(ctx, err)
		require.NoError(t, err)
		assert.Equal(t, wxpay.Succeeded, verdict.State)
		assert.Equal(t, "5", verdict.Response.Get("refund_id").String())
		assert.Len(t, gateway.seen, 2)
	})
	t.Run("the bytes of the body have another use by now", func(t *testing.T) {
		gateway := play(resetConnection, refund("SUCCESS"))
		client := newClient(t, wxpay.WithTransport(gateway))
		body := []byte(`{"out_trade_no":"T1","out_refund_no":"R1","amount":{"refund":1,"total":5,"currency":"CNY"}}`)
		_, err := client.Chain(refundCall).Post(ctx, body)
		require.Error(t, err)
		copy(body, bytes.Replace(body, []byte("R1"), []byte("R2"), 1))
		_, err = client.Resolve(ctx, err)
		require.NoError(t, err)
		assert.Equal(t, "/v3/refund/domestic/refunds/R1", gateway.seen[1].path)
	})
	t.Run("a final failure", func(t *testing.T) {
		client, _, err := fail(t, refundCall, refundBody, resetConnection, refund("CLOSED"))
		verdict, err := client.Resolve(ctx, err)
		require.NoError(t, err)
		assert.Equal(t, wxpay.Failed, verdict.State)
	})
	t.Run("not found leaves it unknown", func(t *testing.T) {
		client, gateway, err := fail(t, refundCall, refundBody, resetConnection, missing)
		_, err = client.Resolve(ctx, err)
		require.ErrorIs(t, err, wxpay.ErrMissing)
		require.ErrorIs(t, err, wxpay.ErrOutcomeUnknown)
		assert.Len(t, gateway.seen, 2)
		_, err = client.Resolve(ctx, err)
		require.ErrorIs(t, err, wxpay.ErrMissing, "its error can be resolved again")
	})
	t.Run("an unverified not-found is no answer", func(t *testing.T) {
		client, _, err := fail(t, refundCall, refundBody, resetConnection, answer{status: 404, body: `{"code":"RESOURCE_NOT_EXISTS"}`, unsigned: true})
		_, err = client.Resolve(ctx, err)
		require.ErrorIs(t, err, wxpay.ErrOutcomeUnknown)
		assert.NotErrorIs(t, err, wxpay.ErrMissing)
	})
	t.Run("a conflict", func(t *testing.T) {
		client, _, err := fail(t, transferCall, transferBody, resetConnection, ok(`{"out_bill_no":"B1","transfer_amount":101,"state":"SUCCESS"}`))
		_, err = client.Resolve(ctx, err)
		require.ErrorIs(t, err, wxpay.ErrNumberConflict)
		require.ErrorIs(t, err, wxpay.ErrOutcomeUnknown)
	})
	t.Run("by a client without the facts", func(t *testing.T) {
		_, _, err := fail(t, refundCall, refundBody, resetConnection)
		for body, says := range map[string]string{
			`{"out_refund_no":"R2","out_trade_no":"T1","status":"SUCCESS","amount":{"refund":1,"total":5}}`: "another out_refund_no than the call",
			`{"status":"SUCCESS"}`: "does not show that it is about this call",
		} {
			bare := newClient(t, wxpay.WithCatalog(nil), wxpay.WithTransport(ok(body)))
			verdict, err := bare.Resolve(ctx, err)
			require.ErrorContains(t, err, says, "%v", verdict)
		}
	})
	t.Run("no query is known", func(t *testing.T) {
		client, gateway, err := fail(t, feedsPath, feed(), resetConnection)
		_, err = client.Resolve(ctx, err)
		require.ErrorContains(t, err, "no reviewed query")
		require.ErrorIs(t, err, wxpay.ErrOutcomeUnknown)
		assert.Len(t, gateway.seen, 1)
	})
	t.Run("an identity is missing", func(t *testing.T) {
		client, gateway, err := fail(t, ordersPath, wxpay.JSON{"out_trade_no": "1"}, resetConnection, resetConnection, resetConnection)
		_, err = client.Resolve(ctx, err)
		require.ErrorContains(t, err, "no reviewed query")
		assert.Len(t, gateway.seen, 3)
	})
	t.Run("nothing to resolve", func(t *testing.T) {
		client, _, rejected := fail(t, ordersPath, orderBody, invalid)
		for _, err := range []error{nil, errors.New("x"), rejected} {
			_, err := client.Resolve(ctx, err)
			require.ErrorContains(t, err, "nothing to resolve")
		}
		_, _, doubt := fail(t, refundCall, refundBody, resetConnection)
		other, err := wxpay.New(wxpay.Merchant{ID: "1900000110", Serial: testSerial, PrivateKey: testKeys().merchant},
			wxpay.WithPublicKey(testKeyID, testKeys().platform.Public()))
		require.NoError(t, err)
		_, err = other.Resolve(ctx, doubt)
		require.ErrorContains(t, err, "another merchant's")
	})
}

// A chain resolves what its client does, also in the pure chain.
func TestResolveOfAChain(t *testing.T) {
	ctx := context.Background()
	client := newClient(t, wxpay.WithAttempts(1), wxpay.WithTransport(play(answer{fail: func(*http.Request) error { return errors.New("cut off") }},
		ok(`{"out_refund_no":"R-1","out_trade_no":"T-1","status":"SUCCESS","amount":{"refund":1,"total":1,"currency":"CNY"}}`))))
	refunds := client.Chain("v3/refund/domestic/refunds")
	_, err := refunds.Post(ctx, wxpay.JSON{"out_trade_no": "T-1", "out_refund_no": "R-1", "amount": wxpay.JSON{"refund": 1, "total": 1, "currency": "CNY"}})
	require.Equal(t, wxpay.Unknown, wxpay.OutcomeOf(err))
	verdict, err := refunds.Resolve(ctx, err)
	require.NoError(t, err)
	assert.Equal(t, wxpay.Succeeded, verdict.State)

	_, err = refunds.Resolve(ctx, nil)
	assert.ErrorContains(t, err, "there is nothing to resolve")
	_, err = wxpay.Chain{}.Resolve(ctx, errors.New("x"))
	assert.ErrorContains(t, err, "the chain has no client")
}
