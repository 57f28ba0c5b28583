package fleet_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/contrib/fleet"
	"github.com/wxpay-go/wxpay/contrib/fleet/internal/fleettest"
	"github.com/wxpay-go/wxpay/sandbox/fault"
)

// A key is replaced for good: when Reseal is done the old one can be thrown away.
func TestReseal(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	e := fleettest.Embedded(t)
	under := func(letters string) *fleet.Queue {
		return newQueue(t, e, g.client, func(c *fleet.QueueConfig) { c.Keys = testKeys(t, letters) })
	}
	reseal := func(letters string) fleet.Resealed {
		t.Helper()
		q, err := fleet.OpenQueue(t.Context(), e, fleet.QueueConfig{Keys: testKeys(t, letters)})
		require.NoError(t, err)
		done, err := q.Reseal(t.Context())
		require.NoError(t, err)
		return done
	}
	old := under("a")
	require.NoError(t, g.Faults.Inject(
		fault.Rule{Kind: fault.ServerError, Path: "/" + feedsPath, Status: 400, Code: "INVALID_REQUEST", Count: 1},
		fault.Rule{Kind: fault.ResetAfter, Path: "/" + feedsPath, Skip: 1, Count: 1},
		fault.Rule{Kind: fault.ResetAfter, Path: "/" + pointsPath, Count: 1},
	))
	submit(t, old, append(feeds(4), points("4785", "P1", 10), points("4785", "P2", 20))...)
	stop := start(t, &fleet.Worker{Queue: old, Calls: 1, OnUnknown: wxpay.Hold})
	awaitStates(t, old, map[fleet.State]int{fleet.Refused: 1, fleet.Unknown: 2, fleet.Succeeded: 2, fleet.Waiting: 1})
	stop()
	require.NoError(t, old.Pause(t.Context(), "by a test"))
	submit(t, old, feed("waits"))

	assert.Equal(t, fleet.Resealed{Records: 5, Kept: 2, Settings: 4, Left: 2}, reseal("ba"), "settings, pause and two runs; the lane's second job and the new one")
	assert.Equal(t, fleet.Resealed{Left: 2}, reseal("ba"), "nothing is sealed anew twice")
	assert.Equal(t, map[fleet.State]int{fleet.Refused: 1, fleet.Unknown: 2, fleet.Succeeded: 2, fleet.Waiting: 2}, counted(t, old))

	both := under("ba")
	require.NoError(t, both.Resume(t.Context()))
	for _, r := range results(t, both) {
		if r.State == fleet.Unknown && r.Order != "" {
			require.NoError(t, both.Settle(t.Context(), r, fleet.Succeeded))
		}
	}
	work(t, &fleet.Worker{Queue: both})
	done := reseal("ba")
	assert.True(t, done.Done(), done)
	assert.Equal(t, fleet.Resealed{}, done, "what a worker ends is sealed under its first key")

	last := under("b")
	all := results(t, last)
	assert.Equal(t, map[fleet.State]int{fleet.Refused: 1, fleet.Unknown: 1, fleet.Succeeded: 5}, states(all))
	runs, err := last.Runs(t.Context())
	require.NoError(t, err)
	assert.Len(t, runs, 2)
	n, err := last.Retry(t.Context(), fleet.Refused, fleet.Unknown)
	require.NoError(t, err)
	assert.Equal(t, 2, n)
	work(t, &fleet.Worker{Queue: last})
	assert.Equal(t, map[fleet.State]int{fleet.Succeeded: 6, fleet.Unknown: 1}, states(results(t, last)), "what is kept for a retry can be read")
	count, err := last.Submit(t.Context(), list(feeds(4)...), fleet.Intake{})
	require.NoError(t, err)
	assert.Equal(t, fleet.Submission{Ended: 4}, count, "numbers are known as before")
}

// A worker that still seals under the old key is told.
func TestResealTellsWhoIsBehind(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	e := fleettest.Embedded(t)
	q := newQueue(t, e, g.client)
	stop := start(t, &fleet.Worker{Queue: q, Name: "late"})
	defer stop()
	require.Eventually(t, func() bool {
		status, err := q.Status(t.Context())
		return err == nil && len(status.Workers) == 1
	}, 30*time.Second, 10*time.Millisecond)
	both, err := fleet.OpenQueue(t.Context(), e, fleet.QueueConfig{Keys: testKeys(t, "ba")})
	require.NoError(t, err)
	done, err := both.Reseal(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{"late"}, done.Behind)
	assert.False(t, done.Done())
}

// What no key of the operator's opens ends it, and changes nothing of that.
func TestResealWithoutTheKey(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	e := fleettest.Embedded(t)
	q := newQueue(t, e, g.client)
	submit(t, q, feed("F1"))
	work(t, &fleet.Worker{Queue: q})
	newQueue(t, e, g.client, func(c *fleet.QueueConfig) { c.Keys = testKeys(t, "ba") }) // which moves the settings
	lacking, err := fleet.OpenQueue(t.Context(), e, fleet.QueueConfig{Keys: testKeys(t, "b")})
	require.NoError(t, err)
	_, err = lacking.Reseal(t.Context())
	require.ErrorIs(t, err, fleet.ErrSealed)
	assert.Equal(t, map[fleet.State]int{fleet.Succeeded: 1}, states(results(t, q)))
}
