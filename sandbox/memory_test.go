//go:build go1.25

package sandbox_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/sandbox"
)

// TestMemoryOfAMillionCalls makes a million calls of every sort, of which a tenth leaves an order and a tenth a refund behind.
// With WXPAY_TEST_LONG=1 only; otherwise it is a few thousand.
//
// The collector is set as the program wxpay sandbox sets it, and the long form holds the resident memory to the limit too.
func TestMemoryOfAMillionCalls(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(25))
	const sorts = 10
	calls, limit := 4000, int64(40<<20)
	long := os.Getenv("WXPAY_TEST_LONG") == "1"
	if long {
		calls, limit = 1_000_000, 300<<20
	}
	scheme := quick{apiv3.RSA()}
	s := unpaced(t, sandbox.WithScheme(scheme))
	defer s.Close()
	transport, m, key := s.Transport(), s.Merchant(), s.Keys.PublicKeyID()
	send := func(method, target string, body any, status int) bool {
		c := newCall(s, time.Now(), method, target, body)
		caller := apiv3.Authorization{ID: m.ID, Serial: m.Serial, Nonce: "593BEC0C930BF1AFEB40B4A08C8FB242", Timestamp: strconv.FormatInt(time.Now().Unix(), 10)}
		authorization, _, err := apiv3.SignRequest(scheme, m.PrivateKey, caller, method, target, c.body)
		if !assert.NoError(t, err) {
			return false
		}
		request, err := http.NewRequest(method, inProcess+target, bytes.NewReader(c.body))
		if !assert.NoError(t, err) {
			return false
		}
		request.Header = c.header
		request.Header.Set("Authorization", authorization)
		request.Header.Set("Wechatpay-Serial", key)
		response, err := transport.RoundTrip(request)
		if !assert.NoError(t, err) {
			return false
		}
		text, _ := io.ReadAll(response.Body)
		response.Body.Close()
		return assert.Equal(t, status, response.StatusCode, "%s %s: %s", method, target, text)
	}
	const native, orders = "/v3/pay/transactions/native", "/v3/pay/transactions/out-trade-no/"
	one := func(n int) bool {
		number := fmt.Sprintf("ORDER-%010d", n)
		order := with(nativeOrder(s, number), "notify_url", notifyURL)
		back := with(refund("R"+number, 1), "out_trade_no", number)
		query := orders + number + "?mchid=" + m.ID
		for _, step := range []func() bool{
			func() bool { return send("POST", native, order, 200) },
			func() bool { return send("POST", native, order, 200) }, // as a repetition
			func() bool { return send("GET", query, nil, 200) },
			func() bool { _, err := s.Users.Pay(number); return assert.NoError(t, err) },
			func() bool { return send("GET", query, nil, 200) },
			func() bool { return send("POST", refundPath, back, 200) },
			func() bool { return send("POST", refundPath, back, 200) },
			func() bool { return send("GET", refundPath+"/R"+number, nil, 200) },
			func() bool { return send("POST", orders+number+"/close", map[string]any{"mchid": m.ID}, 400) },
			func() bool { return send("GET", "/v3/nothing/"+number, nil, 404) },
			func() bool { return send("POST", native, with(order, "x", strconv.Itoa(n)), 400) },
		} {
			if !step() {
				return false
			}
		}
		return true
	}
	numbers := make(chan int)
	var wait sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wait.Go(func() {
			for n := range numbers {
				if !one(n) {
					t.Fail()
				}
			}
		})
	}
	alive := func() (stats runtime.MemStats) {
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&stats)
		return stats
	}
	before, start, most := alive(), time.Now(), resident(t)
	for n := range calls / sorts {
		if t.Failed() {
			break
		}
		numbers <- n
		if n%1000 == 0 {
			most = max(most, resident(t))
		}
	}
	close(numbers)
	wait.Wait()
	took := time.Since(start)
	require.False(t, t.Failed())
	require.Len(t, s.Ledger.Effects(sandbox.RefundEffect), calls/sorts)
	most = max(most, resident(t))
	after := alive()
	t.Logf("%d calls in %v: %d MiB are alive, of which %d were before; %d MiB come from the system, and at most %d were resident",
		calls, took.Round(time.Second), after.HeapAlloc>>20, before.HeapAlloc>>20, after.Sys>>20, most>>20)
	if long {
		assert.Less(t, most, limit, "resident")
	}
	assert.Less(t, int64(after.HeapAlloc)-int64(before.HeapAlloc), limit)
	assert.LessOrEqual(t, len(s.Journal.All()), 1000)
	assert.LessOrEqual(t, len(s.Deliveries.All()), 1000)
}

// resident returns the memory of this process that is in RAM, in bytes, and 0 where the system is not Linux.
func resident(t testing.TB) int64 {
	t.Helper()
	if runtime.GOOS != "linux" {
		return 0
	}
	status, err := os.ReadFile("/proc/self/status")
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(status), "VmRSS:")
	require.True(t, found)
	kib, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	require.NoError(t, err)
	return kib << 10
}
