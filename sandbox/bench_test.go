package sandbox_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/sandbox"
)

// BenchmarkFloor is what no gateway can do without: one verification and one signature.
func BenchmarkFloor(b *testing.B) {
	s := newSandbox(b)
	key := s.Merchant().PrivateKey
	digest := sha256.Sum256([]byte("message"))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:])
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, digest[:], signature); err != nil {
			b.Fatal(err)
		}
		if _, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:]); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFeed is the gateway's part of one call in process; to be read against BenchmarkFloor.
func BenchmarkFeed(b *testing.B) {
	s := unpaced(b)
	c := newCall(s, time.Now(), "POST", feedPath, feed()).sign(s)
	request, err := http.NewRequest(c.method, inProcess+c.target, nil)
	if err != nil {
		b.Fatal(err)
	}
	request.Header, request.ContentLength = c.header, int64(len(c.body))
	transport := s.Transport()
	b.ReportAllocs()
	for b.Loop() {
		request.Body = io.NopCloser(bytes.NewReader(c.body))
		response, err := transport.RoundTrip(request)
		if err != nil || response.StatusCode != 200 {
			b.Fatal(response, err)
		}
		io.Copy(io.Discard, response.Body)
		response.Body.Close()
	}
}

// BenchmarkFourOperations is what no client and gateway together can do without: the client signs, the gateway verifies and
// signs, the client verifies.
func BenchmarkFourOperations(b *testing.B) {
	s := newSandbox(b)
	merchant, platform := s.Merchant().PrivateKey, s.Merchant().PrivateKey
	digest := sha256.Sum256([]byte("message"))
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			for _, key := range []*rsa.PrivateKey{merchant, platform} {
				signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
				if err != nil {
					b.Fatal(err)
				}
				if err := rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, digest[:], signature); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}

// BenchmarkSignedCalls is whole calls by as many clients as there are processors, of a query and of an order; to be
// read against BenchmarkFourOperations, within 1.25 times of which they are to stay.
func BenchmarkSignedCalls(b *testing.B) {
	server := sandbox.Start(b)
	if err := server.Rules.Relax(sandbox.Rates); err != nil {
		b.Fatal(err)
	}
	if _, err := server.Users.AddPaidOrder("PAID-0001", 100); err != nil {
		b.Fatal(err)
	}
	query := "/v3/pay/transactions/out-trade-no/PAID-0001?mchid=" + server.Merchant().ID
	var number atomic.Int64
	order := func() []byte {
		body := native(server.Sandbox)
		body["out_trade_no"] = "BENCH-" + strconv.FormatInt(number.Add(1), 10)
		text, err := json.Marshal(body)
		if err != nil {
			b.Fatal(err)
		}
		return text
	}
	for _, way := range []struct {
		name      string
		transport http.RoundTripper
	}{{"in process", server.Transport()}, {"loopback", newTransport(b)}} {
		client := oneClient{server: server, scheme: apiv3.RSA()}
		run := func(name, method, target string, body func() []byte) {
			b.Run(way.name+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						if _, err := client.call(way.transport, method, target, body()); err != nil {
							b.Fatal(err)
						}
					}
				})
			})
		}
		run("query", "GET", query, func() []byte { return nil })
		run("order", "POST", "/v3/pay/transactions/native", order)
	}
}

// BenchmarkStart is what a test pays for a sandbox of its own, from the second of the process on.
func BenchmarkStart(b *testing.B) {
	newSandbox(b)
	b.ReportAllocs()
	for b.Loop() {
		s, err := sandbox.New()
		if err != nil {
			b.Fatal(err)
		}
		server, err := s.Listen("127.0.0.1:0")
		if err != nil {
			b.Fatal(err)
		}
		server.Close()
		s.Close()
	}
}

// BenchmarkPayKept is a change in a directory: it is in the file when Pay returns. To be read against BenchmarkPay.
func BenchmarkPayKept(b *testing.B) {
	d := openDirectory(b, b.TempDir())
	benchmarkPay(b, sandbox.WithStore(d))
}

// BenchmarkPay is the same change in memory.
func BenchmarkPay(b *testing.B) { benchmarkPay(b) }

func benchmarkPay(b *testing.B, options ...sandbox.Option) {
	s := newSandbox(b, options...)
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		n++
		if _, err := s.Users.AddPaidOrder("ORDER-"+strconv.Itoa(n), 1); err != nil {
			b.Fatal(err)
		}
	}
}
