package batch_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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
