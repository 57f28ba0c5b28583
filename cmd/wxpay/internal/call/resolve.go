package call

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/operation"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/request"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
	"github.com/wxpay-go/wxpay/fact"
)

// Resolve returns wxpay resolve.
func Resolve(sh *shell.Shell) *cobra.Command {
	o := new(options)
	command := &cobra.Command{
		Use:   "resolve POST PATH [NUMBER]...",
		Short: "Ask what became of a call, by its number",
		Long: `Ask the platform what became of a call, by the number that the call had. POST and PATH name the operation that was called,
not its query: wxpay knows the query and its numbers from the catalogue. It sends no operation again.

NUMBERs are those that the query needs, in its order; an error names them. The own mchid is filled in. Fields (-f, -F), or
the body of the call (--data), may give them instead. Fields that cannot have changed are compared, so the whole body shows
whether the number stands for that very call.

` + request.VerdictHelp + `

Exit code 3 means that the end is still unknown. If the platform knows nothing of the number a minute after the call, then
"wxpay call --ensure --sent-before", with the same body, makes the call unless it has taken effect.

` + shell.CredentialsHelp,
		Example: `  wxpay resolve POST v3/refund/domestic/refunds R-001
  wxpay resolve POST v3/pay/transactions/native ABC-001 --get trade_state
  wxpay resolve POST v3/profitsharing/orders P-001 4200000000202501010000000001
  wxpay resolve POST v3/refund/domestic/refunds -d @refund.json`,
		RunE: func(command *cobra.Command, args []string) error {
			o.hasData = command.Flags().Changed("data")
			return o.resolve(command.Context(), sh, args)
		},
		ValidArgsFunction: operation.Complete(sh.Facts()),
	}
	flags := command.Flags()
	flags.SortFlags = false
	o.bodyFlags(flags)
	flags.Var(&shell.PairFlag{List: &o.Variables}, "var", "a `name=value` for {name} in the path")
	flags.StringVar(&o.Get, "get", "", "print one value of the response, by its gjson `PATH`")
	flags.BoolVarP(&o.Include, "include", "i", false, "print status and headers before the response")
	shell.TimeoutFlag(flags, &o.Timeout, "how long to wait for the response, such as 5s")
	o.Credentials.Add(flags)
	operation.CompleteFlags(sh.Facts(), command)
	return command
}

// asked reads the arguments of resolve: the operation, and the numbers after it.
func (o *options) asked(sh *shell.Shell, args []string) (*fact.Operation, []string, error) {
	first := min(len(args), 1)
	if first == 1 && operation.IsMethod(args[0]) {
		first = min(len(args), 2)
	}
	method, at, err := operation.Args(args[:first])
	if err == nil {
		err = o.Locate(at)
	}
	if err != nil {
		return nil, nil, err
	}
	o.Method = method
	if o.Method == "" {
		o.Method = http.MethodPost
	}
	found, err := operation.Find(sh.Facts(), o.Method, o.Path)
	if err != nil {
		return nil, nil, err
	}
	switch write := found[0]; {
	case write.Method == http.MethodGet:
		return nil, nil, shell.Usage("a GET changes nothing: name the operation that was called, not its query")
	case write.Link == nil:
		return nil, nil, shell.Usage("no reviewed query tells what became of %s %s: look for its number in the merchant platform, or see "+
			"\"wxpay docs %[1]s %[2]s\"", write.Method, write.Path)
	case write.Path != operation.Rooted(o.Path):
		return nil, nil, shell.Usage("give the path as the manual prints it: %s", write.Path)
	default:
		return write, args[first:], nil
	}
}

// has reports whether the flags give a value of the call. members are those of the body of --data.
func (o *options) has(name string, ofPath bool, members map[string]json.RawMessage) bool {
	if ofPath {
		return slices.ContainsFunc(o.Variables, func(v shell.Pair) bool { return v.Name == name })
	}
	_, known := members[name]
	return known || slices.ContainsFunc(o.Fields, func(f request.Field) bool { return f.String() == name })
}

// fill puts the numbers where the query takes them from.
func (o *options) fill(l *fact.Link, body []byte, given []string) error {
	var members map[string]json.RawMessage
	if o.hasData && json.Unmarshal(body, &members) != nil {
		return shell.Usage("the body: it is not a JSON object")
	}
	var lacks []string
	for _, pair := range l.Copy {
		name, ofPath := placeholder(pair.From)
		switch {
		case pair.Optional, o.has(name, ofPath, members), isOwn(name) && !o.hasData:
		case o.hasData && !ofPath:
			return shell.Usage("the query needs %s, and the body of --data has none", name)
		case len(given) == 0:
			lacks = append(lacks, strings.ToUpper(name))
		case ofPath:
			o.Variables, given = append(o.Variables, shell.Pair{Name: name, Value: given[0]}), given[1:]
		default:
			o.Fields, given = append(o.Fields, request.Text(name, given[0])), given[1:]
		}
	}
	if len(lacks) > 0 {
		return shell.Usage("the query needs %s: wxpay resolve POST %s %s", strings.Join(lacks, ", "), o.Path, strings.Join(numbers(l), " "))
	}
	if len(given) > 0 {
		return shell.Usage("%q is one argument too many: wxpay resolve POST %s %s", given[0], o.Path, strings.Join(numbers(l), " "))
	}
	return nil
}

// fillOwn adds the caller's own number to the fields if the query takes it.
func (o *options) fillOwn(l *fact.Link, own string) {
	name := "mchid"
	if o.has("sub_mchid", false, nil) {
		name = "sp_mchid"
	}
	for _, pair := range l.Copy {
		if isOwn(pair.From) && (!pair.Optional || pair.From == name) && !o.has(pair.From, false, nil) {
			o.Fields = append(o.Fields, request.Text(pair.From, own))
		}
	}
}

func (o *options) resolve(ctx context.Context, sh *shell.Shell, args []string) error {
	write, given, err := o.asked(sh, args)
	if err != nil {
		return err
	}
	if err := o.oneBody(); err != nil {
		return err
	}
	in := shell.NewInput(sh)
	data, err := o.text(in)
	if err != nil {
		return err
	}
	if err := o.fill(write.Link, data, given); err != nil {
		return err
	}
	o.NoCheck = true // what is composed here is not the whole body
	client, leave, err := o.Client(sh)
	if err != nil {
		return err
	}
	defer leave()
	if !o.hasData {
		o.fillOwn(write.Link, client.MchID())
		if data, err = o.composed(in); err != nil {
			return err
		}
	}
	ctx, stop := shell.Interruptible(ctx)
	defer stop()
	// The call may have been made long ago. So the query comes at once, and Hold sends nothing but queries.
	chain := o.Chain(client).SentBefore(time.Unix(0, 0)).OnUnknown(wxpay.Hold).Stepwise()
	verdict, err := chain.Ensure(ctx, data)
	var later *wxpay.NotYetError
	switch {
	case err == nil:
		return request.PrintVerdict(sh, &o.Options, verdict)
	case errors.As(err, &later):
		return &shell.ExitError{Code: shell.ExitUnknown, Err: shell.Say("%s %s: it is not known how it ended: %w", write.Method, write.Path, later.Err)}
	}
	return err
}
