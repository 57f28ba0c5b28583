package fleet_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/contrib/fleet/internal/fleettest"
	"github.com/wxpay-go/wxpay/sandbox"
)

// runPlatform is a process that is a platform until its standard input ends. It tells its address
// and its credentials.
func runPlatform(string) error {
	s, err := sandbox.New(sandbox.WithLenientCards())
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.Rules.Relax(sandbox.Rates); err != nil {
		return err
	}
	server := httptest.NewServer(s)
	defer server.Close()
	if err := json.NewEncoder(os.Stdout).Encode(append([]string{server.URL}, s.Env()...)); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// roles are what this test program can be instead of a test.
var roles = fleettest.Roles{"worker": runWorker, "platform": runPlatform}

func TestMain(m *testing.M) { fleettest.Main(m, roles) }

// A cluster keeps streams and limits going while one of its nodes is away, and takes it back.
func TestCluster(t *testing.T) {
	t.Parallel()
	for name, separate := range map[string]bool{"one process": false, "three processes": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := fleettest.NewCluster(t, separate)
			e := c.Connect(t)
			assert.Equal(t, 3, e.Replicas())
			fleettest.Eventually(t, func(ctx context.Context) error {
				_, err := e.JetStream().CreateStream(ctx, streamConfig(e, "s"))
				return err
			})
			published := 0
			publish := func() {
				fleettest.Eventually(t, func(ctx context.Context) error {
					_, err := e.JetStream().Publish(ctx, "s.x", fmt.Append(nil, published))
					return err
				})
				published++
			}
			publish()
			c.Healthy(t, e)
			c.Kill(0)
			publish()
			require.NoError(t, c.Start(0))
			c.Healthy(t, e)
			c.Isolate(1, true)
			if !separate {
				// Attempts to find the others by what these told are made each second.
				connected := func() bool { return c.Nodes[1].Server.NumRoutes() > 0 }
				require.Eventually(t, func() bool { return !connected() }, 30*time.Second, time.Millisecond)
				assert.Never(t, connected, 3*time.Second, 10*time.Millisecond, "it is cut off for as long as it is meant to be")
			}
			publish()
			c.Isolate(1, false)
			c.Healthy(t, e)
			fleettest.Eventually(t, func(ctx context.Context) error { // a leader of before may still answer
				s, err := e.JetStream().Stream(ctx, "s")
				if err == nil && s.CachedInfo().State.Msgs < uint64(published) {
					err = fmt.Errorf("of %d messages there are %d", published, s.CachedInfo().State.Msgs)
				}
				return err
			})
		})
	}
}
