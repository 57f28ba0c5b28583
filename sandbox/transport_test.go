//go:build go1.25

package sandbox_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/sandbox"
)

// TestTransportIsLikeTheNetwork sends each request over loopback and in process: the gateway must see the same.
func TestTransportIsLikeTheNetwork(t *testing.T) {
	var host string // of the server, which each case has to itself
	at := func(path, rawPath, rawQuery string) *url.URL {
		return &url.URL{Scheme: "http", Host: host, Path: path, RawPath: rawPath, RawQuery: rawQuery}
	}
	plain := func() *url.URL { return at("/v3/certificates", "", "") }
	for name, build := range map[string]func() *http.Request{
		"plain":               func() *http.Request { return &http.Request{Method: "GET", URL: plain()} },
		"no method":           func() *http.Request { return &http.Request{URL: plain()} },
		"empty path":          func() *http.Request { return &http.Request{URL: at("", "", "")} },
		"encoded path":        func() *http.Request { return &http.Request{URL: at("/v3/a/b|c", "/v3/a%2Fb%7cc", "")} },
		"path to be encoded":  func() *http.Request { return &http.Request{URL: at("/v3/a b|c*d~e@f/中", "", "")} },
		"raw path of another": func() *http.Request { return &http.Request{URL: at("/v3/a", "/v3/b", "")} },
		"double slash":        func() *http.Request { return &http.Request{URL: at("//v3//a/", "", "")} },
		"query as it is":      func() *http.Request { return &http.Request{URL: at("/v3/a", "", "b=%7C&a=1+2&&;x")} },
		"query in Chinese":    func() *http.Request { return &http.Request{URL: at("/v3/a", "", "k=中")} },
		"query with blank":    func() *http.Request { return &http.Request{URL: at("/v3/a", "", "k=a b")} },
		"bare question mark": func() *http.Request {
			return &http.Request{URL: &url.URL{Scheme: "http", Host: host, Path: "/v3/a", ForceQuery: true}}
		},
		"fragment": func() *http.Request {
			return &http.Request{URL: &url.URL{Scheme: "http", Host: host, Path: "/v3/a", Fragment: "f"}}
		},
		"opaque": func() *http.Request {
			return &http.Request{URL: &url.URL{Scheme: "http", Host: host, Opaque: "/v3/%61?x"}}
		},
		"control character": func() *http.Request { return &http.Request{URL: at("/v3/a", "", "k=\n")} },
		"bad escape": func() *http.Request {
			return &http.Request{URL: &url.URL{Scheme: "http", Host: host, Opaque: "/v3/%zz"}}
		},
		"another host name": func() *http.Request { return &http.Request{URL: plain(), Host: "api.mch.weixin.qq.com"} },
		"agent": func() *http.Request {
			return &http.Request{URL: plain(), Header: http.Header{"User-Agent": {"a", "b"}}}
		},
		"empty agent":      func() *http.Request { return &http.Request{URL: plain(), Header: http.Header{"User-Agent": {""}}} },
		"no agent value":   func() *http.Request { return &http.Request{URL: plain(), Header: http.Header{"User-Agent": nil}} },
		"lower-case names": func() *http.Request { return &http.Request{URL: plain(), Header: http.Header{"accept": {"x"}}} },
		"several values":   func() *http.Request { return &http.Request{URL: plain(), Header: http.Header{"X-A": {"1", " 2\t"}}} },
		"own lengths": func() *http.Request {
			return &http.Request{URL: plain(), Header: http.Header{"Content-Length": {"9"}, "Host": {"x"}, "Trailer": {"y"}}}
		},
		"bad header name":  func() *http.Request { return &http.Request{URL: plain(), Header: http.Header{"A B": {"1"}}} },
		"bad header value": func() *http.Request { return &http.Request{URL: plain(), Header: http.Header{"A": {"1\r\nB: 2"}}} },
		"bad method":       func() *http.Request { return &http.Request{URL: plain(), Method: "G T"} },
		"closing":          func() *http.Request { return &http.Request{URL: plain(), Close: true} },
		"post, no body":    func() *http.Request { return &http.Request{URL: plain(), Method: "POST"} },
		"post":             func() *http.Request { return post(at("/v3/a", "", ""), "text", 4) },
		"unknown length":   func() *http.Request { return post(at("/v3/a", "", ""), "text", -1) },
		"zero length":      func() *http.Request { return post(at("/v3/a", "", ""), "text", 0) },
		"body too long":    func() *http.Request { return post(at("/v3/a", "", ""), "text", 3) },
		"body too short":   func() *http.Request { return post(at("/v3/a", "", ""), "text", 5) },
		"body fails": func() *http.Request {
			r := post(at("/v3/a", "", ""), "", 5)
			r.Body = io.NopCloser(io.MultiReader(strings.NewReader("te"), iotest.ErrReader(errors.New("broken"))))
			return r
		},
		"no URL":       func() *http.Request { return &http.Request{Method: "GET"} },
		"no host":      func() *http.Request { return &http.Request{URL: &url.URL{Scheme: "http", Path: "/"}} },
		"other scheme": func() *http.Request { return &http.Request{URL: &url.URL{Scheme: "ftp", Host: host, Path: "/"}} },
	} {
		t.Run(name, func(t *testing.T) {
			server := sandbox.Start(t, fixed(noon))
			host = strings.TrimPrefix(server.URL, "http://")
			network := newTransport(t)
			network.DisableCompression = true
			type result struct {
				failed        bool
				status        int
				proto, answer string
				entries       []sandbox.Entry
			}
			through := func(transport http.RoundTripper) result {
				server.Journal.Reset()
				request := build()
				if request.Header == nil {
					request.Header = http.Header{}
				}
				response, err := transport.RoundTrip(request)
				if err != nil {
					return result{failed: true}
				}
				defer response.Body.Close()
				body, err := io.ReadAll(response.Body)
				require.NoError(t, err)
				assert.Same(t, request, response.Request)
				entries := server.Journal.All()
				for i := range entries {
					entries[i].ID, entries[i].ResponseHeader, entries[i].Number, entries[i].Took = "", nil, 0, 0
					entries[i].Header.Del("Transfer-Encoding")
				}
				return result{status: response.StatusCode, proto: response.Proto, answer: string(body), entries: entries}
			}
			want := through(network)
			assert.Equal(t, want, through(server.Transport()))
		})
	}
}

func post(u *url.URL, body string, length int64) *http.Request {
	return &http.Request{Method: "POST", URL: u, Body: io.NopCloser(strings.NewReader(body)), ContentLength: length}
}

// closing counts how often a body is closed.
type closing struct {
	io.Reader
	closed atomic.Int32
	once   sync.Once
	end    func()
}

func (c *closing) Close() error {
	c.closed.Add(1)
	if c.end != nil {
		c.once.Do(c.end)
	}
	return nil
}

func TestTransportClosesBodies(t *testing.T) {
	s := newSandbox(t)
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, test := range map[string]struct {
		ctx    context.Context
		base   string
		failed bool
	}{
		"answered":          {t.Context(), inProcess, false},
		"refused to send":   {t.Context(), "ftp://x", true},
		"already cancelled": {cancelled, inProcess, true},
	} {
		body := &closing{Reader: strings.NewReader("text")}
		request, err := http.NewRequestWithContext(test.ctx, "POST", test.base+"/v3/a", body)
		require.NoError(t, err)
		response, err := s.Transport().RoundTrip(request)
		assert.Equal(t, test.failed, err != nil, name)
		if err == nil {
			response.Body.Close()
		}
		assert.EqualValues(t, 1, body.closed.Load(), name)
	}
}

func TestTransportGivesUpWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSandbox(t)
		cause := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		reader, writer := io.Pipe()
		body := &closing{Reader: reader, end: func() { reader.Close() }}
		request, err := http.NewRequestWithContext(ctx, "POST", inProcess+feedPath, body)
		require.NoError(t, err)
		time.AfterFunc(3*time.Second, func() { cancel(cause) })
		start := time.Now()
		_, err = s.Transport().RoundTrip(request) // its body never ends
		assert.ErrorIs(t, err, cause)
		assert.Equal(t, 3*time.Second, time.Since(start))
		assert.EqualValues(t, 1, body.closed.Load())
		_, err = writer.Write([]byte("x"))
		assert.ErrorIs(t, err, io.ErrClosedPipe)
		synctest.Wait() // the handler has ended, or this test would hang

		client := &http.Client{Transport: s.Transport(), Timeout: 5 * time.Second}
		reader, _ = io.Pipe()
		start = time.Now()
		_, err = client.Post(inProcess+feedPath, "application/json", reader)
		var timeout interface{ Timeout() bool }
		require.ErrorAs(t, err, &timeout)
		assert.True(t, timeout.Timeout())
		assert.Equal(t, 5*time.Second, time.Since(start))
	})
}

func TestTimePassesInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSandbox(t)
		c := newCall(s, time.Now(), "POST", feedPath, feed()).sign(s)
		a := c.send(t, s.Transport(), inProcess)
		require.Equal(t, 200, a.StatusCode, "%s", a.body)
		verify(t, s, time.Now(), a)
		time.Sleep(5 * time.Minute)
		assert.Equal(t, 200, c.send(t, s.Transport(), inProcess).StatusCode)
		time.Sleep(time.Second)
		a = c.send(t, s.Transport(), inProcess)
		assert.Equal(t, 401, a.StatusCode)
		assert.Contains(t, string(a.body), "timestamp")
		assert.Equal(t, time.Now().UTC().Format(http.TimeFormat), a.Header.Get("Date"))
	})
}

// TestManyAtOnce is for the race detector.
func TestManyAtOnce(t *testing.T) {
	server := sandbox.Start(t)
	require.NoError(t, server.Rules.Relax(sandbox.Rates))
	network := newTransport(t)
	var wait sync.WaitGroup
	for worker := range 8 {
		wait.Go(func() {
			var transport http.RoundTripper = network
			base := server.URL
			if worker%2 == 0 {
				transport, base = server.Transport(), inProcess
			}
			s := server.Sandbox
			number := "ORDER-" + strings.Repeat("0", worker%3+1) // three orders that workers share
			order := with(native(s), "out_trade_no", number)
			for range 4 {
				for _, step := range []struct {
					method, target string
					body           any
				}{
					{"POST", feedPath, feed()},
					{"POST", "/v3/pay/transactions/native", order},
					{"GET", "/v3/pay/transactions/out-trade-no/" + number + "?mchid=" + s.Merchant().ID, nil},
					{"GET", "/v3/certificates", nil},
				} {
					a := newCall(s, time.Now(), step.method, step.target, step.body).sign(s).send(t, transport, base)
					if !assert.Equal(t, 200, a.StatusCode, "%s %s: %s", step.method, step.target, a.body) {
						return
					}
				}
				server.Journal.All()
			}
		})
	}
	wait.Wait()
	assert.Len(t, server.Journal.All(), 8*4*4)
}

// TestAnswersAreTheCallersOwn changes a response, and finds the next one and the journal unchanged.
func TestAnswersAreTheCallersOwn(t *testing.T) {
	s := newSandbox(t)
	a := ask(t, s, "POST", feedPath, feed())
	a.Header.Set("Server", "changed")
	assert.Equal(t, "nginx", s.Journal.All()[0].ResponseHeader.Get("Server"))
	request, err := http.NewRequest("POST", inProcess+"/v3/nothing", bytes.NewReader([]byte("x")))
	require.NoError(t, err)
	request.Header.Set("X-A", "1")
	response, err := s.Transport().RoundTrip(request)
	require.NoError(t, err)
	response.Body.Close()
	request.Header.Set("X-A", "2")
	assert.Equal(t, "1", s.Journal.All()[1].Header.Get("X-A"))
}
