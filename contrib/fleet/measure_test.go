//go:build unix

package fleet_test

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/contrib/fleet"
	"github.com/wxpay-go/wxpay/contrib/fleet/internal/fleettest"
)

// feedFile is an NDJSON file of n feeds that is made while it is read.
type feedFile struct {
	n, made int
	rest    []byte
}

func (f *feedFile) Read(p []byte) (int, error) {
	for len(f.rest) < len(p) && f.made < f.n {
		f.rest = fmt.Appendf(f.rest,
			`{"brand_id":"1004","card_id":"pbLatjvWOibDc5-TBnbUk1pD12o0","user_card_code":"478515832665","openid":"obLatjnx9gnqzS4myYGmLZ7LgLBA",`+
				`"out_request_no":"1000023220190901%010d","cell_message":"15_1200_1"}`+"\n", f.made)
		f.made++
	}
	if len(f.rest) == 0 {
		return 0, io.EOF
	}
	k := copy(p, f.rest)
	f.rest = f.rest[k:]
	return k, nil
}

// usage returns what this process has used: processor time, and KiB of memory at most.
func usage(t testing.TB) (cpu time.Duration, peak int64) {
	t.Helper()
	var u syscall.Rusage
	require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	peak = int64(u.Maxrss) // kilobytes, bytes on darwin
	switch runtime.GOOS {
	case "darwin":
		peak /= 1024
	case "linux": // where a process begins with the peak of the one that started it
		status, err := os.ReadFile("/proc/self/status")
		require.NoError(t, err)
		_, rest, _ := strings.Cut(string(status), "VmHWM:")
		_, err = fmt.Sscan(rest, &peak)
		require.NoError(t, err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), peak
}

// The memory of a process that submits does not grow with the file: 128 MiB are enough for a
// million lines, as for these.
func TestSubmitInLittleMemory(t *testing.T) {
	n := 20_000
	if os.Getenv("WXPAY_TEST_LONG") == "1" {
		n = 1_000_000
	}
	type measured struct {
		Queued  int
		Seconds float64
		CPU     float64 // seconds
		Peak    int64   // KiB
	}
	if url := os.Getenv("FLEET_TEST_SUBMIT"); url != "" { // the process that is measured
		n, err := strconv.Atoi(os.Getenv("FLEET_TEST_LINES"))
		require.NoError(t, err)
		e, err := fleet.Connect(t.Context(), url)
		require.NoError(t, err)
		q := newQueue(t, e, newGateway(t).client)
		began := time.Now()
		before, _ := usage(t)
		s, err := q.Submit(t.Context(), fleet.Sheet{Path: feedsPath}.NDJSON(&feedFile{n: n}), fleet.Intake{})
		require.NoError(t, err)
		seconds := time.Since(began).Seconds()
		after, peak := usage(t)
		text, err := json.Marshal(measured{s.Queued, seconds, (after - before).Seconds(), peak})
		require.NoError(t, err)
		fmt.Printf("measured %s\n", text)
		return
	}
	server := fleettest.Standalone(t)
	before, _ := usage(t)
	child := exec.Command(os.Args[0], "-test.run=^TestSubmitInLittleMemory$", "-test.v")
	child.Env = append(os.Environ(), "FLEET_TEST_SUBMIT="+server.ClientURL(), "FLEET_TEST_LINES="+strconv.Itoa(n))
	out, err := child.CombinedOutput()
	require.NoError(t, err, "%s", out)
	_, line, ok := strings.Cut(string(out), "measured ")
	require.True(t, ok, "%s", out)
	line, _, _ = strings.Cut(line, "\n")
	var m measured
	require.NoError(t, json.Unmarshal([]byte(line), &m))
	assert.Equal(t, n, m.Queued)
	after, peak := usage(t)
	each := func(seconds float64) float64 { return seconds * 1e6 / float64(m.Queued) }
	t.Logf("%d lines in %.1f s: %.0f a second; processor time a line: %.1f µs here, %.1f µs in the server; memory at most: %d MiB here, %d MiB in the server",
		m.Queued, m.Seconds, float64(m.Queued)/m.Seconds, each(m.CPU), each((after - before).Seconds()), m.Peak>>10, peak>>10)
	if !raceEnabled {
		assert.Less(t, m.Peak>>10, int64(128))
	}
}

// remote is a platform in a process of its own, so that what it costs is not counted here.
func remote(b *testing.B) *wxpay.Client {
	b.Helper()
	platform := fleettest.Reexec("platform", "")
	stdin, err := platform.StdinPipe()
	require.NoError(b, err)
	stdout, err := platform.StdoutPipe()
	require.NoError(b, err)
	require.NoError(b, platform.Start())
	b.Cleanup(func() {
		_ = stdin.Close()
		assert.NoError(b, platform.Wait())
	})
	var env []string
	require.NoError(b, json.NewDecoder(stdout).Decode(&env))
	client, err := proofClient(env, env[0], wxpay.WithPreflight(wxpay.PreflightStrict), wxpay.WithTransport(&http.Transport{MaxIdleConnsPerHost: 64}))
	require.NoError(b, err)
	return client
}

// What a job costs over the call that it makes: queueing apart, it is taken, written down twice and
// acknowledged. The engine is in this process; the platform is, too, or its processor time is not
// counted. The time of a call in the real world is that of the network.
func BenchmarkDirect(b *testing.B) {
	eachCalls(b, func(b *testing.B, client *wxpay.Client, calls int) {
		chain := client.Chain(feedsPath)
		bodies := make(chan []byte, b.N)
		for i := range b.N {
			bodies <- feed(fmt.Sprintf("F%07d", i)).Body
		}
		close(bodies)
		measured(b, func() {
			var all sync.WaitGroup
			for range calls {
				all.Go(func() {
					for body := range bodies {
						if _, err := chain.Ensure(b.Context(), body); err != nil {
							b.Error(err)
						}
					}
				})
			}
			all.Wait()
		})
	})
}

func BenchmarkJob(b *testing.B) {
	eachCalls(b, func(b *testing.B, client *wxpay.Client, calls int) {
		q := newQueue(b, fleettest.Embedded(b), client)
		jobs := make([]fleet.Job, b.N)
		for i := range jobs {
			jobs[i] = feed(fmt.Sprintf("F%07d", i))
		}
		submit(b, q, jobs...)
		done := make(chan struct{}, b.N)
		var stop func()
		measured(b, func() {
			stop = start(b, &fleet.Worker{Queue: q, Calls: calls, OnResult: func(fleet.Result) { done <- struct{}{} }})
			for range b.N {
				<-done
			}
		})
		stop()
	})
}

func eachCalls(b *testing.B, bench func(b *testing.B, client *wxpay.Client, calls int)) {
	for _, platform := range []struct {
		name   string
		client func(*testing.B) *wxpay.Client
	}{
		{"here", func(b *testing.B) *wxpay.Client { return newGateway(b).client }},
		{"elsewhere", remote},
	} {
		for _, calls := range []int{1, 16} {
			b.Run(fmt.Sprintf("platform=%s/calls=%d", platform.name, calls), func(b *testing.B) { bench(b, platform.client(b), calls) })
		}
	}
}

// measured runs what is measured, and reports the processor time of this process for it.
func measured(b *testing.B, run func()) {
	began, _ := usage(b)
	b.ResetTimer()
	run()
	b.StopTimer()
	ended, _ := usage(b)
	b.ReportMetric(float64((ended-began).Microseconds())/float64(b.N), "cpu-µs/op")
}

func BenchmarkSubmit(b *testing.B) {
	q := newQueue(b, fleettest.Embedded(b), newGateway(b).client)
	b.ResetTimer()
	s, err := q.Submit(b.Context(), fleet.Sheet{Path: feedsPath}.NDJSON(&feedFile{n: b.N}), fleet.Intake{})
	require.NoError(b, err)
	require.Equal(b, b.N, s.Queued)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "lines/s")
}

// BenchmarkStored measures what jobs take on disk and in memory, in a process with an embedded
// engine: run it with -benchtime 100000x. A job that waits has a message and a record; one that has
// ended has its record only.
func BenchmarkStored(b *testing.B) {
	dir := b.TempDir()
	e, err := fleet.Embedded(dir)
	require.NoError(b, err)
	defer e.Close()
	q := newQueue(b, e, newGateway(b).client)
	empty := resident(b)
	b.ResetTimer()
	_, err = q.Submit(b.Context(), fleet.Sheet{Path: feedsPath}.NDJSON(&feedFile{n: b.N}), fleet.Intake{})
	require.NoError(b, err)
	b.StopTimer()
	each := func(size int64, what string) { b.ReportMetric(float64(size)/float64(b.N), what) }
	time.Sleep(cached)
	each(onDisk(b, dir), "disk-B/waiting")
	each(resident(b)-empty, "memory-B/waiting")
	jobs, err := e.JetStream().Stream(b.Context(), "wxpay-jobs")
	require.NoError(b, err)
	require.NoError(b, jobs.Purge(b.Context()))
	time.Sleep(cached)
	each(onDisk(b, dir), "disk-B/record")
	each(resident(b)-empty, "memory-B/record")
}

// cached is longer than the server keeps what it has just written in memory, and than it takes to
// remove what was purged.
const cached = 15 * time.Second

// resident is the memory of this process that holds something.
func resident(t testing.TB) int64 {
	t.Helper()
	debug.FreeOSMemory()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Skip("only Linux tells the memory of a process here")
	}
	fields := strings.Fields(string(text))
	require.Len(t, fields, 7)
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	require.NoError(t, err)
	return pages * int64(os.Getpagesize())
}

func onDisk(t testing.TB, dir string) (size int64) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err == nil && info.Mode().IsRegular() {
			size += info.Size()
		}
		return err
	}))
	return size
}

// BenchmarkEnded measures what the record of a job that has ended takes: on disk, in the memory of
// an embedded engine while it works, and in that of one that is opened later. The platform is
// another process. With few jobs, memory is mostly that of buffers. Run it with -benchtime 8000x.
func BenchmarkEnded(b *testing.B) {
	dir := b.TempDir()
	client := remote(b)
	before := resident(b)
	e, err := fleet.Embedded(dir)
	require.NoError(b, err)
	q := newQueue(b, e, client)
	_, err = q.Submit(b.Context(), fleet.Sheet{Path: feedsPath}.NDJSON(&feedFile{n: b.N}), fleet.Intake{})
	require.NoError(b, err)
	b.ResetTimer()
	stop := start(b, &fleet.Worker{Queue: q, Calls: 16})
	require.NoError(b, q.Idle(b.Context()))
	b.StopTimer()
	stop()
	each := func(size int64, what string) { b.ReportMetric(float64(size)/float64(b.N), what) }
	time.Sleep(cached)
	each(onDisk(b, dir), "disk-B/ended")
	each(resident(b)-before, "memory-B/ended")
	require.NoError(b, e.Close())
	time.Sleep(time.Second)
	before = resident(b)
	e, err = fleet.Embedded(dir)
	require.NoError(b, err)
	defer e.Close()
	each(resident(b)-before, "memory-B/reopened")
}
