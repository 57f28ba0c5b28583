package sandbox

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/wxpay-go/wxpay/internal/redact"
	"github.com/wxpay-go/wxpay/sandbox/fault"
	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
	"github.com/wxpay-go/wxpay/sandbox/internal/post"
)

// Plan is how one notification is delivered; the zero value is as documented.
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

// DeliveryState is how far a delivery has come.
type DeliveryState string

// States of a delivery.
const (
	Waiting   = DeliveryState(post.Waiting)   // for its first attempt, or for a repeat
	Delivered = DeliveryState(post.Delivered) // the receiver responded with 200 or 204 in time
	GivenUp   = DeliveryState(post.GivenUp)   // every attempt of the schedule has failed
	Unsent    = DeliveryState(post.Unsent)    // never attempted; Delivery.Reason says why
)

// Delivery is one notification in the log of deliveries. Its slices and maps belong to the log and
// must not be changed.
type Delivery struct {
	ID       string        `json:"id"`       // of the notification, the same in every attempt
	Merchant string        `json:"merchant"` // who is notified
	Event    string        `json:"event"`    // event_type
	URL      string        `json:"url"`
	Body     []byte        `json:"body,omitempty"` // as sent in every attempt
	State    DeliveryState `json:"state"`
	Reason   string        `json:"reason,omitempty"`   // why it is Unsent
	Next     time.Time     `json:"next,omitzero"`      // of the next attempt, while it is Waiting; by the sandbox's clock
	Attempts []Attempt     `json:"attempts,omitempty"` // those that have ended, the oldest first
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

// Format prints what became of the notification under every verb: the body is in the fields, and in
// JSON.
func (d Delivery) Format(s fmt.State, verb rune) { redact.Format(s, verb, d.text()) }

// LogValue gives slog what Format prints.
func (d Delivery) LogValue() slog.Value { return slog.StringValue(d.text()) }

func (d *Delivery) text() string {
	return fmt.Sprintf("%s %s to %s: %s after %d attempts", d.Event, d.ID, d.URL, d.State, len(d.Attempts))
}

// Format prints what became of the attempt under every verb: the signature is in the fields, and in
// JSON.
func (a Attempt) Format(s fmt.State, verb rune) { redact.Format(s, verb, a.text()) }

// LogValue gives slog what Format prints.
func (a Attempt) LogValue() slog.Value { return slog.StringValue(a.text()) }

func (a *Attempt) text() string {
	if a.Status == 0 {
		return fmt.Sprintf("no response after %s: %s", a.Took, a.Error)
	}
	return fmt.Sprintf("status %d after %s", a.Status, a.Took)
}

func deliveryOf(d post.Delivery) Delivery {
	known := Delivery{
		ID: d.ID, Merchant: d.Merchant, Event: d.Event, URL: d.URL, Body: d.Body, State: DeliveryState(d.State), Reason: d.Reason, Next: d.Next,
	}
	for _, a := range d.Attempts {
		known.Attempts = append(known.Attempts, Attempt(a))
	}
	return known
}

// Deliveries are the notifications that a sandbox sends: made for one merchant, in a log that all
// merchants share. The log has the last 1,000. Those that still wait do not give way to later ones
// that have ended; there are 3,000 at most.
type Deliveries struct{ merchant *gate.Merchant }

// All returns the log of notifications, the oldest first.
func (d *Deliveries) All() []Delivery {
	known := d.merchant.Office.Deliveries()
	list := make([]Delivery, len(known))
	for i := range known {
		list[i] = deliveryOf(known[i])
	}
	return list
}

// Deliver sends the notification of an event to an address, with the documented repeats; event and
// resource are as in [Deliveries.Notify], and faults are those of the first attempt, as in [Plan].
// It returns the notification's id without waiting for the first attempt; [Deliveries.All] and
// [Deliveries.Await] tell what became of it. An address that is neither loopback nor permitted by
// WithNotifyHosts is an error, unless notifications go to a handler; see [Deliveries.To].
func (d *Deliveries) Deliver(address, event string, resource any, faults ...fault.Kind) (id string, err error) {
	return d.merchant.Post.Deliver(address, event, resource, faults...)
}

// Redeliver sends a notification once more, at once and whatever became of it, as the merchant
// platform can be asked to. It does not wait for the response.
func (d *Deliveries) Redeliver(id string) error { return d.merchant.Office.Redeliver(id) }

// Await waits until a delivery has had so many attempts, or none is to come any more, and returns
// it. It is an error if the context ends before, if the sandbox is closed before, or if the log
// does not have the delivery.
func (d *Deliveries) Await(ctx context.Context, id string, attempts int) (Delivery, error) {
	known, err := d.merchant.Office.Await(ctx, id, attempts)
	return deliveryOf(known), err
}

// To delivers notifications to a handler in process, whatever their address, in place of the
// network; nil returns to the network. It works in a testing/synctest bubble.
func (d *Deliveries) To(receiver http.Handler) { d.merchant.Office.DeliverTo(receiver) }

// Plan sets how notifications are delivered from now on. Its function decide is called once for
// each, must not call the sandbox, and is told the event_type and the address. nil restores the
// documented way. A fault that notifications do not have, a negative number, or a panic makes the
// delivery fail with that reason.
func (d *Deliveries) Plan(decide func(event, url string) Plan) {
	if decide == nil {
		d.merchant.Office.PlanDeliveries(nil)
		return
	}
	d.merchant.Office.PlanDeliveries(func(event, url string) post.Plan { return post.Plan(decide(event, url)) })
}

// Notify builds the request by which the platform notifies the merchant of an event: the envelope,
// the resource encrypted with the APIv3 key, and the signature. Hand it to a handler, or set its
// URL, which is a placeholder and no part of the signature. The body can be read again with
// GetBody.
//
// event is an event_type such as TRANSACTION.SUCCESS. If an event has several original types, name
// one other than the first behind a slash: TRANSACTION.SUCCESS/profitsharing. Events that the
// catalogue does not know are built alike.
//
// resource is encrypted: []byte, string and json.RawMessage as they are, anything else as JSON, in
// which the fields that the catalogue marks as encrypted are encrypted to the merchant. nil stands
// for a sample made from the catalogue.
//
// faults are those of notifications, several at once if wanted; others are an error.
func (d *Deliveries) Notify(event string, resource any, faults ...fault.Kind) (*http.Request, error) {
	return d.merchant.Post.Notify(event, resource, faults...)
}

// Sample returns a resource of an event, to be changed and given to [Deliveries.Notify] or
// [Deliveries.Deliver]; it is what these two take for nil. It has every documented field in the
// clear, with numbers as json.Number. An event that the catalogue does not know is an error.
func (d *Deliveries) Sample(event string) (map[string]any, error) {
	return d.merchant.Post.Sample(event)
}
