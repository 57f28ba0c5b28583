package sandbox_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"io"
	"net/http"
	"testing"
	"time"
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
	s := newSandbox(b)
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
