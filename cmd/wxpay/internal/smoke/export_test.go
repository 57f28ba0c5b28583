package smoke

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

// Run is a run without its command: its receiver is given to the sandbox and not to the network.
type Run struct{ *runner }

// NewRun returns the first day of a client, or with a date the second one.
func NewRun(sh *shell.Shell, connect func(...wxpay.Option) (*wxpay.Client, error), apiv3Key string, more func(*Options)) (*Run, error) {
	t := newTranscript()
	client, err := connect(wxpay.WithMiddleware(t.middleware))
	if err != nil {
		return nil, err
	}
	o := Options{AppID: "wxd678efh567hg6787", Description: "marked description", Wait: 5 * time.Minute}
	if more != nil {
		more(&o)
	}
	r := newRunner(sh, account{client, apiv3Key, o.Pay}, options{
		appID: o.AppID, description: o.Description, notifyURL: o.NotifyURL, wait: o.Wait, date: o.Date, number: o.Number,
	}, t)
	if o.Receives {
		if r.receiver, err = r.newReceiver(); err != nil {
			return nil, err
		}
	}
	return &Run{r}, nil
}

// Options are those of a run.
type Options struct {
	AppID, Description, NotifyURL, Date, Number string
	Wait                                        time.Duration
	Receives                                    bool
	Pay                                         func(string) error
}

// Go makes the run, and returns its transcript and its error.
func (r *Run) Go(ctx context.Context) (transcript any, err error) {
	if r.date == "" {
		r.firstDay(ctx)
	} else {
		r.secondDay(ctx)
	}
	r.transcript.Steps = r.steps
	return r.transcript, r.result()
}

// Receiver receives the notifications.
func (r *Run) Receiver() http.Handler { return r.receiver }

// Number is the out_trade_no.
func (r *Run) Number() string { return r.number }

// Lines are what the run prints on stdout, in a shell of another language.
func (r *Run) Lines(sh *shell.Shell) (lines []string) {
	for _, s := range r.steps {
		lines = append(lines, s.line(sh))
	}
	return append(lines, r.conclusion(sh)...)
}

// Recorded returns the transcript of calls.
func Recorded(call func(wxpay.Option)) (string, error) {
	t := newTranscript()
	call(wxpay.WithMiddleware(t.middleware))
	text, err := json.Marshal(t)
	return string(text), err
}
