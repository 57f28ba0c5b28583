package batch

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/wxpay-go/wxpay/contrib/fleet"
)

type submitOptions struct {
	sourceOptions
	storeOptions
}

func submitCommand(run func(context.Context, submitOptions) error) *cobra.Command {
	o := new(submitOptions)
	o.clientOptions = new(clientOptions)
	command := &cobra.Command{
		Use:     "submit FILE [METHOD] PATH",
		Short:   "Check lines and queue them, for workers elsewhere",
		Long:    "Check the lines of a file and queue them as jobs. Nothing is sent.\n\n" + sourceHelp + "\n\n" + storeHelp + "\n\n" + clientHelp,
		Example: "  wxpay-batch submit feeds.ndjson v3/brand/partner/card-member/user-feeds --nats nats://n1:4222 --creds fleet.creds --key keys",
		Args:    cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if err := o.arguments(args); err != nil {
				return err
			}
			return run(c.Context(), *o)
		},
	}
	command.Flags().SortFlags = false
	o.sourceOptions.flags(command.Flags())
	o.storeOptions.flags(command.Flags())
	return command
}

func (p *program) submit(ctx context.Context, o submitOptions) error {
	ctx, stop := interruptible(ctx)
	defer stop()
	jobs, size, done, err := p.source(&o.sourceOptions)
	if err != nil {
		return err
	}
	defer done()
	if o.dry {
		return p.dryRun(ctx, jobs, &o.sourceOptions, *o.clientOptions)
	}
	o.attach = true
	s, err := p.open(ctx, o.storeOptions)
	if err != nil {
		return err
	}
	defer s.close()
	b := p.bar(size)
	rejected := p.rejects(&o.sourceOptions)
	run, err := o.run()
	if err != nil {
		return err
	}
	count, err := s.queue.Submit(ctx, jobs, fleet.Intake{Run: run, Reject: rejected.add, Progress: func(s fleet.Submission) { b.read(run.ID, s) }})
	b.end()
	rejected.close(err == nil)
	p.note("%s Run %s.", described(count), run.ID)
	if err != nil && ctx.Err() != nil {
		err = &exitError{exitNotSent, errors.New("interrupted; what was counted is queued: submit all of it again to go on, nothing is queued twice")}
	}
	if err == nil && count.Rejected > 0 {
		err = &exitError{exitRefused, nil}
	}
	return err
}
