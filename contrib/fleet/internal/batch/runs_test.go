package batch_test

import (
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/sandbox/fault"
)

// A file's results, summary and exit code are those of its lines, whatever else is in the
// directory; submitted once more, it is done before, and has all its lines again.
func TestRunOfItsOwn(t *testing.T) {
	t.Parallel()
	gateway := listen(t)
	require.NoError(t, gateway.Faults.Inject(fault.Rule{Kind: fault.ServerError, Path: "/" + feedsPath, Status: 400, Code: "INVALID_REQUEST", Count: 1}))
	s := newShell(t, gateway.Env()...)
	at := []string{feedsPath, "--rate", "1000", "--data", s.path("data"), "-o", s.path("results")}
	id := regexp.MustCompile(`Run (\S+)\.`)
	saved := func() string {
		text, err := os.ReadFile(s.path("results"))
		require.NoError(t, err)
		return string(text)
	}
	code, _, stderr := s.run(append([]string{s.file("old.ndjson", feedLines(1))}, at...)...)
	require.Equal(t, 1, code, stderr)
	assert.Len(t, results(t, saved()), 1)
	old := id.FindStringSubmatch(stderr)[1]
	several := s.file("new.ndjson", feedLine(1)+"\n"+feedLine(2)+"\n"+feedLine(3)+"\n")
	for _, told := range []string{"3 queued", "3 done before"} {
		code, _, stderr = s.run(append([]string{several}, at...)...)
		require.Equal(t, 0, code, stderr)
		assert.Contains(t, stderr, told)
		assert.Contains(t, stderr, "3  succeeded\n")
		assert.NotContains(t, stderr, "refused")
		assert.Len(t, results(t, saved()), 3)
	}
	for name, tt := range map[string]struct {
		args        []string
		code, lines int
	}{
		"the newest":  {nil, 0, 3},
		"an old one":  {[]string{"--run", old}, 1, 1},
		"all":         {[]string{"--run", "all"}, 1, 4},
		"none of it":  {[]string{"--run", "20260101-000000-aaaa"}, 2, 0},
		"not a run":   {[]string{"--run", "*"}, 2, 0},
		"one's state": {[]string{"--run", old, "--state", "succeeded"}, 1, 0},
	} {
		code, stdout, stderr := s.run(append([]string{"results", "--data", s.path("data")}, tt.args...)...)
		assert.Equal(t, tt.code, code, "%s: %s", name, stderr)
		assert.Len(t, results(t, stdout), tt.lines, name)
	}
	code, stdout, stderr := s.run("status", "--data", s.path("data"), "--run", old)
	require.Zero(t, code, stderr)
	assert.Contains(t, stdout, "1  refused INVALID_REQUEST\n")
	assert.NotContains(t, stdout, "succeeded")
	assert.Contains(t, stdout, "run "+old+": old.ndjson by ")
	assert.Regexp(t, `(?s)run \S+: new\.ndjson.*run \S+: new\.ndjson.*run \S+: old\.ndjson`, stdout, "the newest first")
}
