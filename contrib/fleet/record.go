package fleet

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

// State is where a job stands.
type State string

// States of a job. The first two are on the way, all others are an end.
const (
	Waiting State = "waiting" // in the queue, not begun
	Begun   State = "begun"   // some worker has it; it may have been sent

	Unknown   State = "unknown"   // it may have taken effect; Queue.Retry finds out
	Refused   State = "refused"   // the platform refused it for a reason of its own, or it cannot be sent as it is; nothing took effect
	Expired   State = "expired"   // it was not sent, because its time was over
	Cancelled State = "cancelled" // it was not sent, because Queue.Cancel came before
	Succeeded State = "succeeded" // has taken effect
	Accepted  State = "accepted"  // the platform took it and has not finished it
	Taken     State = "taken"     // the platform took it; how it ends is not known here
	Partial   State = "partial"   // some parts have taken effect, the others never will
	Failed    State = "failed"    // the platform ended it without effect, for good
	Action    State = "action"    // it stands still until the merchant does something
)

// Ended reports whether the state is an end, as far as this package is concerned.
func (s State) Ended() bool { return s != Waiting && s != Begun }

// Result is what is known of a job.
type Result struct {
	Number string `json:"number"`
	State  State  `json:"state"`
	Method string `json:"method"`
	Path   string `json:"path"` // the template
	// Amounts are those of the request, as Job.Amounts returns them.
	Amounts map[string]int64 `json:"amounts,omitempty"`
	// Status, Code, Message and RequestID are those of the last response of the platform, as far as
	// there was one.
	Status    int    `json:"status,omitempty"`
	Code      string `json:"code,omitempty"`
	Message   string `json:"message,omitempty"` // also why, when there was no response
	RequestID string `json:"request_id,omitempty"`
	// Inferred says that nobody stated the success: the platform said, after a doubt about this
	// job, that the number is taken.
	Inferred bool `json:"inferred,omitempty"`
	// Unbound says that nothing in the response shows that it is about this job; see wxpay.Verdict.
	Unbound bool `json:"unbound,omitempty"`
	// Missing lists fields that only the call's own response has, such as code_url, and that are not
	// in hand.
	Missing []string `json:"missing,omitempty"`
	// Settled says that somebody has found out what became of it, by Queue.Settle.
	Settled bool `json:"settled,omitempty"`
	// Corrected is how often it was refused or cancelled and then submitted with another request.
	Corrected int `json:"corrected,omitempty"`
	// Selected holds the fields of the response that Worker.Select names, by their paths.
	Selected map[string]json.RawMessage `json:"selected,omitempty"`
	// Attempts is how many requests were signed for the wire when the job was carried out last.
	// Deliveries is how often a worker began it, or began to find out what became of it.
	Attempts   int `json:"attempts,omitempty"`
	Deliveries int `json:"deliveries,omitempty"`

	Submitted time.Time `json:"submitted"`
	Begun     time.Time `json:"begun,omitzero"` // the last time
	Ended     time.Time `json:"ended,omitzero"`

	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`
	// Order is Job.Order.
	Order string `json:"order,omitempty"`
}

// Format prints state, code and path under every verb: number and fields may identify people.
func (r Result) Format(s fmt.State, _ rune) {
	_, _ = fmt.Fprintf(s, "fleet.Result{%s %s %s %s}", r.State, r.Code, r.Method, r.Path)
}

// record is what the queue keeps of a job under its key: one message, replaced by compare-and-set.
type record struct {
	Result
	Lane string `json:"lane,omitempty"`
	// Doubt is until when an earlier worker may have sent it, zero if none has.
	Doubt time.Time `json:"doubt,omitzero"`
	// Held says that a worker that was told to send nothing again has begun it (wxpay.Hold), which
	// holds for later ones, too.
	Held bool `json:"held,omitempty"`
	// Asking says that the worker that has begun it has only asked what became of it, and sent
	// nothing.
	Asking bool `json:"asking,omitempty"`
	// NotBefore is when its next step is due, while it waits for that.
	NotBefore time.Time `json:"not_before,omitzero"`
	// Since is when it was first not known what became of it; the patience of workers counts from
	// there.
	Since time.Time `json:"since,omitzero"`
	// Unsigned counts the rejections without a signature that it met.
	Unsigned int `json:"unsigned,omitempty"`
	// Claim tells a worker that a record is its own.
	Claim string `json:"claim,omitempty"`

	content string // digest of what is sent
	run     string // the ID of the submission that brought it first, empty if nobody knows
	seq     uint64 // in the stream of records
	was     stand  // there
}

// stand is where a job stands, in counts. The zero one is that of a job that is new.
type stand struct {
	State State
	Code  string // of the platform, once the job has ended
	Run   string // the ID of the submission that brought the job first
}

// stands is where the job of a record stands.
func (r *record) stands() stand {
	p := stand{State: r.State, Run: r.run}
	if r.State.Ended() {
		p.Code = r.Code
	}
	return p
}

// MarshalText makes a stand the key of an object.
func (p stand) MarshalText() ([]byte, error) {
	return []byte(p.Run + " " + string(p.State) + " " + p.Code), nil
}

// UnmarshalText reads what MarshalText makes.
func (p *stand) UnmarshalText(text []byte) error {
	run, rest, _ := strings.Cut(string(text), " ")
	state, code, _ := strings.Cut(rest, " ")
	*p = stand{State(state), code, run}
	return nil
}

// standsAt is where a job stands, by the headers of its record.
func standsAt(h nats.Header) stand {
	return stand{State(h.Get(headerState)), h.Get(headerCode), h.Get(headerRun)}
}

// change is what storing r in place of the record with its sequence changes of the account.
func (r *record) change() (a account) {
	if r.State.Ended() {
		a.Ended++
	}
	switch {
	case r.seq == 0:
		a.Known++
	case r.was.State.Ended():
		a.Ended--
	}
	return a
}

// Headers of messages. State, code and run are in clear, so that they can be counted without a key.
const (
	headerVersion = "Wxpay-Version"
	headerState   = "Wxpay-State"
	headerCode    = "Wxpay-Code"
	headerContent = "Wxpay-Content"
	headerRun     = "Wxpay-Run"
	headerRecord  = "Wxpay-Record" // of a job: the sequence of its record when it was queued
	headerHeld    = "Wxpay-Held"   // of a job that is kept for a retry: see record.Held
	headerRetry   = "Wxpay-Retry"  // of a job: it is one more time, and its record tells more
)

// recordVersion is the version of what this package writes. It reads this one and older ones; there
// are none yet.
const recordVersion = "1"

// ErrNewer means that something was written by a newer version of this package. It is left as it
// is.
var ErrNewer = errors.New("fleet: it was written by a newer version of this program: bring this one up to date")

// checkVersion reports whether a message can be read.
func checkVersion(h nats.Header) error {
	version := h.Get(headerVersion)
	switch {
	case version == recordVersion:
		return nil
	case version == "":
		return errors.New("fleet: it is not a message of this program")
	case len(version) > len(recordVersion) || version > recordVersion:
		return ErrNewer
	}
	return fmt.Errorf("fleet: version %s of its records is not known", version)
}

// doubted is until when a job that has ended may have been sent without anybody knowing what became
// of it. A worker that only asked has not sent it, so the doubt stays as old as it was. Else a job
// that is retried soon never gets past the minute after which it may be sent again.
func (r *record) doubted() time.Time {
	if r.State == Unknown && (r.Attempts > 0 || r.Doubt.IsZero()) {
		return r.Ended
	}
	return r.Doubt
}
