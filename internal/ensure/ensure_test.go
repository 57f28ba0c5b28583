//go:build go1.25

package ensure_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/call"
	"github.com/wxpay-go/wxpay/internal/calltest"
	"github.com/wxpay-go/wxpay/internal/ensure"
	"github.com/wxpay-go/wxpay/middleware"
	"github.com/wxpay-go/wxpay/wxcode"
)

// thing is a write whose query shows how it ends. What a test needs otherwise it changes.
func thing() fact.Operation {
	o := fact.Operation{
		Method: http.MethodPost, Path: "/v3/things", Response: fact.JSONResponse, Success: http.StatusOK,
		Out: []fact.Field{{Name: "no", Type: fact.String}, {Name: "state", Type: fact.String}, {Name: "parts"}, {Name: "token", Type: fact.String}},
	}
	o.MovesMoney, o.Repeat = true, fact.Documented
	o.Bind = []fact.Copy{{To: "no", From: "no"}}
	o.Link = &fact.Link{
		Query: "/v3/things/{no}", Copy: []fact.Copy{{To: "no", From: "no"}}, Missing: []string{"NOT_FOUND"}, State: "state",
		Means: []fact.Means{{Value: "DONE", Meaning: fact.Succeeded}, {Value: "GONE", Meaning: fact.Failed}, {Value: "WAIT", Meaning: fact.Accepted}},
		Same:  []fact.Copy{{To: "amount", From: "amount"}},
	}
	return o
}

// query is the operation that the link of thing names.
func query() fact.Operation {
	o := fact.Operation{Method: http.MethodGet, Path: "/v3/things/{no}", Response: fact.JSONResponse, Success: http.StatusOK, Out: thing().Out}
	o.Bind = []fact.Copy{{To: "no", From: "{no}"}}
	return o
}

// unlinked is thing without a query.
func unlinked() fact.Operation {
	o := thing()
	o.Link = nil
	return o
}

// with changes an operation.
func with(o fact.Operation, change func(*fact.Operation)) fact.Operation {
	change(&o)
	return o
}

// state is a response that shows a state.
func state(s string) calltest.Reply { return calltest.OK(`{"no":"N1","state":"` + s + `"}`) }

// errQuery is in the error of a query.
var errQuery = errors.New("the query failed")

var body = map[string]any{"no": "N1", "amount": 5, "parts": []any{map[string]any{"id": 1}, map[string]any{"id": 2}}}

// prepare makes a call to o ready on a line to gateway.
func prepare(t testing.TB, gateway http.RoundTripper, o fact.Operation, change ...func(*call.Spec)) *call.Call {
	t.Helper()
	spec := &call.Spec{Path: o.Path}
	for _, f := range change {
		f(spec)
	}
	write, err := calltest.NewLine(t, gateway, calltest.NewFacts(o, query())).Prepare(t.Context(), spec, o.Method, body)
	require.NoError(t, err)
	return write
}

// run ensures the operation on a line to gateway.
func run(t testing.TB, gateway http.RoundTripper, o fact.Operation, wanted ensure.Wanted) (*ensure.Verdict, error) {
	t.Helper()
	wanted.Queried = queried
	return ensure.Run(t.Context(), prepare(t, gateway, o), wanted)
}

func queried(err error) error { return errors.Join(errQuery, err) }

// What follows a doubt: by the reviewed class of repeats, by whether there is a query, and by the caller's policy. The doubt is
// a broken connection, and whatever comes next succeeds.
func TestDoubt(t *testing.T) {
	free := func(o fact.Operation) fact.Operation { o.MovesMoney = false; return o }
	for name, tt := range map[string]struct {
		operation             fact.Operation
		byFacts, hold, repeat string // what is sent
	}{
		"a query":                            {thing(), "WQ", "WQ", "WW"},
		"a query, unreviewed":                {with(thing(), func(o *fact.Operation) { o.Repeat = fact.Unreviewed }), "WQ", "WQ", "WW"},
		"a query, not to be repeated":        {with(thing(), func(o *fact.Operation) { o.Repeat = fact.Never }), "WQ", "WQ", "W"},
		"no query, documented":               {unlinked(), "WW", "W", "WW"},
		"no query, assumed":                  {with(free(unlinked()), func(o *fact.Operation) { o.Repeat = fact.Assumed }), "WW", "W", "WW"},
		"no query, assumed where money goes": {with(unlinked(), func(o *fact.Operation) { o.Repeat = fact.Assumed }), "W", "W", "WW"},
		"no query, unreviewed":               {with(unlinked(), func(o *fact.Operation) { o.Repeat = fact.Unreviewed }), "W", "W", "WW"},
		"no query, not to be repeated":       {with(unlinked(), func(o *fact.Operation) { o.Repeat = fact.Never }), "W", "W", "W"},
	} {
		for policy, want := range map[ensure.Policy]string{ensure.ByFacts: tt.byFacts, ensure.Hold: tt.hold, ensure.Repeat: tt.repeat} {
			synctest.Test(t, func(t *testing.T) {
				gateway := calltest.Play(calltest.Reset, state("DONE"))
				verdict, err := run(t, gateway, tt.operation, ensure.Wanted{Policy: policy})
				assert.Equal(t, want, gateway.Order(), "%s, policy %d", name, policy)
				if want == "W" {
					var failure *calltest.Failure
					require.ErrorAs(t, err, &failure, name)
					assert.Equal(t, middleware.Unknown, failure.Outcome, name)
					return
				}
				require.NoError(t, err, name)
				assert.Equal(t, []middleware.Outcome{middleware.Unknown}, outcomes(verdict)[:1], name)
				for i, s := range gateway.Seen()[1:] {
					assert.Equal(t, s.Method == http.MethodPost, s.Text == gateway.Seen()[0].Text, "%s, request %d: a write has the same bytes", name, i+1)
				}
			})
		}
	}
}

func outcomes(v *ensure.Verdict) (all []middleware.Outcome) {
	for _, a := range v.History {
		all = append(all, a.Outcome)
	}
	return all
}

// The state that the write's own response shows, and a query's.
func TestStates(t *testing.T) {
	parts := func(o *fact.Operation) {
		o.Link.Parts = &fact.Parts{List: "parts", State: "end", Succeeded: "YES", Failed: "NO"}
	}
	divided := func(ends string) calltest.Reply {
		return calltest.OK(`{"no":"N1","state":"DONE","parts":[` + ends + `]}`)
	}
	free := func(o *fact.Operation) { o.MovesMoney = false }
	stateless := func(o *fact.Operation) { o.Link.State, o.Link.Means = "", nil }
	for name, tt := range map[string]struct {
		change func(*fact.Operation)
		reply  calltest.Reply
		write  fact.Meaning // when the write is answered
		query  fact.Meaning // when the query is, after a doubt
	}{
		"a reviewed state":       {nil, state("WAIT"), fact.Accepted, fact.Accepted},
		"another reviewed one":   {nil, state("GONE"), fact.Failed, fact.Failed},
		"a new state":            {nil, state("NEW"), fact.Taken, fact.Taken},
		"no state, money":        {nil, calltest.OK(`{"no":"N1"}`), fact.Taken, fact.Taken},
		"no state":               {free, calltest.OK(`{"no":"N1"}`), fact.Succeeded, fact.Taken},
		"no state, 202":          {free, calltest.Reply{Status: 202, Body: `{"no":"N1"}`}, fact.Accepted, fact.Taken},
		"existence is the proof": {stateless, calltest.OK(`{"no":"N1"}`), fact.Taken, fact.Succeeded},
		"all parts":              {parts, divided(`{"end":"YES"},{"end":"YES"}`), fact.Succeeded, fact.Succeeded},
		"some parts":             {parts, divided(`{"end":"NO"},{"end":"YES"}`), fact.Partial, fact.Partial},
		"no part":                {parts, divided(`{"end":"NO"},{"end":"NO"}`), fact.Failed, fact.Failed},
		"a part under way":       {parts, divided(`{"end":"NO"},{"end":"SOON"}`), fact.Accepted, fact.Accepted},
		"fewer parts than sent":  {parts, divided(`{"end":"YES"}`), fact.Taken, fact.Taken},
	} {
		o := thing()
		if tt.change != nil {
			tt.change(&o)
		}
		for _, replies := range [][]calltest.Reply{{tt.reply}, {calltest.Reset, tt.reply}} {
			synctest.Test(t, func(t *testing.T) {
				verdict, err := run(t, calltest.Play(replies...), o, ensure.Wanted{})
				require.NoError(t, err, name)
				want := tt.write
				if len(replies) > 1 {
					want = tt.query
				}
				assert.Equal(t, want, verdict.State, "%s, reply %d", name, len(replies))
				assert.False(t, verdict.Inferred, name)
				assert.False(t, verdict.Unbound, name)
				assert.Equal(t, 1, verdict.Attempts, name)
			})
		}
	}
}

// A write that acts on what existed before is proven by a reviewed state alone, and sent again when that stays away.
func TestActs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := with(thing(), func(o *fact.Operation) { o.Link.Acts = true })
		gateway := &calltest.Gateway{Replies: []calltest.Reply{calltest.Reset, state("DONE")}, Queries: []calltest.Reply{state("BEFORE")}}
		verdict, err := run(t, gateway, o, ensure.Wanted{})
		require.NoError(t, err)
		assert.Equal(t, fact.Succeeded, verdict.State)
		assert.Regexp(t, "^WQ+W$", gateway.Order())
		seen := gateway.Seen()
		assert.GreaterOrEqual(t, seen[len(seen)-1].At.Sub(seen[0].At), time.Minute)
	})
}

// The number is taken where a rejection says so, after a doubt about this very call.
func TestTakenNumber(t *testing.T) {
	exists := calltest.Rejected(400, wxcode.AlreadyExists)
	unsigned := exists
	unsigned.Unsigned = true
	for name, tt := range map[string]struct {
		replies []calltest.Reply
		free    bool
		state   fact.Meaning // empty: an error
	}{
		"after a doubt, money":       {[]calltest.Reply{calltest.Reset, exists}, false, fact.Taken},
		"after a doubt":              {[]calltest.Reply{calltest.Reset, exists}, true, fact.Succeeded},
		"at once":                    {[]calltest.Reply{exists}, true, ""},
		"after a rejection":          {[]calltest.Reply{calltest.Rejected(429, wxcode.FrequencyLimited), exists}, true, ""},
		"after no connection":        {[]calltest.Reply{calltest.Unconnected, exists}, true, ""},
		"by somebody on the way":     {[]calltest.Reply{calltest.Reset, unsigned}, true, ""},
		"after a doubt that says so": {[]calltest.Reply{{Status: 500, Body: exists.Body}, exists}, true, ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			o := with(unlinked(), func(o *fact.Operation) { o.MovesMoney = !tt.free })
			verdict, err := run(t, calltest.Play(tt.replies...), o, ensure.Wanted{})
			if tt.state == "" {
				require.Error(t, err, name)
				return
			}
			require.NoError(t, err, name)
			assert.Equal(t, tt.state, verdict.State, name)
			assert.True(t, verdict.Inferred, name)
			assert.Nil(t, verdict.Response, name)
		})
	}
}

// A rejection that nobody signed is asked about, and ends an Ensure when it came three times alike.
func TestUnsigned(t *testing.T) {
	forbidden := calltest.Reply{Status: 403, Body: "<html>", Unsigned: true}
	gone := calltest.Reply{Status: 404, Body: "<html>", Unsigned: true}
	wait := state("WAIT")
	type list = []calltest.Reply
	for name, tt := range map[string]struct {
		operation fact.Operation
		wanted    ensure.Wanted
		replies   list
		sent      string
		state     fact.Meaning // empty: an error
		says      string
	}{
		"of the write, then all is well": {thing(), ensure.Wanted{}, list{forbidden, state("DONE")}, "WQ", fact.Succeeded, ""},
		"of write and queries":           {thing(), ensure.Wanted{}, list{forbidden}, "WQQQ", "", "403"},
		"of the queries":                 {thing(), ensure.Wanted{}, list{calltest.Reset, forbidden}, "WQQQ", "", "the queries are rejected too: "},
		"another one counts anew":        {thing(), ensure.Wanted{}, list{calltest.Reset, forbidden, forbidden, gone}, "WQQQQQ", "", "the queries are rejected too: "},
		"a response counts anew":         {thing(), ensure.Wanted{UntilFinal: true}, list{forbidden, forbidden, wait, forbidden}, "WQQQQQ", fact.Accepted, ""},
		"of no query":                    {unlinked(), ensure.Wanted{}, list{forbidden}, "WWWW", "", "403"},
		"of no query, then all is well":  {unlinked(), ensure.Wanted{}, list{forbidden, forbidden, state("DONE")}, "WWW", fact.Taken, ""},
		"of no query, held":              {unlinked(), ensure.Wanted{Policy: ensure.Hold}, list{forbidden}, "W", "", "403"},
		"of a query, held":               {thing(), ensure.Wanted{Policy: ensure.Hold}, list{forbidden}, "WQQQ", "", "403"},
	} {
		synctest.Test(t, func(t *testing.T) {
			gateway := calltest.Play(tt.replies...)
			verdict, err := run(t, gateway, tt.operation, tt.wanted)
			assert.Equal(t, tt.sent, gateway.Order(), name)
			if tt.state == "" {
				require.ErrorContains(t, err, tt.says, name)
				return
			}
			require.NoError(t, err, name)
			assert.Equal(t, tt.state, verdict.State, name)
		})
	}
}

// Not found permits another write a minute after the last one, and never where it must not be sent again or may be older than
// the query reaches.
func TestNotFound(t *testing.T) {
	missing := calltest.Rejected(404, "NOT_FOUND")
	lookBack := with(thing(), func(o *fact.Operation) { o.Link.LookBack = 3 })
	for name, tt := range map[string]struct {
		operation fact.Operation
		wanted    ensure.Wanted
		ago       time.Duration // an earlier process may have sent it
		sent      string
	}{
		"a minute later":          {operation: thing(), sent: "^WQ+W$"},
		"held":                    {operation: thing(), wanted: ensure.Wanted{Policy: ensure.Hold}, sent: "^WQ+$"},
		"never to be repeated":    {operation: with(thing(), func(o *fact.Operation) { o.Repeat = fact.Never }), sent: "^WQ+$"},
		"an hour after a process": {operation: lookBack, ago: time.Hour, sent: "^QW$"},
		"beyond the query":        {operation: lookBack, ago: 4 * 24 * time.Hour, sent: "^Q+$"},
	} {
		synctest.Test(t, func(t *testing.T) {
			gateway := &calltest.Gateway{Replies: []calltest.Reply{calltest.Reset, state("DONE")}, Queries: []calltest.Reply{missing}}
			if tt.ago > 0 {
				gateway.Replies = gateway.Replies[1:]
				tt.wanted.SentBefore = time.Now().Add(-tt.ago)
			}
			begin := time.Now()
			verdict, err := run(t, gateway, tt.operation, tt.wanted)
			require.Regexp(t, tt.sent, gateway.Order(), name)
			if gateway.Order()[len(gateway.Order())-1] == 'Q' {
				require.ErrorIs(t, err, ensure.ErrMissing, name)
				require.ErrorIs(t, err, context.DeadlineExceeded, name)
				assert.Equal(t, 10*time.Minute, time.Since(begin), "%s: the limit of a call without a deadline", name)
				return
			}
			require.NoError(t, err, name)
			assert.Equal(t, fact.Succeeded, verdict.State, name)
			if tt.ago == 0 {
				assert.GreaterOrEqual(t, time.Since(begin), time.Minute, name)
			}
		})
	}
}

// A write that was rejected for good, in a way that may still be the echo of a success, stays rejected when nothing is found.
func TestRejectedAndNotFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gateway := &calltest.Gateway{
			Replies: []calltest.Reply{calltest.Rejected(400, wxcode.ParamError)}, Queries: []calltest.Reply{calltest.Rejected(404, "NOT_FOUND")},
		}
		_, err := run(t, gateway, thing(), ensure.Wanted{}) // no code of thing excludes an effect
		require.ErrorIs(t, err, calltest.ErrUnfound)
		var rejection *calltest.Rejection
		require.ErrorAs(t, err, &rejection)
		assert.Equal(t, wxcode.ParamError, rejection.Code)
		assert.Regexp(t, "^WQ+$", gateway.Order())
	})
}

// Fields that only the write answers are fetched by the same write, and named where it is refused.
func TestOnlyByWrite(t *testing.T) {
	o := with(thing(), func(o *fact.Operation) { o.Link.Only = []string{"token"} })
	for name, tt := range map[string]struct {
		again   calltest.Reply
		sent    string
		missing []string
	}{
		"it answers":    {calltest.OK(`{"no":"N1","state":"WAIT","token":"x"}`), "WQW", nil},
		"it is refused": {calltest.Rejected(400, wxcode.ParamError), "WQW", []string{"token"}},
	} {
		synctest.Test(t, func(t *testing.T) {
			gateway := &calltest.Gateway{Replies: []calltest.Reply{calltest.Reset, tt.again}, Queries: []calltest.Reply{state("WAIT")}}
			verdict, err := run(t, gateway, o, ensure.Wanted{})
			require.NoError(t, err, name)
			assert.Equal(t, tt.sent, gateway.Order(), name)
			assert.Equal(t, tt.missing, verdict.Missing, name)
		})
	}
}

// UntilFinal asks until the end, and is refused before anything is sent where no query tells it.
func TestUntilFinal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gateway := calltest.Play(state("WAIT"), state("WAIT"), state("NEW"), state("GONE"))
		verdict, err := run(t, gateway, thing(), ensure.Wanted{UntilFinal: true})
		require.NoError(t, err)
		assert.Equal(t, fact.Failed, verdict.State)
		assert.Equal(t, "WQQQ", gateway.Order())
	})
	lacking := with(thing(), func(o *fact.Operation) { o.Link.Copy = append(o.Link.Copy, fact.Copy{To: "day", From: "day"}) })
	for name, tt := range map[string]struct {
		operation fact.Operation
		says      string
	}{
		"no query":              {unlinked(), "no reviewed query tells it"},
		"no value for a query":  {lacking, "its body lacks a field that the query needs"},
		"no operation is known": {fact.Operation{Method: http.MethodPost, Path: "/v3/others"}, "the catalogue does not know the operation"},
	} {
		gateway := calltest.Play(state("DONE"))
		if tt.operation.Name = name; tt.operation.Path == "/v3/others" {
			write, err := calltest.NewLine(t, gateway, nil).Prepare(t.Context(), &call.Spec{Path: "/v3/others"}, http.MethodPost, body)
			require.NoError(t, err)
			_, err = ensure.Run(t.Context(), write, ensure.Wanted{UntilFinal: true})
			assert.ErrorContains(t, err, tt.says, name)
		} else {
			_, err := run(t, gateway, tt.operation, ensure.Wanted{UntilFinal: true})
			assert.ErrorContains(t, err, tt.says, name)
		}
		assert.Empty(t, gateway.Order(), name)
	}
	free := with(unlinked(), func(o *fact.Operation) { o.MovesMoney = false })
	verdict, err := run(t, calltest.Play(state("DONE")), free, ensure.Wanted{UntilFinal: true})
	require.NoError(t, err, "what ends at once needs no query")
	assert.Equal(t, fact.Succeeded, verdict.State)
}

// The number may stand for something else, which a query tells and no repeat cures.
func TestNumberConflict(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gateway := calltest.Play(calltest.Reset, calltest.OK(`{"no":"N1","state":"DONE","amount":6}`))
		_, err := run(t, gateway, thing(), ensure.Wanted{})
		require.ErrorIs(t, err, ensure.ErrNumberConflict)
		assert.ErrorContains(t, err, "amount differs")
		assert.Equal(t, "WQ", gateway.Order())
	})
}

// A response that a middleware made up is no response of the platform, of a write or of a query.
func TestMadeUp(t *testing.T) {
	for _, method := range []string{http.MethodPost, http.MethodGet} {
		synctest.Test(t, func(t *testing.T) {
			lies := 1
			liar := func(next http.RoundTripper) http.RoundTripper {
				return middleware.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
					if req.Method == method && lies > 0 {
						lies--
						return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Header: http.Header{}}, nil
					}
					return next.RoundTrip(req)
				})
			}
			gateway := calltest.Play(state("DONE"))
			if method == http.MethodGet {
				gateway = calltest.Play(calltest.Reset, state("DONE"))
			}
			o := thing()
			write, err := calltest.NewLine(t, gateway, calltest.NewFacts(o, query()), liar).Prepare(t.Context(), &call.Spec{Path: o.Path}, o.Method, body)
			require.NoError(t, err)
			verdict, err := ensure.Run(t.Context(), write, ensure.Wanted{Queried: queried})
			if method == http.MethodPost { // nothing reached the platform, so far as anybody knows
				require.ErrorIs(t, err, call.ErrMadeUp)
				assert.Empty(t, gateway.Order())
				return
			}
			require.NoError(t, err)
			assert.Equal(t, fact.Succeeded, verdict.State)
			assert.Equal(t, "WQ", gateway.Order(), "the query that lied never arrived")
		})
	}
}

// The pauses double up to their bounds, and are drawn around that.
func TestPauses(t *testing.T) {
	for name, tt := range map[string]struct {
		operation   fact.Operation
		first, most time.Duration
		low, high   float64 // of the mean
	}{
		"queries":                 {thing(), time.Second, 30 * time.Second, 0.5, 1.5},
		"repeats without a query": {unlinked(), 5 * time.Second, time.Minute, 1, 1.25},
	} {
		synctest.Test(t, func(t *testing.T) {
			gateway := calltest.Play(calltest.Reset)
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
			defer cancel()
			begin := time.Now()
			_, err := ensure.Run(ctx, prepare(t, gateway, tt.operation), ensure.Wanted{Queried: queried})
			require.ErrorIs(t, err, context.DeadlineExceeded, name)
			assert.Equal(t, 5*time.Minute, time.Since(begin), name)
			seen, mean := gateway.Seen(), tt.first
			require.Greater(t, len(seen), 5, name)
			for i := range seen[1:] {
				pause := seen[i+1].At.Sub(seen[i].At)
				assert.GreaterOrEqual(t, pause, time.Duration(tt.low*float64(mean)), "%s, pause %d", name, i)
				assert.LessOrEqual(t, pause, time.Duration(tt.high*float64(mean)), "%s, pause %d", name, i)
				mean = min(2*mean, tt.most)
			}
		})
	}
}

// A caller that waits itself gets each wait instead of it, and comes to the same end.
func TestStepwise(t *testing.T) {
	type notYet struct {
		error
		after time.Duration
		found *ensure.Verdict
	}
	for name, tt := range map[string]struct {
		operation fact.Operation
		replies   []calltest.Reply
		final     bool
		order     string
		found     fact.Meaning // with the first wait
		end       fact.Meaning
		least     time.Duration
	}{
		"a query":              {thing(), []calltest.Reply{calltest.Reset, state("DONE")}, false, "WQ", "", fact.Succeeded, time.Second / 2},
		"no query, documented": {unlinked(), []calltest.Reply{calltest.Reset, state("DONE")}, false, "WW", "", fact.Taken, 5 * time.Second},
		"an end is wanted":     {thing(), []calltest.Reply{state("WAIT"), state("WAIT"), state("DONE")}, true, "WQQ", fact.Accepted, fact.Succeeded, time.Second / 2},
	} {
		synctest.Test(t, func(t *testing.T) {
			gateway := calltest.Play(tt.replies...)
			begin, sent, waited := time.Now(), time.Time{}, time.Duration(0)
			for first := true; ; first = false {
				seen := len(gateway.Seen())
				verdict, err := run(t, gateway, tt.operation, ensure.Wanted{UntilFinal: tt.final, SentBefore: sent,
					NotYet: func(after time.Duration, found *ensure.Verdict, last error) error { return &notYet{last, after, found} }})
				assert.LessOrEqual(t, len(gateway.Seen())-seen, 1, "%s: a step has one request", name)
				assert.Equal(t, waited, time.Since(begin), "%s: it does not wait", name)
				if err == nil {
					assert.Equal(t, tt.end, verdict.State, name)
					break
				}
				var later *notYet
				require.ErrorAs(t, err, &later, name)
				if first {
					sent = time.Now()
					assert.GreaterOrEqual(t, later.after, tt.least, name)
					require.Equal(t, tt.found != "", later.found != nil, name)
					if later.found != nil {
						assert.Equal(t, tt.found, later.found.State, name)
					}
				}
				var failure *calltest.Failure
				require.ErrorAs(t, err, &failure, name)
				assert.Equal(t, middleware.Unknown, failure.Outcome, name)
				time.Sleep(later.after)
				waited += later.after
			}
			assert.Equal(t, tt.order, gateway.Order(), name)
		})
	}
}

// A time limit of the call's own bounds the whole of it, and is named.
func TestOwnLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		write := prepare(t, calltest.Play(calltest.Reset), thing(), func(s *call.Spec) { s.Total = 45 * time.Second })
		_, err := ensure.Run(t.Context(), write, ensure.Wanted{Queried: queried})
		require.ErrorContains(t, err, "45s")
		assert.ErrorIs(t, err, errQuery, "the last query is told as one")
		assert.ErrorContains(t, err, "the last of ")
		assert.Equal(t, 45*time.Second, time.Since(begin))
	})
}

// Resolve asks once and sends nothing.
func TestResolve(t *testing.T) {
	cause := errors.New("the write's own")
	for name, tt := range map[string]struct {
		operation fact.Operation
		reply     calltest.Reply
		state     fact.Meaning // empty: an error
		err       error
		sent      string
	}{
		"found":     {thing(), state("WAIT"), fact.Accepted, nil, "Q"},
		"not found": {thing(), calltest.Rejected(404, "NOT_FOUND"), "", ensure.ErrMissing, "Q"},
		"no answer": {thing(), calltest.Reset, "", errQuery, "Q"},
		"another's": {thing(), calltest.OK(`{"no":"N1","amount":6}`), "", ensure.ErrNumberConflict, "Q"},
		"no query":  {unlinked(), state("DONE"), "", cause, ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			gateway := calltest.Play(tt.reply)
			write := prepare(t, gateway, tt.operation)
			verdict, err := ensure.Resolve(t.Context(), write, write.Line(), cause, queried)
			assert.Equal(t, tt.sent, gateway.Order(), name)
			if tt.state == "" {
				require.ErrorIs(t, err, tt.err, name)
				return
			}
			require.NoError(t, err, name)
			assert.Equal(t, tt.state, verdict.State, name)
		})
	}
}
