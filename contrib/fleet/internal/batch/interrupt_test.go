//go:build unix

package batch_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/contrib/fleet/internal/batch"
	"github.com/wxpay-go/wxpay/internal/iotest"
	"github.com/wxpay-go/wxpay/sandbox"
)

// A signal finishes what is in hand, and the same command goes on.
func TestInterrupted(t *testing.T) {
	for _, end := range []syscall.Signal{syscall.SIGTERM, syscall.SIGHUP} { // a terminal that is closed is no reason to break off
		t.Run(end.String(), func(t *testing.T) {
			t.Parallel()
			testInterrupted(t, end)
		})
	}
}

func testInterrupted(t *testing.T, end os.Signal) {
	gateway := listen(t)
	s := newShell(t, gateway.Env()...)
	gate := keep(t, gateway, 20)
	const n = 200
	gone := s.path("gone")
	require.NoError(t, os.Mkdir(gone, 0o700))
	args := []string{s.file("feeds.ndjson", feedLines(n)), feedsPath, "--rate", "1000", "--workers", "8", "--data", s.path("data"),
		"-o", filepath.Join(gone, "out.ndjson"), "--moved"} // behind the gate and without
	child := exec.Command(os.Args[0], args...)
	if signal.Ignored(syscall.SIGHUP) && end == syscall.SIGHUP {
		t.Skip("hang-ups are ignored here, and the program leaves it at that")
	}
	child.Env = append(append(os.Environ(), s.env...), "BATCH_TEST_PROGRAM=1", gate.env())
	var notes iotest.Buffer
	child.Stderr = &notes
	require.NoError(t, child.Start())
	<-gate.full
	require.NoError(t, os.Remove(gone))
	require.NoError(t, child.Process.Signal(end))
	assert.Eventually(t, func() bool { return strings.Contains(notes.String(), "Interrupted: ") }, time.Minute, time.Millisecond)
	gate.release(false)
	_ = child.Wait()
	assert.Equal(t, 4, child.ProcessState.ExitCode(), notes.String())
	assert.Contains(t, notes.String(), "the results: ", "that they are missing is told as well")
	assert.Contains(t, notes.String(), "  succeeded")
	assert.Contains(t, notes.String(), "Interrupted: finishing what is in hand")
	assert.Contains(t, notes.String(), "run it again to go on")
	done := len(gateway.Ledger.Effects(sandbox.FeedEffect))
	require.Less(t, done, n)

	require.NoError(t, os.Mkdir(gone, 0o700))
	code, _, stderr := s.run(args...)
	assert.Equal(t, 0, code, stderr)
	assert.Contains(t, stderr, "200  succeeded")
	assert.Len(t, gateway.Ledger.Effects(sandbox.FeedEffect), n)
	assert.Len(t, gateway.Journal.All(), n, "nothing was in doubt")
}

// A signal ends the reading of a pipe that gives nothing.
func TestInterruptedAtAPipe(t *testing.T) {
	t.Parallel()
	gateway := listen(t)
	s := newShell(t, gateway.Env()...)
	child := exec.Command(os.Args[0], "-", feedsPath, "--format", "ndjson", "--data", s.path("data"))
	child.Env = append(append(os.Environ(), s.env...), "BATCH_TEST_PROGRAM=1")
	pipe, err := child.StdinPipe()
	require.NoError(t, err)
	defer pipe.Close()
	var notes bytes.Buffer
	child.Stderr = &notes
	require.NoError(t, child.Start())
	_, err = pipe.Write([]byte(feedLines(1)))
	require.NoError(t, err)
	assert.Eventually(t, func() bool { return len(gateway.Ledger.Effects(sandbox.FeedEffect)) == 1 }, 30*time.Second, time.Millisecond,
		"what came is carried out at once")
	require.NoError(t, child.Process.Signal(syscall.SIGTERM))
	ended := make(chan error, 1)
	go func() { ended <- child.Wait() }()
	select {
	case <-ended:
	case <-time.After(30 * time.Second):
		_ = child.Process.Kill()
		<-ended
		t.Error("it waits for the pipe")
	}
	assert.Equal(t, 4, child.ProcessState.ExitCode(), notes.String())
	assert.Contains(t, notes.String(), "1 queued")
}

// Who interrupts a submission is told what that leaves.
func TestInterruptedSubmission(t *testing.T) {
	t.Parallel()
	s := newShell(t, listen(t).Env()...)
	pipe, feed := io.Pipe()
	ctx, interrupt := context.WithCancel(t.Context())
	go func() {
		for i := range 2 { // the second is read when the first is taken, so the submission runs
			_, _ = feed.Write([]byte(feedLine(i) + "\n"))
		}
		interrupt()
	}()
	defer feed.Close()
	var notes bytes.Buffer
	code := batch.Main(ctx, []string{"submit", "-", feedsPath, "--data", s.path("data")}, pipe, io.Discard, &notes, s.env)
	assert.Equal(t, 4, code)
	assert.Contains(t, notes.String(), "interrupted; what was counted is queued")
}
