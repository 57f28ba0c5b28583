package post

import (
	"net/http"
	"time"

	"github.com/wxpay-go/wxpay/sandbox/fault"
)

// Bounds of the log of deliveries. Beyond deliveryCount the oldest that have ended give way, and
// beyond deliveriesWaiting the oldest even if it is not done; it is not attempted again then.
const (
	deliveryCount     = 1000
	deliveriesWaiting = 3000
	deliveryAnswer    = 4 << 10 // bytes kept of a response
)

// Plan is how one notification is delivered; sandbox.Plan documents the fields.
type Plan struct {
	// After is how long the first attempt waits, so that an event with a longer wait is overtaken
	// by a later one.
	After time.Duration
	// Copies are sent together with the first attempt, and are not repeated.
	Copies int
	// Faults are those of the first attempt and its copies; the repeats are right. Those of the
	// resource (WrongAPIv3Key, EmptyAssociatedData) stay in the repeats, which are the same
	// notification.
	Faults []fault.Kind
	// Waits replace the documented schedule: the time after each attempt that fails. Nil keeps it;
	// an empty one repeats nothing.
	Waits []time.Duration
}

// States of a delivery.
const (
	Waiting   = "waiting"   // for its first attempt, or for a repeat
	Delivered = "delivered" // the receiver answered 200 or 204 in time
	GivenUp   = "given up"  // every attempt of the schedule has failed
	Unsent    = "unsent"    // never attempted; Delivery.Reason says why
)

// Delivery is one notification in the log of deliveries; sandbox.Delivery documents the fields.
type Delivery struct {
	ID       string    `json:"id"`       // of the notification, the same in every attempt
	Merchant string    `json:"merchant"` // who is notified
	Event    string    `json:"event"`    // event_type
	URL      string    `json:"url"`
	Body     []byte    `json:"body,omitempty"` // as sent in every attempt
	State    string    `json:"state"`
	Reason   string    `json:"reason,omitempty"`   // why it is Unsent
	Next     time.Time `json:"next,omitzero"`      // of the next attempt, while it is Waiting; by the sandbox's clock
	Attempts []Attempt `json:"attempts,omitempty"` // those that have ended, the oldest first
}

// Attempt is one attempt to deliver a notification.
type Attempt struct {
	Time           time.Time     `json:"time"`             // when it began, by the sandbox's clock
	Took           time.Duration `json:"took"`             // until the response was there, or the error; as package time tells
	Header         http.Header   `json:"header,omitempty"` // as sent
	Status         int           `json:"status"`           // of the response; 0 if there was none
	ResponseHeader http.Header   `json:"response_header,omitempty"`
	Response       []byte        `json:"response,omitempty"` // at most the first 4 KiB
	Error          string        `json:"error,omitempty"`    // why there was no response; empty otherwise
}

// delivery is the record of one notification.
type delivery struct {
	Delivery
	Serial uint64          `json:"serial"` // in which order they began
	Sealed string          `json:"sealed"` // serial of the recipient's certificate, which goes with the key that the body is encrypted with
	Limit  time.Duration   `json:"limit"`  // for a response
	Waits  []time.Duration `json:"waits,omitempty"`
	Faults []fault.Kind    `json:"faults,omitempty"` // of the attempt at Next
	Copies int             `json:"copies,omitempty"` // that are sent with it
}

// Due is when the next attempt begins.
func (d delivery) Due() time.Time {
	if d.State != Waiting {
		return time.Time{}
	}
	return d.Next
}
