package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/wxpay-go/wxpay"
)

type callOptions struct {
	method, path string

	variables []pair // of the path
	escaped   []pair // the same, percent-encoded already
	query     []pair
	header    []pair
	fields    []field
	data      string // as given: text, @file or -
	hasData   bool

	encrypt []string // JSON pointers
	plain   []string // the same

	appid   string
	get     string
	include bool
	dryRun  bool
	sandbox bool
	strict  bool
	noCheck bool

	timeout    time.Duration
	hasTimeout bool
}

// pair is one name with its value.
type pair struct{ name, value string }

// pairFlag collects pairs, each written as name, separator, value.
type pairFlag struct {
	list      *[]pair
	separator string
}

func (f *pairFlag) String() string { return "" }

func (f *pairFlag) Type() string {
	if f.separator == ":" {
		return "'name: value'"
	}
	return "name=value"
}

func (f *pairFlag) Set(text string) error {
	name, value, ok := strings.Cut(text, f.separator)
	if !ok || name == "" {
		return fmt.Errorf("it is not of the form %s", strings.Trim(f.Type(), "'"))
	}
	if f.separator == ":" {
		value = strings.TrimSpace(value)
	}
	*f.list = append(*f.list, pair{name, value})
	return nil
}

func callCommand(run func(context.Context, callOptions) error) *cobra.Command {
	o := new(callOptions)
	command := &cobra.Command{
		Use:   "call [METHOD] PATH",
		Short: "Call an operation by its path",
		Long: `Call an operation by its path, as the manual prints it, with {name} where a value goes.

METHOD is GET, or POST when there is a body; PUT, PATCH and DELETE are written out.

The body is made of fields, or given whole with --data:
  -f name=value     a string
  -F name=value     true, false, null or an integer; @FILE or @- for the content of a file or of stdin as a string;
                    anything else is a string. Amounts are integers of fen.
  a[b]=value        a member of an object, as deep as needed
  a[]=value         an element of an array; a[][b]=value is a member of its last element, or of a new one when that
                    has the member already; a[] alone is an empty array
Members keep their order. A GET has no body, so it takes no fields: -q is for the query.

Members that are documented as encrypted are given as plain text, and encrypted before the request is signed; all other
bytes go as they are. What is encrypted already stays, and then -H 'Wechatpay-Serial: …' has to name its key. --encrypt
and --plain decide about members that are not documented, or encrypted under a condition only.

Before sending the call is compared with what is documented: path and method, members and their types. What does not
fit is a warning on stderr, for the documentation may be behind the platform, and what it calls required may be so under
a condition only. --strict refuses the call where that is certain, --no-check shows no warnings.

The answer is printed as it was received and verified, laid out if stdout is a terminal; --get prints encrypted members
decrypted ("--get @this" all of it). A refusal of the platform is printed too (not with --get), and explained on stderr.
An answer that is not known to be the platform's never gets to stdout; with -i it is shown on stderr.

Credentials come from the environment:
  WXPAY_MCHID           merchant number
  WXPAY_SERIAL          serial of the merchant API certificate
  WXPAY_PRIVATE_KEY     its private key: a file's path or the PEM text
  WXPAY_PUBLIC_KEY_ID   id of the WeChat Pay public key
  WXPAY_PUBLIC_KEY      the WeChat Pay public key: a file's path or the PEM text
  WXPAY_APIV3_KEY       APIv3 key (optional)
  WXPAY_BASE_URL        another gateway (optional)
WXPAY_CATALOG_OVERLAY names a file with facts of your own, for every command (see wxpay docs).

` + exitCodeHelp,
		Example: `  wxpay call v3/certificates --get 'data.#.serial_no'
  wxpay call v3/pay/transactions/out-trade-no/{out_trade_no} --var out_trade_no=ABC-001 -q mchid=1900000109
  wxpay call v3/pay/transactions/native --appid wx… -f description=tea -f out_trade_no=ABC-001 \
      -f notify_url=https://shop.example.com/notify -F 'amount[total]=100' --get code_url
  wxpay call POST v3/brand/partner/card-member/user-feeds -d @feed.json --dry-run
  echo '{"mchid":"1900000109"}' | wxpay call v3/pay/transactions/out-trade-no/{out_trade_no}/close --var out_trade_no=ABC-001 -d -`,
		RunE: func(command *cobra.Command, args []string) error {
			o.hasData, o.hasTimeout = command.Flags().Changed("data"), command.Flags().Changed("timeout")
			if err := o.arguments(args); err != nil {
				return err
			}
			return run(command.Context(), *o)
		},
		ValidArgsFunction: completeOperation,
	}
	o.flags(command.Flags())
	return command
}

func (o *callOptions) flags(flags *pflag.FlagSet) {
	flags.SortFlags = false
	flags.VarP(&fieldFlag{list: &o.fields}, "raw-field", "f", "a string `name=value` of the body")
	flags.VarP(&fieldFlag{list: &o.fields, typed: true}, "field", "F", "a typed `name=value` of the body")
	flags.StringVarP(&o.data, "data", "d", "", "the whole body, verbatim: `TEXT`, @FILE, or - for stdin")
	flags.VarP(&pairFlag{&o.query, "="}, "query", "q", "a `name=value` of the query; a name may stand several times")
	flags.VarP(&pairFlag{&o.header, ":"}, "header", "H", "a request header, `'name: value'`")
	flags.Var(&pairFlag{&o.variables, "="}, "var", "a `name=value` for {name} in the path")
	flags.Var(&pairFlag{&o.escaped, "="}, "raw-var", "the same, with a value that is percent-encoded already")
	flags.StringArrayVar(&o.encrypt, "encrypt", nil, "have a member encrypted, by its JSON `POINTER`, such as /receivers/*/name")
	flags.StringArrayVar(&o.plain, "plain", nil, "leave a member as it is, by its JSON `POINTER`")
	flags.StringVar(&o.appid, "appid", "", "fill in this `APPID`, and the own mchid, where the operation requires them and the fields lack them")
	flags.StringVar(&o.get, "get", "", "print one value of the answer, by its gjson `PATH`")
	flags.BoolVarP(&o.include, "include", "i", false, "print status and headers before the answer")
	flags.BoolVar(&o.dryRun, "dry-run", false, "print the signed request and the message that was signed, and send nothing")
	flags.BoolVar(&o.sandbox, "sandbox", false, "call an embedded sandbox, which needs no credentials")
	flags.BoolVar(&o.strict, "strict", false, "refuse a call that is certainly wrong, instead of warning")
	flags.BoolVar(&o.noCheck, "no-check", false, "show no warnings about what does not fit the documentation")
	flags.DurationVar(&o.timeout, "timeout", 0, "how long to wait for the answer, such as 5s")
}

var callMethods = []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

func isMethod(text string) bool { return slices.Contains(callMethods, strings.ToUpper(text)) }

// arguments completes the options with what follows the flags.
func (o *callOptions) arguments(args []string) error {
	body := o.hasData || len(o.fields) > 0
	switch {
	case len(args) == 0:
		return usageError("the path is missing: give it as the manual prints it, for example v3/certificates")
	case len(args) == 1 && isMethod(args[0]):
		return usageError("the path is missing after the method %s", args[0])
	case len(args) == 1:
		o.method, o.path = http.MethodGet, args[0]
		if body {
			o.method = http.MethodPost
		}
	case len(args) == 2:
		o.method, o.path = strings.ToUpper(args[0]), args[1]
	default:
		return usageError("there are %d arguments, at most a method and a path are expected: values with blanks must be quoted", len(args))
	}
	switch {
	case !isMethod(o.method):
		return usageError("the method %q is not one of %s", args[0], strings.Join(callMethods, ", "))
	case o.hasData && len(o.fields) > 0:
		return usageError("--data is the whole body: fields (-f, -F) cannot be added to it")
	case body && o.method == http.MethodGet:
		return usageError("a GET has no body: give -q name=value for the query, or another method")
	case o.strict && o.noCheck:
		return usageError("--strict and --no-check exclude each other")
	case o.dryRun && (o.get != "" || o.include):
		return usageError("--dry-run gets no answer, so --get and --include mean nothing with it")
	}
	return wxpay.Chain{}.Chain(o.path).Err() // before credentials are asked for
}

// body returns the bytes of the body, or nil for none.
func (o *callOptions) body(in *input) (body any, err error) {
	switch {
	case len(o.fields) > 0:
		var text []byte
		text, err = fieldBody(o.fields, in.open)
		body = composed(text)
	case !o.hasData:
		return nil, nil
	case o.data == "-":
		body, err = in.open("-")
	case strings.HasPrefix(o.data, "@"):
		body, err = in.open(o.data[1:])
	default:
		body = o.data
	}
	if err != nil {
		return nil, usageError("the body: %w", err)
	}
	return body, nil
}

// composed is a body made of fields. It is no text of the caller's, so defaults may be filled in.
type composed []byte

func (c composed) MarshalJSON() ([]byte, error) { return c, nil }

// chain returns the call in the making. A mistake in it is reported by the verb.
func (o *callOptions) chain(client *wxpay.Client) wxpay.Chain {
	chain := client.Chain(o.path)
	for _, v := range o.variables {
		chain = chain.Var(v.name, v.value)
	}
	for _, v := range o.escaped {
		chain = chain.RawVar(v.name, v.value)
	}
	members := make(map[string][]string)
	for _, q := range o.query {
		members[q.name] = append(members[q.name], q.value)
	}
	for _, q := range o.query {
		if values, ok := members[q.name]; ok {
			chain = chain.Query(q.name, values)
			delete(members, q.name)
		}
	}
	for _, h := range o.header {
		chain = chain.Header(h.name, h.value)
	}
	for _, pointer := range o.encrypt {
		chain = chain.Encrypt(pointer)
	}
	for _, pointer := range o.plain {
		chain = chain.Plain(pointer)
	}
	if o.hasTimeout {
		chain = chain.Timeout(o.timeout).AttemptTimeout(o.timeout)
	}
	return chain
}

func (p *program) call(ctx context.Context, o callOptions) error {
	// Before signals are caught, for reading from a terminal can only be ended by them.
	body, err := o.body(&input{stdin: p.stdin})
	if err != nil {
		return err
	}
	p.appid = o.appid
	client, leave, err := p.client(o.sandbox, p.checking(o)...)
	if err != nil {
		return err
	}
	defer leave()
	ctx, stop := interruptible(ctx)
	defer stop()
	chain := o.chain(client)
	if o.dryRun {
		req, err := chain.Request(ctx, o.method, body)
		if err != nil {
			return err
		}
		return p.printRequest(req)
	}
	res, err := chain.Do(ctx, o.method, body)
	if err != nil {
		return p.printFailure(o, err)
	}
	return p.printAnswer(o, res)
}

func (p *program) printAnswer(o callOptions, res *wxpay.Response) error {
	if o.method != http.MethodGet {
		// A reader that has gone must not end the program without a word: what was asked for is done.
		broken := make(chan os.Signal, 1)
		signal.Notify(broken, syscall.SIGPIPE)
		defer signal.Stop(broken)
	}
	var out bytes.Buffer
	if o.include {
		writeHead(&out, res.Status, res.Header)
	}
	if o.get == "" {
		p.writeBody(&out, res.Raw())
		return p.write(&out)
	}
	switch value := res.Get(o.get); {
	case !value.Exists():
		// The exit code speaks of the operation, which succeeded.
		p.note("wxpay: the answer has no %s", o.get)
	case strings.HasPrefix(value.Raw, `"`):
		out.WriteString(value.String() + "\n")
	default:
		out.WriteString(value.Raw + "\n")
	}
	if err := res.DecryptErr(); err != nil {
		p.note("wxpay: the answer is not decrypted in full: %v", err)
	}
	return p.write(&out)
}

// printFailure prints what came back of a call that failed, and returns the error that tells why.
func (p *program) printFailure(o callOptions, err error) error {
	var refusal *wxpay.APIError
	var untrusted *wxpay.VerifyError
	var out bytes.Buffer
	switch {
	case errors.As(err, &refusal) && (refusal.Verified || refusal.Outcome == wxpay.Rejected):
		if o.include {
			writeHead(&out, refusal.Status, refusal.Header)
		}
		if o.get == "" {
			p.writeBody(&out, refusal.Raw)
		}
		// That the platform refused matters more than that its words could not be written.
		_ = p.write(&out)
	case !o.include:
	case errors.As(err, &refusal):
		p.noteEvidence(refusal.Status, refusal.Header, refusal.Raw)
	case errors.As(err, &untrusted):
		p.noteEvidence(untrusted.Status, untrusted.Header, untrusted.Body)
	}
	return err
}

// shownEvidence bounds what is shown of an answer that is not the platform's, in bytes.
const shownEvidence = 4 << 10

// noteEvidence shows, on stderr, an answer that is not known to be the platform's.
func (p *program) noteEvidence(status int, header http.Header, body []byte) {
	var out bytes.Buffer
	writeHead(&out, status, header)
	out.Write(body[:min(len(body), shownEvidence)])
	p.note("What arrived, not verified:\n%s", printable(out.String()))
}

// writeHead writes status and headers in the form of the wire, sorted.
func writeHead(out *bytes.Buffer, status int, header http.Header) {
	fmt.Fprintf(out, "HTTP/1.1 %d %s\n", status, http.StatusText(status))
	writeHeader(out, header)
	out.WriteByte('\n')
}

func writeHeader(out *bytes.Buffer, header http.Header) {
	for _, name := range slices.Sorted(maps.Keys(header)) {
		for _, value := range header[name] {
			fmt.Fprintf(out, "%s: %s\n", name, value)
		}
	}
}

// writeBody writes a body: byte for byte into a pipe, laid out on a terminal.
func (p *program) writeBody(out *bytes.Buffer, body []byte) {
	switch {
	case !p.terminal:
		out.Write(body)
	case len(body) == 0:
	case json.Indent(out, body, "", "  ") == nil:
		out.WriteByte('\n')
	default:
		out.WriteString(printable(string(body)))
	}
}
