//go:build unix

package wxredis_test

import (
	"fmt"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	wxredis "github.com/wxpay-go/wxpay/contrib/redis"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/webhook"
)

// A full server that evicts nothing takes no new event, and still records the end of those that it
// has.
func TestFull(t *testing.T) {
	withServers(t, func(t *testing.T, program string) {
		server := start(t, program, "--maxmemory", "1gb", "--maxmemory-policy", "noeviction")
		store := server.store()
		require.NoError(t, store.Check(t.Context()))
		require.NoError(t, store.Save(t.Context(), "1900000109", []byte("list")))
		require.Equal(t, webhook.Claimed, claim(t, store, "a"))
		_, err := store.Claim(t.Context(), "released", "a")
		require.NoError(t, err)
		server.bound("1")

		_, err = store.Claim(t.Context(), "another", "a")
		require.ErrorContains(t, err, "OOM")
		passing := server.store(wxredis.WithDeliveriesPassing())
		state, err := passing.Claim(t.Context(), "another", "a")
		require.NoError(t, err)
		assert.Equal(t, webhook.Claimed, state)
		require.ErrorContains(t, passing.Done(t.Context(), "another", "a"), "OOM", "not recorded, and said so")
		require.NoError(t, store.Done(t.Context(), event, "a"))
		assert.Equal(t, webhook.Processed, claim(t, store, "b"))

		_, err = store.Acquire(t.Context(), operation, fact.Rate{PerSecond: 5})
		require.ErrorContains(t, err, "OOM")
		_, err = server.store(wxredis.WithProcesses(2)).Acquire(t.Context(), operation, fact.Rate{PerSecond: 5})
		require.NoError(t, err)
		require.ErrorContains(t, store.Save(t.Context(), "1900000109", make([]byte, 1<<16)), "OOM")
		copied, err := store.Load(t.Context(), "1900000109")
		require.NoError(t, err)
		assert.Equal(t, "list", string(copied))
		require.ErrorContains(t, store.Check(t.Context()), "OOM")

		require.NoError(t, store.Release(t.Context(), "released", "a"))
		server.bound("1gb")
		require.NoError(t, store.Check(t.Context()))
	})
}

// A server that evicts forgets what was processed. Check says so before.
func TestEviction(t *testing.T) {
	withServers(t, func(t *testing.T, program string) {
		server := start(t, program, "--maxmemory", "4mb", "--maxmemory-policy", "allkeys-random")
		store, c := server.store(), server.dial()
		require.ErrorIs(t, store.Check(t.Context()), wxredis.ErrMayEvict)
		claim(t, store, "a")
		require.NoError(t, store.Done(t.Context(), event, "a"))
		for i := 0; c.Exists(t.Context(), store.EventKey(event)).Val() == 1; i++ {
			require.NoError(t, c.Set(t.Context(), fmt.Sprint("fill", i), make([]byte, 1<<14), 0).Err())
			require.Less(t, i, 1_000_000)
		}
		assert.Equal(t, webhook.Claimed, claim(t, store, "b"), "it would run again")
	})
}

func TestCheck(t *testing.T) {
	withServers(t, func(t *testing.T, program string) {
		server := start(t, program)
		c := server.dial()
		for _, test := range []struct {
			memory, policy, says string
		}{
			{"1gb", "noeviction", ""},
			{"0", "allkeys-lru", ""}, // never full
			{"1gb", "allkeys-lru", "its maxmemory-policy is allkeys-lru, not noeviction"},
			{"1gb", "volatile-lru", "its maxmemory-policy is volatile-lru, not noeviction"},
			{"1gb", "volatile-ttl", "its maxmemory-policy is volatile-ttl, not noeviction"},
		} {
			require.NoError(t, c.ConfigSet(t.Context(), "maxmemory", test.memory).Err())
			require.NoError(t, c.ConfigSet(t.Context(), "maxmemory-policy", test.policy).Err())
			err := server.store().Check(t.Context())
			if test.says == "" {
				assert.NoError(t, err, "%v", test)
				continue
			}
			assert.ErrorIs(t, err, wxredis.ErrMayEvict)
			assert.ErrorContains(t, err, test.says)
		}
		assert.Zero(t, c.DBSize(t.Context()).Val(), "nothing is left behind")

		require.NoError(t, c.Do(t.Context(), "ACL", "SETUSER", "shop", "on", ">secret", "~wxpay:*", "+@all", "-info").Err())
		as := func(password string) func(*redis.Options) {
			return func(o *redis.Options) { o.Username, o.Password = "shop", password }
		}
		err := newStore(t, server.dial(as("secret"))).Check(t.Context())
		require.ErrorIs(t, err, wxredis.ErrMayEvict)
		assert.ErrorContains(t, err, "it does not tell (INFO memory): NOPERM")

		err = newStore(t, server.dial(as("wrong-secret"))).Check(t.Context())
		require.ErrorContains(t, err, "WRONGPASS")
		assert.NotContains(t, err.Error(), "secret")
		err = newStore(t, server.dial(func(o *redis.Options) { o.DB = 99 })).Check(t.Context())
		require.ErrorContains(t, err, "DB index is out of range")
		err = newStore(t, server.dial(func(o *redis.Options) { o.Addr = server.dir + "/none" })).Check(t.Context())
		require.ErrorContains(t, err, "no such file")
		err = newStore(t, server.dial(as("secret")), wxredis.WithPrefix("other:")).Check(t.Context())
		require.ErrorContains(t, err, "NOPERM")
	})
}

// Keys of other programs stay as they are, and the error names the key.
func TestForeign(t *testing.T) {
	withServers(t, func(t *testing.T, program string) {
		server := start(t, program)
		c := server.dial()
		store := server.store(wxredis.WithProcesses(1), wxredis.WithDeliveriesPassing())
		limited := func() error {
			_, err := store.Acquire(t.Context(), operation, fact.Rate{PerSecond: 5})
			return err
		}
		claimed := func() error {
			_, err := store.Claim(t.Context(), event, "a")
			return err
		}
		load := func() error {
			_, err := store.Load(t.Context(), "1900000109")
			return err
		}
		uses := map[string][]func() error{
			store.EventKey(event): {
				claimed, func() error { return store.Done(t.Context(), event, "a") },
				func() error { return store.Release(t.Context(), event, "a") }, func() error { return store.Wait(t.Context(), event) },
			},
			store.LimitKey(operation):   {limited},
			store.CopyKey("1900000109"): {load, func() error { return store.Save(t.Context(), "1900000109", []byte("list")) }},
		}
		for name, value := range map[string]func(key string) error{
			"text":   func(key string) error { return c.Set(t.Context(), key, "value", 0).Err() },
			"hash":   func(key string) error { return c.HSet(t.Context(), key, "owner", "a").Err() },
			"newer":  func(key string) error { return c.HSet(t.Context(), key, "wxpay", "2").Err() },
			"list":   func(key string) error { return c.RPush(t.Context(), key, "1", "2").Err() },
			"later":  func(key string) error { return c.RPush(t.Context(), key, "w2:17").Err() },
			"set":    func(key string) error { return c.SAdd(t.Context(), key, "a").Err() },
			"sorted": func(key string) error { return c.ZAdd(t.Context(), key, redis.Z{Score: 1, Member: "a"}).Err() },
			"stream": func(key string) error {
				return c.XAdd(t.Context(), &redis.XAddArgs{Stream: key, ID: "1-1", Values: []string{"a", "b"}}).Err()
			},
		} {
			for key, list := range uses {
				require.NoError(t, c.FlushDB(t.Context()).Err())
				require.NoError(t, value(key))
				before := c.Dump(t.Context(), key).Val()
				for _, use := range list {
					err := use()
					require.ErrorContains(t, err, fmt.Sprintf("the key %q holds a value of another program: nothing was changed", key), name)
				}
				assert.Equal(t, before, c.Dump(t.Context(), key).Val(), name)
				assert.EqualValues(t, 1, c.DBSize(t.Context()).Val(), name)
			}
		}
	})
}

// Programs with different prefixes do not meet.
func TestPrefixes(t *testing.T) {
	withServers(t, func(t *testing.T, program string) {
		server := start(t, program)
		a, b := server.store(), server.store(wxredis.WithPrefix("other:"))
		require.Equal(t, webhook.Claimed, claim(t, a, "a"))
		require.Equal(t, webhook.Claimed, claim(t, b, "b"))
		require.NoError(t, a.Save(t.Context(), "1900000109", []byte("list")))
		copied, err := b.Load(t.Context(), "1900000109")
		require.NoError(t, err)
		assert.Nil(t, copied)
		copied, err = a.Load(t.Context(), "1900000109")
		require.NoError(t, err)
		assert.Equal(t, "list", string(copied))
	})
}
