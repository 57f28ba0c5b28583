package batch

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/wxpay-go/wxpay/contrib/fleet"
)

type retryOptions struct {
	storeOptions
	refused bool
}

func retryCommand(run func(context.Context, retryOptions) error) *cobra.Command {
	o := new(retryOptions)
	command := &cobra.Command{
		Use:   "retry",
		Short: "Find out what became of the unknown",
		Long: `Queue again the jobs whose outcome is unknown, for the workers to find out what became of them: by asking where the platform can
be asked, and by sending again only where that does no harm. --refused queues those that were refused, which are sent as they
were: that helps only when the reason is gone.

` + storeHelp,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error { return run(c.Context(), *o) },
	}
	command.Flags().SortFlags = false
	command.Flags().BoolVar(&o.refused, "refused", false, "those that were refused, instead")
	o.storeOptions.flags(command.Flags())
	return command
}

func (p *program) retry(ctx context.Context, o retryOptions) error {
	o.existing, o.attach = true, true
	s, err := p.open(ctx, o.storeOptions)
	if err != nil {
		return err
	}
	defer s.close()
	state := fleet.Unknown
	if o.refused {
		state = fleet.Refused
	}
	n, err := s.queue.Retry(ctx, state)
	p.note("%d jobs that were %s are queued again; \"work\" carries them out.", n, state)
	return err
}
