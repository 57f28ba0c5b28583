package batch

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/wxpay-go/wxpay/contrib/fleet"
)

func drainCommand(run func(context.Context, storeOptions) error) *cobra.Command {
	return storeCommand(&cobra.Command{
		Use:   "drain",
		Short: "Take no new jobs, and wait until all are done",
		Long:  "Close the queue to new jobs and wait until nothing waits or runs any more; \"resume\" opens it again. Workers have to be at work, so it is\nfor queues on a server (--nats).\n\n" + storeHelp,
	}, run)
}

type resumeOptions struct {
	storeOptions
	inDoubt bool
}

func resumeCommand(run func(context.Context, resumeOptions) error) *cobra.Command {
	o := new(resumeOptions)
	command := &cobra.Command{
		Use:   "resume",
		Short: "Go on after a pause or a drain",
		Long: `End a pause, after its reason is gone, and open a queue that was closed by "drain".

If records are missing, or an old copy of the queue was restored, numbers might be sent again. --in-doubt goes on all the same: from
then on each job that is not known to have ended, and each number that is new to the queue, counts as one that may have been sent.
Workers ask the platform first, or send it again where that is harmless, or leave its outcome unknown.

` + storeHelp,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return run(c.Context(), *o) },
	}
	command.Flags().SortFlags = false
	command.Flags().BoolVar(&o.inDoubt, "in-doubt", false, "go on although records are missing, or after an old copy was restored")
	o.storeOptions.flags(command.Flags())
	return command
}

func cancelCommand(run func(context.Context, storeOptions) error) *cobra.Command {
	return storeCommand(&cobra.Command{
		Use:   "cancel",
		Short: "End the jobs that were never sent",
		Long: `End the jobs that wait now and were certainly never sent. The others go on: those in hand, and those that may have been sent. A
cancelled job can be submitted again, corrected under the same number if need be.

` + storeHelp,
	}, run)
}

type pauseOptions struct {
	storeOptions
	reason string
}

func pauseCommand(run func(context.Context, pauseOptions) error) *cobra.Command {
	o := new(pauseOptions)
	command := &cobra.Command{
		Use:   "pause",
		Short: "Begin no more jobs until a resume",
		Long:  "Let no worker begin another job until \"resume\". Workers finish the jobs in hand.\n\n" + storeHelp,
		Args:  noArguments,
		RunE:  func(c *cobra.Command, _ []string) error { return run(c.Context(), *o) },
	}
	command.Flags().SortFlags = false
	command.Flags().StringVar(&o.reason, "reason", "by hand", "the `TEXT` that \"status\" and all workers show")
	o.storeOptions.flags(command.Flags())
	return command
}

// storeCommand completes a command that takes nothing but where the queue is.
func storeCommand(command *cobra.Command, run func(context.Context, storeOptions) error) *cobra.Command {
	o := new(storeOptions)
	command.Args = noArguments
	command.RunE = func(c *cobra.Command, _ []string) error { return run(c.Context(), *o) }
	command.Flags().SortFlags = false
	o.flags(command.Flags())
	return command
}

func (p *program) drain(ctx context.Context, o storeOptions) error {
	ctx, stop := interruptible(ctx)
	defer stop()
	o.existing, o.attach = true, true
	s, err := p.open(ctx, o)
	if err != nil {
		return err
	}
	defer s.close()
	before, err := s.queue.Status(ctx)
	if err != nil {
		return err
	}
	if s.alone && before.Queued > 0 { // no worker can have the directory beside this process
		return usageError("%d jobs wait, and nobody can carry them out while this program has the directory: \"work --until-idle\" does", before.Queued)
	}
	if err := s.queue.Drain(ctx); err != nil {
		if ctx.Err() != nil {
			return &exitError{exitNotSent, errors.New(`interrupted; if the queue is closed to new jobs by now ("status" tells), "resume" opens it again`)}
		}
		return err
	}
	return p.finish(ctx, s.queue, "", fleet.Filter{})
}

func (p *program) resume(ctx context.Context, o resumeOptions) error {
	o.existing, o.attach = true, true
	s, err := p.open(ctx, o.storeOptions)
	if err != nil {
		return err
	}
	defer s.close()
	if o.inDoubt {
		if err := s.queue.Doubt(ctx); err != nil {
			return err
		}
	}
	return s.queue.Resume(ctx)
}

func (p *program) pause(ctx context.Context, o pauseOptions) error {
	o.existing, o.attach = true, true
	s, err := p.open(ctx, o.storeOptions)
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.queue.Pause(ctx, o.reason); err != nil {
		return err
	}
	switch stands, err := s.queue.Paused(ctx); {
	case err != nil:
		return err
	case stands != nil && stands.Reason != o.reason:
		p.note("It was paused already, since %s by %s: %s", stands.When(), stands.By, inFlags(stands.Reason))
	}
	return nil
}

func (p *program) cancel(ctx context.Context, o storeOptions) error {
	o.existing, o.attach = true, true
	s, err := p.open(ctx, o)
	if err != nil {
		return err
	}
	defer s.close()
	n, err := s.queue.Cancel(ctx)
	p.note("%d jobs are cancelled; they were never sent.", n)
	return err
}
