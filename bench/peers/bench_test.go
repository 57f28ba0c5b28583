package peers_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/wxpay-go/wxpay/bench/peers"
	"github.com/wxpay-go/wxpay/bench/peers/floor"
	"github.com/wxpay-go/wxpay/bench/peers/gopay"
	"github.com/wxpay-go/wxpay/bench/peers/official"
	"github.com/wxpay-go/wxpay/bench/peers/own"
	"github.com/wxpay-go/wxpay/contrib/openssl"
)

type contestant struct {
	name string
	make func(peers.Config) (*peers.Client, error)
}

// contestants begin with another one in each round, so that nobody is always first.
var contestants = func() []contestant {
	all := []contestant{{"floor", floor.New}, {"wxpay", own.New}, {"official", official.New}, {"gopay", gopay.New}}
	round, _ := strconv.Atoi(os.Getenv("PEERS_ROUND"))
	round %= len(all)
	return append(slices.Clone(all[round:]), all[:round]...)
}()

var ours = contestant{"wxpay", own.New}

func (c contestant) new(tb testing.TB, config peers.Config) *peers.Client {
	tb.Helper()
	if config.Base == "" {
		config.Base = peers.Platform
	}
	client, err := c.make(config)
	if err != nil {
		tb.Fatal(err)
	}
	return client
}

// each runs a piece of work by every contestant against the canned gateway, one after the other.
func each(b *testing.B, work func(*peers.Client) func(context.Context) error) {
	for _, c := range contestants {
		b.Run(c.name, func(b *testing.B) {
			do := work(c.new(b, peers.Config{Transport: peers.NewGateway()}))
			ctx := context.Background()
			b.ReportAllocs()
			defer reportProcessorTime(b, peers.ProcessorTime())
			for b.Loop() {
				if err := do(ctx); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// reportProcessorTime reports how much processor time a piece of work took since before.
func reportProcessorTime(b *testing.B, before time.Duration) {
	b.ReportMetric(float64((peers.ProcessorTime()-before).Nanoseconds())/1e3/float64(b.N), "cpu-us/op")
}

func BenchmarkFeed(b *testing.B) {
	each(b, func(c *peers.Client) func(context.Context) error { return c.Feed })
}

func BenchmarkOrder(b *testing.B) {
	each(b, func(c *peers.Client) func(context.Context) error { return c.Order })
}

func BenchmarkTransfer(b *testing.B) {
	each(b, func(c *peers.Client) func(context.Context) error { return c.Transfer })
}

func BenchmarkUpload(b *testing.B) {
	each(b, func(c *peers.Client) func(context.Context) error { return c.Upload })
}

func BenchmarkNotify(b *testing.B) {
	header, body := peers.Notification()
	each(b, func(c *peers.Client) func(context.Context) error {
		return func(ctx context.Context) error {
			req, err := http.NewRequestWithContext(ctx, "POST", "https://merchant.example.com/notify", io.NopCloser(bytes.NewReader(body)))
			if err != nil {
				return err
			}
			req.Header = header
			return c.Notify(req)
		}
	})
}

// The handler of a server. Each delivery is a new one; see Client.Handle.
func BenchmarkHandle(b *testing.B) {
	header, body := peers.Notification()
	for _, c := range contestants {
		b.Run(c.name, func(b *testing.B) {
			handle := c.new(b, peers.Config{Transport: peers.NewGateway()}).Handle
			if handle == nil {
				b.Skip("it has no handler")
			}
			b.ReportAllocs()
			defer reportProcessorTime(b, peers.ProcessorTime())
			for b.Loop() {
				req, err := http.NewRequest("POST", "https://merchant.example.com/notify", io.NopCloser(bytes.NewReader(body)))
				if err != nil {
					b.Fatal(err)
				}
				req.Header, req.ContentLength = header, int64(len(body))
				w := connection{}
				if handle(&w, req); w.status != http.StatusNoContent {
					b.Fatal(w.status)
				}
			}
		})
	}
}

// connection is a ResponseWriter that keeps the status alone. Like that of a server it has deadlines.
type connection struct {
	header http.Header
	status int
}

func (c *connection) Header() http.Header {
	if c.header == nil {
		c.header = http.Header{}
	}
	return c.header
}

func (c *connection) WriteHeader(status int)          { c.status = status }
func (c *connection) Write(p []byte) (int, error)     { return len(p), nil }
func (c *connection) SetReadDeadline(time.Time) error { return nil }

// What stays behind after 10,000 calls through a transport that somebody wrapped, with a time
// limit. Each answer's body is closed or not as the client does it.
func BenchmarkRetained(b *testing.B) {
	if !rsaOut() {
		b.Skip("needs RSA taken out: go test -overlay \"$(go run ./cmd/overlay)\"")
	}
	for _, c := range contestants {
		b.Run(c.name, func(b *testing.B) {
			client := c.new(b, peers.Config{Transport: peers.NewGateway(), Timeout: 30 * time.Second})
			retained := func(calls int) (goroutines int, bytes uint64) {
				for range calls {
					if err := client.Feed(context.Background()); err != nil {
						b.Fatal(err)
					}
				}
				var stats runtime.MemStats
				for range 3 { // pools are emptied by the second
					runtime.GC()
				}
				runtime.ReadMemStats(&stats)
				return runtime.NumGoroutine(), stats.HeapAlloc + stats.StackInuse
			}
			goroutines, bytes := retained(100)
			for b.Loop() {
				after, bytesAfter := retained(10_000)
				b.ReportMetric(float64(after-goroutines), "goroutines")
				b.ReportMetric(max(0, float64(bytesAfter)-float64(bytes))/1024, "kept-KiB")
			}
		})
	}
}

// The cost of a new client, keys included.
func BenchmarkConstruction(b *testing.B) {
	for _, c := range contestants {
		b.Run(c.name, func(b *testing.B) {
			config := peers.Config{Transport: peers.NewGateway()}
			b.ReportAllocs()
			for b.Loop() {
				c.new(b, config)
			}
		})
	}
}

// The cost of the parts of a call: the ceiling of every client.
func BenchmarkRSA(b *testing.B) {
	key, _ := peers.Keys()
	digest := sha256.Sum256([]byte("message"))
	signature, err := key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("sign", func(b *testing.B) { sign(b, key) })
	b.Run("sign-openssl", func(b *testing.B) { sign(b, libcrypto(b)) })
	b.Run("verify", func(b *testing.B) {
		defer reportProcessorTime(b, peers.ProcessorTime())
		for b.Loop() {
			if err := rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, digest[:], signature); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func sign(b *testing.B, signer crypto.Signer) {
	digest := sha256.Sum256([]byte("message"))
	defer reportProcessorTime(b, peers.ProcessorTime())
	for b.Loop() {
		if _, err := signer.Sign(rand.Reader, digest[:], crypto.SHA256); err != nil {
			b.Fatal(err)
		}
	}
}

func libcrypto(b *testing.B) crypto.Signer {
	key, _ := peers.Keys()
	signer, err := openssl.New(key)
	if err != nil {
		b.Skip(err)
	}
	return signer
}

// 64 goroutines against the canned gateway, with each signer: calls per second are its inverse.
func BenchmarkBusy(b *testing.B) {
	for _, signer := range []string{"rsa", "openssl"} {
		b.Run(signer, func(b *testing.B) {
			config := peers.Config{Transport: peers.NewGateway()}
			if signer == "openssl" {
				config.Signer = libcrypto(b)
			}
			parallel(b, ours.new(b, config).Feed)
		})
	}
}

// 64 goroutines over loopback TLS, with the default transport of each.
func BenchmarkLoopback(b *testing.B) {
	for _, c := range contestants {
		b.Run(c.name, func(b *testing.B) {
			parallel(b, c.new(b, peers.Config{Base: loopback(b)}).Feed)
		})
	}
	b.Run("wxpay-openssl", func(b *testing.B) {
		parallel(b, ours.new(b, peers.Config{Base: loopback(b), Signer: libcrypto(b)}).Feed)
	})
}

func parallel(b *testing.B, do func(context.Context) error) {
	const goroutines = 64
	// One call first, so that the things that are made once exist.
	if err := do(context.Background()); err != nil {
		b.Fatal(err)
	}
	b.SetParallelism(goroutines / min(goroutines, runtime.GOMAXPROCS(0)))
	b.ResetTimer()
	defer reportProcessorTime(b, peers.ProcessorTime())
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := do(context.Background()); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

// loopback serves the canned answers over TLS, with a certificate that every default transport
// trusts: the environment names it as a root.
func loopback(b *testing.B) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	server := &http.Server{Handler: peers.NewGateway(), TLSConfig: certificate.Config(), ErrorLog: log.New(io.Discard, "", 0)}
	go func() { _ = server.ServeTLS(listener, "", "") }()
	b.Cleanup(func() { _ = server.Close() })
	return "https://" + listener.Addr().String()
}

var certificate *peers.Loopback

func TestMain(m *testing.M) {
	var err error
	if certificate, err = peers.TrustLoopback(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	// A configuration line in the format of benchmarks.
	fmt.Println("rsa:", map[bool]string{true: "out", false: "in"}[rsaOut()])
	code := m.Run()
	certificate.Remove()
	os.Exit(code)
}

// rsaOut reports whether this program was built with the overlay that takes RSA out.
func rsaOut() bool {
	key, _ := peers.Keys()
	return rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, make([]byte, sha256.Size), nil) == nil
}
