//go:build unix

package wxredis_test

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	wxredis "github.com/wxpay-go/wxpay/contrib/redis"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/middleware"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/webhook"
)

// A server that is away, or hangs, or comes back.
func TestAwayDeliveries(t *testing.T) {
	withServers(t, func(t *testing.T, program string) {
		server := start(t, program)
		sb, err := sandbox.New()
		require.NoError(t, err)
		defer sb.Close()
		var runs atomic.Int32
		fn := func(context.Context, *webhook.Event) error {
			runs.Add(1)
			return nil
		}
		refusing := receiver(t, sb, server.store(), fn)
		var seen atomic.Pointer[webhook.Observation]
		passing := receiver(t, sb, server.store(wxredis.WithDeliveriesPassing()), fn,
			webhook.WithObserver(func(_ context.Context, o webhook.Observation) { seen.Store(&o) }))
		next := notifications(t, sb)

		server.kill()
		assert.Equal(t, http.StatusServiceUnavailable, deliver(refusing, next()), "the platform delivers again")
		assert.Zero(t, runs.Load())
		assert.Equal(t, http.StatusNoContent, deliver(passing, next()))
		require.ErrorIs(t, seen.Load().Err, webhook.ErrDeduper, "not recorded, and said so")
		assert.Equal(t, http.StatusNoContent, deliver(passing, next()))
		assert.EqualValues(t, 2, runs.Load(), "each delivery runs")

		server.run()
		eventually(t, func(c *assert.CollectT) {
			assert.Equal(c, http.StatusNoContent, deliver(refusing, next()))
		})
		assert.EqualValues(t, 3, runs.Load())
		assert.Equal(t, http.StatusNoContent, deliver(passing, next()))
		assert.EqualValues(t, 3, runs.Load(), "it is known again")
	})
}

// An event that passed while the server was away is recorded if the server is back at its end.
func TestAwayForTheClaim(t *testing.T) {
	withServers(t, func(t *testing.T, program string) {
		server := start(t, program)
		store := server.store(wxredis.WithDeliveriesPassing())
		server.kill()
		require.Equal(t, webhook.Claimed, claim(t, store, "a"))
		require.Error(t, store.Wait(t.Context(), event))
		server.run()
		eventually(t, func(c *assert.CollectT) { assert.NoError(c, store.Done(t.Context(), event, "a")) })
		assert.Equal(t, webhook.Processed, claim(t, store, "b"))
	})
}

// While the server is away, requests are kept back, or keep the share of their process; then they
// share again.
func TestAwayLimit(t *testing.T) {
	withServers(t, func(t *testing.T, program string) {
		server := start(t, program)
		strict, a, b := server.store(), server.store(wxredis.WithProcesses(2)), server.store(wxredis.WithProcesses(2))
		assert.LessOrEqual(t, most(admissions(t, 20, 10, a, b)), 20)
		server.kill()

		_, err := strict.Acquire(t.Context(), operation, fact.Rate{PerSecond: 20})
		require.ErrorContains(t, err, "the request was kept back, because the shared limit is unknown: wxredis: asking the server: ")
		assert.NotErrorIs(t, err, middleware.ErrLimited)
		_, err = strict.Acquire(t.Context(), operation, fact.Rate{PerSecond: 20}) // asks nobody, usually
		require.ErrorContains(t, err, "the request was kept back")

		times := admissions(t, 20, 15, a, b)
		require.Len(t, times, 30)
		assert.LessOrEqual(t, most(times), 20)

		server.run()
		eventually(t, func(c *assert.CollectT) {
			_, err := a.Admit(t.Context(), operation, fact.Rate{PerSecond: 20})
			assert.NoError(c, err)
			assert.EqualValues(c, 1, server.dial().Exists(t.Context(), a.LimitKey(operation)).Val())
		})
	})
}

// A call whose request was kept back has sent nothing, and says so.
func TestAwayCall(t *testing.T) {
	withServers(t, func(t *testing.T, program string) {
		server := start(t, program)
		sb, err := sandbox.New()
		require.NoError(t, err)
		defer sb.Close()
		client := newClient(t, sb, wxpay.WithLimiter(server.store(wxredis.WithRules(middleware.Rule{PerSecond: 100}))))
		require.NoError(t, refund(t, client))
		server.kill()
		err = refund(t, client)
		require.ErrorContains(t, err, "the request was kept back")
		assert.Equal(t, wxpay.NotSent, wxpay.OutcomeOf(err))
	})
}

// A client whose store is away reads the list from the platform; one that has the list goes on.
func TestAwayKeys(t *testing.T) {
	withServers(t, func(t *testing.T, program string) {
		server := start(t, program)
		sb, err := sandbox.New(sandbox.WithKeyMode(sandbox.CertificatesOnly))
		require.NoError(t, err)
		defer sb.Close()
		lists := new(atomic.Int32)
		first := certificateClient(t, sb, lists, server.store())
		require.NoError(t, refund(t, first))
		require.EqualValues(t, 1, lists.Load())
		second := certificateClient(t, sb, lists, server.store())
		require.NoError(t, refund(t, second))
		require.EqualValues(t, 1, lists.Load(), "the copy of the first")

		server.kill()
		require.NoError(t, refund(t, first))
		require.NoError(t, refund(t, second))
		assert.EqualValues(t, 1, lists.Load(), "the copy at hand")
		third := certificateClient(t, sb, lists, server.store())
		require.NoError(t, refund(t, third))
		assert.EqualValues(t, 2, lists.Load(), "the platform's")
		store := server.store()
		_, err = store.Load(t.Context(), "1900000109")
		require.ErrorContains(t, err, "wxredis: asking the server: ")
		require.ErrorContains(t, store.Save(t.Context(), "1900000109", []byte("x")), "wxredis: asking the server: ")
	})
}

// newClient returns a client of the sandbox.
func newClient(t *testing.T, sb *sandbox.Sandbox, options ...wxpay.Option) *wxpay.Client {
	t.Helper()
	m := sb.Merchant()
	if sb.Keys.PublicKeyID() != "" {
		options = append(options, wxpay.WithPublicKey(sb.Keys.PublicKeyID(), sb.Keys.PublicKey()))
	}
	client, err := wxpay.New(wxpay.Merchant{ID: m.ID, Certificate: m.Certificate, PrivateKey: m.PrivateKey, APIv3Key: m.APIv3Key},
		append([]wxpay.Option{wxpay.WithTransport(sb.Transport()), wxpay.WithLogger(nil)}, options...)...)
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// certificateClient is a client that reads the list of certificates, and counts how often.
func certificateClient(t *testing.T, sb *sandbox.Sandbox, lists *atomic.Int32, store wxpay.KeyStore) *wxpay.Client {
	t.Helper()
	m := sb.Merchant()
	client, err := wxpay.New(wxpay.Merchant{ID: m.ID, Certificate: m.Certificate, PrivateKey: m.PrivateKey, APIv3Key: m.APIv3Key},
		wxpay.WithLogger(nil), wxpay.WithCertificates(wxpay.StoreIn(store)),
		wxpay.WithTransport(middleware.RoundTripFunc(func(r *http.Request) (*http.Response, error) {
			if r.URL.Path == "/v3/certificates" {
				lists.Add(1)
			}
			return sb.Transport().RoundTrip(r)
		})))
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// refund makes a call and accepts that the order does not exist: the response was verified.
func refund(t *testing.T, client *wxpay.Client) error {
	t.Helper()
	_, err := client.Chain("v3/pay/transactions/out-trade-no/{out_trade_no}").Var("out_trade_no", "SHOP-0001").
		Query("mchid", client.MchID()).Get(t.Context())
	if wxpay.OutcomeOf(err) == wxpay.Rejected {
		return nil
	}
	return err
}

// A server that hangs is given up after two seconds, also by a client that ignores contexts.
func TestHanging(t *testing.T) {
	withServers(t, func(t *testing.T, program string) {
		server := start(t, program)
		slow := func(o *redis.Options) { o.ReadTimeout = patient }
		refusing := newStore(t, server.dial(slow))
		passing := newStore(t, server.dial(slow), wxredis.WithDeliveriesPassing(), wxredis.WithProcesses(2))
		passing.SetPatience(100 * time.Millisecond)
		require.Equal(t, webhook.Claimed, claim(t, refusing, "a"))
		server.halt()
		defer server.resume()
		begin := time.Now()
		_, err := refusing.Claim(t.Context(), event, "b")
		require.ErrorContains(t, err, "wxredis: asking the server: no reply within 2s")
		assert.Less(t, time.Since(begin), patient/2)
		assert.Equal(t, webhook.Claimed, claim(t, passing, "b"))
		for range 3 { // the first asks and waits
			_, err = passing.Acquire(t.Context(), operation, fact.Rate{PerSecond: 20})
			require.NoError(t, err)
		}
		passing.SetPatience(patient)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		_, err = passing.Claim(ctx, event, "b")
		require.ErrorIs(t, err, context.DeadlineExceeded, "the caller has gone")
	})
}

// What survives kill -9: everything with an append-only file that is synced for each reply, nothing
// without persistence. The scripts are loaded again. (appendfsync everysec may lose the last seconds.)
func TestRestart(t *testing.T) {
	withServers(t, func(t *testing.T, program string) {
		for name, want := range map[string]webhook.State{"yes": webhook.Processed, "no": webhook.Claimed} {
			t.Run("appendonly "+name, func(t *testing.T) {
				server := start(t, program, "--appendonly", name, "--appendfsync", "always")
				store := server.store()
				claim(t, store, "a")
				require.NoError(t, store.Done(t.Context(), event, "a"))
				server.kill()
				server.run()
				eventually(t, func(c *assert.CollectT) {
					state, err := store.Claim(t.Context(), event, "b")
					assert.NoError(c, err)
					assert.Equal(c, want, state)
				})
			})
		}
	})
}
