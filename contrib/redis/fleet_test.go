//go:build unix

package wxredis_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	wxredis "github.com/wxpay-go/wxpay/contrib/redis"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/webhook"
)

// sentinel is a primary, its replica, and a sentinel that watches them.
type sentinel struct {
	primary, replica, watch *server
	client                  redis.UniversalClient
}

// lose kills the primary. Only then the sentinel looks closely: before, it could take a busy machine for a dead primary.
func (s *sentinel) lose(t *testing.T) {
	t.Helper()
	s.primary.kill()
	require.NoError(t, s.watch.dial().Do(t.Context(), "SENTINEL", "SET", "shop", "down-after-milliseconds", "300").Err())
}

func newSentinel(t *testing.T, program string) sentinel {
	t.Helper()
	free := ports(t, 3)
	s := sentinel{primary: newServer(t, program, free[0]), replica: newServer(t, program, free[1], "--replicaof", fmt.Sprint("127.0.0.1 ", free[0]))}
	s.primary.run()
	s.replica.run()
	watch := newServer(t, program, free[2])
	s.watch = watch
	config := filepath.Join(watch.dir, "sentinel.conf")
	require.NoError(t, os.WriteFile(config, []byte(fmt.Sprintf(
		"sentinel monitor shop 127.0.0.1 %d 1\nsentinel down-after-milliseconds shop 60000\nsentinel failover-timeout shop 2000\n", free[0])), 0o600))
	watch.args = []string{"--sentinel"}
	watch.first = config
	watch.run()
	s.client = redis.NewFailoverClient(&redis.FailoverOptions{MasterName: "shop", SentinelAddrs: []string{watch.addr()}, MaxRetries: -1, DialerRetries: 1})
	t.Cleanup(func() { _ = s.client.Close() })
	eventually(t, func(c *assert.CollectT) { // both know the replica
		assert.Contains(c, s.primary.dial().Info(t.Context(), "replication").Val(), "state=online")
		assert.Contains(c, watch.dial().Info(t.Context(), "sentinel").Val(), "slaves=1")
	})
	return s
}

// A replica that takes over knows what was replicated, and only that: replication is asynchronous.
func TestFailover(t *testing.T) {
	withServers(t, func(t *testing.T, program string) {
		s := newSentinel(t, program)
		store := newStore(t, s.client)
		require.NoError(t, store.Check(t.Context()))
		claim(t, store, "a")
		require.NoError(t, store.Done(t.Context(), event, "a"))
		_, err := store.Claim(t.Context(), "working", "a")
		require.NoError(t, err)
		direct := s.primary.dial()
		require.EqualValues(t, 1, direct.Wait(t.Context(), 1, patient).Val(), "replicated")

		// These reach only the primary: the replica stands still.
		s.replica.halt()
		require.NoError(t, direct.ClientKillByFilter(t.Context(), "TYPE", "replica").Err())
		_, err = store.Claim(t.Context(), "forgotten", "a")
		require.NoError(t, err)
		require.NoError(t, store.Done(t.Context(), "forgotten", "a"))
		_, err = store.Acquire(t.Context(), operation, fact.Rate{PerSecond: 1})
		require.NoError(t, err)
		s.lose(t)
		s.replica.resume()

		eventually(t, func(c *assert.CollectT) {
			_, err := store.Claim(t.Context(), "new", "a")
			assert.NoError(c, err)
		})
		assert.Equal(t, webhook.Processed, claim(t, store, "b"))
		state, err := store.Claim(t.Context(), "working", "b")
		require.NoError(t, err)
		assert.Equal(t, webhook.Busy, state)
		state, err = store.Claim(t.Context(), "forgotten", "b")
		require.NoError(t, err)
		assert.Equal(t, webhook.Claimed, state, "it would run again")
		begin := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), patient)
		defer cancel()
		for range 2 {
			_, err = store.Acquire(ctx, operation, fact.Rate{PerSecond: 1})
			require.NoError(t, err)
		}
		assert.GreaterOrEqual(t, time.Since(begin), time.Second, "the limit begins anew")
	})
}

// A store on a replica is an error.
func TestReplica(t *testing.T) {
	withServers(t, func(t *testing.T, program string) {
		free := ports(t, 2)
		primary := newServer(t, program, free[0])
		primary.run()
		replica := newServer(t, program, free[1], "--replicaof", fmt.Sprint("127.0.0.1 ", free[0]))
		replica.run()
		require.ErrorContains(t, replica.store().Check(t.Context()), "READONLY")
	})
}

// newCluster starts three servers that share the slots.
func newCluster(t *testing.T, program string) ([]*server, *redis.ClusterClient) {
	t.Helper()
	const nodes = 3
	free := ports(t, 2*nodes)
	var servers []*server
	var addrs []string
	for i := range nodes {
		s := newServer(t, program, free[i], "--cluster-enabled", "yes", "--cluster-port", fmt.Sprint(free[nodes+i]),
			"--cluster-require-full-coverage", "no")
		s.run()
		c := s.dial()
		require.NoError(t, c.ClusterAddSlotsRange(t.Context(), i*16384/nodes, (i+1)*16384/nodes-1).Err())
		if i > 0 {
			require.NoError(t, c.Do(t.Context(), "CLUSTER", "MEET", "127.0.0.1", free[0], free[nodes]).Err())
		}
		servers, addrs = append(servers, s), append(addrs, s.addr())
	}
	for _, s := range servers {
		c := s.dial()
		eventually(t, func(collect *assert.CollectT) {
			info := c.ClusterInfo(t.Context()).Val()
			assert.Contains(collect, info, "cluster_state:ok")
			assert.Contains(collect, info, "cluster_known_nodes:3")
			assert.Contains(collect, info, "cluster_slots_assigned:16384")
		})
	}
	c := redis.NewClusterClient(&redis.ClusterOptions{Addrs: addrs, DialerRetries: 1})
	t.Cleanup(func() { _ = c.Close() })
	return servers, c
}

// In a cluster, events of all slots work without a hash tag, and with one; messages reach those who
// wait at any node; a node that is lost takes only its own part along.
func TestCluster(t *testing.T) {
	withServers(t, func(t *testing.T, program string) {
		servers, client := newCluster(t, program)
		a := newStore(t, client, wxredis.WithProcesses(1))
		b := newStore(t, client)
		require.NoError(t, a.Check(t.Context()))
		nodes := map[string]int{}
		for i := range 60 {
			name := fmt.Sprint("event ", i)
			state, err := a.Claim(t.Context(), name, "a")
			require.NoError(t, err)
			require.Equal(t, webhook.Claimed, state)
			require.NoError(t, a.Done(t.Context(), name, "a"))
			state, err = b.Claim(t.Context(), name, "b")
			require.NoError(t, err)
			require.Equal(t, webhook.Processed, state)
			master, err := client.MasterForKey(t.Context(), a.EventKey(name))
			require.NoError(t, err)
			nodes[master.Options().Addr]++
		}
		assert.Len(t, nodes, 3)
		tagged := newStore(t, client, wxredis.WithPrefix("{shop}:"))
		require.Equal(t, webhook.Claimed, claim(t, tagged, "a"))
		require.NoError(t, a.Save(t.Context(), "1900000109", []byte("list")))
		copied, err := b.Load(t.Context(), "1900000109")
		require.NoError(t, err)
		assert.Equal(t, "list", string(copied))
		assert.LessOrEqual(t, most(admissions(t, 30, 20, a, b)), 30)

		b.OnlyMessages()
		claim(t, a, "a")
		ended := wait(t, b)
		eventually(t, func(c *assert.CollectT) {
			count := int64(0)
			for _, s := range servers {
				count += s.dial().PubSubNumSub(t.Context(), b.Channel()).Val()[b.Channel()]
			}
			assert.EqualValues(c, 1, count)
		})
		require.NoError(t, a.Done(t.Context(), event, "a"))
		require.NoError(t, <-ended)

		servers[0].kill()
		eventually(t, func(c *assert.CollectT) {
			works, fails := 0, 0
			for i := range 60 {
				name := fmt.Sprint("event ", i)
				state, err := a.Claim(t.Context(), name, "c")
				switch {
				case err != nil:
					fails++
				case state == webhook.Processed:
					works++
				}
			}
			assert.Equal(c, 60, works+fails)
			assert.Equal(c, nodes[servers[0].addr()], fails)
		})
		require.Error(t, b.Check(t.Context()), "it reads every node")
	})
}
