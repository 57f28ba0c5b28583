package fleet_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"

	"github.com/wxpay-go/wxpay/contrib/fleet"
	"github.com/wxpay-go/wxpay/contrib/fleet/internal/fleettest"
)

// Another process reaches an embedded engine that lets it, for as long as that is open.
func TestAttach(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, err := fleet.Attach(t.Context(), dir)
	require.ErrorIs(t, err, fleet.ErrNotAttachable)
	host, err := fleet.Embedded(dir, fleet.WithAttach())
	require.NoError(t, err)
	newQueue(t, host, newGateway(t).client)

	guest, err := fleet.Attach(t.Context(), dir)
	require.NoError(t, err)
	defer guest.Close()
	q, err := fleet.OpenQueue(t.Context(), guest, fleet.QueueConfig{Keys: testKeys(t, "a")})
	require.NoError(t, err)
	require.NoError(t, q.Pause(t.Context(), "to look"))

	path := filepath.Join(dir, "attach")
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	if runtime.GOOS != "windows" {
		info, err := os.Stat(path)
		require.NoError(t, err)
		assert.Equal(t, fs.FileMode(0o600), info.Mode().Perm(), "who can read it can do everything")
	}
	_, err = nats.Connect(gjson.GetBytes(text, "address").String())
	require.ErrorIs(t, err, nats.ErrAuthorization, "others on the machine cannot")
	require.NoError(t, host.Close())
	assert.NoFileExists(t, path)
	began := time.Now()
	_, err = q.Status(t.Context())
	require.ErrorContains(t, err, "the process that had the directory open has ended")
	assert.Less(t, time.Since(began), 20*time.Second, "it is not asked again and again")

	require.NoError(t, os.WriteFile(path, text, 0o600)) // as if the process had been killed
	_, err = fleet.Attach(t.Context(), dir)
	require.ErrorIs(t, err, fleet.ErrNotAttachable)
	require.NoError(t, os.WriteFile(path, []byte("x"), 0o600))
	_, err = fleet.Attach(t.Context(), dir)
	require.ErrorContains(t, err, "not one of this program")
}

// Without a client a queue is as it was: it can be looked at and steered.
func TestQueueWithoutClient(t *testing.T) {
	t.Parallel()
	e := fleettest.Embedded(t)
	config := fleet.QueueConfig{Keys: testKeys(t, "a")}
	_, err := fleet.OpenQueue(t.Context(), e, config)
	require.ErrorIs(t, err, fleet.ErrNoQueue)
	assert.Empty(t, state(t, e), "nothing was made")

	g := newGateway(t)
	submit(t, newQueue(t, e, g.client, shortLease), feeds(3)...)
	before := state(t, e)
	config.Keys = testKeys(t, "ba") // a new key seals from now on, but not what is only looked at
	q, err := fleet.OpenQueue(t.Context(), e, config)
	require.NoError(t, err)
	status, err := q.Status(t.Context())
	require.NoError(t, err)
	assert.EqualValues(t, 3, status.Queued)
	_, ok, err := q.Lookup(t.Context(), "feed", "F00000")
	require.NoError(t, err)
	assert.True(t, ok)
	for _, err := range q.Results(t.Context(), fleet.Filter{}) {
		require.NoError(t, err)
	}
	_, err = q.Submit(t.Context(), list(feeds(1)...), fleet.Intake{})
	require.ErrorIs(t, err, fleet.ErrNoClient)
	require.ErrorIs(t, (&fleet.Worker{Queue: q}).Run(t.Context()), fleet.ErrNoClient)
	assert.Equal(t, before, state(t, e))
	require.NoError(t, q.Pause(t.Context(), "to look"))
	require.NoError(t, q.Resume(t.Context()))

	require.NoError(t, e.JetStream().DeleteStream(t.Context(), "wxpay-dead"))
	_, err = fleet.OpenQueue(t.Context(), e, config)
	require.ErrorIs(t, err, fleet.ErrNoQueue)
}

// state is the last message of each stream of an engine.
func state(t *testing.T, e *fleet.Engine) map[string]uint64 {
	t.Helper()
	found := make(map[string]uint64)
	streams := e.JetStream().ListStreams(t.Context())
	for info := range streams.Info() {
		found[info.Config.Name] = info.State.LastSeq
	}
	require.NoError(t, streams.Err())
	return found
}
