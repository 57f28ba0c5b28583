package fleet

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/middleware"
	"github.com/wxpay-go/wxpay/wxcode"
)

// judge decides what a call's end means for the job, and stores that.
func (r *running) judge(ctx context.Context, c *claim, err error) (ending, error) {
	outcome := wxpay.OutcomeOf(err)
	var refusal *wxpay.APIError
	errors.As(err, &refusal)
	var failure *wxpay.CallError
	switch {
	case errors.As(err, &failure):
		c.rec.Attempts = failure.Attempts
	case refusal != nil:
		c.rec.Attempts = refusal.Attempts
	}
	if err != nil {
		if c.rec.Attempts > 0 || outcome != wxpay.Unknown { // else the last response is the one of before
			c.rec.Status, c.rec.Code, c.rec.RequestID = 0, "", ""
		}
		if c.rec.Attempts > 0 || outcome != wxpay.Unknown || c.rec.Message == "" { // else it tells why nobody knows
			c.rec.Message = strings.TrimPrefix(err.Error(), "wxpay: ")
		}
		if refusal != nil {
			c.rec.Status, c.rec.Code, c.rec.RequestID = refusal.Status, string(refusal.Code), refusal.RequestID
			if refusal.Message != "" {
				c.rec.Message = refusal.Message
			}
		}
	}
	switch cause := context.Cause(ctx); {
	case err == nil || outcome == wxpay.Confirmed:
	case errors.Is(cause, errLease):
		return ending{left: true}, nil
	case errors.Is(cause, errStopped):
		return r.giveBack(ctx, c, outcome, 0)
	}
	if outcome != wxpay.Confirmed && r.concernsMerchant(err, refusal) {
		p := Pause{Reason: reason(err, refusal), Since: time.Now()}
		if refusal != nil {
			p.Code = string(refusal.Code)
		}
		stop := r.halt
		if refusal == nil { // it cannot sign, or not read what it gets
			stop = func(ctx context.Context, p *Pause) bool { return r.blame(ctx, *p) }
		}
		if !stop(ctx, &p) {
			return r.giveBack(ctx, c, outcome, time.Second)
		}
		return r.giveBack(ctx, c, outcome, 0)
	}
	if made := unsigned(err, refusal); made != nil && c.rec.Unsigned < suspectAfter-1 && !slices.Contains(r.OwnCodes, made.Code) {
		return r.suspect(ctx, c, made, outcome)
	}
	var later *wxpay.NotYetError
	if errors.As(err, &later) && outcome == wxpay.Unknown {
		end, over, err := r.later(ctx, c, later, refusal)
		if !over {
			return end, err
		}
		if later.Verdict != nil { // no more will be known
			r.found(c.rec, later.Verdict)
			c.rec.Ended = time.Now()
			return r.store(ctx, c)
		}
		if refusal == nil {
			c.rec.Message = later.Err.Error() // and not when the next step would have been due
		}
	}
	switch {
	case err == nil:
		r.usable()
	case outcome == wxpay.Confirmed:
		c.rec.State = Succeeded
		if failure != nil && failure.Response != nil {
			r.answered(c.rec, failure.Response)
		}
	case errors.Is(err, wxpay.StageBuild) && c.doubt.IsZero():
		c.rec.State = Refused
	case errors.Is(err, wxpay.StageBuild): // nothing was sent now, but perhaps before
		c.rec.State = Unknown
	case outcome == wxpay.NotSent:
		if !errors.Is(err, middleware.ErrLimited) {
			r.trouble(fmt.Errorf("fleet: a job waits because it could not be sent: %s", c.rec.Message))
		}
		return r.giveBack(ctx, c, outcome, pauseAfter(c.deliveries))
	case outcome == wxpay.Rejected:
		r.usable()
		if refusal == nil || refusal.Status == http.StatusTooManyRequests || refusal.Class() == wxcode.ClassWait || refusal.Class() == wxcode.ClassSame {
			return r.giveBack(ctx, c, outcome, pauseAfter(c.deliveries))
		}
		c.rec.State = Refused
	default:
		c.rec.State = Unknown
		if failure != nil && failure.Response != nil { // the platform took it, and how it ends cannot be told
			r.answered(c.rec, failure.Response)
		}
		if refusal != nil && refusal.Verified && refusal.Status < 500 {
			r.usable()
		} else if c.rec.Attempts == 0 { // an earlier doubt that stays: nothing was tried now
		} else if n := r.failures.Add(1); n >= breakAfter && !r.still() {
			p := Pause{Since: time.Now(), Reason: fmt.Sprintf("%d jobs in a row ended without a response that can be used, the last: %s. Find out why, resume, then retry the unknown ones", breakAfter, c.rec.Message)}
			r.blame(ctx, p)
		}
	}
	c.rec.Ended = time.Now()
	return r.store(ctx, c)
}

// later gives a job back whose next step is not due yet, so that it waits in the engine. over says
// that its time is over instead.
func (r *running) later(ctx context.Context, c *claim, later *wxpay.NotYetError, refusal *wxpay.APIError) (_ ending, over bool, _ error) {
	now := time.Now()
	if c.rec.Since.IsZero() {
		c.rec.Since = now
	}
	wait := max(later.After, pauseAfter(c.deliveries))
	if now.Add(wait).Sub(c.rec.Since) > r.Patience {
		return ending{}, true, nil
	}
	switch {
	case later.Verdict != nil, refusal != nil && refusal.Verified && refusal.Status < 500:
		r.usable()
	case c.rec.Attempts > 0:
		r.silent.met()
	}
	c.rec.NotBefore, c.tells = now.Add(wait), true
	end, err := r.giveBack(ctx, c, wxpay.Unknown, wait)
	return end, false, err
}

// suspect gives a job back that ended with a rejection that nobody signed. Something between here and
// the platform may have made it, before or after it passed the request on: so the job is in doubt.
// Or the platform itself refuses everybody's jobs alike, for their signature, say; then it repeats,
// and the queue pauses.
func (r *running) suspect(ctx context.Context, c *claim, made *wxpay.APIError, outcome wxpay.Outcome) (ending, error) {
	c.tells = true
	c.rec.Unsigned++
	if n := r.unsigned.Add(1); n >= suspectAfter && !r.still() {
		p := Pause{Code: string(made.Code), Since: time.Now(), Reason: fmt.Sprintf("%s; %d jobs in a row were refused, and nobody signs that: before authentication, unless "+
			"something between here and the platform made the responses", reason(made, made), suspectAfter)}
		r.blame(ctx, p)
	}
	if r.still() {
		return r.giveBack(ctx, c, outcome, 0)
	}
	return r.giveBack(ctx, c, outcome, pauseAfter(c.deliveries))
}

// unsigned is the rejection that a call ended with and that nobody signed, its own or that of its
// query; nil for none.
func unsigned(err error, refusal *wxpay.APIError) *wxpay.APIError {
	if refusal = ofQuery(err, refusal); refusal != nil && refusal.Unsigned() {
		return refusal
	}
	return nil
}

// ofQuery is the rejection that a call's query ended with, if it has none of its own.
func ofQuery(err error, refusal *wxpay.APIError) *wxpay.APIError {
	var query *wxpay.QueryError
	if refusal == nil && errors.As(err, &query) {
		errors.As(query.Err, &refusal)
	}
	return refusal
}

// concernsMerchant reports whether every other job would fail alike. refusal is that of the call,
// nil for none. One that nobody signed says that only when it repeats.
func (r *running) concernsMerchant(err error, refusal *wxpay.APIError) bool {
	if err == nil {
		return false
	}
	if refusal = ofQuery(err, refusal); refusal != nil {
		return refusal.Verified && (r.wide[refusal.Code] || refusal.Status == http.StatusUnauthorized && !slices.Contains(r.OwnCodes, refusal.Code))
	}
	return errors.Is(err, wxpay.StageKeys) || errors.Is(err, wxpay.StageSign)
}

// reason tells why the queue is paused. The record of the job that met it tells the rest.
func reason(err error, refusal *wxpay.APIError) string {
	if refusal == nil {
		return strings.TrimPrefix(err.Error(), "wxpay: ")
	}
	text := fmt.Sprintf("%s %s: %d %s: %s", refusal.Method, refusal.Template, refusal.Status, refusal.Code, refusal.Message)
	if refusal.Hint != "" {
		text += "; " + refusal.Hint
	}
	if refusal.RequestID != "" {
		text += " (request id " + refusal.RequestID + ")"
	}
	return strings.Map(func(r rune) rune { // nobody vouches for what a response says that is not verified
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)
}
