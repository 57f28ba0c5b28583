package cli

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/webhook"
)

// The steps come to the verdict of the handler, whatever is wrong.
func TestVerifierAgreesWithHandler(t *testing.T) {
	s, err := sandbox.New()
	require.NoError(t, err)
	merchant := s.Merchant()
	keys, err := apiv3.NewKeySet(apiv3.PlatformKey{Serial: s.PublicKeyID(), Key: s.PublicKey()}, apiv3.CertificateKey(s.Certificates()[0]))
	require.NoError(t, err)
	now := time.Now()
	clock := func() time.Time { return now }
	h, err := webhook.New(webhook.Merchant{ID: merchant.ID, APIv3Key: merchant.APIv3Key, Keys: webhook.Static(keys), PrivateKey: merchant.PrivateKey},
		webhook.WithClock(clock))
	require.NoError(t, err)

	valid, invalid := 0, 0
	compare := func(t *testing.T, header http.Header, body []byte) {
		t.Helper()
		_, want := h.Parse(context.Background(), header, body)
		v := &verifier{facts: catalog.V3(), at: now, keys: keys, apiv3Key: merchant.APIv3Key, private: merchant.PrivateKey}
		event := v.check(&savedNotification{header: header, body: body})
		var steps bytes.Buffer
		v.write(&steps, false)
		assert.Equal(t, want == nil, event != nil, "%v\n%s", want, &steps)
		assert.Equal(t, event != nil, v.valid(), "%s", &steps)
		if want == nil {
			valid++
		} else {
			invalid++
		}
	}
	kinds := []sandbox.FaultKind{
		sandbox.WrongSignature, sandbox.UnknownSerial, sandbox.StaleTimestamp, sandbox.Probe, sandbox.WrongAPIv3Key,
		sandbox.MissingHeaders, sandbox.DuplicateHeaders, sandbox.EmptyAssociatedData,
	}
	random := rand.New(rand.NewPCG(1, 2))
	for _, share := range []float64{0, 100} {
		require.NoError(t, s.SetPublicKeyShare(share))
		for range 60 {
			var faults []sandbox.FaultKind
			for _, kind := range kinds {
				if random.IntN(len(kinds)) == 0 {
					faults = append(faults, kind)
				}
			}
			request, err := s.Notify("MEMBERCARD.ACCEPT_CARD", nil, faults...)
			require.NoError(t, err)
			body, err := io.ReadAll(request.Body)
			require.NoError(t, err)
			compare(t, request.Header, body)
			if random.IntN(3) == 0 {
				body[random.IntN(len(body))] ^= 1 << random.IntN(8)
				compare(t, request.Header, body)
			}
			if random.IntN(4) == 0 {
				request.Header.Set(apiv3.HeaderTimestamp, "soon")
				compare(t, request.Header, body)
			}
		}
	}
	for _, resource := range []string{"no JSON", `{"a":1,"a":2}`, "{}", "[]"} {
		request, err := s.Notify("TRANSACTION.SUCCESS", resource)
		require.NoError(t, err)
		body, err := io.ReadAll(request.Body)
		require.NoError(t, err)
		compare(t, request.Header, body)
	}
	compare(t, http.Header{}, []byte("<xml/>"))
	compare(t, http.Header{}, nil)
	assert.Greater(t, valid, 20)
	assert.Greater(t, invalid, 60)
}
