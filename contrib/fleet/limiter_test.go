package fleet_test

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/contrib/fleet"
	"github.com/wxpay-go/wxpay/contrib/fleet/internal/fleettest"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/middleware"
)

func limiter(t testing.TB, e *fleet.Engine, opts ...fleet.LimiterOption) *fleet.Limiter {
	t.Helper()
	l, err := fleet.NewLimiter(t.Context(), e, opts...)
	require.NoError(t, err)
	return l
}

var feedKey = middleware.LimitKey{Identity: "mchid 1900000109", Method: "POST", Template: "/v3/brand/partner/card-member/user-feeds"}

// Eight workers share each rate over a real bucket. What is asserted holds however slow the machine
// is: so many tokens fall due within a time and no more. How close they come to the rate is logged.
func TestLimiterShared(t *testing.T) {
	t.Parallel()
	long := 2 * time.Second
	if os.Getenv("WXPAY_TEST_LONG") != "" {
		long = 30 * time.Second
	}
	e := fleettest.Embedded(t)
	for _, perSecond := range []int{5, 500} {
		t.Run(fmt.Sprint(perSecond), func(t *testing.T) {
			t.Parallel()
			key := feedKey
			key.Template = fmt.Sprint(t.Name())
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var mu sync.Mutex
			var due, used []time.Time
			var wg sync.WaitGroup
			begin := time.Now()
			for range 8 {
				l := limiter(t, e)
				for range 16 {
					wg.Go(func() {
						for {
							d, err := l.AcquireDue(ctx, key, fact.Rate{PerSecond: perSecond})
							if err != nil {
								assert.ErrorIs(t, err, middleware.ErrLimited)
								return
							}
							now := time.Now()
							mu.Lock()
							due, used = append(due, d), append(used, now)
							mu.Unlock()
						}
					})
				}
			}
			time.Sleep(long)
			assert.Eventually(t, func() bool {
				mu.Lock()
				defer mu.Unlock()
				return len(used) > 0
			}, time.Minute, time.Millisecond)
			cancel()
			wg.Wait()
			elapsed := time.Since(begin)
			late := time.Duration(0)
			for i, d := range due {
				late = max(late, used[i].Sub(d))
			}
			t.Logf("%d requests in %v: %.1f %% of the rate, at most %d due and %d let through in a second, %v late at worst",
				len(used), elapsed.Round(time.Millisecond), 100*float64(len(used))/(float64(perSecond)*elapsed.Seconds()),
				fleet.Densest(due, time.Second), fleet.Densest(used, time.Second), late.Round(time.Microsecond))
			assert.LessOrEqual(t, fleet.Densest(due, time.Second), fleet.LimitBound(perSecond))
			assert.LessOrEqual(t, float64(len(used)), 1.1*float64(perSecond)*elapsed.Seconds()+float64(fleet.LimitBound(perSecond)))
		})
	}
}

func TestLimiterRules(t *testing.T) {
	t.Parallel()
	e := fleettest.Embedded(t)
	l := limiter(t, e, fleet.WithRules(
		middleware.Rule{Method: "GET"},
		middleware.Rule{Template: "/v3/x", PerSecond: 1},
	))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	acquire := func(limit time.Duration, key middleware.LimitKey, documented int) error {
		ctx, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		_, err := l.Acquire(ctx, key, fact.Rate{PerSecond: documented})
		return err
	}
	for range 100 {
		require.NoError(t, acquire(time.Minute, middleware.LimitKey{Method: "GET", Template: "/v3/x"}, 1), "the rule for GET says any number")
		require.NoError(t, acquire(time.Minute, middleware.LimitKey{Method: "POST", Template: "/v3/y"}, 0), "nothing is known")
	}
	require.NoError(t, acquire(time.Minute, middleware.LimitKey{Identity: "a", Method: "POST", Template: "/v3/x"}, 1000))
	require.NoError(t, acquire(time.Minute, middleware.LimitKey{Identity: "b", Method: "POST", Template: "/v3/x"}, 1000),
		"another merchant has a limit of its own")
	// Who comes second has to be refused, unless the machine stood still until the next token was
	// there. Each try is of its own.
	refused := func(says, path string, documented int, first, second *fleet.Limiter) {
		t.Helper()
		for try := 0; ; try++ {
			take := func(l *fleet.Limiter, limit time.Duration) error {
				ctx, cancel := context.WithTimeout(ctx, limit)
				defer cancel()
				_, err := l.Acquire(ctx, middleware.LimitKey{Identity: fmt.Sprint("c", try), Method: "POST", Template: path}, fact.Rate{PerSecond: documented})
				return err
			}
			began := time.Now()
			require.NoError(t, take(first, time.Minute), says)
			err := take(second, 300*time.Millisecond)
			if err == nil && time.Since(began) > 500*time.Millisecond {
				continue
			}
			require.ErrorIs(t, err, middleware.ErrLimited, says)
			return
		}
	}
	refused("the rule for the path", "/v3/x", 1000, l, l)
	refused("what one process took, another has not", "/v3/z", 1, limiter(t, e), limiter(t, e))
}

func TestLimiterRefuses(t *testing.T) {
	t.Parallel()
	e := fleettest.Embedded(t)
	for says, opt := range map[string]fleet.LimiterOption{
		"requests in flight":   fleet.WithRules(middleware.Rule{InFlight: 3}),
		"a negative rate":      fleet.WithRules(middleware.Rule{PerSecond: -1}),
		"at least one process": fleet.WithFallback(0),
	} {
		_, err := fleet.NewLimiter(t.Context(), e, opt)
		assert.ErrorContains(t, err, says)
	}
}

// An operator who deletes a key begins it anew, and stops nothing.
func TestLimiterKeyDeleted(t *testing.T) {
	t.Parallel()
	e := fleettest.Embedded(t)
	l := limiter(t, e)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, err := l.Acquire(ctx, feedKey, fact.Rate{PerSecond: 100})
	require.NoError(t, err)
	bucket, err := e.JetStream().KeyValue(ctx, "wxpay-limits")
	require.NoError(t, err)
	keys, err := bucket.Keys(ctx)
	require.NoError(t, err)
	for _, key := range keys {
		require.NoError(t, bucket.Delete(ctx, key))
	}
	_, err = limiter(t, e).Acquire(ctx, feedKey, fact.Rate{PerSecond: 100})
	require.NoError(t, err)
	_, err = l.Acquire(ctx, feedKey, fact.Rate{PerSecond: 100})
	require.NoError(t, err)
}

// Without its engine a limiter lets nothing through, or goes on with its fraction.
func TestLimiterCutOff(t *testing.T) {
	t.Parallel()
	for name, fallback := range map[string]bool{"waits": false, "fraction": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := fleettest.Standalone(t)
			e, err := fleet.Connect(t.Context(), s.ClientURL())
			require.NoError(t, err)
			defer e.Close()
			var opts []fleet.LimiterOption
			if fallback {
				opts = append(opts, fleet.WithFallback(2))
			}
			l := limiter(t, e, opts...)
			_, err = l.Acquire(t.Context(), feedKey, fact.Rate{PerSecond: 1000})
			require.NoError(t, err)
			s.Shutdown()

			var through atomic.Int32
			limit := 5 * time.Second
			if fallback {
				limit = time.Minute
			}
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			for range 20 {
				if _, err = l.Acquire(ctx, feedKey, fact.Rate{PerSecond: 1000}); err != nil {
					break
				}
				through.Add(1)
			}
			if fallback {
				require.NoError(t, err)
				assert.EqualValues(t, 20, through.Load())
				return
			}
			require.ErrorIs(t, err, middleware.ErrLimited)
			assert.ErrorContains(t, err, "cannot be reached")
			assert.Zero(t, through.Load())
		})
	}
}

// One token a call, as a worker with one caller takes them.
func BenchmarkLimiter(b *testing.B) {
	e := fleettest.Embedded(b)
	l := limiter(b, e)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := l.Acquire(b.Context(), feedKey, fact.Rate{PerSecond: 1e6}); err != nil {
			b.Fatal(err)
		}
	}
}
