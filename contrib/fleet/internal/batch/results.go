package batch

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"github.com/wxpay-go/wxpay/contrib/fleet"
)

type resultsOptions struct {
	storeOptions
	out    string
	states []string
	run    string
}

func resultsCommand(run func(context.Context, resultsOptions) error) *cobra.Command {
	o := new(resultsOptions)
	command := &cobra.Command{
		Use:   "results",
		Short: "Write one line for each job, the unknown first",
		Long: `Write what is known of each job of the newest run, or of another one (--run), one JSON object a line: number, state, status,
code, request id, the selected members of the
answer, attempts, and times. Those whose outcome is unknown come first. A summary by state and code goes to stderr.

States: unknown, refused, failed, partial, action, expired, cancelled, waiting, begun, taken, accepted, succeeded.

` + storeHelp + "\n\n" + exitCodeHelp,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error { return run(c.Context(), *o) },
	}
	command.Flags().SortFlags = false
	command.Flags().StringVarP(&o.out, "out", "o", "-", "the `FILE` for the results, - for stdout; .xlsx and .csv make a table")
	command.Flags().StringArrayVar(&o.states, "state", nil, "only jobs at a `STATE`; may be given several times")
	command.Flags().StringVar(&o.run, "run", "", runHelp)
	o.storeOptions.flags(command.Flags())
	return command
}

func (p *program) results(ctx context.Context, o resultsOptions) error {
	for _, state := range o.states {
		if !slices.Contains(states, fleet.State(state)) {
			return usageError("--state %q is not one of those that --help lists", state)
		}
	}
	o.existing, o.attach = true, true
	s, err := p.open(ctx, o.storeOptions)
	if err != nil {
		return err
	}
	defer s.close()
	only, err := ofRun(ctx, s.queue, o.run)
	if err != nil {
		return err
	}
	wanted := only
	for _, state := range o.states {
		wanted.States = append(wanted.States, fleet.State(state))
	}
	all, err := p.write(ctx, s.queue, o.out, wanted)
	if err != nil {
		return unsaved(err)
	}
	summary, err := s.queue.Counts(ctx, only)
	if err != nil {
		return err
	}
	if len(wanted.States) == 0 {
		p.note("%s", all.text())
	} else {
		p.note("%s", table(summary))
	}
	return verdict(summary)
}

const runHelp = "only the jobs of a submission: its `ID`, which \"status\" lists, or all (default: the newest)"

// ofRun selects the jobs of a submission, of the newest if id is empty.
func ofRun(ctx context.Context, q *fleet.Queue, id string) (fleet.Filter, error) {
	if id == "" {
		runs, err := q.Runs(ctx)
		if err != nil || len(runs) == 0 {
			return fleet.Filter{}, err
		}
		id = runs[0].ID
	}
	if id == "all" {
		id = ""
	}
	return fleet.Filter{Run: id}, nil
}
