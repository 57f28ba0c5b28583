package fleet_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/contrib/fleet"
	"github.com/wxpay-go/wxpay/contrib/fleet/internal/fleettest"
	"github.com/wxpay-go/wxpay/middleware"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/sandbox/fault"
	"github.com/wxpay-go/wxpay/transport"
)

// A platform that is down pauses the queue, whether or not it says so.
func TestOutagePauses(t *testing.T) {
	t.Parallel()
	for name, rule := range map[string]fault.Rule{
		"connections break": {Kind: fault.ResetAfter, Method: "POST"},
		"502":               {Kind: fault.ServerError, Method: "POST", Status: 502, Code: "SYSTEM_ERROR"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t)
			q := newQueue(t, fleettest.Embedded(t), g.client)
			require.NoError(t, g.Faults.Inject(rule))
			var jobs []fleet.Job
			for i := range 100 {
				jobs = append(jobs, cancel(fmt.Sprintf("plfk%08d", i)))
			}
			submit(t, q, jobs...)
			stop := start(t, &fleet.Worker{Queue: q, Calls: 4})
			var paused *fleet.PausedError
			require.ErrorAs(t, q.Idle(t.Context()), &paused)
			assert.Contains(t, paused.Reason, "20 jobs in a row")
			stop()
			assert.LessOrEqual(t, states(results(t, q))[fleet.Unknown], 20+4)
		})
	}
}

// A host that alone is refused steps aside, and the others go on. A second one pauses the queue.
func TestBadHostStepsAside(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	refused := middleware.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusUnauthorized, ContentLength: -1, Request: req, Header: http.Header{"Content-Type": {"application/json"}},
			Body: io.NopCloser(strings.NewReader(`{"code":"SIGN_ERROR","message":"the clock is off"}`))}, nil
	})
	e := fleettest.Embedded(t)
	q := newQueue(t, e, g.client)
	bad := newQueue(t, e, clientOf(t, g.Sandbox, refused))
	notices := make(chan string, 100)
	told := func(text string) { notices <- text }
	defer start(t, &fleet.Worker{Queue: q, Name: "good"})()
	await := func(name string, aside bool) {
		t.Helper()
		require.Eventually(t, func() bool {
			s, err := q.Status(t.Context())
			return err == nil && slices.ContainsFunc(s.Workers, func(m fleet.Member) bool { return m.Name == name && (m.Aside != nil) == aside })
		}, time.Minute, 5*time.Millisecond, name)
	}
	await("good", false)
	defer start(t, &fleet.Worker{Queue: bad, Name: "bad", Calls: 1, OnNotice: told})()
	next := 0
	for text := ""; text == ""; next += 10 { // until the bad one has had its share
		var more []fleet.Job
		for i := range 10 {
			more = append(more, feed(fmt.Sprint("F", next+i)))
		}
		submit(t, q, more...)
		select {
		case text = <-notices:
			assert.Contains(t, text, "bad steps aside for 1m0s, and leaves the work to 1 other worker")
			assert.Contains(t, text, "SIGN_ERROR")
		case <-time.After(50 * time.Millisecond):
		}
	}
	await("bad", true)
	require.NoError(t, q.Idle(t.Context()), "the queue does not pause")
	assert.Equal(t, map[fleet.State]int{fleet.Succeeded: next}, states(results(t, q)))

	defer start(t, &fleet.Worker{Queue: bad, Name: "worse", Calls: 1, OnNotice: told})()
	for text := ""; !strings.Contains(text, "is paused"); next += 10 {
		var more []fleet.Job
		for i := range 10 {
			more = append(more, feed(fmt.Sprint("F", next+i)))
		}
		submit(t, q, more...)
		select {
		case text = <-notices:
		case <-time.After(50 * time.Millisecond):
		}
	}
	p, err := q.Paused(t.Context())
	require.NoError(t, err)
	assert.Contains(t, p.Reason, "before, bad stepped aside")
	assert.Contains(t, p.By, fmt.Sprint("process ", os.Getpid()))
	require.NoError(t, q.Resume(t.Context()))
	for text := ""; !strings.Contains(text, "the queue was resumed by "); text = <-notices {
	}
}

// A job that waits to be asked for holds up no other, and no stop.
func TestWaitsAreOffTheHands(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	_, err := g.Users.AddPaidOrder("ORDER1", 100)
	require.NoError(t, err)
	q := newQueue(t, fleettest.Embedded(t), g.client)
	require.NoError(t, g.Faults.Inject(fault.Rule{Kind: fault.ResetBefore, Method: "POST", Count: 1}))
	submit(t, q, append([]fleet.Job{refund("ORDER1", "R1")}, feeds(20)...)...)
	ended := make(chan fleet.Result, 21)
	stop := start(t, &fleet.Worker{Queue: q, Calls: 1, Grace: time.Hour, OnResult: func(r fleet.Result) { ended <- r }})
	for range 20 {
		assert.Equal(t, fleet.Succeeded, (<-ended).State)
	}
	stop()
	all := results(t, q)
	assert.Equal(t, map[fleet.State]int{fleet.Succeeded: 20, fleet.Waiting: 1}, states(all))
	assert.Contains(t, all["R1"].Message, "the next step is due in ")
	assert.Equal(t, 21, count(g, http.MethodPost), "it was sent once")
}

// A worker that is told to stop does not wait for the limit.
func TestStopsWhileItWaits(t *testing.T) {
	t.Parallel()
	s, err := sandbox.New(sandbox.WithLenientCards())
	require.NoError(t, err)
	gate := &gate{waits: make(chan struct{}), open: make(chan struct{})}
	q := newQueue(t, fleettest.Embedded(t), clientOf(t, s, s.Transport(), wxpay.WithLimiter(fleet.Marking(gate))))
	submit(t, q, feed("F1"))
	stop := start(t, &fleet.Worker{Queue: q, Marked: true, Grace: time.Hour})
	<-gate.waits
	stop()
	r := results(t, q)["F1"]
	assert.Equal(t, fleet.Waiting, r.State)
	assert.Zero(t, r.Deliveries, "it was not begun")
	assert.Empty(t, s.Journal.All())
}

// A gateway that is not there is told of, and stands in what is known of the jobs.
func TestNoGateway(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	client := clientOf(t, g.Sandbox, transport.New(transport.Config{}), wxpay.WithBaseURL("http://127.0.0.1:1"))
	q := newQueue(t, fleettest.Embedded(t), client)
	submit(t, q, feed("F1"))
	told := make(chan error, 100)
	stop := start(t, &fleet.Worker{Queue: q, Patience: time.Second, OnError: func(err error) { told <- err }})
	assert.ErrorContains(t, <-told, "a job waits because it could not be sent")
	assert.Eventually(t, func() bool {
		r := results(t, q)["F1"]
		return r.State == fleet.Waiting && strings.Contains(r.Message, "refused")
	}, 30*time.Second, 20*time.Millisecond)
	stop()
}
