//go:build go1.25

package wxpay_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/middleware"
	"github.com/wxpay-go/wxpay/transport"
	"github.com/wxpay-go/wxpay/wxcode"
)

// script answers the requests of one call after another, the last response again and again, and keeps what it was sent.
type script struct {
	answers []http.RoundTripper

	mu   sync.Mutex
	seen []sent
}

// sent is one request, as the gateway saw it.
type sent struct {
	method, path, query, host, body string
	authorization, nonce            string
	at                              time.Time
}

func (s *script) RoundTrip(req *http.Request) (*http.Response, error) {
	body := ""
	if req.Body != nil {
		raw, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		body = string(raw)
	}
	a, err := apiv3.ParseAuthorization(req.Header.Get("Authorization"))
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = append(s.seen, sent{req.Method, req.URL.EscapedPath(), req.URL.RawQuery, req.URL.Host, body, a.Signature, a.Nonce, time.Now()})
	return s.answers[min(len(s.seen), len(s.answers))-1].RoundTrip(req)
}

// play returns a script of responses.
func play(answers ...http.RoundTripper) *script { return &script{answers: answers} }

// What a request may bring.
var (
	refusedConnection = answer{fail: func(*http.Request) error { return &transport.UnsentError{Err: errors.New("connection refused")} }}
	resetConnection   = answer{fail: func(*http.Request) error { return errors.New("connection reset by peer") }}
	probed            = answer{body: "{}", bend: func(res *http.Response) { res.Header.Set(apiv3.HeaderSignature, "WECHATPAY/SIGNTEST/AAAA") }}
	systemError       = answer{status: 500, body: `{"code":"SYSTEM_ERROR"}`}
	limited           = answer{status: 429, body: `{"code":"FREQUENCY_LIMITED"}`}
	invalid           = answer{status: 400, body: `{"code":"PARAM_ERROR"}`}
	badGateway        = answer{status: 502, body: "<html>", unsigned: true}
	silence           = answer{fail: func(req *http.Request) error { <-req.Context().Done(); return context.Cause(req.Context()) }}
)

func ok(body string) answer { return answer{body: body} }
func refusal(status int, c string) answer {
	return answer{status: status, body: fmt.Sprintf(`{"code":%q}`, c)}
}
func trips(l ...answer) []http.RoundTripper {
	var list []http.RoundTripper
	for _, a := range l {
		list = append(list, a)
	}
	return list
}

const (
	codepayPath = "v3/pay/transactions/codepay"
	ordersPath  = "v3/pay/transactions/native"
)

// What is known after the attempts of a call, for every sequence of up to three results, against a table written by hand.
// N: no connection, R: verified 4xx, U: nobody knows, S: success. A read's last response is all that counts.
func TestOutcomeOfSequences(t *testing.T) {
	t.Parallel()
	results := map[byte]http.RoundTripper{'N': refusedConnection, 'R': limited, 'U': systemError, 'S': ok("{}")}
	names := map[wxpay.Outcome]byte{wxpay.NotSent: 'N', wxpay.Rejected: 'R', wxpay.Unknown: 'U', wxpay.Confirmed: 'S'}
	oracle := strings.Fields(`
		N:N R:R U:U S:S
		NN:N NR:R NU:U NS:S  RN:R RR:R RU:U RS:S  UN:U UR:U UU:U US:S
		NNN:N NNR:R NNU:U NNS:S  NRN:R NRR:R NRU:U NRS:S  NUN:U NUR:U NUU:U NUS:S
		RNN:R RNR:R RNU:U RNS:S  RRN:R RRR:R RRU:U RRS:S  RUN:U RUR:U RUU:U RUS:S
		UNN:U UNR:U UNU:U UNS:S  URN:U URR:U URU:U URS:S  UUN:U UUR:U UUU:U UUS:S`)
	require.Len(t, oracle, 4+3*4+9*4)
	for _, row := range oracle {
		sequence, want, _ := strings.Cut(row, ":")
		synctest.Test(t, func(t *testing.T) {
			var answers []http.RoundTripper
			for i := range len(sequence) {
				answers = append(answers, results[sequence[i]])
			}
			gateway := play(answers...)
			client := newClient(t, quickly, wxpay.WithTransport(gateway), wxpay.WithAttempts(len(sequence)))
			_, err := client.Chain("v3/x").Idempotent().Post(context.Background(), wxpay.JSON{"a": 1})
			assert.Equal(t, want, string(names[wxpay.OutcomeOf(err)]), "write %s: %v", sequence, err)
			assert.Len(t, gateway.seen, len(sequence), sequence)

			// What moves money is in doubt after every refusal that rules out nothing.
			if money := strings.ReplaceAll(want, "R", "U"); true {
				_, err = newClient(t, quickly, wxpay.WithTransport(play(answers...)), wxpay.WithAttempts(len(sequence))).
					Chain("v3/refund/domestic/refunds").Unbind().Idempotent().Post(context.Background(), wxpay.JSON{"out_refund_no": "1"})
				assert.Equal(t, money, string(names[wxpay.OutcomeOf(err)]), "money %s", sequence)
			}
			_, err = newClient(t, quickly, wxpay.WithTransport(play(answers...)), wxpay.WithAttempts(len(sequence))).Chain("v3/x").Get(context.Background())
			assert.Equal(t, sequence[len(sequence)-1], names[wxpay.OutcomeOf(err)], "read %s", sequence)
		})
	}
	// The same without a pipeline around it.
	for _, a := range []middleware.Outcome{wxpay.NotSent, wxpay.Rejected, wxpay.Unknown, wxpay.Confirmed} {
		assert.Equal(t, a, a.Then(wxpay.NotSent))
		assert.Equal(t, wxpay.Confirmed, a.Then(wxpay.Confirmed))
		assert.Equal(t, a, wxpay.NotSent.Then(a))
	}
}

// How often each kind of call is sent, by what goes wrong first.
func TestWhatIsRepeated(t *testing.T) {
	calls := []struct {
		name, method, path string
		repeatable         bool
	}{
		{"a read", "GET", "v3/certificates", false},
		{"an unknown write", "POST", "v3/x", false},
		{"an unknown write, vouched for", "POST", "v3/x", true},
		{"an order", "POST", ordersPath, false},
		{"a refund", "POST", "v3/refund/domestic/refunds", false},
		{"a refund, vouched for", "POST", "v3/refund/domestic/refunds", true},
		{"a feed", "POST", feedsPath, false},
		{"codepay", "POST", codepayPath, false},
		{"codepay, vouched for", "POST", codepayPath, true},
	}
	troubles := []struct {
		name   string
		first  answer
		counts string // requests of each call above
	}{
		{"no connection", refusedConnection, "2 2 2 2 2 2 2 2 2"},
		{"reset", resetConnection, "2 1 2 2 1 2 1 1 1"},
		{"500", systemError, "2 1 2 2 1 2 1 1 1"},
		{"502", badGateway, "2 1 2 2 1 2 1 1 1"},
		{"429", limited, "2 1 2 2 1 2 1 1 1"},
		{"probe", probed, "2 1 2 2 1 2 1 1 1"},
		{"wrong signature", answer{body: "{}", key: testKeys().other}, "2 1 2 2 1 2 1 1 1"},
		{"cut off", answer{body: "{}", bend: func(res *http.Response) { res.ContentLength = 9 }}, "2 1 2 2 1 2 1 1 1"},
		{"an attempt's time is over", silence, "2 1 2 2 1 2 1 1 1"},
		{"400", invalid, "1 1 1 1 1 1 1 1 1"},
		{"wrong clock", answer{body: "{}", ahead: -time.Hour}, "1 1 1 1 1 1 1 1 1"},
		{"an unsigned 404", answer{status: 404, body: "<html>", unsigned: true}, "1 1 1 1 1 1 1 1 1"},
		{"a redirect", answer{status: 302, unsigned: true}, "1 1 1 1 1 1 1 1 1"},
	}
	for _, trouble := range troubles {
		counts := strings.Fields(trouble.counts)
		require.Len(t, counts, len(calls), trouble.name)
		for i, call := range calls {
			synctest.Test(t, func(t *testing.T) {
				gateway := play(trouble.first, ok("{}"))
				chain := newClient(t, wxpay.WithTransport(gateway)).Chain(call.path).Unbind()
				if call.repeatable {
					chain = chain.Idempotent()
				}
				var body any
				if call.method == "POST" {
					body = wxpay.JSON{"a": 1}
				}
				_, err := chain.Do(context.Background(), call.method, body)
				assert.Equal(t, counts[i], fmt.Sprint(len(gateway.seen)), "%s, %s: %v", call.name, trouble.name, err)
				assert.Equal(t, len(gateway.seen) > 1, err == nil, "%s, %s", call.name, trouble.name)
			})
		}
	}
}

// An attempt has its own timestamp, nonce and signature over the same bytes.
func TestRepeatsAreSignedAfresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gateway := play(systemError, resetConnection, ok(`{"code_url":"x"}`))
		res, err := newClient(t, wxpay.WithTransport(gateway)).Chain(ordersPath).Post(context.Background(), wxpay.JSON{"out_trade_no": "1"})
		require.NoError(t, err)
		assert.Equal(t, "x", res.Get("code_url").String())
		require.Len(t, gateway.seen, 3)
		nonces, signatures := map[string]bool{}, map[string]bool{}
		for _, s := range gateway.seen {
			nonces[s.nonce], signatures[s.authorization] = true, true
			assert.Equal(t, `{"out_trade_no":"1"}`, s.body)
			assert.Equal(t, "/"+ordersPath, s.path)
		}
		assert.Len(t, nonces, 3)
		assert.Len(t, signatures, 3)
	})
}

// Pauses are random up to a bound that doubles; Retry-After is honoured; what cannot end in time is not begun.
func TestPauses(t *testing.T) {
	t.Parallel()
	longest := [3]time.Duration{}
	for range 200 {
		synctest.Test(t, func(t *testing.T) {
			gateway := play(systemError)
			_, err := newClient(t, quickly, wxpay.WithTransport(gateway), wxpay.WithAttempts(4)).Chain("v3/x").Get(context.Background())
			require.Error(t, err)
			require.Len(t, gateway.seen, 4)
			for i := range longest {
				longest[i] = max(longest[i], gateway.seen[i+1].at.Sub(gateway.seen[i].at))
			}
		})
	}
	for i, bound := range []time.Duration{200 * time.Millisecond, 400 * time.Millisecond, 800 * time.Millisecond} {
		assert.LessOrEqual(t, longest[i], bound)
		assert.Greater(t, longest[i], bound*3/4, "of 200 random pauses one is near the bound")
	}
	busy := func(header string) answer {
		return answer{status: 429, body: `{"code":"FREQUENCY_LIMITED"}`, header: http.Header{"Retry-After": {header}}}
	}
	synctest.Test(t, func(t *testing.T) {
		for header, pause := range map[string]time.Duration{"7": 7 * time.Second, "date": 9 * time.Second} {
			if header == "date" { // synctest's clock begins at a full second, and only this test moves it, by random pauses
				header = time.Now().Truncate(time.Second).Add(pause).UTC().Format(http.TimeFormat)
			}
			begin, gateway := time.Now(), play(busy(header), ok("{}"))
			_, err := newClient(t, wxpay.WithTransport(gateway)).Chain("v3/x").Get(context.Background())
			require.NoError(t, err)
			assert.Greater(t, time.Since(begin), pause-time.Second, header)
			assert.LessOrEqual(t, time.Since(begin), pause, header)
		}
		// A pause past the deadline is not waited for.
		begin, gateway := time.Now(), play(busy("60"))
		_, err := newClient(t, wxpay.WithTransport(gateway)).Chain("v3/x").Get(context.Background())
		assert.True(t, wxpay.IsCode(err, wxcode.FrequencyLimited), "the last answer comes back whole: %v", err)
		assert.Zero(t, time.Since(begin))
		assert.Len(t, gateway.seen, 1)

		// Nor is an attempt begun when less than half a second is left.
		ctx, cancel := context.WithTimeout(context.Background(), 400*time.Millisecond)
		defer cancel()
		gateway = play(systemError)
		_, err = newClient(t, wxpay.WithTransport(gateway)).Chain("v3/x").Get(ctx)
		assert.ErrorIs(t, err, wxpay.StageResponse)
		assert.Len(t, gateway.seen, 1)

		// The whole call keeps its limit: two attempts of ten seconds fit into 20.4, a third does not.
		begin, gateway = time.Now(), play(silence)
		_, err = newClient(t, wxpay.WithTransport(gateway), wxpay.WithAttempts(9)).Chain("v3/x").Timeout(20400 * time.Millisecond).Get(context.Background())
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		assert.LessOrEqual(t, time.Since(begin), 20400*time.Millisecond)
		assert.Len(t, gateway.seen, 2)
	})
}

// A cancelled call tells the truth: nothing was sent while it waited for the limits, and nobody knows once it was sent.
func TestCancellation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		after := func(d time.Duration) context.Context {
			ctx, cancel := context.WithCancel(context.Background())
			time.AfterFunc(d, cancel)
			return ctx
		}
		// Between two attempts, the first of which ended in doubt.
		gateway := play(answer{status: 503, unsigned: true, header: http.Header{"Retry-After": {"5"}}})
		_, err := newClient(t, wxpay.WithTransport(gateway)).Chain("v3/x").Idempotent().Post(after(time.Second), wxpay.JSON{})
		assert.Equal(t, wxpay.Unknown, wxpay.OutcomeOf(err))
		assert.Len(t, gateway.seen, 1)

		// While the second attempt waits for its limit.
		limits := wxpay.WithLimiter(middleware.NewLimits(middleware.Rule{PerSecond: 1}))
		gateway = play(resetConnection)
		_, err = newClient(t, wxpay.WithTransport(gateway), limits).Chain("v3/x").Idempotent().Post(after(900*time.Millisecond), wxpay.JSON{})
		assert.Equal(t, wxpay.Unknown, wxpay.OutcomeOf(err), "a refusal of the limiter does not take the doubt away")
		assert.Len(t, gateway.seen, 1)

		// While the first attempt waits.
		client := newClient(t, wxpay.WithTransport(play(ok("{}"))), limits)
		_, err = client.Chain("v3/y").Post(context.Background(), wxpay.JSON{})
		require.NoError(t, err)
		_, err = client.Chain("v3/y").Post(after(100*time.Millisecond), wxpay.JSON{})
		assert.Equal(t, wxpay.NotSent, wxpay.OutcomeOf(err))
		assert.ErrorIs(t, err, middleware.ErrLimited)
		assert.ErrorIs(t, err, context.Canceled)
	})
}

// An error of a doubt carries what resolves it, and says what to do in one line without a value.
func TestTrail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gateway := play(systemError, refusal(403, "NOT_ENOUGH"))
		client := newClient(t, wxpay.WithTransport(gateway))
		_, err := client.Chain("v3/refund/domestic/refunds").Idempotent().Post(context.Background(), wxpay.JSON{"out_refund_no": "oSECRET"})
		var refused *wxpay.APIError
		require.ErrorAs(t, err, &refused)
		assert.Equal(t, wxcode.NotEnough, refused.Code, "the code is attached")
		assert.Equal(t, wxpay.Unknown, refused.Outcome)
		assert.Equal(t, wxcode.ClassFix, refused.Class())
		assert.ErrorIs(t, err, wxpay.ErrOutcomeUnknown)
		assert.Equal(t, "oSECRET", refused.Number)
		assert.Equal(t, "GET /v3/refund/domestic/refunds/{out_refund_no}", refused.Query)
		require.Len(t, refused.History, 2)
		assert.Equal(t, "SYSTEM_ERROR", refused.History[0].Code)
		assert.Equal(t, 500, refused.History[0].Status)
		assert.NotEmpty(t, refused.History[0].RequestID)
		assert.Equal(t, "api.mch.weixin.qq.com", refused.History[1].Host)
		assert.ErrorContains(t, err, "ask GET /v3/refund/domestic/refunds/{out_refund_no} before repeating, as Client.Resolve does")
		assert.NotContains(t, err.Error(), "SECRET")
		assert.NotContains(t, err.Error(), "\n")
	})
}

// A step of the user's that fails after a success leaves the success confirmed, with its response.
func TestConfirmed(t *testing.T) {
	own := func(next http.RoundTripper) http.RoundTripper {
		return middleware.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
			_, err := next.RoundTrip(req)
			return nil, errors.Join(err, errors.New("the cache is full"))
		})
	}
	_, err := newClient(t, wxpay.WithTransport(ok(`{"refund_id":"5"}`)), wxpay.WithMiddleware(own)).Chain("v3/refund/domestic/refunds").
		Post(context.Background(), wxpay.JSON{})
	assert.Equal(t, wxpay.Confirmed, wxpay.OutcomeOf(err))
	var failure *wxpay.CallError
	require.ErrorAs(t, err, &failure)
	require.NotNil(t, failure.Response)
	assert.Equal(t, "5", failure.Response.Get("refund_id").String())
	assert.ErrorContains(t, err, "do not repeat the call")
}

// Without a catalogue the words of a path decide, on the careful side: every operation that is marked has such a word.
func TestMoneyWithoutCatalogue(t *testing.T) {
	marked := 0
	for o := range catalog.V3().All() {
		call := middleware.Call{Method: o.Method, Template: o.Path}
		if o.MovesMoney {
			marked++
			assert.True(t, call.MovesMoney(), "%s %s", o.Method, o.Path)
		}
	}
	assert.NotZero(t, marked)
	for _, path := range []string{"v3/pay/transactions/native", "v3/pay/transactions/jsapi", "v3/marketing/favor/coupon-stocks", feedsPath} {
		call := middleware.Call{Method: "POST", Template: "/" + path}
		assert.False(t, call.MovesMoney(), path)
	}
	_, err := newClient(t, wxpay.WithCatalog(nil), wxpay.WithTransport(refusal(403, "NOT_ENOUGH"))).Chain("v3/refund/domestic/refunds").
		Post(context.Background(), wxpay.JSON{})
	assert.ErrorIs(t, err, wxpay.ErrOutcomeUnknown)
}

// An attempt that was given up may still be on its way to the wire: what it carries must not change under it.
func TestAttemptsShareNothing(t *testing.T) {
	var requests []*http.Request
	var arrived []http.Header
	client := newClient(t, wxpay.WithTransport(answer{fail: func(req *http.Request) error {
		requests, arrived = append(requests, req), append(arrived, req.Header.Clone())
		return errors.New("connection reset")
	}}))
	_, err := client.Chain("v3/x").Get(context.Background())
	require.Error(t, err)
	require.Len(t, requests, 3)
	signatures := map[string]bool{}
	for i, req := range requests {
		assert.Equal(t, arrived[i], req.Header, "attempt %d", i+1)
		signatures[req.Header.Get("Authorization")] = true
	}
	assert.Len(t, signatures, 3, "each attempt is signed afresh")
}

// A round tripper with a second way may join the errors of both. The one without a connection says nothing of the other.
func TestUnsentOnBothWays(t *testing.T) {
	unsent, reset := error(&transport.UnsentError{Err: errors.New("connection refused")}), errors.New("connection reset by peer")
	for _, tt := range []struct {
		err  error
		want wxpay.Outcome
	}{
		{errors.Join(reset, unsent), wxpay.Unknown},
		{errors.Join(unsent, reset), wxpay.Unknown},
		{fmt.Errorf("first: %w; then: %w", reset, fmt.Errorf("the other way: %w", unsent)), wxpay.Unknown},
		{fmt.Errorf("the only way: %w", unsent), wxpay.NotSent},
		{errors.Join(unsent, fmt.Errorf("the other way: %w", unsent)), wxpay.NotSent},
	} {
		client := newClient(t, wxpay.WithAttempts(1), wxpay.WithTransport(answer{fail: func(*http.Request) error { return tt.err }}))
		_, err := client.Chain(refundCall).Post(t.Context(), refundBody)
		assert.Equal(t, tt.want, wxpay.OutcomeOf(err), "%v", err)
	}
}
