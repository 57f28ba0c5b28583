package fleet_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/contrib/fleet"
	"github.com/wxpay-go/wxpay/contrib/fleet/internal/fleettest"
	"github.com/wxpay-go/wxpay/sandbox/fault"
)

// countedByRun requires that the counts of all runs are those of their records, and returns which of
// them were told without reading any.
func countedByRun(t *testing.T, q *fleet.Queue) (told map[string]bool) {
	t.Helper()
	counted(t, q)
	standing, err := q.Standing(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, standing.Runs)
	told = make(map[string]bool)
	for _, r := range standing.Runs {
		want, err := q.Summary(t.Context(), fleet.Filter{Run: r.ID})
		require.NoError(t, err)
		got, err := q.Counts(t.Context(), fleet.Filter{Run: r.ID})
		require.NoError(t, err)
		require.Equal(t, want, got, r.File)
		if list, ok := standing.ByRun[r.ID]; ok {
			told[r.File] = true
			require.Equal(t, want, list, r.File)
		}
	}
	return told
}

// The jobs of a run are counted as they change, as long as all of them are its own.
func TestCountsByRun(t *testing.T) {
	t.Parallel()
	dir, g := t.TempDir(), newGateway(t)
	open := func() (*fleet.Engine, *fleet.Queue) {
		e, err := fleet.Embedded(dir)
		require.NoError(t, err)
		return e, newQueue(t, e, g.client)
	}
	e, q := open()
	give := func(file string, jobs ...fleet.Job) (id string) {
		t.Helper()
		r := fleet.Run{File: file}
		_, err := q.Submit(t.Context(), list(jobs...), fleet.Intake{Run: &r})
		require.NoError(t, err)
		return r.ID
	}
	inject := func(kind fault.Kind, count int) {
		rule := fault.Rule{Kind: kind, Method: "POST", Path: "/" + feedsPath, Count: count}
		if kind == fault.ServerError {
			rule.Status, rule.Code = 400, "INVALID_REQUEST"
		}
		require.NoError(t, g.Faults.Inject(rule))
	}
	hold := &fleet.Worker{Queue: q, OnUnknown: wxpay.Hold}

	inject(fault.ServerError, 2)
	give("refused", feed("R1"), feed("R2"))
	give("none", fleet.Job{})
	work(t, hold)
	assert.Equal(t, map[string]bool{"refused": true, "none": true}, countedByRun(t, q))
	inject(fault.ResetAfter, 2)
	give("unknown", feed("U1"), feed("U2"))
	work(t, hold)
	require.NoError(t, q.Settle(t.Context(), fleet.Result{Method: "POST", Path: feedsPath, Number: "U1"}, fleet.Failed))
	_, err := q.Retry(t.Context(), fleet.Unknown)
	require.NoError(t, err)
	assert.Equal(t, map[string]bool{"refused": true, "none": true, "unknown": true}, countedByRun(t, q))
	give("corrected", altered(feed("R1"), "15_1200_2"), feed("C1"))
	again := give("again", feed("C1"), feed("U1"), feed("A1"))
	give("cancelled", points("card", "P1", 10), points("card", "P2", 20))
	assert.Equal(t, map[string]bool{"refused": true, "none": true, "unknown": true, "cancelled": true}, countedByRun(t, q))
	_, err = q.Cancel(t.Context())
	require.NoError(t, err)
	work(t, &fleet.Worker{Queue: q, OnUnknown: wxpay.Repeat})
	give("wanted again", feed("C1"))
	assert.Equal(t, map[string]bool{"refused": true, "none": true, "unknown": true, "cancelled": true}, countedByRun(t, q))
	_, err = q.Counts(t.Context(), fleet.Filter{Run: "no *"})
	require.ErrorIs(t, err, fleet.ErrNoRun)

	// Killed before it told the last.
	before := forget(t, e)
	work(t, &fleet.Worker{Queue: q, OnUnknown: wxpay.Repeat})
	give("after", feed("K1"))
	before()
	status, err := q.Status(t.Context())
	require.NoError(t, err)
	require.NotZero(t, status.Uncounted)
	require.NoError(t, e.Close())
	require.NoError(t, os.Remove(filepath.Join(dir, "manifest.json")))
	e, q = open()
	assert.Equal(t, map[string]bool{"refused": true, "none": true, "unknown": true, "cancelled": true, "after": true}, countedByRun(t, q))

	// A run of which jobs are forgotten, and one whose jobs stay because another one has them.
	work(t, &fleet.Worker{Queue: q})
	_, err = q.Purge(t.Context(), fleet.Purge{Run: again})
	require.NoError(t, err)
	countedByRun(t, q)
	give("a number comes back", feed("A1"))
	assert.True(t, countedByRun(t, q)["a number comes back"])
	_, err = q.Purge(t.Context(), fleet.Purge{Before: time.Now()})
	require.NoError(t, err)
	counted(t, q)
	require.NoError(t, e.Close())
}

// However many runs there are, the tally stays small: the oldest are counted by their records.
func TestCountsOfManyRuns(t *testing.T) {
	t.Parallel()
	q := newQueue(t, fleettest.Embedded(t), newGateway(t).client)
	for i := range 34 {
		_, err := q.Submit(t.Context(), list(feed(fmt.Sprintf("F%d", i))), fleet.Intake{Run: &fleet.Run{File: fmt.Sprint(i)}})
		require.NoError(t, err)
	}
	_, err := q.Cancel(t.Context())
	require.NoError(t, err)
	assert.Len(t, countedByRun(t, q), 32)
}
