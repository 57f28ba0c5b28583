package sandbox

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"time"

	"github.com/wxpay-go/wxpay/internal/redact"
	"github.com/wxpay-go/wxpay/sandbox/fault"
	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
	"github.com/wxpay-go/wxpay/sandbox/internal/journal"
)

// Entry is one request in the journal, and its response. Its slices and maps belong to the journal
// and must not be changed.
type Entry struct {
	Number         int64         // counts the requests from 1, also over Reset
	ID             string        // Request-ID of the response; a response without one has an id here all the same
	Time           time.Time     // when the request had arrived, by the sandbox's clock
	Took           time.Duration // from then until the response was ready, as package time tells
	Merchant       string        // whose request it claims to be, proven if Verified; empty if it names nobody whom the sandbox knows
	Method         string        //
	Target         string        // the request target as it stood on the request line
	Header         http.Header   // of the request, the signature included
	Body           []byte        // of the request, at most the first 64 KiB
	Status         int           // of the response, also of one that a fault kept from the caller; 0 when there was none
	ResponseHeader http.Header   //
	ResponseBody   []byte        // at most the first 64 KiB
	Verified       bool          // whether the request's own signature was accepted
	// Reason says why the request was rejected, for the eyes of a developer; it was not sent. When
	// the request was carried out it says what could not be checked, and is empty mostly.
	Reason string
	// Explanation says at length, in several lines, why a signature, a serial or an encrypted field
	// was rejected: the likely causes, what to do, and the five lines that the platform built
	// beside those that the client signed. It was not sent, and shows no keys, no signatures, and
	// nothing that was encrypted. Empty where Reason says all.
	Explanation string
	// PlatformMessage is what the platform verified a rejected signature over, and ClientMessage
	// what the client signed, both at most the first 64 KiB. They are empty where the signature is
	// not the cause, and the second also where it is not known. Of encrypted fields they show that
	// they are encrypted, or plain.
	PlatformMessage, ClientMessage string
	// Fault is the fault that hit the request; empty when none did.
	Fault fault.Kind
}

// String is the entry on one line, without headers and bodies.
func (e Entry) String() string { return journal.Entry(e).String() }

// Format prints what String returns under every verb: bodies and signatures are in the fields.
func (e Entry) Format(s fmt.State, verb rune) { redact.Format(s, verb, e.String()) }

// MarshalText gives encodings what String returns.
func (e Entry) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// Match says which entries of the journal are meant. Fields that are not set match every entry.
type Match struct {
	Merchant string     `json:"merchant,omitempty"`
	Method   string     `json:"method,omitempty"`   // in upper case
	Path     string     `json:"path,omitempty"`     // without query, in the form of fault.Rule.Path: {x} is any segment, a final * any rest
	Status   int        `json:"status,omitempty"`   // of the response
	Fault    fault.Kind `json:"fault,omitempty"`    // that hit
	Body     string     `json:"body,omitempty"`     // is a part of the request's body
	Rejected bool       `json:"rejected,omitempty"` // only those that were not carried out: the status is 400 or above
}

// String is what is asked for.
func (m Match) String() string { return journal.Match(m).String() }

// Journal is the last requests of a sandbox, of all merchants: the last 1,000, or fewer if they are
// large; see [WithJournal]. A request is in it before its response can be read.
//
// It is experimental: a minor version may change it.
type Journal struct{ gate *gate.Gate }

// All returns the requests that the sandbox responded to, the oldest first.
func (j *Journal) All() []Entry {
	entries, _ := j.gate.Journal.All()
	return entriesOf(entries)
}

// Find returns the entries that match, the oldest first.
func (j *Journal) Find(m Match) []Entry { return entriesOf(j.gate.Journal.Find(journal.Match(m))) }

// Backward returns the entries with lower [Entry.Number] than before, or all if that is 0, the newest
// first. Requests that come meanwhile are not among them. It is for pages of a long journal.
func (j *Journal) Backward(before int64) iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		for e := range j.gate.Journal.Backward(before) {
			if !yield(Entry(e)) {
				return
			}
		}
	}
}

// Await waits until there are entries with higher [Entry.Number] than after, and returns them, the
// oldest first, at most 1,000. It is an error if the context ends before.
func (j *Journal) Await(ctx context.Context, after int64) ([]Entry, error) {
	entries, err := j.gate.Journal.Await(ctx, after)
	return entriesOf(entries), err
}

// Expect returns an error unless exactly so many requests since the last Reset match. The error
// lists the requests that came. It is an error, too, if the journal has grown over its bounds
// meanwhile, so that nobody can tell.
func (j *Journal) Expect(m Match, times int) error {
	return j.gate.Journal.Expect(journal.Match(m), times)
}

// Explain returns why a request was rejected, in several lines. Below the line that [Entry.String]
// gives there is [Entry.Explanation], or else [Entry.Reason]. id is the Request-ID of the response,
// or the part before its dash; empty means the last request that was rejected. An error says that
// the journal has no such request, or that it was not rejected.
func (j *Journal) Explain(id string) (string, error) { return j.gate.Journal.Explain(id) }

// Reset empties the journal. The records of merchants stay.
func (j *Journal) Reset() { j.gate.Journal.Reset() }

// OnRejection calls do with every request that is rejected, before its response is sent; nil ends
// that. It is for telling a developer at once, in a terminal or a test's log. do is called on
// several goroutines and must not wait for a response of the sandbox.
func (j *Journal) OnRejection(do func(Entry)) {
	if do == nil {
		j.gate.OnRejection.Set(nil)
		return
	}
	j.gate.OnRejection.Set(func(e journal.Entry) { do(Entry(e)) })
}

func entriesOf(entries []journal.Entry) []Entry {
	list := make([]Entry, len(entries))
	for i, e := range entries {
		list[i] = Entry(e)
	}
	return list
}
