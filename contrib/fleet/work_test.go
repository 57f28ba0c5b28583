package fleet_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/contrib/fleet"
	"github.com/wxpay-go/wxpay/contrib/fleet/internal/fleettest"
	"github.com/wxpay-go/wxpay/middleware"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/sandbox/fault"
	"github.com/wxpay-go/wxpay/wxcode"
)

// awaitStates waits until the results stand as wanted.
func awaitStates(t testing.TB, q *fleet.Queue, want map[fleet.State]int) {
	t.Helper()
	require.Eventually(t, func() bool {
		counts, err := q.Summary(t.Context(), fleet.Filter{})
		if err != nil {
			return false
		}
		have := make(map[fleet.State]int)
		for _, c := range counts {
			have[c.State] += c.Jobs
		}
		return assert.ObjectsAreEqual(want, have)
	}, 30*time.Second, 20*time.Millisecond)
}

func refund(order, number string) fleet.Job {
	return fleet.Job{Path: refundPath,
		Body: fmt.Appendf(nil, `{"out_trade_no":%q,"out_refund_no":%q,"amount":{"refund":1,"total":100,"currency":"CNY"}}`, order, number)}
}

// points is a sync of a card's points, in its card's order.
func points(card, number string, balance int) fleet.Job {
	return fleet.Job{Path: pointsPath, Number: number, Order: card, Body: fmt.Appendf(nil,
		`{"out_request_no":%q,"brand_id":"1","card_id":"c","openid":"o","user_card_code":%q,"point_balance":%d}`, number, card, balance)}
}

// What the platform refuses for a reason of the job's own ends it, and can be retried when the
// reason is gone.
func TestRefused(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	q := newQueue(t, fleettest.Embedded(t), g.client)
	require.NoError(t, g.Faults.Inject(fault.Rule{Kind: fault.ServerError, Path: "/" + feedsPath, Status: 400, Code: "INVALID_REQUEST", Count: 2}))
	submit(t, q, feeds(3)...)
	work(t, &fleet.Worker{Queue: q, Calls: 1})
	all := results(t, q)
	assert.Equal(t, map[fleet.State]int{fleet.Refused: 2, fleet.Succeeded: 1}, states(all))
	assert.Equal(t, "INVALID_REQUEST", all["F00000"].Code)
	assert.Equal(t, 400, all["F00000"].Status)
	assert.NotEmpty(t, all["F00000"].RequestID)
	status, err := q.Status(t.Context())
	require.NoError(t, err)
	assert.EqualValues(t, 2, status.Dead)
	summary, err := q.Summary(t.Context(), fleet.Filter{})
	require.NoError(t, err)
	assert.Equal(t, []fleet.Count{{fleet.Refused, "INVALID_REQUEST", 2}, {fleet.Succeeded, "", 1}}, summary)

	n, err := q.Retry(t.Context())
	require.NoError(t, err)
	assert.Zero(t, n, "they are not unknown")
	n, err = q.Retry(t.Context(), fleet.Refused)
	require.NoError(t, err)
	assert.Equal(t, 2, n)
	work(t, &fleet.Worker{Queue: q})
	assert.Equal(t, map[fleet.State]int{fleet.Succeeded: 3}, states(results(t, q)))
	status, err = q.Status(t.Context())
	require.NoError(t, err)
	assert.Zero(t, status.Dead)
	_, err = q.Retry(t.Context(), fleet.Succeeded)
	assert.ErrorContains(t, err, "only unknown and refused")
}

// altered is a feed with another message.
func altered(job fleet.Job, message string) fleet.Job {
	job.Body = bytes.Replace(job.Body, []byte("15_1200_1"), []byte(message), 1)
	return job
}

// resubmit submits one job, and returns why it was rejected.
func resubmit(t testing.TB, q *fleet.Queue, job fleet.Job) (count fleet.Submission, why string) {
	t.Helper()
	count, err := q.Submit(t.Context(), list(job), fleet.Intake{Reject: func(e *fleet.LineError) { why = e.Error() }})
	require.NoError(t, err)
	return count, why
}

// What was refused can be corrected under its number. What may have taken effect, or has, cannot.
func TestRefusedIsCorrected(t *testing.T) {
	t.Parallel()
	for name, order := range map[string]string{"by itself": "", "with an order": "card 7"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t)
			q := newQueue(t, fleettest.Embedded(t), g.client)
			require.NoError(t, g.Faults.Inject(fault.Rule{Kind: fault.ServerError, Path: "/" + feedsPath, Status: 400, Code: "INVALID_REQUEST", Count: 1}))
			job := feed("F1")
			job.Order = order
			submit(t, q, job)
			work(t, &fleet.Worker{Queue: q})
			require.Equal(t, fleet.Refused, results(t, q)["F1"].State)
			corrected := altered(job, "15_1200_2")
			count, why := resubmit(t, q, corrected)
			assert.Equal(t, fleet.Submission{Corrected: 1}, count, why)
			n, err := q.Retry(t.Context(), fleet.Refused)
			require.NoError(t, err)
			assert.Zero(t, n, "what was refused is gone")
			count, _ = resubmit(t, q, corrected)
			assert.Equal(t, fleet.Submission{Again: 1}, count)
			count, _ = resubmit(t, q, job)
			assert.Equal(t, fleet.Submission{Rejected: 1}, count, "it does not go back to what it was")
			work(t, &fleet.Worker{Queue: q})
			r := results(t, q)["F1"]
			assert.Equal(t, fleet.Succeeded, r.State)
			assert.Equal(t, 1, r.Corrected)
			assert.Len(t, shown(g.Sandbox), 1)
			_, why = resubmit(t, q, altered(job, "15_1200_3"))
			assert.Contains(t, why, "the number stands for another request", "it has taken effect")
		})
	}
	t.Run("in doubt", func(t *testing.T) {
		t.Parallel()
		g := newGateway(t)
		q := newQueue(t, fleettest.Embedded(t), g.client)
		require.NoError(t, g.Faults.Inject(fault.Rule{Kind: fault.ResetBefore, Path: "/" + feedsPath, Count: 1},
			fault.Rule{Kind: fault.ServerError, Path: "/" + feedsPath, Status: 400, Code: "INVALID_REQUEST"}))
		submit(t, q, feed("F1"))
		work(t, &fleet.Worker{Queue: q, OnUnknown: wxpay.Hold})
		_, why := resubmit(t, q, altered(feed("F1"), "15_1200_2"))
		assert.Contains(t, why, "the number stands for another request")
	})
}

// A rejection that concerns the merchant pauses the queue, and every job is as untouched as before.
func TestPausesForTheMerchant(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status int
		code   string
	}{{401, "SIGN_ERROR"}, {403, "NO_AUTH"}, {403, "REQUEST_BLOCKED"}} {
		t.Run(c.code, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t)
			q := newQueue(t, fleettest.Embedded(t), g.client)
			require.NoError(t, g.Faults.Inject(fault.Rule{Kind: fault.ServerError, Status: c.status, Code: c.code}))
			submit(t, q, feeds(100)...)
			stop := start(t, &fleet.Worker{Queue: q, Calls: 4}, &fleet.Worker{Queue: q, Calls: 4})
			var paused *fleet.PausedError
			require.ErrorAs(t, q.Idle(t.Context()), &paused)
			assert.Equal(t, c.code, paused.Code)
			assert.Contains(t, paused.Reason, c.code)
			awaitStates(t, q, map[fleet.State]int{fleet.Waiting: 100})
			assert.LessOrEqual(t, len(g.Journal.All()), 8, "one bad clock must not use up a million jobs")
			stop()

			g.Faults.Clear()
			require.NoError(t, q.Resume(t.Context()))
			work(t, &fleet.Worker{Queue: q})
			all := results(t, q)
			assert.Equal(t, map[fleet.State]int{fleet.Succeeded: 100}, states(all))
			assert.Len(t, shown(g.Sandbox), 100)
			for _, r := range all {
				assert.Empty(t, r.Code)
				assert.Equal(t, 1, r.Attempts)
			}
		})
	}
	t.Run("a code that is the job's own", func(t *testing.T) {
		g := newGateway(t)
		q := newQueue(t, fleettest.Embedded(t), g.client)
		require.NoError(t, g.Faults.Inject(fault.Rule{Kind: fault.ServerError, Status: 403, Code: "NO_AUTH", Count: 1}))
		submit(t, q, feeds(3)...)
		work(t, &fleet.Worker{Queue: q, OwnCodes: []wxcode.Code{wxcode.NoAuth}})
		assert.Equal(t, map[fleet.State]int{fleet.Refused: 1, fleet.Succeeded: 2}, states(results(t, q)))
	})
}

// A rejection that nobody signed, such as 401 SIGN_ERROR, proves nothing: something on the way may
// have made it after it passed the request on. It pauses the queue only when it repeats, and what
// met it is in doubt.
func TestUnsignedRefusals(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		fault  fault.Rule
		policy wxpay.UnknownPolicy
		jobs   []fleet.Job
		want   map[fleet.State]int
	}{
		"after the effect, where the platform can be asked": {
			fault.Rule{Kind: fault.SignErrorAfter, Method: "POST", Count: 1}, 0, []fleet.Job{refund("ORDER1", "R1")}, map[fleet.State]int{fleet.Succeeded: 1}},
		"after the effect, where a repeat is harmless": {
			fault.Rule{Kind: fault.NoBodyAfter, Count: 3}, 0, feeds(20), map[fleet.State]int{fleet.Succeeded: 20}},
		"after the effect, held": {
			fault.Rule{Kind: fault.SignErrorAfter, Count: 3}, wxpay.Hold, feeds(20), map[fleet.State]int{fleet.Succeeded: 17, fleet.Unknown: 3}},
		"a page, where nobody can be asked": {
			fault.Rule{Kind: fault.BadGateway, Status: 403, Count: 1}, 0, []fleet.Job{cancel("plfk00000001")}, map[fleet.State]int{fleet.Unknown: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t)
			_, err := g.Users.AddPaidOrder("ORDER1", 100)
			require.NoError(t, err)
			before := len(g.Ledger.Effects())
			q := newQueue(t, fleettest.Embedded(t), g.client)
			require.NoError(t, g.Faults.Inject(tt.fault))
			submit(t, q, tt.jobs...)
			worker := &fleet.Worker{Queue: q, OnUnknown: tt.policy}
			work(t, worker)
			assert.Equal(t, tt.want, states(results(t, q)))
			p, err := q.Paused(t.Context())
			require.NoError(t, err)
			assert.Nil(t, p, "once is no reason to pause")
			_, err = q.Retry(t.Context())
			require.NoError(t, err)
			work(t, worker)
			assert.Equal(t, tt.want, states(results(t, q)), "nothing is known better than before")
			numbers := map[string]bool{}
			for _, e := range g.Ledger.Effects()[before:] {
				assert.False(t, numbers[e.Number], "%s was done twice", e.Number)
				numbers[e.Number] = true
			}
		})
	}
	t.Run("all", func(t *testing.T) {
		t.Parallel()
		g := newGateway(t)
		_, err := g.Users.AddPaidOrder("ORDER1", 100)
		require.NoError(t, err)
		q := newQueue(t, fleettest.Embedded(t), g.client)
		require.NoError(t, g.Faults.Inject(fault.Rule{Kind: fault.SignError}))
		submit(t, q, append(feeds(100), cancel("plfk00000001"), refund("ORDER1", "R1"))...)
		stop := start(t, &fleet.Worker{Queue: q, Calls: 8})
		var paused *fleet.PausedError
		require.ErrorAs(t, q.Idle(t.Context()), &paused)
		assert.Equal(t, "SIGN_ERROR", paused.Code)
		assert.Contains(t, paused.Reason, "401 SIGN_ERROR: ")
		assert.Contains(t, paused.Reason, "jobs in a row were refused, and nobody signs that")
		stop()
		assert.LessOrEqual(t, len(g.Journal.All()), 100, "one bad clock must not use up a million jobs")

		g.Faults.Clear()
		require.NoError(t, q.Resume(t.Context()))
		work(t, &fleet.Worker{Queue: q})
		all := states(results(t, q))
		assert.LessOrEqual(t, all[fleet.Unknown], 1, "what nobody can be asked about, if it was in hand")
		assert.Equal(t, 102, all[fleet.Succeeded]+all[fleet.Accepted]+all[fleet.Unknown]+all[fleet.Refused], all)
		assert.LessOrEqual(t, all[fleet.Refused], 1, "the transfer to cancel does not exist")
		assert.Len(t, shown(g.Sandbox), 100)
	})
}

// A response that is not the platform's is described where there are no words of its own.
func TestForeignAnswer(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	page := httptest.NewServer(http.NotFoundHandler())
	defer page.Close()
	q := newQueue(t, fleettest.Embedded(t), clientOf(t, g.Sandbox, &http.Transport{}, wxpay.WithBaseURL(page.URL)))
	submit(t, q, feed("F1"))
	work(t, &fleet.Worker{Queue: q, OnUnknown: wxpay.Hold})
	r := results(t, q)["F1"]
	assert.Equal(t, 404, r.Status)
	assert.Contains(t, r.Message, "not the platform's JSON")
}

// A response that had been signed before its request proves nothing where it shows no number.
func TestStaleAnswer(t *testing.T) {
	t.Parallel()
	var behind atomic.Int64
	s, err := sandbox.New(sandbox.WithClock(func() time.Time { return time.Now().Add(-time.Duration(behind.Load())) }))
	require.NoError(t, err)
	q := newQueue(t, fleettest.Embedded(t), clientOf(t, s, s.Transport()))
	address := func(method, number string) fleet.Job {
		return fleet.Job{Method: method, Number: number, Path: "v3/merchant-service/complaint-notifications",
			Body: fmt.Appendf(nil, `{"url":"https://shop.example/%s"}`, number)}
	}
	submit(t, q, address("POST", "0"))
	work(t, &fleet.Worker{Queue: q})
	submit(t, q, address("PUT", "1"), address("PUT", "2"), address("PUT", "3"))
	work(t, &fleet.Worker{Queue: q}) // then it is known how the clocks differ
	behind.Store(int64(2 * time.Minute))
	submit(t, q, address("PUT", "4"))
	work(t, &fleet.Worker{Queue: q})
	all := results(t, q)
	assert.Equal(t, map[fleet.State]int{fleet.Succeeded: 4, fleet.Unknown: 1}, states(all))
	assert.Contains(t, all["4"].Message, "signed before its request")
	assert.Equal(t, 1, all["4"].Attempts)
}

// A worker whose calls go out without being written down before ends, and leaves a doubt about what
// it has sent.
func TestMarkedWithoutMarking(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	g.OnRepeatedFeed(sandbox.RepeatDuplicate)
	e := fleettest.Embedded(t)
	slow := middleware.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
		res, err := g.Transport().RoundTrip(req)
		if len(g.Ledger.Effects(sandbox.FeedEffect)) > 1 { // all but one are on their way for long
			<-req.Context().Done()
		}
		return res, err
	})
	q := newQueue(t, e, clientOf(t, g.Sandbox, slow))
	submit(t, q, feeds(5)...)
	w := &fleet.Worker{Queue: q, Calls: 3, Marked: true, OnUnknown: wxpay.Hold, Grace: time.Second}
	assert.ErrorContains(t, w.Run(t.Context()), "wrap the limiter")
	next := newQueue(t, e, g.client)
	work(t, &fleet.Worker{Queue: next, OnUnknown: wxpay.Hold})
	for number, times := range shown(g.Sandbox) {
		assert.Equal(t, 1, times, number)
	}
}

// What cannot be sent any more, as a client sees it now, is not refused if it may have been sent
// before.
func TestCheckedMoreStrictly(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	e := fleettest.Embedded(t)
	lax := newQueue(t, e, clientOf(t, g.Sandbox, g.Transport(), wxpay.WithPreflight(wxpay.PreflightWarn)))
	require.NoError(t, g.Faults.Inject(fault.Rule{Kind: fault.ResetAfter, Count: 1}))
	wrong := func(number string) fleet.Job {
		j := feed(number)
		j.Body = bytes.ReplaceAll(j.Body, []byte(`"brand_id":"1004"`), []byte(`"brand_id":1004`))
		return j
	}
	submit(t, lax, wrong("1"), wrong("2"))
	stop := start(t, &fleet.Worker{Queue: lax, Calls: 1, OnUnknown: wxpay.Hold})
	require.Eventually(t, func() bool { return results(t, lax)["1"].State == fleet.Unknown }, 30*time.Second, 10*time.Millisecond)
	require.Eventually(t, func() bool { return results(t, lax)["2"].State == fleet.Refused }, 30*time.Second, 10*time.Millisecond)
	stop()
	_, err := lax.Retry(t.Context(), fleet.Unknown, fleet.Refused)
	require.NoError(t, err)
	strict := newQueue(t, e, g.client)
	work(t, &fleet.Worker{Queue: strict})
	all := results(t, strict)
	assert.Equal(t, fleet.Unknown, all["1"].State)
	assert.Equal(t, fleet.Refused, all["2"].State)
}

// cancel is the job of cancelling a transfer, which no query tells about.
func cancel(number string) fleet.Job {
	return fleet.Job{Path: "v3/fund-app/mch-transfer/transfer-bills/out-bill-no/{out_bill_no}/cancel", Vars: map[string]string{"out_bill_no": number}}
}

// A worker may be broken off after it kept a job for a retry and before it wrote that down. When
// another one ends the job, nothing stays to be retried; nor does a retry do anything about what
// stayed all the same.
func TestBuriedAndDone(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	e := fleettest.Embedded(t)
	q := newQueue(t, e, g.client)
	require.NoError(t, g.Faults.Inject(fault.Rule{Kind: fault.ResetAfter, Count: 1}))
	submit(t, q, feed("F1"))
	work(t, &fleet.Worker{Queue: q, OnUnknown: wxpay.Hold})
	dead, err := e.JetStream().Stream(t.Context(), "wxpay-dead")
	require.NoError(t, err)
	kept, err := dead.GetMsg(t.Context(), 1)
	require.NoError(t, err)
	n, err := q.Retry(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, n)
	left := func() uint64 {
		s, err := q.Status(t.Context())
		require.NoError(t, err)
		return s.Dead
	}
	require.Zero(t, left())
	bury := func() {
		m := &nats.Msg{Subject: kept.Subject, Header: kept.Header, Data: kept.Data}
		_, err := e.JetStream().PublishMsg(t.Context(), m)
		require.NoError(t, err)
		require.EqualValues(t, 1, left())
	}
	bury()
	work(t, &fleet.Worker{Queue: q, OnUnknown: wxpay.Repeat})
	assert.Equal(t, map[fleet.State]int{fleet.Succeeded: 1}, states(results(t, q)))
	assert.Zero(t, left())

	bury()
	n, err = q.Retry(t.Context())
	require.NoError(t, err)
	assert.Zero(t, n)
	assert.Zero(t, left())
	assert.Equal(t, map[fleet.State]int{fleet.Succeeded: 1}, states(results(t, q)))
}

// A retry that dies before it has queued the job leaves a record that waits. Submitting the job
// again puts it back, and what is not known about it stays in mind.
func TestSubmitAfterBrokenRetry(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	e := fleettest.Embedded(t)
	q := newQueue(t, e, g.client)
	require.NoError(t, g.Faults.Inject(fault.Rule{Kind: fault.ResetAfter, Count: 1}))
	submit(t, q, feed("F1"))
	work(t, &fleet.Worker{Queue: q, OnUnknown: wxpay.Hold})
	assert.Equal(t, map[fleet.State]int{fleet.Unknown: 1}, states(results(t, q)))
	n, err := q.Retry(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, n)
	jobs, err := e.JetStream().Stream(t.Context(), "wxpay-jobs")
	require.NoError(t, err)
	require.NoError(t, jobs.Purge(t.Context())) // as if it had not come that far

	submit(t, q, feed("F1"))
	work(t, &fleet.Worker{Queue: q, OnUnknown: wxpay.Hold})
	assert.Equal(t, map[fleet.State]int{fleet.Unknown: 1}, states(results(t, q)))
	assert.Equal(t, 1, count(g, http.MethodPost), "it may have been sent, so it is not sent again")
}

// A server that is cut off from the others still answers its clients. A worker that is connected to
// it breaks off what it has in hand before another worker gets that.
func TestWorkerOnTheWrongSide(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	c := fleettest.NewCluster(t, false)
	e := c.Connect(t)
	open := func(e *fleet.Engine, client *wxpay.Client) (q *fleet.Queue) {
		fleettest.Eventually(t, func(ctx context.Context) (err error) {
			q, err = fleet.OpenQueue(ctx, e, fleet.QueueConfig{Client: client, Keys: testKeys(t, "a"), Lease: 12 * time.Second})
			return err
		})
		return q
	}
	queue := open(e, g.client)
	c.Healthy(t, e)
	leads := make(map[string]bool)
	fleettest.Eventually(t, func(ctx context.Context) error {
		consumer, err := e.JetStream().Consumer(ctx, "wxpay-jobs", "workers")
		if err == nil {
			leads[consumer.CachedInfo().Cluster.Leader] = true
		}
		return err
	})
	cutOff := slices.IndexFunc(c.Nodes[:], func(n *fleettest.Node) bool { return !leads[n.Config.Name] })

	lonely, err := fleet.Connect(t.Context(), "nats://"+c.Nodes[cutOff].Client.Address())
	require.NoError(t, err)
	defer lonely.Close()
	never := &stuck{next: g.Transport(), reached: make(chan struct{}), left: make(chan time.Time, 1)}
	stopLonely := start(t, &fleet.Worker{Queue: open(lonely, clientOf(t, g.Sandbox, never, wxpay.WithTimeout(time.Hour))), Calls: 1, Grace: time.Millisecond})
	_, err = g.Users.AddPaidOrder("ORDER1", 100)
	require.NoError(t, err)
	submit(t, queue, refund("ORDER1", "REFUND1")) // which is asked for at once by whoever has it next
	<-never.reached
	for _, p := range c.Nodes[cutOff].Routes {
		p.SetCut(true)
	}
	others := (cutOff + 1) % 3
	near, err := fleet.Connect(t.Context(), "nats://"+c.Nodes[others].Client.Address())
	require.NoError(t, err)
	defer near.Close()
	second := &stuck{next: g.Transport(), reached: make(chan struct{}), left: make(chan time.Time, 1)}
	stopNear := start(t, &fleet.Worker{Queue: open(near, clientOf(t, g.Sandbox, second)), Calls: 1, Grace: time.Millisecond})
	select {
	case <-second.reached:
	case <-time.After(time.Minute):
		t.Error("the job comes to nobody else")
	}
	select {
	case <-never.left:
	default:
		t.Error("two workers have the job in hand")
	}
	for _, p := range c.Nodes[cutOff].Routes {
		p.SetCut(false)
	}
	stopNear()
	stopLonely()
}

// Code of the user's that panics, or ends its goroutine, ends neither the process nor the worker,
// and loses no job.
func TestWorkerSurvivesTheUsersCode(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	var calls atomic.Int32
	client := clientOf(t, g.Sandbox, g.Transport(), wxpay.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
		return middleware.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
			switch calls.Add(1) {
			case 1:
				panic("boom")
			case 2:
				runtime.Goexit()
			}
			return next.RoundTrip(req)
		})
	}))
	q := newQueue(t, fleettest.Embedded(t), client, shortLease)
	submit(t, q, feeds(4)...)
	var mu sync.Mutex
	var troubles []error
	work(t, &fleet.Worker{Queue: q, Calls: 1, OnResult: func(fleet.Result) { panic("observer") }, OnError: func(err error) {
		mu.Lock()
		troubles = append(troubles, err)
		mu.Unlock()
		panic("trouble")
	}})
	assert.Equal(t, map[fleet.State]int{fleet.Succeeded: 4}, states(results(t, q)))
	for number, times := range shown(g.Sandbox) {
		assert.Equal(t, 1, times, number)
	}
	var texts []string
	for _, err := range troubles {
		texts = append(texts, err.Error())
	}
	assert.Contains(t, texts, "fleet: code given to the client: it panicked with a string")
	assert.Contains(t, texts, "fleet: Worker.OnResult: it panicked with a string")
	assert.Contains(t, strings.Join(texts, "\n"), "runtime.Goexit")
}
