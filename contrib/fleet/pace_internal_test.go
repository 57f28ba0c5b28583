package fleet

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/middleware"
)

// memoryStore is a paceStore whose responses take a while, over a network that is not the same in
// both directions.
type memoryStore struct {
	skew time.Duration // of its clock
	slow time.Duration // the most that each direction takes
	disk time.Duration // that a write takes besides

	mu        sync.Mutex
	next      map[string]time.Time
	revisions map[string]uint64
	saves     int
	conflicts int
	down      error
	lossy     float64 // part of the responses that get lost, after the effect
}

var errLost = errors.New("lost")

func (s *memoryStore) way() {
	if s.slow > 0 {
		time.Sleep(time.Duration(rand.Int64N(int64(s.slow))))
	}
}

func (s *memoryStore) trip(do func() error) error {
	s.way()
	s.mu.Lock()
	err := s.down
	if err == nil {
		err = do()
	}
	if err == nil && rand.Float64() < s.lossy {
		err = errLost
	}
	s.mu.Unlock()
	s.way()
	return err
}

func (s *memoryStore) Load(_ context.Context, key string) (next time.Time, revision uint64, err error) {
	err = s.trip(func() error {
		next, revision = s.next[key], s.revisions[key]
		return nil
	})
	return next, revision, err
}

func (s *memoryStore) Save(_ context.Context, key string, next time.Time, revision uint64) (saved uint64, err error) {
	time.Sleep(s.disk)
	err = s.trip(func() error {
		if s.revisions[key] != revision {
			s.conflicts++
			return errPaceConflict
		}
		if s.next == nil {
			s.next, s.revisions = map[string]time.Time{}, map[string]uint64{}
		}
		s.saves++
		s.next[key], s.revisions[key] = next, revision+1
		saved = revision + 1
		return nil
	})
	return saved, err
}

func (s *memoryStore) Clock(context.Context) (shared time.Time, err error) {
	err = s.trip(func() error {
		shared = time.Now().Add(s.skew).Round(0)
		return nil
	})
	return shared, err
}

func (s *memoryStore) fail(err error) {
	s.mu.Lock()
	s.down = err
	s.mu.Unlock()
}

// simulation is many processes that use one store.
type simulation struct {
	store   *memoryStore
	workers []*Limiter

	mu      sync.Mutex
	used    []time.Time
	longest time.Duration // that somebody waited
}

func simulate(workers, fallback, perSecond int, store *memoryStore) *simulation {
	s := &simulation{store: store}
	for range workers {
		l := &Limiter{store: store, clock: sharedClock{store: store}, workers: fallback, paces: map[middleware.LimitKey]*pace{},
			rules: []middleware.Rule{{PerSecond: perSecond}}}
		s.workers = append(s.workers, l)
	}
	return s
}

// run has callers of each worker ask for tokens one after the other, for so long.
func (s *simulation) run(callers int, long time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), long)
	defer cancel()
	var wg sync.WaitGroup
	for _, l := range s.workers {
		for range callers {
			wg.Go(func() {
				for {
					began := time.Now()
					if _, err := l.Acquire(ctx, middleware.LimitKey{Identity: "mchid 1"}, fact.Rate{}); err != nil {
						if ctx.Err() != nil {
							return
						}
						time.Sleep(10 * time.Millisecond) // refused because the end is near
						continue
					}
					s.mu.Lock()
					s.used = append(s.used, time.Now())
					s.longest = max(s.longest, time.Since(began))
					s.mu.Unlock()
					time.Sleep(time.Duration(rand.Int64N(int64(40 * time.Millisecond)))) // the call
				}
			})
		}
	}
	wg.Wait()
	time.Sleep(storeTime) // what was on its way to the store for nobody any more ends
}

// densest is the largest number of moments within any window.
func densest(moments []time.Time, window time.Duration) int {
	slices.SortFunc(moments, time.Time.Compare)
	most, first := 0, 0
	for i, t := range moments {
		for t.Sub(moments[first]) >= window {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}

func TestThousandWorkers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		workers, callers, perSecond int
		long                        time.Duration
	}{
		{1, 1, 5, time.Minute},
		{1, 64, 500, 20 * time.Second},
		{8, 1, 5, time.Minute},
		{8, 16, 5, time.Minute},
		{8, 16, 500, 20 * time.Second},
		{1000, 1, 5, 20 * time.Second},
		{1000, 4, 500, 8 * time.Second},
	} {
		t.Run(fmt.Sprintf("%dx%d at %d", c.workers, c.callers, c.perSecond), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := &memoryStore{skew: -17 * time.Minute, slow: time.Millisecond}
				s := simulate(c.workers, 0, c.perSecond, store)
				s.run(c.callers, c.long)
				most := densest(s.used, time.Second)
				use := float64(len(s.used)) / (float64(c.perSecond) * c.long.Seconds())
				t.Logf("%d tokens, %d at most in a second, %.1f %% of the rate, %d writes, %d conflicts", len(s.used), most, 100*use, store.saves, store.conflicts)
				assert.LessOrEqual(t, most, c.perSecond)
				assert.Greater(t, use, 0.9)
			})
		})
	}
}

var key = middleware.LimitKey{Identity: "mchid 1900000109", Method: "POST", Template: "/v3/x"}

// Answers that get lost waste tokens, and never let more through.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &memoryStore{slow: 3 * time.Millisecond, lossy: 0.2}
		s := simulate(20, 0, 50, store)
		s.run(8, 20*time.Second)
		assert.LessOrEqual(t, densest(s.used, time.Second), 50)
		assert.Greater(t, len(s.used), 20*50/2)
	})
}

// While the store is away nothing goes through, or the fraction that was asked for; afterwards all
// is as before.
func TestStoreAway(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ workers, fallback, atMost int }{{8, 0, 0}, {8, 8, 40}, {2, 8, 10}} {
		t.Run(fmt.Sprintf("%d of %d", c.workers, c.fallback), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := &memoryStore{slow: time.Millisecond}
				s := simulate(c.workers, c.fallback, 40, store)
				begin := time.Now()
				time.AfterFunc(10*time.Second, func() { store.fail(errLost) })
				time.AfterFunc(40*time.Second, func() { store.fail(nil) })
				s.run(16, 60*time.Second)
				during := 0
				var before, after []time.Time
				for _, u := range s.used {
					switch at := u.Sub(begin); {
					case at < 10*time.Second:
						before = append(before, u)
					case at > 20*time.Second && at < 40*time.Second:
						during++
					case at > 41*time.Second:
						after = append(after, u)
					}
				}
				second := densest(s.used, time.Second)
				t.Logf("%d before, %d in twenty seconds without, %d after", len(before), during, len(after))
				assert.LessOrEqual(t, during, 20*c.atMost)
				assert.GreaterOrEqual(t, during, 20*c.atMost*8/10)
				assert.LessOrEqual(t, second, 2*40, "when it goes and comes back, some know and some do not")
				assert.LessOrEqual(t, densest(before, time.Second), 40)
				assert.LessOrEqual(t, densest(after, time.Second), 40)
				assert.Greater(t, len(before), 40*9)
				assert.Greater(t, len(after), 40*17)
			})
		})
	}
}

func TestRefusedInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &memoryStore{}
		l := simulate(1, 0, 1, store).workers[0]
		acquire := func(limit time.Duration) (time.Duration, error) {
			begin := time.Now()
			ctx, cancel := context.WithTimeoutCause(t.Context(), limit, errors.New("the call is over"))
			defer cancel()
			_, err := l.Acquire(ctx, key, fact.Rate{})
			return time.Since(begin), err
		}
		took, err := acquire(time.Second)
		require.NoError(t, err)
		assert.Zero(t, took, "the first goes at once")

		took, err = acquire(time.Second)
		require.ErrorIs(t, err, middleware.ErrLimited)
		assert.ErrorContains(t, err, "past the deadline")
		assert.Less(t, took, 100*time.Millisecond, "it is known at once")

		took, err = acquire(10 * time.Second)
		require.NoError(t, err)
		assert.Equal(t, time.Second+paceMargin, took)

		store.fail(errors.New("the bucket has gone"))
		took, err = acquire(7 * time.Second)
		require.ErrorIs(t, err, middleware.ErrLimited)
		assert.ErrorContains(t, err, "the call is over")
		assert.ErrorContains(t, err, "cannot be reached: the bucket has gone")
		assert.Equal(t, 7*time.Second, took)

		store.fail(nil)
		took, err = acquire(7 * time.Second)
		require.NoError(t, err)
		assert.Less(t, took, time.Second)

		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(100*time.Millisecond, func() { cancel(errors.New("stopped")) })
		_, err = l.Acquire(ctx, key, fact.Rate{})
		require.ErrorIs(t, err, middleware.ErrLimited)
		assert.ErrorContains(t, err, "stopped")
	})
}

// A token that was not used in time is not used at all: a process that stood still does not catch
// up.
func TestLateTokens(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		due := time.Now().Add(time.Second)
		used, err := use(t.Context(), due)
		require.NoError(t, err)
		assert.True(t, used)
		time.Sleep(paceGrace)
		used, err = use(t.Context(), due)
		require.NoError(t, err)
		assert.True(t, used)
		time.Sleep(time.Nanosecond)
		used, err = use(t.Context(), due)
		require.NoError(t, err)
		assert.False(t, used)
	})
}

func TestSharedClock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &memoryStore{skew: time.Hour, slow: 30 * time.Millisecond}
		c := &sharedClock{store: store}
		require.NoError(t, c.fresh(t.Context()))
		assert.InDelta(t, time.Hour, time.Until(c.now()), float64(30*time.Millisecond))
		assert.InDelta(t, 0, time.Until(c.localTime(c.now())), float64(time.Millisecond))

		store.skew = 2 * time.Hour
		require.NoError(t, c.fresh(t.Context()))
		assert.InDelta(t, time.Hour, time.Until(c.now()), float64(time.Second), "still good")
		time.Sleep(clockAge)
		require.NoError(t, c.fresh(t.Context()))
		assert.InDelta(t, 2*time.Hour, time.Until(c.now()), float64(time.Second), "read again")

		store.fail(errLost)
		time.Sleep(clockAge)
		require.NoError(t, c.fresh(t.Context()), "good for a while longer")
		time.Sleep(clockAge)
		require.ErrorIs(t, c.fresh(t.Context()), errLost)

		store.fail(nil)
		store.slow = 10 * time.Second
		assert.ErrorContains(t, c.fresh(t.Context()), "reading the clock of the store takes")
	})
}

// A next token that is far ahead comes from a clock that was wrong, and holds nobody up for long.
func TestWrongClockBefore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &memoryStore{}
		l := simulate(1, 0, 1, store).workers[0]
		_, err := store.Save(t.Context(), limitKey(key), time.Now().Add(100*time.Hour), 0)
		require.NoError(t, err)
		begin := time.Now()
		_, err = l.Acquire(t.Context(), key, fact.Rate{})
		require.NoError(t, err)
		assert.Less(t, time.Since(begin), 2*clockAge+5*time.Second)
		assert.Greater(t, time.Since(begin), 2*clockAge, "until then it may be another process that has read the clock already")
	})
}

// A shared clock that jumps lets no more through than promised, although some read it before
// others.
func TestClockJumps(t *testing.T) {
	t.Parallel()
	for _, jump := range []time.Duration{2 * time.Minute, -2 * time.Minute, 20 * time.Second, -20 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			store := &memoryStore{slow: time.Millisecond}
			s := simulate(2, 0, 5, store)
			time.AfterFunc(40*time.Second, func() {
				store.mu.Lock()
				defer store.mu.Unlock()
				store.skew += jump
			})
			go func() { // so that their readings are not renewed together
				time.Sleep(15 * time.Second)
				_, _ = s.workers[1].Acquire(t.Context(), key, fact.Rate{})
			}()
			s.run(4, 4*time.Minute)
			assert.LessOrEqual(t, densest(s.used, time.Second), 2*5, jump)
			assert.Greater(t, len(s.used), 5*120, jump)
		})
	}
}

// A store that writes slowly slows the limit down, and does not stop it.
func TestSlowWrites(t *testing.T) {
	t.Parallel()
	for perSecond, disk := range map[int]time.Duration{5: 250 * time.Millisecond, 500: 150 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			s := simulate(1, 0, perSecond, &memoryStore{slow: time.Millisecond, disk: disk})
			s.run(64, time.Minute)
			assert.LessOrEqual(t, densest(s.used, time.Second), perSecond)
			assert.Greater(t, len(s.used), perSecond*60/5, "%v at %d", disk, perSecond)
		})
	}
}

// Nobody waits much longer than the number of those who wait calls for. The pauses are random: in 150 runs the longest wait
// was 4.8 times a fair one, and about one run in 30,000 has one of seven times. One in which somebody starves has it always.
func TestNobodyStarves(t *testing.T) {
	t.Parallel()
	for _, workers := range []int{2, 4} {
		fair := time.Duration(workers*16) * time.Second / 5
		var longest time.Duration
		for range 3 {
			synctest.Test(t, func(t *testing.T) {
				s := simulate(workers, 0, 5, &memoryStore{slow: time.Millisecond})
				s.run(16, 5*time.Minute)
				longest = s.longest
			})
			t.Logf("%d workers: the longest wait is %v, a fair one %v", workers, longest, fair)
			if longest < 7*fair {
				break
			}
		}
		assert.Less(t, longest, 7*fair)
	}
}
