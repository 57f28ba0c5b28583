package sandbox_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"runtime/metrics"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/cli"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/clitest"
	"github.com/wxpay-go/wxpay/internal/iotest"
	"github.com/wxpay-go/wxpay/sandbox/fault"
)

// serve runs wxpay sandbox until the context ends. ready is called at its first output.
func serve(ctx context.Context, environ []string, ready func()) int {
	first := clitest.WriterFunc(func(p []byte) (int, error) {
		ready()
		return len(p), nil
	})
	return cli.Main(ctx, []string{"sandbox"}, strings.NewReader(""), first, io.Discard, environ)
}

// A sandbox that serves ends with the context.
func TestCancelledSandbox(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	assert.Zero(t, serve(ctx, nil, cancel))
}

// A served sandbox collects garbage more often, unless the environment says how often.
func TestServedSandboxSavesMemory(t *testing.T) {
	usual := gcPercent()
	for name, want := range map[string]int{"": 25, "GOGC": usual, "GOMEMLIMIT": usual} {
		var environ []string
		if name != "" {
			environ = []string{name + "=100"}
		}
		ctx, cancel := context.WithCancel(t.Context())
		code := serve(ctx, environ, func() {
			assert.Equal(t, want, gcPercent(), name)
			cancel()
		})
		assert.Zero(t, code, name)
		assert.Equal(t, usual, gcPercent(), name)
	}
}

// gcPercent returns the percentage of the collector.
func gcPercent() int {
	sample := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	metrics.Read(sample)
	return int(sample[0].Value.Uint64())
}

// The help of the sandbox names every kind of fault.
func TestFaultsAreNamed(t *testing.T) {
	_, err := fault.Parse("nonesuch")
	require.Error(t, err)
	_, kinds, found := strings.Cut(err.Error(), "there are ")
	require.True(t, found)
	code, help, _ := clitest.Run(t, nil, "sandbox", "--help")
	require.Zero(t, code)
	words := strings.Fields(help)
	for kind := range strings.SplitSeq(kinds, ", ") {
		assert.Contains(t, words, kind)
	}
}

// A served sandbox tells of a rejected request at once, and not again at its end.
func TestRejectionsAreToldAtOnce(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	read, write := io.Pipe()
	told := new(iotest.Buffer)
	ended := make(chan int, 1)
	go func() { ended <- cli.Main(ctx, []string{"sandbox"}, strings.NewReader(""), write, told, nil) }()
	base := ""
	for lines := bufio.NewScanner(read); base == "" && lines.Scan(); {
		if value, ok := strings.CutPrefix(lines.Text(), "export WXPAY_BASE_URL="); ok {
			base = strings.Trim(value, "'")
		}
	}
	go io.Copy(io.Discard, read)
	require.NotEmpty(t, base)
	for !strings.Contains(told.String(), "The sandbox listens on") { // from there on it tells
		time.Sleep(time.Millisecond)
	}
	request, err := http.NewRequest(http.MethodGet, base+"/v3/certificates", nil)
	require.NoError(t, err)
	request.Header.Set("Accept", "application/json")
	response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request)
	require.NoError(t, err)
	response.Body.Close()
	assert.Equal(t, http.StatusUnauthorized, response.StatusCode)
	assert.Contains(t, told.String(), "sandbox: GET /v3/certificates 401: the header Authorization")
	assert.Contains(t, told.String(), "\n  likely cause: the header Authorization is missing")
	interrupt()
	assert.Zero(t, <-ended)
	assert.Equal(t, 1, strings.Count(told.String(), "/v3/certificates"), "it is not told again")
}

// A console is served on request, and beside a command it is not served without one.
func TestConsole(t *testing.T) {
	for name, test := range map[string]struct {
		flags []string
		code  int
		want  string
	}{
		"on":                 {[]string{"--console"}, 0, "The console is at http://127.0.0.1:"},
		"on this port":       {[]string{"--console=127.0.0.1:0"}, 0, "/enter?token="},
		"everywhere":         {[]string{"--console=0.0.0.0:0"}, 2, "listens on loopback only"},
		"without a password": {[]string{"--console=0.0.0.0:0", "--console-network"}, 2, "WXPAY_CONSOLE_PASSWORD must have a password"},
		"without a console":  {[]string{"--console-network"}, 2, "--console-network belongs to --console"},
	} {
		code, _, errors := clitest.Run(t, nil, append(append([]string{"sandbox"}, test.flags...), "--", "true")...)
		assert.Equal(t, test.code, code, name)
		assert.Contains(t, errors, test.want, name)
	}
	code, _, errors := clitest.Run(t, []string{"WXPAY_CONSOLE_PASSWORD=correct horse"},
		"sandbox", "--console=0.0.0.0:0", "--console-network", "--", "true")
	assert.Zero(t, code)
	assert.Contains(t, errors, "/enter\n")
	assert.NotContains(t, errors, "correct horse")
	_, _, errors = clitest.Run(t, nil, "sandbox", "--", "true")
	assert.NotContains(t, errors, "console")
}
