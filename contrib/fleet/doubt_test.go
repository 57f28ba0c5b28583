package fleet_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/contrib/fleet"
	"github.com/wxpay-go/wxpay/contrib/fleet/internal/fleettest"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/sandbox/fault"
)

// What a worker was told not to send again no later one sends again, unless it is told to; and what
// the platform said of it stays.
func TestHeldStaysHeld(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	q := newQueue(t, fleettest.Embedded(t), g.client)
	require.NoError(t, g.Faults.Inject(fault.Rule{Kind: fault.ServerError, Path: "/" + feedsPath, Status: 500, Code: "SYSTEM_ERROR", Count: 1}))
	submit(t, q, feed("F1"))
	work(t, &fleet.Worker{Queue: q, OnUnknown: wxpay.Hold})
	first := results(t, q)["F1"]
	require.Equal(t, fleet.Unknown, first.State)
	require.NotEmpty(t, first.RequestID)
	for range 2 {
		n, err := q.Retry(t.Context())
		require.NoError(t, err)
		require.Equal(t, 1, n)
		work(t, &fleet.Worker{Queue: q})
		again := results(t, q)["F1"]
		assert.Equal(t, fleet.Unknown, again.State)
		assert.Equal(t, []any{first.Status, first.Code, first.RequestID}, []any{again.Status, again.Code, again.RequestID})
	}
	assert.Equal(t, 1, count(g, http.MethodPost))
	_, err := q.Retry(t.Context())
	require.NoError(t, err)
	work(t, &fleet.Worker{Queue: q, OnUnknown: wxpay.Repeat})
	assert.Equal(t, fleet.Succeeded, results(t, q)["F1"].State)
	assert.Empty(t, results(t, q)["F1"].Code)
}

// What nobody knows is told as that, and is resolved by the query, not by sending again.
func TestUnknownIsResolved(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	_, err := g.Users.AddPaidOrder("ORDER1", 100)
	require.NoError(t, err)
	q := newQueue(t, fleettest.Embedded(t), g.client)
	// The response is lost, and for a while no query finds anything either.
	require.NoError(t, g.Faults.Inject(
		fault.Rule{Kind: fault.ResetAfter, Method: "POST", Count: 1}, fault.Rule{Kind: fault.ServerError, Method: "GET"}))
	submit(t, q, refund("ORDER1", "REFUND1"))
	work(t, &fleet.Worker{Queue: q, Patience: 5 * time.Second}) // long enough for a slow machine to send it
	all := results(t, q)
	assert.Equal(t, map[fleet.State]int{fleet.Unknown: 1}, states(all))
	assert.NotEmpty(t, all["REFUND1"].Message)

	g.Faults.Clear()
	posts := count(g, http.MethodPost)
	n, err := q.Retry(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 1, n)
	work(t, &fleet.Worker{Queue: q, Select: []string{"refund_id"}})
	all = results(t, q)
	assert.True(t, all["REFUND1"].State == fleet.Succeeded || all["REFUND1"].State == fleet.Accepted, all["REFUND1"].State)
	assert.Contains(t, all["REFUND1"].Selected, "refund_id")
	assert.Equal(t, posts, count(g, http.MethodPost), "it was not sent again")
	assert.Len(t, g.Ledger.Effects(sandbox.RefundEffect), 1)
}

func count(g gateway, method string) (n int) {
	for _, e := range g.Journal.All() {
		if e.Method == method {
			n++
		}
	}
	return n
}

// A worker that dies between sending and storing leaves a job whose next worker does not know
// whether it was sent. Each row says what comes of it.
func TestDeathAfterSending(t *testing.T) {
	t.Parallel()
	type row struct {
		name    string
		job     fleet.Job
		policy  wxpay.UnknownPolicy
		feed    sandbox.RepeatedFeed
		state   fleet.State
		effects int
		kind    sandbox.EffectKind
		posts   int
	}
	for _, c := range []row{
		{"a feed, repeats are the same", feed("F1"), 0, sandbox.RepeatSame, fleet.Succeeded, 1, sandbox.FeedEffect, 2},
		{"a feed, repeats are refused", feed("F1"), 0, sandbox.RepeatExists, fleet.Succeeded, 1, sandbox.FeedEffect, 2},
		{"a feed, repeats show twice: at least once", feed("F1"), 0, sandbox.RepeatDuplicate, fleet.Succeeded, 2, sandbox.FeedEffect, 2},
		{"a feed, held: at most once", feed("F1"), wxpay.Hold, sandbox.RepeatDuplicate, fleet.Unknown, 1, sandbox.FeedEffect, 1},
		{"a refund is asked for", refund("ORDER1", "REFUND1"), 0, 0, "", 1, sandbox.RefundEffect, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t)
			_, err := g.Users.AddPaidOrder("ORDER1", 100)
			require.NoError(t, err)
			g.OnRepeatedFeed(c.feed)
			// The first worker never comes back from its call: the sandbox has carried it out, and
			// the response waits.
			died := &stuck{next: g.Transport(), reached: make(chan struct{})}
			e := fleettest.Embedded(t)
			first := newQueue(t, e, clientOf(t, g.Sandbox, died))
			submit(t, first, c.job)
			ctx, kill := context.WithCancel(t.Context())
			gone := make(chan struct{})
			go func() {
				defer close(gone)
				_ = (&fleet.Worker{Queue: first, Grace: time.Millisecond}).Run(ctx)
			}()
			<-died.reached
			kill()
			<-gone

			second := newQueue(t, e, g.client)
			work(t, &fleet.Worker{Queue: second, OnUnknown: c.policy})
			all := results(t, second)
			require.Len(t, all, 1)
			for _, r := range all {
				if c.state == "" {
					assert.True(t, r.State == fleet.Succeeded || r.State == fleet.Accepted, r.State)
				} else {
					assert.Equal(t, c.state, r.State)
				}
				assert.GreaterOrEqual(t, r.Deliveries, 2, "each step is one")
			}
			assert.Len(t, g.Ledger.Effects(c.kind), c.effects)
			assert.Equal(t, c.posts, count(g, http.MethodPost))
		})
	}
}

// Somebody who knows what became of an unknown one says so, and what stands behind it goes on.
func TestSettle(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	q := newQueue(t, fleettest.Embedded(t), g.client)
	require.NoError(t, g.Faults.Inject(fault.Rule{Kind: fault.ResetAfter, Count: 2}))
	submit(t, q, points("a", "A1", 1))
	work(t, &fleet.Worker{Queue: q, OnUnknown: wxpay.Hold})
	submit(t, q, points("a", "A2", 2), feed("F1"))
	work(t, &fleet.Worker{Queue: q, OnUnknown: wxpay.Hold})
	all := results(t, q)
	require.Equal(t, map[fleet.State]int{fleet.Unknown: 2, fleet.Waiting: 1}, states(all))

	require.ErrorContains(t, q.Settle(t.Context(), all["F1"], fleet.Refused), "only as succeeded or failed")
	require.ErrorIs(t, q.Settle(t.Context(), all["A2"], fleet.Failed), fleet.ErrMoved)
	require.ErrorIs(t, q.Settle(t.Context(), fleet.Result{Number: "nobody's"}, fleet.Failed), fleet.ErrMoved)
	require.NoError(t, q.Settle(t.Context(), all["F1"], fleet.Failed))
	require.NoError(t, q.Settle(t.Context(), all["A1"], fleet.Succeeded))
	require.ErrorIs(t, q.Settle(t.Context(), all["A1"], fleet.Failed), fleet.ErrMoved)
	sent := count(g, http.MethodPost)
	work(t, &fleet.Worker{Queue: q})
	all = results(t, q)
	assert.Equal(t, fleet.Failed, all["F1"].State)
	assert.True(t, all["F1"].Settled)
	assert.Equal(t, fleet.Succeeded, all["A1"].State)
	assert.Equal(t, fleet.Succeeded, all["A2"].State)
	assert.False(t, all["A2"].Settled)
	assert.Equal(t, sent+1, count(g, http.MethodPost), "only what stood behind is sent")
	n, err := q.Retry(t.Context())
	require.NoError(t, err)
	assert.Zero(t, n)
	status, err := q.Status(t.Context())
	require.NoError(t, err)
	assert.Zero(t, status.Dead)
	assert.Zero(t, status.Queued)
}

// Jobs that a dead worker left in doubt say nothing about whether the platform answers now.
func TestHeldDoubtsPauseNothing(t *testing.T) {
	t.Parallel()
	const n = 25
	g := newGateway(t)
	e := fleettest.Embedded(t)
	all := &sink{reached: make(chan struct{}, n)}
	first := newQueue(t, e, clientOf(t, g.Sandbox, all))
	submit(t, first, feeds(n)...)
	ctx, kill := context.WithCancel(t.Context())
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		_ = (&fleet.Worker{Queue: first, Calls: n, Grace: time.Millisecond}).Run(ctx)
	}()
	for range n {
		<-all.reached
	}
	kill()
	<-gone
	second := newQueue(t, e, g.client)
	work(t, &fleet.Worker{Queue: second, OnUnknown: wxpay.Hold})
	assert.Equal(t, map[fleet.State]int{fleet.Unknown: n}, states(results(t, second)))
	paused, err := second.Paused(t.Context())
	require.NoError(t, err)
	assert.Nil(t, paused)
	assert.Empty(t, g.Journal.All())
}
