package fleet_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/contrib/fleet"
	"github.com/wxpay-go/wxpay/contrib/fleet/internal/fleettest"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/sandbox/fault"
)

// dam holds requests back once so many are in hand, until it is opened.
type dam struct {
	http.RoundTripper
	mu      sync.Mutex
	let     int // requests to let through before
	held    int
	full    chan struct{} // closed when hold requests stand
	open    chan struct{}
	hold    int
	arrived int
}

func (d *dam) close(let, hold int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.let, d.hold, d.held, d.full, d.open = let, hold, 0, make(chan struct{}), make(chan struct{})
}

func (d *dam) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.arrived
}

func (d *dam) RoundTrip(r *http.Request) (*http.Response, error) {
	d.mu.Lock()
	d.arrived++
	open := d.open
	if d.let--; d.let >= 0 {
		open = nil
	} else if d.held++; d.held == d.hold {
		close(d.full)
	}
	d.mu.Unlock()
	if open != nil {
		select {
		case <-open:
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	return d.RoundTripper.RoundTrip(r)
}

// A stop under load waits for the attempts in hand, and for nothing else: no attempt begins after
// it, neither of another job nor of one whose attempt has just failed. So it takes as long as the
// longest attempt, and what it takes to write the results down.
func TestTenStops(t *testing.T) {
	t.Parallel()
	const calls, stops = 8, 10
	s, err := sandbox.New(sandbox.WithLenientCards())
	require.NoError(t, err)
	require.NoError(t, s.Rules.Relax(sandbox.Rates))
	for i := range stops { // every second attempt in hand fails, in the ways that lead to another one
		require.NoError(t, s.Faults.Inject(
			fault.Rule{Kind: fault.Limited, Path: "/" + feedsPath, Skip: i * 12, Count: 2},
			fault.Rule{Kind: fault.ResetBefore, Path: "/" + feedsPath, Skip: i*12 + 4, Count: 2},
		))
	}
	d := &dam{RoundTripper: s.Transport()}
	q := newQueue(t, fleettest.Embedded(t), clientOf(t, s, d))
	submit(t, q, feeds(stops*20)...)
	var longest time.Duration
	for i := range stops {
		d.close(4, calls)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- (&fleet.Worker{Queue: q, Calls: calls, Grace: time.Hour}).Run(ctx) }()
		select {
		case <-d.full:
		case <-time.After(time.Minute):
			require.Fail(t, "its hands are not full", "stop %d", i)
		}
		stop()
		before := d.count()
		begin := time.Now()
		close(d.open)
		select {
		case err := <-ended:
			require.NoError(t, err)
		case <-time.After(time.Minute):
			require.Fail(t, "it does not stop")
		}
		longest = max(longest, time.Since(begin))
		assert.Equal(t, before, d.count(), "an attempt begins after stop %d", i)
	}
	t.Logf("at most %v after the last attempt", longest.Round(time.Millisecond))
	for number, r := range results(t, q) {
		assert.NotEqual(t, fleet.Begun, r.State, number)
	}
}
