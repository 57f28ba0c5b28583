//go:build go1.25

package sandbox_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/sandbox"
)

// TestTLS: the sandbox speaks HTTP/1.1 over TLS as the platform does, and HTTP/2 if the settings offer it.
func TestTLS(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	certificate, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	roots := x509.NewCertPool()
	roots.AddCert(certificate)

	for name, test := range map[string]struct {
		offered []string
		proto   string
		alive   string
	}{
		"as the platform": {nil, "HTTP/1.1", "timeout=8"},
		"HTTP/2":          {[]string{"h2", "http/1.1"}, "HTTP/2.0", ""},
	} {
		t.Run(name, func(t *testing.T) {
			settings := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, NextProtos: test.offered}
			server := sandbox.Start(t, sandbox.WithTLS(settings))
			require.True(t, strings.HasPrefix(server.URL, "https://127.0.0.1:"), server.URL)
			_, insecure := server.LookupEnv("WXPAY_INSECURE_HTTP")
			assert.False(t, insecure)
			transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}
			defer transport.CloseIdleConnections()
			a := newCall(server.Sandbox, time.Now(), "GET", "/v3/certificates", nil).sign(server.Sandbox).send(t, transport, server.URL)
			require.Equal(t, 200, a.StatusCode)
			assert.Equal(t, test.proto, a.Proto)
			assert.Equal(t, test.alive, a.Header.Get("Keep-Alive"))
		})
	}
	_, err = sandbox.New(sandbox.WithTLS(nil))
	assert.Error(t, err)
}

// TestHealth: whoever asks is told whether calls can be carried out, and nothing else.
func TestHealth(t *testing.T) {
	store := new(memoryStore)
	s, err := sandbox.New(sandbox.WithStore(store))
	require.NoError(t, err)
	defer s.Close()
	server, err := s.Listen("127.0.0.1:0")
	require.NoError(t, err)
	defer server.Close()
	health := func() (int, string) {
		request, err := http.NewRequest(http.MethodGet, server.URL+"/_sandbox/health", nil)
		require.NoError(t, err)
		request.Host = "gateway.example"
		response, err := newTransport(t).RoundTrip(request)
		require.NoError(t, err)
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		return response.StatusCode, string(body)
	}
	status, body := health()
	assert.Equal(t, 200, status)
	assert.Equal(t, "{}\n", body)
	store.failing = errors.New("the disk is full")
	_, err = s.Users.AddPaidOrder("ORDER-0001", 1)
	require.Error(t, err)
	status, body = health()
	assert.Equal(t, 503, status)
	assert.Contains(t, body, "the disk is full")
}
