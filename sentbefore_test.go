//go:build go1.25

package wxpay_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
)

// Each row is one Ensure of a call that an earlier process may have sent: what the gateway answers, what was sent (W a write,
// Q a query), and what it came to.
func TestEnsureInDoubt(t *testing.T) {
	hold := func(c wxpay.Chain) wxpay.Chain { return c.OnUnknown(wxpay.Hold) }
	for _, r := range []struct {
		name     string
		path     string
		body     wxpay.JSON
		ago      time.Duration
		answers  []http.RoundTripper
		with     func(wxpay.Chain) wxpay.Chain
		sent     string
		state    wxpay.State
		inferred bool
		says     string        // of the error instead, whose outcome is unknown
		within   time.Duration // how long it may take
	}{
		{name: "the query comes first", path: refundCall, body: refundBody, ago: time.Hour, answers: trips(refund("SUCCESS")), sent: "Q",
			state: wxpay.Succeeded, within: time.Millisecond},
		{name: "not found long after permits it", path: refundCall, body: refundBody, ago: time.Hour, answers: trips(missing, refund("SUCCESS")),
			sent: "QW", state: wxpay.Succeeded, within: time.Second},
		{name: "not found just after does not yet", path: refundCall, body: refundBody,
			answers: []http.RoundTripper{perMethod{get: func() answer { return missing }, post: play(refund("SUCCESS"))}}, sent: "QQ+W", state: wxpay.Succeeded},
		{name: "the number is another's", path: refundCall, body: refundBody, ago: time.Hour,
			answers: trips(ok(`{"out_refund_no":"R1","out_trade_no":"T1","status":"SUCCESS","amount":{"refund":2,"total":5}}`)), sent: "Q",
			says: "amount.refund differs"},
		{name: "beyond what the query reaches back", path: transferCall, body: transferBody, ago: 31 * 24 * time.Hour,
			answers: trips(refusal(404, "NOT_FOUND")), sent: "Q+", says: "no such thing yet"},
		{name: "a feed is repeated at once", path: feedsPath, body: feed(), ago: time.Hour, answers: trips(ok("{}")), sent: "W",
			state: wxpay.Succeeded, within: time.Millisecond},
		{name: "a feed that was under way waits a moment", path: feedsPath, body: feed(), answers: trips(ok("{}")), sent: "W",
			state: wxpay.Succeeded, within: 10 * time.Second},
		{name: "a feed's number is taken", path: feedsPath, body: feed(), ago: time.Hour, answers: trips(refusal(400, "ALREADY_EXISTS")),
			sent: "W", state: wxpay.Succeeded, inferred: true},
		{name: "a feed without a connection stays in doubt", path: feedsPath, body: feed(), ago: time.Hour, answers: trips(refusedConnection),
			sent: "W+", says: "context deadline exceeded"},
		{name: "a feed that is refused stays in doubt", path: feedsPath, body: feed(), ago: time.Hour, answers: trips(invalid), sent: "W", says: "PARAM_ERROR"},
		{name: "a feed is held", path: feedsPath, body: feed(), ago: time.Hour, with: hold, answers: trips(ok("{}")), sent: "",
			says: "an earlier process may have sent"},
		{name: "nothing is known", path: "v3/x", body: wxpay.JSON{}, ago: time.Hour, answers: trips(ok("{}")), sent: "", says: "an earlier process may have sent"},
		{name: "codepay is never repeated", path: codepayPath, body: orderBody, ago: time.Hour,
			answers: trips(refusal(404, "ORDER_NOT_EXIST"), order("SUCCESS")), sent: "QQ", state: wxpay.Succeeded},
	} {
		t.Run(r.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				gateway := play(r.answers...)
				ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
				defer cancel()
				begin := time.Now()
				chain := newClient(t, wxpay.WithTransport(gateway)).Chain(r.path).SentBefore(begin.Add(-r.ago))
				if r.with != nil {
					chain = r.with(chain)
				}
				verdict, err := chain.Ensure(ctx, r.body)
				var sent strings.Builder
				for _, s := range gateway.seen {
					if s.method == http.MethodPost && strings.Contains(sent.String(), "Q") {
						assert.GreaterOrEqual(t, s.at.Sub(begin.Add(-r.ago)), time.Minute)
					}
					sent.WriteString(map[string]string{"POST": "W", "GET": "Q"}[s.method])
				}
				assert.Regexp(t, "^"+r.sent+"$", sent.String())
				if r.says != "" {
					require.ErrorIs(t, err, wxpay.ErrOutcomeUnknown)
					assert.ErrorContains(t, err, r.says)
					assert.NotContains(t, err.Error(), "of 0 requests")
					return
				}
				require.NoError(t, err)
				assert.Equal(t, r.state, verdict.State)
				assert.Equal(t, r.inferred, verdict.Inferred)
				require.NotEmpty(t, verdict.History)
				assert.Equal(t, wxpay.Unknown, verdict.History[0].Outcome)
				if r.within > 0 {
					assert.LessOrEqual(t, time.Since(begin), r.within)
				}
			})
		})
	}
}

// What lies ahead, or is not set, is now: a clock that runs ahead elsewhere makes no query wait for it.
func TestInDoubtUntil(t *testing.T) {
	for name, until := range map[string]func() time.Time{
		"ahead": func() time.Time { return time.Now().Add(time.Hour) }, "zero": func() time.Time { return time.Time{} },
	} {
		synctest.Test(t, func(t *testing.T) {
			gateway := play(refund("SUCCESS"))
			begin := time.Now()
			_, err := newClient(t, wxpay.WithTransport(gateway)).Chain(refundCall).SentBefore(until()).Ensure(context.Background(), refundBody)
			require.NoError(t, err, name)
			assert.Less(t, time.Since(begin), 2*time.Second, name)
			assert.Len(t, gateway.seen, 1, name)
		})
	}
}

// What an earlier process may have sent is in doubt also where this one cannot make the call ready.
func TestInDoubtUnready(t *testing.T) {
	chain := newClient(t, wxpay.WithTransport(refund("SUCCESS"))).Chain(refundCall)
	for name, body := range map[string]any{"a body that is none": func() {}, "a member that is none": wxpay.JSON{"f": func() {}}} {
		_, err := chain.Ensure(t.Context(), body)
		require.Error(t, err, name)
		require.Equal(t, wxpay.NotSent, wxpay.OutcomeOf(err), name)
		_, err = chain.SentBefore(time.Now().Add(-time.Hour)).Ensure(t.Context(), body)
		require.ErrorIs(t, err, wxpay.StageBuild, name)
		assert.ErrorIs(t, err, wxpay.ErrOutcomeUnknown, name)
	}
}
