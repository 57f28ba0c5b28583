package webhook_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/webhook"
)

func TestReadStrictly(t *testing.T) {
	n := payment()
	n.resource = `{"amount":{"total":100,"payer_total":"100"},"success_time":"2025-01-01T08:00:00+08:00","trade_state":"SUCCESS","x":true,"attach":null}`
	header, body := n.build()
	e, err := newHandler(t).Parse(t.Context(), header, body)
	require.NoError(t, err)

	total, err := e.Fen("amount.total")
	require.NoError(t, err)
	assert.Equal(t, int64(100), total)
	total, err = e.Int("amount.total")
	require.NoError(t, err)
	assert.Equal(t, int64(100), total)
	state, err := e.Text("trade_state")
	require.NoError(t, err)
	assert.Equal(t, "SUCCESS", state)
	yes, err := e.Bool("x")
	require.NoError(t, err)
	assert.True(t, yes)
	at, err := e.Time("success_time")
	require.NoError(t, err)
	assert.Equal(t, time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), at.UTC())
	require.NoError(t, e.Need("trade_state", "amount.total"))

	const begin = "webhook: reading the resource of TRANSACTION.SUCCESS: "
	_, err = e.Fen("amount.payer_total")
	require.EqualError(t, err, begin+"amount.payer_total is a text, not a whole number of fen")
	_, err = e.Int("amount.totl")
	require.EqualError(t, err, begin+"amount.totl is absent; the catalogue has amount.total")
	_, err = e.Text("attach")
	require.EqualError(t, err, begin+"attach is null, not a text")
	_, err = e.Bool("trade_state")
	require.EqualError(t, err, begin+"trade_state is a text, not true or false")
	_, err = e.Time("amount")
	require.EqualError(t, err, begin+"amount is an object, not a time such as 2018-06-08T10:34:56+08:00")
	require.EqualError(t, e.Need("attach", "trade_state", "out_trade_no"), begin+"attach, out_trade_no are absent")
}

// Body and resource stand in one piece of memory, and what a caller appends to the one does not reach the other.
func TestResourceStandsBehindTheBody(t *testing.T) {
	n := payment()
	check := func(e *webhook.Event) {
		raw, resource := string(e.Raw()), string(e.Resource())
		_ = append(e.Raw(), strings.Repeat("x", len(resource)/2)...)
		assert.Equal(t, raw, string(e.Raw()))
		assert.Equal(t, resource, string(e.Resource()))
		assert.Equal(t, "SUCCESS", e.Get("trade_state").String())
	}
	h := newHandler(t)
	h.OnDefault(func(_ context.Context, e *webhook.Event) error { check(e); return nil })
	require.Equal(t, 204, n.send(h).Code)
	header, body := n.build()
	e, err := h.Parse(t.Context(), header, body)
	require.NoError(t, err)
	check(e)
}
