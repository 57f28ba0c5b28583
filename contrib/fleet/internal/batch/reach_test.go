package batch_test

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/contrib/fleet/internal/batch"
	"github.com/wxpay-go/wxpay/sandbox"
)

// A process that works in a directory is reached from others, which need no key of the merchant unless they submit.
func TestReachedWhileItWorks(t *testing.T) {
	t.Parallel()
	gateway := listen(t)
	s := newShell(t, gateway.Env()...)
	gate := keep(t, gateway, 10)
	data := []string{"--data", s.path("data")}
	code, _, stderr := s.run(append([]string{"submit", s.file("feeds.ndjson", feedLines(40)), feedsPath, "--moved"}, data...)...)
	require.Zero(t, code, stderr)
	var notes bytes.Buffer
	working, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan int, 1)
	go func() {
		ended <- batch.Main(working, append([]string{"work", "--rate", "1000", "--workers", "1", "--moved"}, data...), nil, io.Discard, &notes, append(s.env, gate.env()))
	}()
	<-gate.full

	operator := &shell{t: t, dir: s.dir}
	code, _, stderr = operator.run(append([]string{"pause", "--reason", "the wrong file"}, data...)...)
	require.Zero(t, code, stderr)
	code, stdout, stderr := operator.run(append([]string{"status", "--exact"}, data...)...) // what was told a second ago may lack some
	require.Zero(t, code, stderr)
	assert.Contains(t, stdout, ": the wrong file\n")
	assert.Contains(t, stdout, "10  succeeded\n")
	code, stdout, stderr = operator.run(append([]string{"results", "--state", "succeeded"}, data...)...)
	assert.Equal(t, 4, code, stderr)
	assert.Len(t, results(t, stdout), 10)
	code, _, stderr = s.run(append([]string{"submit", s.file("more.ndjson", feedLine(40)), feedsPath, "--moved"}, data...)...)
	assert.Zero(t, code, stderr)
	assert.Contains(t, stderr, "1 queued")
	code, _, stderr = operator.run(append([]string{"cancel"}, data...)...)
	assert.Zero(t, code, stderr)
	assert.Contains(t, stderr, "30 jobs are cancelled; they were never sent.", "all but the one in hand")
	code, _, stderr = operator.run(append([]string{"resume"}, data...)...)
	assert.Zero(t, code, stderr)
	gate.release(false)
	code, _, stderr = operator.run(append([]string{"drain"}, data...)...)
	assert.Equal(t, 1, code, "what was cancelled is told")
	assert.Contains(t, stderr, "30  cancelled\n")
	stop()
	assert.Zero(t, <-ended)
	assert.Contains(t, notes.String(), ": the wrong file\n")
	assert.Contains(t, notes.String(), "Interrupted: finishing what is in hand")
	assert.Len(t, gateway.Ledger.Effects(sandbox.FeedEffect), 11)

	// What was cancelled can be submitted again, also with other content.
	lines := strings.Replace(feedLines(41), "15_1200_1", "15_1200_2", 41)
	lines = strings.Replace(lines, "15_1200_2", "15_1200_1", 40)
	code, _, stderr = s.run(append([]string{s.file("feeds.ndjson", lines), feedsPath, "--rate", "1000", "--moved"}, data...)...)
	assert.Zero(t, code, stderr)
	assert.Contains(t, stderr, "29 queued, 1 corrected")
	assert.Contains(t, stderr, "41  succeeded\n")
	assert.Len(t, gateway.Ledger.Effects(sandbox.FeedEffect), 41)
}

// A queue is looked at and steered with the key that seals it, and that of no merchant.
func TestNoMerchantKeyToLookAndSteer(t *testing.T) {
	t.Parallel()
	gateway := listen(t)
	s := newShell(t, gateway.Env()...)
	data := []string{"--data", s.path("data")}
	code, _, stderr := s.run(append([]string{s.file("feeds.ndjson", feedLines(2)), feedsPath, "--rate", "1000"}, data...)...)
	require.Zero(t, code, stderr)
	s.env = nil
	for _, command := range [][]string{{"status"}, {"results"}, {"pause"}, {"resume"}, {"cancel"}, {"retry"}, {"drain"}} {
		code, _, stderr := s.run(append(command, data...)...)
		assert.Zero(t, code, "%v: %s", command, stderr)
	}
	code, _, stderr = s.run(append([]string{"status", "--key", s.file("other", "00000000000000000000000000000000000000000000000000000000000000ab")}, data...)...)
	assert.Equal(t, 2, code)
	assert.Contains(t, stderr, "sealed under another key")
	for _, command := range [][]string{{"work"}, {"submit", s.path("feeds.ndjson"), feedsPath}} {
		code, _, stderr := s.run(append(command, data...)...)
		assert.Equal(t, 2, code, "%v: %s", command, stderr)
		assert.Contains(t, stderr, "WXPAY_MCHID")
	}
}
