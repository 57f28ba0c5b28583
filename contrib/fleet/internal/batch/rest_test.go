package batch_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"

	"github.com/wxpay-go/wxpay/sandbox/fault"
)

// The status of a directory that was closed is what an engine says of it, and needs none as long as
// the directory proves it.
func TestStatusAtRest(t *testing.T) {
	t.Parallel()
	gateway := listen(t)
	require.NoError(t, gateway.Faults.Inject(
		fault.Rule{Kind: fault.ServerError, Path: "/" + feedsPath, Status: 400, Code: "INVALID_REQUEST", Count: 1},
		fault.Rule{Kind: fault.ResetAfter, Path: "/" + pointsPath, Count: 1},
	))
	s := newShell(t, gateway.Env()...)
	data := []string{"--data", s.path("data")}
	points := "brand_id,card_id,user_card_code,openid,out_request_no,point_balance\n" +
		"1004,pbLat,4785,obLat,P1,10\n1004,pbLat,4785,obLat,P2,20\n"
	for _, step := range []struct {
		code int
		args []string
	}{
		{1, []string{s.file("feeds.ndjson", feedLines(3)), feedsPath, "--rate", "1000"}},
		{0, []string{"submit", s.file("points.csv", points), pointsPath, "--order-by", "user_card_code", "--number", "out_request_no",
			"--map", "point_balance=point_balance:integer"}},
		{3, []string{"work", "--until-idle", "--on-unknown", "hold", "--rate", "1000"}},
		{0, []string{"submit", s.file("again.ndjson", feedLines(4)), feedsPath}},
		{0, []string{"pause", "--reason", "for the night"}},
	} {
		code, _, stderr := s.run(append(step.args, data...)...)
		require.Equal(t, step.code, code, "%v: %s", step.args, stderr)
	}
	manifest := filepath.Join(s.path("data"), "manifest.json")
	status := func(args ...string) (text string, opened bool) {
		t.Helper()
		before, err := os.Stat(manifest)
		require.NoError(t, err)
		code, stdout, stderr := s.run(append(append([]string{"status"}, data...), args...)...)
		require.Zero(t, code, stderr)
		after, err := os.Stat(manifest)
		require.NoError(t, err)
		return stdout, !before.ModTime().Equal(after.ModTime())
	}
	text, _ := status("--json")
	require.Equal(t, "1", gjson.Get(text, "blocked.#").String(), text)
	again, feeds := gjson.Get(text, "runs.0.id").String(), gjson.Get(text, "runs.2.id").String()
	for name, tt := range map[string]struct {
		args  []string
		opens bool
	}{
		"text":                             {nil, false},
		"JSON":                             {[]string{"--json"}, false},
		"of a run":                         {[]string{"--run", feeds}, false},
		"of one that was given other jobs": {[]string{"--run", again}, true},
		"exact":                            {[]string{"--exact"}, true},
	} {
		text, opened := status(tt.args...)
		assert.Equal(t, tt.opens, opened, name)
		require.NoError(t, os.WriteFile(manifest, []byte("{"), 0o600)) // as a process that dies then leaves it
		want, opened := status(tt.args...)
		assert.True(t, opened, name)
		assert.Equal(t, want, text, name)
	}
	text, _ = status()
	assert.Contains(t, text, "for the night")
	assert.Contains(t, text, "1 jobs stand behind P1")

	block, err := filepath.Glob(filepath.Join(s.path("data"), "jetstream", "*", "streams", "wxpay-records", "msgs", "*.blk"))
	require.NoError(t, err)
	require.NotEmpty(t, block)
	require.NoError(t, os.Chtimes(block[0], time.Time{}, time.Now().Add(-time.Hour)))
	_, opened := status()
	assert.True(t, opened, "files have changed")
	_, opened = status()
	assert.False(t, opened)
	code, _, stderr := s.run("status", "--data", s.path("data"), "--queue", "other")
	assert.Equal(t, 2, code)
	assert.Contains(t, stderr, "there is no such queue")
	require.NoError(t, os.Remove(filepath.Join(s.path("data"), "key")))
	code, _, stderr = s.run("status", "--data", s.path("data"))
	assert.Equal(t, 2, code)
	assert.Contains(t, stderr, "key is missing")
}
