package middleware

import (
	"fmt"
	"time"

	"github.com/wxpay-go/wxpay/internal/redact"
)

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
