package transparent_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/transparent"
	"github.com/wxpay-go/wxpay/fact"
)

// newAuthority returns an authority in a folder of the test, and a pool with it.
func newAuthority(t *testing.T, names ...string) (*transparent.Authority, *x509.CertPool) {
	a, err := transparent.Open(filepath.Join(t.TempDir(), "tls"), names)
	require.NoError(t, err)
	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM(a.PEM()))
	return a, roots
}

// echo answers with what arrived.
var echo = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	fmt.Fprintf(w, "%s %s %s %s %v %q %s", r.Proto, r.Method, r.Host, r.RequestURI, r.TLS != nil, body, r.Header.Get("Proxy-Connection"))
})

// TestHosts: the hosts are those that the client takes for the platform's.
func TestHosts(t *testing.T) {
	for _, host := range transparent.Hosts {
		assert.True(t, fact.IsPlatformHost(host), host)
		assert.True(t, transparent.IsPlatform(strings.ToUpper(host)), host)
	}
	for _, host := range []string{"", "example.com", "mch.weixin.qq.com", "xapi.mch.weixin.qq.com", "api.mch.weixin.qq.com.evil.example", "127.0.0.1"} {
		assert.False(t, transparent.IsPlatform(host), host)
	}
}

// TestProxyAnswersForThePlatform: a program whose host is fixed arrives, with its request as it was sent.
func TestProxyAnswersForThePlatform(t *testing.T) {
	a, roots := newAuthority(t)
	for name, test := range map[string]struct {
		http2 bool
		proto string
	}{"as the platform": {false, "HTTP/1.1"}, "HTTP/2": {true, "HTTP/2.0"}} {
		t.Run(name, func(t *testing.T) {
			p, err := transparent.Listen("127.0.0.1:0", echo, a.TLS(test.http2))
			require.NoError(t, err)
			defer p.Close()
			through, err := url.Parse(p.URL)
			require.NoError(t, err)
			transport := &http.Transport{Proxy: http.ProxyURL(through), TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}
			defer transport.CloseIdleConnections()
			client := &http.Client{Transport: transport, Timeout: 30 * time.Second}
			for _, host := range transparent.Hosts {
				response, err := client.Post("https://"+host+"/v3/a%2Fb?c=d&", "text/plain", strings.NewReader("body"))
				require.NoError(t, err, host)
				content, err := io.ReadAll(response.Body)
				response.Body.Close()
				require.NoError(t, err)
				assert.Equal(t, fmt.Sprintf(`%s POST %s /v3/a%%2Fb?c=d& true "body" `, test.proto, host), string(content))
			}
		})
	}
}

// TestProxyForwardsNothing: every other host, port and form is rejected, and no connection is made.
func TestProxyForwardsNothing(t *testing.T) {
	var reached bool
	outside, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	accepted := make(chan struct{})
	go func() {
		defer close(accepted)
		if conn, err := outside.Accept(); err == nil {
			reached = true
			conn.Close()
		}
	}()
	a, _ := newAuthority(t)
	p, err := transparent.Listen("127.0.0.1:0", echo, a.TLS(false))
	require.NoError(t, err)
	defer p.Close()
	send := func(request string) (status int, body string) {
		conn, err := net.Dial("tcp", strings.TrimPrefix(p.URL, "http://"))
		require.NoError(t, err)
		defer conn.Close()
		require.NoError(t, conn.SetDeadline(time.Now().Add(30*time.Second)))
		_, err = conn.Write([]byte(request))
		require.NoError(t, err)
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err)
		defer response.Body.Close()
		content, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		return response.StatusCode, string(content)
	}
	address := outside.Addr().String()
	for _, target := range []string{
		address, "example.com:443", "api.mch.weixin.qq.com:80", "api.mch.weixin.qq.com", "api.mch.weixin.qq.com.evil.example:443",
		"evil@api.mch.weixin.qq.com:443", "[::1]:443",
	} {
		status, _ := send("CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\nConnection: close\r\n\r\n")
		assert.GreaterOrEqual(t, status, 400, target)
	}
	for _, target := range []string{"http://" + address + "/", "http://example.com/", "http://api.mch.weixin.qq.com/v3/certificates", "/v3/certificates"} {
		status, body := send("GET " + target + " HTTP/1.1\r\nHost: " + address + "\r\nConnection: close\r\n\r\n")
		assert.Equal(t, 403, status, target)
		assert.Contains(t, body, "forwards nothing", target)
	}
	outside.Close()
	<-accepted
	assert.False(t, reached)

	// Some clients send the whole URL in place of CONNECT.
	status, body := send("GET https://api.mch.weixin.qq.com/v3/a%2Fb?c=d HTTP/1.1\r\nHost: api.mch.weixin.qq.com\r\n" +
		"Proxy-Connection: keep-alive\r\nConnection: close\r\n\r\n")
	assert.Equal(t, 200, status)
	assert.Equal(t, `HTTP/1.1 GET api.mch.weixin.qq.com /v3/a%2Fb?c=d true "" `, body)
}

// TestAuthorityIsConstrained: a certificate of the authority for anybody else is worth nothing, even if somebody has its key.
func TestAuthorityIsConstrained(t *testing.T) {
	a, roots := newAuthority(t, "gateway")
	block, _ := pem.Decode(a.PEM())
	authority, err := x509.ParseCertificate(block.Bytes)
	require.NoError(t, err)
	content, err := os.ReadFile(filepath.Join(filepath.Dir(a.File), "ca-key.pem"))
	require.NoError(t, err)
	stolen, _ := pem.Decode(content)
	key, err := x509.ParsePKCS8PrivateKey(stolen.Bytes)
	require.NoError(t, err)
	valid := func(change func(*x509.Certificate)) error {
		own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		require.NoError(t, err)
		template := &x509.Certificate{
			SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "x"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
			ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		}
		change(template)
		der, err := x509.CreateCertificate(rand.Reader, template, authority, &own.PublicKey, key)
		require.NoError(t, err)
		c, err := x509.ParseCertificate(der)
		require.NoError(t, err)
		_, err = c.Verify(x509.VerifyOptions{Roots: roots})
		return err
	}
	named := func(names ...string) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.DNSNames = names }
	}
	for _, name := range []string{"api.mch.weixin.qq.com", "localhost", "gateway"} {
		assert.NoError(t, valid(named(name)), name)
	}
	for _, name := range []string{"example.com", "weixin.qq.com", "pay.weixin.qq.com", "qq.com"} {
		assert.Error(t, valid(named(name)), name)
	}
	assert.NoError(t, valid(func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)} }))
	assert.Error(t, valid(func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.IPv4(8, 8, 8, 8)} }))
	assert.Error(t, valid(func(c *x509.Certificate) { c.EmailAddresses = []string{"a@example.com"} }))
}

// TestAuthorityIsKept: the same certificate serves again, for its owner alone, until a name is missing in it.
func TestAuthorityIsKept(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "deep", "tls")
	first, err := transparent.Open(folder, nil)
	require.NoError(t, err)
	again, err := transparent.Open(folder, nil)
	require.NoError(t, err)
	assert.Equal(t, first.PEM(), again.PEM())
	if runtime.GOOS != "windows" {
		for _, name := range []string{"ca.pem", "ca-key.pem"} {
			info, err := os.Stat(filepath.Join(folder, name))
			require.NoError(t, err)
			assert.Equal(t, os.FileMode(0o600), info.Mode().Perm(), name)
		}
	}
	wider, err := transparent.Open(folder, []string{"gateway"})
	require.NoError(t, err)
	assert.NotEqual(t, first.PEM(), wider.PEM())
	kept, err := transparent.Open(folder, nil)
	require.NoError(t, err)
	assert.Equal(t, wider.PEM(), kept.PEM(), "it has all names that are wanted")
	require.NoError(t, os.WriteFile(filepath.Join(folder, "ca-key.pem"), []byte("damaged"), 0o600))
	fresh, err := transparent.Open(folder, nil)
	require.NoError(t, err)
	assert.NotEqual(t, wider.PEM(), fresh.PEM())
}
