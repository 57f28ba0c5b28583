package wxpay

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/wxpay-go/wxpay/internal/call"
	"github.com/wxpay-go/wxpay/internal/ensure"
	"github.com/wxpay-go/wxpay/internal/redact"
	"github.com/wxpay-go/wxpay/middleware"
)

// Attempt is one request of a call and its result.
type Attempt = middleware.Attempt

// Trail helps to find out what became of a call.
type Trail struct {
	// History lists the attempts that did not simply succeed, with their Request-IDs.
	History []Attempt
	// Number is the merchant's own number in the call, empty if its field is not known. No error
	// text has it.
	Number string
	// Query is the operation that tells what became of the call, such as GET
	// /v3/refund/domestic/refunds/{out_refund_no}; empty if no reviewed query is known.
	// [Client.Resolve] uses it.
	Query string

	call *call.Call
}

// Format prints the count of attempts and the query under every verb, and never the merchant's
// number.
func (t Trail) Format(s fmt.State, verb rune) { redact.Format(s, verb, t.text()) }

// MarshalText gives encodings what Format prints.
func (t Trail) MarshalText() ([]byte, error) { return []byte(t.text()), nil }

func (t *Trail) text() string {
	return fmt.Sprintf("wxpay.Trail{%d attempts, query %q}", len(t.History), t.Query)
}

// remedy says what to do next about an unknown outcome with this cause.
func (t *Trail) remedy(cause error) string {
	switch {
	case errors.Is(cause, ensure.ErrNumberConflict):
		return "find out who used the number, and make the call under no other one until then"
	case t.Query == "":
		return "the operation may have taken effect: query it by your own number before repeating"
	}
	return "the operation may have taken effect: ask " + t.Query + " before repeating, as Client.Resolve does"
}

// VerifyError means that a response arrived and cannot be trusted; see [middleware.VerifyError]. It
// is the cause inside a [*CallError] with the outcome Unknown.
type VerifyError = middleware.VerifyError

// CallError is the error of a call that failed without a trustworthy response, or after one. Its
// text names the operation by its template and says what to do next; it has no values, bodies or
// keys.
type CallError struct {
	// Stage is the stage that failed; errors.Is(err, stage) holds too.
	Stage Stage
	// Outcome is what is known about the operation.
	Outcome Outcome
	// Method and Template name the operation; Template has its placeholders unfilled.
	Method, Template string
	// Attempts is how many requests were signed for the wire.
	Attempts int
	// Response is the verified response of a call that failed afterwards; nil if there is none.
	Response *Response
	// Trail helps to resolve a doubt.
	Trail
	// Err is the cause.
	Err error
}

func (e *CallError) Error() string {
	var b strings.Builder
	b.WriteString("wxpay: ")
	writeOperation(&b, e.Method, e.Template)
	switch e.Outcome {
	case NotSent:
		b.WriteString("not sent: " + call.CauseText(e.Err))
	case Rejected:
		b.WriteString("rejected, the request took no effect: " + call.CauseText(e.Err))
	case Confirmed:
		b.WriteString("the platform confirmed success, but " + e.Stage.Error() + " failed: " + call.CauseText(e.Err))
		if e.Method == http.MethodGet {
			b.WriteString(" (the response is in CallError.Response)")
			break
		}
		b.WriteString(" (do not repeat the call; its response is in CallError.Response)")
	default:
		if e.Method == http.MethodGet {
			b.WriteString("no usable response: " + call.CauseText(e.Err) + " (it was a read, so retrying is safe)")
			break
		}
		b.WriteString("outcome unknown: " + call.CauseText(e.Err) + " (" + e.remedy(e.Err) + ")")
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *CallError) Unwrap() error { return e.Err }

// Format prints the error's text under every verb.
func (e CallError) Format(s fmt.State, verb rune) { redact.Format(s, verb, e.Error()) }

// MarshalText gives encodings the error's text.
func (e CallError) MarshalText() ([]byte, error) { return []byte(e.Error()), nil }

// Is reports whether target is its Stage, or ErrOutcomeUnknown if the outcome is unknown.
func (e *CallError) Is(target error) bool {
	return target == e.Stage || target == ErrOutcomeUnknown && e.Outcome == Unknown
}

// QueryError reports that the query made by Ensure or Resolve told nothing about the call. Err is
// the query's error, often an *[APIError]; the text has neither its operation nor advice. It is not unwrapped, because an API error of the query
// is not one of the call: IsCode and OutcomeOf do not look at it. errors.Is finds [ErrMissing] and
// the end of a context in it.
type QueryError struct{ Err error }

func (e *QueryError) Error() string { return brief(e.Err) }

// Format prints the error's text under every verb.
func (e QueryError) Format(s fmt.State, verb rune) { redact.Format(s, verb, e.Error()) }

// MarshalText gives encodings the error's text.
func (e QueryError) MarshalText() ([]byte, error) { return []byte(e.Error()), nil }

// Is finds errors that say nothing about a call.
func (e *QueryError) Is(target error) bool {
	return (target == ensure.ErrMissing || target == context.Canceled || target == context.DeadlineExceeded) && errors.Is(e.Err, target)
}

// brief returns the text of an error of a call without its operation and without advice, for the
// text of an error around it, which has both.
func brief(err error) string {
	if e, ok := err.(interface{ brief() string }); ok { //nolint:errorlint // an error around it has a text of its own
		return e.brief()
	}
	return err.Error()
}

func (e *CallError) brief() string { return call.CauseText(e.Err) }

func writeOperation(b *strings.Builder, method, template string) {
	if method != "" {
		b.WriteString(method + " ")
	}
	if template != "" {
		b.WriteString(template + ": ")
	}
}

// newTrail collects the trail of a call for its error.
func newTrail(c *call.Call) Trail {
	t := Trail{History: slices.Clone(c.History), Number: c.Own(), call: c}
	if o := c.Operation; o != nil && o.Link != nil {
		t.Query = http.MethodGet + " " + o.Link.Query
	}
	return t
}
