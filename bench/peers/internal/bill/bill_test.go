package bill_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha1"
	"encoding/hex"
	"io"
	"net/http/httptest"
	"testing"

	"github.com/wxpay-go/wxpay/bench/peers/internal/bill"
)

// The packed bill is gzip as anybody reads it, and has the digest that is told.
func TestBill(t *testing.T) {
	s, err := bill.NewServer()
	if err != nil {
		t.Fatal(err)
	}
	const mib = 64
	for _, token := range []string{"64", "64-gzip"} {
		record := httptest.NewRecorder()
		s.ServeHTTP(record, httptest.NewRequest("GET", bill.Path+"?token="+token, nil))
		var body io.Reader = record.Body
		if token != "64" {
			if body, err = gzip.NewReader(bytes.NewReader(record.Body.Bytes())); err != nil {
				t.Fatal(err)
			}
		}
		sum := sha1.New()
		n, err := io.Copy(sum, body)
		if err != nil || n != mib<<20 {
			t.Fatalf("%s: %d bytes, %v", token, n, err)
		}
		if got := hex.EncodeToString(sum.Sum(nil)); got != s.Digest(mib) {
			t.Fatalf("%s: %s", token, got)
		}
	}
	record := httptest.NewRecorder()
	s.ServeHTTP(record, httptest.NewRequest("GET", bill.Path+"?token=64-zip", nil))
	if record.Code != 404 {
		t.Fatal(record.Code)
	}
}
