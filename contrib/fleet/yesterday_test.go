package fleet_test

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"flag"
	"io"
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

var update = flag.Bool("update", false, "write testdata/queue.tar.gz anew, which is for a change of what a queue stores before the first release")

// yesterday is the directory of a queue as an earlier version of this program left it, without its key.
const yesterday = "testdata/queue.tar.gz"

// writeYesterday makes a queue with a job at each kind of place.
func writeYesterday(t *testing.T) {
	t.Helper()
	dir, g := t.TempDir(), newGateway(t)
	e, err := fleet.Embedded(dir)
	require.NoError(t, err)
	q := newQueue(t, e, g.client)
	require.NoError(t, g.Faults.Inject(
		fault.Rule{Kind: fault.ServerError, Path: "/" + feedsPath, Status: 400, Code: "INVALID_REQUEST", Count: 1},
		fault.Rule{Kind: fault.ResetAfter, Path: "/" + feedsPath, Skip: 1, Count: 1},
		fault.Rule{Kind: fault.ResetAfter, Path: "/" + pointsPath, Count: 1},
	))
	late := feed("late")
	late.Expires = time.Now().Add(-time.Hour)
	run := fleet.Run{File: "yesterday.ndjson", Hash: "a"}
	_, err = q.Submit(t.Context(), list(append(feeds(4), late, points("4785", "P1", 10), points("4785", "P2", 20))...), fleet.Intake{Run: &run})
	require.NoError(t, err)
	stop := start(t, &fleet.Worker{Queue: q, Calls: 1, OnUnknown: wxpay.Hold})
	awaitStates(t, q, map[fleet.State]int{fleet.Refused: 1, fleet.Unknown: 2, fleet.Succeeded: 2, fleet.Expired: 1, fleet.Waiting: 1})
	stop()
	submit(t, q, feed("cancelled"))
	for n := 0; n == 0; { // not P2, which may have been taken for the head of its order
		n, err = q.Cancel(t.Context())
		require.NoError(t, err)
	}
	require.NoError(t, q.Pause(t.Context(), "for the night"))
	submit(t, q, feed("waits"))
	require.NoError(t, e.Close())

	file, err := os.Create(yesterday)
	require.NoError(t, err)
	packed := gzip.NewWriter(file)
	files := tar.NewWriter(packed)
	require.NoError(t, files.AddFS(os.DirFS(dir)))
	require.NoError(t, files.Close())
	require.NoError(t, packed.Close())
	require.NoError(t, file.Close())
}

// unpackYesterday returns the directory of that queue.
func unpackYesterday(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	file, err := os.Open(yesterday)
	require.NoError(t, err)
	defer file.Close()
	packed, err := gzip.NewReader(file)
	require.NoError(t, err)
	for files := tar.NewReader(packed); ; {
		header, err := files.Next()
		if err == io.EOF {
			return dir
		}
		require.NoError(t, err)
		path := filepath.Join(dir, filepath.FromSlash(header.Name))
		if header.FileInfo().IsDir() {
			require.NoError(t, os.MkdirAll(path, 0o700))
			continue
		}
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		text, err := io.ReadAll(files)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, text, 0o600))
	}
}

// A queue that an earlier version of this program made goes on where it was.
func TestYesterday(t *testing.T) {
	t.Parallel()
	if *update {
		writeYesterday(t)
	}
	g := newGateway(t)
	e, err := fleet.Embedded(unpackYesterday(t))
	require.NoError(t, err)
	defer func() { assert.NoError(t, e.Close()) }()
	q := newQueue(t, e, g.client)
	paused, err := q.Paused(t.Context())
	require.NoError(t, err)
	require.NotNil(t, paused)
	assert.Equal(t, "for the night", paused.Reason)
	runs, err := q.Runs(t.Context())
	require.NoError(t, err)
	require.Len(t, runs, 3)
	assert.Equal(t, "yesterday.ndjson", runs[2].File)
	summary, err := q.Summary(t.Context(), fleet.Filter{Run: runs[2].ID})
	require.NoError(t, err)
	counted := 0
	for _, c := range summary {
		counted += c.Jobs
	}
	assert.Equal(t, 7, counted)
	all := results(t, q)
	assert.Equal(t, fleet.Unknown, all["P1"].State)
	assert.Equal(t, "INVALID_REQUEST", all["F00000"].Code)

	count, err := q.Submit(t.Context(), list(append(feeds(4), feed("waits"))...), fleet.Intake{})
	require.NoError(t, err)
	assert.Equal(t, fleet.Submission{Again: 1, Ended: 4}, count, "numbers are known")
	require.NoError(t, q.Resume(t.Context()))
	require.NoError(t, q.Settle(t.Context(), all["P1"], fleet.Succeeded))
	n, err := q.Retry(t.Context(), fleet.Refused)
	require.NoError(t, err)
	assert.Equal(t, 1, n)
	work(t, &fleet.Worker{Queue: q})
	after := states(results(t, q))
	delete(after, fleet.Cancelled)
	assert.Equal(t, map[fleet.State]int{fleet.Unknown: 1, fleet.Expired: 1, fleet.Succeeded: len(all) - 2 - states(all)[fleet.Cancelled]}, after)
	assert.Zero(t, shown(g.Sandbox)["F00001"], "what may have been sent is not sent again blindly")
	assert.Zero(t, shown(g.Sandbox)["F00002"])
}

// A queue that a newer version of this program made is left as it is.
func TestNewerQueue(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	e := fleettest.Embedded(t)
	newQueue(t, e, g.client)
	control, err := e.JetStream().KeyValue(t.Context(), "wxpay-control")
	require.NoError(t, err)
	entry, err := control.Get(t.Context(), "settings")
	require.NoError(t, err)
	var settings map[string]any
	require.NoError(t, json.Unmarshal(entry.Value(), &settings))
	settings["version"] = "2"
	text, err := json.Marshal(settings)
	require.NoError(t, err)
	_, err = control.Put(t.Context(), "settings", text)
	require.NoError(t, err)
	_, err = fleet.OpenQueue(t.Context(), e, fleet.QueueConfig{Client: g.client, Keys: testKeys(t, "ba")})
	require.ErrorIs(t, err, fleet.ErrNewer)
	require.ErrorContains(t, err, "it was written by a newer version of this program: bring this one up to date")
	entry, err = control.Get(t.Context(), "settings")
	require.NoError(t, err)
	assert.JSONEq(t, string(text), string(entry.Value()))
}
