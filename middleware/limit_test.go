//go:build go1.25

package middleware_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/middleware"
)

var feedKey = middleware.LimitKey{Identity: "mchid 1900000109", Method: "POST", Template: "/v3/brand/partner/card-member/user-feeds"}

// At 5/s no second holds more than five, over ten seconds of callers who never stop, and none is wasted.
func TestLimitsPerSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limits := middleware.NewLimits()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		var mu sync.Mutex
		var begun []time.Time
		var callers sync.WaitGroup
		for range 20 {
			callers.Go(func() {
				for {
					done, err := limits.Acquire(ctx, feedKey, fact.Rate{PerSecond: 5, Per: "provider"})
					if err != nil {
						assert.ErrorIs(t, err, middleware.ErrLimited)
						return
					}
					assert.Nil(t, done)
					mu.Lock()
					begun = append(begun, time.Now())
					mu.Unlock()
				}
			})
		}
		callers.Wait()
		for i := range begun {
			if i >= 5 {
				require.Greater(t, begun[i].Sub(begun[i-5]), time.Second, "six within a second, at %d", i)
			}
		}
		assert.GreaterOrEqual(t, len(begun), 48)
		assert.LessOrEqual(t, len(begun), 50)
	})
}

func TestLimits(t *testing.T) {
	acquire := func(l *middleware.Limits, key middleware.LimitKey, rate int) error {
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		defer cancel()
		_, err := l.Acquire(ctx, key, fact.Rate{PerSecond: rate})
		return err
	}
	run := func(name string, test func(*testing.T)) { // in a bubble, where a millisecond is no race
		t.Run(name, func(t *testing.T) { synctest.Test(t, test) })
	}
	other := feedKey
	other.Identity = "mchid 1900000110"
	elsewhere := feedKey
	elsewhere.Template = "/v3/x"
	run("by identity and operation", func(t *testing.T) {
		l := middleware.NewLimits()
		require.NoError(t, acquire(l, feedKey, 1))
		require.ErrorIs(t, acquire(l, feedKey, 1), middleware.ErrLimited)
		require.NoError(t, acquire(l, other, 1))
		require.NoError(t, acquire(l, elsewhere, 1))
	})
	run("nothing documented, nothing held back", func(t *testing.T) {
		l := middleware.NewLimits()
		for range 1000 {
			require.NoError(t, acquire(l, elsewhere, 0))
		}
	})
	run("the first rule that fits replaces the documented rate", func(t *testing.T) {
		l := middleware.NewLimits(middleware.Rule{Template: feedKey.Template, PerSecond: 2}, middleware.Rule{PerSecond: 1})
		require.NoError(t, acquire(l, feedKey, 1))
		require.NoError(t, acquire(l, feedKey, 1))
		require.ErrorIs(t, acquire(l, feedKey, 1), middleware.ErrLimited)
		require.NoError(t, acquire(l, elsewhere, 9))
		require.ErrorIs(t, acquire(l, elsewhere, 9), middleware.ErrLimited)
	})
	run("in flight", func(t *testing.T) {
		l := middleware.NewLimits(middleware.Rule{InFlight: 2})
		first, err := l.Acquire(context.Background(), feedKey, fact.Rate{})
		require.NoError(t, err)
		_, err = l.Acquire(context.Background(), feedKey, fact.Rate{})
		require.NoError(t, err)
		require.ErrorIs(t, acquire(l, feedKey, 0), middleware.ErrLimited)
		first()
		require.NoError(t, acquire(l, feedKey, 0))
	})
	run("waiting honours the context", func(t *testing.T) {
		l := middleware.NewLimits(middleware.Rule{PerSecond: 1})
		_, err := l.Acquire(context.Background(), feedKey, fact.Rate{})
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(300*time.Millisecond, cancel)
		begin := time.Now()
		_, err = l.Acquire(ctx, feedKey, fact.Rate{})
		require.ErrorIs(t, err, middleware.ErrLimited)
		require.ErrorIs(t, err, context.Canceled)
		assert.Equal(t, 300*time.Millisecond, time.Since(begin))
	})
}

// Waiting for the limits may take longer than an attempt may, but not longer than the call.
func TestWaitingIsNotPartOfTheAttempt(t *testing.T) {
	const calls = 100 // at 2/s, with 10 s for an attempt and 30 s for a call
	for name, limiter := range map[string]func() middleware.Limiter{
		"own": func() middleware.Limiter { return middleware.NewLimits(middleware.Rule{PerSecond: 2}) },
		"shared": func() middleware.Limiter {
			limits := middleware.NewLimits(middleware.Rule{PerSecond: 2})
			return limiterFunc(func(ctx context.Context, key middleware.LimitKey, rate fact.Rate) (func(), error) {
				return limits.Acquire(ctx, key, rate)
			})
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			slow := middleware.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
				select {
				case <-time.After(9 * time.Second):
					middleware.CallFrom(req.Context()).Reached = true
					return succeeded, nil
				case <-req.Context().Done():
					return nil, context.Cause(req.Context())
				}
			})
			rt := middleware.Retry(&middleware.RetryConfig{Attempts: 1})(middleware.Limit(limiter(), "mchid 1")(slow))
			begin := time.Now()
			var mu sync.Mutex
			var callers sync.WaitGroup
			succeeded, refused := 0, 0
			for range calls {
				callers.Go(func() {
					call := &middleware.Call{Method: "GET", Template: "/v3/x", Deadline: time.Now().Add(30 * time.Second), Limits: &middleware.TimeLimits{
						Total: 30 * time.Second, TotalErr: context.DeadlineExceeded, Attempt: 10 * time.Second, AttemptErr: context.DeadlineExceeded}}
					_, err := rt.RoundTrip(request(t, call))
					mu.Lock()
					defer mu.Unlock()
					if err == nil {
						succeeded++
					} else if errors.Is(err, middleware.ErrLimited) {
						refused++
					}
				})
			}
			callers.Wait()
			assert.Greater(t, succeeded, 40, "%s: all whose turn came in time", name)
			assert.Greater(t, refused, 30, name)
			assert.LessOrEqual(t, time.Since(begin), 30*time.Second, name)
		})
	}
}

// Limit asks for every request, with the facts of its operation, and releases it at its end.
func TestLimitAsksForEveryRequest(t *testing.T) {
	var asked []middleware.LimitKey
	var rates []int
	released := 0
	limiter := limiterFunc(func(_ context.Context, key middleware.LimitKey, rate fact.Rate) (func(), error) {
		asked, rates = append(asked, key), append(rates, rate.PerSecond)
		return func() { released++ }, nil
	})
	limited := middleware.Limit(limiter, "brand_id 1004")(succeeding())
	call := &middleware.Call{Method: "GET", Template: "/v3/x/{id}"}
	_, err := limited.RoundTrip(request(t, call))
	require.NoError(t, err)
	call.Operation = &fact.Operation{Conduct: fact.Conduct{Rate: fact.Rate{PerSecond: 7}}}
	_, err = limited.RoundTrip(request(t, call))
	require.NoError(t, err)
	key := middleware.LimitKey{Identity: "brand_id 1004", Method: http.MethodGet, Template: "/v3/x/{id}"}
	assert.Equal(t, []middleware.LimitKey{key, key}, asked)
	assert.Equal(t, []int{0, 7}, rates)
	assert.Equal(t, 2, released)
}

type limiterFunc func(context.Context, middleware.LimitKey, fact.Rate) (func(), error)

func (f limiterFunc) Acquire(ctx context.Context, key middleware.LimitKey, rate fact.Rate) (func(), error) {
	return f(ctx, key, rate)
}
