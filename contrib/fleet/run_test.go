package fleet_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/contrib/fleet"
	"github.com/wxpay-go/wxpay/contrib/fleet/internal/fleettest"
	"github.com/wxpay-go/wxpay/sandbox/fault"
)

// Every submission is a run, to which all jobs belong that were given to it, also those of before.
func TestRuns(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	q := newQueue(t, fleettest.Embedded(t), g.client)
	require.NoError(t, g.Faults.Inject(fault.Rule{Kind: fault.ServerError, Path: "/" + feedsPath, Status: 400, Code: "INVALID_REQUEST", Count: 1}))
	first := fleet.Run{File: "first.csv", Hash: "a"}
	_, err := q.Submit(t.Context(), list(feed("refused")), fleet.Intake{Run: &first})
	require.NoError(t, err)
	work(t, &fleet.Worker{Queue: q})
	before, err := q.Status(t.Context())
	require.NoError(t, err)
	all := feeds(5000)
	second := fleet.Run{File: "second.csv"}
	count, err := q.Submit(t.Context(), list(all[:4500]...), fleet.Intake{Run: &second})
	require.NoError(t, err)
	third := fleet.Run{File: "third.csv"}
	_, err = q.Submit(t.Context(), list(append(all[4490:], fleet.Job{})...), fleet.Intake{Run: &third})
	require.NoError(t, err)

	runs, err := q.Runs(t.Context())
	require.NoError(t, err)
	require.Len(t, runs, 3)
	assert.Equal(t, []string{"third.csv", "second.csv", "first.csv"}, []string{runs[0].File, runs[1].File, runs[2].File})
	assert.Equal(t, fleet.Submission{Queued: 500, Again: 10, Rejected: 1}, runs[0].Count)
	assert.Equal(t, count, runs[1].Count)
	assert.Equal(t, "a", runs[2].Hash)
	for _, r := range runs {
		assert.True(t, r.Complete)
		assert.Regexp(t, `^\d{8}-\d{6}-[a-z2-7]{8}$`, r.ID, "by chance, two runs of a second had the same four")
		assert.NotEmpty(t, r.By)
	}
	for name, tt := range map[string]struct {
		only fleet.Filter
		want []fleet.Count
	}{
		"all":            {fleet.Filter{}, []fleet.Count{{fleet.Refused, "INVALID_REQUEST", 1}, {fleet.Waiting, "", 5000}}},
		"the first":      {fleet.Filter{Run: first.ID}, []fleet.Count{{fleet.Refused, "INVALID_REQUEST", 1}}},
		"the second":     {fleet.Filter{Run: second.ID}, []fleet.Count{{fleet.Waiting, "", 4500}}},
		"the third":      {fleet.Filter{Run: third.ID}, []fleet.Count{{fleet.Waiting, "", 510}}},
		"since the work": {fleet.Filter{After: before.Position}, []fleet.Count{{fleet.Waiting, "", 5000}}},
		"a state":        {fleet.Filter{Run: second.ID, States: []fleet.State{fleet.Refused}}, []fleet.Count{}},
	} {
		summary, err := q.Summary(t.Context(), tt.only)
		require.NoError(t, err)
		assert.Equal(t, tt.want, summary, name)
		n := 0
		for _, err := range q.Results(t.Context(), tt.only) {
			require.NoError(t, err)
			n++
		}
		for _, c := range tt.want {
			n -= c.Jobs
		}
		assert.Zero(t, n, name)
	}
	_, err = q.Summary(t.Context(), fleet.Filter{Run: "none"})
	require.ErrorIs(t, err, fleet.ErrNoRun)
	for _, err := range q.Results(t.Context(), fleet.Filter{Run: "no *"}) {
		require.ErrorIs(t, err, fleet.ErrNoRun)
	}
}

// What a submission that breaks off has queued belongs to its run.
func TestRunThatBreaksOff(t *testing.T) {
	t.Parallel()
	q := newQueue(t, fleettest.Embedded(t), newGateway(t).client)
	var run fleet.Run
	count, err := q.Submit(t.Context(), func(yield func(fleet.Job, error) bool) {
		for _, job := range feeds(200) {
			if !yield(job, nil) {
				return
			}
		}
		yield(fleet.Job{}, assert.AnError)
	}, fleet.Intake{Run: &run})
	require.ErrorIs(t, err, assert.AnError)
	runs, err := q.Runs(t.Context())
	require.NoError(t, err)
	require.Len(t, runs, 1)
	assert.False(t, runs[0].Complete)
	summary, err := q.Summary(t.Context(), fleet.Filter{Run: run.ID})
	require.NoError(t, err)
	counted := 0
	for _, c := range summary {
		counted += c.Jobs
	}
	assert.Equal(t, count.Queued, counted)
}
