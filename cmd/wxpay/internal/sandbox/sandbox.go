// Package sandbox runs wxpay sandbox, whose commands serve a sandbox, and give orders to the running one.
package sandbox

import (
	"context"
	"maps"
	"net"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/console"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/serve"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/transparent"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/sandbox/fault"
)

// Values of --console that are no address.
const (
	consoleAuto = "auto"
	consoleOff  = "off"
)

type options struct {
	addr    string
	faults  []string // rules about faults
	seed    uint64
	seeded  bool
	rows    int64    // of an invented bill; 0 for bills from the ledger
	enforce []string // rules that hold besides those that hold by default
	relax   []string // rules that do not hold
	lenient bool     // member feeds need no card
	data    string   // directory that keeps everything; empty keeps it in memory
	network bool     // other machines may call and control it
	names   []string // host names for them, besides IP addresses
	keys    string   // which platform keys the merchant has
	keysDir string   // folder that gets the keys as files; empty for none
	errors  string   // how errors are told
	tls     bool     // serve https
	http2   bool     // over TLS
	caOut   string   // file that gets the certificate of the authority; empty for none
	proxy   string   // address of a proxy that answers for the platform; empty for none
	through bool     // such a proxy on a free port
	console string   // address of the console; consoleAuto for one on a terminal, consoleOff for none
	open    bool     // other machines may open the console
	command []string // empty to serve until interrupted
}

// Command returns wxpay sandbox.
func Command(sh *shell.Shell) *cobra.Command {
	o := new(options)
	command := &cobra.Command{
		Use:   "sandbox [-- COMMAND [ARG]...]",
		Short: "Serve a sandbox on this machine",
		Long: `Serve a sandbox of WeChat Pay APIv3 on this machine: it verifies the signature of every request, signs its responses,
and moves no money. Its keys are new each time and live as long as it does. With --data it keeps everything in a directory:
it continues with the same keys, orders, notifications and ledger as the last one, even after a crash.

Another shell plays the users and the platform: "wxpay sandbox pay" and "clock", and "control" for everything else.

Without COMMAND it prints, on stdout, the lines that connect a client in another shell, and serves until it is
interrupted. With COMMAND it runs that with the same variables set and ends with it, with its exit code (128 and the
signal's number if a signal ended it, 127 if it was not found, 126 if it could not be run). It passes SIGTERM and SIGHUP
on to COMMAND; the terminal itself sends a Ctrl-C to both.

--fault lets calls go wrong. A rule is a kind, then name=value pairs: method, path (a template; a final * is any rest),
merchant, p (probability for each matching request), count and skip (of matching requests), delay, status, code. The first
rule that matches and hits counts. The kinds:
  delay slow-body refuse reset-before reset-after truncate flip-byte short-file wrong-digest 429 429-after 500 500-after
  refused-after wrong-signature unknown-serial stale-timestamp probe not-found-for
of a layer in front, which signs nothing: 401 401-after 404 404-after 502 502-after
and of a proxy that mixes up responses: crossed crossed-path cached late duplicate error-as-200 success-as-403
"-after" means that the call took effect all the same. The same --seed and requests get the same faults.

Limits of time and pace hold as in production, the documented rates too: a request that comes too fast gets 429. --relax
removes some; --enforce adds read-delay, a delay that the platform does not document:
  rates read-delay refund-pace share-pace look-back async-cancel names expiry bare-query

A request that names no key in Wechatpay-Serial gets a response that a platform certificate signed, unless --keys is
public. The certificate is not among the variables: a client gets it with the APIv3 key, or from a file. --keys-dir writes
the files that a merchant has: apiclient_key.pem, apiclient_cert.pem, apiclient_cert.p12 (its password is the merchant
number), pub_key.pem, and wechatpay_SERIAL.pem for each platform certificate.

--transparent is for programs whose host is fixed: it serves a proxy that answers for api.mch.weixin.qq.com and the other
hosts of the platform itself, over TLS, and rejects every other host; it never forwards anything. The variables that COMMAND
gets, or that are printed, lead curl, Go, PHP, Python and recent Node.js through it: HTTPS_PROXY, and SSL_CERT_FILE and its
like with the authority that has issued the certificates. That authority is made on first use, kept with --data or else in
the user's cache, readable by its owner alone, and constrained to these hosts, to localhost and to the names of --network.
With --tls the sandbox itself speaks https, under the same authority.

--console serves pages for a browser on a second loopback port, and prints their address on stderr: the requests as they
come and why they were rejected, a phone that pays, and the platform's side. It is on if stdout is a terminal and no COMMAND
is given; --console=off leaves it out. The address lets one browser in. --console-network lets other machines in, with the
password in WXPAY_CONSOLE_PASSWORD. The journal then keeps the last 100,000 requests, in 256 MiB at most.

On stderr it tells which requests it rejected and why: at once, or at the end if it runs COMMAND. For a signature that
does not match it compares the lines that the platform signed with those that the client signed; "wxpay sandbox explain"
repeats it. At the end it tells how often each kind of fault hit.`,
		Example: `  wxpay sandbox
  wxpay sandbox -- go test ./...
  wxpay sandbox --fault 'reset-after path=/v3/refund/* p=0.3' --fault 'delay delay=2s count=5' -- go test ./...
  wxpay sandbox --console=127.0.0.1:8081
  wxpay sandbox --transparent -- php script.php
  wxpay sandbox -- sh -c 'wxpay call v3/certificates -i'`,
		RunE: func(command *cobra.Command, args []string) error {
			if len(args) > 0 && command.ArgsLenAtDash() != 0 {
				return shell.Usage("put -- before the command: wxpay sandbox -- %s", args[0])
			}
			if command.Flags().Changed("data") && o.data == "" {
				return shell.Usage("--data names no directory: leave it out to keep nothing")
			}
			o.command, o.network, o.seeded = args, command.Flags().Changed("network"), command.Flags().Changed("seed")
			return o.run(command.Context(), sh)
		},
	}
	o.flags(command.Flags())
	command.AddCommand(payCommand(sh), clockCommand(sh), controlCommand(sh), explainCommand(sh))
	return command
}

func (o *options) flags(flags *pflag.FlagSet) {
	flags.StringVar(&o.addr, "addr", "127.0.0.1:0", "loopback `HOST:PORT` to listen on; port 0 is a free one")
	flags.StringArrayVar(&o.faults, "fault", nil,
		"`RULE` about a fault, such as 'reset-after path=/v3/refund/* p=0.3' (repeatable)")
	flags.Uint64Var(&o.seed, "seed", 0, "`NUMBER` that decides the hits of faults, canned responses and invented bills; with it the platform's numbers count from 1")
	flags.Int64Var(&o.rows, "rows", 0, "invent bills of so `MANY` rows instead of listing the sandbox's ledger")
	flags.StringSliceVar(&o.enforce, "enforce", nil, "`RULES` of production that hold as well, such as read-delay (repeatable)")
	flags.StringSliceVar(&o.relax, "relax", nil, "`RULES` of production that do not hold, such as rates,refund-pace (repeatable)")
	flags.StringVar(&o.data, "data", "", "`DIRECTORY` to keep everything in, private keys too")
	flags.StringSliceVar(&o.names, "network", nil,
		"let other machines call and control it, by any IP address or by these `NAMES`; see --addr")
	flags.BoolVar(&o.tls, "tls", false, "serve https, with a certificate of an authority that this machine keeps")
	flags.BoolVar(&o.http2, "http2", false, "offer HTTP/2 over TLS, which the platform does not")
	flags.StringVar(&o.caOut, "ca-out", "", "`FILE` that gets the certificate of the authority")
	flags.StringVar(&o.proxy, "proxy", "", "loopback `HOST:PORT` of a proxy that answers for the platform's hosts")
	flags.BoolVar(&o.through, "transparent", false, "--proxy on a free port")
	flags.StringVar(&o.keys, "keys", "both", "`KIND` of platform keys that the merchant has: public, certificates or both")
	flags.StringVar(&o.keysDir, "keys-dir", "", "`FOLDER` for the keys, in the files that merchants have")
	flags.StringVar(&o.errors, "errors", "newest", "`FORM` of errors: newest, or classic as in the documentation")
	flags.StringVar(&o.console, "console", consoleAuto, "serve the console on a loopback `HOST:PORT`, or off")
	flags.Lookup("console").NoOptDefVal = "127.0.0.1:0"
	flags.BoolVar(&o.open, "console-network", false, "let other machines open the console, with the password in "+
		console.PasswordVariable)
	flags.BoolVar(&o.lenient, "lenient", false, "accept member feeds and points for cards that do not exist or are "+
		"another user's")
}

// authority returns the authority of the certificates, and nil if none is needed. It is kept with the data, or in the
// user's cache.
func (o *options) authority() (*transparent.Authority, error) {
	if o.through && o.proxy == "" {
		o.proxy = "127.0.0.1:0"
	}
	if host, _, err := net.SplitHostPort(o.proxy); o.proxy != "" && !o.network && host != "localhost" &&
		(err != nil || !net.ParseIP(host).IsLoopback()) {
		return nil, shell.Usage("--proxy: the address must be a loopback host and a port, such as 127.0.0.1:8888, unless --network is given")
	}
	if !o.tls && o.proxy == "" {
		if o.caOut != "" || o.http2 {
			return nil, shell.Usage("--ca-out and --http2 belong to --tls, --proxy and --transparent")
		}
		return nil, nil
	}
	folder := filepath.Join(o.data, "tls")
	if o.data == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return nil, shell.Usage("--tls: there is no folder for the authority; give one with --data: %w", err)
		}
		folder = filepath.Join(cache, "wxpay", "sandbox-tls")
	}
	authority, err := transparent.Open(folder, o.names)
	if err == nil && o.caOut != "" {
		err = os.WriteFile(o.caOut, authority.PEM(), 0o644)
	}
	if err != nil {
		return nil, &shell.ExitError{Code: shell.ExitNotSent, Err: shell.Say("--tls: %w", err)}
	}
	return authority, nil
}

// gcPercent is how much the heap of a served sandbox may grow between two collections, in percent. The sandbox keeps what
// happened, so most of its heap stays alive, and the usual 100 would take twice that from the system: after a million calls
// some 500 MB for 150 MB. Its time goes to RSA, so more collections cost next to nothing.
const gcPercent = 25

// saveMemory sets the collector for a served sandbox, unless the environment does. restore undoes it.
func saveMemory(sh *shell.Shell) (restore func()) {
	if sh.Getenv("GOGC") != "" || sh.Getenv("GOMEMLIMIT") != "" {
		return func() {}
	}
	before := debug.SetGCPercent(gcPercent)
	return func() { debug.SetGCPercent(before) }
}

func (o *options) run(ctx context.Context, sh *shell.Shell) error {
	defer saveMemory(sh)()
	faults := make([]fault.Rule, len(o.faults))
	for i, line := range o.faults {
		var err error
		if faults[i], err = fault.Parse(line); err != nil {
			return shell.Usage("--fault: %w", err)
		}
	}
	var options []sandbox.Option
	if o.seeded {
		options = append(options, sandbox.WithSeed(o.seed))
	}
	if o.rows < 0 {
		return shell.Usage("--rows: a bill cannot have %d rows", o.rows)
	} else if o.rows > 0 {
		options = append(options, sandbox.WithBillRows(o.rows))
	}
	mode, err := serve.KeyMode(o.keys)
	if err != nil {
		return err
	}
	options = append(options, sandbox.WithKeyMode(mode))
	switch o.errors {
	case "newest":
	case "classic":
		options = append(options, sandbox.WithClassicErrors())
	default:
		return shell.Usage("--errors: there is no form %q; there are newest and classic", o.errors)
	}
	if o.lenient {
		options = append(options, sandbox.WithLenientCards())
	}
	if o.network {
		options = append(options, sandbox.WithNetwork(o.names...))
	}
	authority, err := o.authority()
	if err != nil {
		return err
	}
	if o.tls {
		options = append(options, sandbox.WithTLS(authority.TLS(o.http2)))
	}
	var directory *sandbox.Directory
	if o.data != "" {
		var err error
		if directory, err = sandbox.OpenDirectory(o.data); err != nil {
			return &shell.ExitError{Code: shell.ExitNotSent, Err: shell.Say("--data: %w", err)}
		}
		defer directory.Close()
		options = append(options, sandbox.WithStore(directory))
	}
	if o.console == consoleAuto {
		o.console = consoleOff
		if sh.Terminal && len(o.command) == 0 {
			o.console = "127.0.0.1:0"
		}
	}
	if o.open && o.console == consoleOff {
		return shell.Usage("--console-network belongs to --console")
	}
	if o.console != consoleOff {
		options = append(options, sandbox.WithJournal(console.Entries, console.Bytes))
	}
	served, err := serve.Start(sh, o.addr, nil, options...)
	if err != nil {
		return err
	}
	if directory != nil && directory.Cut() > 0 {
		sh.Note("sandbox: the last one ended while it wrote: %d incomplete bytes at the end of %s are cut off",
			directory.Cut(), o.data)
	}
	defer served.Close()
	if o.proxy != "" {
		proxy, err := transparent.Listen(o.proxy, served.Sandbox, authority.TLS(o.http2))
		if err != nil {
			return shell.Usage("--proxy: %w", err)
		}
		defer proxy.Close()
		served.Add(proxy.Variables(authority)...)
	} else if o.tls {
		served.Add(authority.Variables()...)
	}
	if err := served.Faults.Inject(faults...); err != nil {
		return shell.Usage("--fault: %w", err)
	}
	for _, rules := range []struct {
		flag  string
		names []string
		set   func(...sandbox.Rule) error
	}{{"--enforce", o.enforce, served.Rules.Enforce}, {"--relax", o.relax, served.Rules.Relax}} {
		for _, name := range rules.names {
			if err := rules.set(sandbox.Rule(name)); err != nil {
				return shell.Usage("%s: %w", rules.flag, err)
			}
		}
	}
	if o.keysDir != "" {
		if err := serve.WriteKeys(o.keysDir, served.Sandbox); err != nil {
			return &shell.ExitError{Code: shell.ExitNotSent, Err: shell.Say("--keys-dir: %w", err)}
		}
		sh.Note("sandbox: the keys are in %s", o.keysDir)
	}
	if o.network {
		sh.Note("sandbox: WARNING: other machines can take its keys and change everything in it; keep it in a closed network")
	}
	if o.console != consoleOff {
		page, err := console.Listen(served.Sandbox, console.Options{
			Addr: o.console, Network: o.open, Password: sh.Getenv(console.PasswordVariable), Facts: sh.Facts(),
		})
		if err != nil {
			return shell.Usage("--console: %w", err)
		}
		defer page.Close()
		sh.Note("The console is at %s", page.URL)
	}
	defer noteFaults(sh, served.Sandbox)
	return served.Run(ctx, o.command)
}

// noteFaults tells how often each kind of fault hit.
func noteFaults(sh *shell.Shell, s *sandbox.Sandbox) {
	counts := s.Faults.Counts()
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		sh.Note("sandbox: the fault %s hit %d times", kind, counts[kind])
	}
}
