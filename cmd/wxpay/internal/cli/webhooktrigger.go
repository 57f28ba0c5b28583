package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/sandbox"
)

type webhookTriggerOptions struct {
	event   string // empty to list
	to      string
	set     []pair
	data    string // as given: text, @file or -
	hasData bool
	faults  []string
	dryRun  bool
	list    bool
}

const triggerExitCodes = `Exit codes:
  0  it was answered 200 or 204
  1  it was answered otherwise, or not at all
  2  wrong usage: nothing was sent
  3  the sandbox did not tell what became of it
  4  nothing was sent: no sandbox listens
  5  it was answered 200 or 204, but that could not be written out`

func webhookTriggerCommand(run func(context.Context, webhookTriggerOptions) error) *cobra.Command {
	o := new(webhookTriggerOptions)
	command := &cobra.Command{
		Use:   "trigger EVENT",
		Short: "Have the running sandbox send a notification",
		Long: `Have the running sandbox send the notification of an event, signed and encrypted with its keys, and print how it was
answered. EVENT is an event type; --list prints all of them. Where one has several original types, another than the
first is named behind a slash: TRANSACTION.SUCCESS/profitsharing. Events of a brand take the brand's keys, which
$WXPAY_BASE_URL/_sandbox/brand shows.

The sandbox is the one that wxpay webhook listen, or wxpay sandbox, serves: paste the lines that it prints into this
shell, of which WXPAY_SANDBOX_URL counts. Without --to the notification goes where webhook listen forwards to. A plain
wxpay sandbox needs --to, which has to be on this machine then.

The resource is a sample with all documented members, and a number of the platform that is new each time. --set changes one of them: the names on the way to it are joined
by dots, elements of arrays are numbered from 0, and the value is of the type that the member has in the sample (a
number, true or false, a text as it is; an object or array as JSON). --data gives a whole resource in place of it,
also for events that this program does not know.

A notification that is not accepted comes again on the documented schedule, as long as the sandbox runs.

` + triggerExitCodes,
		Example: `  wxpay webhook trigger TRANSACTION.SUCCESS --set out_trade_no=ABC-001 --set amount.total=100
  wxpay webhook trigger REFUND.SUCCESS --to http://localhost:8080/notify
  wxpay webhook trigger TRANSACTION.SUCCESS --fault wrong-signature
  wxpay webhook trigger TRANSACTION.SUCCESS --dry-run > notification.http
  wxpay webhook trigger --list`,
		RunE: func(command *cobra.Command, args []string) error {
			o.hasData = command.Flags().Changed("data")
			if err := o.arguments(factsOf(command), args); err != nil {
				return err
			}
			return run(command.Context(), *o)
		},
		ValidArgsFunction: completeEvent,
	}
	flags := command.Flags()
	flags.SortFlags = false
	flags.Var(&pairFlag{&o.set, "="}, "set", "a `path=value` of the resource; may stand several times")
	flags.StringVar(&o.to, "to", "", "`URL` to send to, in place of where webhook listen forwards to")
	flags.StringVarP(&o.data, "data", "d", "", "the whole resource: `TEXT`, @FILE, or - for stdin")
	flags.StringArrayVar(&o.faults, "fault", nil, "`KIND` of mistake in the first attempt, such as wrong-signature, stale-timestamp or probe")
	flags.BoolVar(&o.dryRun, "dry-run", false, "print the HTTP request, which webhook verify can read, and send nothing")
	flags.BoolVar(&o.list, "list", false, "print the events: type, original types, and name")
	return command
}

func (o *webhookTriggerOptions) arguments(known *catalog.Catalog, args []string) error {
	if o.list {
		if len(args) > 0 {
			return usageError("--list prints all events, so it takes none")
		}
		return nil
	}
	switch {
	case len(args) == 0:
		return usageError("the event is missing: for example TRANSACTION.SUCCESS; --list prints all")
	case len(args) > 1:
		return usageError("there are %d events, one is sent at a time", len(args))
	case o.hasData && len(o.set) > 0:
		return usageError("--data is the whole resource: --set changes the sample, which it replaces")
	}
	o.event = args[0]
	eventType, original, named := strings.Cut(o.event, "/")
	facts, ok := known.Event(eventType)
	switch {
	case !ok && !o.hasData:
		return unknownEvent(known, eventType)
	case named && original == "":
		return usageError("the original type is missing behind the slash")
	case ok && named && len(facts.OriginalTypes) > 0 && !slices.Contains(facts.OriginalTypes, original):
		return usageError("%s is not documented with the original type %s, but with %s", eventType, printable(original), strings.Join(facts.OriginalTypes, ", "))
	}
	if o.to != "" {
		if _, err := forwardURL(o.to); err != nil {
			return usageError("--to: %w", err)
		}
	}
	return nil
}

// unknownEvent tells which events are near one that nobody knows.
func unknownEvent(facts *catalog.Catalog, eventType string) error {
	wanted := strings.ToUpper(eventType)
	family, _, _ := strings.Cut(wanted, ".")
	var near []string
	for e := range facts.Events() {
		if e.Type == wanted {
			near = []string{e.Type}
			break
		}
		if len(near) < shownPaths && family != "" && strings.HasPrefix(e.Type, family) {
			near = append(near, e.Type)
		}
	}
	if len(near) == 0 {
		return usageError("the catalogue does not know the event %s; --list prints those it knows, and --data sends any", printable(eventType))
	}
	return usageError("the catalogue does not know the event %s; near are:\n  %s", printable(eventType), strings.Join(near, "\n  "))
}

// completeEvent completes an event type.
func completeEvent(command *cobra.Command, args []string, text string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var offers []cobra.Completion
	if len(args) == 0 {
		for e := range factsOf(command).Events() {
			if strings.HasPrefix(e.Type, strings.ToUpper(text)) {
				offers = append(offers, cobra.CompletionWithDesc(e.Type, e.Name))
			}
		}
	}
	return offers, cobra.ShellCompDirectiveNoFileComp
}

func (p *program) webhookTrigger(ctx context.Context, o webhookTriggerOptions) error {
	if o.list {
		return p.listEvents()
	}
	data, err := bodyText(o.data, &input{stdin: p.stdin})
	if err != nil {
		return usageError("the resource: %w", err)
	}
	if o.hasData && len(data) == 0 {
		return usageError("the resource is empty")
	}
	if o.hasData && !json.Valid(data) {
		return usageError("the resource is not JSON, as that of every notification is; --fault sends what is broken")
	}
	want := order{Event: o.event, To: o.to, Data: string(data), DryRun: o.dryRun}
	for _, a := range o.set {
		want.Set = append(want.Set, assignment{a.name, a.value})
	}
	for _, kind := range o.faults {
		want.Faults = append(want.Faults, sandbox.FaultKind(kind))
	}
	ctx, stop := interruptible(ctx)
	defer stop()
	got, err := p.askSandbox(ctx, "trigger", want)
	if err != nil {
		return err
	}
	if o.dryRun {
		return p.write(bytes.NewBufferString(got.Request))
	}
	return p.printDelivered(got)
}

// bodyText reads TEXT, @FILE or -.
func bodyText(text string, in *input) ([]byte, error) {
	switch {
	case text == "-":
		return in.open("-")
	case strings.HasPrefix(text, "@"):
		return in.open(text[1:])
	}
	return []byte(text), nil
}

func (p *program) listEvents() error {
	var out bytes.Buffer
	for e := range p.facts().Events() {
		fmt.Fprintf(&out, "%s\t%s\t%s\n", e.Type, strings.Join(e.OriginalTypes, ","), e.Name)
	}
	return p.write(&out)
}

// printDelivered prints how a notification was answered.
func (p *program) printDelivered(d *delivered) error {
	c := p.colours()
	var out bytes.Buffer
	line := func(name, text string) {
		fmt.Fprintf(&out, "%s %s\n", c.faint(fmt.Sprintf("%-7s", name)), printable(text))
	}
	accepted := d.Status == http.StatusOK || d.Status == http.StatusNoContent
	line("id", d.ID)
	line("event", d.Event)
	line("to", redacted(d.To))
	if d.Status == 0 {
		line("answer", "none: "+d.Error)
	} else {
		line("answer", strings.TrimSpace(strconv.Itoa(d.Status)+" "+http.StatusText(d.Status))+", after "+inMilliseconds(d.Took))
	}
	if d.Answer != "" {
		line("body", strings.TrimRight(d.Answer, "\n"))
	}
	if d.Next > 0 {
		line("again", "in "+max(d.Next.Round(time.Second), time.Second).String())
	}
	err := p.write(&out)
	if !accepted {
		return &exitError{code: exitRefused}
	}
	return err
}

func redacted(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Redacted()
}

// assign changes one member of a sample, in the type that it has.
func assign(sample map[string]any, a assignment) error {
	var at any = sample
	names := strings.Split(a.Path, ".")
	for i, name := range names {
		last := i == len(names)-1
		switch holder := at.(type) {
		case map[string]any:
			old, ok := holder[name]
			if !ok {
				return fmt.Errorf("there is no member %s here, only %s", oneLine(name), strings.Join(slices.Sorted(maps.Keys(holder)), ", "))
			}
			if last {
				value, err := valueLike(old, a.Value)
				holder[name] = value
				return err
			}
			at = old
		case []any:
			index, err := strconv.Atoi(name)
			if err != nil || index < 0 || index >= len(holder) {
				return fmt.Errorf("%s is an array of %d elements, numbered from 0", strings.Join(names[:i], "."), len(holder))
			}
			if last {
				holder[index], err = valueLike(holder[index], a.Value)
				return err
			}
			at = holder[index]
		default:
			return fmt.Errorf("%s has no members", strings.Join(names[:i], "."))
		}
	}
	return nil
}

// valueLike reads text as a value of the type that old has.
func valueLike(old any, text string) (any, error) {
	if _, ok := old.(string); ok {
		return text, nil
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var value any
	err := decoder.Decode(&value)
	if err == nil && decoder.More() {
		err = errors.New("more than one value")
	}
	kind := kindOf(old)
	if err != nil || kindOf(value) != kind {
		return old, fmt.Errorf("the member is %s, and the value is not", kind)
	}
	return value, nil
}

// kindOf names the type of a JSON value.
func kindOf(value any) string {
	switch value.(type) {
	case json.Number:
		return "a number"
	case bool:
		return "true or false"
	case string:
		return "a text"
	case []any:
		return "an array"
	case map[string]any:
		return "an object"
	}
	return "null"
}
