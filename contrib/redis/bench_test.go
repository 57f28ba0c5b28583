//go:build unix

package wxredis_test

import (
	"os/exec"
	"strconv"
	"testing"

	wxredis "github.com/wxpay-go/wxpay/contrib/redis"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/middleware"
	"github.com/wxpay-go/wxpay/webhook"
)

// benchmarkStore returns a store on a server of this machine.
func benchmarkStore(b *testing.B) *wxredis.Store {
	b.Helper()
	program, err := exec.LookPath("redis-server")
	if err != nil {
		b.Skip("redis-server is not installed: apt-get install redis-server")
	}
	s := start(b, program)
	return s.store()
}

// BenchmarkEvent is the claim and the end of one event.
func BenchmarkEvent(b *testing.B) {
	for _, name := range []string{"memory", "redis"} {
		b.Run(name, func(b *testing.B) {
			var deduper webhook.Deduper = webhook.NewMemory(0, 0)
			if name == "redis" {
				deduper = benchmarkStore(b)
			}
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				i++
				key := strconv.Itoa(i)
				if state, err := deduper.Claim(b.Context(), key, "a"); err != nil || state != webhook.Claimed {
					b.Fatal(state, err)
				}
				if err := deduper.Done(b.Context(), key, "a"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkPlace is one place of a limit that nobody reaches.
func BenchmarkPlace(b *testing.B) {
	for _, name := range []string{"memory", "redis"} {
		b.Run(name, func(b *testing.B) {
			var limiter middleware.Limiter = middleware.NewLimits()
			if name == "redis" {
				limiter = benchmarkStore(b)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := limiter.Acquire(b.Context(), operation, fact.Rate{PerSecond: 1_000_000}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
