package batch

import (
	"log/slog"
	"time"

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
	grace     time.Duration
	name      string
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
	flags.StringArrayVar(&o.selected, "select", nil, "a field of the response that goes into the result, by gjson `PATH`")
	flags.StringVar(&o.onUnknown, "on-unknown", "", "about what may have been sent: `hold` (never send again) or repeat (default: by the facts)")
	flags.BoolVar(&o.final, "final", false, "wait until the platform states an end")
	flags.StringArrayVar(&o.own, "own", nil, "a `CODE` that concerns the job, not the merchant: it pauses nothing")
	flags.DurationVar(&o.patience, "patience", 10*time.Minute, "how long to find out about one job before its outcome is unknown")
	flags.DurationVar(&o.grace, "grace", 20*time.Second, "how long calls in hand may take to end after an interruption")
	flags.StringVar(&o.name, "name", "", "what this host is called in \"status\"; others tell by it whether trouble is its own (default: the name of the host)")
}

// worker makes the worker.
func (o *workOptions) worker(p *program, queue *fleet.Queue) (*fleet.Worker, error) {
	w := &fleet.Worker{
		Queue: queue, Calls: o.workers, Patience: o.patience, Grace: o.grace, Name: o.name, UntilFinal: o.final, Select: o.selected, Marked: true,
		OnError:  (&troubles{p: p}).tell,
		OnNotice: func(text string) { p.log(slog.LevelWarn, "%s", inFlags(text)) },
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
	if o.workers < 1 || o.patience <= 0 || o.grace <= 0 {
		return nil, usageError("--workers, --patience and --grace have to be positive")
	}
	return w, nil
}
