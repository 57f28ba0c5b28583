package wxsql

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/wxpay-go/wxpay"
)

// State is where a job stands.
type State string

// States of a job. A worker goes on with the first three; the others are ends.
const (
	Waiting State = "waiting" // not begun, or certainly not sent
	Begun   State = "begun"   // a worker has it; it may have been sent
	Unknown State = "unknown" // it may have taken effect; a worker asks again, never under another number

	Refused     State = "refused"                // rejected without effect, or it cannot be sent as it is
	Succeeded         = State(wxpay.Succeeded)   // has taken effect
	Accepted          = State(wxpay.Accepted)    // taken, not finished: a notification or a query tells the end
	Taken             = State(wxpay.Taken)       // taken; its end is not known here
	Partial           = State(wxpay.Partial)     // some parts have taken effect, the others never will
	Failed            = State(wxpay.Failed)      // ended without effect; this number will never succeed
	NeedsAction       = State(wxpay.NeedsAction) // waits for the merchant to act
)

// Ended reports whether no worker goes on with the job.
func (s State) Ended() bool { return s != Waiting && s != Begun && s != Unknown }

// Result is what is known of a job.
type Result struct {
	Path   string // template of the operation
	Number string // the merchant's own
	State  State
	// Code is the platform's error code; empty without one.
	Code string
	Details
	// Attempts is how often a worker has begun the job.
	Attempts int
	// Added and Ended are times of the database; Ended is zero before the end.
	Added, Ended time.Time
}

// Details is the part of a result that the outbox stores encrypted.
type Details struct {
	// Status is the HTTP status of the last response, zero without one.
	Status int `json:"status,omitempty"`
	// Message is the platform's, or the reason why there is no usable response.
	Message string `json:"message,omitempty"`
	// RequestID is the id that the platform's support asks for.
	RequestID string `json:"request_id,omitempty"`
	// Inferred, Unbound and Missing are those of wxpay.Verdict.
	Inferred bool     `json:"inferred,omitempty"`
	Unbound  bool     `json:"unbound,omitempty"`
	Missing  []string `json:"missing,omitempty"`
	// Settled reports that somebody found out the state elsewhere and said so by Outbox.Settle.
	Settled bool `json:"settled,omitempty"`
	// Response is the verified body that the state comes from, of the write or of its query; nil
	// if there is none. Fields that the platform encrypted are still encrypted.
	Response json.RawMessage `json:"response,omitempty"`
}

// Format prints state, code and path under every verb, because the rest may identify people.
func (r Result) Format(s fmt.State, _ rune) {
	_, _ = fmt.Fprintf(s, "wxsql.Result{%s %s %s}", r.State, r.Code, r.Path)
}

// Format prints the status under every verb.
func (d Details) Format(s fmt.State, _ rune) { _, _ = fmt.Fprintf(s, "wxsql.Details{%d}", d.Status) }

// Status counts the jobs of an outbox that have not succeeded.
type Status struct {
	Waiting, Begun, Unknown, Refused int64
	// Oldest is when the oldest job that has not ended was added; zero without one.
	Oldest time.Time
}
