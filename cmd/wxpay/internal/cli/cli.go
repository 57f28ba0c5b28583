// Package cli is the program wxpay, without the process around it: [Main] takes arguments and streams and returns an
// exit code. Each command has a file: a struct of options, a cobra command that fills it, and a method of program that
// runs it.
//
// The package is no library. A program that calls WeChat Pay uses github.com/wxpay-go/wxpay; this one uses nothing else
// of it than any user could. Main may be called several times at once, except that interrupts reach all of them. The
// manner of call is that of GitHub's command line (gh api); fields, output and exit codes follow the text of each help.
package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"unicode"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/sandbox"
)

// Main runs the program and returns its exit code. args are those after the program's name; environ is as from
// os.Environ. SIGINT and SIGTERM end what is under way.
func Main(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, environ []string) int {
	p := &program{stdin: stdin, stdout: stdout, stderr: stderr, environ: environ, terminal: isTerminal(stdout), bars: isTerminal(stderr)}
	return p.main(ctx, args)
}

// program is one run: its streams and its environment.
type program struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	environ        []string
	terminal       bool             // stdout is one
	bars           bool             // stderr is one, and shows progress
	options        []wxpay.Option   // of every client; empty but in tests
	appid          string           // that clients fill in; empty if they fill in nothing
	overlaid       *catalog.Catalog // nil for the embedded one as it is
}

// facts returns what is documented, with the overlay of the person's own.
func (p *program) facts() *catalog.Catalog {
	if p.overlaid != nil {
		return p.overlaid
	}
	return catalog.V3()
}

// overlay reads the person's own facts.
func (p *program) overlay() error {
	file, _ := p.lookup("WXPAY_CATALOG_OVERLAY")
	if file == "" {
		return nil
	}
	overlay, err := os.ReadFile(file)
	if err == nil {
		p.overlaid, err = catalog.V3().With(string(overlay))
	}
	if err != nil {
		return usageError("WXPAY_CATALOG_OVERLAY: %w", err)
	}
	return nil
}

type factsKey struct{}

// factsOf returns what is documented, for what is done before a command runs.
func factsOf(command *cobra.Command) *catalog.Catalog {
	return command.Context().Value(factsKey{}).(*catalog.Catalog)
}

func (p *program) main(ctx context.Context, args []string) int {
	if err := p.overlay(); err != nil {
		return p.report("wxpay", err)
	}
	root := p.command()
	root.SetArgs(append([]string{}, args...)) // never nil, which would stand for os.Args
	root.SetIn(p.stdin)
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	command, err := root.ExecuteContextC(context.WithValue(ctx, factsKey{}, p.facts()))
	return p.report(command.CommandPath(), err)
}

func (p *program) command() *cobra.Command {
	root := &cobra.Command{
		Use:   "wxpay",
		Short: "Call WeChat Pay APIv3 from a shell, look it up, and practise on a sandbox",
		Long: `wxpay calls any operation of WeChat Pay APIv3 by its path, signs it, and verifies the answer. It knows what is
documented of every operation: it shows that, checks calls by it, and writes Go and OpenAPI from it.

Answers go to stdout, everything else to stderr.

` + exitCodeHelp,
		Example: `  wxpay demo
  wxpay call v3/certificates --sandbox --get 'data.#.serial_no'
  wxpay search 商家转账
  wxpay docs v3/pay/transactions/native
  wxpay sandbox -- go test ./...`,
		PersistentPreRunE: func(command *cobra.Command, _ []string) error { return checkFlags(command.Flags()) },

		Version:       programVersion(),
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.AddCommand(
		demoCommand(p.demo),
		callCommand(p.call),
		uploadCommand(p.upload),
		downloadCommand(p.download),
		billCommand(p.bill),
		batchCommand(p.batch),
		docsCommand(p.docs),
		searchCommand(p.search),
		genCommand(p.genTypes),
		catalogCommand(p.catalogDiff),
		openapiCommand(p.openapi),
		sandboxCommand(p.sandbox,
			sandboxPayCommand(p.sandboxControl), sandboxClockCommand(p.sandboxControl), sandboxControlCommand(p.sandboxControl), sandboxExplainCommand(p.sandboxExplain)),
		keysCommand(keysRuns{p.keysCheck, p.keysShow, p.keysDownload}),
		webhookCommand(webhookRuns{p.webhookVerify, p.webhookListen, p.webhookTrigger, p.webhookResend}),
		versionCommand(p.version),
	)
	root.InitDefaultCompletionCmd()
	for _, command := range root.Commands() {
		if command.Name() == "completion" {
			command.RunE = func(*cobra.Command, []string) error {
				return usageError("name a shell: bash, zsh, fish or powershell")
			}
		}
	}
	return root
}

// checkFlags refuses what nobody sees in the value of a flag, such as a no-break space out of a web page: a file, an address or
// a number with it would be looked for in vain. What is sent or asked for as it is may hold anything.
func checkFlags(flags *pflag.FlagSet) (err error) {
	flags.Visit(func(f *pflag.Flag) {
		value := f.Value.String()
		verbatim := f.Value.Type() != "string" || f.Name == "get" || f.Shorthand == "d"
		for i, r := range []rune(value) {
			if err == nil && !verbatim && !unicode.IsPrint(r) {
				err = usageError("--%s is %q: character %d is %U, which cannot be seen", f.Name, value, i+1, r)
			}
		}
	})
	return err
}

// lookup is os.LookupEnv over the program's environment; of a name that stands twice the last counts, as for a child
// process.
func (p *program) lookup(name string) (string, bool) {
	for i := len(p.environ) - 1; i >= 0; i-- {
		if value, ok := strings.CutPrefix(p.environ[i], name+"="); ok {
			return value, true
		}
	}
	return "", false
}

// client returns a client made from the environment, or one of a sandbox that lives until leave is called.
func (p *program) client(embedded bool, options ...wxpay.Option) (client *wxpay.Client, leave func(), err error) {
	return p.clientOf(embedded, nil, options...)
}

// clientOf is client with a sandbox of its own making.
func (p *program) clientOf(embedded bool, gateway []sandbox.Option, options ...wxpay.Option) (client *wxpay.Client, leave func(), err error) {
	if embedded {
		client, server, err := p.connectSandbox(gateway, options...)
		return client, func() {
			server.Close()
			p.noteRefusals(server.Sandbox)
		}, err
	}
	if client, err = p.fromLookup(p.lookup, options); err != nil {
		return nil, nil, usageError("%w\n%s", err, environmentHelp)
	}
	return client, func() {}, nil
}

// fromLookup is wxpay.FromLookupEnv with the options that every client has.
func (p *program) fromLookup(lookup func(string) (string, bool), options []wxpay.Option) (*wxpay.Client, error) {
	if options = append(options, p.options...); p.overlaid != nil {
		options = append(options, wxpay.WithCatalog(p.overlaid)) // also for a sandbox, whose variables are its own
	}
	if p.appid != "" {
		mchid, _ := lookup("WXPAY_MCHID")
		options = append(options, wxpay.WithDefaults(mchid, p.appid))
	}
	return wxpay.FromLookupEnv(lookup, options...)
}

const environmentHelp = `Needed are WXPAY_MCHID, WXPAY_SERIAL, WXPAY_PRIVATE_KEY, WXPAY_PUBLIC_KEY_ID and WXPAY_PUBLIC_KEY.
Without an account: --sandbox calls an embedded sandbox, and "wxpay sandbox" serves one and prints these variables.`

// connectSandbox starts a sandbox on a free loopback port and returns a client of it.
func (p *program) connectSandbox(gateway []sandbox.Option, options ...wxpay.Option) (*wxpay.Client, *sandbox.Server, error) {
	server, err := listen("127.0.0.1:0", gateway...)
	if err != nil {
		return nil, nil, err
	}
	client, err := p.fromLookup(server.LookupEnv, options)
	if err != nil {
		server.Close()
		return nil, nil, &exitError{exitNotSent, err}
	}
	return client, server, nil
}

func listen(addr string, options ...sandbox.Option) (*sandbox.Server, error) {
	s, err := sandbox.New(options...)
	if err != nil {
		return nil, &exitError{exitNotSent, err}
	}
	server, err := s.Listen(addr)
	if err != nil {
		return nil, usageError("%w", err)
	}
	return server, nil
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

// write writes the whole of an answer to stdout.
func (p *program) write(out *bytes.Buffer) error {
	if _, err := p.stdout.Write(out.Bytes()); err != nil {
		return &exitError{exitConfirmed, fmt.Errorf("the answer could not be written: %w", err)}
	}
	return nil
}

// note tells the person something that is not the answer.
func (p *program) note(format string, a ...any) { fmt.Fprintf(p.stderr, format+"\n", a...) }
