// Command report runs the whole comparison, records it in results/run.txt, and writes
// docs/performance.md and its plot from that file:
//
//	go -C bench/peers run ./cmd/report           # ten rounds, about ten minutes on two cores
//	go -C bench/peers run ./cmd/report -quick    # three rounds, the large bill once
//	go -C bench/peers run ./cmd/report -render   # only the document and the plot, from the recorded file
//
// Every round measures every contestant once, one right after the other and beginning with another
// one each time, so that what the machine does besides hits all of them. It wants Linux (for the
// peak memory of a process), and a module proxy for the minimal programs.
package main

import (
	"bufio"
	"bytes"
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
		if err := record(*count, command); err != nil {
			log.Fatal(err)
		}
	}
	if err := report.Render("."); err != nil {
		log.Fatal(err)
	}
}

// recording is a run under way.
type recording struct {
	folder string
	out    io.Writer
	in     string // the test program
	outRSA string // the same with RSA taken out
}

func record(count int, command string) error {
	folder, err := os.MkdirTemp("", "wxpay-peers-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	r := &recording{folder: folder, in: filepath.Join(folder, "in.test"), outRSA: filepath.Join(folder, "out.test")}
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
	raw, err := os.CreateTemp(folder, "raw")
	if err != nil {
		return err
	}
	defer raw.Close()
	r.out = raw
	version, err := run("go", "env", "GOVERSION")
	if err != nil {
		return err
	}
	load := loadAverage()
	fmt.Fprintf(raw, "date: %s\ngo: %s\ncores: %d\nmemory: %s\nkernel: %s\nlibcrypto: %s\ncommand: %s\nload-before: %s\n\n",
		time.Now().UTC().Format(time.DateTime+" UTC"), strings.TrimSpace(string(version)), runtime.NumCPU(), memory(), kernel(), libcrypto(), command, load)

	bills, err := newBills(folder)
	if err != nil {
		return err
	}
	defer bills.close()
	for round := 1; round <= count; round++ {
		log.Printf("round %d of %d", round, count)
		fmt.Fprintf(raw, "round: %d\n", round)
		if err := r.round(round, bills); err != nil {
			return err
		}
	}
	fmt.Fprintf(raw, "load-after: %s\nround: 0\nrsa: in\n", loadAverage())
	log.Print("profiles and minimal programs")
	if err := r.profiles(); err != nil {
		return err
	}
	if err := r.minimal(); err != nil {
		return err
	}
	text, err := os.ReadFile(raw.Name())
	if err != nil {
		return err
	}
	if err := os.MkdirAll("results", 0o755); err != nil {
		return err
	}
	return os.WriteFile(report.Raw, text, 0o644)
}

// round measures everything once.
func (r *recording) round(round int, bills *bills) error {
	first := []string{"PEERS_ROUND=" + strconv.Itoa(round)}
	if err := r.bench(first, r.outRSA, "Feed|Order|Transfer|Upload", "-test.benchtime=200ms"); err != nil {
		return err
	}
	if round <= 3 {
		if err := r.bench(first, r.outRSA, "Retained", "-test.benchtime=1x"); err != nil {
			return err
		}
	}
	if err := r.bench(first, r.in, "Notify|Construction|RSA", "-test.benchtime=200ms"); err != nil {
		return err
	}
	if err := r.bench(first, r.in, "Busy|Loopback", "-test.benchtime=1000x"); err != nil {
		return err
	}
	for i := range programs {
		program := programs[(i+round)%len(programs)]
		for _, coding := range []string{"plain", "gzip"} {
			if err := r.bill(bills, program, 256, coding); err != nil {
				return err
			}
			// Who holds a bill in memory would need several times that of this one.
			if round <= 2 && program != "gopay" {
				if err := r.bill(bills, program, 1024, coding); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

var programs = []string{"floor", "own", "catalog", "official", "gopay"}

// bench runs benchmarks of a test program and keeps its output without the verdict.
func (r *recording) bench(env []string, program, pattern string, args ...string) error {
	command := exec.Command(program, append([]string{"-test.run=^$", "-test.bench=^Benchmark(" + pattern + ")$"}, args...)...)
	command.Env = append(os.Environ(), env...)
	out, err := output(command)
	if err != nil {
		return err
	}
	for scanner := bufio.NewScanner(bytes.NewReader(out)); scanner.Scan(); {
		if line := scanner.Text(); strings.HasPrefix(line, "Benchmark") || strings.Contains(line, ": ") && !strings.HasPrefix(line, "pkg:") {
			fmt.Fprintln(r.out, line)
		}
	}
	return nil
}

func (r *recording) bill(bills *bills, program string, mib int, coding string) error {
	fmt.Fprintln(r.out, "rsa: in")
	out, err := run(filepath.Join(r.folder, program), "-base", bills.base, "-mib", strconv.Itoa(mib), "-sha1", bills.digest[mib], fmt.Sprintf("-gzip=%t", coding == "gzip"))
	if err != nil {
		return err
	}
	_, err = r.out.Write(out)
	return err
}

// profiles finds out where the processor's time goes in a call of wxpay.
func (r *recording) profiles() error {
	for _, p := range []struct{ program, rsa, time string }{{r.in, "in", "5s"}, {r.outRSA, "out", "3s"}} {
		file := filepath.Join(r.folder, p.rsa+".pprof")
		if _, err := run(p.program, "-test.run=^$", "-test.bench=^BenchmarkFeed$/^wxpay$", "-test.benchtime="+p.time, "-test.cpuprofile="+file); err != nil {
			return err
		}
		data, err := os.Open(file)
		if err != nil {
			return err
		}
		defer data.Close()
		fmt.Fprintf(r.out, "rsa: %s\n", p.rsa)
		if err := report.WriteProfile(r.out, data); err != nil {
			return err
		}
	}
	fmt.Fprintln(r.out, "rsa: in")
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
	var failure bytes.Buffer
	command.Stderr = &failure
	out, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w\n%s%s", command, err, out, failure.Bytes())
	}
	return out, nil
}
