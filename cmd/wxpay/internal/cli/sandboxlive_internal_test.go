package cli

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// shared is a buffer for two goroutines.
type shared struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (s *shared) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buffer.Write(p)
}

func (s *shared) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buffer.String()
}

// TestRefusalsAreToldAtOnce reads what a served sandbox tells while it goes on.
func TestRefusalsAreToldAtOnce(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	read, write := io.Pipe()
	told := new(shared)
	p := &program{stdin: strings.NewReader(""), stdout: write, stderr: told}
	ended := make(chan error, 1)
	go func() { ended <- p.sandbox(ctx, sandboxOptions{addr: "127.0.0.1:0"}) }()

	var base string
	lines := bufio.NewScanner(read)
	for base == "" && lines.Scan() {
		base, _ = strings.CutPrefix(lines.Text(), "export WXPAY_BASE_URL=")
		if base == lines.Text() {
			base = ""
		}
	}
	go io.Copy(io.Discard, read)
	require.NotEmpty(t, base)
	for !strings.Contains(told.String(), "The sandbox listens on") { // from there on it tells
		runtime.Gosched()
	}
	request, err := http.NewRequest(http.MethodGet, strings.Trim(base, "'")+"/v3/certificates", nil)
	require.NoError(t, err)
	request.Header.Set("Accept", "application/json")
	answer, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request)
	require.NoError(t, err)
	answer.Body.Close()
	assert.Equal(t, http.StatusUnauthorized, answer.StatusCode)
	assert.Contains(t, told.String(), "sandbox: GET /v3/certificates 401: the header Authorization")
	assert.Contains(t, told.String(), "\n  likely cause: the header Authorization is missing")
	interrupt()
	require.NoError(t, <-ended)
	assert.Equal(t, 1, strings.Count(told.String(), "/v3/certificates"), "it is not told again")
}
