package wxpay_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
)

// Files of a gigabyte need a few megabytes of memory, and hardly more time than a program written by hand for one purpose.
// Memory is what is tested; times depend on the machine and are printed:
//
//	WXPAY_TEST_LONG=1 go test -run TestFilesInBoundedMemory -v .
func TestFilesInBoundedMemory(t *testing.T) {
	if os.Getenv("WXPAY_TEST_LONG") == "" {
		t.Skip("it moves some 20 GB: set WXPAY_TEST_LONG=1 to run it")
	}
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skip("this system does not tell the peak of a process's memory")
	}
	dir := t.TempDir()
	program := filepath.Join(dir, "filebench")
	out, err := exec.Command("go", "build", "-o", program, "./internal/filebench").CombinedOutput()
	require.NoError(t, err, string(out))

	server := exec.Command(program, "serve", dir)
	server.Stderr = os.Stderr
	lines, err := server.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, server.Start())
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait()
	})
	address, err := bufio.NewReader(lines).ReadString('\n')
	require.NoError(t, err)

	type result struct {
		Seconds, CPU float64
		Peak, Bytes  int64
	}
	run := func(who, kind string) (r result) {
		cmd := exec.Command(program, who, kind, dir, strings.TrimSpace(address))
		cmd.Env = append(os.Environ(), "TMPDIR="+dir)
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		require.NoError(t, err, who+" "+kind)
		require.NoError(t, json.Unmarshal(out, &r))
		r.CPU = (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
		return r
	}
	// best takes the best of each figure of time, since other work on the machine only adds, and the worst of memory.
	best := func(a *result, b result) {
		if a.Bytes == 0 {
			*a = b
		}
		a.Seconds, a.CPU, a.Peak = min(a.Seconds, b.Seconds), min(a.CPU, b.CPU), max(a.Peak, b.Peak)
	}
	const mb = 1 << 20
	nothing := run("floor", "nothing")
	t.Logf("%-12s floor        peak %6.1f MB", "nothing", float64(nothing.Peak)/mb)
	for _, tt := range []struct {
		kind  string
		most  int64 // bytes of memory
		floor bool
	}{
		{"plain", 16 * mb, true}, {"gzip", 16 * mb, true}, {"upload", 16 * mb, true}, {"sealed", 32 * mb, true},
		// Rows are strings of the caller's: the collector lets 4 MB of them gather, and some more on a busy machine. Even with
		// GOGC=20, which keeps less than 1 MB, the peak is 15 to 17 MB, since the pages of the program itself are 9.5 MB.
		{"plain-rows", 32 * mb, false}, {"sealed-rows", 32 * mb, false},
	} {
		var ours, floor result
		for range 3 { // in turn
			best(&ours, run("ours", tt.kind))
			if !tt.floor {
				break
			}
			best(&floor, run("floor", tt.kind))
		}
		assert.Less(t, ours.Peak, tt.most, tt.kind)
		t.Logf("%-12s ours  %5.2f s  cpu %5.2f s  peak %6.1f MB", tt.kind, ours.Seconds, ours.CPU, float64(ours.Peak)/mb)
		if tt.floor {
			assert.Equal(t, floor.Bytes, ours.Bytes)
			t.Logf("%-12s floor %5.2f s  cpu %5.2f s  peak %6.1f MB   ours takes %.2f of its time, %.2f of its cpu", tt.kind,
				floor.Seconds, floor.CPU, float64(floor.Peak)/mb, ours.Seconds/floor.Seconds, ours.CPU/floor.CPU)
		}
	}
}

// A bill of 5 GB is one like any other: no count of its bytes overflows, no limit of time or size meets it.
func TestFiveGigabytes(t *testing.T) {
	if os.Getenv("WXPAY_TEST_LONG") == "" {
		t.Skip("it hashes 10 GB: set WXPAY_TEST_LONG=1 to run it")
	}
	const size = 5 << 30
	block := randomText(1 << 20)
	content := func() io.Reader {
		blocks := make([]io.Reader, size/len(block))
		for i := range blocks {
			blocks[i] = bytes.NewReader(block)
		}
		return io.MultiReader(blocks...)
	}
	sum := sha1.New()
	_, err := io.Copy(sum, content())
	require.NoError(t, err)
	client := newClient(t, wxpay.WithTransport(roundTrip(func(req *http.Request) (*http.Response, error) {
		if !strings.HasSuffix(req.URL.Path, "/file") {
			return answer{body: fmt.Sprintf(
				`{"hash_type":"SHA1","hash_value":"%x","download_url":"https://api.mch.weixin.qq.com/v3/billdownload/file?token=a"}`, sum.Sum(nil))}.RoundTrip(req)
		}
		res, err := file(nil).RoundTrip(req)
		res.Body, res.ContentLength = io.NopCloser(content()), size
		return res, err
	})))
	got, err := tradeChain(client).BillTo(context.Background(), io.Discard)
	require.NoError(t, err)
	assert.Equal(t, int64(size), got.Size)
	assert.True(t, got.Verified)
}
