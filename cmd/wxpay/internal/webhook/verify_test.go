package webhook_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/clitest"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/sandbox/fault"
	"github.com/wxpay-go/wxpay/webhook"
)

// wxpay webhook verify and the handler agree on every notification, valid or not.
func TestVerifyAgreesWithHandler(t *testing.T) {
	t.Parallel()
	s, err := sandbox.New()
	require.NoError(t, err)
	merchant := s.Merchant()
	keys, err := apiv3.NewKeySet(apiv3.PlatformKey{Serial: s.Keys.PublicKeyID(), Key: s.Keys.PublicKey()},
		apiv3.CertificateKey(s.Keys.Certificates()[0]))
	require.NoError(t, err)
	now := time.Now().Truncate(time.Second)
	h, err := webhook.New(webhook.Merchant{
		ID: merchant.ID, APIv3Key: merchant.APIv3Key, Keys: webhook.Static(keys), PrivateKey: merchant.PrivateKey,
	}, webhook.WithClock(func() time.Time { return now }))
	require.NoError(t, err)
	certificate := filepath.Join(t.TempDir(), "platform.pem")
	require.NoError(t, os.WriteFile(certificate, []byte(clitest.PEM("CERTIFICATE", s.Keys.Certificates()[0].Raw)), 0o600))

	valid, invalid := 0, 0
	at := strconv.FormatInt(now.Unix(), 10)
	compare := func(header http.Header, body []byte) {
		t.Helper()
		_, want := h.Parse(t.Context(), header, body)
		var saved bytes.Buffer
		saved.WriteString("POST / HTTP/1.1\r\n")
		require.NoError(t, header.Write(&saved))
		fmt.Fprintf(&saved, "Content-Length: %d\r\n\r\n%s", len(body), body)
		code, steps, stderr := clitest.RunWith(t, s.Env(), saved.String(),
			"webhook", "verify", "-", "--at", at, "--certificate", certificate)
		require.Empty(t, stderr)
		if want == nil {
			valid++
			assert.Zero(t, code, steps)
		} else {
			invalid++
			assert.Equal(t, 1, code, "%v\n%s", want, steps)
		}
	}
	kinds := []fault.Kind{
		fault.WrongSignature, fault.UnknownSerial, fault.StaleTimestamp, fault.Probe, fault.WrongAPIv3Key,
		fault.MissingHeaders, fault.DuplicateHeaders, fault.EmptyAssociatedData,
	}
	random := rand.New(rand.NewPCG(1, 2))
	notify := func(event string, resource any, faults ...fault.Kind) (http.Header, []byte) {
		request, err := s.Deliveries.Notify(event, resource, faults...)
		require.NoError(t, err)
		body, err := io.ReadAll(request.Body)
		require.NoError(t, err)
		return request.Header, body
	}
	for _, share := range []float64{0, 100} {
		require.NoError(t, s.Keys.SetPublicKeyShare(share))
		if share == 100 {
			at = strconv.FormatInt(now.UnixMilli(), 10)
		}
		for range 60 {
			var faults []fault.Kind
			for _, kind := range kinds {
				if random.IntN(len(kinds)) == 0 {
					faults = append(faults, kind)
				}
			}
			header, body := notify("MEMBERCARD.ACCEPT_CARD", nil, faults...)
			compare(header, body)
			if random.IntN(3) == 0 {
				body[random.IntN(len(body))] ^= 1 << random.IntN(8)
				compare(header, body)
			}
			if random.IntN(4) == 0 {
				header.Set(apiv3.HeaderTimestamp, "soon")
				compare(header, body)
			}
		}
	}
	for _, resource := range []string{"no JSON", `{"a":1,"a":2}`, "{}", "[]"} {
		compare(notify("TRANSACTION.SUCCESS", resource))
	}
	compare(http.Header{}, []byte("<xml/>"))
	compare(http.Header{}, nil)
	assert.Greater(t, valid, 20)
	assert.Greater(t, invalid, 60)
}
