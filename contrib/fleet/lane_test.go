package fleet_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/contrib/fleet"
	"github.com/wxpay-go/wxpay/contrib/fleet/internal/fleettest"
	"github.com/wxpay-go/wxpay/sandbox/fault"
)

// busy keeps the workers of a queue from being idle until it is stopped.
func busy(t testing.TB, q *fleet.Queue) (stop func()) {
	t.Helper()
	ended, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for i := 0; ; i++ {
			select {
			case <-ended:
				return
			case <-time.After(30 * time.Millisecond):
				_, err := q.Submit(t.Context(), list(feed(fmt.Sprintf("BUSY%06d", i))), fleet.Intake{})
				assert.NoError(t, err)
			}
		}
	}()
	return func() { close(ended); <-stopped }
}

func ordered(number, order string) fleet.Job {
	j := feed(number)
	j.Order = order
	return j
}

// A job that joins a lane of a cluster just as its token is taken off the queue gets a token of its own.
func TestJoiningALane(t *testing.T) {
	t.Parallel()
	c := fleettest.NewCluster(t, false)
	e := c.Connect(t)
	g := newGateway(t)
	var q *fleet.Queue
	fleettest.Eventually(t, func(ctx context.Context) (err error) {
		q, err = fleet.OpenQueue(ctx, e, fleet.QueueConfig{Client: g.client, Keys: testKeys(t, "a"), Lease: 5 * time.Second})
		return err
	})
	c.Healthy(t, e)
	tries := 0
	for range 200 {
		var stands error
		fleettest.Eventually(t, func(context.Context) error { // a busy cluster may lose a response
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			tries++
			card := fmt.Sprint("card", tries)
			err := fleet.JoinLate(ctx, q, card, func() error {
				_, err := q.Submit(ctx, list(ordered(fmt.Sprint("L", tries), card)), fleet.Intake{})
				return err
			})
			if errors.Is(err, fleet.ErrStands) {
				stands = err
				return nil
			}
			return err
		})
		require.NoError(t, stands)
	}
}

// A lane whose worker died between taking its token and looking again is found while the queue is busy.
func TestSweep(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	e := fleettest.Embedded(t)
	q := newQueue(t, e, g.client, shortLease)
	submit(t, q, ordered("L1", "a"), ordered("L2", "a"), ordered("L3", "b"))
	jobs, err := e.JetStream().Stream(t.Context(), "wxpay-jobs")
	require.NoError(t, err)
	require.NoError(t, jobs.Purge(t.Context(), jetstream.WithPurgeSubject("wxpay.job.lane.>")))
	defer busy(t, q)()
	defer start(t, &fleet.Worker{Queue: q}, &fleet.Worker{Queue: q})()
	assert.Eventually(t, func() bool {
		s := shown(g.Sandbox)
		return s["L1"] == 1 && s["L2"] == 1 && s["L3"] == 1
	}, time.Minute, 20*time.Millisecond)
}

// A lane goes on after its head was settled, however soon that is.
func TestSettleAtOnce(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	q := newQueue(t, fleettest.Embedded(t), g.client, func(q *fleet.QueueConfig) { q.Lease = 5 * time.Minute })
	require.NoError(t, g.Faults.Inject(fault.Rule{Kind: fault.ResetAfter, Count: 1}))
	submit(t, q, ordered("F1", "card"), ordered("F2", "card"))
	defer start(t, &fleet.Worker{Queue: q, OnUnknown: wxpay.Hold, OnResult: func(r fleet.Result) {
		if r.State == fleet.Unknown {
			assert.NoError(t, q.Settle(t.Context(), r, fleet.Succeeded))
			assert.NoError(t, q.Settle(t.Context(), r, fleet.Succeeded), "once more changes nothing")
			assert.ErrorIs(t, q.Settle(t.Context(), r, fleet.Failed), fleet.ErrMoved)
		}
	}})()
	defer busy(t, q)()
	assert.Eventually(t, func() bool { return shown(g.Sandbox)["F2"] == 1 }, time.Minute, 20*time.Millisecond)
}

// Orders that stand still are listed with what holds them up.
func TestUnsettled(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	q := newQueue(t, fleettest.Embedded(t), g.client)
	u, err := q.Unsettled(t.Context())
	require.NoError(t, err)
	assert.Zero(t, u)
	require.NoError(t, g.Faults.Inject(fault.Rule{Kind: fault.ResetAfter, Count: 3}))
	submit(t, q, ordered("A1", "a"), ordered("A2", "a"), ordered("A3", "a"))
	hold := &fleet.Worker{Queue: q, OnUnknown: wxpay.Hold, Calls: 1}
	work(t, hold)
	submit(t, q, ordered("B1", "b"))
	work(t, hold)
	submit(t, q, feed("C1"), ordered("D1", "d"))
	work(t, hold)
	u, err = q.Unsettled(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 3, u.Unknown)
	require.Len(t, u.Blocked, 2)
	for i, want := range []struct {
		number string
		behind int
	}{{"A1", 2}, {"B1", 0}} {
		assert.Equal(t, want.number, u.Blocked[i].Head.Number)
		assert.Equal(t, want.behind, u.Blocked[i].Behind)
		assert.NotZero(t, u.Blocked[i].Head.Ended)
	}
	require.NoError(t, q.Settle(t.Context(), u.Blocked[0].Head, fleet.Succeeded))
	work(t, hold)
	u, err = q.Unsettled(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 2, u.Unknown)
	assert.Len(t, u.Blocked, 1)
}

// A job that is retried as soon as it has ended is queued, not lost.
func TestRetryAtOnce(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	q := newQueue(t, fleettest.Embedded(t), g.client, func(q *fleet.QueueConfig) { q.Lease = 5 * time.Minute })
	require.NoError(t, g.Faults.Inject(fault.Rule{Kind: fault.ServerError, Path: "/" + feedsPath, Status: 400, Code: "INVALID_REQUEST", Count: 20}))
	submit(t, q, feeds(20)...)
	stop := start(t, &fleet.Worker{Queue: q, OnResult: func(r fleet.Result) {
		if r.State == fleet.Refused {
			_, err := q.Retry(t.Context(), fleet.Refused)
			assert.NoError(t, err)
		}
	}})
	awaitStates(t, q, map[fleet.State]int{fleet.Succeeded: 20}) // the queue may be empty before the last retry
	require.NoError(t, q.Idle(t.Context()))
	stop()
	assert.Equal(t, map[fleet.State]int{fleet.Succeeded: 20}, states(results(t, q)))
	status, err := q.Status(t.Context())
	require.NoError(t, err)
	assert.Zero(t, status.Dead)
}
