package middleware

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/headers"
	"github.com/wxpay-go/wxpay/internal/redact"
)

// Observation describes one finished call. It contains no secret and nothing that identifies a
// person, so all of it may go into metrics and traces.
type Observation struct {
	Method    string
	Template  string        // path with its placeholders
	Status    int           // HTTP status of the response; 0 without one
	Code      string        // the platform's error code; empty without one
	RequestID string        // the platform's Request-ID; empty without one
	Attempts  int           // signed requests
	Duration  time.Duration // from the start of the pipeline to the end of the response
	Verified  bool          // the response's signature was verified
	Probe     bool          // the response was one of the platform's signature tests
	Outcome   Outcome       // what is known of the operation
	// MoneyMayHaveMoved says that the outcome of an operation that moves money is unknown.
	MoneyMayHaveMoved bool
	Err               error // why there is no usable response; nil if there is one, whatever its status
}

// Format prints the fields of the log record under every verb.
func (o Observation) Format(s fmt.State, verb rune) { redact.Format(s, verb, o.text()) }

// MarshalText returns the text that Format prints.
func (o Observation) MarshalText() ([]byte, error) { return []byte(o.text()), nil }

func (o *Observation) text() string {
	text := fmt.Sprintf("middleware.Observation{%s %s, status %d %s, request id %s, %d attempts, %s, verified %t, %s",
		o.Method, o.Template, o.Status, redact.Printable(o.Code), redact.Printable(o.RequestID), o.Attempts, o.Duration, o.Verified, o.Outcome)
	if o.Err != nil {
		text += ", " + kind(o.Err)
	}
	return text + "}"
}

// Observe calls hook at the end of every call. The hook runs on the caller's goroutine: it should
// be quick and must not panic.
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
		var untrusted *VerifyError
		if errors.As(err, &untrusted) {
			o.Status, o.RequestID, o.Probe = untrusted.Status, redact.Printable(untrusted.Header.Get(apiv3.HeaderRequestID)), untrusted.Probe
		}
	}
	if res != nil {
		o.Status, o.RequestID = res.StatusCode, redact.Printable(headers.First(res.Header, apiv3.HeaderRequestID))
		if o.Status >= 300 {
			o.Code = errorCode(res)
		}
	}
	return o
}
