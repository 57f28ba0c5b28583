package wxredis_test

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	wxredis "github.com/wxpay-go/wxpay/contrib/redis"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/middleware"
)

func TestBadInput(t *testing.T) {
	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1"})
	defer client.Close()
	ring := redis.NewRing(&redis.RingOptions{})
	defer ring.Close()
	for name, test := range map[string]struct {
		client redis.UniversalClient
		option wxredis.Option
		says   string
	}{
		"no client":     {nil, wxredis.WithPrefix("shop:"), "the client is nil"},
		"nil pointer":   {(*redis.Client)(nil), wxredis.WithPrefix("shop:"), "the client is nil"},
		"ring":          {ring, wxredis.WithPrefix("shop:"), "use Cluster or Sentinel"},
		"nil option":    {client, nil, "an option is nil"},
		"empty prefix":  {client, wxredis.WithPrefix(""), "WithPrefix: the prefix is empty"},
		"no lease":      {client, wxredis.WithLease(0), "WithLease is 0s"},
		"short lease":   {client, wxredis.WithLease(time.Second - 1), "WithLease is 999.999999ms"},
		"no processes":  {client, wxredis.WithProcesses(0), "WithProcesses is 0"},
		"negative rate": {client, wxredis.WithRules(middleware.Rule{PerSecond: -1}), "has a negative rate"},
		"requests in flight": {client, wxredis.WithRules(middleware.Rule{Method: "GET", Template: "/v3/x", InFlight: 1}),
			`the rule for "GET" "/v3/x" bounds concurrent requests`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := wxredis.New(test.client, test.option)
			require.ErrorContains(t, err, test.says)
			assert.ErrorContains(t, err, "wxredis: ")
		})
	}
}

// A URL that leads to nobody, or to a program that is no Redis.
func TestWrongAddress(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
			_ = conn.Close()
		}
	}()
	check := func() error {
		options, err := redis.ParseURL("redis://:secret@" + listener.Addr().String() + "/0")
		require.NoError(t, err)
		options.MaxRetries, options.DialerRetries = -1, 1
		client := redis.NewClient(options)
		defer client.Close()
		store, err := wxredis.New(client)
		require.NoError(t, err, "New asks nobody")
		return store.Check(t.Context())
	}
	err = check()
	require.ErrorContains(t, err, "wxredis: asking the server: ")
	assert.NotContains(t, err.Error(), "secret")
	require.NoError(t, listener.Close())
	err = check()
	require.ErrorContains(t, err, listener.Addr().String())
	assert.NotContains(t, err.Error(), "secret")
}

// brokenHook panics, or ends its goroutine.
type brokenHook struct{ end func() }

func (h brokenHook) DialHook(next redis.DialHook) redis.DialHook { return next }

func (h brokenHook) ProcessHook(redis.ProcessHook) redis.ProcessHook {
	return func(context.Context, redis.Cmder) error {
		h.end()
		return nil
	}
}

func (h brokenHook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// A reply counts, however soon it comes.
func TestReplyCounts(t *testing.T) {
	client := redis.NewClient(&redis.Options{})
	defer client.Close()
	client.AddHook(brokenHook{func() {}})
	store, err := wxredis.New(client)
	require.NoError(t, err)
	var callers sync.WaitGroup
	for range 16 {
		callers.Go(func() {
			for range 10_000 {
				_, err := store.Load(t.Context(), "1900000109")
				if !assert.ErrorContains(t, err, "holds a value of another program") { // an empty value
					return
				}
			}
		})
	}
	callers.Wait()
}

// A hook of the client that panics ends no process.
func TestBrokenHook(t *testing.T) {
	client := redis.NewClient(&redis.Options{Addr: miniredis.RunT(t).Addr()})
	defer client.Close()
	client.AddHook(brokenHook{func() { panic("secret") }})
	store, err := wxredis.New(client)
	require.NoError(t, err)
	_, err = store.Acquire(t.Context(), middleware.LimitKey{Template: "/v3/x"}, fact.Rate{PerSecond: 1})
	require.ErrorContains(t, err, "the client panicked with a string")
}
