package batch

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/wxpay-go/wxpay/contrib/fleet"
)

type workCommandOptions struct {
	storeOptions
	workOptions
	listenOptions
	untilIdle bool
}

func workCommand(run func(context.Context, workCommandOptions) error) *cobra.Command {
	o := new(workCommandOptions)
	o.clientOptions = new(clientOptions)
	command := &cobra.Command{
		Use:   "work",
		Short: "Carry out what is queued",
		Long: `Carry out the jobs of the queue, until it is interrupted: the first signal finishes what is in hand. Any number of processes, on any
number of machines, can work on one queue (--nats); --rate holds for all of them together.

` + workHelp + "\n\n" + listenHelp + "\n\n" + storeHelp + "\n\n" + clientHelp,
		Example: "  wxpay-batch work --nats nats://n1:4222,nats://n2:4222,nats://n3:4222 --creds fleet.creds --key keys --rate 5",
		Args:    noArguments,
		RunE:    func(c *cobra.Command, _ []string) error { return run(c.Context(), *o) },
	}
	command.Flags().SortFlags = false
	o.workOptions.flags(command.Flags())
	o.rateFlag(command.Flags())
	o.listenOptions.flags(command.Flags())
	command.Flags().BoolVar(&o.untilIdle, "until-idle", false, "end when nothing waits or runs any more")
	o.storeOptions.flags(command.Flags())
	return command
}

func (p *program) work(ctx context.Context, o workCommandOptions) error {
	ctx, stop := interruptible(ctx)
	defer stop()
	p.locate(&o.storeOptions)
	o.existing = o.nats == "" || o.untilIdle // a worker of a fleet may be the first to come
	seen, unseen, err := p.window(ctx, o.listenOptions)
	if err != nil {
		return err
	}
	defer unseen()
	s, err := p.open(ctx, o.storeOptions)
	if err != nil {
		return err
	}
	defer s.close()
	w, err := o.worker(p, s.queue)
	if err != nil {
		return err
	}
	b := p.bar(0)
	w.OnResult = p.meter.beside(b.observe)
	seen.queue.Store(s.queue)
	defer b.end()
	if !o.untilIdle {
		return p.untilStopped(ctx, w)
	}
	before, err := s.queue.Status(ctx)
	if err != nil {
		return err
	}
	if err := p.untilIdle(ctx, s.queue, w, s.queue.Idle, func() bool { return true }); err != nil {
		return err
	}
	b.end()
	return p.finish(context.WithoutCancel(ctx), s.queue, "", fleet.Filter{After: before.Position}) // also when it was interrupted as it ended
}
