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
	if standing, ok := p.atRest(o); ok {
		return p.tellStanding(standing, of(standing, o.run), o.json)
	}
	o.existing, o.attach = true, true
	s, err := p.open(ctx, o.storeOptions)
	if err != nil {
		return err
	}
	defer s.close()
	standing, err := s.queue.Standing(ctx)
	if err != nil {
		return err
	}
	summary := of(standing, o.run)
	if untold := standing.Uncounted > 0 && standing.Uncounted >= standing.Known; untold && o.run == "" { // by nobody ever, or records are given up for their age
		summary = nil
	}
	if o.exact || summary == nil {
		if summary, err = s.queue.Summary(ctx, fleet.Filter{Run: o.run}); err != nil {
			return err
		}
		standing.Uncounted = 0
	}
	if o.run != "" {
		standing.Uncounted = 0
	}
	return p.tellStanding(standing, summary, o.json)
}

// of returns the counts of a run, or of all if it is empty; nil if they are not told.
func of(s fleet.Standing, run string) []fleet.Count {
	if run == "" {
		return append([]fleet.Count{}, s.Jobs...)
	}
	return s.ByRun[run]
}

// atRest tells how a queue stands that no process has open, where its directory proves it. Else an engine has to read that, or says
// why it cannot.
func (p *program) atRest(o statusOptions) (standing fleet.Standing, ok bool) {
	p.locate(&o.storeOptions)
	if o.exact || o.nats != "" || o.check() != nil {
		return standing, false
	}
	dir := cmp.Or(o.data, defaultData)
	keys, err := p.givenKeys(o.storeOptions)
	if err == nil && keys == nil {
		keys, err = p.keysIn(dir, true, false)
	}
	if err != nil {
		return standing, false
	}
	standing, ok = fleet.ReadStanding(dir, o.queue, keys)
	return standing, ok && of(standing, o.run) != nil
}

// tellStanding prints where a queue stands, with the counts of some of its jobs.
func (p *program) tellStanding(s fleet.Standing, summary []fleet.Count, asJSON bool) error {
	if asJSON {
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
			"queued": s.Queued, "running": s.Running, "known": s.Known, "dead": s.Dead, "closed": s.Closed,
			"pause": s.Pause, "workers": append([]fleet.Member{}, s.Workers...), "jobs": counts,
			"runs": append([]fleet.Run{}, s.Runs...),
		}
		if s.Uncounted > 0 {
			all["uncounted"] = s.Uncounted
		}
		if !s.InDoubt.IsZero() {
			all["in_doubt"] = s.InDoubt
		}
		if len(s.Blocked) > 0 {
			all["blocked"] = blockedOrders(s.Blocked)
		}
		text, err := json.Marshal(all)
		if err != nil {
			return err
		}
		return p.print(string(text) + "\n")
	}
	var out strings.Builder
	if s.Pause != nil {
		fmt.Fprintf(&out, "paused since %s by %s: %s\n", s.Pause.When(), printable(s.Pause.By), inFlags(s.Pause.Reason))
	}
	if !s.InDoubt.IsZero() {
		fmt.Fprintf(&out, "in doubt since %s: a number that is new may have been sent before\n", fleet.Pause{Since: s.InDoubt}.When())
	}
	if s.Closed {
		fmt.Fprintln(&out, "closed to new jobs")
	}
	for _, m := range s.Workers {
		if m.Aside != nil {
			fmt.Fprintf(&out, "%s stepped aside at %s: %s\n", printable(m.Name), m.Aside.When(), inFlags(m.Aside.Reason))
		}
	}
	for i, b := range s.Blocked {
		if i == shownBlocked {
			fmt.Fprintf(&out, "%d orders more stand still (--json lists them)\n", len(s.Blocked)-i)
			break
		}
		fmt.Fprintf(&out, "%d jobs stand behind %s (%s %s), of unknown outcome since %s: \"retry\", or \"settle\" it\n", b.Behind, printable(b.Head.Number),
			b.Head.Method, b.Head.Path, fleet.Pause{Since: b.Head.Ended}.When())
	}
	fmt.Fprintf(&out, "%d workers\n", len(s.Workers))
	fmt.Fprintf(&out, "queued %d, of them in hand or due later %d; known %d\n%s\n", s.Queued, s.Running, s.Known, table(summary))
	if s.Uncounted > 0 {
		fmt.Fprintf(&out, "%d changes are not counted there yet; if that stays so, a process was killed or broken off: --exact counts all records\n", s.Uncounted)
	}
	for i, r := range s.Runs {
		if i == shownRuns {
			fmt.Fprintf(&out, "and %d runs before, which --json lists\n", len(s.Runs)-i)
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
