package cli_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/cli"
	"github.com/wxpay-go/wxpay/sandbox"
)

// A call that is cancelled after its request was sent may have taken effect; one that is cancelled before was not sent.
func TestCancelledCall(t *testing.T) {
	server := sandbox.Start(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	gateway := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		cancel()
		<-r.Context().Done()
	}))
	defer gateway.Close()
	environ := append(server.Env(), "WXPAY_BASE_URL="+gateway.URL)
	call := func() (code int, stderr string) {
		var out, errs bytes.Buffer
		code = cli.Main(ctx, []string{"call", "POST", "v3/x", "-d", "{}"}, strings.NewReader(""), &out, &errs, environ)
		assert.Empty(t, out.String())
		return code, errs.String()
	}

	code, stderr := call()
	assert.Equal(t, 3, code)
	assert.Contains(t, stderr, "outcome unknown")

	code, stderr = call()
	assert.Equal(t, 4, code)
	assert.Contains(t, stderr, "not sent")
}

// A command ends with the context, and so does a sandbox that serves.
func TestCancelledSandbox(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ready := writer(func(p []byte) (int, error) {
		cancel()
		return len(p), nil
	})
	code := cli.Main(ctx, []string{"sandbox"}, strings.NewReader(""), ready, ready, nil)
	assert.Equal(t, 0, code)
}

// The help of the sandbox names every kind of fault.
func TestFaultsAreNamed(t *testing.T) {
	_, err := sandbox.ParseFault("nonesuch")
	require.Error(t, err)
	_, kinds, found := strings.Cut(err.Error(), "there are ")
	require.True(t, found)
	var out, errs bytes.Buffer
	require.Zero(t, cli.Main(t.Context(), []string{"sandbox", "--help"}, strings.NewReader(""), &out, &errs, nil))
	words := strings.Fields(out.String())
	for kind := range strings.SplitSeq(kinds, ", ") {
		assert.Contains(t, words, kind)
	}
}

type writer func([]byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }

// The exit codes are told in three places: to who reads the source, by --help, and by call --help.
func TestExitCodesAreDocumentedAlike(t *testing.T) {
	source, err := os.ReadFile("../../main.go")
	require.NoError(t, err)
	var help bytes.Buffer
	require.Equal(t, 0, cli.Main(t.Context(), []string{"call", "--help"}, strings.NewReader(""), &help, &help, nil))
	_, codes, found := strings.Cut(help.String(), "Exit codes:\n")
	require.True(t, found)
	codes, _, _ = strings.Cut(codes, "\n\n")
	lines := strings.Split(codes, "\n")
	require.Len(t, lines, 7)
	for _, line := range lines {
		assert.Contains(t, string(source), "//\t"+strings.TrimPrefix(line, "  ")+"\n")
	}
}
