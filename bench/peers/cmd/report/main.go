// Command report runs the whole comparison, records it in results/run.txt, and writes
// docs/performance.md, docs/internals/targets.md and the plot from that file:
//
//	go -C bench/peers run ./cmd/report           # ten rounds, about ten minutes on two cores
//	go -C bench/peers run ./cmd/report -quick    # three rounds, the large bill once
//	go -C bench/peers run ./cmd/report -resume   # continue a run that was interrupted
//	go -C bench/peers run ./cmd/report -render   # only the pages and the plot, from the recorded file
//
// Every round measures every contestant once, one right after the other and beginning with another
// one each time, so that what the machine does besides hits all of them. It wants Linux, for the
// peak memory of a process. It asks no network: the modules of this one must be in the module cache
// (go -C bench/peers mod download). A contestant that fails is recorded as not measured, with the
// reason.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/bench/peers"
	"github.com/wxpay-go/wxpay/bench/peers/internal/bill"
	"github.com/wxpay-go/wxpay/bench/peers/internal/overlay"
	"github.com/wxpay-go/wxpay/bench/peers/internal/report"
)

func main() {
	log.SetFlags(log.Ltime)
	count := flag.Int("count", 10, "how many rounds")
	quick := flag.Bool("quick", false, "three rounds, whatever -count says")
	resume := flag.Bool("resume", false, "continue a run that was interrupted; its other flags must be the same")
	render := flag.Bool("render", false, "run nothing, write the document from the recorded file")
	flag.Parse()
	command := "go -C bench/peers run ./cmd/report"
	if *quick {
		*count, command = 3, command+" -quick"
	} else if *count != 10 {
		command += fmt.Sprintf(" -count %d", *count)
	}
	if !*render {
		for name, reason := range peers.Absent {
			log.Printf("not measured: %s: %s", name, reason)
		}
		if err := record(*count, command, *resume); err != nil {
			log.Fatal(err)
		}
	}
	if err := report.Render("."); err != nil {
		log.Fatal(err)
	}
}

// partial has the steps of a run that has not ended. Git ignores it.
const partial = "results/partial.out"

// recording is a run under way.
type recording struct {
	*steps
	folder string
	in     string // the test program
	outRSA string // the same with RSA taken out
}

func record(count int, command string, resume bool) error {
	folder, err := os.MkdirTemp("", "wxpay-peers-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	version, err := run("go", "env", "GOVERSION")
	if err != nil {
		return err
	}
	r := &recording{folder: folder, in: filepath.Join(folder, "in.test"), outRSA: filepath.Join(folder, "out.test")}
	r.steps, err = openSteps(partial, fmt.Sprintf("date: %s\ngo: %s\ncores: %d\nmemory: %s\nkernel: %s\nlibcrypto: %s\nrevision: %s\ncommand: %s\nload-before: %s\n\n",
		time.Now().UTC().Format(time.DateTime+" UTC"), strings.TrimSpace(string(version)), runtime.NumCPU(), memory(), kernel(), libcrypto(), revision(), command, loadAverage()), resume)
	if err != nil {
		return err
	}
	log.Print("building")
	file, err := overlay.Make(folder)
	if err != nil {
		return err
	}
	for _, args := range [][]string{
		{"test", "-c", "-o", r.in, "."},
		{"test", "-c", "-overlay", file, "-o", r.outRSA, "."},
		{"build", "-o", folder + string(filepath.Separator), "./cmd/bill/..."},
	} {
		if _, err := run("go", args...); err != nil {
			return err
		}
	}
	bills, err := newBills(folder)
	if err != nil {
		return err
	}
	defer bills.close()
	for round := 1; round <= count; round++ {
		log.Printf("round %d of %d", round, count)
		if err := r.round(round, bills); err != nil {
			return err
		}
	}
	log.Print("profiles and minimal programs")
	if err := r.profiles(); err != nil {
		return err
	}
	if err := r.minimal(minimalPrograms); err != nil {
		return err
	}
	return r.end(report.Raw)
}

// round measures everything once.
func (r *recording) round(round int, bills *bills) error {
	for _, step := range []struct{ name, program, pattern, time string }{
		{"calls", r.outRSA, "Feed|Order|Transfer|Upload", "200ms"},
		{"retained", r.outRSA, "Retained", "1x"},
		{"parts", r.in, "Notify|Handle|Construction|RSA", "200ms"},
		{"busy", r.in, "Busy|Loopback", "1000x"},
	} {
		if step.name == "retained" && round > 3 {
			continue
		}
		if err := r.do(fmt.Sprintf("round-%02d-%s", round, step.name), func(w io.Writer) error {
			fmt.Fprintf(w, "round: %d\n", round)
			return bench(w, round, step.program, step.pattern, step.time)
		}); err != nil {
			return err
		}
	}
	for i := range programs {
		program := programs[(i+round)%len(programs)]
		for _, coding := range []string{"plain", "gzip"} {
			for _, mib := range []int{256, 1024} {
				// A client that holds a bill in memory would need several times that of the large one.
				if mib == 1024 && (round > 2 || program == "gopay") {
					continue
				}
				if err := r.do(fmt.Sprintf("round-%02d-bill-%s-%d-%s", round, program, mib, coding), func(w io.Writer) error {
					fmt.Fprintf(w, "round: %d\nrsa: in\n", round)
					return r.bill(w, bills, program, mib, coding)
				}); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

var programs = []string{"floor", "own", "catalog", "official", "gopay"}

// billers are the contestants of the programs.
var billers = map[string]string{"floor": "floor", "own": "wxpay", "catalog": "wxpay-catalog", "official": "official", "gopay": "gopay"}

// bench runs benchmarks of a test program and keeps its output without the verdict. A contestant
// that failed becomes a line that says why.
func bench(w io.Writer, round int, program, pattern, time string) error {
	command := exec.Command(program, "-test.run=^$", "-test.bench=^Benchmark("+pattern+")$", "-test.benchtime="+time)
	command.Env = append(os.Environ(), "PEERS_ROUND="+strconv.Itoa(round))
	out, failure := command.Output()
	absent := 0
	lines := strings.Split(string(out), "\n")
	for i, line := range lines {
		if name, failed := strings.CutPrefix(line, "--- FAIL: Benchmark"); failed {
			if strings.Contains(name, "/") && i+1 < len(lines) {
				absent++
				report.WriteAbsent(w, name, lines[i+1])
			}
		} else if strings.HasPrefix(line, "Benchmark") || strings.Contains(line, ": ") && !strings.HasPrefix(line, "pkg:") && !strings.HasPrefix(line, " ") {
			fmt.Fprintln(w, line)
		}
	}
	if failure != nil && absent == 0 {
		return explain(command, out, failure)
	}
	return nil
}

func (r *recording) bill(w io.Writer, bills *bills, program string, mib int, coding string) error {
	out, err := run(filepath.Join(r.folder, program), "-base", bills.base, "-mib", strconv.Itoa(mib), "-sha1", bills.digest[mib], fmt.Sprintf("-gzip=%t", coding == "gzip"))
	if err != nil {
		report.WriteAbsent(w, fmt.Sprintf("Bill/%dMiB-%s/%s", mib, coding, billers[program]), err.Error())
		return nil
	}
	_, err = w.Write(out)
	return err
}

// profiles finds out where the processor's time goes in a call of wxpay.
func (r *recording) profiles() error {
	for _, p := range []struct{ program, rsa, time string }{{r.in, "in", "5s"}, {r.outRSA, "out", "3s"}} {
		if err := r.do("profile-"+p.rsa, func(w io.Writer) error {
			file := filepath.Join(r.folder, p.rsa+".pprof")
			if _, err := run(p.program, "-test.run=^$", "-test.bench=^BenchmarkFeed$/^wxpay$", "-test.benchtime="+p.time, "-test.cpuprofile="+file); err != nil {
				return err
			}
			data, err := os.Open(file)
			if err != nil {
				return err
			}
			defer data.Close()
			fmt.Fprintf(w, "load-after: %s\nround: 0\nrsa: %s\n", loadAverage(), p.rsa)
			return report.WriteProfile(w, data)
		}); err != nil {
			return err
		}
	}
	return nil
}

// bills is the server of bills, in this process, while the clients have one of their own each.
type bills struct {
	base   string
	digest map[int]string
	close  func()
}

func newBills(folder string) (*bills, error) {
	keys := filepath.Join(folder, "keys")
	if err := peers.SaveKeys(keys); err != nil {
		return nil, err
	}
	if err := os.Setenv(peers.KeysFile, keys); err != nil {
		return nil, err
	}
	certificate, err := peers.TrustLoopback()
	if err != nil {
		return nil, err
	}
	server, err := bill.NewServer()
	if err != nil {
		return nil, err
	}
	base, listener, err := bill.Serve(server, certificate)
	if err != nil {
		return nil, err
	}
	return &bills{base, map[int]string{256: server.Digest(256), 1024: server.Digest(1024)}, func() {
		_ = listener.Close()
		certificate.Remove()
	}}, nil
}

func run(name string, args ...string) ([]byte, error) { return output(exec.Command(name, args...)) }

func output(command *exec.Cmd) ([]byte, error) {
	out, err := command.Output()
	if err != nil {
		return nil, explain(command, out, err)
	}
	return out, nil
}

// explain joins the error of a command and its output.
func explain(command *exec.Cmd, out []byte, err error) error {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		out = append(out, exit.Stderr...)
	}
	return fmt.Errorf("%s: %w\n%s", filepath.Base(command.Path), err, out)
}
