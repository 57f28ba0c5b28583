package batch_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/sandbox/fault"
)

// What would be forgotten is told first; what is forgotten can be submitted again.
func TestPurge(t *testing.T) {
	t.Parallel()
	gateway := listen(t)
	require.NoError(t, gateway.Faults.Inject(fault.Rule{Kind: fault.ResetAfter, Count: 1}))
	s := newShell(t, gateway.Env()...)
	list := []string{s.file("feeds.ndjson", feedLines(4)), feedsPath, "--rate", "1000", "--workers", "1", "--on-unknown", "hold", "--data", s.path("data")}
	code, _, stderr := s.run(list...)
	require.Equal(t, 3, code, stderr)
	run := regexp.MustCompile(`Run (\S+)\.`).FindStringSubmatch(stderr)[1]
	purge := func(args ...string) (int, string, string) {
		return s.run(append([]string{"purge", "--data", s.path("data")}, args...)...)
	}
	const stay = "1 jobs stay: they have not ended, or nobody knows their outcome\n"
	for name, tt := range map[string]struct {
		args []string
		code int
		says string
	}{
		"neither":    {nil, 2, "either --run or --older-than"},
		"both":       {[]string{"--run", run, "--older-than", "400d"}, 2, "either --run or --older-than"},
		"no days":    {[]string{"--older-than", "9600h"}, 2, "such as 400d"},
		"today":      {[]string{"--older-than", "0d"}, 2, "such as 400d"},
		"no run":     {[]string{"--run", "20260101-000000-aaaa"}, 2, "no such run"},
		"nothing":    {[]string{"--older-than", "400d", "--yes"}, 0, "forgotten: 0 submissions\n"},
		"not yet":    {[]string{"--run", run}, 0, "to forget: 0 submissions\n         3  succeeded  POST " + feedsPath + " (no query tells of it)\n" + stay},
		"and told":   {[]string{"--run", run}, 0, "--yes forgets that"},
		"an address": {[]string{"--run", run}, 0, "https://pay.weixin.qq.com/doc/v3/merchant/4012556457"},
	} {
		code, stdout, stderr := purge(tt.args...)
		assert.Equal(t, tt.code, code, "%s: %s", name, stderr)
		assert.Contains(t, stdout+stderr, tt.says, name)
	}
	code, stdout, stderr := purge("--run", run, "--yes")
	require.Zero(t, code, stderr)
	assert.Contains(t, stdout, "forgotten: 0 submissions\n         3  succeeded")
	assert.Contains(t, stdout, stay)
	code, _, stderr = s.run(list...)
	assert.Equal(t, 3, code, stderr)
	assert.Contains(t, stderr, "Lines: 3 queued, 0 in the queue already, 1 done before")
}

// A key is replaced, and reseal tells when the old one can be thrown away.
func TestReseal(t *testing.T) {
	t.Parallel()
	s := newShell(t, listen(t).Env()...)
	before, after := strings.Repeat("ab", 32), strings.Repeat("cd", 32)
	at := func(keys string, args ...string) (int, string, string) {
		return s.run(append(args, "--data", s.path("data"), "--key", s.file("keys", keys))...)
	}
	list := s.file("feeds.ndjson", feedLines(3))
	code, _, stderr := at(before, "submit", list, feedsPath)
	require.Zero(t, code, stderr)
	code, stdout, stderr := at(after+"\n"+before, "reseal")
	assert.Equal(t, 4, code, stdout)
	assert.Contains(t, stderr, "3 jobs that wait or run, or orders that stand, are sealed under another key.")
	assert.Contains(t, stderr, "the other keys are still needed")
	code, _, stderr = at(after+"\n"+before, "work", "--until-idle", "--rate", "1000")
	require.Zero(t, code, stderr)
	code, stdout, stderr = at(after+"\n"+before, "reseal")
	require.Zero(t, code, stderr)
	assert.Contains(t, stdout, "nothing of this queue is sealed under another key")
	code, stdout, stderr = at(after, "results")
	require.Zero(t, code, stderr)
	assert.Len(t, results(t, stdout), 3)
	code, _, stderr = at(before, "results")
	assert.Equal(t, 2, code)
	assert.Contains(t, stderr, "it was sealed under another key")
}
