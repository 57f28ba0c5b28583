package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/wxpay-go/wxpay/sandbox"
)

type sandboxOptions struct {
	addr    string
	command []string // empty to serve until interrupted
}

func sandboxCommand(run func(context.Context, sandboxOptions) error) *cobra.Command {
	o := new(sandboxOptions)
	command := &cobra.Command{
		Use:   "sandbox [-- COMMAND [ARG]...]",
		Short: "Serve a sandbox on this machine",
		Long: `Serve a sandbox of WeChat Pay APIv3 on this machine: it checks the signature of every request for real, signs its
answers, and moves no money. Its keys are new each time and live as long as it does.

Without COMMAND it prints, on stdout, the lines that connect a client in another shell, and serves until it is
interrupted. With COMMAND it runs that with the same variables set and ends with it, with its exit code (128 and the
signal's number if a signal ended it, 127 if it was not found, 126 if it could not be run). SIGTERM and SIGHUP are
passed on to COMMAND; a Ctrl-C on the terminal reaches it by itself.

At the end it tells, on stderr, which requests were refused and why.`,
		Example: `  wxpay sandbox
  wxpay sandbox -- go test ./...
  wxpay sandbox -- sh -c 'wxpay call v3/certificates -i'`,
		RunE: func(command *cobra.Command, args []string) error {
			if len(args) > 0 && command.ArgsLenAtDash() != 0 {
				return usageError("put -- before the command that is to run: wxpay sandbox -- %s", args[0])
			}
			o.command = args
			return run(command.Context(), *o)
		},
	}
	o.flags(command.Flags())
	return command
}

func (o *sandboxOptions) flags(flags *pflag.FlagSet) {
	flags.StringVar(&o.addr, "addr", "127.0.0.1:0", "loopback `HOST:PORT` to listen on; port 0 is a free one")
}

func (p *program) sandbox(ctx context.Context, o sandboxOptions) error {
	served, err := p.serveSandbox(o.addr, nil)
	if err != nil {
		return err
	}
	defer served.close()
	if len(o.command) > 0 {
		return p.runWith(ctx, served.env(), o.command)
	}
	return p.serveUntilInterrupted(ctx, served)
}

// serveUntilInterrupted prints the lines that connect a client, and waits.
func (p *program) serveUntilInterrupted(ctx context.Context, served *servedSandbox) error {
	var out bytes.Buffer
	for _, variable := range served.env() {
		name, value, _ := strings.Cut(variable, "=")
		out.WriteString("export " + name + "=" + shellQuote(value) + "\n")
	}
	ctx, stop := interruptible(ctx)
	defer stop()
	if err := p.write(&out); err != nil {
		return err
	}
	p.note("The sandbox listens on %s until it is interrupted. Paste the lines above into another shell.", served.server.URL)
	<-ctx.Done()
	return nil
}

// shellQuote quotes text for sh, also where it has line breaks.
func shellQuote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// shownRefusals bounds how many refusals are listed.
const shownRefusals = 10

// noteRefusals lists the requests that the sandbox refused, the last ones if there are many.
func (p *program) noteRefusals(s *sandbox.Sandbox) {
	refused := slices.DeleteFunc(s.Journal(), func(e sandbox.Entry) bool { return e.Reason == "" })
	if more := len(refused) - shownRefusals; more > 0 {
		p.note("sandbox: %d requests were refused, the last %d:", len(refused), shownRefusals)
		refused = refused[more:]
	}
	for _, e := range refused {
		p.note("sandbox: %s", printable(e.String()))
	}
}

// runWith runs a command with additional variables, and returns its exit code as an exitError.
func (p *program) runWith(ctx context.Context, variables, command []string) error {
	child := exec.CommandContext(ctx, command[0], command[1:]...)
	child.Env = append(slices.Clone(p.environ), variables...)
	child.Stdin, child.Stdout, child.Stderr = p.stdin, p.stdout, p.stderr

	signals := make(chan os.Signal, 8)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)
	if err := child.Start(); err != nil {
		code := 126
		if errors.Is(err, exec.ErrNotFound) || errors.Is(err, os.ErrNotExist) {
			code = 127
		}
		return &exitError{code, fmt.Errorf("the command did not start: %w", err)}
	}
	ended := make(chan error, 1)
	go func() { ended <- child.Wait() }()
	for {
		select {
		case s := <-signals:
			if s == os.Interrupt && slices.ContainsFunc([]any{p.stdin, p.stdout, p.stderr}, isTerminal) {
				continue // the terminal has sent it to the command as well; twice would read as impatience
			}
			_ = child.Process.Signal(s) // fails only if the command has ended
		case err := <-ended:
			return childError(child, err)
		}
	}
}

// childError is the error for a command that has ended.
func childError(child *exec.Cmd, err error) error {
	if child.ProcessState == nil {
		return &exitError{126, err}
	}
	if status, ok := child.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return &exitError{code: 128 + int(status.Signal())}
	}
	if code := child.ProcessState.ExitCode(); code != 0 {
		return &exitError{code: code}
	}
	if err != nil { // the command succeeded, but its output could not be passed on
		return &exitError{exitConfirmed, err}
	}
	return nil
}
