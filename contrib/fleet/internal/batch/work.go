package batch

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/contrib/fleet"
	"github.com/wxpay-go/wxpay/wxcode"
)

// workOptions say how jobs are carried out.
type workOptions struct {
	workers   int
	selected  []string
	onUnknown string
	final     bool
	own       []string
	patience  time.Duration
}

const workHelp = `When nobody knows whether a job was sent, because a process or a connection died, it is asked for by its own number where the
platform can be asked (orders, refunds, transfers, shares): each is carried out once. Member feeds cannot be asked for; they are
sent again under the same number: at least once, and once if the platform keeps numbers apart, which it does not promise.
--on-unknown hold sends nothing again: at most once, for all, and also when it is left out later: only repeat takes it back. What
is not known to be harmless is never sent again.

A signed refusal that concerns the merchant (a permission, a risk) pauses the queue until "resume", and its jobs wait. A refusal that
nobody signs (a wrong signature, clock or certificate, a proxy's page) pauses it when five jobs in a row end so. A job that met one is
in doubt: something on the way may have made the answer after it passed the request on.`

func (o *workOptions) flags(flags *pflag.FlagSet) {
	flags.IntVar(&o.workers, "workers", 16, "how many calls this process has in hand at once")
	flags.StringArrayVar(&o.selected, "select", nil, "a member of the answer that goes into the result, by gjson `PATH`")
	flags.StringVar(&o.onUnknown, "on-unknown", "", "about what may have been sent: `hold` (never send again) or repeat (default: by the facts)")
	flags.BoolVar(&o.final, "final", false, "wait until the platform states an end")
	flags.StringArrayVar(&o.own, "own", nil, "a `CODE` that concerns the job, not the merchant: it pauses nothing")
	flags.DurationVar(&o.patience, "patience", 10*time.Minute, "how long to find out about one job before its outcome is unknown")
}

// worker makes the worker.
func (o *workOptions) worker(p *program, queue *fleet.Queue) (*fleet.Worker, error) {
	w := &fleet.Worker{
		Queue: queue, Calls: o.workers, Patience: o.patience, UntilFinal: o.final, Select: o.selected, Marked: true,
		OnError: (&troubles{p: p}).tell,
	}
	for _, code := range o.own {
		w.OwnCodes = append(w.OwnCodes, wxcode.Code(code))
	}
	switch o.onUnknown {
	case "":
	case "hold":
		w.OnUnknown = wxpay.Hold
	case "repeat":
		w.OnUnknown = wxpay.Repeat
	default:
		return nil, usageError("--on-unknown takes hold or repeat")
	}
	if o.workers < 1 || o.patience <= 0 {
		return nil, usageError("--workers and --patience have to be positive")
	}
	return w, nil
}

// troubles tells of what workers meet, each thing once a minute.
type troubles struct {
	p    *program
	mu   sync.Mutex
	told map[string]time.Time
}

func (t *troubles) tell(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := strings.TrimPrefix(err.Error(), "fleet: ")
	if time.Since(t.told[text]) < time.Minute {
		return
	}
	if t.told == nil {
		t.told = make(map[string]time.Time)
	}
	t.told[text] = time.Now()
	t.p.note("%s", printable(text))
}

type workCommandOptions struct {
	storeOptions
	workOptions
	untilIdle bool
}

func workCommand(run func(context.Context, workCommandOptions) error) *cobra.Command {
	o := new(workCommandOptions)
	command := &cobra.Command{
		Use:   "work",
		Short: "Carry out what is queued",
		Long: `Carry out the jobs of the queue, until it is interrupted: the first signal finishes what is in hand. Any number of processes, on any
number of machines, can work on one queue (--nats); --rate holds for all of them together.

` + workHelp + "\n\n" + storeHelp,
		Example: "  wxpay-batch work --nats nats://n1:4222,nats://n2:4222,nats://n3:4222 --creds fleet.creds --key keys --rate 5",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return run(c.Context(), *o) },
	}
	command.Flags().SortFlags = false
	o.workOptions.flags(command.Flags())
	o.rateFlag(command.Flags())
	command.Flags().BoolVar(&o.untilIdle, "until-idle", false, "end when nothing waits or runs any more")
	o.storeOptions.flags(command.Flags())
	return command
}

func (p *program) work(ctx context.Context, o workCommandOptions) error {
	ctx, stop := interruptible(ctx)
	defer stop()
	o.existing = o.nats == "" || o.untilIdle // a worker of a fleet may be the first to come
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
	w.OnResult = b.observe
	defer b.end()
	if !o.untilIdle {
		return w.Run(ctx)
	}
	if err := p.untilIdle(ctx, s.queue, w, s.queue.Idle, func() bool { return true }); err != nil {
		return err
	}
	b.end()
	return p.finish(context.WithoutCancel(ctx), s.queue, "") // also when it was interrupted as it ended
}

// untilIdle runs a worker beside what feeds it, and stops it when that has ended. An interruption is none if all was fed, and is
// done after it.
func (p *program) untilIdle(ctx context.Context, q *fleet.Queue, w *fleet.Worker, feed func(context.Context) error, fed func() bool) error {
	working, stop := context.WithCancel(ctx)
	defer stop()
	feeding, broken := context.WithCancelCause(ctx)
	defer broken(nil)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := w.Run(working); err != nil {
			broken(err)
		}
	}()
	err := feed(feeding)
	stop()
	if ctx.Err() != nil {
		p.note("Interrupted: finishing what is in hand; once more to break off.")
	}
	<-ended
	switch {
	case ctx.Err() != nil:
		if fed() {
			if status, err := q.Status(context.WithoutCancel(ctx)); err == nil && status.Queued == 0 {
				return nil
			}
		}
		return &exitError{exitNotSent, errors.New("interrupted; run it again to go on, nothing is sent twice")}
	case err != nil && errors.Is(err, context.Canceled):
		return context.Cause(feeding)
	}
	return err
}
