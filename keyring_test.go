//go:build go1.25

package wxpay_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/vectors"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/wxcode"
)

// ownCertificate returns an API certificate of the sandbox's merchant.
func ownCertificate(m sandbox.Merchant) wxpay.APICertificate {
	return wxpay.APICertificate{PrivateKey: m.PrivateKey, Certificate: m.Certificate}
}

// ringClient returns a client of sb that signs with ring.
func ringClient(t testing.TB, sb *sandbox.Sandbox, ring *wxpay.KeyRing, options ...wxpay.Option) *wxpay.Client {
	t.Helper()
	client, err := wxpay.New(wxpay.Merchant{ID: sb.Merchant().ID, KeyRing: ring, APIv3Key: sb.Merchant().APIv3Key},
		append([]wxpay.Option{wxpay.WithPublicKey(sb.Keys.PublicKeyID(), sb.Keys.PublicKey()), wxpay.WithTransport(sb.Transport())}, options...)...)
	require.NoError(t, err)
	return client
}

// The serial comes out of the certificate, and files that do not belong together are named.
func TestSerialIsReadFromTheCertificate(t *testing.T) {
	p := vectors.Load(t).Parameters
	keys := testKeys()
	public := wxpay.WithPublicKey(testKeyID, keys.platform.Public())
	own := vectors.Certificate(t, "merchant")
	at := wxpay.WithClock(p.Now)
	good := wxpay.Merchant{ID: p.MchID, PrivateKey: vectors.Key(t, "merchant"), Certificate: own}
	client, err := wxpay.New(good, public, at)
	require.NoError(t, err)
	assert.Contains(t, fmt.Sprint(client), p.MerchantSerial)
	assert.Contains(t, fmt.Sprintf("%+v", good), p.MerchantSerial)
	req, err := client.Chain("v3/x").Request(t.Context(), "GET", nil)
	require.NoError(t, err)
	a, err := apiv3.ParseAuthorization(req.Header.Get("Authorization"))
	require.NoError(t, err)
	assert.Equal(t, p.MerchantSerial, a.Serial)

	for name, test := range map[string]struct {
		edit func(*wxpay.Merchant)
		now  time.Time
		says string
	}{
		"the serial agrees": {func(m *wxpay.Merchant) { m.Serial = p.MerchantSerial }, p.Now(), ""},
		"another serial": {func(m *wxpay.Merchant) { m.Serial = strings.Repeat("7", 40) }, p.Now(),
			"but Certificate (apiclient_cert.pem) has the serial " + p.MerchantSerial},
		"another key": {func(m *wxpay.Merchant) { m.PrivateKey = keys.other }, p.Now(),
			"PrivateKey (apiclient_key.pem) does not belong to Certificate (apiclient_cert.pem)"},
		"the platform's certificate": {func(m *wxpay.Merchant) { m.Certificate = vectors.Certificate(t, "platform_a") }, p.Now(),
			"does not belong to Certificate (apiclient_cert.pem), whose subject is "},
		"ended":                        {func(*wxpay.Merchant) {}, own.NotAfter.Add(time.Second), "Certificate (apiclient_cert.pem) ended on "},
		"no serial and no certificate": {func(m *wxpay.Merchant) { m.Certificate = nil }, p.Now(), "Merchant.Serial is missing: give Certificate"},
	} {
		m := good
		test.edit(&m)
		_, err := wxpay.New(m, public, wxpay.WithClock(func() time.Time { return test.now }))
		if test.says == "" {
			assert.NoError(t, err, name)
			continue
		}
		assert.ErrorContains(t, err, test.says, name)
	}

	for _, option := range []wxpay.Option{wxpay.WithPlatformCertificates(own), wxpay.WithPublicKey(testKeyID, own.PublicKey)} {
		_, err = wxpay.New(good, at, option)
		assert.ErrorContains(t, err, "is the merchant's own: pass the platform's certificate or public key")
	}

	// A real certificate also says whose it is.
	sb := newSandbox(t)
	other := merchantOf(sb)
	other.ID = "1900000110"
	_, err = wxpay.New(other, public)
	assert.ErrorContains(t, err, `Merchant.Certificate.Subject of apiclient_cert.pem names merchant "1900000109", not "1900000110"`)
	_, err = wxpay.New(good, at, wxpay.WithPlatformCertificates(sb.Merchant().Certificate))
	assert.ErrorContains(t, err, `is the API certificate of merchant "1900000109" (apiclient_cert.pem), not one of the platform`)
}

func TestKeyRing(t *testing.T) {
	keys := testKeys()
	first := wxpay.APICertificate{Serial: strings.Repeat("1", 40), PrivateKey: keys.merchant}
	second := wxpay.APICertificate{Serial: strings.Repeat("2", 40), PrivateKey: keys.other}
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	strange := wxpay.APICertificate{Serial: strings.Repeat("3", 40), PrivateKey: curve}

	_, err = wxpay.NewKeyRing(wxpay.APICertificate{})
	require.ErrorContains(t, err, "Certificate.PrivateKey is missing")
	require.ErrorContains(t, err, "Certificate.Serial is missing")
	_, err = wxpay.NewKeyRing(first, wxpay.APICertificate{Serial: first.Serial, PrivateKey: keys.other})
	require.ErrorContains(t, err, "another private key for the certificate "+first.Serial)

	ring, err := wxpay.NewKeyRing(first)
	require.NoError(t, err)
	require.NoError(t, ring.Add(first), "once more is as good")
	assert.ErrorContains(t, ring.Switch(second.Serial), "Add it first")
	assert.ErrorContains(t, ring.Remove(second.Serial), "holds no certificate")
	assert.ErrorContains(t, ring.Remove(first.Serial), "signs: Switch to another")
	require.NoError(t, ring.Add(second))
	require.NoError(t, ring.Switch(second.Serial))
	assert.Equal(t, []string{second.Serial, first.Serial}, ring.Serials())
	require.NoError(t, ring.Remove(first.Serial))
	assert.Equal(t, []string{second.Serial}, ring.Serials())
	for _, text := range []string{fmt.Sprintf("%+v %#v %s", ring, first, second), fmt.Sprintf("%v", struct{ R *wxpay.KeyRing }{ring})} {
		assert.NotContains(t, text, keys.merchant.D.String())
		assert.NotContains(t, text, keys.other.D.String())
	}

	public := wxpay.WithPublicKey(testKeyID, keys.platform.Public())
	for says, m := range map[string]wxpay.Merchant{
		"Merchant.KeyRing stands in place of": {ID: testMerchant, KeyRing: ring, Serial: testSerial},
		"Merchant.KeyRing is empty":           {ID: testMerchant, KeyRing: new(wxpay.KeyRing)},
	} {
		_, err := wxpay.New(m, public)
		assert.ErrorContains(t, err, says)
	}
	_, err = wxpay.New(wxpay.Merchant{ID: testMerchant, KeyRing: ring}, wxpay.WithPublicKey("PUB_KEY_ID_1", keys.other.Public()))
	assert.ErrorContains(t, err, "is the merchant's own")
	_, err = wxpay.New(wxpay.Merchant{ID: "1900000110", KeyRing: ring}, wxpay.WithTimeout(0), public)
	require.Error(t, err)
	_, err = wxpay.New(wxpay.Merchant{ID: testMerchant, KeyRing: ring}, public)
	require.NoError(t, err, "a client that came to nothing does not bind the ring")
	_, err = wxpay.New(wxpay.Merchant{ID: testMerchant, KeyRing: ring}, public)
	require.NoError(t, err, "two clients of one merchant")
	_, err = wxpay.New(wxpay.Merchant{ID: "1900000110", KeyRing: ring}, public)
	require.ErrorContains(t, err, "the ring is in use for another caller")
	assert.ErrorContains(t, ring.Add(strange), "needs RSA", "what the clients' scheme cannot use")
}

// The merchant replaces its own certificate under load: both are accepted for a while, then the old one is revoked. No
// call fails, no client is restarted, and what was encrypted for the old certificate still opens.
func TestOwnCertificateIsReplacedUnderLoad(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		scheme := quick{apiv3.RSA()}
		sb := unpaced(t, sandbox.WithScheme(scheme))
		old := ownCertificate(sb.Merchant())
		ring, err := wxpay.NewKeyRing(old)
		require.NoError(t, err)
		client := ringClient(t, sb, ring, wxpay.WithScheme(scheme), wxpay.WithAttempts(1))
		sealed := sealedFor(t, old)

		ctx, stop := context.WithCancel(t.Context())
		var wait sync.WaitGroup
		var signed [2]atomic.Int64
		added, err := sb.Keys.AddMerchantCertificate()
		require.NoError(t, err)
		for i := range 64 {
			wait.Go(func() {
				for ctx.Err() == nil {
					if !assert.NoError(t, post(context.WithoutCancel(ctx), client)) {
						return
					}
					if opened, err := client.Decrypt(t.Context(), sealed); !assert.NoError(t, err) || !assert.Equal(t, "张三", opened) {
						return
					}
					time.Sleep(time.Second + time.Duration(i)*time.Millisecond)
				}
			})
		}
		time.Sleep(5 * time.Second)
		require.NoError(t, ring.Add(ownCertificate(added)))
		time.Sleep(5 * time.Second)
		require.NoError(t, ring.Switch(added.Serial))
		time.Sleep(time.Second) // requests under way are still signed with the old one
		require.NoError(t, sb.Keys.RevokeMerchantCertificate(sb.Merchant().Serial))
		time.Sleep(5 * time.Second)
		stop()
		wait.Wait()
		for _, entry := range sb.Journal.All() {
			a, err := apiv3.ParseAuthorization(entry.Header.Get("Authorization"))
			require.NoError(t, err)
			require.True(t, entry.Verified)
			if a.Serial == added.Serial {
				signed[1].Add(1)
			} else {
				signed[0].Add(1)
			}
		}
		assert.Greater(t, signed[0].Load(), int64(300))
		assert.Greater(t, signed[1].Load(), int64(200))

		require.NoError(t, ring.Remove(apiv3.Serial(old.Certificate)))
		_, err = client.Decrypt(t.Context(), sealed)
		require.ErrorContains(t, err, "decryption failed")
		_, err = client.VerifyKeys(t.Context())
		require.NoError(t, err)
		require.NoError(t, ring.Add(old))
		require.NoError(t, ring.Switch(apiv3.Serial(old.Certificate)))
		err = post(t.Context(), client)
		require.True(t, wxpay.IsCode(err, wxcode.SignError), err)
		assert.ErrorContains(t, err, "已更换证书")
	})
}

// sealedFor encrypts a text as the platform would for a certificate.
func sealedFor(t testing.TB, certificate wxpay.APICertificate) string {
	t.Helper()
	sealed, err := apiv3.RSA().Encrypt(certificate.Certificate.PublicKey, []byte("张三"))
	require.NoError(t, err)
	return base64.StdEncoding.EncodeToString(sealed)
}

// signingOnly is a key that signs and does not decrypt, as many a KMS.
type signingOnly struct{ crypto.Signer }

// A key that cannot decrypt is no trouble until something is to be decrypted; then it is named.
func TestKeyThatOnlySigns(t *testing.T) {
	sb := newSandbox(t)
	merchant := merchantOf(sb)
	merchant.PrivateKey = signingOnly{sb.Merchant().PrivateKey}
	client, err := wxpay.New(merchant, wxpay.WithPublicKey(sb.Keys.PublicKeyID(), sb.Keys.PublicKey()), wxpay.WithTransport(sb.Transport()))
	require.NoError(t, err)
	require.NoError(t, post(t.Context(), client))
	_, err = client.Sign(t.Context(), "x")
	require.NoError(t, err)
	_, err = client.Decrypt(t.Context(), sealedFor(t, ownCertificate(sb.Merchant())))
	assert.ErrorContains(t, err, "which signs and does not decrypt: bring one that is a crypto.Decrypter")
	_, err = client.Decrypt(t.Context(), "***")
	assert.ErrorContains(t, err, "not base64")
}

// A script needs the certificate's file or its serial, and with platform certificates no public key.
func TestEnvironmentTakesTheCertificate(t *testing.T) {
	sb := newSandbox(t, sandbox.WithKeyMode(sandbox.CertificatesOnly))
	set := map[string]string{"WXPAY_SERIAL": "", "WXPAY_CERTIFICATE": filepath.Join(t.TempDir(), "apiclient_cert.pem")}
	require.NoError(t, os.WriteFile(set["WXPAY_CERTIFICATE"], pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: sb.Merchant().Certificate.Raw}), 0o600))
	lookup := func(name string) (string, bool) {
		if v, ok := set[name]; ok {
			return v, v != ""
		}
		return sb.LookupEnv(name)
	}
	client, err := wxpay.FromLookupEnv(lookup, wxpay.WithCertificates(), wxpay.WithTransport(sb.Transport()))
	require.NoError(t, err)
	require.NoError(t, post(t.Context(), client))
	_, err = wxpay.FromLookupEnv(lookup)
	require.ErrorContains(t, err, "no platform key")

	set["WXPAY_SERIAL"] = strings.Repeat("7", 40)
	_, err = wxpay.FromLookupEnv(lookup, wxpay.WithCertificates())
	require.ErrorContains(t, err, "Merchant.Serial is "+set["WXPAY_SERIAL"]+", but Certificate (apiclient_cert.pem) has the serial")
}
