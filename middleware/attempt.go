package middleware

import (
	"context"
	"fmt"
	"time"

	"github.com/wxpay-go/wxpay/internal/redact"
)

// Attempt is one request of a logical call and its result. It contains nothing that identifies a
// person.
type Attempt struct {
	// Host is the host of the request.
	Host string
	// Status is the HTTP status of the response, 0 without one.
	Status int
	// Code is the platform's error code, empty without one.
	Code string
	// RequestID is the response's Request-ID, empty without one.
	RequestID string
	// Outcome is the outcome of this attempt alone.
	Outcome Outcome
	// Err tells why there is no usable response, nil if there is one.
	Err error
	// Ended is when the attempt ended.
	Ended time.Time
}

// Tracer follows the attempts of one call. Its methods run on the call's goroutine: they should be
// quick and must not panic.
type Tracer interface {
	// BeginAttempt begins an attempt, which runs under the context that it returns: ctx or one that
	// descends from it.
	BeginAttempt(ctx context.Context) context.Context
	// EndAttempt ends the attempt. A streamed response is still to be read then. It is not called
	// after a panic.
	EndAttempt(Attempt)
}

// Format prints the attempt under every verb; of the error it prints the kind.
func (a Attempt) Format(s fmt.State, verb rune) { redact.Format(s, verb, a.text()) }

// MarshalText returns the text that Format prints.
func (a Attempt) MarshalText() ([]byte, error) { return []byte(a.text()), nil }

func (a *Attempt) text() string {
	text := fmt.Sprintf("middleware.Attempt{%s, status %d %s, request id %s, %s", a.Host, a.Status,
		redact.Printable(a.Code), redact.Printable(a.RequestID), a.Outcome)
	if a.Err != nil {
		text += ", " + kind(a.Err)
	}
	return text + "}"
}
