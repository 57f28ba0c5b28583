// Package call runs wxpay call: one request to any operation, by its path. It follows the manner of GitHub's command line
// (gh api).
package call

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/operation"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/request"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

type options struct {
	request.Options
	data    string // as given: text, @file or -
	hasData bool
	dryRun  bool
	curl    bool
	secrets bool // in the command of --curl

	paginate bool

	qr         bool // draw the code_url of the response
	untilFinal bool // --until-final and
	sentBefore bool // --sent-before of --ensure
}

// Command returns wxpay call.
func Command(sh *shell.Shell) *cobra.Command {
	o := new(options)
	command := &cobra.Command{
		Use:   "call [METHOD] PATH",
		Short: "Call an operation by its path",
		Long: `Call an operation by its path, as the manual prints it, with {name} for each value.

METHOD is GET, or POST if there is a body. PUT, PATCH and DELETE are written out. PATH may be a whole URL of the platform or
of the gateway, and may have a query behind a ?, percent-encoded, where a plus is a plus.

Fields make the body, or --data gives all of it:
  -f name=value     a string
  -F name=value     true, false, null or an integer; @FILE or @- for the content of a file or of stdin as a string;
                    anything else is a string. Amounts are integers of fen.
  a[b]=value        a field of an object, as deep as needed
  a[]=value         an element of an array; a[][b]=value is a field of its last element, or of a new element if the
                    last one has the field already; a[] alone is an empty array
Fields keep their order. A GET has no body, so it takes no fields: -q is for the query.

Fields that are documented as encrypted are given as plain text, and wxpay encrypts them before it signs the request. It
sends all other bytes as they are. A field that is encrypted already stays as it is, and -H 'Wechatpay-Serial: …' has to
name its key. --encrypt and --plain decide about fields that are not documented, or that are encrypted under a condition.

Before it sends the request, wxpay compares it with the documentation: path and method, fields and their types. A
difference is a warning on stderr, for the documentation may be behind the platform, and a field that it calls required
may be required under a condition. --strict rejects a request that is certainly wrong, --no-check shows no warnings.

--paginate reads the pages of a list until its end, as the documentation says how, each a call of its own; -q sets the
first page and the size of pages. --get then takes its value from each page.

wxpay prints the verified response byte for byte, or indented if stdout is a terminal. --get prints encrypted fields
decrypted ("--get @this" prints all of them). It also prints an error response of the platform (not with --get), and
explains it on stderr. A response that may not be the platform's never goes to stdout; with -i it goes to stderr.

--ensure makes a POST, and finds out what became of it: after an unknown outcome wxpay queries the operation by
its number, and sends the same bytes again only if that does no harm. Without a query it repeats what moves no money and
is probably idempotent, so a member feed may be shown twice. It tries for ten minutes, or for --timeout. Keep the number:
"wxpay resolve" asks later about a call that stayed unknown. For very many calls there is "wxpay batch".

` + request.VerdictHelp + `

` + shell.CredentialsHelp + `
WXPAY_CATALOG_OVERLAY names a file with facts of your own, for every command (see wxpay docs).

` + shell.ExitCodeHelp,
		Example: `  wxpay call v3/certificates --get 'data.#.serial_no'
  wxpay call v3/pay/transactions/out-trade-no/{out_trade_no} --var out_trade_no=ABC-001 -q mchid=1900000109
  wxpay call v3/pay/transactions/native --appid wx… -f description=tea -f out_trade_no=ABC-001 \
      -f notify_url=https://shop.example.com/notify -F 'amount[total]=100' --get code_url
  wxpay call v3/refund/domestic/refunds -d @refund.json --ensure --until-final
  wxpay call POST v3/brand/partner/card-member/user-feeds -d @feed.json --dry-run
  echo '{"mchid":"1900000109"}' | wxpay call v3/pay/transactions/out-trade-no/{out_trade_no}/close --var out_trade_no=ABC-001 -d -`,
		RunE: func(command *cobra.Command, args []string) error {
			o.hasData = command.Flags().Changed("data")
			if err := o.arguments(args); err != nil {
				return err
			}
			return o.run(command.Context(), sh)
		},
		ValidArgsFunction: operation.Complete(sh.Facts()),
	}
	o.flags(command.Flags())
	operation.CompleteFlags(sh.Facts(), command)
	return command
}

func (o *options) flags(flags *pflag.FlagSet) {
	flags.SortFlags = false
	o.bodyFlags(flags)
	flags.VarP(&shell.PairFlag{List: &o.Query}, "query", "q", "a `name=value` of the query (repeatable, also with one name)")
	flags.VarP(&shell.PairFlag{List: &o.Header, Header: true}, "header", "H", "a request header, `'name: value'`")
	flags.Var(&shell.PairFlag{List: &o.Variables}, "var", "a `name=value` for {name} in the path")
	flags.Var(&shell.PairFlag{List: &o.Escaped}, "raw-var", "the same, with a value that is percent-encoded already")
	flags.StringArrayVar(&o.Encrypt, "encrypt", nil, "encrypt a field, given by its JSON `POINTER`, such as /receivers/*/name")
	flags.StringArrayVar(&o.Plain, "plain", nil, "leave a field as it is, given by its JSON `POINTER`")
	flags.StringVar(&o.AppID, "appid", "", "fill in this `APPID` and the own mchid if the operation requires them and the fields lack them")
	flags.StringVar(&o.Get, "get", "", "print one value of the response, by its gjson `PATH`")
	flags.BoolVarP(&o.Include, "include", "i", false, "print status and headers before the response")
	flags.BoolVar(&o.paginate, "paginate", false, "read all pages of a list, one response after the other")
	flags.BoolVar(&o.qr, "qr", false, "draw the code_url of the response as a QR code, on stderr")
	flags.BoolVar(&o.Ensure, "ensure", false, "find out what became of it if the outcome is unknown")
	flags.BoolVar(&o.untilFinal, "until-final", false, "with --ensure: wait until the platform states an end")
	flags.BoolVar(&o.sentBefore, "sent-before", false, "with --ensure: the same call may have been made before, so ask first")
	flags.BoolVar(&o.dryRun, "dry-run", false, "print the signed request and the signed message, and send nothing")
	flags.BoolVar(&o.curl, "curl", false, "print the request as a curl command without its signature, and send nothing")
	flags.BoolVar(&o.secrets, "show-secrets", false, "with --curl: with the signature, so that curl can send it within five minutes")
	flags.BoolVar(&o.Sandbox, "sandbox", false, "call an embedded sandbox, which needs no credentials")
	o.Credentials.Add(flags)
	flags.BoolVar(&o.Strict, "strict", false, "reject a request that is certainly wrong, instead of warning")
	flags.BoolVar(&o.NoCheck, "no-check", false, "show no warnings about differences from the documentation")
	shell.TimeoutFlag(flags, &o.Timeout, "how long to wait for the response, or with --ensure for the verdict, such as 5s")
}

func (o *options) bodyFlags(flags *pflag.FlagSet) {
	flags.VarP(&request.FieldFlag{List: &o.Fields}, "raw-field", "f", "a string `name=value` of the body")
	flags.VarP(&request.FieldFlag{List: &o.Fields, Typed: true}, "field", "F", "a typed `name=value` of the body")
	flags.StringVarP(&o.data, "data", "d", "", "the whole body, verbatim: `TEXT`, @FILE, or - for stdin")
}

// oneBody reports an error if the body is given in two ways.
func (o *options) oneBody() error {
	if o.hasData && len(o.Fields) > 0 {
		return shell.Usage("--data is the whole body: fields (-f, -F) cannot be added to it")
	}
	return nil
}

// arguments reads the arguments, and checks them with the flags.
func (o *options) arguments(args []string) (err error) {
	var at operation.Address
	if o.Method, at, err = operation.Args(args); err != nil {
		return err
	}
	if err := o.Locate(at); err != nil {
		return err
	}
	if err := o.Filled(); err != nil {
		return err
	}
	body := o.hasData || len(o.Fields) > 0
	switch {
	case o.Method != "":
	case body:
		o.Method = http.MethodPost
	default:
		o.Method = http.MethodGet
	}
	if err := o.oneBody(); err != nil {
		return err
	}
	switch {
	case body && o.Method == http.MethodGet:
		return shell.Usage("a GET has no body: give -q name=value for the query, or another method")
	case o.Strict && o.NoCheck:
		return shell.Usage("--strict and --no-check exclude each other")
	case o.Ensure && o.Method != http.MethodPost:
		return shell.Usage("--ensure is for a POST, this is a %s", o.Method)
	case o.qr && o.Method != http.MethodPost:
		return shell.Usage("--qr draws the code_url of an order, which is a POST; this is a %s", o.Method)
	case o.Ensure && o.dryRun:
		return shell.Usage("--ensure and --dry-run exclude each other")
	case (o.untilFinal || o.sentBefore) && !o.Ensure:
		return shell.Usage("--until-final and --sent-before need --ensure")
	case o.dryRun && (o.Get != "" || o.Include):
		return shell.Usage("--dry-run gets no response, so --get and --include mean nothing with it")
	case o.curl && (o.Get != "" || o.Include):
		return shell.Usage("--curl gets no response, so --get and --include mean nothing with it")
	case o.curl && (o.dryRun || o.Ensure || o.paginate):
		return shell.Usage("--curl sends nothing: --dry-run, --ensure and --paginate mean nothing with it")
	case o.secrets && !o.curl:
		return shell.Usage("--show-secrets needs --curl")
	case o.paginate && o.Method != http.MethodGet:
		return shell.Usage("--paginate is for a list, which is a GET; this is a %s", o.Method)
	case o.paginate && o.dryRun:
		return shell.Usage("--paginate and --dry-run exclude each other")
	}
	return wxpay.Chain{}.Chain(o.Path).Err() // before credentials are asked for
}

// body returns the body, or nil for none.
func (o *options) body(in *shell.Input) (any, error) {
	if len(o.Fields) > 0 {
		text, err := o.composed(in)
		return composed(text), err
	}
	if !o.hasData {
		return nil, nil
	}
	return o.text(in)
}

// composed returns the body that the fields make.
func (o *options) composed(in *shell.Input) ([]byte, error) {
	text, err := request.Body(o.Fields, in.Open)
	if err != nil {
		return nil, shell.Usage("the body: %w", err)
	}
	return text, nil
}

// text returns the body of --data, or nil without it.
func (o *options) text(in *shell.Input) ([]byte, error) {
	if !o.hasData {
		return nil, nil
	}
	text, err := in.Text(o.data)
	if err != nil {
		return nil, shell.Usage("the body: %w", err)
	}
	return text, nil
}

// composed is a body made of fields. The user did not write its text, so defaults may be filled in.
type composed []byte

// MarshalJSON returns the body.
func (c composed) MarshalJSON() ([]byte, error) { return c, nil }

func (o *options) run(ctx context.Context, sh *shell.Shell) error {
	// Before signals are caught, for nothing else ends reading from a terminal.
	body, err := o.body(shell.NewInput(sh))
	if err != nil {
		return err
	}
	client, leave, err := o.Client(sh)
	if err != nil {
		return err
	}
	defer leave()
	ctx, stop := shell.Interruptible(ctx)
	defer stop()
	chain := o.Chain(client)
	if o.dryRun || o.curl {
		req, err := chain.Request(ctx, o.Method, body)
		if err != nil {
			return err
		}
		switch {
		case o.dryRun:
			return printRequest(sh, req, func(out *bytes.Buffer, req *http.Request, body []byte) error {
				return writeMessage(sh, out, req, body)
			})
		case o.secrets:
			return printRequest(sh, req, writeWholeCommand)
		}
		return printRequest(sh, req, writeCommand)
	}
	if o.paginate {
		return request.PrintPages(sh, &o.Options, chain.Pages(ctx))
	}
	if o.Method != http.MethodGet {
		// A reader that has gone ends no program that may move money, also not while that tells the outcome at its end.
		signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	}
	if o.Ensure {
		return o.ensure(ctx, sh, chain, body)
	}
	res, err := chain.Do(ctx, o.Method, body)
	if err != nil {
		return o.failed(sh, err)
	}
	if err := request.PrintResponse(sh, &o.Options, res); err != nil || !o.qr {
		return err
	}
	return drawQR(sh, res)
}

func (o *options) ensure(ctx context.Context, sh *shell.Shell, chain wxpay.Chain, body any) error {
	if o.untilFinal {
		chain = chain.UntilFinal()
	}
	if o.sentBefore {
		chain = chain.SentBefore(time.Now())
	}
	verdict, err := chain.Ensure(ctx, body)
	if err != nil {
		return o.failed(sh, err)
	}
	if err := request.PrintVerdict(sh, &o.Options, verdict); err != nil || !o.qr {
		return err
	}
	return drawQR(sh, verdict.Response)
}

// failed prints a failure. After an unknown outcome the error says how to ask about it, unless a query
// has found another call under the number: asked by its number alone, that one would pass for this one.
func (o *options) failed(sh *shell.Shell, err error) error {
	request.PrintFailure(sh, &o.Options, err)
	code := shell.ExitCode(err)
	unknown := code == shell.ExitUnknown || code == shell.ExitUnsigned && wxpay.OutcomeOf(err) == wxpay.Unknown
	operation, known := sh.Facts().Lookup(o.Method, o.Path)
	if !unknown || !known || operation.Link == nil || errors.Is(err, wxpay.ErrNumberConflict) {
		return err
	}
	return &shell.ExitError{Code: code, Err: shell.Say("%w\nTo ask about it: wxpay resolve POST %s %s", err, o.Path,
		strings.Join(numbers(operation.Link), " "))}
}
