package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"github.com/wxpay-go/wxpay"
)

// fileExitCodeHelp tells the exit codes of commands that read a file from the platform.
const fileExitCodeHelp = `Exit codes:
  0  the file is there, whole and verified
  1  the platform refused or has not made it yet, or what came cannot be trusted or written; no half file is left
  2  wrong usage, a destination that is there already, or credentials that are missing or unusable; nothing was sent
  4  no connection, or it was interrupted
  5  the file was right, but could not be written to stdout`

// destination is where a command writes a file: -o FILE, or stdout.
type destination struct {
	path  string
	force bool
}

func (d *destination) flags(flags *pflag.FlagSet) {
	flags.StringVarP(&d.path, "output", "o", "-", "`FILE` to write to, or - for stdout; it appears when all of it is right")
	flags.BoolVar(&d.force, "force", false, "replace FILE if it is there")
}

func (d *destination) stdout() bool { return d.path == "-" }

// target is the destination as the client takes it.
func (d *destination) target() wxpay.Target {
	if d.force {
		return wxpay.ToFile(d.path).Replace()
	}
	return wxpay.ToFile(d.path)
}

// check finds early what cannot be.
func (d *destination) check() error {
	if d.path == "" {
		return usageError("-o is empty: name a file, or - for stdout")
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
		return usageError("%s is no regular file: use -o - and a redirection", d.path)
	case !d.force:
		return errThere(d.path)
	}
	return nil
}

func errThere(path string) error { return usageError("%s is there already: --force replaces it", path) }

// fetch has get download to the destination.
func (d *destination) fetch(p *program, get func(io.Writer) (*wxpay.DownloadResult, error)) (got *wxpay.DownloadResult, err error) {
	if !d.stdout() {
		return get(d.target())
	}
	err = toStdout(p, func(w io.Writer) (err error) {
		got, err = get(w)
		return err
	})
	return got, err
}

// toStdout tells a failure to write from any other.
func toStdout(p *program, fill func(io.Writer) error) error {
	out := &stdoutWriter{p.stdout, nil}
	err := fill(out)
	if out.err != nil {
		return &exitError{exitConfirmed, fmt.Errorf("the answer could not be written: %w", out.err)}
	}
	return err
}

// begin opens the destination for what this program writes itself, so that a mistake shows before anything is sent. abandon
// has to be called in the end.
func (d *destination) begin() (*begun, error) {
	if d.stdout() {
		return &begun{destination: d}, nil
	}
	file, err := os.CreateTemp(filepath.Dir(d.path), ".wxpay-*.part")
	var failure *fs.PathError
	if errors.As(err, &failure) {
		err = failure.Err // the path is that of the temporary file
	}
	if err != nil {
		return nil, usageError("the destination cannot be written: %w", err)
	}
	return &begun{d, file}, nil
}

// begun is a destination that is being written to.
type begun struct {
	*destination
	file *os.File // nil for stdout, and when it is done with
}

// write has fill write: to stdout as it goes, to a file so that it appears when fill has ended well.
func (b *begun) write(p *program, fill func(io.Writer) error) error {
	if b.file == nil {
		return toStdout(p, fill)
	}
	err := errors.Join(fill(b.file), b.file.Close())
	if err == nil {
		err = b.place(b.file.Name())
	}
	if err == nil {
		b.file = nil
	}
	return err
}

func (b *begun) abandon() {
	if b.file != nil {
		_ = b.file.Close()
		_ = os.Remove(b.file.Name())
	}
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

// place gives the finished file its name.
func (d *destination) place(temporary string) error {
	if _, err := os.Lstat(d.path); err == nil && !d.force {
		return errThere(d.path)
	}
	return os.Rename(temporary, d.path)
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

// fileError gives the failure of a command that reads a file its exit code, and words of the command line.
func (d *destination) fileError(err error) error {
	var exit *exitError
	var call *wxpay.CallError
	switch {
	case err == nil || errors.As(err, &exit):
		return err
	case errors.Is(err, wxpay.StageBuild) && errors.Is(err, fs.ErrExist):
		return errThere(d.path)
	case errors.Is(err, wxpay.StageBuild):
		return usageError("%s", plainly(err))
	case errors.As(err, &call) && call.Outcome == wxpay.NotSent:
		return &exitError{exitNotSent, err}
	case errors.Is(err, context.Canceled):
		return &exitError{exitNotSent, fmt.Errorf("interrupted: %w", err)}
	}
	return &exitError{exitRefused, err}
}

// described is what a command says on stderr when a file is there.
func (p *program) described(d *destination, got *wxpay.DownloadResult) {
	if d.stdout() {
		return
	}
	vouched := "verified"
	if !got.Verified {
		vouched = "not verified: the platform names no digest for it"
	}
	p.note("wrote %s (%d bytes, %s)", strings.TrimSpace(printable(d.path)), got.Size, vouched)
}
