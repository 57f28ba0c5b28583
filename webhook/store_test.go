//go:build go1.25

package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/webhook"
)

// faulty is a store that can be told to fail, and that cannot wait.
type faulty struct {
	*webhook.Memory
	claim, done, release func() error
}

func (f *faulty) Claim(ctx context.Context, key, owner string) (webhook.State, error) {
	if f.claim != nil {
		if err := f.claim(); err != nil {
			return 0, err
		}
	}
	return f.Memory.Claim(ctx, key, owner)
}

func (f *faulty) Done(ctx context.Context, key, owner string) error {
	if f.done != nil {
		if err := f.done(); err != nil {
			return err
		}
	}
	return f.Memory.Done(ctx, key, owner)
}

func (f *faulty) Release(ctx context.Context, key, owner string) error {
	if f.release != nil {
		if err := f.release(); err != nil {
			return err
		}
	}
	return f.Memory.Release(ctx, key, owner)
}

func (f *faulty) Wait() {} // not the Wait of a Waiter

var errStore = errors.New("redis at 10.0.0.7 is down")

func TestStoreFails(t *testing.T) {
	down := func() error { return errStore }
	t.Run("claiming", func(t *testing.T) {
		var seen observed
		store := &faulty{Memory: webhook.NewMemory(0, 0), claim: down}
		h := newHandler(t, webhook.WithDeduper(store), seen.option())
		h.OnDefault(func(context.Context, *webhook.Event) error { t.Error("it ran without a claim"); return nil })
		w := payment().send(h)
		assertFail(t, 503, w)
		assert.NotContains(t, w.Body.String(), "10.0.0.7")
		o := seen.one(t)
		assert.Equal(t, "store", o.Failure)
		require.ErrorIs(t, o.Err, webhook.ErrDeduper)
		require.ErrorIs(t, o.Err, errStore)
	})
	t.Run("noting done", func(t *testing.T) {
		var seen observed
		store := &faulty{Memory: webhook.NewMemory(0, 0), done: down}
		h := newHandler(t, webhook.WithDeduper(store), seen.option())
		h.OnDefault(func(context.Context, *webhook.Event) error { return nil })
		assert.Equal(t, 204, payment().send(h).Code, "the work is done")
		o := seen.one(t)
		assert.Equal(t, 204, o.Status)
		require.ErrorIs(t, o.Err, webhook.ErrDeduper)
	})
	t.Run("noting done, by a panic", func(t *testing.T) {
		var seen observed
		store := &faulty{Memory: webhook.NewMemory(0, 0), done: func() error { panic("nil map") }}
		h := newHandler(t, webhook.WithDeduper(store), seen.option())
		h.OnDefault(func(context.Context, *webhook.Event) error { return nil })
		assert.Equal(t, 204, payment().send(h).Code, "the work is done")
		o := seen.one(t)
		assert.Equal(t, 204, o.Status)
		require.ErrorIs(t, o.Err, webhook.ErrDeduper)
		require.ErrorAs(t, o.Err, new(*webhook.PanicError))
	})
	t.Run("noting done, by hanging", func(t *testing.T) {
		for name, failure := range map[string]error{"and then it fails": errStore, "and then it succeeds": nil} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var seen observed
					store := &faulty{Memory: webhook.NewMemory(0, 0), done: func() error { time.Sleep(9 * time.Second); return failure }}
					h := newHandler(t, webhook.WithDeduper(store), seen.option())
					h.OnDefault(func(context.Context, *webhook.Event) error { return nil })
					begin := time.Now()
					assert.Equal(t, 204, payment().send(h).Code, "the work is done")
					assert.Equal(t, 4500*time.Millisecond, time.Since(begin))
					require.NoError(t, h.Wait(context.Background()))
					o := seen.one(t)
					assert.Equal(t, 204, o.Status)
					assert.False(t, o.Late)
					assert.Equal(t, failure != nil, errors.Is(o.Err, webhook.ErrDeduper), o.Err)
				})
			})
		}
	})
	t.Run("releasing", func(t *testing.T) {
		var seen observed
		store := &faulty{Memory: webhook.NewMemory(0, 0), release: down}
		h := newHandler(t, webhook.WithDeduper(store), seen.option())
		own := errors.New("own")
		h.OnDefault(func(context.Context, *webhook.Event) error { return own })
		assertFail(t, 500, payment().send(h))
		o := seen.one(t)
		require.ErrorIs(t, o.Err, webhook.ErrDeduper)
		require.ErrorIs(t, o.Err, own)
		assert.Equal(t, "function", o.Failure)
	})
	t.Run("panicking", func(t *testing.T) {
		var seen observed
		store := &faulty{Memory: webhook.NewMemory(0, 0), claim: func() error { panic("nil map") }}
		h := newHandler(t, webhook.WithDeduper(store), seen.option())
		h.OnDefault(func(context.Context, *webhook.Event) error { return nil })
		assertFail(t, 500, payment().send(h))
		var panicked *webhook.PanicError
		o := seen.one(t)
		require.ErrorAs(t, o.Err, &panicked)
		assert.Equal(t, "panic", o.Failure)
		assert.NotContains(t, fmt.Sprintf("%+v", panicked), "nil map")
	})
	t.Run("hanging", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			store := &faulty{Memory: webhook.NewMemory(0, 0)}
			store.claim = func() error { time.Sleep(7 * time.Second); return nil }
			h := newHandler(t, webhook.WithDeduper(store))
			var runs atomic.Int32
			h.OnDefault(func(context.Context, *webhook.Event) error { runs.Add(1); return nil })
			n := payment()
			begin := time.Now()
			assertFail(t, 503, n.send(h))
			assert.Equal(t, 4500*time.Millisecond, time.Since(begin))
			require.NoError(t, h.Wait(context.Background()))
			assert.Zero(t, runs.Load(), "what was answered does not begin")
			store.claim = nil
			assert.Equal(t, 204, n.again().send(h).Code, "its claim was given back")
			assert.EqualValues(t, 1, runs.Load())
		})
	})
}
