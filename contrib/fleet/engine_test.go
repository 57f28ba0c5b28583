package fleet_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/contrib/fleet"
	"github.com/wxpay-go/wxpay/contrib/fleet/internal/fleettest"
)

func stream(t testing.TB, e *fleet.Engine, name string) jetstream.Stream {
	t.Helper()
	s, err := e.JetStream().CreateOrUpdateStream(t.Context(), streamConfig(e, name))
	require.NoError(t, err)
	return s
}

func streamConfig(e *fleet.Engine, name string) jetstream.StreamConfig {
	return jetstream.StreamConfig{Name: name, Subjects: []string{name + ".>"}, Replicas: e.Replicas()}
}

func TestEmbeddedKeeps(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "as needed")
	e, err := fleet.Embedded(dir)
	require.NoError(t, err)
	stream(t, e, "kept")
	for i := range 10 {
		_, err := e.JetStream().Publish(t.Context(), "kept.x", fmt.Append(nil, i))
		require.NoError(t, err)
	}
	assert.Equal(t, 1, e.Replicas())
	require.NoError(t, e.Close())
	require.NoError(t, e.Close(), "closing again does nothing")

	e, err = fleet.Embedded(dir)
	require.NoError(t, err)
	defer e.Close()
	s, err := e.JetStream().Stream(t.Context(), "kept")
	require.NoError(t, err)
	assert.EqualValues(t, 10, s.CachedInfo().State.Msgs)
	if runtime.GOOS != "windows" {
		info, err := os.Stat(dir)
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o700), info.Mode().Perm(), "others cannot read the queue")
	}
}

// A process that is killed leaves behind what was acknowledged, and no lock.
func TestEmbeddedKilled(t *testing.T) {
	const acknowledged = 500
	if dir := os.Getenv("FLEET_TEST_KILLED"); dir != "" {
		e, err := fleet.Embedded(dir)
		require.NoError(t, err)
		stream(t, e, "kept")
		for i := range acknowledged {
			_, err := e.JetStream().Publish(t.Context(), "kept.x", fmt.Append(nil, i))
			require.NoError(t, err)
		}
		self, err := os.FindProcess(os.Getpid())
		require.NoError(t, err)
		require.NoError(t, self.Kill())
		select {}
	}
	dir := t.TempDir()
	child := exec.Command(os.Args[0], "-test.run=^TestEmbeddedKilled$")
	child.Env = append(os.Environ(), "FLEET_TEST_KILLED="+dir)
	out, err := child.CombinedOutput()
	var ended *exec.ExitError
	require.ErrorAs(t, err, &ended, "%s", out)
	require.Equal(t, -1, ended.ExitCode(), "it should have been killed: %s", out)

	e, err := fleet.Embedded(dir)
	require.NoError(t, err)
	defer e.Close()
	s, err := e.JetStream().Stream(t.Context(), "kept")
	require.NoError(t, err)
	assert.EqualValues(t, acknowledged, s.CachedInfo().State.Msgs)
}

func TestEmbeddedInUse(t *testing.T) {
	dir := t.TempDir()
	e, err := fleet.Embedded(dir)
	require.NoError(t, err)
	_, err = fleet.Embedded(dir)
	require.ErrorIs(t, err, fleet.ErrInUse)
	if runtime.GOOS != "windows" {
		assert.ErrorContains(t, err, fmt.Sprintf("process %d", os.Getpid()))
	}
	require.NoError(t, e.Close())
	e, err = fleet.Embedded(dir)
	require.NoError(t, err, "free again")
	require.NoError(t, e.Close())
}

func TestEmbeddedRefuses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	broken := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(broken, "jetstream"), nil, 0o600))
	for name, c := range map[string]struct {
		dir  string
		opts []fleet.EmbeddedOption
		says string
	}{
		"no directory":      {"", nil, "needs a directory"},
		"a file":            {file, nil, "making the directory"},
		"a broken store":    {broken, nil, "does not start on"},
		"too short a sync":  {t.TempDir(), []fleet.EmbeddedOption{fleet.WithSync(time.Millisecond)}, "at least 10ms"},
		"a negative sync":   {t.TempDir(), []fleet.EmbeddedOption{fleet.WithSync(-time.Second)}, "at least 10ms"},
		"too small a store": {t.TempDir(), []fleet.EmbeddedOption{fleet.WithMaxStore(100)}, "at least 1048576"},
	} {
		_, err := fleet.Embedded(c.dir, c.opts...)
		assert.ErrorContains(t, err, c.says, name)
	}
	require.NoError(t, os.Remove(filepath.Join(broken, "jetstream")))
	e, err := fleet.Embedded(broken)
	require.NoError(t, err, "a failed start holds no lock")
	require.NoError(t, e.Close())
}

func TestEmbeddedLeavesNothingRunning(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 3 {
		e, err := fleet.Embedded(t.TempDir())
		require.NoError(t, err)
		stream(t, e, "s")
		require.NoError(t, e.Close())
	}
	require.Eventually(t, func() bool { return runtime.NumGoroutine() <= before+2 }, 20*time.Second, 10*time.Millisecond)
}

func TestSyncAlways(t *testing.T) {
	t.Parallel()
	e := fleettest.Embedded(t, fleet.WithSync(0))
	stream(t, e, "s")
	_, err := e.JetStream().Publish(t.Context(), "s.x", []byte("x"))
	assert.NoError(t, err)
}

func TestConnect(t *testing.T) {
	t.Parallel()
	s := fleettest.Standalone(t)
	e, err := fleet.Connect(t.Context(), s.ClientURL())
	require.NoError(t, err)
	stream(t, e, "s")
	_, err = e.JetStream().Publish(t.Context(), "s.x", []byte("x"))
	require.NoError(t, err)
	assert.Equal(t, 1, e.Replicas(), "not in a cluster")
	require.NoError(t, e.Close())

	e, err = fleet.Connect(t.Context(), s.ClientURL(), fleet.WithReplicas(5), fleet.WithConnection(nats.Name("mine")))
	require.NoError(t, err)
	assert.Equal(t, 5, e.Replicas())
	assert.Equal(t, "mine", e.JetStream().Conn().Opts.Name)
	require.NoError(t, e.Close())
}

func TestConnectRefuses(t *testing.T) {
	const address = "127.0.0.1:1" // nobody listens there
	_, err := fleet.Connect(t.Context(), "nats://"+address+",nats://"+strings.Replace(address, "127.0.0.1", "127.0.0.2", 1))
	require.ErrorIs(t, err, fleet.ErrUnreachable)
	assert.ErrorContains(t, err, address)
	assert.ErrorContains(t, err, "127.0.0.2", "all that was tried")

	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("enough"))
	_, err = fleet.Connect(ctx, "nats://"+address)
	require.ErrorIs(t, err, fleet.ErrUnreachable)

	plain := fleettest.Standalone(t, func(o *server.Options) { o.JetStream = false })
	_, err = fleet.Connect(t.Context(), plain.ClientURL())
	assert.ErrorContains(t, err, "gives no access to JetStream")

	secret := fleettest.Standalone(t, func(o *server.Options) { o.Username, o.Password = "u", "p" })
	_, err = fleet.Connect(t.Context(), secret.ClientURL())
	assert.ErrorContains(t, err, "Authorization Violation")

	for says, opt := range map[string]fleet.ConnectOption{
		"the credentials":  fleet.WithCredentials(filepath.Join(t.TempDir(), "none.creds")),
		"can be 1, 3 or 5": fleet.WithReplicas(2),
	} {
		_, err = fleet.Connect(t.Context(), address, opt)
		assert.ErrorContains(t, err, says)
	}
	_, err = fleet.Connect(t.Context(), " ")
	assert.ErrorContains(t, err, "needs the address")
}

// Addresses may be divided by blanks, too.
func TestAddresses(t *testing.T) {
	t.Parallel()
	address := strings.TrimPrefix(fleettest.Standalone(t).ClientURL(), "nats://")
	e, err := fleet.Connect(t.Context(), "127.0.0.1:1, "+address+",")
	require.NoError(t, err)
	require.NoError(t, e.Close())
}

// What is wrong with an address is told without what stands in it.
func TestBadAddress(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"nats://user:s3cret@127.0.0.1:42x2", "nats://user:s3%zzcret@127.0.0.1:1",
		"nats://127.0.0.1:1,s3cret s3cret", "nats://", "nats://s3cret@127.0.0.1:1\u200b", "\ufeffnats://127.0.0.1:1", "nats://127.0.0.\uff11:1"} {
		_, err := fleet.Connect(t.Context(), address)
		require.ErrorIs(t, err, fleet.ErrAddress, address)
		assert.NotContains(t, err.Error(), "s3")
	}
}

// What is said while a connection is broken is not said later, when a job may be in other hands.
func TestNothingIsSaidLater(t *testing.T) {
	t.Parallel()
	s := fleettest.Standalone(t)
	p := fleettest.NewProxy(t)
	p.Lead(strings.TrimPrefix(s.ClientURL(), "nats://"))
	far, err := fleet.Connect(t.Context(), "nats://"+p.Address())
	require.NoError(t, err)
	defer far.Close()
	near, err := nats.Connect(s.ClientURL())
	require.NoError(t, err)
	defer near.Close()
	heard, err := near.SubscribeSync("word")
	require.NoError(t, err)
	require.NoError(t, near.Flush())

	conn := far.JetStream().Conn()
	p.SetCut(true)
	require.Eventually(t, func() bool { return conn.Status() == nats.RECONNECTING }, 30*time.Second, time.Millisecond)
	require.Error(t, conn.Publish("word", []byte("stale")))
	p.SetCut(false)
	require.Eventually(t, func() bool { return conn.Publish("word", []byte("fresh")) == nil }, 30*time.Second, time.Millisecond)
	m, err := heard.NextMsg(30 * time.Second)
	require.NoError(t, err)
	assert.Equal(t, "fresh", string(m.Data))
}

// What is said while no server is connected says so.
func TestDisconnected(t *testing.T) {
	t.Parallel()
	e := fleettest.Embedded(t)
	for _, err := range []error{nats.ErrReconnectBufExceeded, nats.ErrDisconnected, nats.ErrConnectionReconnecting} {
		got := e.Explain(fmt.Errorf("asking: %w", err))
		require.ErrorIs(t, got, err)
		assert.ErrorContains(t, got, "no server is connected at the moment (asking: ")
	}
}
