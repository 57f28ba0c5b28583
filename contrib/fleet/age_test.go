package fleet_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/contrib/fleet"
	"github.com/wxpay-go/wxpay/contrib/fleet/internal/fleettest"
	"github.com/wxpay-go/wxpay/sandbox/fault"
)

// recordAge is after how long records are given up.
const recordAge = 200 * time.Millisecond

// forgetful is a queue that knows that its records are given up. They are only when giveUpAfter is
// called again, not while a slow machine works on them.
func forgetful(t testing.TB, e *fleet.Engine, client *wxpay.Client) *fleet.Queue {
	t.Helper()
	newQueue(t, e, client)
	giveUpAfter(t, e, recordAge)
	q := newQueue(t, e, client)
	giveUpAfter(t, e, 0)
	return q
}

// giveUpAfter sets for how long records are kept, 0 for good.
func giveUpAfter(t testing.TB, e *fleet.Engine, age time.Duration) {
	t.Helper()
	records, err := e.JetStream().Stream(t.Context(), "wxpay-records")
	require.NoError(t, err)
	config := records.CachedInfo().Config
	config.MaxAge, config.Duplicates = age, recordAge
	_, err = e.JetStream().UpdateStream(t.Context(), config)
	require.NoError(t, err)
}

// A job whose record was given up for its age is in doubt, unless nobody can have begun it.
func TestRecordsGivenUp(t *testing.T) {
	t.Parallel()
	hold := func(q *fleet.Queue) *fleet.Worker { return &fleet.Worker{Queue: q, OnUnknown: wxpay.Hold} }
	forget := func(t *testing.T, q *fleet.Queue, e *fleet.Engine) {
		t.Helper()
		giveUpAfter(t, e, recordAge)
		require.Eventually(t, func() bool { return len(results(t, q)) == 0 }, time.Minute, recordAge)
		giveUpAfter(t, e, 0) // or the next record goes while it is looked at
	}
	t.Run("an unknown one", func(t *testing.T) {
		t.Parallel()
		g := newGateway(t)
		e := fleettest.Embedded(t)
		q := forgetful(t, e, g.client)
		require.NoError(t, g.Faults.Inject(fault.Rule{Kind: fault.ResetAfter, Count: 1}))
		submit(t, q, feed("F1"))
		work(t, hold(q))
		forget(t, q, e)
		n, err := q.Retry(t.Context())
		require.NoError(t, err)
		assert.Equal(t, 1, n)
		work(t, &fleet.Worker{Queue: q}) // it is still known that it was held
		assert.Equal(t, map[fleet.State]int{fleet.Unknown: 1}, states(results(t, q)))
		assert.Equal(t, map[string]int{"F1": 1}, shown(g.Sandbox))
	})
	t.Run("one that was begun, and is submitted again", func(t *testing.T) {
		t.Parallel()
		g := newGateway(t)
		e := fleettest.Embedded(t)
		died := &stuck{next: g.Transport(), reached: make(chan struct{})}
		q := forgetful(t, e, clientOf(t, g.Sandbox, died))
		job := cancel("plfk2020042013")
		submit(t, q, job)
		stop := start(t, &fleet.Worker{Queue: q, OnUnknown: wxpay.Hold, Grace: time.Millisecond})
		<-died.reached
		stop()
		require.NoError(t, q.Pause(t.Context(), "for the night"))
		forget(t, q, e)
		submit(t, q, job)
		require.NoError(t, q.Resume(t.Context()))
		next := newQueue(t, e, g.client)
		work(t, hold(next))
		assert.Equal(t, map[fleet.State]int{fleet.Unknown: 1}, states(results(t, next)))
		assert.Len(t, g.Journal.All(), 1)
	})
	t.Run("an unknown one that holds up others", func(t *testing.T) {
		t.Parallel()
		g := newGateway(t)
		e := fleettest.Embedded(t)
		q := forgetful(t, e, g.client)
		require.NoError(t, g.Faults.Inject(fault.Rule{Kind: fault.ResetAfter, Count: 1}))
		submit(t, q, ordered("F1", "card"), ordered("F2", "card"))
		work(t, hold(q))
		forget(t, q, e)
		work(t, hold(q)) // its lane is awake again
		assert.Equal(t, fleet.Unknown, results(t, q)["F1"].State)
		assert.Equal(t, map[string]int{"F1": 1}, shown(g.Sandbox))
	})
	t.Run("one that was begun", func(t *testing.T) {
		t.Parallel()
		g := newGateway(t)
		e := fleettest.Embedded(t)
		died := &stuck{next: g.Transport(), reached: make(chan struct{})}
		q := forgetful(t, e, clientOf(t, g.Sandbox, died))
		submit(t, q, feed("F1"))
		stop := start(t, &fleet.Worker{Queue: q, OnUnknown: wxpay.Hold, Grace: time.Millisecond})
		<-died.reached
		stop()
		require.NoError(t, q.Pause(t.Context(), "for the night"))
		forget(t, q, e)
		require.NoError(t, q.Resume(t.Context()))
		next := newQueue(t, e, g.client)
		work(t, hold(next))
		assert.Equal(t, map[fleet.State]int{fleet.Unknown: 1}, states(results(t, next)))
		assert.Equal(t, map[string]int{"F1": 1}, shown(g.Sandbox))
	})
	t.Run("ones that only waited", func(t *testing.T) {
		t.Parallel()
		g := newGateway(t)
		e, err := fleet.Connect(context.Background(), fleettest.Standalone(t).ClientURL())
		require.NoError(t, err)
		defer e.Close()
		q := forgetful(t, e, g.client)
		submit(t, q, cancel("plfk2020042013"), cancel("plfk2020042014"), ordered("F1", "card"), ordered("F2", "card"), ordered("F3", "card"))
		forget(t, q, e)
		work(t, hold(q))
		all := results(t, q)
		assert.Equal(t, 1, all["plfk2020042013"].Attempts, "it was sent")
		assert.Equal(t, 1, all["plfk2020042014"].Attempts)
		assert.Equal(t, fleet.Unknown, all["F1"].State, "the first of an order may have been in somebody's hands")
		assert.Empty(t, shown(g.Sandbox))
		require.NoError(t, q.Settle(t.Context(), all["F1"], fleet.Failed))
		work(t, hold(q))
		assert.Equal(t, map[string]int{"F2": 1, "F3": 1}, shown(g.Sandbox))
	})
}
