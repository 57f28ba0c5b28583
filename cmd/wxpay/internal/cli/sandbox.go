package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/wxpay-go/wxpay/sandbox"
)

type sandboxOptions struct {
	addr    string
	faults  []string // rules of what goes wrong
	seed    uint64
	rows    int64    // of an invented bill; 0 for bills from the ledger
	enforce []string // rules that are to hold besides those that do by themselves
	relax   []string // rules that are not to hold
	lenient bool     // member feeds need no card
	data    string   // directory to be kept in; empty for memory
	network bool     // other machines may call and control it
	names   []string // by which they do, besides IP addresses
	command []string // empty to serve until interrupted
}

func sandboxCommand(run func(context.Context, sandboxOptions) error, others ...*cobra.Command) *cobra.Command {
	o := new(sandboxOptions)
	command := &cobra.Command{
		Use:   "sandbox [-- COMMAND [ARG]...]",
		Short: "Serve a sandbox on this machine",
		Long: `Serve a sandbox of WeChat Pay APIv3 on this machine: it checks the signature of every request for real, signs its
answers, and moves no money. Its keys are new each time and live as long as it does, unless --data gives it a directory: then it
goes on where the last one ended, with the same keys, orders, notifications and ledger, even if that was killed.

What users and the platform do by themselves is ordered from another shell: "wxpay sandbox pay" and "clock", and "control" for all else.

Without COMMAND it prints, on stdout, the lines that connect a client in another shell, and serves until it is
interrupted. With COMMAND it runs that with the same variables set and ends with it, with its exit code (128 and the
signal's number if a signal ended it, 127 if it was not found, 126 if it could not be run). SIGTERM and SIGHUP are
passed on to COMMAND; a Ctrl-C on the terminal reaches it by itself.

With --fault calls go wrong on request. A rule is a kind, then name=value pairs: method, path (a template; a final * is any
rest), merchant, p (probability of each matching request), count and skip (of matching requests), delay, status, code.
The first rule that matches and hits counts. The kinds:
  delay slow-body refuse reset-before reset-after truncate flip-byte short-file wrong-digest 429 429-after 500 500-after
  refused-after wrong-signature unknown-serial stale-timestamp probe not-found-for
of a layer in front, which signs nothing: 401 401-after 404 404-after 502 502-after
and of a proxy that mixes up answers: crossed crossed-path cached late duplicate error-as-200 success-as-403
"-after" means that the call took effect all the same. The same --seed and requests meet the same faults.

Limits of time and pace hold as in production, the documented rates too: what comes faster is answered 429. --relax takes any
away; --enforce adds read-delay, a delay that the platform does not document:
  rates read-delay refund-pace share-pace look-back async-cancel names expiry

It tells, on stderr, which requests were refused and why: at once, or at the end where it runs COMMAND. A signature that does
not fit is explained by the lines that the platform signed beside those that the client signed; "wxpay sandbox
explain" tells it again. At the end it tells how often each kind of fault hit.`,
		Example: `  wxpay sandbox
  wxpay sandbox -- go test ./...
  wxpay sandbox --fault 'reset-after path=/v3/refund/* p=0.3' --fault 'delay delay=2s count=5' -- go test ./...
  wxpay sandbox -- sh -c 'wxpay call v3/certificates -i'`,
		RunE: func(command *cobra.Command, args []string) error {
			if len(args) > 0 && command.ArgsLenAtDash() != 0 {
				return usageError("put -- before the command that is to run: wxpay sandbox -- %s", args[0])
			}
			if command.Flags().Changed("data") && o.data == "" {
				return usageError("--data names no directory: without one nothing is kept, so leave it away for that")
			}
			o.command, o.network = args, command.Flags().Changed("network")
			return run(command.Context(), *o)
		},
	}
	o.flags(command.Flags())
	command.AddCommand(others...)
	return command
}

func (o *sandboxOptions) flags(flags *pflag.FlagSet) {
	flags.StringVar(&o.addr, "addr", "127.0.0.1:0", "loopback `HOST:PORT` to listen on; port 0 is a free one")
	flags.StringArrayVar(&o.faults, "fault", nil, "`RULE` of what goes wrong, such as 'reset-after path=/v3/refund/* p=0.3' (repeatable)")
	flags.Uint64Var(&o.seed, "seed", 0, "`NUMBER` from which the hits of faults, canned answers and invented bills are drawn")
	flags.Int64Var(&o.rows, "rows", 0, "invent bills of so `MANY` rows instead of telling the sandbox's ledger")
	flags.StringSliceVar(&o.enforce, "enforce", nil, "`RULES` of production that are to hold besides, such as read-delay (repeatable)")
	flags.StringSliceVar(&o.relax, "relax", nil, "`RULES` of production that are not to hold, such as rates,refund-pace (repeatable)")
	flags.StringVar(&o.data, "data", "", "`DIRECTORY` to keep everything in, private keys too")
	flags.StringSliceVar(&o.names, "network", nil, "let other machines call and control it, by any IP address or by these `NAMES`; see --addr")
	flags.BoolVar(&o.lenient, "lenient", false, "accept member feeds and points for cards that do not exist or are another user's")
}

// sandboxGCPercent is by how much the heap of a served sandbox may grow between two collections. It keeps what happened, so most
// of its heap lives on, and the usual 100 would take twice that from the system: after a million calls some 500 MB for 150 MB.
// Its time goes to RSA, so collecting more often costs next to nothing.
const sandboxGCPercent = 25

// saveMemory sets the collector for a sandbox that is served, unless the environment does, and returns what sets it back.
func (p *program) saveMemory() (restore func()) {
	for _, name := range []string{"GOGC", "GOMEMLIMIT"} {
		if value, _ := p.lookup(name); value != "" {
			return func() {}
		}
	}
	before := debug.SetGCPercent(sandboxGCPercent)
	return func() { debug.SetGCPercent(before) }
}

func (p *program) sandbox(ctx context.Context, o sandboxOptions) error {
	defer p.saveMemory()()
	faults := make([]sandbox.Fault, len(o.faults))
	for i, line := range o.faults {
		var err error
		if faults[i], err = sandbox.ParseFault(line); err != nil {
			return usageError("--fault: %w", err)
		}
	}
	options := []sandbox.Option{sandbox.WithSeed(o.seed)}
	if o.rows < 0 {
		return usageError("--rows: a bill cannot have %d rows", o.rows)
	} else if o.rows > 0 {
		options = append(options, sandbox.WithBillRows(o.rows))
	}
	if o.lenient {
		options = append(options, sandbox.WithLenientCards())
	}
	if o.network {
		options = append(options, sandbox.WithNetwork(o.names...))
	}
	var directory *sandbox.Directory
	if o.data != "" {
		var err error
		if directory, err = sandbox.OpenDirectory(o.data); err != nil {
			return &exitError{exitNotSent, fmt.Errorf("--data: %w", err)}
		}
		defer directory.Close()
		options = append(options, sandbox.WithStore(directory))
	}
	served, err := p.serveSandbox(o.addr, nil, options...)
	if err != nil {
		return err
	}
	if directory != nil && directory.Cut() > 0 {
		p.note("sandbox: the one before ended while it wrote: %d bytes at the end of %s were not whole and are cut off", directory.Cut(), o.data)
	}
	defer served.close()
	if err := served.server.Inject(faults...); err != nil {
		return usageError("--fault: %w", err)
	}
	for _, rules := range []struct {
		flag  string
		names []string
		set   func(...sandbox.Rule) error
	}{{"--enforce", o.enforce, served.server.Enforce}, {"--relax", o.relax, served.server.Relax}} {
		for _, name := range rules.names {
			if err := rules.set(sandbox.Rule(name)); err != nil {
				return usageError("%s: %w", rules.flag, err)
			}
		}
	}
	if o.network {
		p.note("sandbox: WARNING: other machines can take its keys and change everything in it; keep it in a closed network")
	}
	defer p.noteFaults(served.server.Sandbox)
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
	served.live = true
	served.server.OnRefusal(p.noteRefusal)
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
		p.noteRefusal(e)
	}
}

// noteRefusal tells of one refused request, and explains it where there is more to say than a line.
func (p *program) noteRefusal(e sandbox.Entry) {
	text := "sandbox: " + printable(e.String())
	if e.Explanation != "" {
		text += "\n  " + strings.ReplaceAll(printable(e.Explanation), "\n", "\n  ")
	}
	p.note("%s", text)
}

// noteFaults tells how often each kind of fault hit.
func (p *program) noteFaults(s *sandbox.Sandbox) {
	counts := s.FaultCounts()
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		p.note("sandbox: the fault %s hit %d times", kind, counts[kind])
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
