package bill

import (
	"fmt"
	"io"
	"runtime"
	"runtime/metrics"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/internal/download"
)

// tradeBill returns a piece of a trade bill: its names, and rows as the platform's pages have them.
func tradeBill(rows int) (names, text string) {
	names = "\ufeff交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类," +
		"应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率," +
		"订单金额,申请退款金额,费率备注\r\n"
	var b strings.Builder
	for i := range rows {
		fmt.Fprintf(&b, "`2026-11-22 %02d:%02d:%02d,`wx2421b1c4370ec43b,`1900000109,`0,`,`42000012342026112200%08d,`T2026112200%08d,"+
			"`oUpF8uMuAJO_M2pxb1Q9zNjWeS6o,`JSAPI,`SUCCESS,`OTHERS,`CNY,`%d.%02d,`0.00,`0,`0,`0.00,`0.00,`,`,`商品 %d,`,`0.01000,`0.60%%,"+
			"`%d.%02d,`0.00,`\r\n", i/3600%24, i/60%60, i%60, i, i, i%900, i%100, i, i%900, i%100)
	}
	return names, b.String()
}

// endless is a part of a bill that repeats its rows.
type endless struct {
	names, rows string
	times       int
}

func (e *endless) plain() (io.Reader, error) {
	all := []io.Reader{strings.NewReader(e.names)}
	for range e.times {
		all = append(all, strings.NewReader(e.rows))
	}
	return io.MultiReader(all...), nil
}

func (e *endless) Close() error { return nil }

// What reading holds on to does not depend on the size of the bill: it is a buffer and a row. Each row is one piece of
// memory of its own, so that a row that is kept keeps no other.
func TestRowsInBoundedMemory(t *testing.T) {
	const rows, times = 1000, 40 // some 10 MB
	names, text := tradeBill(rows)
	held := func() int64 {
		runtime.GC()
		objects := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		metrics.Read(objects)
		return int64(objects[0].Value.Uint64())
	}
	c := &Content{parts: []part{&endless{names, text, times}}}
	before, most := held(), int64(0)
	var begun, ended runtime.MemStats
	n, right := 0, 0
	for row, err := range c.Rows() {
		if err == nil && row.Get("代金券金额") == "0.00" {
			right++
		}
		switch n++; {
		case n == 1:
			runtime.ReadMemStats(&begun)
		case n == rows*times:
			runtime.ReadMemStats(&ended)
		case n%(rows*times/8) == 0:
			most = max(most, held()-before)
		}
	}
	require.Equal(t, rows*times, right)
	assert.Less(t, most, int64(2*download.BufferSize), "bytes that stay while the bill is read")
	assert.Equal(t, uint64(1), (ended.Mallocs-begun.Mallocs)/(rows*times-1), "allocations of a row")
	assert.LessOrEqual(t, (ended.TotalAlloc-begun.TotalAlloc)/(rows*times-1), uint64(len(text)/rows*9/8), "bytes of a row")
}

// Rows of a trade bill, alone and with the amount and the number of each.
func BenchmarkRows(b *testing.B) {
	for _, read := range []string{"rows", "values"} {
		b.Run(read, func(b *testing.B) {
			const rows = 1000
			names, text := tradeBill(rows)
			c := &Content{parts: []part{&endless{names, text, b.N/rows + 1}}}
			b.SetBytes(int64(len(text) / rows))
			b.ReportAllocs()
			b.ResetTimer()
			n := 0
			for row, err := range c.Rows() {
				if err != nil {
					b.Fatal(err)
				}
				n++
				if read == "rows" {
					continue
				}
				if _, err := ParseYuan(row.Get("订单金额")); err != nil || row.Get("商户订单号") == "" {
					b.Fatal(row.Line, err)
				}
			}
			require.GreaterOrEqual(b, n, b.N)
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
