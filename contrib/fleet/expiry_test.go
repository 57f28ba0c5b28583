package fleet_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/contrib/fleet"
	"github.com/wxpay-go/wxpay/contrib/fleet/internal/fleettest"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/middleware"
	"github.com/wxpay-go/wxpay/sandbox"
)

// What was never sent because its time was over can be submitted again with more time.
func TestExpiredIsSubmittedAgain(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	q := newQueue(t, fleettest.Embedded(t), g.client)
	late, inOrder := feed("F1"), ordered("F2", "card")
	late.Expires, inOrder.Expires = time.Now().Add(-time.Minute), time.Now().Add(-time.Minute)
	submit(t, q, late, inOrder)
	work(t, &fleet.Worker{Queue: q})
	require.Equal(t, map[fleet.State]int{fleet.Expired: 2}, states(results(t, q)))
	s, err := q.Submit(t.Context(), list(late, inOrder), fleet.Intake{})
	require.NoError(t, err)
	assert.Equal(t, fleet.Submission{Ended: 2}, s, "it has no more time than before")
	late.Expires, inOrder.Expires = time.Now().Add(time.Hour), time.Time{}
	s, err = q.Submit(t.Context(), list(late, inOrder), fleet.Intake{})
	require.NoError(t, err)
	assert.Equal(t, fleet.Submission{Queued: 1, Ended: 1}, s, "the turn of the other one has passed")
	work(t, &fleet.Worker{Queue: q})
	assert.Equal(t, map[string]int{"F1": 1}, shown(g.Sandbox))
}

func TestExpires(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	q := newQueue(t, fleettest.Embedded(t), g.client)
	stale, fresh := feed("F1"), feed("F2")
	stale.Expires, fresh.Expires = time.Now().Add(-time.Second), time.Now().Add(time.Hour)
	submit(t, q, stale, fresh)
	work(t, &fleet.Worker{Queue: q})
	all := results(t, q)
	assert.Equal(t, fleet.Expired, all["F1"].State)
	assert.Equal(t, fleet.Succeeded, all["F2"].State)
	assert.Len(t, g.Journal.All(), 1)
}

// sink takes requests and never answers.
type sink struct{ reached chan struct{} }

func (s *sink) RoundTrip(req *http.Request) (*http.Response, error) {
	s.reached <- struct{}{}
	<-req.Context().Done()
	return nil, context.Cause(req.Context())
}

// A job whose time is over while it waits for the limit is not sent any more.
func TestExpiresWhileItWaits(t *testing.T) {
	t.Parallel()
	s, err := sandbox.New(sandbox.WithLenientCards())
	require.NoError(t, err)
	gate := &gate{waits: make(chan struct{}), open: make(chan struct{})}
	observed := make(chan error, 1)
	q := newQueue(t, fleettest.Embedded(t), clientOf(t, s, s.Transport(), wxpay.WithLimiter(fleet.Marking(gate)),
		wxpay.WithObserver(func(_ context.Context, o middleware.Observation) { observed <- o.Err })))
	ended := make(chan fleet.Result, 1)
	stop := start(t, &fleet.Worker{Queue: q, Marked: true, OnResult: func(r fleet.Result) { ended <- r }})
	var job fleet.Job
	for n, waits := 0, false; !waits; n++ { // on a slow machine its time is over before it comes to the limit
		job = feed(fmt.Sprint("F", n))
		job.Expires = time.Now().Add(time.Second << n)
		submit(t, q, job)
		select {
		case <-gate.waits:
			waits = true
		case <-ended:
		}
	}
	time.Sleep(time.Until(job.Expires) + time.Millisecond)
	close(gate.open)
	require.NoError(t, q.Idle(t.Context()))
	stop()
	for _, r := range results(t, q) {
		assert.Equal(t, fleet.Expired, r.State)
		assert.Zero(t, r.Attempts)
	}
	assert.Empty(t, s.Journal.All())
	assert.ErrorIs(t, <-observed, fleet.ErrKeptBack, "who watches is not told of a call without a response")
}

// gate is a limiter that lets requests through when it is opened.
type gate struct {
	once        sync.Once
	waits, open chan struct{}
}

func (g *gate) Acquire(ctx context.Context, _ middleware.LimitKey, _ fact.Rate) (func(), error) {
	g.once.Do(func() { close(g.waits) })
	select {
	case <-g.open:
		return nil, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// Nothing is begun after a pause, also not what was waiting for the limit.
func TestPausedWhileItWaits(t *testing.T) {
	t.Parallel()
	gate := &gate{waits: make(chan struct{}), open: make(chan struct{})}
	g := newGateway(t, wxpay.WithLimiter(fleet.Marking(gate)))
	q := newQueue(t, fleettest.Embedded(t), g.client)
	submit(t, q, feeds(16)...)
	stop := start(t, &fleet.Worker{Queue: q, Marked: true})
	<-gate.waits
	require.NoError(t, q.Pause(t.Context(), "for the night"))
	for range 40 { // the worker hears of it, also where the machine stands still for some of that
		time.Sleep(50 * time.Millisecond)
	}
	close(gate.open)
	stop()
	assert.Empty(t, g.Journal.All())
	assert.Equal(t, map[fleet.State]int{fleet.Waiting: 16}, states(results(t, q)))
	require.NoError(t, q.Resume(t.Context()))
	work(t, &fleet.Worker{Queue: q, Marked: true})
	assert.Equal(t, map[fleet.State]int{fleet.Succeeded: 16}, states(results(t, q)))
}
