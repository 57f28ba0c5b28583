package wxpay_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/middleware"
	"github.com/wxpay-go/wxpay/sandbox"
)

func TestNewNamesWhatIsWrong(t *testing.T) {
	keys := testKeys()
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	require.NoError(t, err)
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	good := wxpay.Merchant{ID: testMerchant, Serial: testSerial, PrivateKey: keys.merchant}
	public := wxpay.WithPublicKey(testKeyID, keys.platform.Public())
	change := func(edit func(*wxpay.Merchant)) wxpay.Merchant {
		m := good
		edit(&m)
		return m
	}
	tests := []struct {
		name     string
		merchant wxpay.Merchant
		options  []wxpay.Option
		says     []string
	}{
		{"nothing at all", wxpay.Merchant{}, nil,
			[]string{"Merchant.ID is missing", "Merchant.Serial is missing", "Merchant.PrivateKey is missing", "no platform key"}},
		{"an appid for a number", change(func(m *wxpay.Merchant) { m.ID = "wx0123456789abcdef" }), []wxpay.Option{public}, []string{"not an appid"}},
		{"short serial", change(func(m *wxpay.Merchant) { m.Serial = m.Serial[1:] }), []wxpay.Option{public},
			[]string{"not 40 hex digits", "leading zeros", "openssl x509"}},
		{"lower-case serial", change(func(m *wxpay.Merchant) { m.Serial = strings.ToLower(m.Serial) }), []wxpay.Option{public}, []string{"upper case"}},
		{"key id for a serial", change(func(m *wxpay.Merchant) { m.Serial = testKeyID }), []wxpay.Option{public}, []string{"belongs into WithPublicKey"}},
		{"a short key", change(func(m *wxpay.Merchant) { m.PrivateKey = short }), []wxpay.Option{public}, []string{"Merchant.PrivateKey", "1024 bits"}},
		{"a key of another kind", change(func(m *wxpay.Merchant) { m.PrivateKey = curve }), []wxpay.Option{public}, []string{"Merchant.PrivateKey", "needs RSA"}},
		{"APIv3 key too short", change(func(m *wxpay.Merchant) { m.APIv3Key = strings.Repeat("k", 31) }), []wxpay.Option{public},
			[]string{"31 bytes instead of 32", "API security"}},
		{"APIv3 key too long", change(func(m *wxpay.Merchant) { m.APIv3Key = strings.Repeat("k", 64) }), []wxpay.Option{public}, []string{"64 bytes instead of 32"}},
		{"no platform key", good, nil, []string{"no platform key", "WithPublicKey", "WithPlatformCertificates"}},
		{"merchant serial as a platform key", good, []wxpay.Option{wxpay.WithPublicKey("PUB_KEY_ID_1", keys.merchant.Public())}, []string{"the merchant's own"}},
		{"certificate serial as a key id", good, []wxpay.Option{wxpay.WithPublicKey(testSerial, keys.platform.Public())}, []string{"serial of a certificate"}},
		{"no key id", good, []wxpay.Option{wxpay.WithPublicKey("", keys.platform.Public())}, []string{"the id is missing"}},
		{"no public key", good, []wxpay.Option{wxpay.WithPublicKey(testKeyID, nil)}, []string{"the key is missing"}},
		{"public key of another kind", good, []wxpay.Option{wxpay.WithPublicKey(testKeyID, curve.Public())}, []string{"platform key " + testKeyID, "needs RSA"}},
		{"two keys under one id", good, []wxpay.Option{public, wxpay.WithPublicKey(testKeyID, keys.other.Public())}, []string{"two different platform keys"}},
		{"a nil certificate", good, []wxpay.Option{wxpay.WithPlatformCertificates(nil)}, []string{"a certificate is nil"}},
		{"a nil option", good, []wxpay.Option{public, nil}, []string{"an option is nil"}},
		{"base URL without a scheme", good, []wxpay.Option{public, wxpay.WithBaseURL("api.mch.weixin.qq.com")}, []string{"not of the form https://host"}},
		{"base URL with a path", good, []wxpay.Option{public, wxpay.WithBaseURL("https://api.mch.weixin.qq.com/v3")}, []string{"more than scheme and host"}},
		{"base URL with a user", good, []wxpay.Option{public, wxpay.WithBaseURL("https://a:SECRET@host")}, []string{"base URL names a user"}},
		{"base URL with a bad user", good, []wxpay.Option{public, wxpay.WithBaseURL("https://a:%SECRET@host")}, []string{"base URL names a user"}},
		{"base URL in clear", good, []wxpay.Option{public, wxpay.WithBaseURL("http://example.com")}, []string{"not encrypted"}},
		{"no transport", good, []wxpay.Option{public, wxpay.WithTransport(nil)}, []string{"round tripper is nil"}},
		{"nil middleware", good, []wxpay.Option{public, wxpay.WithMiddleware(nil)}, []string{"a middleware is nil"}},
		{"timeouts and counts", good,
			[]wxpay.Option{public, wxpay.WithTimeout(0), wxpay.WithAttemptTimeout(-1), wxpay.WithMaxResponse(0), wxpay.WithConcurrency(0, 1),
				wxpay.WithConcurrency(1, -1)},
			[]string{"WithTimeout is 0s", "WithAttemptTimeout is -1ns", "WithMaxResponse is 0", "WithConcurrency: running calls is 0",
				"WithConcurrency: -1 waiting calls"}},
		{"words", good, []wxpay.Option{public, wxpay.WithUserAgent("a\nb"), wxpay.WithLanguage("de"), wxpay.WithScheme(nil), wxpay.WithClock(nil),
			wxpay.WithNonce(nil)},
			[]string{"WithUserAgent", "WithLanguage", "WithScheme", "WithClock", "WithNonce"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := wxpay.New(tt.merchant, tt.options...)
			require.Error(t, err)
			for _, text := range tt.says {
				assert.ErrorContains(t, err, text)
			}
			assert.NotContains(t, err.Error(), "\n")
			assert.NotContains(t, err.Error(), "kkkk", "the APIv3 key is a secret")
			assert.NotContains(t, err.Error(), "SECRET")
		})
	}
	_, err = wxpay.New(good, public, wxpay.WithBaseURL("https://apihk.mch.weixin.qq.com/"), wxpay.WithConcurrency(64, 0))
	require.NoError(t, err)
}

// The order of the pipeline is part of the design; package middleware explains it.
func TestPipelineOrder(t *testing.T) {
	own := func(next http.RoundTripper) http.RoundTripper { return next }
	client := newClient(t, wxpay.WithMiddleware(own), wxpay.WithMiddleware(own), wxpay.WithLogger(slog.New(slog.DiscardHandler)),
		wxpay.WithObserver(func(context.Context, middleware.Observation) {}), wxpay.WithLimiter(middleware.NewLimits()))
	assert.Equal(t, []string{"observe", "log", "yours", "retry", "limit", "sign", "verify", "transport"}, client.Pipeline())
	assert.Equal(t, []string{"retry", "sign", "verify", "transport"}, newClient(t).Pipeline())

	// The table in package middleware's comment lists the same names in the same order.
	doc, err := os.ReadFile("middleware/doc.go")
	require.NoError(t, err)
	at := 0
	for _, name := range []string{"observe  ", "log  ", "(yours)  ", "retry  ", "limit  ", "sign  ", "verify  "} {
		next := strings.Index(string(doc)[at:], "//\t"+name)
		require.GreaterOrEqual(t, next, 0, name)
		at += next
	}
}

// What a middleware of the user's changes is what is signed, and what is signed is what is sent.
func TestMiddlewareIsSigned(t *testing.T) {
	rewrite := func(next http.RoundTripper) http.RoundTripper {
		return middleware.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
			call := middleware.CallFrom(req.Context())
			assert.Equal(t, "/v3/x/{id}", call.Template)
			assert.Empty(t, req.Header.Get("Authorization"), "signing comes later")
			req = req.Clone(req.Context())
			req.URL.RawQuery = "added=1"
			req.Body = http.NoBody
			req.Body = struct{ *bodyOf }{&bodyOf{Reader: strings.NewReader(`{"other":true}`)}}
			return next.RoundTrip(req)
		})
	}
	client := newClient(t, wxpay.WithMiddleware(rewrite), wxpay.WithTransport(answer{trip: func(req *http.Request) {
		body := new(bytes.Buffer)
		_, err := body.ReadFrom(req.Body)
		require.NoError(t, err)
		assert.JSONEq(t, `{"other":true}`, body.String())
		assert.Equal(t, int64(body.Len()), req.ContentLength)
		requireSigned(t, req, "/v3/x/7?added=1", body.String())
	}}))
	_, err := client.Chain("v3/x/{id}").Var("id", "7").Post(context.Background(), wxpay.JSON{"a": 1})
	require.NoError(t, err)
}

type bodyOf struct{ *strings.Reader }

func (bodyOf) Close() error { return nil }

// A CallFrom of the user's own does not see the library's context values change, and cancellation passes through.
func TestContextPassesThrough(t *testing.T) {
	type key struct{}
	client := newClient(t, wxpay.WithTransport(answer{trip: func(req *http.Request) {
		assert.Equal(t, "v", req.Context().Value(key{}))
		_, has := req.Context().Deadline()
		assert.True(t, has)
	}}))
	_, err := client.Chain("v3/x").Get(context.WithValue(context.Background(), key{}, "v"))
	require.NoError(t, err)
}

const secretAPIv3Key = "TestOnlyAPIv3Key0123456789abcdef"

func TestFromLookup(t *testing.T) {
	sb := sandbox.Start(t)
	env := map[string]string{}
	for _, pair := range sb.Env() {
		name, value, _ := strings.Cut(pair, "=")
		env[name] = value
	}
	lookup := func(name string) (string, bool) { v, ok := env[name]; return v, ok }
	call := func(t *testing.T) {
		t.Helper()
		client, err := wxpay.FromLookupEnv(lookup)
		require.NoError(t, err)
		res, err := client.Chain(feedsPath).Post(context.Background(), feed())
		require.NoError(t, err)
		assert.Equal(t, "1004", res.Get("brand_id").String())
	}
	t.Run("PEM text", call)
	t.Run("PEM text with literal line breaks", func(t *testing.T) {
		key := env["WXPAY_PRIVATE_KEY"]
		defer func() { env["WXPAY_PRIVATE_KEY"] = key }()
		env["WXPAY_PRIVATE_KEY"] = strings.ReplaceAll(key, "\n", `\n`)
		call(t)
	})
	t.Run("files, PKCS#1 and DER", func(t *testing.T) {
		private, public := env["WXPAY_PRIVATE_KEY"], env["WXPAY_PUBLIC_KEY"]
		defer func() { env["WXPAY_PRIVATE_KEY"], env["WXPAY_PUBLIC_KEY"] = private, public }()
		dir := t.TempDir()
		der := x509.MarshalPKCS1PrivateKey(sb.Merchant().PrivateKey)
		env["WXPAY_PRIVATE_KEY"] = filepath.Join(dir, "apiclient_key.pem")
		require.NoError(t, os.WriteFile(env["WXPAY_PRIVATE_KEY"], pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: der}), 0o600))
		env["WXPAY_PUBLIC_KEY"] = filepath.Join(dir, "pub_key.der")
		block, _ := pem.Decode([]byte(public))
		require.NoError(t, os.WriteFile(env["WXPAY_PUBLIC_KEY"], block.Bytes, 0o600))
		call(t)
	})
	t.Run("the process environment", func(t *testing.T) {
		for name, value := range env {
			t.Setenv(name, value)
		}
		_, err := wxpay.FromEnv()
		require.NoError(t, err)
	})

	for name, tt := range map[string]struct {
		set  map[string]string
		says string
	}{
		"a bad base URL":     {map[string]string{"WXPAY_BASE_URL": "nowhere"}, "not of the form https://host"},
		"a short APIv3 key":  {map[string]string{"WXPAY_APIV3_KEY": "short"}, "5 bytes instead of 32"},
		"no platform key":    {map[string]string{"WXPAY_PUBLIC_KEY": "", "WXPAY_PUBLIC_KEY_ID": ""}, "no platform key"},
		"a serial too short": {map[string]string{"WXPAY_SERIAL": "123"}, "not 40 hex digits"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := wxpay.FromLookupEnv(func(name string) (string, bool) {
				if v, ok := tt.set[name]; ok {
					return v, v != ""
				}
				return lookup(name)
			})
			require.ErrorContains(t, err, tt.says)
			assert.NotContains(t, err.Error(), "secret")
		})
	}
}
