package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wxpay-go/wxpay/bench/peers/internal/report"
)

// fake is a variable that makes this program a test program with one contestant that fails.
const fake = "WXPAY_REPORT_TEST_FAKE"

func TestMain(m *testing.M) {
	switch os.Getenv(fake) {
	case "":
		os.Exit(m.Run())
	case "failed":
		fmt.Print("rsa: out\npkg: peers\ncpu: one\nBenchmarkFeed/floor-2 10 20 ns/op\nBenchmarkFeed/gopay\n" +
			"--- FAIL: BenchmarkFeed/gopay-2\n    bench_test.go:65: it broke: for a reason\nBenchmarkFeed/wxpay-2 10 10 ns/op\n--- FAIL: BenchmarkFeed\nFAIL\n")
	case "crashed":
		fmt.Print("BenchmarkFeed/floor-2 10 20 ns/op\npanic: everything\n")
	}
	os.Exit(1)
}

// A step that is complete is not made again, and one that failed leaves nothing.
func TestResume(t *testing.T) {
	folder, raw := filepath.Join(t.TempDir(), "partial"), filepath.Join(t.TempDir(), "run.txt")
	const head = "date: %s\ngo: go1\nload-before: %s\n\n"
	broken := errors.New("no disk")
	made := map[string]int{}
	pass := func(resume, breaks bool, date string) error {
		s, err := openSteps(folder, fmt.Sprintf(head, date, date), resume)
		if err != nil {
			return err
		}
		for _, name := range []string{"b", "a", "c"} {
			if err := s.do(name, func(w io.Writer) error {
				made[name]++
				fmt.Fprintf(w, "step %s\n", name)
				if name == "a" && breaks {
					return broken
				}
				return nil
			}); err != nil {
				return err
			}
		}
		return s.end(raw)
	}
	for _, step := range []struct {
		resume, breaks bool
		want           string
	}{
		{true, false, "no run to resume"},
		{false, true, "a: no disk"},
		{false, false, "continue it with -resume, or delete the folder"},
		{true, false, ""},
	} {
		err := pass(step.resume, step.breaks, fmt.Sprint("today", step.want))
		if text := fmt.Sprint(err); step.want == "" && err != nil || !strings.Contains(text, step.want) {
			t.Fatalf("%+v: %v", step, err)
		}
	}
	if got := fmt.Sprint(made); got != "map[a:2 b:1 c:1]" {
		t.Error(got)
	}
	text, err := os.ReadFile(raw)
	if err != nil {
		t.Fatal(err)
	}
	if _, rest, _ := strings.Cut(string(text), "\n\n"); rest != "step b\nstep a\nstep c\n" {
		t.Errorf("%q", text)
	}
	if _, err := os.Stat(folder); !os.IsNotExist(err) {
		t.Error("the steps were left behind: ", err)
	}
}

// Results of another machine or program do not get into the run.
func TestResumeElsewhere(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, headName), []byte("date: a\ngo: go1\ncores: 2\n\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for head, want := range map[string]string{
		"date: b\ngo: go2\ncores: 2\n\n": `it has "go: go1", and now it is "go: go2"`,
		"date: b\ngo: go1\ncores: 4\n\n": `it has "cores: 2", and now it is "cores: 4"`,
	} {
		if _, err := openSteps(folder, head, true); err == nil || !strings.Contains(err.Error(), want) {
			t.Error(err)
		}
	}
	if _, err := openSteps(folder, "date: b\ngo: go1\ncores: 2\n\n", true); err != nil {
		t.Error(err)
	}
}

// A contestant that fails is recorded with its reason, and the others keep their results.
func TestContestantFails(t *testing.T) {
	t.Setenv(fake, "failed")
	var raw bytes.Buffer
	fmt.Fprintln(&raw, "round: 1")
	if err := bench(&raw, 1, os.Args[0], "Feed", "1x"); err != nil {
		t.Fatal(err)
	}
	run, err := report.Read(bytes.NewReader(raw.Bytes()), "raw")
	if err != nil {
		t.Fatal(err)
	}
	for who, want := range map[string]bool{"floor": true, "wxpay": true, "gopay": false} {
		if got := run.Of("out", "Feed/"+who, "sec/op").Known(); got != want {
			t.Errorf("%s: %t\n%s", who, got, raw.String())
		}
	}
	var document bytes.Buffer
	if err := errors.Join(run.Document(&document), run.Aims(&document)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"- Feed/gopay, not measured in this run: it broke: for a reason\n", "| Member feed, POST | allocations | ≤ 22 | – | not measured |",
	} {
		if !strings.Contains(document.String(), want) {
			t.Errorf("the pages lack %q", want)
		}
	}

	t.Setenv(fake, "crashed")
	if err := bench(io.Discard, 1, os.Args[0], "Feed", "1x"); err == nil || !strings.Contains(err.Error(), "panic: everything") {
		t.Errorf("a crash is no result: %v", err)
	}
}

// The minimal programs are built from the module cache alone. The one for gopay has modules behind
// its module.
func TestMinimalProgramsNeedNoNetwork(t *testing.T) {
	t.Chdir("../..")
	for name, value := range map[string]string{"GOPROXY": "off", "HTTPS_PROXY": "http://127.0.0.1:1"} {
		t.Setenv(name, value)
	}
	r := &recording{steps: &steps{folder: t.TempDir()}, folder: t.TempDir()}
	for i, want := range map[int]string{3: "BenchmarkMinimal/gopay 1 8 linked-modules ", 0: "absent: Minimal/broken: go: exit status 1 "} {
		program := minimalPrograms[i]
		if i == 0 {
			program = minimalProgram{"broken", "package main\n\nimport _ \"example.invalid/nothing\"\n"}
		}
		if err := r.minimal([]minimalProgram{program}); err != nil {
			t.Fatal(err)
		}
		if text, err := os.ReadFile(filepath.Join(r.steps.folder, "minimal-"+program.who)); err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%v\n%s", err, text)
		}
	}
}
