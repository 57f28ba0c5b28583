//go:build go1.25

package sandbox_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/sandbox/fault"
)

// try sends a signed call and reads the response; the error is of either.
func (c *call) try(t testing.TB, transport http.RoundTripper, base string) (answer, error) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), c.method, base+c.target, strings.NewReader(string(c.body)))
	require.NoError(t, err)
	request.Header = c.header
	response, err := transport.RoundTrip(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return answer{response, body}, err
}

// TestFaults meets every kind over the network and in process.
func TestFaults(t *testing.T) {
	signed := func(status int, code string) func(*testing.T, *sandbox.Sandbox, answer, error) {
		return func(t *testing.T, s *sandbox.Sandbox, a answer, err error) {
			require.NoError(t, err)
			require.Equal(t, status, a.StatusCode)
			verify(t, s, time.Now(), a)
			assert.Equal(t, code, a.json(t)["code"])
		}
	}
	fine := func(t *testing.T, s *sandbox.Sandbox, a answer, err error) {
		require.NoError(t, err)
		require.Equal(t, 200, a.StatusCode)
		assert.EqualValues(t, len(a.body), a.ContentLength)
		verify(t, s, time.Now(), a)
	}
	lost := func(t *testing.T, _ *sandbox.Sandbox, a answer, err error) {
		require.Error(t, err)
		assert.Nil(t, a.Response)
	}
	// layer is what a layer in front answers, unsigned and without a Request-ID.
	layer := func(status int, content, body string) func(*testing.T, *sandbox.Sandbox, answer, error) {
		return func(t *testing.T, _ *sandbox.Sandbox, a answer, err error) {
			require.NoError(t, err)
			assert.Equal(t, status, a.StatusCode)
			assert.Equal(t, content, a.Header.Get("Content-Type"))
			assert.Equal(t, body, string(a.body))
			assert.Empty(t, a.Header.Get("Request-ID"))
			unsigned(t, a)
		}
	}
	const json, badSignature = "application/json; charset=utf-8", `{"code":"SIGN_ERROR","message":"错误的签名，导致验签失败"}`
	page := func(status int) func(*testing.T, *sandbox.Sandbox, answer, error) {
		return func(t *testing.T, _ *sandbox.Sandbox, a answer, err error) {
			require.NoError(t, err)
			assert.Equal(t, status, a.StatusCode)
			assert.Equal(t, "text/html", a.Header.Get("Content-Type"))
			assert.Contains(t, string(a.body), fmt.Sprintf("<h1>%d %s</h1>", status, http.StatusText(status)))
			assert.Empty(t, a.Header.Get("Request-ID"))
			unsigned(t, a)
		}
	}
	// signature reads the signature of a response that is otherwise good.
	signature := func(t *testing.T, s *sandbox.Sandbox, a answer, err error) (apiv3.Signature, error) {
		require.NoError(t, err)
		require.Equal(t, 200, a.StatusCode)
		assert.Equal(t, feed()["openid"], a.json(t)["openid"])
		read, err := apiv3.ReadSignature(a.Header)
		require.NoError(t, err)
		return read, read.Verify(apiv3.RSA(), s.Keys.PublicKey(), a.body)
	}
	for line, test := range map[string]struct {
		effects, status int // status as in the journal
		check           func(*testing.T, *sandbox.Sandbox, answer, error)
	}{
		"delay delay=1ms":       {1, 200, fine},
		"refuse":                {0, 0, lost},
		"reset-before":          {0, 0, lost},
		"502":                   {0, 502, page(502)},
		"502 status=504":        {0, 504, page(504)},
		"502-after":             {1, 200, page(502)},
		"502-after status=403":  {1, 200, page(403)},
		"401":                   {0, 401, layer(401, json, badSignature)},
		"401 status=403 code=A": {0, 403, layer(403, json, `{"code":"A","message":"业务错误"}`)},
		"401-after":             {1, 200, layer(401, json, badSignature)},
		"404":                   {0, 404, layer(404, "", "")},
		"404-after":             {1, 200, layer(404, "", "")},
		"404-after status=405":  {1, 200, layer(405, "", "")},
		"error-as-200":          {0, 500, signed(200, "SYSTEM_ERROR")},
		"error-as-200 code=A":   {0, 500, signed(200, "A")},
		"success-as-403": {1, 200, func(t *testing.T, s *sandbox.Sandbox, a answer, err error) {
			require.NoError(t, err)
			assert.Equal(t, 403, a.StatusCode)
			assert.Equal(t, feed()["openid"], a.json(t)["openid"])
			verify(t, s, time.Now(), a)
		}},
		"429": {0, 429, signed(429, "FREQUENCY_LIMITED")},
		"429 delay=1500ms code=RATELIMIT_EXCEEDED": {0, 429, func(t *testing.T, s *sandbox.Sandbox, a answer, err error) {
			signed(429, "RATELIMIT_EXCEEDED")(t, s, a, err)
			assert.Equal(t, "2", a.Header.Get("Retry-After"))
		}},
		"429-after": {1, 429, signed(429, "FREQUENCY_LIMITED")},
		"500":       {0, 500, signed(500, "SYSTEM_ERROR")},
		"500 status=503 code=SERVICE_UNAVAILABLE": {0, 503, signed(503, "SERVICE_UNAVAILABLE")},
		"500-after":     {1, 500, signed(500, "SYSTEM_ERROR")},
		"refused-after": {1, 403, signed(403, "NOT_ENOUGH")},
		"refused-after status=400 code=RULE_LIMIT": {1, 400, signed(400, "RULE_LIMIT")},
		"reset-after": {1, 200, lost},
		"truncate": {1, 200, func(t *testing.T, s *sandbox.Sandbox, a answer, err error) {
			require.ErrorIs(t, err, io.ErrUnexpectedEOF)
			require.Equal(t, 200, a.StatusCode)
			assert.EqualValues(t, a.ContentLength/2, len(a.body))
			assert.NotEmpty(t, a.Header.Get("Wechatpay-Signature"))
		}},
		"slow-body delay=1ms": {1, 200, fine},
		"wrong-signature": {1, 200, func(t *testing.T, s *sandbox.Sandbox, a answer, err error) {
			read, err := signature(t, s, a, err)
			assert.ErrorIs(t, err, apiv3.ErrSignature)
			assert.False(t, read.IsProbe())
			assert.NoError(t, read.CheckWindow(time.Now()))
			assert.Equal(t, s.Keys.PublicKeyID(), read.Serial)
		}},
		"probe": {1, 200, func(t *testing.T, s *sandbox.Sandbox, a answer, err error) {
			read, err := signature(t, s, a, err)
			assert.Error(t, err)
			assert.True(t, read.IsProbe())
		}},
		"unknown-serial": {1, 200, func(t *testing.T, s *sandbox.Sandbox, a answer, err error) {
			read, err := signature(t, s, a, err)
			assert.NoError(t, err, "nothing but the serial is wrong")
			assert.True(t, apiv3.IsSerial(read.Serial))
			for _, c := range s.Keys.Certificates() {
				assert.NotEqual(t, apiv3.Serial(c), read.Serial)
			}
		}},
		"stale-timestamp": {1, 200, func(t *testing.T, s *sandbox.Sandbox, a answer, err error) {
			read, err := signature(t, s, a, err)
			assert.NoError(t, err, "the signature is over the stale timestamp")
			assert.ErrorIs(t, read.CheckWindow(time.Now()), apiv3.ErrClock)
		}},
	} {
		for _, carrier := range []string{"network", "in process"} {
			t.Run(line+"/"+carrier, func(t *testing.T) {
				rule, err := fault.Parse(line)
				require.NoError(t, err)
				rule.Count = 1
				server := sandbox.Start(t)
				s := server.Sandbox
				require.NoError(t, s.Faults.Inject(rule))
				transport, base := s.Transport(), inProcess
				if carrier == "network" {
					network := new(http.Transport)
					defer network.CloseIdleConnections()
					transport, base = network, server.URL
				}
				c := newCall(s, time.Now(), "POST", feedPath, feed()).sign(s)
				a, err := c.try(t, transport, base)
				test.check(t, s, a, err)
				assert.Len(t, s.Ledger.Effects(), test.effects)
				assert.Equal(t, map[fault.Kind]int{rule.Kind: 1}, s.Faults.Counts())
				require.Len(t, s.Journal.All(), 1)
				assert.Equal(t, rule.Kind, s.Journal.All()[0].Fault)
				assert.Equal(t, test.status, s.Journal.All()[0].Status)
				assert.Contains(t, s.Journal.All()[0].String(), "(fault "+string(rule.Kind)+")")

				a, err = newCall(s, time.Now(), "POST", feedPath, feed()).sign(s).try(t, transport, base)
				fine(t, s, a, err) // the fault was for one call, and a connection after it works
				assert.Len(t, s.Ledger.Effects(), 1)
				assert.Empty(t, s.Journal.All()[1].Fault)
			})
		}
	}
}

// TestFaultErrors: in process the errors are those of a network.
// A rule that is removed takes the hits of no other with it.
func TestRemoveFault(t *testing.T) {
	s := newSandbox(t)
	first, second := fault.Rule{Kind: fault.Delay, Path: "/v3/certificates", Delay: time.Millisecond}, fault.Rule{Kind: fault.ServerError, Count: 2}
	require.NoError(t, s.Faults.Inject(first, second, first))
	call := func() int {
		return newCall(s, time.Now(), "GET", "/v3/certificates", nil).sign(s).send(t, s.Transport(), inProcess).StatusCode
	}
	assert.Equal(t, 200, call())
	assert.Equal(t, []sandbox.Tally{{Rule: first, Hits: 1}, {Rule: second}, {Rule: first}}, s.Faults.Tallies())
	require.NoError(t, s.Faults.Remove(first))
	assert.Equal(t, 500, call())
	require.NoError(t, s.Faults.Remove(first))
	assert.Equal(t, []sandbox.Tally{{Rule: second, Hits: 1}}, s.Faults.Tallies())
	assert.Equal(t, 500, call())
	assert.Equal(t, 200, call(), "two in all")
	require.ErrorContains(t, s.Faults.Remove(first), "there is no rule")
	assert.Equal(t, map[fault.Kind]int{fault.Delay: 1, fault.ServerError: 2}, s.Faults.Counts())
}

func TestFaultErrors(t *testing.T) {
	s := newSandbox(t)
	for kind, want := range map[fault.Kind]struct {
		op     string
		is     error
		number syscall.Errno
	}{
		fault.Refuse:      {"dial", fault.ErrRefused, syscall.ECONNREFUSED},
		fault.ResetBefore: {"read", fault.ErrReset, syscall.ECONNRESET},
		fault.ResetAfter:  {"read", fault.ErrReset, syscall.ECONNRESET},
	} {
		s.Faults.Clear()
		require.NoError(t, s.Faults.Inject(fault.Rule{Kind: kind}))
		_, err := newCall(s, time.Now(), "POST", feedPath, feed()).sign(s).try(t, s.Transport(), inProcess)
		var network *net.OpError
		require.ErrorAs(t, err, &network)
		assert.Equal(t, want.op, network.Op)
		assert.ErrorIs(t, err, want.is)
		assert.ErrorIs(t, err, want.number)
	}
}

// TestTruncatedNothing: a response without a body cannot be cut, so it is lost.
func TestTruncatedNothing(t *testing.T) {
	server := sandbox.Start(t)
	_, err := server.Users.AddPaidOrder("ORDER-0002", 1)
	require.NoError(t, err)
	require.Equal(t, 200, ask(t, server.Sandbox, "POST", "/v3/pay/transactions/native", native(server.Sandbox)).StatusCode)
	require.NoError(t, server.Faults.Inject(fault.Rule{Kind: fault.Truncate}))
	closing := newCall(server.Sandbox, time.Now(), "POST", orderPath+"/close", map[string]any{"mchid": server.Merchant().ID})
	_, err = closing.sign(server.Sandbox).try(t, server.Transport(), inProcess)
	assert.ErrorIs(t, err, fault.ErrReset)
	network := new(http.Transport)
	defer network.CloseIdleConnections()
	_, err = closing.sign(server.Sandbox).try(t, network, server.URL)
	assert.Error(t, err)
}

// TestFaultsInWriters: where the connection is out of reach net/http is asked to end it.
func TestFaultsInWriters(t *testing.T) {
	s := newSandbox(t)
	require.NoError(t, s.Faults.Inject(fault.Rule{Kind: fault.ResetBefore}))
	request, err := http.NewRequest("GET", inProcess+"/v3/certificates", nil)
	require.NoError(t, err)
	assert.PanicsWithValue(t, http.ErrAbortHandler, func() { s.ServeHTTP(plainWriter{}, request) })
}

type plainWriter struct{}

func (plainWriter) Header() http.Header         { return http.Header{} }
func (plainWriter) Write(p []byte) (int, error) { return len(p), nil }
func (plainWriter) WriteHeader(int)             {}

// meets reports whether the one rule hits an unsigned GET of the target.
func meets(t *testing.T, s *sandbox.Sandbox, method, target string) bool {
	t.Helper()
	request, err := http.NewRequest(method, inProcess+target, nil)
	require.NoError(t, err)
	response, err := s.Transport().RoundTrip(request)
	require.NoError(t, err)
	defer response.Body.Close()
	return response.StatusCode == 502
}

func TestFaultMatching(t *testing.T) {
	for _, test := range []struct {
		pattern, target string
		want            bool
	}{
		{"", "/v3/anything", true},
		{"/v3/refund/domestic/refunds", "/v3/refund/domestic/refunds", true},
		{"/v3/refund/domestic/refunds", "/v3/refund/domestic/refunds?x=1", true},
		{"/v3/refund/domestic/refunds", "/v3/refund/domestic/refunds/1", false},
		{"/v3/refund/domestic/refunds", "/v3/refund/domestic", false},
		{"/v3/refund/domestic/refunds", "/v3/refund/domestic/refunds/", false},
		{"/v3/refund/domestic/refunds/{out_refund_no}", "/v3/refund/domestic/refunds/1%2F2", true},
		{"/v3/refund/domestic/refunds/{anything}", "/v3/refund/domestic/refunds/", false},
		{"/v3/a/{b}/close", "/v3/a/1/close", true},
		{"/v3/a/{b}/close", "/v3/a/1/2/close", false},
		{"/v3/a/{b}/*", "/v3/a/1/close", true},
		{"/v3/a/{b}/*", "/v3/a/1", false},
		{"/v3/refund/*", "/v3/refund/domestic/refunds?x", true},
		{"/v3/refund/*", "/v3/refund/", true},
		{"/v3/refund/*", "/v3/refund", false},
		{"/v3/ref*", "/v3/refund/domestic/refunds", true},
		{"/v3/ref*", "/v3/Refund", false},
		{"/*", "/v3/refund", true},
		{"/v3/a/AB|C", "/v3/a/AB%7CC", true},
		{"/v3/a/AB%7CC", "/v3/a/AB%7CC", true},
	} {
		s := newSandbox(t)
		require.NoError(t, s.Faults.Inject(fault.Rule{Kind: fault.BadGateway, Path: test.pattern, Method: "GET"}))
		assert.Equal(t, test.want, meets(t, s, "GET", test.target), "%s %s", test.pattern, test.target)
		assert.False(t, meets(t, s, "DELETE", test.target), "another method")
	}

	s := newSandbox(t)
	require.NoError(t, s.Faults.Inject(
		fault.Rule{Kind: fault.BadGateway, Merchant: "1900000110"}, fault.Rule{Kind: fault.ServerError, Merchant: s.Merchant().ID}))
	assert.Equal(t, 500, ask(t, s, "POST", feedPath, feed()).StatusCode)
	assert.False(t, meets(t, s, "GET", "/v3/certificates"), "nobody is named")
	foreign := newCall(s, time.Now(), "POST", feedPath, feed())
	foreign.authorization.ID = "1900000110"
	assert.Equal(t, 502, foreign.sign(s).send(t, s.Transport(), inProcess).StatusCode)
	assert.Equal(t, map[fault.Kind]int{fault.BadGateway: 1, fault.ServerError: 1}, s.Faults.Counts())
}

func TestFaultSkipAndCount(t *testing.T) {
	s := newSandbox(t)
	require.NoError(t, s.Faults.Inject(fault.Rule{Kind: fault.BadGateway, Skip: 2, Count: 3, Path: "/v3/x"}))
	var got []bool
	for range 7 {
		got = append(got, meets(t, s, "GET", "/v3/x"))
		assert.False(t, meets(t, s, "GET", "/v3/y"))
	}
	assert.Equal(t, []bool{false, false, true, true, true, false, false}, got)

	s = newSandbox(t)
	require.NoError(t, s.Faults.Inject(fault.Rule{Kind: fault.BadGateway, Probability: 0.5, Count: 3}))
	hits := 0
	for range 100 {
		if meets(t, s, "GET", "/v3/x") {
			hits++
		}
	}
	assert.Equal(t, 3, hits, "a count bounds the hits of a probability")
}

// TestFaultsReplay: the same requests meet the same faults, whatever the order in which they come.
func TestFaultsReplay(t *testing.T) {
	const targets, times = 100, 5
	run := func(s *sandbox.Sandbox, parallel bool) map[string]int {
		hits, mu := make(map[string]int), sync.Mutex{}
		var wait sync.WaitGroup
		for i := range targets {
			target := fmt.Sprintf("/v3/x/%d", i)
			one := func() {
				pattern := 0 // which of the times were hit
				for range times {
					pattern <<= 1
					if meets(t, s, "GET", target) {
						pattern |= 1
					}
				}
				mu.Lock()
				defer mu.Unlock()
				hits[target] = pattern
			}
			if parallel {
				wait.Go(one)
			} else {
				one()
			}
		}
		wait.Wait()
		return hits
	}
	rule := fault.Rule{Kind: fault.BadGateway, Probability: 0.3}
	seeded := func(seed uint64) *sandbox.Sandbox {
		s := newSandbox(t, sandbox.WithSeed(seed))
		require.NoError(t, s.Faults.Inject(rule))
		return s
	}
	first := seeded(7)
	want := run(first, false)
	assert.InDelta(t, 0.3*targets*times, first.Faults.Counts()[fault.BadGateway], 50)
	assert.Greater(t, len(slices.Compact(slices.Sorted(maps.Values(want)))), 5, "every time is drawn anew")
	assert.Equal(t, want, run(seeded(7), true))
	assert.NotEqual(t, want, run(seeded(8), true))
	first.Faults.Clear()
	require.NoError(t, first.Faults.Inject(rule))
	assert.Equal(t, want, run(first, true), "after ClearFaults it begins anew")

	two := newSandbox(t, sandbox.WithSeed(7))
	require.NoError(t, two.Faults.Inject(fault.Rule{Kind: fault.ServerError, Probability: 0.3, Path: "/v3/y"}, rule))
	assert.NotEqual(t, want, run(two, true), "the place in the list counts")
}

func TestDelayPasses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSandbox(t)
		require.NoError(t, s.Faults.Inject(fault.Rule{Kind: fault.Delay, Delay: 3 * time.Second}))
		start := time.Now()
		a := ask(t, s, "POST", feedPath, feed())
		assert.Equal(t, 200, a.StatusCode)
		assert.Equal(t, 3*time.Second, time.Since(start))
		assert.Equal(t, start.Add(3*time.Second), s.Ledger.Effects()[0].Time)

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		request, err := http.NewRequestWithContext(ctx, "POST", inProcess+feedPath, nil)
		require.NoError(t, err)
		other := feed()
		other["out_request_no"] = "2"
		c := newCall(s, time.Now(), "POST", feedPath, other).sign(s)
		request.Header, request.Body, request.ContentLength = c.header, io.NopCloser(strings.NewReader(string(c.body))), int64(len(c.body))
		start = time.Now()
		_, err = s.Transport().RoundTrip(request)
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, time.Second, time.Since(start))
		synctest.Wait()
		assert.Len(t, s.Ledger.Effects(), 2, "the platform does not see that its caller has gone")
	})
}

func TestSlowBodyPasses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSandbox(t)
		require.NoError(t, s.Faults.Inject(fault.Rule{Kind: fault.SlowBody, Delay: time.Second}))
		start := time.Now()
		a := ask(t, s, "POST", feedPath, feed())
		verify(t, s, time.Now(), a)
		assert.Equal(t, 9*time.Second, time.Since(start), "ten pieces")

		get := func(ctx context.Context) *http.Response {
			c := newCall(s, time.Now(), "GET", "/v3/certificates", nil).sign(s)
			request, err := http.NewRequestWithContext(ctx, c.method, inProcess+c.target, nil)
			require.NoError(t, err)
			request.Header = c.header
			response, err := s.Transport().RoundTrip(request)
			require.NoError(t, err)
			return response
		}
		gone := errors.New("gone")
		ctx, cancel := context.WithTimeoutCause(t.Context(), 2500*time.Millisecond, gone)
		defer cancel()
		start = time.Now()
		response := get(ctx)
		body, err := io.ReadAll(response.Body)
		assert.ErrorIs(t, err, gone)
		assert.Equal(t, 2500*time.Millisecond, time.Since(start))
		assert.InDelta(t, 3*response.ContentLength/10, len(body), 10)
		assert.NoError(t, response.Body.Close())

		response = get(t.Context())
		time.AfterFunc(1500*time.Millisecond, func() { response.Body.Close() })
		_, err = io.ReadAll(response.Body)
		assert.ErrorIs(t, err, http.ErrBodyReadAfterClose)
	})
}

// TestNotFoundFor: what was written is not seen at once, whatever else goes wrong with the query.
func TestNotFoundFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSandbox(t)
		require.NoError(t, s.Faults.Inject(
			fault.Rule{Kind: fault.NotFoundFor, Delay: 5 * time.Second, Path: "/v3/refund/domestic/refunds/{n}"},
			fault.Rule{Kind: fault.NotFoundFor, Delay: time.Second, Count: 2}))
		_, err := s.Users.AddPaidOrder("ORDER-0001", 100)
		require.NoError(t, err)
		order := orderPath + "?mchid=" + s.Merchant().ID
		for range 2 {
			assert.Equal(t, "ORDER_NOT_EXIST", ask(t, s, "GET", order, nil).json(t)["code"])
			assert.Equal(t, fault.NotFoundFor, s.Journal.All()[len(s.Journal.All())-1].Fault)
		}
		assert.Equal(t, 200, ask(t, s, "GET", order, nil).StatusCode, "the count is used up")

		require.Equal(t, 200, ask(t, s, "POST", refundPath, refund("R1", 1)).StatusCode, "writes see everything")
		require.Equal(t, 200, ask(t, s, "POST", refundPath, refund("R1", 1)).StatusCode)
		assert.Len(t, s.Ledger.Effects(sandbox.RefundEffect), 1, "and so does the ledger")
		time.Sleep(4999 * time.Millisecond)
		a := ask(t, s, "GET", refundPath+"/R1", nil)
		assert.Equal(t, 404, a.StatusCode)
		assert.Equal(t, "RESOURCE_NOT_EXISTS", a.json(t)["code"])
		verify(t, s, time.Now(), a)
		require.NoError(t, s.Faults.Inject(fault.Rule{Kind: fault.WrongSignature}))
		a = ask(t, s, "GET", refundPath+"/R1", nil)
		assert.Equal(t, 404, a.StatusCode)
		read, err := apiv3.ReadSignature(a.Header)
		require.NoError(t, err)
		assert.ErrorIs(t, read.Verify(apiv3.RSA(), s.Keys.PublicKey(), a.body), apiv3.ErrSignature, "both faults hit")
		time.Sleep(time.Millisecond)
		assert.Equal(t, 200, ask(t, s, "GET", refundPath+"/R1", nil).StatusCode)
		assert.Equal(t, 4, s.Faults.Counts()[fault.NotFoundFor])
	})
}

// TestFaultsComeAfterTheChecks: the platform's own denials do not hide that a request was malformed or badly signed.
func TestFaultsComeAfterTheChecks(t *testing.T) {
	s := newSandbox(t)
	for _, kind := range []fault.Kind{fault.Limited, fault.LimitedAfter, fault.ServerError, fault.ServerErrorAfter, fault.RefusedAfter} {
		s.Faults.Clear()
		require.NoError(t, s.Faults.Inject(fault.Rule{Kind: kind}))
		bad := newCall(s, time.Now(), "POST", feedPath, feed()).sign(s)
		bad.body = []byte("{}")
		assert.Equal(t, 401, bad.send(t, s.Transport(), inProcess).StatusCode)
		assert.Equal(t, "PARAM_ERROR", ask(t, s, "POST", feedPath, map[string]any{}).json(t)["code"])
	}
	s.Faults.Clear()
	require.NoError(t, s.Faults.Inject(fault.Rule{Kind: fault.WrongSignature}))
	unsigned(t, newCall(s, time.Now(), "GET", "/v3/nowhere", nil).send(t, s.Transport(), inProcess))
	assert.Empty(t, s.Ledger.Effects())
}
