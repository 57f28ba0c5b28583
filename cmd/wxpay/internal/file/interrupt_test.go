package file_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/cli"
	"github.com/wxpay-go/wxpay/sandbox"
)

// endsAt ends a context when it is written to or read from.
type endsAt struct {
	end    func()
	writes bytes.Buffer
}

func (e *endsAt) Write(p []byte) (int, error) {
	e.end()
	return e.writes.Write(p)
}

// Read never comes back, as from a pipe to which nobody writes.
func (e *endsAt) Read([]byte) (int, error) {
	e.end()
	select {}
}

// A bill that is interrupted on its way to stdout does not look as if it were whole, in any format.
func TestBillIsInterrupted(t *testing.T) {
	t.Parallel()
	s, err := sandbox.New(sandbox.WithBillRows(1000))
	require.NoError(t, err)
	server, err := s.Listen("127.0.0.1:0")
	require.NoError(t, err)
	defer server.Close()
	for _, format := range []string{"csv", "json", "table"} {
		ctx, cancel := context.WithCancel(t.Context())
		args := []string{"bill", "trade", "--date", time.Now().AddDate(0, 0, -3).Format(time.DateOnly), "--format", format}
		var whole, stderr bytes.Buffer
		environ := append(os.Environ(), server.Env()...)
		require.Equal(t, 0, cli.Main(ctx, args, nil, &whole, &stderr, environ), "%s: %s", format, &stderr)
		out := &endsAt{end: cancel}
		assert.Equal(t, 4, cli.Main(ctx, args, nil, out, &stderr, environ), format)
		assert.Contains(t, stderr.String(), "cancel", format)
		assert.NotEmpty(t, out.writes.Bytes(), format)
		assert.Less(t, out.writes.Len(), whole.Len(), format)
	}
}

// An upload from a pipe to which nobody writes can be interrupted.
func TestUploadOfPipeIsInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	var stderr bytes.Buffer
	args := []string{"upload", "-", "--name", "a.png", "--to", "v3/merchant/media/upload", "--sandbox"}
	assert.Equal(t, 4, cli.Main(ctx, args, &endsAt{end: cancel}, io.Discard, &stderr, os.Environ()))
	assert.Contains(t, stderr.String(), "cancel")
}
