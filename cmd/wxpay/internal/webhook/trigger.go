package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/serve"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
	"github.com/wxpay-go/wxpay/sandbox/fault"
)

type triggerOptions struct {
	event   string // empty to list
	to      string
	set     []shell.Pair
	data    string // as given: text, @file or -
	hasData bool
	faults  []string
	dryRun  bool
	list    bool
}

func triggerCommand(sh *shell.Shell) *cobra.Command {
	o := new(triggerOptions)
	command := &cobra.Command{
		Use:   "trigger EVENT",
		Short: "Let the running sandbox send a notification",
		Long: `Let the running sandbox send the notification of an event, signed and encrypted with its keys, and print the response.
EVENT is an event type; --list prints all of them. If it has several original types, a slash and a name choose another
than the first: TRANSACTION.SUCCESS/profitsharing. Events of a brand use the brand's keys, which
$WXPAY_BASE_URL/_sandbox/brand shows.

wxpay webhook listen, or wxpay sandbox, serves the sandbox: paste the lines that it prints into this shell, above all
WXPAY_SANDBOX_URL. Without --to the notification goes to the address of webhook listen. A plain wxpay sandbox needs --to,
which then has to be on this machine.

The resource is a sample with all documented fields, and with a new number of the platform each time. --set changes one
field: dots join the names on the way to it, elements of arrays are numbered from 0, and the value has the type of the
field in the sample (a number, true or false, a text as it is; an object or array as JSON). --data gives a whole resource
instead, also for events that this program does not know.

A notification that is not accepted comes again on the documented schedule, as long as the sandbox runs.

` + triggerExitCodes,
		Example: `  wxpay webhook trigger TRANSACTION.SUCCESS --set out_trade_no=ABC-001 --set amount.total=100
  wxpay webhook trigger REFUND.SUCCESS --to http://localhost:8080/notify
  wxpay webhook trigger TRANSACTION.SUCCESS --fault wrong-signature
  wxpay webhook trigger TRANSACTION.SUCCESS --dry-run > notification.http
  wxpay webhook trigger --list`,
		RunE: func(command *cobra.Command, args []string) error {
			o.hasData = command.Flags().Changed("data")
			if err := o.arguments(sh.Facts(), args); err != nil {
				return err
			}
			return o.run(command.Context(), sh)
		},
		ValidArgsFunction: completeEvent(sh.Facts()),
	}
	flags := command.Flags()
	flags.SortFlags = false
	flags.Var(&shell.PairFlag{List: &o.set}, "set", "a `path=value` of the resource (repeatable)")
	flags.StringVar(&o.to, "to", "", "`URL` to send to, instead of the address of webhook listen")
	flags.StringVarP(&o.data, "data", "d", "", "the whole resource: `TEXT`, @FILE, or - for stdin")
	flags.StringArrayVar(&o.faults, "fault", nil,
		"`KIND` of mistake in the first attempt, such as wrong-signature, stale-timestamp or probe")
	flags.BoolVar(&o.dryRun, "dry-run", false, "print the HTTP request, which webhook verify can read, and send nothing")
	flags.BoolVar(&o.list, "list", false, "print the events: type, original types, and name")
	return command
}

func (o *triggerOptions) arguments(known *catalog.Catalog, args []string) error {
	if o.list {
		if len(args) > 0 {
			return shell.Usage("--list prints all events, so it takes none")
		}
		return nil
	}
	switch {
	case len(args) == 0:
		return shell.Usage("the event is missing: for example TRANSACTION.SUCCESS; --list prints all")
	case len(args) > 1:
		return shell.Usage("there are %d events, give one at a time", len(args))
	case o.hasData && len(o.set) > 0:
		return shell.Usage("--data is the whole resource: --set changes the sample, which it replaces")
	}
	o.event = args[0]
	eventType, original, named := strings.Cut(o.event, "/")
	facts, ok := known.Event(eventType)
	switch {
	case !ok && !o.hasData:
		return unknownEvent(known, eventType)
	case named && original == "":
		return shell.Usage("the original type is missing behind the slash")
	case ok && named && len(facts.OriginalTypes) > 0 && !slices.Contains(facts.OriginalTypes, original):
		return shell.Usage("%s is not documented with the original type %s, but with %s", eventType,
			shell.Printable(original), strings.Join(facts.OriginalTypes, ", "))
	}
	if o.to != "" {
		if _, err := serve.ParseURL(o.to); err != nil {
			return shell.Usage("--to: %w", err)
		}
	}
	return nil
}

// unknownEvent returns the error about an event that the catalogue does not know. It names those near it.
func unknownEvent(facts *catalog.Catalog, eventType string) error {
	wanted := strings.ToUpper(eventType)
	family, _, _ := strings.Cut(wanted, ".")
	var near, all []string
	for e := range facts.Events() {
		all = append(all, e.Type)
		if len(near) < 8 && family != "" && strings.HasPrefix(e.Type, family) {
			near = append(near, e.Type)
		}
	}
	if likely := shell.Nearest(wanted, all); likely != "" {
		near = []string{likely}
	}
	if len(near) == 0 {
		return shell.Usage("the catalogue does not know the event %s; --list prints those it knows, and --data sends any",
			shell.Printable(eventType))
	}
	return shell.Usage("the catalogue does not know the event %s; near are:\n  %s", shell.Printable(eventType),
		strings.Join(near, "\n  "))
}

// completeEvent completes an event type.
func completeEvent(facts *catalog.Catalog) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, text string) ([]cobra.Completion, cobra.ShellCompDirective) {
		var offers []cobra.Completion
		if len(args) == 0 {
			for e := range facts.Events() {
				if strings.HasPrefix(e.Type, strings.ToUpper(text)) {
					offers = append(offers, cobra.CompletionWithDesc(e.Type, e.Name))
				}
			}
		}
		return offers, cobra.ShellCompDirectiveNoFileComp
	}
}

func (o *triggerOptions) run(ctx context.Context, sh *shell.Shell) error {
	if o.list {
		return listEvents(sh)
	}
	data, err := shell.NewInput(sh).Text(o.data)
	if err != nil {
		return shell.Usage("the resource: %w", err)
	}
	if o.hasData && len(data) == 0 {
		return shell.Usage("the resource is empty")
	}
	if o.hasData && !json.Valid(data) {
		return shell.Usage("the resource is not JSON, which that of every notification is; --fault sends a broken " +
			"notification")
	}
	order := serve.Order{Event: o.event, To: o.to, Data: string(data), DryRun: o.dryRun}
	for _, a := range o.set {
		order.Set = append(order.Set, serve.Assignment{Path: a.Name, Value: a.Value})
	}
	for _, kind := range o.faults {
		order.Faults = append(order.Faults, fault.Kind(kind))
	}
	ctx, stop := shell.Interruptible(ctx)
	defer stop()
	got, err := serve.Ask(ctx, sh, "trigger", order)
	if err != nil {
		return err
	}
	if o.dryRun {
		return sh.WriteForeign([]byte(got.Request))
	}
	return printDelivered(sh, got)
}

func listEvents(sh *shell.Shell) error {
	var out bytes.Buffer
	for e := range sh.Facts().Events() {
		fmt.Fprintf(&out, "%s\t%s\t%s\n", e.Type, strings.Join(e.OriginalTypes, ","), e.Name)
	}
	return sh.Write(out.Bytes())
}
