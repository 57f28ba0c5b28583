package report_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/wxpay-go/wxpay/bench/peers/internal/report"
)

// root is the folder of the module.
const root = "../../"

// The pages and the plot say what the recorded run says, in every figure.
func TestDocumentIsTheRecordedRun(t *testing.T) {
	run, err := report.Load(root)
	if err != nil {
		t.Fatal(err)
	}
	var document, aims, plot bytes.Buffer
	if err := run.Document(&document); err != nil {
		t.Fatal(err)
	}
	same(t, report.Document, document.Bytes())
	whole(t, document.String())
	if err := run.Aims(&aims); err != nil {
		t.Fatal(err)
	}
	same(t, report.Aims, aims.Bytes())
	whole(t, aims.String())
	if err := run.Plot(&plot); err != nil {
		t.Fatal(err)
	}
	if runtime.GOARCH == "amd64" { // others fuse multiplications and additions, which moves the last digit
		same(t, report.Plot, plot.Bytes())
	}
}

// whole fails if a figure went wrong on the way.
func whole(t *testing.T, document string) {
	t.Helper()
	for _, never := range []string{"NaN", "Inf", "%!"} {
		if strings.Contains(document, never) {
			t.Errorf("the document has %s in it", never)
		}
	}
}

func same(t *testing.T, file string, want []byte) {
	t.Helper()
	got, err := os.ReadFile(root + file)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(got, want) {
		return
	}
	have, need := strings.Split(string(got), "\n"), strings.Split(string(want), "\n")
	for i := range min(len(have), len(need)) {
		if have[i] != need[i] {
			t.Fatalf("%s is not what results/run.txt says; go run ./cmd/report -render writes it. Line %d is\n%s\ninstead of\n%s", file, i+1, have[i], need[i])
		}
	}
	t.Fatalf("%s has %d lines instead of %d; go run ./cmd/report -render writes it", file, len(have), len(need))
}

const raw = `cpu: some processor
round: 1
rsa: out
BenchmarkFeed/floor-2 100 2000 ns/op 10.0 cpu-us/op 100 B/op 5 allocs/op
BenchmarkFeed/wxpay-2 100 1000 ns/op 8.0 cpu-us/op 50 B/op 3 allocs/op
round: 2
BenchmarkFeed/wxpay-2 100 9000 ns/op 90.0 cpu-us/op 50 B/op 3 allocs/op
BenchmarkFeed/floor-2 100 9000 ns/op 100.0 cpu-us/op 100 B/op 5 allocs/op
rsa: in
BenchmarkFeed/wxpay-2 100 5000 ns/op
round: 3
BenchmarkFeed/wxpay-2 100 7000 ns/op
rsa: out
BenchmarkFeed/wxpay-2 100 3000 ns/op
`

// A ratio is taken within a round: a slow round does not tell against who was measured in it. What
// was measured with RSA in is another thing than what was measured without, and a round that has
// only one of the two has no ratio.
func TestRatios(t *testing.T) {
	run, err := report.Read(strings.NewReader(raw), "raw")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ got, want any }{
		{run.Ratio("out", "Feed/wxpay", "Feed/floor", "cpu-us/op"), report.Stat{Median: 0.85, Low: 0.825, High: 0.875, Rounds: 2}},
		{run.Of("out", "Feed/wxpay", "allocs/op"), report.Stat{Median: 3, Low: 3, High: 3, Rounds: 2}},
		{run.Of("in", "Feed/wxpay", "sec/op"), report.Stat{Median: 6e-6, Low: 5.5e-6, High: 6.5e-6, Rounds: 2}},
		{run.Of("in", "Feed/gopay", "sec/op").Known(), false},
		{run.Config["cpu"], "some processor"},
	} {
		if got, want := fmt.Sprintf("%.9v", tt.got), fmt.Sprintf("%.9v", tt.want); got != want {
			t.Errorf("%s instead of %s", got, want)
		}
	}
}

// A run with holes in it is written all the same, and says that they are holes.
func TestHoles(t *testing.T) {
	run, err := report.Read(strings.NewReader(raw), "raw")
	if err != nil {
		t.Fatal(err)
	}
	var document bytes.Buffer // both pages
	if err := errors.Join(run.Document(&document), run.Aims(&document)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| Member feed, POST | taken out | 1.00 | 0.85 (", "| Member feed, POST | allocations | ≤ 22 | 3 | reached |",
		"| Upload of 2 MB | bytes allocated | ≤ 65536 | – | not measured |", "- Upload of 2 MB, bytes allocated: not measured in this run.",
	} {
		if !strings.Contains(document.String(), want) {
			t.Errorf("the document lacks %q", want)
		}
	}
	whole(t, document.String())
}

func TestReadRefuses(t *testing.T) {
	for name, text := range map[string]string{"nothing": "", "no round": "BenchmarkFeed/floor 1 1 ns/op\n", "no result": "round: 1\n"} {
		if _, err := report.Read(strings.NewReader(text), name); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}
