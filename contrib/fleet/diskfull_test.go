//go:build unix

package fleet_test

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/contrib/fleet"
	"github.com/wxpay-go/wxpay/contrib/fleet/internal/fleettest"
	"github.com/wxpay-go/wxpay/sandbox"
)

func init() { roles["disk full"] = runDiskFull }

// runDiskFull is a process whose files cannot grow beyond some size. It submits more than that, and
// works on it.
func runDiskFull(dir string) error {
	limit := syscall.Rlimit{Cur: 256 << 10, Max: 256 << 10}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	s, err := sandbox.New(sandbox.WithLenientCards())
	if err != nil {
		return err
	}
	client, err := wxpay.FromLookupEnv(s.LookupEnv, wxpay.WithTransport(s.Transport()))
	if err != nil {
		return err
	}
	e, err := fleet.Embedded(dir)
	if err != nil {
		return err
	}
	keys, err := fleet.ParseKeys(proofKeys)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second) // less than a publish waits for its acknowledgement
	defer cancel()
	q, err := fleet.OpenQueue(ctx, e, fleet.QueueConfig{Client: client, Keys: keys})
	if err != nil {
		return err
	}
	if _, err = q.Submit(ctx, list(feeds(5000)...), fleet.Intake{}); !errors.Is(err, fleet.ErrNoSpace) {
		return fmt.Errorf("submitting ends with %v", err)
	}
	if err := (&fleet.Worker{Queue: q}).Run(ctx); !errors.Is(err, fleet.ErrNoSpace) {
		return fmt.Errorf("working ends with %v", err)
	}
	return nil
}

// A disk that is full is told at once, rather than after a wait for a response that does not come.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	out, err := fleettest.Reexec("disk full", t.TempDir()).Output()
	require.NoError(t, err, "%s", out)
}
