package batch

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/wxpay-go/wxpay/contrib/fleet"
)

type runOptions struct {
	sourceOptions
	storeOptions
	workOptions
	listenOptions
	out string
}

func runCommand(run func(context.Context, runOptions) error) *cobra.Command {
	o := new(runOptions)
	o.clientOptions = new(clientOptions)
	command := &cobra.Command{
		Use:   "wxpay-batch FILE [METHOD] PATH",
		Short: "Make very many calls from a list, paced by the platform's limits",
		Long: `Check the lines of a file, queue them as jobs, carry them out, and write down what came of each: all in one process. When it is
run again, after whatever ended it, it goes on where it was.

` + sourceHelp + "\n\n" + workHelp + "\n\n" + listenHelp + "\n\n" + storeHelp + "\n\n" + clientHelp + "\n\n" + exitCodeHelp,
		Example: `  wxpay-batch feeds.ndjson POST v3/brand/partner/card-member/user-feeds -o results.ndjson
  wxpay-batch refunds.csv v3/refund/domestic/refunds --map out_trade_no=order --map amount.refund=金额:yuan --select refund_id --final
  wxpay-batch points.csv v3/brand/partner/card-member/user-points/sync --number out_request_no --order-by user_card_code --expires 24h
  wxpay-batch feeds.ndjson v3/brand/partner/card-member/user-feeds --sandbox --rate 100`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 0 && args[0] != "-" && !exists(args[0]) {
				return noCommand(c, args[0])
			}
			if err := o.arguments(args); err != nil {
				return err
			}
			return run(c.Context(), *o)
		},
	}
	command.Flags().SortFlags = false
	o.sourceOptions.flags(command.Flags())
	o.workOptions.flags(command.Flags())
	o.rateFlag(command.Flags())
	o.listenOptions.flags(command.Flags())
	command.Flags().StringVarP(&o.out, "out", "o", "", "the `FILE` for the results, one line a job, the unknown first; - for stdout; .xlsx and .csv make a table")
	o.storeOptions.flags(command.Flags())
	return command
}

// ahead is how many jobs wait in the queue at most while a file is read beside the work.
const ahead = 20_000

func (p *program) run(ctx context.Context, o runOptions) error {
	ctx, stop := interruptible(ctx)
	defer stop()
	switch rejects, _ := o.rejectsPath(); {
	case sameFile(o.out, o.file):
		return usageError("-o names the file that is read")
	case o.out != "" && samePath(o.out, rejects):
		return usageError("-o and --rejects name the same file")
	}
	jobs, size, done, err := p.source(&o.sourceOptions)
	if err != nil {
		return err
	}
	defer done()
	if o.dry {
		return p.dryRun(ctx, jobs, &o.sourceOptions, *o.clientOptions)
	}
	if err := writable("-o", o.out); err != nil {
		return err
	}
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
	status, err := s.queue.Status(ctx)
	switch {
	case err != nil:
		return err
	case !s.alone && status.Closed: // by somebody else, whose reasons are not known here
		return fleet.ErrClosed
	case !s.alone && status.Pause != nil:
		return &fleet.PausedError{Pause: *status.Pause}
	}
	if s.alone {
		if err := s.queue.Resume(ctx); err != nil {
			return err
		}
	}
	switch {
	case status.Closed:
		p.note("It was drained. Taking new jobs again.")
	case status.Pause != nil:
		p.note("It was paused: %s. Going on.", inFlags(status.Pause.Reason))
	}
	b := p.bar(size)
	w.OnResult = p.meter.beside(b.observe)
	seen.queue.Store(s.queue)
	rejected := p.rejects(&o.sourceOptions)
	run, err := o.run()
	if err != nil {
		return err
	}
	var count fleet.Submission
	read := false // all of the file
	err = p.untilIdle(ctx, s.queue, w, func(ctx context.Context) error {
		submitting, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		watched := make(chan struct{})
		go func() { // a pause ends the reading, too
			defer close(watched)
			if err := p.untilPaused(submitting, s.queue); err != nil {
				cancel(err)
			}
		}()
		var err error
		count, err = s.queue.Submit(submitting, jobs, fleet.Intake{
			Run: run, Reject: rejected.add, Progress: func(s fleet.Submission) { b.submitted(run.ID, s) }, Ahead: ahead,
		})
		cancel(nil)
		<-watched
		if err != nil {
			return err
		}
		read = true
		return s.queue.Idle(ctx)
	}, func() bool { return read })
	b.end()
	rejected.close(read)
	p.note("%s Run %s.", described(count), run.ID)
	wrong := p.finish(context.WithoutCancel(ctx), s.queue, o.out, fleet.Filter{Run: run.ID})
	if err == nil {
		err = wrong
	} else if code := exitCode(wrong); code == exitUnknown || code == exitUnsaved {
		p.note("%s", inFlags(wrong.Error()))
	}
	if err == nil && count.Rejected > 0 {
		err = &exitError{exitRefused, nil}
	}
	return err
}
