package webhook_test

import (
	"context"
	"encoding/base64"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/webhook"
)

func TestSignedAnswer(t *testing.T) {
	m := merchant(t)
	m.PrivateKey, m.Serial = merchantKey(), serial
	now := time.Now()
	h, err := webhook.New(m, webhook.WithClock(func() time.Time { return now }))
	require.NoError(t, err)
	const answer = `{"code":"SUCCESS","acq_tid":"T1"}`
	h.OnInquiry("CROSS_BORDER_PAY.GET_MCH_INFO", func(context.Context, *webhook.Event) (any, error) { return []byte(answer), nil })
	n := event("CROSS_BORDER_PAY.GET_MCH_INFO", "cross_border_pay", `{"acq_tid":"T1"}`)
	r := n.request()
	r.RequestURI = "/notify/a%2Fb?x=1"
	w := newRecorder()
	h.ServeHTTP(w, r)
	require.Equal(t, 200, w.Code, w.Body)
	assert.Equal(t, answer, w.Body.String())

	authorization, err := apiv3.ParseAuthorization(w.Header().Get("Authorization"))
	require.NoError(t, err)
	assert.Equal(t, "WECHATPAY2-SHA256-RSA2048", authorization.Scheme)
	assert.Equal(t, mchID, authorization.ID)
	assert.Equal(t, serial, authorization.Serial)
	assert.GreaterOrEqual(t, len(authorization.Nonce), 26, "128 bits of chance")
	signature, err := base64.StdEncoding.DecodeString(authorization.Signature)
	require.NoError(t, err)
	message := apiv3.AppendRequestMessage(nil, "POST", "/notify/a%2Fb?x=1", authorization.Timestamp, authorization.Nonce, []byte(answer))
	require.NoError(t, apiv3.RSA().Verify(&merchantKey().PublicKey, message, signature))

	// Raw bytes: the target has to be told.
	header, body := n.build()
	assert.Equal(t, 500, h.Deliver(t.Context(), &webhook.Delivery{Header: header, Body: body}).Status)
	delivered := h.Deliver(t.Context(), &webhook.Delivery{Header: header, Body: body, Target: "/notify/a%2Fb?x=1"})
	assert.Equal(t, 200, delivered.Status)
	again, err := apiv3.ParseAuthorization(delivered.Authorization)
	require.NoError(t, err)
	assert.NotEqual(t, authorization.Nonce, again.Nonce)
	signature, err = base64.StdEncoding.DecodeString(again.Signature)
	require.NoError(t, err)
	message = apiv3.AppendRequestMessage(nil, "POST", "/notify/a%2Fb?x=1", again.Timestamp, again.Nonce, []byte(answer))
	require.NoError(t, apiv3.RSA().Verify(&merchantKey().PublicKey, message, signature))
}

func TestAnswerSigner(t *testing.T) {
	var seen observed
	fails := false
	h := newHandler(t, seen.option(), webhook.WithResponseSigner(func(_ context.Context, m *webhook.Merchant,
		d *webhook.Delivery, body []byte) (string, error) {
		assert.Equal(t, mchID, m.ID)
		assert.Equal(t, "/notify", d.Target)
		assert.Equal(t, `{"code":"SUCCESS"}`, string(body))
		if fails {
			return "", errors.New("the KMS says no")
		}
		return "mine", nil
	}))
	h.OnInquiry("CROSS_BORDER_PAY.PUSH_ORDER_INFO", func(context.Context, *webhook.Event) (any, error) {
		return map[string]string{"code": "SUCCESS"}, nil
	})
	n := event("CROSS_BORDER_PAY.PUSH_ORDER_INFO", "cross_border_pay", `{}`)
	assert.Equal(t, "mine", n.send(h).Header().Get("Authorization"))
	seen.take()
	fails = true
	w := n.send(h)
	assertFail(t, 500, w)
	assert.Empty(t, w.Header().Get("Authorization"))
	assert.NotContains(t, w.Body.String(), "KMS")
	assert.Equal(t, "signing", seen.one(t).Failure)
}

// A shared handler learns only with the question whether its merchant can sign.
func TestSignedAnswerOfAMerchantWithoutKey(t *testing.T) {
	var seen observed
	m := merchant(t)
	h, err := webhook.NewMulti(func(context.Context, *webhook.Delivery) (*webhook.Merchant, error) { return &m, nil }, seen.option())
	require.NoError(t, err)
	h.OnInquiry("CROSS_BORDER_PAY.PUSH_ORDER_INFO", func(context.Context, *webhook.Event) (any, error) {
		return map[string]string{"code": "SUCCESS"}, nil
	})
	assertFail(t, 500, event("CROSS_BORDER_PAY.PUSH_ORDER_INFO", "cross_border_pay", `{}`).send(h))
	o := seen.one(t)
	assert.Equal(t, "signing", o.Failure)
	assert.ErrorContains(t, o.Err, "Serial and PrivateKey")
}
