//go:build unix

package wxredis_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
	wxredis "github.com/wxpay-go/wxpay/contrib/redis"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/webhook"
)

const event = "1900000109 transaction SHOP-0001 SUCCESS"

func claim(t *testing.T, s *wxredis.Store, owner string) webhook.State {
	t.Helper()
	state, err := s.Claim(t.Context(), event, owner)
	require.NoError(t, err)
	return state
}

// The steps of an event, by two processes.
func TestSteps(t *testing.T) {
	withServers(t, func(t *testing.T, program string) {
		server := start(t, program)
		a, b, c := server.store(), server.store(), server.dial()
		rest := func() time.Duration { return c.PTTL(t.Context(), a.EventKey(event)).Val() }

		require.Equal(t, webhook.Claimed, claim(t, a, "a"))
		assert.InDelta(t, wxredis.DefaultLease.Seconds(), rest().Seconds(), 30)
		assert.Equal(t, webhook.Claimed, claim(t, a, "a"), "the reply got lost, and the client asks again")
		assert.Equal(t, webhook.Busy, claim(t, b, "b"))
		require.NoError(t, b.Release(t.Context(), event, "b"))
		require.NoError(t, b.Done(t.Context(), event, "b"))
		assert.Equal(t, webhook.Busy, claim(t, b, "b"), "only the owner ends a claim")

		require.NoError(t, a.Release(t.Context(), event, "a"))
		require.Equal(t, webhook.Claimed, claim(t, b, "b"))
		require.NoError(t, b.Done(t.Context(), event, "b"))
		assert.InDelta(t, webhook.DefaultMemoryTTL.Seconds(), rest().Seconds(), 30)
		assert.Equal(t, webhook.Processed, claim(t, a, "a"))
		require.NoError(t, b.Release(t.Context(), event, "b"))
		require.NoError(t, b.Done(t.Context(), event, "b"))
		assert.Equal(t, webhook.Processed, claim(t, a, "a"))

		keys := c.Keys(t.Context(), "*").Val()
		require.Len(t, keys, 1)
		assert.NotContains(t, keys[0], "SHOP-0001")
	})
}

// A claim lapses with its instance. An owner that ends after that does no harm to the next one, and
// is not forgotten if there is none.
func TestLapse(t *testing.T) {
	withServers(t, func(t *testing.T, program string) {
		server := start(t, program)
		a, b, c := server.store(), server.store(wxredis.WithLease(time.Hour)), server.dial()
		lapse := func() { require.EqualValues(t, 1, c.Del(t.Context(), a.EventKey(event)).Val()) } // as its end would
		claim(t, a, "a")
		lapse()
		require.Equal(t, webhook.Claimed, claim(t, b, "b"))
		assert.Greater(t, c.PTTL(t.Context(), b.EventKey(event)).Val(), 50*time.Minute)
		require.NoError(t, a.Done(t.Context(), event, "a"))
		assert.Equal(t, webhook.Busy, claim(t, a, "c"))
		lapse()
		require.NoError(t, b.Done(t.Context(), event, "b"))
		assert.Equal(t, webhook.Processed, claim(t, a, "a"))
	})
}

// wait waits for the event, and returns the channel of its result.
func wait(t *testing.T, s *wxredis.Store) <-chan error {
	ctx, cancel := context.WithTimeout(context.Background(), patient)
	t.Cleanup(cancel)
	ended := make(chan error, 1)
	go func() { ended <- s.Wait(ctx, event) }()
	return ended
}

// subscribed waits until so many processes wait for messages.
func subscribed(t *testing.T, c *redis.Client, s *wxredis.Store, processes int64) {
	t.Helper()
	eventually(t, func(collect *assert.CollectT) {
		assert.Equal(collect, processes, c.PubSubNumSub(t.Context(), s.Channel()).Val()[s.Channel()])
	})
}

// Those who wait learn of the end by a message, all of a process by one subscription.
func TestWait(t *testing.T) {
	withServers(t, func(t *testing.T, program string) {
		for name, end := range map[string]func(*wxredis.Store, context.Context, string, string) error{
			"done": (*wxredis.Store).Done, "release": (*wxredis.Store).Release,
		} {
			t.Run(name, func(t *testing.T) {
				server := start(t, program)
				a, b, c := server.store(), server.store(), server.dial()
				b.OnlyMessages()
				claim(t, a, "a")
				var waiting []<-chan error
				for range 20 {
					waiting = append(waiting, wait(t, b))
				}
				subscribed(t, c, b, 1)
				for _, ended := range waiting {
					assert.Empty(t, ended, "the event is busy")
				}
				require.NoError(t, end(a, t.Context(), event, "a"))
				for _, ended := range waiting {
					require.NoError(t, <-ended)
				}
				subscribed(t, c, b, 0)
				require.NoError(t, <-wait(t, b), "nobody has it")

				ctx, cancel := context.WithCancel(t.Context())
				cancel()
				claim(t, a, "a")
				if name == "release" {
					require.ErrorIs(t, b.Wait(ctx, event), context.Canceled)
				}
			})
		}
	})
}

// What ends without a message is seen too: a claim that lapses, a lost connection, and a server that
// forbids messages.
func TestWaitWithoutMessage(t *testing.T) {
	withServers(t, func(t *testing.T, program string) {
		run := func(name string, test func(t *testing.T, server *server)) {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				test(t, start(t, program))
			})
		}
		run("the claim lapses", func(t *testing.T, server *server) {
			a, b := server.store(wxredis.WithLease(time.Second)), server.store()
			b.OnlyMessages()
			claim(t, a, "a")
			require.NoError(t, <-wait(t, b))
			assert.Equal(t, webhook.Claimed, claim(t, b, "b"))
		})
		run("the connection is lost", func(t *testing.T, server *server) {
			a, b, c := server.store(), server.store(), server.dial()
			b.OnlyMessages()
			claim(t, a, "a")
			ended := wait(t, b)
			subscribed(t, c, b, 1)
			require.NoError(t, c.Do(t.Context(), "CLIENT", "KILL", "TYPE", "pubsub").Err())
			require.NoError(t, a.Done(t.Context(), event, "a"))
			require.NoError(t, <-ended)
		})
		run("messages are forbidden", func(t *testing.T, server *server) {
			c := server.dial()
			require.NoError(t, c.Do(t.Context(), "ACL", "SETUSER", "shop", "on", "nopass", "~wxpay:*", "resetchannels", "+@all").Err())
			as := func(o *redis.Options) { o.Username, o.Password = "shop", "any" }
			a, b := newStore(t, server.dial(as)), newStore(t, server.dial(as))
			claim(t, a, "a")
			ended := wait(t, b)
			require.NoError(t, a.Done(t.Context(), event, "a"))
			require.NoError(t, <-ended)
		})
	})
}

// receiver is a handler over a store, as one process has it.
func receiver(t *testing.T, sb *sandbox.Sandbox, store *wxredis.Store, fn webhook.Func, options ...webhook.Option) *webhook.Handler {
	t.Helper()
	set, err := apiv3.NewKeySet(apiv3.PlatformKey{Serial: sb.Keys.PublicKeyID(), Key: sb.Keys.PublicKey()})
	require.NoError(t, err)
	h, err := webhook.New(webhook.Merchant{ID: sb.Merchant().ID, APIv3Key: sb.Merchant().APIv3Key, Keys: webhook.Static(set)},
		append([]webhook.Option{webhook.WithDeduper(store), webhook.WithLogger(nil)}, options...)...)
	require.NoError(t, err)
	h.On(webhook.TransactionSuccess, fn)
	return h
}

// notifications returns a function that makes the same notification again and again.
func notifications(t *testing.T, sb *sandbox.Sandbox) func() *http.Request {
	t.Helper()
	resource, err := sb.Deliveries.Sample(webhook.TransactionSuccess)
	require.NoError(t, err)
	return func() *http.Request {
		r, err := sb.Deliveries.Notify(webhook.TransactionSuccess, resource)
		require.NoError(t, err)
		return r
	}
}

func deliver(h http.Handler, r *http.Request) int {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code
}

// Parallel deliveries to two processes run the function once. Those beside it wait for its end.
func TestOnce(t *testing.T) {
	withServers(t, func(t *testing.T, program string) {
		server := start(t, program)
		sb, err := sandbox.New()
		require.NoError(t, err)
		defer sb.Close()
		var runs atomic.Int32
		release := make(chan struct{})
		fn := func(context.Context, *webhook.Event) error {
			runs.Add(1)
			<-release
			return nil
		}
		stores := []*wxredis.Store{server.store(), server.store()}
		handlers := []*webhook.Handler{receiver(t, sb, stores[0], fn), receiver(t, sb, stores[1], fn)}
		next := notifications(t, sb)
		var all sync.WaitGroup
		var answered atomic.Int32
		for i := range 16 {
			r := next()
			all.Go(func() {
				// 503 or 500 if the machine is slow: the budget of a delivery is 4.5 s.
				assert.Contains(t, []int{http.StatusNoContent, http.StatusServiceUnavailable, http.StatusInternalServerError}, deliver(handlers[i%2], r))
				answered.Add(1)
			})
		}
		c, channel := server.dial(), stores[0].Channel()
		eventually(t, func(collect *assert.CollectT) { // both processes wait, or the budgets have ended on a slow machine
			assert.True(collect, c.PubSubNumSub(t.Context(), channel).Val()[channel] == 2 || answered.Load() == 16)
		})
		close(release)
		all.Wait()
		for _, h := range handlers {
			require.NoError(t, h.Wait(t.Context()))
			assert.Equal(t, http.StatusNoContent, deliver(h, next()))
		}
		assert.EqualValues(t, 1, runs.Load())
	})
}
