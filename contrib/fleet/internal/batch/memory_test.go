package batch_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/contrib/fleet/internal/fleettest"
)

// peak is how many KiB of memory this process has had at most, 0 if nobody tells.
func peak() (kib int) {
	status, _ := os.ReadFile("/proc/self/status")
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	_, _ = fmt.Sscan(rest, &kib)
	return kib
}

// measured runs a process and returns how many MiB of memory it had at most.
func measured(t *testing.T, command *exec.Cmd) int {
	t.Helper()
	var notes strings.Builder
	command.Stderr = &notes
	require.NoError(t, command.Run(), "%s", &notes)
	_, rest, found := strings.Cut(notes.String(), "\npeak ")
	require.True(t, found, "%s", &notes)
	var kib int
	_, err := fmt.Sscan(rest, &kib)
	require.NoError(t, err)
	return kib >> 10
}

// The program takes little more memory than the engine alone, which keeps an index of all jobs, and
// status needs no engine.
func TestMemory(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells the memory of a process here")
	}
	n := 20_000
	if os.Getenv("WXPAY_TEST_LONG") == "1" {
		n = 1_000_000
	}
	gateway := listen(t)
	s := newShell(t, gateway.Env()...)
	file, err := os.Create(s.path("feeds.ndjson"))
	require.NoError(t, err)
	for i := range n {
		_, err := fmt.Fprintf(file, `{"brand_id":"1004","card_id":"pbLatjvWOibDc5-TBnbUk1pD12o0","user_card_code":"478515832665",`+
			`"openid":"obLatjnx9gnqzS4myYGmLZ7LgLBA","out_request_no":"1000023220190901%010d","cell_message":"15_1200_1"}`+"\n", i)
		require.NoError(t, err)
	}
	require.NoError(t, file.Close())
	data := s.path("data")
	program := func(args ...string) *exec.Cmd {
		c := exec.Command(os.Args[0], append(args, "--data", data)...)
		c.Env = append(append(os.Environ(), s.env...), "BATCH_TEST_PROGRAM=1", "BATCH_TEST_PEAK=1")
		return c
	}
	submit := measured(t, program("submit", file.Name(), feedsPath))
	status := measured(t, program("status"))
	engine := measured(t, fleettest.Reexec("engine", data))
	require.NoError(t, os.Remove(filepath.Join(data, "manifest.json"))) // as after kill -9
	killed := measured(t, program("status"))
	t.Logf("%d jobs that wait, MiB of memory at most: submit %d, the engine alone %d, status %d, status after a kill %d",
		n, submit, engine, status, killed)
	if build, _ := debug.ReadBuildInfo(); slices.Contains(build.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		return
	}
	assert.Less(t, status, 64)
	if n == 20_000 {
		assert.Less(t, submit, engine+96)
	}
}
