//go:build unix

package wxredis_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	wxredis "github.com/wxpay-go/wxpay/contrib/redis"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/middleware"
)

var (
	operation = middleware.LimitKey{Identity: "mchid 1900000109", Method: "POST", Template: "/v3/refund/domestic/refunds"}
	others    = middleware.LimitKey{Identity: "mchid 1900000110", Method: "POST", Template: "/v3/refund/domestic/refunds"}
)

// admissions takes count places in each store, by several callers, and returns when they were taken.
func admissions(t *testing.T, rate, count int, stores ...*wxredis.Store) (times []time.Time) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patient)
	defer cancel()
	var mu sync.Mutex
	var callers sync.WaitGroup
	for _, store := range stores {
		for range count {
			callers.Go(func() {
				at, err := store.Admit(ctx, operation, fact.Rate{PerSecond: rate})
				mu.Lock()
				defer mu.Unlock()
				if assert.NoError(t, err) {
					times = append(times, at)
				}
			})
		}
	}
	callers.Wait()
	slices.SortFunc(times, time.Time.Compare)
	return times
}

// most is the largest number of times within a second.
func most(times []time.Time) (n int) {
	for i := range times {
		j := i
		for j < len(times) && times[j].Sub(times[i]) < time.Second {
			j++
		}
		n = max(n, j-i)
	}
	return n
}

// Within any second no more requests begin than the rate, whoever sends them.
func TestLimit(t *testing.T) {
	withServers(t, func(t *testing.T, program string) {
		server := start(t, program)
		times := admissions(t, 30, 22, server.store(), server.store(), server.store())
		require.Len(t, times, 66)
		assert.LessOrEqual(t, most(times), 30)
		assert.Eventually(t, func() bool { // nothing is left behind
			return server.dial().DBSize(t.Context()).Val() == 0
		}, patient, 100*time.Millisecond)
	})
}

// Requests whose replies come late do not draw closer to those of others: they take other places.
func TestLimitSlowNetwork(t *testing.T) {
	withServers(t, func(t *testing.T, program string) {
		server := start(t, program)
		fast, c := server.store(), server.dial()
		var late atomic.Bool
		proxied := server.dial(func(o *redis.Options) { o.Addr, o.PoolSize, o.MinIdleConns = slowProxy(t, server, &late), 20, 20 })
		eventually(t, func(collect *assert.CollectT) {
			assert.NoError(collect, proxied.Ping(t.Context()).Err())
			assert.EqualValues(collect, 20, proxied.PoolStats().IdleConns)
		})
		slow := newStore(t, proxied)
		require.NoError(t, within(t, fast, others, 1)) // the server knows the script
		late.Store(true)
		taken := make(chan []time.Time, 1)
		go func() { taken <- admissions(t, 20, 20, slow) }()
		eventually(t, func(collect *assert.CollectT) { // every place of the first second, before any reply
			assert.GreaterOrEqual(collect, c.LLen(t.Context(), fast.LimitKey(operation)).Val(), int64(20))
		})
		times := admissions(t, 20, 20, fast)
		times = append(times, <-taken...)
		slices.SortFunc(times, time.Time.Compare)
		require.Len(t, times, 40)
		assert.LessOrEqual(t, most(times), 20)
	})
}

// slowProxy passes connections on, and holds back each reply for 300 ms while late.
func slowProxy(t *testing.T, server *server, late *atomic.Bool) (socket string) {
	t.Helper()
	socket = filepath.Join(server.dir, "p")
	listener, err := net.Listen("unix", socket)
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("unix", server.socket())
			if err != nil {
				_ = near.Close()
				continue
			}
			go func() { _, _ = io.Copy(far, near); _ = far.Close() }()
			go func() {
				defer near.Close()
				buffer := make([]byte, 1<<16)
				for {
					n, err := far.Read(buffer)
					if err != nil {
						return
					}
					if late.Load() {
						time.Sleep(300 * time.Millisecond)
					}
					if _, err := near.Write(buffer[:n]); err != nil {
						return
					}
				}
			}()
		}
	}()
	return socket
}

// ahead makes the last request of a limit begin so much later than now.
func ahead(t *testing.T, c *redis.Client, store *wxredis.Store, key middleware.LimitKey, d time.Duration) {
	t.Helper()
	c.Del(t.Context(), store.LimitKey(key))
	now := c.Time(t.Context()).Val()
	require.NoError(t, c.RPush(t.Context(), store.LimitKey(key), fmt.Sprintf("w1:%d", now.Add(d).UnixMicro())).Err())
}

// within takes a place within 30 s.
func within(t *testing.T, store *wxredis.Store, key middleware.LimitKey, rate int) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	done, err := store.Acquire(ctx, key, fact.Rate{PerSecond: rate})
	assert.Nil(t, done)
	return err
}

// What has no limit asks nobody; rules replace documented rates; a deadline is known to be missed at
// once.
func TestLimitRules(t *testing.T) {
	withServers(t, func(t *testing.T, program string) {
		server := start(t, program)
		c := server.dial()
		ruled, free := operation, operation
		ruled.Template, free.Method = "/v3/x", "GET"
		store := server.store(wxredis.WithRules(
			middleware.Rule{Method: "POST", Template: ruled.Template, PerSecond: 1}, middleware.Rule{Method: "GET"}))
		for range 100 {
			require.NoError(t, within(t, store, operation, 0))
			require.NoError(t, within(t, store, free, 5))
		}
		assert.Zero(t, c.DBSize(t.Context()).Val())
		ahead(t, c, store, ruled, 50*time.Second)
		begin := time.Now()
		require.ErrorIs(t, within(t, store, ruled, 9), middleware.ErrLimited)
		assert.Less(t, time.Since(begin), 25*time.Second)
		require.NoError(t, within(t, store, others, 9))
		require.NoError(t, within(t, store, operation, 9))
	})
}

// A process with another rate keeps its own, and does not disturb the rest.
func TestLimitOtherRate(t *testing.T) {
	withServers(t, func(t *testing.T, program string) {
		server := start(t, program)
		big, small := server.store(), server.store(wxredis.WithRules(middleware.Rule{PerSecond: 5}))
		var times []time.Time
		var mu sync.Mutex
		var all sync.WaitGroup
		for _, store := range []*wxredis.Store{big, small} {
			all.Go(func() {
				taken := admissions(t, 10, 12, store)
				mu.Lock()
				defer mu.Unlock()
				times = append(times, taken...)
			})
		}
		all.Wait()
		slices.SortFunc(times, time.Time.Compare)
		require.Len(t, times, 24)
		assert.LessOrEqual(t, most(times), 10)
	})
}

// A server whose clock goes back: a little of it is waited for, and after more than two minutes the
// limit begins anew.
func TestLimitClock(t *testing.T) {
	withServers(t, func(t *testing.T, program string) {
		server := start(t, program)
		store, c := server.store(), server.dial()
		ahead(t, c, store, operation, 50*time.Second)
		err := within(t, store, operation, 1)
		require.ErrorIs(t, err, middleware.ErrLimited)
		assert.Regexp(t, `the next place is \d+(\.\d+)?s away, past the deadline`, err)
		ahead(t, c, store, operation, time.Hour)
		require.NoError(t, within(t, store, operation, 1))
	})
}

// A share is the rate divided by the processes, within any second, or one request in a longer time.
func TestShare(t *testing.T) {
	for _, test := range []struct {
		rate, processes int
		places          int           // at once
		then            time.Duration // until the next
	}{
		{100, 1, 100, 1010 * time.Millisecond},
		{100, 4, 25, 1010 * time.Millisecond},
		{10, 3, 3, 1010 * time.Millisecond},
		{5, 5, 1, 1010 * time.Millisecond},
		{5, 10, 1, 2020 * time.Millisecond},
		{1, 60, 1, 60600 * time.Millisecond},
	} {
		t.Run(fmt.Sprintf("%d by %d", test.rate, test.processes), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				wait, begin := wxredis.ShareWait(test.rate, test.processes), time.Now()
				for range test.places {
					at, err := wait(t.Context())
					require.NoError(t, err)
					require.Equal(t, begin, at)
				}
				short, cancel := context.WithTimeout(t.Context(), test.then-time.Millisecond)
				defer cancel()
				_, err := wait(short)
				require.ErrorIs(t, err, middleware.ErrLimited)
				assert.Zero(t, time.Since(begin), "known at once")
				at, err := wait(t.Context())
				require.NoError(t, err)
				assert.Equal(t, test.then, at.Sub(begin))

				leaving, leave := context.WithCancel(t.Context())
				time.AfterFunc(time.Millisecond, leave)
				for err == nil { // at most the rest of the places
					_, err = wait(leaving)
				}
				require.ErrorIs(t, err, middleware.ErrLimited)
				require.ErrorIs(t, err, context.Canceled)
			})
		})
	}
}
