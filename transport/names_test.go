package transport_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/transport"
)

// forwarding is a proxy that wants to know who asks if it is closed, and makes every connection otherwise.
func forwarding(t *testing.T, closed bool) *url.URL {
	t.Helper()
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if closed || r.Method != http.MethodConnect {
			w.WriteHeader(http.StatusProxyAuthRequired)
			return
		}
		there, err := net.Dial("tcp", r.Host)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer there.Close()
		here, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer here.Close()
		_, _ = io.WriteString(here, "HTTP/1.1 200 OK\r\n\r\n")
		go func() { _, _ = io.Copy(there, here) }()
		_, _ = io.Copy(here, there)
	}))
	t.Cleanup(proxy.Close)
	address, err := url.Parse(proxy.URL)
	require.NoError(t, err)
	address.User = url.UserPassword("user", "SECRET")
	return address
}

// An error says to whom there was no connection, by which proxy, and what to do. It never shows the proxy's password.
func TestErrorsNameHostAndProxy(t *testing.T) {
	gateway := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) }))
	gateway.Config.ErrorLog = nil
	t.Cleanup(gateway.Close)
	host := strings.TrimPrefix(gateway.URL, "https://")
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	nobody := closed.Addr().String()
	require.NoError(t, closed.Close())
	trusted := x509.NewCertPool()
	trusted.AddCert(gateway.Certificate())
	wants, open := forwarding(t, true), forwarding(t, false)
	for name, tt := range map[string]struct {
		address string
		proxy   *url.URL
		roots   *x509.CertPool
		unsent  bool
		says    []string
	}{
		"nobody listens": {"https://" + nobody, nil, nil, true, []string{"no connection to " + nobody + ": ", "refused"}},
		"an authority that is not trusted": {gateway.URL, nil, x509.NewCertPool(), true,
			[]string{"no connection to " + host + ": ", "unknown authority (install the root certificates", "inspects TLS"}},
		"another name":                {strings.Replace(gateway.URL, "127.0.0.1", "localhost", 1), nil, trusted, true, []string{"no connection to localhost:", "certificate is valid for"}},
		"a proxy with a password":     {gateway.URL, wants, trusted, true, []string{"no connection to " + host + " through the proxy " + wants.Host + ": the proxy answered 407 Proxy Authentication Required (give its user"}},
		"no proxy there":              {gateway.URL, &url.URL{Scheme: "http", Host: nobody}, trusted, true, []string{"no connection to " + host + " through the proxy " + nobody + ": ", "refused"}},
		"no way behind the proxy":     {"https://" + nobody, open, trusted, true, []string{"no connection to " + nobody + " through the proxy " + open.Host + ": the proxy answered 502 Bad Gateway"}},
		"a stranger behind a proxy":   {gateway.URL, open, x509.NewCertPool(), true, []string{"no connection to " + host + " through the proxy " + open.Host + ": ", "unknown authority"}},
		"it breaks off":               {gateway.URL, nil, trusted, false, []string{"the exchange with " + host + " broke off: "}},
		"it breaks off, by the proxy": {gateway.URL, open, trusted, false, []string{"the exchange with " + host + " through the proxy " + open.Host + " broke off: "}},
	} {
		t.Run(name, func(t *testing.T) {
			rt := transport.New(transport.Config{TLS: &tls.Config{RootCAs: tt.roots}, Proxy: http.ProxyURL(tt.proxy)})
			defer rt.CloseIdleConnections()
			_, err := get(t, context.Background(), rt, tt.address)
			var unsent *transport.UnsentError
			assert.Equal(t, tt.unsent, errors.As(err, &unsent))
			for _, text := range tt.says {
				assert.ErrorContains(t, err, text)
			}
			assert.NotContains(t, err.Error(), "SECRET")
			assert.NotContains(t, err.Error(), "\n")
		})
	}

	missing := &transport.UnsentError{Host: "api.mch.weixin.qq.com", Err: &net.DNSError{Err: "no such host", Name: "api.mch.weixin.qq.com", Server: "10.0.0.2:53", IsNotFound: true}}
	assert.EqualError(t, missing, "no connection to api.mch.weixin.qq.com: lookup api.mch.weixin.qq.com on 10.0.0.2:53: no such host "+
		"(check the name, the name server of this machine and, behind a proxy, HTTPS_PROXY)")
}
