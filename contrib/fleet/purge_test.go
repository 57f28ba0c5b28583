package fleet_test

import (
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

// listed submits a list and returns its run.
func listed(t *testing.T, q *fleet.Queue, jobs ...fleet.Job) string {
	t.Helper()
	var run fleet.Run
	count, err := q.Submit(t.Context(), list(jobs...), fleet.Intake{Run: &run})
	require.NoError(t, err)
	require.Zero(t, count.Rejected)
	return run.ID
}

// runsOf returns the IDs of the runs that a queue knows.
func runsOf(t *testing.T, q *fleet.Queue) (ids []string) {
	t.Helper()
	runs, err := q.Runs(t.Context())
	require.NoError(t, err)
	for _, r := range runs {
		ids = append(ids, r.ID)
	}
	return ids
}

// What is forgotten is new to the queue; what has not ended, is of unknown outcome, or belongs to
// another list, stays.
func TestPurge(t *testing.T) {
	t.Parallel()
	dir, g := t.TempDir(), newGateway(t)
	e, err := fleet.Embedded(dir)
	require.NoError(t, err)
	q := newQueue(t, e, g.client)
	all := feeds(8)
	require.NoError(t, g.Faults.Inject(
		fault.Rule{Kind: fault.ServerError, Path: "/" + feedsPath, Status: 400, Code: "INVALID_REQUEST", Count: 1},
		fault.Rule{Kind: fault.ResetAfter, Path: "/" + feedsPath, Skip: 1, Count: 1},
	))
	first := listed(t, q, all[:6]...)
	work(t, &fleet.Worker{Queue: q, Calls: 1, OnUnknown: wxpay.Hold})
	require.Equal(t, map[fleet.State]int{fleet.Refused: 1, fleet.Unknown: 1, fleet.Succeeded: 4}, states(results(t, q)))
	between := time.Now()
	second := listed(t, q, all[5:7]...)
	work(t, &fleet.Worker{Queue: q})
	third := listed(t, q, all[7])
	before := results(t, q)

	want := fleet.Purged{
		Forgotten:  []fleet.Forgotten{{Method: "POST", Path: feedsPath, State: fleet.Refused, Jobs: 1}, {Method: "POST", Path: feedsPath, State: fleet.Succeeded, Jobs: 3}},
		Unfinished: 1, Shared: 1,
	}
	for name, p := range map[string]fleet.Purge{
		"a run":         {Run: first},
		"all before":    {Before: between},
		"a waiting one": {Run: third},
	} {
		p.Dry = true
		got, err := q.Purge(t.Context(), p)
		require.NoError(t, err)
		if p.Run == third {
			assert.Equal(t, fleet.Purged{Unfinished: 1}, got, name)
		} else {
			assert.Equal(t, want, got, name)
		}
	}
	assert.Equal(t, before, results(t, q), "nothing is forgotten by looking")

	got, err := q.Purge(t.Context(), fleet.Purge{Before: between})
	require.NoError(t, err)
	assert.Equal(t, want, got)
	assert.Equal(t, map[fleet.State]int{fleet.Unknown: 1, fleet.Succeeded: 2, fleet.Waiting: 1}, counted(t, q))
	assert.Equal(t, []string{third, second, first}, runsOf(t, q), "one of its jobs is of unknown outcome")
	summary, err := q.Summary(t.Context(), fleet.Filter{Run: second})
	require.NoError(t, err)
	assert.Equal(t, []fleet.Count{{State: fleet.Succeeded, Jobs: 2}}, summary)
	n, err := q.Retry(t.Context(), fleet.Refused)
	require.NoError(t, err)
	assert.Zero(t, n, "no retry brings back what is forgotten")

	for number, r := range results(t, q) {
		if r.State == fleet.Unknown {
			require.NoError(t, q.Settle(t.Context(), r, fleet.Succeeded), number)
		}
	}
	got, err = q.Purge(t.Context(), fleet.Purge{Run: first})
	require.NoError(t, err)
	assert.Equal(t, fleet.Purged{Forgotten: []fleet.Forgotten{{Method: "POST", Path: feedsPath, State: fleet.Succeeded, Jobs: 1}}, Runs: 1, Shared: 1}, got)
	assert.Equal(t, []string{third, second}, runsOf(t, q))
	_, err = q.Purge(t.Context(), fleet.Purge{Run: first})
	require.ErrorIs(t, err, fleet.ErrNoRun)

	count, err := q.Submit(t.Context(), list(all...), fleet.Intake{})
	require.NoError(t, err)
	assert.Equal(t, fleet.Submission{Queued: 5, Again: 1, Ended: 2}, count)
	work(t, &fleet.Worker{Queue: q})
	assert.Equal(t, map[fleet.State]int{fleet.Succeeded: 8}, states(results(t, q)))

	require.NoError(t, e.Close())
	require.NoError(t, os.Remove(filepath.Join(dir, "manifest.json"))) // as after kill -9
	e, err = fleet.Embedded(dir)
	require.NoError(t, err)
	defer func() { assert.NoError(t, e.Close()) }()
	paused, err := newQueue(t, e, g.client).Paused(t.Context())
	require.NoError(t, err)
	assert.Nil(t, paused, "what was forgotten is not missed")
}

// A purge that names nothing, or both, forgets nothing.
func TestPurgeOfNothing(t *testing.T) {
	t.Parallel()
	q := newQueue(t, fleettest.Embedded(t), newGateway(t).client)
	for name, p := range map[string]fleet.Purge{
		"neither": {},
		"both":    {Run: "20260101-000000-aaaa", Before: time.Now()},
	} {
		_, err := q.Purge(t.Context(), p)
		assert.ErrorContains(t, err, "either a run or a time", name)
	}
	got, err := q.Purge(t.Context(), fleet.Purge{Before: time.Now()})
	require.NoError(t, err)
	assert.Zero(t, got)
}
