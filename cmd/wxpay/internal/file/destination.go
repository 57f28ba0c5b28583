// Package file runs the commands that move files: wxpay upload, download and bill.
package file

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
	"github.com/wxpay-go/wxpay/internal/atomicfile"
)

const exitCodeHelp = `Exit codes:
  0  the file is there, whole and verified
  1  the platform rejected the request, has no file yet, or the file cannot be trusted or written; no half file is left
  2  wrong usage, a destination that exists already, or credentials that are missing or unusable; nothing was sent
  4  there was no connection, or an interrupt ended it
  5  the file was right, but could not be written to stdout`

// destination is where a command writes a file: -o FILE, or stdout.
type destination struct {
	path  string
	force bool
}

func (d *destination) flags(flags *pflag.FlagSet) {
	flags.StringVarP(&d.path, "output", "o", "-", "`FILE` to write to, or - for stdout; it appears when all of it is right")
	flags.BoolVar(&d.force, "force", false, "replace FILE if it exists")
}

func (d *destination) stdout() bool { return d.path == "-" }

// target returns the file as the client takes it.
func (d *destination) target() wxpay.Target {
	if d.force {
		return wxpay.ToFile(d.path).Replace()
	}
	return wxpay.ToFile(d.path)
}

// check finds a destination that cannot be written, before anything is sent.
func (d *destination) check() error {
	if d.path == "" {
		return shell.Usage("-o is empty: name a file, or - for stdout")
	}
	if d.stdout() {
		return nil
	}
	info, err := os.Lstat(d.path)
	if err == nil && d.force && info.Mode()&fs.ModeSymlink != 0 {
		if target, targetErr := os.Stat(d.path); targetErr == nil {
			info = target
		}
	}
	switch {
	case err != nil:
	case info.Mode().Type()&^fs.ModeSymlink != 0:
		return shell.Usage("%s is not a regular file: use -o - and a redirection", d.path)
	case !d.force:
		return d.exists()
	}
	return nil
}

func (d *destination) exists() error {
	return shell.Usage("%s exists already: --force replaces it", d.path)
}

// download lets get download to the destination.
func (d *destination) download(sh *shell.Shell, get func(io.Writer) error) error {
	if !d.stdout() {
		return get(d.target())
	}
	return toStdout(sh, get)
}

// begin opens the destination for a file that this program writes, so that a mistake shows before anything is sent.
// discard has to be called in the end.
func (d *destination) begin() (*begun, error) {
	if d.stdout() {
		return &begun{destination: d}, nil
	}
	file, err := shell.NewFile(d.path, d.force)
	if errors.Is(err, fs.ErrExist) {
		return nil, d.exists()
	}
	if err != nil {
		return nil, shell.Usage("the destination cannot be written: %w", err)
	}
	return &begun{d, file}, nil
}

// begun is a destination that is being written to.
type begun struct {
	*destination
	file *atomicfile.File // nil for stdout
}

// write lets fill write: to stdout at once, or to a file that appears when fill has succeeded.
func (b *begun) write(sh *shell.Shell, fill func(io.Writer) error) error {
	if b.file == nil {
		return toStdout(sh, fill)
	}
	if err := fill(b.file); err != nil {
		return err
	}
	err := b.file.Commit()
	if errors.Is(err, fs.ErrExist) {
		return b.exists()
	}
	return err
}

func (b *begun) discard() {
	if b.file != nil {
		b.file.Abandon()
	}
}

// toStdout tells a failure to write from any other.
func toStdout(sh *shell.Shell, fill func(io.Writer) error) error {
	out := &stdoutWriter{sh.Stdout, nil}
	err := fill(out)
	if out.err != nil {
		return &shell.ExitError{Code: shell.ExitConfirmed, Err: shell.Say("the response could not be written: %w", out.err)}
	}
	return err
}

// stdoutWriter remembers why stdout could not be written to.
type stdoutWriter struct {
	io.Writer
	err error
}

func (w *stdoutWriter) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	if err != nil {
		w.err = err
	}
	return n, err
}

// untilEnded is a writer until ctx ends.
type untilEnded struct {
	ctx context.Context
	io.Writer
}

func (w untilEnded) Write(p []byte) (int, error) {
	if w.ctx.Err() != nil {
		return 0, context.Cause(w.ctx)
	}
	return w.Writer.Write(p)
}

// failure gives the error of a command that reads a file its exit code.
func (d *destination) failure(err error) error {
	var exit *shell.ExitError
	var call *wxpay.CallError
	switch {
	case err == nil || errors.As(err, &exit):
		return err
	case errors.Is(err, wxpay.StageBuild) && errors.Is(err, fs.ErrExist):
		return d.exists()
	case errors.Is(err, wxpay.StageBuild):
		return shell.Usage("%s", shell.Plainly(err))
	case errors.As(err, &call) && call.Outcome == wxpay.NotSent:
		return &shell.ExitError{Code: shell.ExitNotSent, Err: err}
	case errors.Is(err, context.Canceled):
		return &shell.ExitError{Code: shell.ExitNotSent, Err: shell.Say("interrupted: %w", err)}
	}
	return &shell.ExitError{Code: shell.ExitRejected, Err: err}
}

// note tells on stderr that a file is there.
func (d *destination) note(sh *shell.Shell, got *wxpay.DownloadResult) {
	if d.stdout() {
		return
	}
	verified := sh.Words("verified")
	if !got.Verified {
		verified = sh.Words("not verified: the platform names no digest for it")
	}
	sh.Note("wrote %s (%d bytes, %s)", strings.TrimSpace(shell.Printable(d.path)), got.Size, verified)
}
