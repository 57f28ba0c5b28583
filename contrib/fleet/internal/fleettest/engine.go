package fleettest

import (
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/contrib/fleet"
)

// Embedded opens an engine in a directory of the test's own, closed with the test.
func Embedded(t testing.TB, opts ...fleet.EmbeddedOption) *fleet.Engine {
	t.Helper()
	e, err := fleet.Embedded(t.TempDir(), opts...)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, e.Close()) })
	return e
}

// Standalone runs a server on a free port of the loopback interface, which ends with the test.
func Standalone(t testing.TB, change ...func(*server.Options)) *server.Server {
	t.Helper()
	o := &server.Options{ServerName: "one", Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true}
	for _, c := range change {
		c(o)
	}
	s, err := server.NewServer(o)
	require.NoError(t, err)
	s.Start()
	require.True(t, s.ReadyForConnections(30*time.Second))
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	return s
}
