package middleware

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/fault"
	"github.com/wxpay-go/wxpay/internal/redact"
)

// Outcome is what is known about an operation at the platform. It belongs to a logical call, over all its attempts.
type Outcome uint8

const (
	// Unknown: the operation may have taken effect. Query it by your own number before repeating, and repeat only with
	// the same number and parameters. It is the zero value, because it is the safe answer.
	Unknown Outcome = iota
	// NotSent: not one byte left this process for the platform. Repeating is safe.
	NotSent
	// Rejected: the platform refused this request, which took no effect. It says nothing of the merchant's number, which an
	// earlier request may have used.
	Rejected
	// Confirmed: the platform confirmed success, and a later local step failed. Never repeat it.
	Confirmed
)

// String returns the name in words.
func (o Outcome) String() string {
	switch o {
	case NotSent:
		return "not sent"
	case Rejected:
		return "rejected"
	case Confirmed:
		return "confirmed"
	}
	return "outcome unknown"
}

// Then is what is known after one more attempt. Success settles everything. A doubt stays until then: a later refusal may
// be the echo of an earlier success. And a refusal says more than a request that never left.
func (o Outcome) Then(next Outcome) Outcome {
	switch {
	case o == Confirmed || next == Confirmed:
		return Confirmed
	case o == Unknown || next == Unknown:
		return Unknown
	case o == Rejected || next == Rejected:
		return Rejected
	}
	return NotSent
}

// Attempt is one request of a logical call, and what it brought. It holds nothing that identifies a person.
type Attempt struct {
	// Host is the host that took the request, or would have.
	Host string
	// Status is the HTTP status of the answer, 0 when none came.
	Status int
	// Code is the platform's code, empty when there is none.
	Code string
	// RequestID is the answer's Request-ID, empty when there is none.
	RequestID string
	// Outcome is what this attempt alone leaves known.
	Outcome Outcome
	// Err is why no answer can be used, nil when one came.
	Err error
	// Ended is when the attempt ended.
	Ended time.Time
}

// Format prints everything but the error under every verb; of that it prints the sort.
func (a Attempt) Format(s fmt.State, verb rune) { redact.Format(s, verb, a.text()) }

// MarshalText gives encodings what Format prints.
func (a Attempt) MarshalText() ([]byte, error) { return []byte(a.text()), nil }

func (a *Attempt) text() string {
	text := fmt.Sprintf("middleware.Attempt{%s, status %d %s, request id %s, %s", a.Host, a.Status, redact.Printable(a.Code), redact.Printable(a.RequestID), a.Outcome)
	if a.Err != nil {
		text += ", " + kind(a.Err)
	}
	return text + "}"
}

// MovesMoney reports whether the call moves money, as far as is known: by the reviewed fact, and for an operation that no
// catalogue knows by the words of its path, which err on the careful side. A read moves nothing.
func (c *Call) MovesMoney() bool {
	switch {
	case c.read():
		return false
	case c.Operation != nil:
		return c.Operation.MovesMoney
	}
	for _, word := range moneyWords {
		if strings.Contains(c.Template, word) {
			return true
		}
	}
	return strings.HasSuffix(c.Template, "/pay")
}

// moneyWords stand in the paths of operations that move money. Every operation that the catalogue marks has one, and a
// few that move nothing have one too.
var moneyWords = []string{
	"refund", "transfer", "profitsharing", "profit-sharing", "withdraw", "subsid", "deduct", "codepay", "micropay", "reverse",
	"papay/", "/complete", "compensat", "redpacket", "batches", "oversea", "settle", "offlineface", "vehicle", "qrcode",
	"insurance-claim", "schedule", "eduschoolpay", "ebike", "direct-complete", "reservation", "charity", "reduction",
}

// CanRetry reports whether the same request may be sent again although an earlier one may have taken effect: a read, an
// operation that is documented to be repeatable and moves no money, and what the caller vouches for, unless the facts
// forbid it.
func (c *Call) CanRetry() bool {
	if c.read() {
		return true
	}
	var repeat fact.Repeat
	if c.Operation != nil {
		repeat = c.Operation.Repeat
	}
	return repeat != fact.Never && (c.Idempotent || repeat == fact.Documented && !c.MovesMoney())
}

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

func (c *Call) read() bool { return c.Method == http.MethodGet }

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
