package batch_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/sandbox"
)

// A queue that goes on after an old copy was restored says so.
func TestResumeInDoubt(t *testing.T) {
	s := newShell(t)
	s.env = listen(t).Env()
	file := s.file("feeds.ndjson", feedLines(2))
	code, _, stderr := s.run("submit", file, feedsPath, "--data", s.path("queue"))
	require.Zero(t, code, stderr)
	code, _, stderr = s.run("resume", "--in-doubt", "--data", s.path("queue"))
	require.Zero(t, code, stderr)
	code, stdout, stderr := s.run("status", "--data", s.path("queue"))
	require.Zero(t, code, stderr)
	assert.Contains(t, stdout, "in doubt since")
	code, _, stderr = s.run("work", "--until-idle", "--on-unknown", "hold", "--data", s.path("queue"))
	assert.Equal(t, 3, code, stderr)
	assert.Contains(t, stderr, "2  unknown", "what was queued may have been sent")
}

// A list that is given again to a queue whose disk has lost records sends nothing, says so, and says how it goes on.
func TestRunAfterLoss(t *testing.T) {
	t.Parallel()
	gateway := listen(t)
	s := newShell(t, gateway.Env()...)
	run := []string{s.file("feeds.ndjson", feedLines(200)), feedsPath, "--rate", "10000", "--data", s.path("queue")}
	code, _, stderr := s.run(run...)
	require.Zero(t, code, stderr)
	blocks, err := filepath.Glob(filepath.Join(s.path("queue"), "jetstream", "*", "streams", "wxpay-records", "msgs", "*.blk"))
	require.NoError(t, err)
	require.Len(t, blocks, 1)
	info, err := os.Stat(blocks[0])
	require.NoError(t, err)
	require.NoError(t, os.Truncate(blocks[0], info.Size()/2))
	code, _, stderr = s.run(run...)
	assert.Equal(t, 4, code, stderr)
	assert.Regexp(t, `^wxpay-batch: records of the queue are missing: at least [1-9]\d* records are older than they were: .*"resume --in-doubt"`, stderr)
	assert.Len(t, gateway.Ledger.Effects(sandbox.FeedEffect), 200)
	code, _, stderr = s.run("resume", "--in-doubt", "--data", s.path("queue"))
	require.Zero(t, code, stderr)
	code, _, stderr = s.run(append(run, "--on-unknown", "hold")...)
	assert.Equal(t, 3, code, stderr)
	assert.Contains(t, stderr, "  unknown", "nobody knows whether it was sent")
	assert.Len(t, gateway.Ledger.Effects(sandbox.FeedEffect), 200)
}
