package wxpay_test

import (
	"flag"
	"os"
	"runtime/debug"
	"testing"
)

// TestMain has the tests collect garbage less often, of which they make much and keep little. Benchmarks run as programs do.
func TestMain(m *testing.M) {
	flag.Parse()
	if flag.Lookup("test.bench").Value.String() == "" {
		debug.SetGCPercent(400)
	}
	os.Exit(m.Run())
}
