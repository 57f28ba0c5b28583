package middleware

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/fault"
	"github.com/wxpay-go/wxpay/internal/redact"
)

// Outcome is what the attempts so far leave known. Before the first it is NotSent. An attempt that was broken off on the wire,
// by a panic of a transport's, leaves nothing known.
func (c *Call) Outcome() Outcome {
	known := NotSent
	if c.judged {
		known = c.known
	}
	if c.trying && c.Reached {
		return known.Then(Unknown)
	}
	return known
}

// begin begins an attempt.
func (c *Call) begin(try *http.Request) {
	c.trying, c.Reached, c.unsent, c.ServedBy = true, false, false, try.URL.Host
}

// Doubt tells the call that somebody else may have sent it until then: an earlier process, whose attempt left nothing known.
// It stands in History as an attempt of unknown outcome, for the reason why.
func (c *Call) Doubt(until time.Time, why error) {
	c.judged, c.known = true, Unknown
	c.History = append(c.History, Attempt{Outcome: Unknown, Err: why, Ended: until})
}

// Disbelieve takes back that the last attempt, which brought a success, has settled the call: for the reason why nobody can tell
// whether that answer is this call's. In History it is of unknown outcome then.
func (c *Call) Disbelieve(why error) {
	if len(c.History) == 0 {
		c.record(c.Answered, nil, Unknown)
	}
	last := &c.History[len(c.History)-1]
	last.Outcome, last.Err = Unknown, why
	c.known, c.Answered = Unknown, nil
}

// judge takes one attempt's result into account and returns what it alone leaves known.
func (c *Call) judge(res *http.Response, err error) Outcome {
	outcome := c.alone(res, err)
	switch {
	case !c.judged || c.read(): // a read has no effect, so its last answer is all there is to know
		c.known = outcome
	default:
		c.known = c.known.Then(outcome)
	}
	c.judged, c.trying = true, false
	return outcome
}

func (c *Call) alone(res *http.Response, err error) Outcome {
	switch {
	case !c.Reached || c.unsent:
		return NotSent
	case err != nil:
		return Unknown
	case res.StatusCode >= 200 && res.StatusCode <= 299:
		return Confirmed
	case res.StatusCode < 400 || res.StatusCode > 499 || !c.Verified:
		return Unknown // an unsigned refusal may come from a proxy that passed the request on
	}
	switch code := errorCode(res); {
	case code == "", c.Stale(): // a refusal shows no number, so its age is all that ties it to the call
		return Unknown
	case c.MovesMoney() && (c.Operation == nil || !c.Operation.Excluded(code)):
		return Unknown
	}
	return Rejected
}

// What package transport promises of its errors: that no connection was had for the request, or which host took it. The types
// have names so that no error from outside passes for one; see package fault.
type (
	unsentError interface{ Unsent() bool }
	sentError   interface{ ServedBy() string }
)

// transportFailed notes what the transport's error promises, which is believed of no other error, and returns the error as
// what it is: from outside, but for a promise of package transport.
func (c *Call) transportFailed(ctx context.Context, err error) error {
	var promise any
	var sent sentError
	var unsent unsentError
	switch {
	case errors.As(err, &sent):
		c.ServedBy, promise = sent.ServedBy(), sent
	case errors.As(err, &unsent) && unsent.Unsent():
		c.unsent, promise = true, unsent
	}
	if own, ok := promise.(error); ok && fault.Ours(own) {
		return fault.Holding(err, own)
	}
	return fault.During(ctx, err)
}

// record keeps what an attempt brought.
func (c *Call) record(res *http.Response, err error, outcome Outcome) {
	a := Attempt{Host: c.ServedBy, Outcome: outcome, Err: err, Ended: time.Now()}
	var refused *VerifyError
	switch {
	case res != nil:
		a.Status, a.RequestID = res.StatusCode, res.Header.Get(apiv3.HeaderRequestID)
		if a.Status >= 300 {
			a.Code = errorCode(res)
		}
	case asVerifyError(err, &refused):
		a.Status, a.RequestID = refused.Status, refused.Header.Get(apiv3.HeaderRequestID)
	}
	c.History = append(c.History, a)
}

// Format prints the operation and how far the call has come under every verb.
func (c Call) Format(s fmt.State, verb rune) { redact.Format(s, verb, c.text()) }

// MarshalText gives encodings what Format prints.
func (c Call) MarshalText() ([]byte, error) { return []byte(c.text()), nil }

func (c *Call) text() string {
	return fmt.Sprintf("middleware.Call{%s %s, %d attempts, %s}", c.Method, c.Template, c.Attempts, c.Outcome())
}
