package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/wxpay-go/wxpay"
)

// call makes the call and fills in what it brought.
func (r *running) call(ctx context.Context, c *claim, late bool) error {
	ctx, cancel := context.WithTimeout(ctx, r.Patience)
	defer cancel()
	chain := c.job.chain(r.client)
	if c.job.Method != http.MethodPost {
		if !c.doubt.IsZero() && c.job.Method != http.MethodGet {
			return errUnasked
		}
		res, err := chain.Do(ctx, c.job.Method, c.job.body())
		switch {
		case err != nil:
		case !res.Verified:
			err = errMadeUp
		case res.Stale() && c.job.Method != http.MethodGet:
			r.answered(c.rec, res)
			err = errStaleAnswer
		}
		if err == nil {
			r.answered(c.rec, res)
			c.rec.State = Succeeded
			if res.Status == http.StatusAccepted {
				c.rec.State = Accepted
			}
		}
		return err
	}
	chain = chain.Stepwise()
	if r.UntilFinal {
		chain = chain.UntilFinal()
	}
	switch {
	case late: // only what became of it is still of interest
		chain = chain.OnUnknown(wxpay.Hold)
	case r.OnUnknown != 0:
		chain = chain.OnUnknown(r.OnUnknown)
	case c.rec.Held:
		chain = chain.OnUnknown(wxpay.Hold)
	case c.lane && absolute(c.job.facts()):
		// The newer values wait behind it in its lane, so repeating this one undoes none of them.
		chain = chain.OnUnknown(wxpay.Repeat)
	}
	if !c.doubt.IsZero() {
		chain = chain.SentBefore(c.doubt)
	}
	verdict, err := chain.Ensure(ctx, c.job.body())
	if err != nil {
		return err
	}
	r.found(c.rec, verdict)
	return nil
}

// found fills in what is known for certain.
func (r *running) found(rec *record, verdict *wxpay.Verdict) {
	rec.Inferred, rec.Unbound, rec.Missing, rec.Attempts = verdict.Inferred, verdict.Unbound, verdict.Missing, verdict.Attempts
	rec.State = map[wxpay.State]State{
		wxpay.Succeeded: Succeeded, wxpay.Accepted: Accepted, wxpay.Taken: Taken, wxpay.Partial: Partial, wxpay.Failed: Failed, wxpay.NeedsAction: Action,
	}[verdict.State]
	rec.Status, rec.Code, rec.Message, rec.RequestID = 0, "", "", "" // those of an earlier time, if any
	if verdict.Response != nil {
		r.answered(rec, verdict.Response)
	}
}

// errMadeUp is a response that is not the platform's.
var errMadeUp = errors.New("the response is not verified: a middleware of the client's made it up or changed it")

// errStaleAnswer is a success that is another call's.
var errStaleAnswer = errors.New("the response was signed before its request was sent, so it answers another one")

// errUnasked is a doubt about a call that no query tells about and that must not be repeated.
var errUnasked = errors.New("an earlier worker may have sent it, and nothing tells what became of that")

// answered fills in what a response brought.
func (r *running) answered(rec *record, res *wxpay.Response) {
	rec.Status, rec.RequestID, rec.Code, rec.Message = res.Status, res.RequestID, "", ""
	rec.Attempts = max(rec.Attempts, 1)
	for _, path := range r.Select {
		if value := res.Get(path); value.Exists() {
			if rec.Selected == nil {
				rec.Selected = make(map[string]json.RawMessage)
			}
			rec.Selected[path] = json.RawMessage(value.Raw)
		}
	}
}
