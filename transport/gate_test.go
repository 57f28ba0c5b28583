package transport_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/internal/iotest"
	"github.com/wxpay-go/wxpay/transport"
)

// globalLog catches what is written to the global logger until the test ends.
func globalLog(t *testing.T) *iotest.Buffer {
	out := new(iotest.Buffer)
	before := log.Writer()
	log.SetOutput(out)
	t.Cleanup(func() { log.SetOutput(before) })
	return out
}

// What nobody asked for ends the connection. It is in no log, is no answer to the next request, and costs that one nothing.
func TestUnsolicited(t *testing.T) {
	const secret = "HTTP/1.1 200 OK\r\nWechatpay-Signature: SECRET\r\nContent-Length: 19\r\n\r\n{\"openid\":\"oSECRET\"}"
	const right = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nright"
	for _, tt := range []struct {
		name, answer, body string
	}{
		{"behind an answer", right, "right"},
		{"behind an answer without a body", "HTTP/1.1 204 No Content\r\n\r\n", ""},
		{"behind chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nright\r\n0\r\n\r\n", "right"},
		{"behind a large answer", "HTTP/1.1 200 OK\r\nContent-Length: 20000\r\n\r\n" + strings.Repeat("x", 20000), strings.Repeat("x", 20000)},
	} {
		for _, at := range []string{"at once", "later"} {
			for _, scheme := range []string{"http", "https"} {
				t.Run(tt.name+" "+at+" over "+scheme, func(t *testing.T) {
					out := globalLog(t)
					idle, closed := make(chan struct{}), make(chan struct{})
					var requests int
					address, config := serve(t, scheme, func(c net.Conn) {
						reader := bufio.NewReader(c)
						for {
							if _, err := http.ReadRequest(reader); err != nil {
								return
							}
							if requests++; requests > 1 {
								_, _ = io.WriteString(c, right)
								continue
							}
							if at == "at once" {
								_, _ = io.WriteString(c, tt.answer+secret)
							} else {
								_, _ = io.WriteString(c, tt.answer)
								<-idle
								_, _ = io.WriteString(c, secret)
							}
							_, err := reader.ReadByte()
							assert.Error(t, err, "another request came on this connection")
							close(closed)
							return
						}
					})
					rt := transport.New(transport.Config{TLS: config})
					defer rt.CloseIdleConnections()
					call := func(method, body string) string {
						var res *http.Response
						for {
							req, err := http.NewRequest(method, scheme+"://"+address+"/v3/x", strings.NewReader(body))
							require.NoError(t, err)
							if res, err = rt.RoundTrip(req); err == nil {
								break
							}
							// The pool may not know yet that the connection has ended: the count of requests says that it carried none.
							require.ErrorContains(t, err, "broke off")
						}
						assert.Equal(t, scheme == "https", res.TLS != nil)
						text, err := io.ReadAll(res.Body)
						require.NoError(t, err)
						require.NoError(t, res.Body.Close())
						return string(text)
					}
					require.Equal(t, tt.body, call("GET", ""))
					close(idle)
					<-closed
					assert.Equal(t, "right", call("POST", "{}"))
					assert.Equal(t, "right", call("GET", ""), "a connection that behaves is used again")
					assert.Equal(t, 3, requests)
					assert.Empty(t, out.String())
				})
			}
		}
	}
}

// A write that meets such a connection is sent once, on another.
func TestUnsolicitedMeetsWrite(t *testing.T) {
	out := globalLog(t)
	var mu sync.Mutex
	seen := map[string]int{}
	address, config := serve(t, "https", func(c net.Conn) {
		reader := bufio.NewReader(c)
		for {
			req, err := http.ReadRequest(reader)
			if err != nil {
				return
			}
			body, _ := io.ReadAll(req.Body)
			mu.Lock()
			seen[string(body)]++
			odd := len(seen)%2 == 1
			mu.Unlock()
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
			if odd {
				time.Sleep(time.Duration(len(body)) * time.Microsecond) // now and then exactly when the next request comes
				_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nX: SECRET\r\nContent-Length: 0\r\n\r\n")
			}
		}
	})
	rt := transport.New(transport.Config{TLS: config})
	defer rt.CloseIdleConnections()
	for i := range 200 {
		req, err := http.NewRequest("POST", "https://"+address, strings.NewReader(strings.Repeat("x", i)))
		require.NoError(t, err)
		if res, err := rt.RoundTrip(req); err == nil { // else it met what came too late: its response is not known
			_, _ = io.Copy(io.Discard, res.Body)
			require.NoError(t, res.Body.Close())
		}
	}
	mu.Lock()
	defer mu.Unlock()
	for body, times := range seen {
		assert.Equal(t, 1, times, "%d bytes", len(body))
	}
	assert.NotContains(t, out.String(), "SECRET")
}

// What is no response of the kind that is known passes as it is: through a proxy net/http does the TLS itself.
// The TLS of another transport may offer HTTP/2, which nobody here speaks.
func TestProxy(t *testing.T) {
	target := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "through "+r.URL.Path) }))
	target.EnableHTTP2 = true
	target.StartTLS()
	defer target.Close()
	config := target.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	config.NextProtos = []string{"h2", "http/1.1"}
	for name, reply := range map[string]string{"usual": "HTTP/1.1 200 Connection established\r\n\r\n",
		"with a length": "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"} {
		t.Run(name, func(t *testing.T) {
			proxy := listen(t, func(c net.Conn) {
				req, err := http.ReadRequest(bufio.NewReader(c))
				if err != nil || req.Method != http.MethodConnect {
					return
				}
				up, err := net.Dial("tcp", req.Host)
				if err != nil {
					return
				}
				defer up.Close()
				_, _ = io.WriteString(c, reply)
				go io.Copy(up, c)
				_, _ = io.Copy(c, up)
			})
			rt := transport.New(transport.Config{
				TLS:   config,
				Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: proxy}),
			})
			defer rt.CloseIdleConnections()
			for range 2 {
				res, err := get(t, context.Background(), rt, target.URL+"/x")
				require.NoError(t, err)
				text, err := io.ReadAll(res.Body)
				require.NoError(t, err)
				require.NoError(t, res.Body.Close())
				assert.Equal(t, "through /x", string(text))
				assert.NotNil(t, res.TLS)
			}
		})
	}
}

// serve answers connections with serve, over TLS if scheme says so, and returns what a client needs.
func serve(t *testing.T, scheme string, serve func(net.Conn)) (address string, config *tls.Config) {
	t.Helper()
	if scheme == "http" {
		return listen(t, serve), nil
	}
	certified := httptest.NewUnstartedServer(nil)
	certified.StartTLS() // makes a certificate
	certified.Close()
	roots := x509.NewCertPool()
	roots.AddCert(certified.Certificate())
	server := &tls.Config{Certificates: certified.TLS.Certificates}
	return listen(t, func(c net.Conn) { serve(tls.Server(c, server)) }), &tls.Config{RootCAs: roots}
}
