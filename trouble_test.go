//go:build go1.25

package wxpay_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto"
	"crypto/sha1"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
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
	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/middleware"
	"github.com/wxpay-go/wxpay/transport"
)

// Every answer that cannot be trusted is an error of its own, keeps the evidence, and leaves the outcome unknown.
func TestUntrustedAnswers(t *testing.T) {
	const body = `{"out_trade_no":"ABC","openid":"oSECRET"}`
	without := func(name string) func(*http.Response) {
		return func(res *http.Response) { res.Header.Del(name) }
	}
	set := func(name, value string) func(*http.Response) {
		return func(res *http.Response) { res.Header.Set(name, value) }
	}
	zipped := new(bytes.Buffer)
	zip := gzip.NewWriter(zipped)
	_, _ = zip.Write([]byte(body))
	require.NoError(t, zip.Close())

	tests := []struct {
		name   string
		answer answer
		is     error
		says   string
		probe  bool
	}{
		{"wrong signature", answer{body: body, key: testKeys().other}, apiv3.ErrSignature, "signature does not match", false},
		{"changed body", answer{body: body, bend: func(res *http.Response) {
			res.Body = io.NopCloser(strings.NewReader(strings.Replace(body, "ABC", "ABD", 1)))
		}}, apiv3.ErrSignature, "signature does not match", false},
		{"unknown serial", answer{body: body, bend: set(apiv3.HeaderSerial, "7D4EF1A2B3C4D5E6F708192A3B4C5D6E7F8091A2")}, apiv3.ErrUnknownSerial,
			"platform key 7D4EF1A2B3C4D5E6F708192A3B4C5D6E7F8091A2: unknown platform key", false},
		{"clock six minutes ahead", answer{body: body, ahead: -6 * time.Minute}, apiv3.ErrClock, "6m0s before the local clock", false},
		{"clock six minutes behind", answer{body: body, ahead: 6 * time.Minute}, apiv3.ErrClock, "6m0s after the local clock", false},
		{"probe", answer{body: body, bend: set(apiv3.HeaderSignature, "WECHATPAY/SIGNTEST/"+strings.Repeat("A", 325))}, apiv3.ErrSignature,
			"signature does not match", true},
		{"probe that is no base64", answer{body: body, bend: set(apiv3.HeaderSignature, "WECHATPAY/SIGNTEST/***")}, apiv3.ErrSignature,
			"signature does not match", true},
		{"no signature", answer{body: body, unsigned: true}, apiv3.ErrUnsigned, "Wechatpay-Signature is missing", false},
		{"timestamp missing", answer{body: body, bend: without(apiv3.HeaderTimestamp)}, apiv3.ErrUnsigned, "Wechatpay-Timestamp is missing", false},
		{"nonce missing", answer{body: body, bend: without(apiv3.HeaderNonce)}, apiv3.ErrUnsigned, "Wechatpay-Nonce is missing", false},
		{"serial missing", answer{body: body, bend: without(apiv3.HeaderSerial)}, apiv3.ErrUnsigned, "Wechatpay-Serial is missing", false},
		{"timestamp is no number", answer{body: body, bend: set(apiv3.HeaderTimestamp, "0x10")}, apiv3.ErrSignatureHeader, "not a number of seconds", false},
		{"signature twice", answer{body: body, bend: func(res *http.Response) { res.Header.Add(apiv3.HeaderSignature, "x") }},
			apiv3.ErrSignatureHeader, "stands 2 times", false},
		{"another signature type", answer{body: body, bend: set(apiv3.HeaderSignatureType, "WECHATPAY2-SM2-WITH-SM3")}, apiv3.ErrSignatureHeader,
			"another type", false},
		{"garbage", answer{body: "\x00\x01garbage", unsigned: true}, apiv3.ErrUnsigned, "missing", false},
		{"HTML with status 200", answer{body: "<html>login</html>", unsigned: true}, apiv3.ErrUnsigned, "missing", false},
		{"too large, announced", answer{body: strings.Repeat(" ", 2048)}, middleware.ErrResponseTooLarge, "limit of 1024 bytes", false},
		{"too large, not announced", answer{body: strings.Repeat(" ", 2048), bend: func(res *http.Response) { res.ContentLength = -1 }},
			middleware.ErrResponseTooLarge, "limit of 1024 bytes", false},
		{"cut off", answer{body: body, bend: func(res *http.Response) { res.ContentLength = 1000 }}, middleware.ErrResponseTruncated, "cut off", false},
		{"cut off, not announced", answer{body: body, bend: func(res *http.Response) {
			res.ContentLength, res.Body = -1, io.NopCloser(io.MultiReader(strings.NewReader(body[:5]), &brokenReader{}))
		}}, middleware.ErrResponseTruncated, "connection reset", false},
		{"longer than announced", answer{body: body, bend: func(res *http.Response) { res.ContentLength = 3 }}, middleware.ErrResponseTruncated, "goes on", false},
		{"compressed", answer{body: zipped.String(), header: http.Header{"Content-Encoding": {"gzip"}}}, middleware.ErrResponseCoded,
			"compressed, which the request did not ask for (gzip)", false},
		{"a member twice", answer{body: `{"amount":{"total":1,"total":100},"sp":"SECRET"}`}, middleware.ErrResponseAmbiguous,
			`the field "total" stands twice`, false},
		{"a member in two cases", answer{body: `{"state":"SECRET","State":""}`}, middleware.ErrResponseAmbiguous, `"state" and "State" differ in case alone`, false},
		{"a number beyond 64 bits", answer{body: `{"total":18446744073709551617}`}, middleware.ErrResponseAmbiguous, "fits no type", false},
		{"a signed error with its code twice", answer{status: 400, body: `{"code":"PARAM_ERROR","code":"SYSTEM_ERROR"}`},
			middleware.ErrResponseAmbiguous, "status 400", false},
		{"a signed error with a wrong signature", answer{status: 400, body: `{"code":"PARAM_ERROR"}`, key: testKeys().other}, apiv3.ErrSignature,
			"status 400", false},
		{"a signed server error with a wrong signature", answer{status: 500, body: `{"code":"SYSTEM_ERROR"}`, key: testKeys().other},
			apiv3.ErrSignature, "status 500", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			// In a bubble no second begins between the signature and its check.
			synctest.Test(t, func(t *testing.T) {
				var seen middleware.Observation
				client := newClient(t, wxpay.WithTransport(tt.answer), wxpay.WithMaxResponse(1024),
					wxpay.WithObserver(func(_ context.Context, o middleware.Observation) { seen = o }))
				res, err := client.Chain("v3/x").Post(context.Background(), wxpay.JSON{"a": 1})
				require.Nil(t, res)
				require.ErrorIs(t, err, tt.is)
				assert.ErrorContains(t, err, tt.says)
				assert.ErrorContains(t, err, "may have taken effect")
				assert.ErrorIs(t, err, wxpay.StageVerify)
				assert.ErrorIs(t, err, wxpay.ErrOutcomeUnknown)
				assert.Equal(t, wxpay.Unknown, wxpay.OutcomeOf(err))
				assert.NotContains(t, err.Error(), "SECRET")
				var refused *wxpay.VerifyError
				require.ErrorAs(t, err, &refused)
				assert.NotZero(t, refused.Status)
				assert.NotEmpty(t, refused.Header.Get("Request-ID"))
				assert.Equal(t, tt.probe, refused.Probe)
				assert.Equal(t, tt.probe, seen.Probe)
				assert.Equal(t, refused.Status, seen.Status)
			})
		})
	}
	t.Run("the evidence is kept", func(t *testing.T) {
		client := newClient(t, wxpay.WithTransport(answer{body: body, key: testKeys().other}))
		_, err := client.Chain("v3/x").Post(context.Background(), wxpay.JSON{})
		var refused *wxpay.VerifyError
		require.ErrorAs(t, err, &refused)
		assert.Equal(t, body, string(refused.Body))
		assert.Equal(t, 200, refused.Status)
	})
	t.Run("the evidence is kept of what can be read in two ways", func(t *testing.T) {
		const twice = ` {"a":1,"a":2}`
		client := newClient(t, wxpay.WithTransport(answer{body: twice}))
		_, err := client.Chain("v3/x").Post(context.Background(), wxpay.JSON{})
		var refused *wxpay.VerifyError
		require.ErrorAs(t, err, &refused)
		assert.Equal(t, twice, string(refused.Body))
	})
	t.Run("what can be read in two ways will come again", func(t *testing.T) {
		sent := 0
		client := newClient(t, wxpay.WithTransport(answer{body: `{"a":1,"a":2}`, bend: func(*http.Response) { sent++ }}))
		_, err := client.Chain("v3/x").Get(context.Background())
		require.ErrorIs(t, err, middleware.ErrResponseAmbiguous)
		assert.Equal(t, 1, sent)
	})
	t.Run("a read says that it can be repeated", func(t *testing.T) {
		client := newClient(t, wxpay.WithTransport(answer{body: body, key: testKeys().other}))
		_, err := client.Chain("v3/x").Get(context.Background())
		assert.ErrorContains(t, err, "it was a read, so retrying is safe")
	})
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("connection reset by peer") }

// The families that the platform does not sign in the usual way, and no other.
func TestUnsignedFamilies(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	client := newClient(t, wxpay.WithTransport(answer{body: "file", unsigned: true}))
	rows := middleware.UnsignedResponses()
	require.Len(t, rows, 11)
	for _, row := range rows {
		assert.True(t, strings.HasPrefix(row.Source, "https://"), row.Path)
		chain := client.Chain(row.Path)
		if strings.Contains(row.Path, "{media_id}") {
			chain = chain.RawVar("media_id", "Chsy%2FOTk%3D")
		}
		res, err := chain.Query("token", "x").Get(ctx)
		if row.Signature == "digest" {
			require.ErrorIs(t, err, apiv3.ErrUnsigned, row.Path)
			continue
		}
		require.NoError(t, err, row.Path)
		assert.False(t, res.Verified, row.Path)
		assert.Equal(t, "file", string(res.Raw()))
		_, err = chain.Post(ctx, wxpay.JSON{})
		assert.ErrorIs(t, err, apiv3.ErrUnsigned, "only reads are exempt: %s", row.Path)
	}
	for _, path := range []string{"v3/billdownload/file/", "v3/billdownload/files", "v3/merchant-service/images/a/b", "v3/merchant-service/images/"} {
		_, err := client.Chain(path).Get(ctx)
		assert.ErrorIs(t, err, apiv3.ErrUnsigned, path)
	}
}

func TestStatementDigest(t *testing.T) {
	const statement = "date,amount\n20250101,1\n"
	sum := sha1.Sum([]byte(statement))
	digest := hex.EncodeToString(sum[:])
	signed := answer{body: statement, bend: func(res *http.Response) {
		res.Header.Set(apiv3.HeaderStatementSHA1, digest)
		answer{}.sign(res.Header, `{"sha1":"`+digest+`"}`)
	}}
	ctx := context.Background()
	res, err := newClient(t, wxpay.WithTransport(signed)).Chain("v3/global/statements").Query("date", "20250101").Get(ctx)
	require.NoError(t, err)
	assert.True(t, res.Verified)
	assert.Equal(t, statement, string(res.Raw()))

	changed := signed
	changed.body = strings.Replace(statement, "1\n", "2\n", 1)
	_, err = newClient(t, wxpay.WithTransport(changed)).Chain("v3/global/statements").Get(ctx)
	require.ErrorIs(t, err, middleware.ErrDigest)

	_, err = newClient(t, wxpay.WithTransport(signed)).Chain("v3/certificates").Get(ctx)
	require.ErrorIs(t, err, apiv3.ErrSignature, "the digest rule holds for statements only")

	// Without the header the ordinary rule applies.
	_, err = newClient(t, wxpay.WithTransport(answer{body: "{}"})).Chain("hk/v3/statements").Get(ctx)
	require.NoError(t, err)
}

// A failure is NotSent only when it is certain that nothing left the process.
func TestSendingFails(t *testing.T) {
	const refused = "http://127.0.0.1:1"                      // nobody listens there
	hangUp := func(t *testing.T, answerFirst string) string { // takes the request, says answerFirst, and hangs up
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		t.Cleanup(func() { _ = l.Close() })
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				_, _ = c.Read(make([]byte, 64<<10))
				_, _ = io.WriteString(c, answerFirst)
				_ = c.Close()
			}
		}()
		return "http://" + l.Addr().String()
	}
	tlsServer := httptest.NewTLSServer(http.NotFoundHandler())
	tlsServer.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	defer tlsServer.Close()
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	background := context.Background()
	failing := errors.New("signer is locked")

	tests := []struct {
		name    string
		ctx     context.Context
		options []wxpay.Option
		outcome wxpay.Outcome
		stage   wxpay.Stage
		says    string
	}{
		{"nil context", nil, nil, wxpay.NotSent, wxpay.StageBuild, "the context is nil"},
		{"cancelled before", cancelled, nil, wxpay.NotSent, wxpay.StageSend, "context canceled"},
		{"connection refused", background, []wxpay.Option{wxpay.WithBaseURL(refused)}, wxpay.NotSent, wxpay.StageSend, "not sent: no connection to 127.0.0.1:"},
		{"certificate not trusted", background, []wxpay.Option{wxpay.WithBaseURL(tlsServer.URL)}, wxpay.NotSent, wxpay.StageSend, "certificate"},
		{"hung up without an answer", background, []wxpay.Option{wxpay.WithBaseURL(hangUp(t, ""))}, wxpay.Unknown, wxpay.StageSend, "may have taken effect"},
		{"an answer that is not HTTP", background, []wxpay.Option{wxpay.WithBaseURL(hangUp(t, "SSH-2.0-OpenSSH\r\n"))}, wxpay.Unknown,
			wxpay.StageSend, "malformed HTTP"},
		{"an endless header", background, []wxpay.Option{wxpay.WithBaseURL(hangUp(t, "HTTP/1.1 200 OK\r\nX: "+strings.Repeat("x", 1<<20)))},
			wxpay.Unknown, wxpay.StageSend, "header"},
		{"cut off in the body", background, []wxpay.Option{wxpay.WithBaseURL(hangUp(t, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{\"a"))},
			wxpay.Unknown, wxpay.StageVerify, "cut off"},
		{"a round tripper of the user's", background,
			[]wxpay.Option{wxpay.WithTransport(answer{fail: func(*http.Request) error { return errors.New("cassette is full") }})}, wxpay.Unknown,
			wxpay.StageSend, "cassette is full"},
		{"a round tripper that brings nothing", background,
			[]wxpay.Option{wxpay.WithTransport(roundTrip(func(*http.Request) (*http.Response, error) { return nil, nil }))}, wxpay.Unknown,
			wxpay.StageSend, "neither a response nor an error"},
		{"http.Client's error hides the query", background, []wxpay.Option{wxpay.WithTransport(answer{fail: func(req *http.Request) error {
			return &url.Error{Op: "Post", URL: req.URL.String() + "?openid=oSECRET", Err: errors.New("EOF")}
		}})}, wxpay.Unknown, wxpay.StageSend, "outcome unknown: EOF"},
		{"a middleware of the user's refuses", background, []wxpay.Option{wxpay.WithMiddleware(func(http.RoundTripper) http.RoundTripper {
			return middleware.RoundTripFunc(func(*http.Request) (*http.Response, error) { return nil, errors.New("circuit open") })
		})}, wxpay.NotSent, wxpay.StageSend, "not sent: circuit open"},
		{"the signer fails", background, []wxpay.Option{wxpay.WithScheme(failingScheme{apiv3.RSA(), failing})}, wxpay.NotSent, wxpay.StageSign,
			"the request could not be signed: signer is locked"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			client := newClient(t, tt.options...)
			defer client.Close()
			_, err := client.Chain("v3/x").Post(tt.ctx, wxpay.JSON{"a": 1})
			require.ErrorContains(t, err, tt.says)
			assert.Equal(t, tt.outcome, wxpay.OutcomeOf(err), err)
			assert.ErrorIs(t, err, tt.stage)
			assert.NotContains(t, err.Error(), "SECRET")
			assert.NotContains(t, err.Error(), "\n")
		})
	}
}

type failingScheme struct {
	apiv3.Scheme
	err error
}

func (s failingScheme) Sign(crypto.Signer, []byte) ([]byte, error) { return nil, s.err }

func TestTimeLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		silent := answer{fail: func(req *http.Request) error {
			<-req.Context().Done()
			return context.Cause(req.Context())
		}}
		client := newClient(t, wxpay.WithTransport(silent))
		took := func(call func() error) (time.Duration, error) {
			begin := time.Now()
			err := call()
			return time.Since(begin), err
		}
		ctx := context.Background()
		for _, tt := range []struct {
			name  string
			chain wxpay.Chain
			want  time.Duration
		}{
			{"the default of an attempt", client.Chain("v3/x"), 10 * time.Second},
			{"the chain's own attempt", client.Chain("v3/x").AttemptTimeout(2 * time.Second), 2 * time.Second},
			{"the chain's own total", client.Chain("v3/x").Timeout(3 * time.Second), 3 * time.Second},
			{"the later wins", client.Chain("v3/x").Timeout(3 * time.Second).Timeout(4 * time.Second), 4 * time.Second},
		} {
			d, err := took(func() error { _, err := tt.chain.Post(ctx, wxpay.JSON{}); return err })
			assert.Equal(t, tt.want, d, tt.name)
			assert.ErrorIs(t, err, context.DeadlineExceeded)
			assert.ErrorContains(t, err, "no response within "+tt.want.String())
			assert.Equal(t, wxpay.Unknown, wxpay.OutcomeOf(err))
			var timeout net.Error
			assert.True(t, !errors.As(err, &timeout) || timeout.Timeout())
		}
		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		d, err := took(func() error { _, err := client.Chain("v3/x").Get(short); return err })
		assert.Equal(t, time.Second, d)
		assert.ErrorIs(t, err, context.DeadlineExceeded)

		during, cancel := context.WithCancel(ctx)
		time.AfterFunc(time.Second, cancel)
		_, err = client.Chain("v3/x").Post(during, wxpay.JSON{})
		assert.ErrorIs(t, err, context.Canceled)
		assert.Equal(t, wxpay.Unknown, wxpay.OutcomeOf(err), "it was with the transport already")
	})
}

// A server that closes its kept-alive connection must not break the calls after it. One that closes while the request is on
// its way leaves the outcome unknown, never "not sent".
func TestServerClosesKeptConnection(t *testing.T) {
	var connections atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		answer{}.sign(w.Header(), string(body))
		_, _ = w.Write(body)
	}))
	server.Config.ConnState = func(c net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
		if state == http.StateIdle {
			_ = c.Close()
		}
	}
	server.Start()
	defer server.Close()
	client := newClient(t, wxpay.WithBaseURL(server.URL))
	defer client.Close()
	failures := 0
	for range 50 {
		res, err := client.Chain("v3/x").Post(context.Background(), wxpay.JSON{"a": 1})
		if err != nil {
			failures++
			assert.Equal(t, wxpay.Unknown, wxpay.OutcomeOf(err), err)
			continue
		}
		assert.Equal(t, `{"a":1}`, string(res.Raw()))
	}
	assert.Less(t, failures, 50)
	assert.Greater(t, connections.Load(), int32(1))
}

// A redirect is not followed: the signature would not fit the new address.
func TestRedirectIsNotFollowed(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v3/x" {
			t.Error("followed")
		}
		http.Redirect(w, r, "/elsewhere", http.StatusFound)
	}))
	defer server.Close()
	client := newClient(t, wxpay.WithBaseURL(server.URL))
	defer client.Close()
	_, err := client.Chain("v3/x").Get(context.Background())
	require.ErrorContains(t, err, "302")
}

// 64 goroutines keep their connections over TLS: no handshake after the first of each.
func TestConnectionsAreKept(t *testing.T) {
	t.Parallel()
	var handshakes atomic.Int32
	var barrier sync.WaitGroup
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		barrier.Done()
		barrier.Wait() // all of a round are under way at once, so each needs a connection of its own
		answer{}.sign(w.Header(), "{}")
		_, _ = w.Write([]byte("{}"))
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			handshakes.Add(1)
		}
	}
	server.StartTLS()
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	pool := transport.New(transport.Config{TLS: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}})
	client := newClient(t, wxpay.WithBaseURL(server.URL), wxpay.WithTransport(pool))
	defer client.Close()
	const parallel = 64
	for range 3 {
		barrier.Add(parallel)
		var calls sync.WaitGroup
		for range parallel {
			calls.Go(func() {
				_, err := client.Chain("v3/x").Get(context.Background())
				assert.NoError(t, err)
			})
		}
		calls.Wait()
	}
	assert.Equal(t, int32(parallel), handshakes.Load())
}

// 10,000 calls with a timeout and a wrapped round tripper leave no goroutine and no body open.
func TestNothingIsLeftBehind(t *testing.T) {
	var open atomic.Int64
	gateway := newCanned(benchAnswer)
	wrapped := middleware.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
		res, err := gateway.RoundTrip(req)
		if err == nil {
			open.Add(1)
			res.Body = &countedBody{res.Body, &open}
		}
		return res, err
	})
	client := newClient(t, wxpay.WithTransport(wrapped), wxpay.WithTimeout(30*time.Second), wxpay.WithScheme(stubScheme{apiv3.RSA()}))
	before := runtime.NumGoroutine()
	for range 10_000 {
		_, err := client.Chain("v3/x").Post(context.Background(), wxpay.JSON{"a": 1})
		require.NoError(t, err)
	}
	assert.Zero(t, open.Load(), "bodies left open")
	// The runtime's own goroutine of finalizers counts while it runs one.
	for end := time.Now().Add(time.Minute); runtime.NumGoroutine() > before && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	assert.LessOrEqual(t, runtime.NumGoroutine(), before)
}

type countedBody struct {
	io.ReadCloser
	open *atomic.Int64
}

func (b *countedBody) Close() error {
	b.open.Add(-1)
	return b.ReadCloser.Close()
}

// FuzzVerify: whatever a response looks like, verifying it never panics and accepts only what the key signed.
func FuzzVerify(f *testing.F) {
	f.Add(200, "{}", "1735689600", "nonce", testKeyID, "AAAA", "", int64(-1))
	f.Add(204, "", "x", "\x00", "", "WECHATPAY/SIGNTEST/", "WECHATPAY2-SHA256-RSA2048", int64(0))
	f.Add(500, "<html>", "-1", "", "PUB", "====", "SM2", int64(1<<40))
	f.Fuzz(func(t *testing.T, status int, body, timestamp, nonce, serial, signature, kind string, length int64) {
		if status < 100 || status > 999 {
			t.Skip()
		}
		junk := answer{status: status, body: body, unsigned: true, bend: func(res *http.Response) {
			for name, value := range map[string]string{
				apiv3.HeaderTimestamp: timestamp, apiv3.HeaderNonce: nonce, apiv3.HeaderSerial: serial,
				apiv3.HeaderSignature: signature, apiv3.HeaderSignatureType: kind,
			} {
				res.Header[name] = []string{value}
			}
			res.ContentLength = max(length, -1)
		}}
		client := newClient(t, wxpay.WithTransport(junk), wxpay.WithMaxResponse(1<<16))
		res, err := client.Chain("v3/x").Get(context.Background())
		require.Error(t, err)
		require.Nil(t, res)
		require.NotContains(t, err.Error(), "\n")
	})
}

// FuzzGet: of any signed bytes Get and Decode say the same, and no path panics.
func FuzzGet(f *testing.F) {
	f.Add([]byte(`{"a":[1,{"b":"c"}]}`), "a.#(b==\"c\").b")
	f.Add([]byte(`{"a":`), "a|@reverse")
	f.Add([]byte(""), "@this")
	f.Add([]byte("\xff{"), "..#")
	f.Add([]byte(`"[1,2]"`), "0")
	f.Add([]byte("{\"a\":{\"b\":\"\xff\",\"c\":1.5e2}}"), "a.b")
	f.Fuzz(func(t *testing.T, body []byte, path string) {
		client := newClient(t, wxpay.WithTransport(answer{body: string(body), bend: func(res *http.Response) {
			res.Header.Set(apiv3.HeaderSignature, "AAAA")
		}}), wxpay.WithScheme(trustingScheme{apiv3.RSA()}))
		res, err := client.Chain("v3/x").Get(context.Background())
		if err != nil {
			require.ErrorIs(t, err, middleware.ErrResponseAmbiguous)
			return
		}
		require.Equal(t, string(body), string(res.Raw()))
		value := res.Get(path)
		_ = value.String() + value.Get(path).Raw
		var decoded any
		if res.Decode(&decoded) != nil {
			require.False(t, res.Get("@this").Exists())
			return
		}
		switch decoded.(type) {
		case map[string]any, []any:
			require.Equal(t, decoded, res.Get("@this").Value())
		default:
			require.False(t, value.Exists())
		}
	})
}

// trustingScheme takes every signature, so that arbitrary bytes count as verified.
type trustingScheme struct{ apiv3.Scheme }

func (trustingScheme) Verify(crypto.PublicKey, []byte, []byte) error { return nil }

// No documented answer and no documented event is refused as one that can be read in two ways.
func TestDocumentedMembersDoNotClash(t *testing.T) {
	objects, deepest := 0, 0
	var check func(where string, fields []fact.Field, depth int)
	check = func(where string, fields []fact.Field, depth int) {
		objects, deepest = objects+1, max(deepest, depth)
		for i := range fields {
			for k := range fields[:i] {
				assert.False(t, strings.EqualFold(fields[i].Name, fields[k].Name), "%s: %s and %s", where, fields[i].Name, fields[k].Name)
			}
			if len(fields[i].Fields) > 0 {
				check(where+"/"+fields[i].Name, fields[i].Fields, depth+1)
			}
		}
	}
	for o := range catalog.V3().All() {
		check(o.Method+" "+o.Path, o.Out, 1)
	}
	for e := range catalog.V3().Events() {
		check(e.Type, e.Resource, 1)
	}
	assert.Greater(t, objects, 2000)
	assert.Less(t, deepest, 12, "arrays come on top of it: the limit is 1000")
}
