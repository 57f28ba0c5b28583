package wxpay_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/apiv3"
)

// Faults that users of other clients met. Each is tried here in the form in which it was reported or measured; most have
// a test of their own elsewhere, beside the rule that prevents them.

// A 2xx other than 200 is a success: 202 and 204 with an empty, signed body.
func TestEverySuccessIsOne(t *testing.T) {
	for _, status := range []int{200, 201, 202, 204} {
		res, err := newClient(t, wxpay.WithTransport(answer{status: status})).Chain("v3/x").Post(context.Background(), nil)
		require.NoError(t, err, status)
		assert.Equal(t, status, res.Status)
		assert.True(t, res.Verified)
		assert.Empty(t, res.Raw())
		assert.False(t, res.Get("code").Exists())
		assert.ErrorContains(t, res.Decode(&struct{}{}), "it has no body")
	}
}

// In public-key mode an unknown serial is an error, never an unasked call of /v3/certificates: it cannot help, and it
// disturbs the merchant's change of keys.
func TestNoHiddenCertificateCall(t *testing.T) {
	requests := 0
	client := newClient(t, wxpay.WithTransport(answer{body: "{}", trip: func(req *http.Request) {
		requests++
		assert.Equal(t, "/v3/x", req.URL.Path)
		assert.Equal(t, testKeyID, req.Header.Get(apiv3.HeaderSerial), "every request names its key")
	}, bend: func(res *http.Response) { res.Header.Set(apiv3.HeaderSerial, "PUB_KEY_ID_9") }}))
	_, err := client.Chain("v3/x").Get(context.Background())
	require.ErrorIs(t, err, apiv3.ErrUnknownSerial)
	assert.Equal(t, 1, requests)
}

// An unsigned file is handed over whole or not at all: a peer cut bills after 10 MiB without a word.
func TestFilesAreNotCut(t *testing.T) {
	file := strings.Repeat("0123456789abcdef", 12<<20/16)
	res, err := newClient(t, wxpay.WithTransport(answer{body: file, unsigned: true})).Chain("v3/billdownload/file").Query("token", "x").Get(context.Background())
	require.NoError(t, err)
	assert.Equal(t, len(file), len(res.Raw()))
	_, err = newClient(t, wxpay.WithMaxResponse(10<<20), wxpay.WithTransport(answer{body: file, unsigned: true})).
		Chain("v3/billdownload/file").Get(context.Background())
	require.ErrorContains(t, err, "limit of 10485760 bytes")
}

// A member that changes its type after the platform did the work is a failure to decode, not a failed refund.
func TestDecodingFailureIsNoFailedCall(t *testing.T) {
	type refund struct {
		Amount struct {
			Total int `json:"total"`
		} `json:"amount"`
	}
	client := newClient(t, wxpay.WithTransport(answer{body: `{"refund_id":"5","amount":{"total":"100"}}`}))
	_, err := wxpay.Into[refund](client.Chain("v3/refund/domestic/refunds").Post(context.Background(), wxpay.JSON{}))
	require.ErrorIs(t, err, wxpay.StageDecode)
	assert.Equal(t, wxpay.Confirmed, wxpay.OutcomeOf(err))
	assert.ErrorContains(t, err, `the platform confirmed success, but decoding the response failed: field "amount.total" is a JSON string,`+
		` which does not fit int`)
	assert.ErrorContains(t, err, "do not repeat the call")
	var failure *wxpay.CallError
	require.ErrorAs(t, err, &failure)
	assert.Equal(t, "5", failure.Response.Get("refund_id").String())
}

// A verified body that is not JSON is a response in which nothing exists, not one to guess from.
func TestVerifiedGarbageHasNoMembers(t *testing.T) {
	for _, body := range []string{`{"state":"SUCCESS"`, `{"state":"SUCCESS"}}`, `state`, "\xff"} {
		res, err := newClient(t, wxpay.WithTransport(answer{body: body})).Chain("v3/x").Get(context.Background())
		require.NoError(t, err)
		assert.False(t, res.Get("state").Exists(), body)
		assert.Equal(t, body, string(res.Raw()))
	}
}
