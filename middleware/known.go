package middleware

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/fault"
	"github.com/wxpay-go/wxpay/internal/redact"
)

// Outcome is the outcome of the attempts so far, NotSent before the first. An attempt that a panic
// of the transport ended is Unknown.
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

// Doubt records that another process may have sent the call until then. It adds an attempt of
// unknown outcome to History, with the error why.
func (c *Call) Doubt(until time.Time, why error) {
	c.judged, c.known = true, Unknown
	c.History = append(c.History, Attempt{Outcome: Unknown, Err: why, Ended: until})
}

// Disbelieve takes back the success of the last attempt: the error why says that the response may
// belong to another call. The attempt in History then has an unknown outcome.
func (c *Call) Disbelieve(why error) {
	if len(c.History) == 0 {
		c.History = append(c.History, c.attempt(c.Answered, nil, Unknown))
	}
	last := &c.History[len(c.History)-1]
	last.Outcome, last.Err = Unknown, why
	c.known, c.Answered = Unknown, nil
}

// judge adds the result of one attempt and returns the outcome of that attempt alone.
func (c *Call) judge(res *http.Response, err error) Outcome {
	outcome := c.alone(res, err)
	switch {
	case !c.judged || c.read(): // a read has no effect, so only its last response counts
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
		return Unknown // an unsigned rejection may come from a proxy that forwarded the request
	}
	switch code := errorCode(res); {
	case code == "", c.Stale(): // a rejection shows no number, so only its age ties it to the call
		return Unknown
	case c.MovesMoney() && (c.Operation == nil || !c.Operation.Excluded(code)):
		return Unknown
	}
	return Rejected
}

// Promises of package transport's errors: the request had no connection, or the name of the host
// that took it. The types have names so that no error from outside passes for one; see package
// fault.
type (
	unsentError interface{ Unsent() bool }
	sentError   interface{ ServedBy() string }
)

// transportFailed records the promise of a transport's error and returns the error as one from
// outside. It trusts only promises of package transport.
func (c *Call) transportFailed(ctx context.Context, err error) error {
	var promise any
	var sent sentError
	var unsent unsentError
	switch {
	case errors.As(err, &sent):
		c.ServedBy, promise = sent.ServedBy(), sent
	case errors.As(err, &unsent) && unsentAll(err):
		c.unsent, promise = true, unsent
	}
	if own, ok := promise.(error); ok && fault.Ours(own) {
		return fault.Holding(err, own)
	}
	return fault.During(ctx, err)
}

// unsentAll reports whether err promises that nothing was sent, each of them if it joins the errors of
// several ways to the platform.
func unsentAll(err error) bool {
	var unsent unsentError
	switch e := err.(type) {
	case unsentError:
		return e.Unsent()
	case interface{ Unwrap() []error }:
		all := e.Unwrap()
		return len(all) > 0 && !slices.ContainsFunc(all, func(one error) bool { return !unsentAll(one) })
	case interface{ Unwrap() error }:
		if inner := e.Unwrap(); inner != nil {
			return unsentAll(inner)
		}
	}
	return errors.As(err, &unsent) && unsent.Unsent()
}

// ended tells the Tracer of the attempt that has just ended. It adds the attempt to History, but for
// a success of the first.
func (c *Call) ended(res *http.Response, err error, outcome Outcome) {
	kept := outcome != Confirmed || len(c.History) > 0
	if !kept && c.Tracer == nil {
		return
	}
	a := c.attempt(res, err, outcome)
	if kept {
		c.History = append(c.History, a)
	}
	if c.Tracer != nil {
		c.Tracer.EndAttempt(a)
	}
}

// attempt describes the attempt that has just ended.
func (c *Call) attempt(res *http.Response, err error, outcome Outcome) Attempt {
	a := Attempt{Host: c.ServedBy, Outcome: outcome, Err: err, Ended: time.Now()}
	var untrusted *VerifyError
	switch {
	case res != nil:
		a.Status, a.RequestID = res.StatusCode, res.Header.Get(apiv3.HeaderRequestID)
		if a.Status >= 300 {
			a.Code = errorCode(res)
		}
	case asVerifyError(err, &untrusted):
		a.Status, a.RequestID = untrusted.Status, untrusted.Header.Get(apiv3.HeaderRequestID)
	}
	return a
}

// Format prints the operation and the progress of the call under every verb.
func (c Call) Format(s fmt.State, verb rune) { redact.Format(s, verb, c.text()) }

// MarshalText returns the text that Format prints.
func (c Call) MarshalText() ([]byte, error) { return []byte(c.text()), nil }

func (c *Call) text() string {
	return fmt.Sprintf("middleware.Call{%s %s, %d attempts, %s}", c.Method, c.Template, c.Attempts, c.Outcome())
}
