package batch

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wxpay-go/wxpay/contrib/fleet"
)

type settleOptions struct {
	storeOptions
	number, state, path string
}

func settleCommand(run func(context.Context, settleOptions) error) *cobra.Command {
	o := new(settleOptions)
	command := &cobra.Command{
		Use:   "settle NUMBER succeeded|failed",
		Short: "End an unknown job by what you know of it",
		Long: `End the job with a NUMBER, whose outcome is unknown, by what somebody has found out elsewhere, such as on the platform's pages for
merchants: it succeeded, or it failed and nothing of it took effect. Nothing is sent. What stands behind it in its order goes on.

Where the platform can be asked "retry" finds out by itself, and is never wrong.

` + storeHelp,
		Example: "  wxpay-batch settle 1000023220190901 succeeded",
		Args:    cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) != 2 {
				return usageError("the number of the job and its outcome are expected: settle NUMBER succeeded|failed")
			}
			o.number, o.state = args[0], args[1]
			return run(c.Context(), *o)
		},
	}
	command.Flags().SortFlags = false
	command.Flags().StringVar(&o.path, "path", "", "the `PATH` of the job, where several have the number")
	o.storeOptions.flags(command.Flags())
	return command
}

func (p *program) settle(ctx context.Context, o settleOptions) error {
	if state := fleet.State(o.state); state != fleet.Succeeded && state != fleet.Failed {
		return usageError("a job is settled as succeeded or failed, not as %q", o.state)
	}
	o.existing, o.attach = true, true
	s, err := p.open(ctx, o.storeOptions)
	if err != nil {
		return err
	}
	defer s.close()
	var found []fleet.Result
	for r, err := range s.queue.Results(ctx, fleet.Filter{States: []fleet.State{fleet.Unknown}}) {
		if err != nil {
			return err
		}
		if r.Number == o.number && (o.path == "" || strings.Trim(r.Path, "/") == strings.Trim(o.path, "/")) {
			found = append(found, r)
		}
	}
	switch len(found) {
	case 0:
		return usageError("no job with this number is of unknown outcome; \"results --state unknown\" lists those that are")
	case 1:
	default:
		return usageError("%d jobs of unknown outcome have this number: name the one with --path", len(found))
	}
	if err := s.queue.Settle(ctx, found[0], fleet.State(o.state)); err != nil {
		return err
	}
	return p.print(fmt.Sprintf("%s %s is settled: %s\n", found[0].Method, found[0].Path, o.state))
}
