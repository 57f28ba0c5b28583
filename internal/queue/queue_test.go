//go:build go1.25

package queue_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/internal/queue"
)

// journal keeps what became of jobs, in order.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) add(line string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, line)
}

// took returns what became of jobs since the last time.
func (j *journal) took() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	lines := j.lines
	j.lines = nil
	return lines
}

// job is one that writes down what happens to it.
type job struct {
	name    string
	journal *journal
	run     func() // nil for nothing
	end     func() // nil for nothing
}

func (j job) Run() {
	j.journal.add("run " + j.name)
	if j.run != nil {
		j.run()
	}
}

func (j job) End() {
	j.journal.add("end " + j.name)
	if j.end != nil {
		j.end()
	}
}

func (j job) Cancel() { j.journal.add("cancel " + j.name) }

// Two run, three wait, and the sixth is not taken; each place that becomes free goes to the oldest in line.
func TestBoundsAndOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, j := queue.New(2, 3), new(journal)
		release := map[string]chan struct{}{}
		submit := func(name string) bool {
			wait := make(chan struct{})
			release[name] = wait
			return q.Submit(t.Context(), job{name: name, journal: j, run: func() { <-wait }})
		}
		took := func() []string {
			synctest.Wait()
			return j.took()
		}
		for _, name := range []string{"a", "b", "c", "d", "e"} {
			require.True(t, submit(name), name)
		}
		assert.False(t, submit("f"), "two run and three wait")
		assert.ElementsMatch(t, []string{"run a", "run b"}, took())
		close(release["b"])
		assert.ElementsMatch(t, []string{"end b", "run c"}, took())
		require.True(t, submit("g"), "c has left the line")
		assert.False(t, submit("h"))
		close(release["a"])
		assert.ElementsMatch(t, []string{"end a", "run d"}, took())
		close(release["c"])
		assert.ElementsMatch(t, []string{"end c", "run e"}, took())
		close(release["d"])
		assert.ElementsMatch(t, []string{"end d", "run g"}, took())
		close(release["e"])
		close(release["g"])
		assert.ElementsMatch(t, []string{"end e", "end g"}, took())
		require.True(t, submit("i"), "an empty queue takes jobs again")
		close(release["i"])
		assert.Equal(t, []string{"run i", "end i"}, took())
	})
}

// A queue without a line takes a job as soon as there is a place, and at its End the place of a job is free.
func TestNoLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, j := queue.New(1, 0), new(journal)
		taken := false
		require.True(t, q.Submit(t.Context(), job{name: "a", journal: j,
			run: func() { assert.False(t, q.Submit(t.Context(), job{name: "x", journal: j})) },
			end: func() { taken = q.Submit(t.Context(), job{name: "b", journal: j}) },
		}))
		synctest.Wait()
		assert.True(t, taken)
		assert.Equal(t, []string{"run a", "end a", "run b", "end b"}, j.took())
	})
}

// A job whose context ends in line leaves it; one that runs is its own master.
func TestCancellation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, j := queue.New(1, 2), new(journal)
		ctx, cancel := context.WithCancel(t.Context())
		release := make(chan struct{})
		require.True(t, q.Submit(ctx, job{name: "a", journal: j, run: func() { <-release }}))
		require.True(t, q.Submit(ctx, job{name: "b", journal: j}))
		require.True(t, q.Submit(t.Context(), job{name: "c", journal: j}))
		require.False(t, q.Submit(t.Context(), job{name: "d", journal: j}))
		cancel()
		synctest.Wait()
		assert.ElementsMatch(t, []string{"run a", "cancel b"}, j.took(), "b is cancelled at once, and a goes on")
		require.True(t, q.Submit(t.Context(), job{name: "e", journal: j}), "b has left the line")
		close(release)
		synctest.Wait()
		assert.Equal(t, []string{"c", "e"}, runs(j.took()))
		cancel()
	})
}

// runs are the jobs that ran, in order. An end and the run that follows it happen at the same time.
func runs(lines []string) (names []string) {
	for _, line := range lines {
		if name, ran := strings.CutPrefix(line, "run "); ran {
			names = append(names, name)
		}
	}
	return names
}

// A context that ended before makes a job that would wait end at once, and one that need not wait runs.
func TestEndedContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, j := queue.New(1, 1), new(journal)
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		release := make(chan struct{})
		require.True(t, q.Submit(ended, job{name: "a", journal: j, run: func() { <-release }}))
		require.True(t, q.Submit(ended, job{name: "b", journal: j}))
		synctest.Wait()
		assert.ElementsMatch(t, []string{"run a", "cancel b"}, j.took())
		close(release)
		synctest.Wait()
		assert.Equal(t, []string{"end a"}, j.took())
	})
}

// Every job either ends or is cancelled, once, also where both are due at the same moment.
func TestEachJobEndsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, j := queue.New(3, 200), new(journal)
		var submitters sync.WaitGroup
		const each = 50
		for s := range 4 {
			submitters.Go(func() {
				for n := range each {
					ctx, cancel := context.WithCancel(t.Context())
					assert.True(t, q.Submit(ctx, job{name: string(rune('A'+s)) + string(rune('0'+n)), journal: j, run: runtime.Gosched}))
					if n%2 == 0 {
						cancel()
					} else {
						defer cancel()
					}
				}
			})
		}
		submitters.Wait()
		synctest.Wait()
		ran, ended := map[string]int{}, map[string]int{}
		for _, line := range j.took() {
			switch line[:3] {
			case "run":
				ran[line[4:]]++
			case "end":
				ended[line[4:]]++
			default:
				ended[line[7:]]++
			}
		}
		assert.Len(t, ended, 4*each)
		for name, times := range ended {
			assert.Equal(t, 1, times, name)
		}
		for name, times := range ran {
			assert.Equal(t, 1, times, name)
		}
	})
}

// A job that ends its goroutine gives its place to the next one like any other.
func TestJobEndsTheGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, j := queue.New(1, 1), new(journal)
		require.True(t, q.Submit(t.Context(), job{name: "a", journal: j, run: runtime.Goexit}))
		require.True(t, q.Submit(t.Context(), job{name: "b", journal: j}))
		synctest.Wait()
		lines := j.took()
		slices.Sort(lines)
		assert.Equal(t, []string{"end a", "end b", "run a", "run b"}, lines)
	})
}

// The queue hides no panic: the process ends by it, after End.
func TestPanic(t *testing.T) {
	if os.Getenv("WXPAY_TEST_PANIC") != "" {
		done := make(chan struct{})
		queue.New(1, 0).Submit(t.Context(), job{name: "a", journal: new(journal), run: func() { panic("the job's own") }, end: func() {
			_, _ = os.Stderr.WriteString("End was called\n")
		}})
		<-done
	}
	t.Parallel()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestPanic$")
	child.Env = append(os.Environ(), "WXPAY_TEST_PANIC=1")
	var out bytes.Buffer
	child.Stdout, child.Stderr = &out, &out
	require.Error(t, child.Run())
	assert.Contains(t, out.String(), "End was called\npanic: the job's own")
}
