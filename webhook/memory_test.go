//go:build go1.25

package webhook_test

import (
	"context"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/webhook"
)

func claim(t testing.TB, d webhook.Deduper, key, owner string) webhook.State {
	t.Helper()
	state, err := d.Claim(t.Context(), key, owner)
	require.NoError(t, err)
	return state
}

func TestMemory(t *testing.T) {
	m := webhook.NewMemory(0, 0)
	assert.Equal(t, webhook.Claimed, claim(t, m, "a", "one"))
	assert.Equal(t, webhook.Busy, claim(t, m, "a", "two"))
	assert.Equal(t, webhook.Busy, claim(t, m, "a", "one"), "an owner has one claim")
	assert.Equal(t, webhook.Claimed, claim(t, m, "b", "two"), "another event")

	// Only who holds the claim can end it.
	require.NoError(t, m.Done(t.Context(), "a", "two"))
	require.NoError(t, m.Release(t.Context(), "a", "two"))
	require.NoError(t, m.Done(t.Context(), "c", "one"))
	assert.Equal(t, webhook.Busy, claim(t, m, "a", "two"))
	assert.Zero(t, m.Len())

	require.NoError(t, m.Release(t.Context(), "a", "one"))
	assert.Equal(t, webhook.Claimed, claim(t, m, "a", "two"))
	require.NoError(t, m.Done(t.Context(), "a", "two"))
	assert.Equal(t, webhook.Processed, claim(t, m, "a", "three"))
	require.NoError(t, m.Release(t.Context(), "a", "two"))
	assert.Equal(t, webhook.Processed, claim(t, m, "a", "three"), "what is done stays done")
	assert.Equal(t, 1, m.Len())
}

func TestMemoryForgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := webhook.NewMemory(3, time.Hour)
		for i := range 3 {
			claim(t, m, strconv.Itoa(i), "x")
			require.NoError(t, m.Done(t.Context(), strconv.Itoa(i), "x"))
			time.Sleep(time.Minute)
		}
		// Three minutes later: all are kept; the first lapses after an hour.
		for i := range 3 {
			assert.Equal(t, webhook.Processed, claim(t, m, strconv.Itoa(i), "y"))
		}
		time.Sleep(57*time.Minute - 1)
		assert.Equal(t, 3, m.Len())
		time.Sleep(time.Nanosecond)
		assert.Equal(t, 2, m.Len())
		assert.Equal(t, webhook.Claimed, claim(t, m, "0", "y"))

		// Beyond the size the oldest goes first.
		for i := 10; i < 12; i++ {
			claim(t, m, strconv.Itoa(i), "x")
			require.NoError(t, m.Done(t.Context(), strconv.Itoa(i), "x"))
		}
		assert.Equal(t, 3, m.Len())
		assert.Equal(t, webhook.Claimed, claim(t, m, "1", "y"))
		assert.Equal(t, webhook.Processed, claim(t, m, "2", "y"))
		assert.Equal(t, webhook.Busy, claim(t, m, "0", "z"), "what is being processed is never forgotten")
	})
}

func TestMemoryDefaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := webhook.NewMemory(0, 0)
		claim(t, m, "a", "x")
		require.NoError(t, m.Done(t.Context(), "a", "x"))
		time.Sleep(24*time.Hour + 4*time.Minute) // the last redelivery of the usual schedule
		assert.Equal(t, webhook.Processed, claim(t, m, "a", "y"))
		time.Sleep(time.Hour)
		assert.Equal(t, webhook.Claimed, claim(t, m, "a", "y"))
	})
}

func TestMemoryWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := webhook.NewMemory(0, 0)
		require.NoError(t, m.Wait(t.Context(), "a"), "nobody has it")
		claim(t, m, "a", "x")
		var returned atomic.Int32
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				assert.NoError(t, m.Wait(context.Background(), "a"))
				returned.Add(1)
			})
		}
		synctest.Wait()
		assert.Zero(t, returned.Load())
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		require.ErrorIs(t, m.Wait(ctx, "a"), context.DeadlineExceeded)
		require.NoError(t, m.Release(t.Context(), "a", "x"))
		wg.Wait()
		assert.EqualValues(t, 3, returned.Load())
	})
}

// A million distinct events, some with names of a kilobyte, in memory that does not grow.
func TestMemoryIsBounded(t *testing.T) {
	const size, events = 10_000, 1_000_000
	m := webhook.NewMemory(size, 0)
	long := strings.Repeat("x", 1000)
	ctx := t.Context()
	heap := func() uint64 {
		runtime.GC() // the second one frees what a pool kept through the first
		runtime.GC()
		var s runtime.MemStats
		runtime.ReadMemStats(&s)
		return s.HeapAlloc
	}
	before := heap()
	for i := range events {
		key := strconv.Itoa(i)
		if i%100 == 0 {
			key += long
		}
		state, err := m.Claim(ctx, key, "x")
		if err != nil || state != webhook.Claimed {
			t.Fatalf("event %d: %v %v", i, state, err)
		}
		if err := m.Done(ctx, key, "x"); err != nil {
			t.Fatal(err)
		}
	}
	assert.Equal(t, size, m.Len())
	after := heap()
	assert.Less(t, int64(after)-int64(before), int64(size*400), "bytes for %d events", size)
	runtime.KeepAlive(m)
	t.Logf("%d bytes an entry", (int64(after)-int64(before))/size)
}

func TestMemoryInParallel(t *testing.T) {
	m := webhook.NewMemory(50, 0)
	var wg sync.WaitGroup
	var claimed atomic.Int32
	for g := range 8 {
		wg.Go(func() {
			owner := strconv.Itoa(g)
			for i := range 200 {
				key := strconv.Itoa(i % 40)
				state, _ := m.Claim(context.Background(), key, owner)
				switch {
				case state == webhook.Claimed && i%2 == 0:
					claimed.Add(1)
					_ = m.Done(context.Background(), key, owner)
				case state == webhook.Claimed:
					_ = m.Release(context.Background(), key, owner)
				case state == webhook.Busy:
					_ = m.Wait(context.Background(), key)
				}
			}
		})
	}
	wg.Wait()
	assert.EqualValues(t, 20, claimed.Load(), "each even event once")
	assert.Equal(t, 20, m.Len())
}

func TestStateText(t *testing.T) {
	for state, want := range map[webhook.State]string{
		webhook.Claimed: "claimed", webhook.Busy: "busy", webhook.Processed: "processed", 0: "unknown",
	} {
		assert.Equal(t, want, state.String())
	}
}
