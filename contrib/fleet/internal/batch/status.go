package batch

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wxpay-go/wxpay/contrib/fleet"
)

type statusOptions struct {
	storeOptions
	json  bool
	run   string
	exact bool
}

func statusCommand(run func(context.Context, statusOptions) error) *cobra.Command {
	o := new(statusOptions)
	command := &cobra.Command{
		Use:   "status",
		Short: "Tell where the queue stands",
		Long:  "Tell what waits, what runs, how jobs have ended, by state and code, which files were submitted, and why the queue is paused if it is.\n\n" + storeHelp,
		Args:  noArguments,
		RunE:  func(c *cobra.Command, _ []string) error { return run(c.Context(), *o) },
	}
	command.Flags().SortFlags = false
	command.Flags().BoolVar(&o.json, "json", false, "print it as JSON")
	command.Flags().BoolVar(&o.exact, "exact", false, "count the records themselves (a second for every 200,000) rather than read what processes have told")
	command.Flags().StringVar(&o.run, "run", "", "count only the jobs of a submission: its `ID`")
	o.storeOptions.flags(command.Flags())
	return command
}

func (p *program) status(ctx context.Context, o statusOptions) error {
	o.existing, o.attach = true, true
	s, err := p.open(ctx, o.storeOptions)
	if err != nil {
		return err
	}
	defer s.close()
	status, err := s.queue.Status(ctx)
	if err != nil {
		return err
	}
	summary, uncounted := status.Jobs, status.Uncounted
	if o.exact || o.run != "" || uncounted > 0 && uncounted >= status.Known { // where nobody ever told, or records are given up for their age
		uncounted = 0
		if summary, err = s.queue.Summary(ctx, fleet.Filter{Run: o.run}); err != nil {
			return err
		}
	}
	runs, err := s.queue.Runs(ctx)
	if err != nil {
		return err
	}
	unsettled, err := s.queue.Unsettled(ctx)
	if err != nil {
		return err
	}
	if o.json {
		type count struct {
			State fleet.State `json:"state"`
			Code  string      `json:"code,omitempty"`
			Jobs  int         `json:"jobs"`
		}
		counts := []count{}
		for _, c := range summary {
			counts = append(counts, count(c))
		}
		all := map[string]any{
			"queued": status.Queued, "running": status.Running, "known": status.Known, "dead": status.Dead, "closed": status.Closed,
			"pause": status.Pause, "workers": append([]fleet.Member{}, status.Workers...), "jobs": counts,
			"runs": append([]fleet.Run{}, runs...),
		}
		if uncounted > 0 {
			all["uncounted"] = uncounted
		}
		if !status.InDoubt.IsZero() {
			all["in_doubt"] = status.InDoubt
		}
		if len(unsettled.Blocked) > 0 {
			all["blocked"] = blockedOrders(unsettled.Blocked)
		}
		text, err := json.Marshal(all)
		if err != nil {
			return err
		}
		return p.print(string(text) + "\n")
	}
	var out strings.Builder
	if status.Pause != nil {
		fmt.Fprintf(&out, "paused since %s: %s\n", status.Pause.When(), inFlags(status.Pause.Reason))
	}
	if !status.InDoubt.IsZero() {
		fmt.Fprintf(&out, "in doubt since %s: a number that is new may have been sent before\n", fleet.Pause{Since: status.InDoubt}.When())
	}
	if status.Closed {
		fmt.Fprintln(&out, "closed to new jobs")
	}
	for _, m := range status.Workers {
		if m.Aside != nil {
			fmt.Fprintf(&out, "%s stepped aside at %s: %s\n", printable(m.Name), m.Aside.When(), inFlags(m.Aside.Reason))
		}
	}
	for i, b := range unsettled.Blocked {
		if i == shownBlocked {
			fmt.Fprintf(&out, "%d orders more stand still (--json lists them)\n", len(unsettled.Blocked)-i)
			break
		}
		fmt.Fprintf(&out, "%d jobs stand behind %s (%s %s), of unknown outcome since %s: \"retry\", or \"settle\" it\n", b.Behind, printable(b.Head.Number),
			b.Head.Method, b.Head.Path, fleet.Pause{Since: b.Head.Ended}.When())
	}
	fmt.Fprintf(&out, "%d workers\n", len(status.Workers))
	fmt.Fprintf(&out, "queued %d, of them in hand or due later %d; known %d\n%s\n", status.Queued, status.Running, status.Known, table(summary))
	if uncounted > 0 {
		fmt.Fprintf(&out, "%d changes are not counted there yet; if that stays so, a process was killed or broken off: --exact counts all records\n", uncounted)
	}
	for i, r := range runs {
		if i == shownRuns {
			fmt.Fprintf(&out, "and %d runs before, which --json lists\n", len(runs)-i)
			break
		}
		fmt.Fprintf(&out, "run %s: %s\n", r.ID, runLine(r))
	}
	return p.print(out.String())
}

// shownRuns is how many runs are listed for people.
const shownRuns = 10

// runLine tells of a submission.
func runLine(r fleet.Run) string {
	text := fmt.Sprintf("%s by %s, %d lines, %d rejected", cmp.Or(printable(r.File), "no file"), printable(r.By), r.Count.Read(), r.Count.Rejected)
	if !r.Complete {
		text += ", not to its end"
	}
	return text
}

// shownBlocked is how many orders that stand still are listed.
const shownBlocked = 10

// blockedOrder is an order that stands still, as JSON.
type blockedOrder struct {
	Number string    `json:"number"`
	Method string    `json:"method"`
	Path   string    `json:"path"`
	Since  time.Time `json:"since"`
	Behind int       `json:"behind"`
}

func blockedOrders(list []fleet.Blocked) (all []blockedOrder) {
	for _, b := range list {
		all = append(all, blockedOrder{b.Head.Number, b.Head.Method, b.Head.Path, b.Head.Ended, b.Behind})
	}
	return all
}
