package batch_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/contrib/fleet"
	"github.com/wxpay-go/wxpay/sandbox/fault"
)

// A file settles all of its numbers, or none.
func TestSettleFile(t *testing.T) {
	t.Parallel()
	gateway := listen(t)
	require.NoError(t, gateway.Faults.Inject(fault.Rule{Kind: fault.ResetAfter, Count: 3}))
	s := newShell(t, gateway.Env()...)
	data := []string{"--data", s.path("data")}
	code, _, stderr := s.run(append([]string{s.file("feeds.ndjson", feedLines(4)), feedsPath, "--rate", "1000", "--workers", "1",
		"--on-unknown", "hold"}, data...)...)
	require.Equal(t, 3, code, stderr)
	states := func() map[fleet.State]int {
		_, stdout, _ := s.run(append([]string{"results"}, data...)...)
		n := make(map[fleet.State]int)
		for _, r := range results(t, stdout) {
			n[r.State]++
		}
		return n
	}
	for name, tt := range map[string]struct{ text, says string }{
		"a number that is not known":    {"F00000,succeeded\nF0,failed\n", "line 2: no job with this number is of unknown outcome"},
		"one whose outcome is known":    {"F00000,succeeded\nF00003,succeeded\n", "line 2: no job with this number is of unknown outcome"},
		"an outcome that is none":       {"F00000,succeeded\nF00001,refused\n", `line 2: a job is settled as succeeded or failed, not as "refused"`},
		"two outcomes":                  {"F00000,succeeded\n\nF00000,failed\n", "line 3: line 1 has another outcome for its number"},
		"no outcome":                    {"F00000,succeeded\nF00001\n", "line 2: a number and succeeded or failed are expected"},
		"numbers that Excel has spoilt": {"F00000,succeeded\n4.78516E+11,failed\n", "line 2: no job with this number"},
	} {
		code, _, stderr := s.run(append([]string{"settle", "--file", s.file("found.csv", tt.text)}, data...)...)
		assert.Equal(t, 2, code, name)
		assert.Contains(t, stderr, tt.says, name)
	}
	assert.Equal(t, map[fleet.State]int{fleet.Unknown: 3, fleet.Succeeded: 1}, states(), "nothing was settled")
	part := s.file("part.csv", "\ufeffF00000;succeeded\r\n")
	code, stdout, stderr := s.run(append([]string{"settle", "--file", part}, data...)...)
	assert.Zero(t, code, stderr)
	assert.Contains(t, stdout, "1 of 1 are settled now")
	found := s.file("found.csv", "F00000\tsucceeded\n\"F00001\",\"failed\"\nF00002 succeeded\nF00002 succeeded\n")
	for _, says := range []string{"2 of 3 are settled now", "0 of 3 are settled now"} {
		code, stdout, stderr = s.run(append([]string{"settle", "--file", found}, data...)...)
		assert.Zero(t, code, stderr)
		assert.Contains(t, stdout, says)
	}
	assert.Equal(t, map[fleet.State]int{fleet.Failed: 1, fleet.Succeeded: 3}, states())
	code, _, stderr = s.run(append([]string{"settle", "F00000", "failed", "--file", found}, data...)...)
	assert.Equal(t, 2, code)
	assert.Contains(t, stderr, "settle --file FILE")
}
