package catalog_test

import (
	"testing"

	"github.com/wxpay-go/wxpay/catalog"
)

func BenchmarkLoad(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		catalog.Load()
	}
}

// BenchmarkFirstLookup is what the first call of an operation pays: a chunk is unpacked and a row parsed.
func BenchmarkFirstLookup(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		c := catalog.Load()
		b.StartTimer()
		c.Lookup("POST", "/v3/pay/transactions/jsapi")
	}
}

// BenchmarkAll parses every row.
func BenchmarkAll(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		c := catalog.Load()
		for range c.All() {
		}
	}
}

func BenchmarkLookup(b *testing.B) {
	c := catalog.V3()
	for range c.All() {
	}
	for _, bench := range []struct{ name, method, path string }{
		{"literal", "POST", "/v3/pay/transactions/jsapi"},
		{"template", "GET", "/v3/pay/transactions/out-trade-no/{out_trade_no}"},
		{"concrete", "GET", "/v3/pay/transactions/out-trade-no/ORDER%2F2025-11-23-000001"},
		{"deepest", "POST", "/v3/platsolution/insurance/mch-transfer/batches/detail-receipts/out-batch-no/1/out-detail-no/2/apply"},
		{"overlap", "POST", "/v3/ecommerce/refunds/id/return-advance"},
		{"lookalike", "POST", "/v3/apply4subject/applyment/{business_code}/cancel"},
		{"unknown", "GET", "/v3/pay/transactions/no/such"},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.Lookup(bench.method, bench.path)
			}
		})
	}
	b.Run("all", func(b *testing.B) {
		b.ReportAllocs()
		n := 0
		for b.Loop() {
			for operation := range c.All() {
				c.Lookup(operation.Method, operation.Path)
				n++
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/lookup")
	})
}

func BenchmarkSearch(b *testing.B) {
	c := catalog.V3()
	for b.Loop() {
		c.Search("退款 out_refund_no")
	}
}

func BenchmarkNearest(b *testing.B) {
	c := catalog.V3()
	for b.Loop() {
		c.Nearest("/v3/pay/transactions/out_trade_no/ABC123", 3)
	}
}
