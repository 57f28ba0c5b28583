package batch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/contrib/fleet"
)

// program is one run: its streams and its environment.
type program struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	environ        []string
	terminal       bool // stderr is one
	meter          *meter
	logger         *slog.Logger // of what people are told, nil for plain text
}

// Exit codes, as far as they can be the same those of wxpay.
const (
	exitOK       = 0
	exitRefused  = 1
	exitUsage    = 2
	exitUnknown  = 3
	exitNotSent  = 4
	exitUnsaved  = 5
	exitCodeHelp = `Exit codes:
  0  every job succeeded, or was taken by the platform
  1  some were refused, failed, expired or cancelled, or some lines were no jobs
  2  wrong usage: a bad flag or path, credentials or keys that are missing or unusable; nothing was sent
  3  the outcome of some is unknown: they may have taken effect; "retry" and "work" find out where that can be asked, else "settle"
  4  not all is sent: no engine, no room, paused or interrupted; run it again to go on ("work" after a pause: "resume" first),
     nothing is sent twice. A second signal breaks off at once, and ends the program as that signal does
  5  all is done, but the results could not be written; they are kept, "results" writes them`
)

// exitError ends the program with a code. Without err nothing is printed, because that was done or is not needed.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

func usageError(format string, a ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, a...)}
}

// exitCode returns the code for an error of a command.
func exitCode(err error) int {
	var exit *exitError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &exit):
		return exit.code
	case errors.Is(err, fleet.ErrSettings), errors.Is(err, fleet.ErrNoRun), errors.Is(err, fleet.ErrSealed), errors.Is(err, fleet.ErrNewer), errors.Is(err, fleet.ErrColumns), errors.Is(err, fleet.ErrAddress),
		errors.Is(err, wxpay.StageBuild):
		return exitUsage
	case strings.HasPrefix(err.Error(), "fleet: "), errors.As(err, new(*fleet.PausedError)), errors.Is(err, context.Canceled):
		return exitNotSent
	}
	return exitUsage // what remains is cobra's, about flags and arguments
}

// lookup is os.LookupEnv over the program's environment; of a name that stands twice the last counts.
func (p *program) lookup(name string) (string, bool) {
	for i := len(p.environ) - 1; i >= 0; i-- {
		if value, ok := strings.CutPrefix(p.environ[i], name+"="); ok {
			return value, true
		}
	}
	return "", false
}

// note tells the person something that is not a result.
func (p *program) note(format string, a ...any) { p.tell(slog.LevelInfo, format, a...) }

// warn tells the person something that may need attention.
func (p *program) warn(format string, a ...any) { p.tell(slog.LevelWarn, format, a...) }

// log tells of something at the time when it happens, with time and level, for those who read it later.
func (p *program) log(level slog.Level, format string, a ...any) {
	if p.logger == nil {
		format, a = "%s %s: "+format, append([]any{time.Now().Format(time.DateTime), level}, a...)
	}
	p.tell(level, format, a...)
}

func (p *program) tell(level slog.Level, format string, a ...any) {
	if p.logger != nil {
		p.logger.Log(context.Background(), level, fmt.Sprintf(format, a...))
		return
	}
	if p.terminal { // over the progress bar
		format = "\r\x1b[K" + format
	}
	fmt.Fprintf(p.stderr, format+"\n", a...)
}

// interruptible returns a context that SIGINT, SIGTERM and SIGHUP (unless it is ignored, as under nohup) end. A second signal
// ends the process, as it does by default.
func interruptible(ctx context.Context) (context.Context, context.CancelFunc) {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(ctx, signals...)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// isTerminal reports whether a stream of the program is a terminal. The null device is a character device too, but not
// one that anybody reads.
func isTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, null)
}

// sleep waits a moment, and reports whether ctx is still alive.
func sleep(ctx context.Context) bool {
	select {
	case <-time.After(200 * time.Millisecond):
		return true
	case <-ctx.Done():
		return false
	}
}

// printable takes out what could steer a terminal from a text that nobody vouches for.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0 {
			return -1
		}
		return r
	}, text)
}

// print writes to stdout what a command is for.
func (p *program) print(text string) error {
	if _, err := io.WriteString(p.stdout, text); err != nil {
		return &exitError{exitUnsaved, fmt.Errorf("writing the output: %w", err)}
	}
	return nil
}
