package fleet_test

import (
	"os"
	"path/filepath"
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

// counted requires that nothing is missing from the counts of a queue, which are those of its
// records, and returns them by state.
func counted(t testing.TB, q *fleet.Queue) map[fleet.State]int {
	t.Helper()
	status, err := q.Status(t.Context())
	require.NoError(t, err)
	require.Zero(t, status.Uncounted)
	summary, err := q.Summary(t.Context(), fleet.Filter{})
	require.NoError(t, err)
	require.Equal(t, summary, status.Jobs)
	states := make(map[fleet.State]int)
	for _, c := range summary {
		states[c.State] += c.Jobs
	}
	return states
}

// Whatever changes a record is counted, once.
func TestCounts(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	q := newQueue(t, fleettest.Embedded(t), g.client)
	assert.Empty(t, counted(t, q))
	inject := func(rule fault.Rule) {
		rule.Method, rule.Path = "POST", "/"+feedsPath
		require.NoError(t, g.Faults.Inject(rule))
	}
	hold := &fleet.Worker{Queue: q, OnUnknown: wxpay.Hold}
	inject(fault.Rule{Kind: fault.ServerError, Status: 400, Code: "INVALID_REQUEST", Count: 2})
	submit(t, q, feed("refused"), feed("corrected"))
	assert.Equal(t, map[fleet.State]int{fleet.Waiting: 2}, counted(t, q))
	work(t, hold)
	assert.Equal(t, map[fleet.State]int{fleet.Refused: 2}, counted(t, q))
	inject(fault.Rule{Kind: fault.ResetAfter, Count: 2})
	submit(t, q, feed("settled"), feed("retried"))
	work(t, hold)
	assert.Equal(t, map[fleet.State]int{fleet.Refused: 2, fleet.Unknown: 2}, counted(t, q))
	require.NoError(t, q.Settle(t.Context(), fleet.Result{Method: "POST", Path: feedsPath, Number: "settled"}, fleet.Failed))
	assert.Equal(t, map[fleet.State]int{fleet.Refused: 2, fleet.Unknown: 1, fleet.Failed: 1}, counted(t, q))
	_, err := q.Retry(t.Context(), fleet.Unknown)
	require.NoError(t, err)
	count, why := resubmit(t, q, altered(feed("corrected"), "15_1200_2"))
	require.Equal(t, fleet.Submission{Corrected: 1}, count, why)
	submit(t, q, feed("cancelled"), points("card", "P1", 10))
	assert.Equal(t, map[fleet.State]int{fleet.Refused: 1, fleet.Failed: 1, fleet.Waiting: 4}, counted(t, q))
	_, err = q.Cancel(t.Context())
	require.NoError(t, err)
	assert.Equal(t, map[fleet.State]int{fleet.Refused: 1, fleet.Failed: 1, fleet.Waiting: 1, fleet.Cancelled: 3}, counted(t, q))
	work(t, &fleet.Worker{Queue: q, OnUnknown: wxpay.Repeat})
	assert.Equal(t, map[fleet.State]int{fleet.Refused: 1, fleet.Failed: 1, fleet.Succeeded: 1, fleet.Cancelled: 3}, counted(t, q))
}

// forget makes the tally that of before, as if the processes since then had been killed before they
// told what they had stored.
func forget(t *testing.T, e *fleet.Engine) (again func()) {
	t.Helper()
	bucket, err := e.JetStream().KeyValue(t.Context(), "wxpay-control")
	require.NoError(t, err)
	before, err := bucket.Get(t.Context(), "tally")
	require.NoError(t, err)
	return func() {
		_, err := bucket.Put(t.Context(), "tally", before.Value())
		require.NoError(t, err)
		if err := bucket.Delete(t.Context(), "checked"); err != nil { // as after ten minutes
			require.ErrorIs(t, err, jetstream.ErrKeyNotFound)
		}
	}
}

// What a process did not tell is missed, and counted by the next that opens the directory, or
// begins to work on a server.
func TestUncounted(t *testing.T) {
	t.Parallel()
	dir, g := t.TempDir(), newGateway(t)
	for name, tt := range map[string]struct {
		open  func(t *testing.T) *fleet.Engine
		close func(t *testing.T, e *fleet.Engine)
	}{
		"closed": {
			func(t *testing.T) *fleet.Engine {
				e, err := fleet.Embedded(filepath.Join(dir, "closed"))
				require.NoError(t, err)
				return e
			},
			func(t *testing.T, e *fleet.Engine) { require.NoError(t, e.Close()) },
		},
		"killed": {
			func(t *testing.T) *fleet.Engine {
				e, err := fleet.Embedded(filepath.Join(dir, "killed"))
				require.NoError(t, err)
				return e
			},
			func(t *testing.T, e *fleet.Engine) {
				require.NoError(t, e.Close())
				require.NoError(t, os.Remove(filepath.Join(dir, "killed", "manifest.json")))
			},
		},
		"on a server": {
			func() func(t *testing.T) *fleet.Engine {
				url := fleettest.Standalone(t).ClientURL()
				return func(t *testing.T) *fleet.Engine {
					e, err := fleet.Connect(t.Context(), url)
					require.NoError(t, err)
					return e
				}
			}(),
			func(t *testing.T, e *fleet.Engine) { require.NoError(t, e.Close()) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := tt.open(t)
			q := newQueue(t, e, g.client)
			submit(t, q, feeds(5)...)
			again := forget(t, e)
			work(t, &fleet.Worker{Queue: q})
			again()
			status, err := q.Status(t.Context())
			require.NoError(t, err)
			assert.EqualValues(t, 10, status.Uncounted, "five jobs were begun and ended")
			assert.Equal(t, []fleet.Count{{State: fleet.Waiting, Jobs: 5}}, status.Jobs)
			tt.close(t, e)

			e = tt.open(t)
			defer tt.close(t, e)
			q = newQueue(t, e, g.client)
			defer start(t, &fleet.Worker{Queue: q})()
			require.Eventually(t, func() bool {
				status, err := q.Status(t.Context())
				return err == nil && status.Uncounted == 0
			}, 30*time.Second, 50*time.Millisecond)
			assert.Equal(t, map[fleet.State]int{fleet.Succeeded: 5}, counted(t, q))
		})
	}
}

// A process that opens a queue twice counts what both do.
func TestCountsOfTwo(t *testing.T) {
	t.Parallel()
	g, e := newGateway(t), fleettest.Embedded(t)
	one, two := newQueue(t, e, g.client), newQueue(t, e, g.client)
	submit(t, one, feed("first"))
	submit(t, two, feed("second"))
	assert.Equal(t, map[fleet.State]int{fleet.Waiting: 2}, counted(t, one))
	work(t, &fleet.Worker{Queue: one}, &fleet.Worker{Queue: two})
	assert.Equal(t, map[fleet.State]int{fleet.Succeeded: 2}, counted(t, two))
}

// Only who opens a directory counts its records: later, others may be at work.
func TestCountsOnceOpened(t *testing.T) {
	t.Parallel()
	dir, g := t.TempDir(), newGateway(t)
	e, err := fleet.Embedded(dir)
	require.NoError(t, err)
	newQueue(t, e, g.client)
	require.NoError(t, e.Close())
	e, err = fleet.Embedded(dir)
	require.NoError(t, err)
	defer func() { assert.NoError(t, e.Close()) }()
	q := newQueue(t, e, g.client)
	submit(t, q, feed("F1"))
	again := forget(t, e)
	submit(t, q, feed("F2"))
	again()
	status, err := newQueue(t, e, g.client).Status(t.Context())
	require.NoError(t, err)
	assert.EqualValues(t, 1, status.Uncounted)
}

// What may or may not have been told is counted once when all records are counted anew.
func TestRecountOfWhatMayBeTold(t *testing.T) {
	t.Parallel()
	q := newQueue(t, fleettest.Embedded(t), newGateway(t).client)
	submit(t, q, feed("F1"))
	fleet.TellInVain(q, fleet.Waiting)
	require.NoError(t, q.Doubt(t.Context()))
	submit(t, q, feed("F2")) // tells the rest
	assert.Equal(t, map[fleet.State]int{fleet.Waiting: 2}, counted(t, q))
}
