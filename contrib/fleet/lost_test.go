package fleet_test

import (
	"cmp"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
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

// blocks lists the files in which an engine keeps the messages of a stream, the oldest first.
func blocks(t testing.TB, dir, stream string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "jetstream", "*", "streams", stream, "msgs", "*.blk"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	slices.SortFunc(files, func(a, b string) int { return cmp.Or(len(a)-len(b), cmp.Compare(a, b)) })
	return files
}

// halve cuts a file off in its middle.
func halve(t testing.TB, file string) {
	t.Helper()
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.NoError(t, os.Truncate(file, info.Size()/2))
}

// posts counts the requests that could have an effect.
type posts struct {
	http.RoundTripper
	n atomic.Int64
}

func (p *posts) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodPost {
		p.n.Add(1)
	}
	return p.RoundTripper.RoundTrip(r)
}

// Records that a damaged disk has lost, or has brought back as they were before, would let their
// numbers be sent again. The queue stands still, says so, and goes on only in doubt.
func TestLostRecords(t *testing.T) {
	t.Parallel()
	const jobs = 300
	all := feeds(jobs)
	for i := range all {
		all[i].File = strings.Repeat("x", 8<<10) // so that they fill several blocks
	}
	s, err := sandbox.New(sandbox.WithLenientCards())
	require.NoError(t, err)
	require.NoError(t, s.Rules.Relax(sandbox.Rates))
	sent := &posts{RoundTripper: s.Transport()}
	client := clientOf(t, s, sent)
	whole := t.TempDir()
	e, err := fleet.Embedded(whole)
	require.NoError(t, err)
	q := newQueue(t, e, client)
	submit(t, q, all...)
	work(t, &fleet.Worker{Queue: q, Calls: 64})
	require.NoError(t, e.Close())
	require.EqualValues(t, jobs, sent.n.Load())

	records := func(t *testing.T, dir string) []string {
		files := blocks(t, dir, "wxpay-records")
		require.Greater(t, len(files), 1, "there has to be a block before the last")
		return files
	}
	for name, damage := range map[string]func(t *testing.T, dir string){
		"the last block is cut off": func(t *testing.T, dir string) {
			halve(t, records(t, dir)[len(records(t, dir))-1])
		},
		"the last block is cut off, and there is no index": func(t *testing.T, dir string) {
			files := records(t, dir)
			halve(t, files[len(files)-1])
			require.NoError(t, os.Remove(filepath.Join(filepath.Dir(files[0]), "index.db")))
		},
		"a block in the middle is cut off": func(t *testing.T, dir string) {
			halve(t, records(t, dir)[len(records(t, dir))-2])
		},
		"a block in the middle is gone": func(t *testing.T, dir string) {
			require.NoError(t, os.Remove(records(t, dir)[len(records(t, dir))-2]))
		},
		"all records are gone": func(t *testing.T, dir string) {
			require.NoError(t, os.RemoveAll(filepath.Dir(filepath.Dir(records(t, dir)[0]))))
		},
	} {
		t.Run(name, func(t *testing.T) {
			sent.n.Store(0)
			dir := t.TempDir()
			require.NoError(t, os.CopyFS(dir, os.DirFS(whole)))
			damage(t, dir)
			e, err := fleet.Embedded(dir)
			require.NoError(t, err)
			defer func() { assert.NoError(t, e.Close()) }()
			q := newQueue(t, e, client)
			paused, err := q.Paused(t.Context())
			require.NoError(t, err)
			require.NotNil(t, paused, "it goes on without a word")
			assert.Contains(t, paused.Reason, "Restore a complete copy")
			require.ErrorIs(t, q.Resume(t.Context()), fleet.ErrLost)

			_, err = q.Submit(t.Context(), list(all...), fleet.Intake{})
			require.NoError(t, err)
			stop := start(t, &fleet.Worker{Queue: q})
			require.ErrorAs(t, q.Idle(t.Context()), new(*fleet.PausedError))
			stop()
			assert.Zero(t, sent.n.Load(), "nothing is sent while records are missing")

			require.NoError(t, q.Doubt(t.Context()))
			_, err = q.Submit(t.Context(), list(feed("first ever")), fleet.Intake{})
			require.NoError(t, err)
			work(t, &fleet.Worker{Queue: q, OnUnknown: wxpay.Hold})
			assert.Zero(t, sent.n.Load(), "each one that might have been sent is in doubt")
			states := make(map[fleet.State]int)
			for _, r := range results(t, q) {
				states[r.State]++
			}
			assert.Equal(t, jobs+1, states[fleet.Succeeded]+states[fleet.Unknown], states)
			assert.Greater(t, states[fleet.Unknown], 1)

			require.NoError(t, e.Close())
			e, err = fleet.Embedded(dir)
			require.NoError(t, err)
			paused, err = newQueue(t, e, client).Paused(t.Context())
			require.NoError(t, err)
			assert.Nil(t, paused, "what was accepted is not found again")
		})
	}
	t.Run("the settings are gone", func(t *testing.T) {
		dir := t.TempDir()
		require.NoError(t, os.CopyFS(dir, os.DirFS(whole)))
		require.NoError(t, os.RemoveAll(filepath.Dir(filepath.Dir(blocks(t, dir, "KV_wxpay-control")[0]))))
		e, err := fleet.Embedded(dir)
		require.NoError(t, err)
		defer func() { assert.NoError(t, e.Close()) }()
		_, err = fleet.OpenQueue(t.Context(), e, fleet.QueueConfig{Client: client, Keys: testKeys(t, "a")})
		require.ErrorIs(t, err, fleet.ErrLost)
		assert.ErrorContains(t, err, "its settings are gone")
	})
	t.Run("jobs in the queue are gone", func(t *testing.T) {
		dir := t.TempDir()
		e, err := fleet.Embedded(dir)
		require.NoError(t, err)
		q := newQueue(t, e, client)
		submit(t, q, feeds(20)...)
		require.NoError(t, e.Close())
		halve(t, blocks(t, dir, "wxpay-jobs")[0])
		e, err = fleet.Embedded(dir)
		require.NoError(t, err)
		defer func() { assert.NoError(t, e.Close()) }()
		q = newQueue(t, e, client)
		count, err := q.Submit(t.Context(), list(feeds(20)...), fleet.Intake{})
		require.NoError(t, err)
		assert.Equal(t, 20, count.Queued+count.Again)
		work(t, &fleet.Worker{Queue: q})
		for number, r := range results(t, q) {
			assert.Equal(t, fleet.Succeeded, r.State, number)
		}
	})
}

// Jobs that go back from an end to the queue, and processes that die, are no loss.
func TestNothingIsLost(t *testing.T) {
	t.Parallel()
	dir, g := t.TempDir(), newGateway(t)
	e, err := fleet.Embedded(dir)
	require.NoError(t, err)
	q := newQueue(t, e, g.client)
	refusal := fault.Rule{Kind: fault.ServerError, Path: "/" + feedsPath, Status: 400, Code: "INVALID_REQUEST", Count: 2}
	require.NoError(t, g.Faults.Inject(refusal))
	submit(t, q, feed("corrected"), feed("retried"))
	work(t, &fleet.Worker{Queue: q})
	late := feed("late")
	late.Expires = time.Now().Add(-time.Hour)
	submit(t, q, append(feeds(5), late)...)
	work(t, &fleet.Worker{Queue: q})
	require.Equal(t, map[fleet.State]int{fleet.Succeeded: 5, fleet.Expired: 1, fleet.Refused: 2}, states(results(t, q)))
	late.Expires = time.Now().Add(time.Hour)
	submit(t, q, late)
	count, why := resubmit(t, q, altered(feed("corrected"), "15_1200_2"))
	require.Equal(t, fleet.Submission{Corrected: 1}, count, why)
	n, err := q.Retry(t.Context(), fleet.Refused)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.NoError(t, e.Close())
	require.NoError(t, os.Remove(filepath.Join(dir, "manifest.json"))) // as after kill -9
	e, err = fleet.Embedded(dir)
	require.NoError(t, err)
	defer func() { assert.NoError(t, e.Close()) }()
	paused, err := newQueue(t, e, g.client).Paused(t.Context())
	require.NoError(t, err)
	assert.Nil(t, paused)
}

// On a server the worker that begins looks, since it may be the server that was begun again.
func TestLostOnServer(t *testing.T) {
	t.Parallel()
	g, e := newGateway(t), func() *fleet.Engine {
		e, err := fleet.Connect(t.Context(), fleettest.Standalone(t).ClientURL())
		require.NoError(t, err)
		t.Cleanup(func() { assert.NoError(t, e.Close()) })
		return e
	}()
	q := newQueue(t, e, g.client)
	submit(t, q, feeds(5)...)
	stop := start(t, &fleet.Worker{Queue: q})
	require.NoError(t, q.Idle(t.Context()))
	stop()
	control, err := e.JetStream().KeyValue(t.Context(), "wxpay-control")
	require.NoError(t, err)
	require.NoError(t, control.Delete(t.Context(), "checked")) // as after ten minutes
	records, err := e.JetStream().Stream(t.Context(), "wxpay-records")
	require.NoError(t, err)
	info, err := records.Info(t.Context())
	require.NoError(t, err)
	require.NoError(t, records.DeleteMsg(t.Context(), info.State.LastSeq))
	effects := len(g.Ledger.Effects(sandbox.FeedEffect))
	submit(t, q, feed("new"))
	told := make(chan string, 100)
	stop = start(t, &fleet.Worker{Queue: q, OnNotice: func(text string) { told <- text }})
	assert.Contains(t, <-told, "at least 1 records are missing")
	require.ErrorAs(t, q.Idle(t.Context()), new(*fleet.PausedError))
	stop()
	assert.Len(t, g.Ledger.Effects(sandbox.FeedEffect), effects)
	require.NoError(t, q.Doubt(t.Context()))
	work(t, &fleet.Worker{Queue: q, OnUnknown: wxpay.Hold})
	status, err := q.Status(t.Context())
	require.NoError(t, err)
	assert.NotZero(t, status.InDoubt)
	assert.Equal(t, fleet.Unknown, results(t, q)["new"].State)
}

// A number that may have been added to the account, before others added theirs, is not added twice:
// then records would seem to be missing.
func TestAddedOnce(t *testing.T) {
	t.Parallel()
	g, e := newGateway(t), fleettest.Embedded(t)
	more, err := fleet.AddUnheard(t.Context(), newQueue(t, e, g.client), newQueue(t, e, g.client), 5, 2)
	require.NoError(t, err)
	assert.EqualValues(t, 7, more)
}

// Records that are forgotten, or leave their end, while others count them are no loss.
func TestChangesAreNoLoss(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	q := newQueue(t, fleettest.Embedded(t), g.client)
	require.NoError(t, g.Faults.Inject(fault.Rule{Kind: fault.ServerError, Path: "/" + feedsPath, Status: 400, Code: "INVALID_REQUEST", Count: 5}))
	run := listed(t, q, feeds(5)...)
	work(t, &fleet.Worker{Queue: q})
	for _, what := range []struct {
		name string
		do   func() error
	}{
		{"a retry", func() error { _, err := q.Retry(t.Context(), fleet.Refused); return err }},
		{"a purge", func() error { _, err := q.Purge(t.Context(), fleet.Purge{Run: run}); return err }},
	} {
		missing, err := q.MissingAround(t.Context(), func() { require.NoError(t, what.do()) })
		require.NoError(t, err)
		assert.Zero(t, missing, what.name)
		work(t, &fleet.Worker{Queue: q})
	}
	assert.Empty(t, results(t, q))
}
