package cli

import (
	"context"
	"io"

	"github.com/wxpay-go/wxpay"
)

// Setup is what a test changes about a run.
type Setup struct {
	Options  []wxpay.Option // of every client
	Terminal bool           // whether stdout and stderr count as one
}

// Main is the package's Main with the setup.
func (s Setup) Main(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, environ []string) int {
	p := &program{stdin: stdin, stdout: stdout, stderr: stderr, environ: environ, terminal: s.Terminal, bars: s.Terminal, options: s.Options}
	return p.main(ctx, args)
}
