package middleware

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/redact"
)

// Observation is what one finished call looked like. It holds nothing that identifies a person and no secret, so all
// of it may go into metrics and traces.
type Observation struct {
	Method    string
	Template  string        // path with placeholders unfilled
	Status    int           // HTTP status of the answer; 0 when none came
	Code      string        // the platform's error code; empty on success or when there is none
	RequestID string        // the platform's Request-ID; empty when none came
	Attempts  int           // requests that were signed for the wire
	Duration  time.Duration // from entering the pipeline to having the whole answer
	Verified  bool          // the answer's signature was verified
	Probe     bool          // the answer was refused because it is one of the platform's signature tests
	Outcome   Outcome       // what is known about the operation
	// MoneyMayHaveMoved says that the outcome of an operation that moves money is unknown.
	MoneyMayHaveMoved bool
	Err               error // why no answer can be used; nil when one came, whatever its status
}

// Format prints what a log record of the call has under every verb.
func (o Observation) Format(s fmt.State, verb rune) { redact.Format(s, verb, o.text()) }

// MarshalText gives encodings what Format prints.
func (o Observation) MarshalText() ([]byte, error) { return []byte(o.text()), nil }

func (o *Observation) text() string {
	text := fmt.Sprintf("middleware.Observation{%s %s, status %d %s, request id %s, %d attempts, %s, verified %t, %s",
		o.Method, o.Template, o.Status, redact.Printable(o.Code), redact.Printable(o.RequestID), o.Attempts, o.Duration, o.Verified, o.Outcome)
	if o.Err != nil {
		text += ", " + kind(o.Err)
	}
	return text + "}"
}

// Observe calls hook once for every call, when it has ended. The hook runs on the caller's goroutine: it should be
// quick, and must not panic.
func Observe(clock func() time.Time, hook func(context.Context, Observation)) Middleware {
	return func(next http.RoundTripper) http.RoundTripper {
		return RoundTripFunc(func(req *http.Request) (*http.Response, error) {
			begin, call := clock(), CallFrom(req.Context())
			if call != nil {
				call.entered = begin
			}
			res, err := next.RoundTrip(req)
			if call != nil {
				call.entered = time.Time{}
			}
			hook(req.Context(), observation(req, res, err, clock().Sub(begin)))
			return res, err
		})
	}
}

func observation(req *http.Request, res *http.Response, err error, took time.Duration) Observation {
	o := Observation{Method: req.Method, Duration: took, Err: err}
	if call := CallFrom(req.Context()); call != nil {
		o.Template, o.Attempts, o.Verified, o.Outcome = call.Template, call.Attempts, call.Verified, call.Outcome()
		o.MoneyMayHaveMoved = o.Outcome == Unknown && call.MovesMoney()
	}
	if err != nil {
		var refused *VerifyError
		if errors.As(err, &refused) {
			o.Status, o.RequestID, o.Probe = refused.Status, redact.Printable(refused.Header.Get(apiv3.HeaderRequestID)), refused.Probe
		}
	}
	if res != nil {
		o.Status, o.RequestID = res.StatusCode, redact.Printable(first(res.Header, apiv3.HeaderRequestID))
		if o.Status >= 300 {
			o.Code = errorCode(res)
		}
	}
	return o
}
