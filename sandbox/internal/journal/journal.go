// Package journal keeps the last requests of a sandbox, and answers questions about them.
package journal

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/wxpay-go/wxpay/internal/redact"
	"github.com/wxpay-go/wxpay/sandbox/fault"
)

// Bounds of the journal: the number of entries, the bytes kept of each body, and the bytes of all
// entries together. The oldest entries give way.
const (
	journalEntries = 1000
	journalBody    = 64 << 10
	journalBytes   = 32 << 20
)

// Entry is one request in the journal, and what it was answered. What its members point to belongs
// to the journal and must not be changed.
type Entry struct {
	ID             string      // Request-ID of the answer; an answer without one has an id here all the same
	Time           time.Time   // when the request had arrived, by the sandbox's clock
	Merchant       string      // whose request it claims to be, proven if Verified; empty if it names nobody whom the sandbox knows
	Method         string      //
	Target         string      // the request target as it stood on the request line
	Header         http.Header // of the request, the signature included
	Body           []byte      // of the request, at most the first 64 KiB
	Status         int         // of the answer, also of one that a fault kept from the caller; 0 when there was none
	ResponseHeader http.Header //
	ResponseBody   []byte      // at most the first 64 KiB
	Verified       bool        // whether the request's own signature was accepted
	// Reason says why the request was refused, for the eyes of a developer; it was not sent. When
	// the request was carried out it says what could not be checked, and is empty mostly.
	Reason string
	// Explanation says at length, in several lines, why a signature, a serial or an encrypted
	// member was refused: the likely causes, what to do, and the five lines that the platform built
	// beside those that the client signed. It was not sent, and shows no keys, no signatures, and
	// nothing that was encrypted. Empty where Reason says all.
	Explanation string
	// Fault is what was made to go wrong; empty when nothing was.
	Fault fault.Kind
}

// String is the entry on one line, without headers and bodies.
func (e Entry) String() string {
	reason, _, _ := strings.Cut(e.Reason, "\n")
	if reason != "" {
		reason = ": " + reason
	}
	fault := ""
	if e.Fault != "" {
		fault = " (fault " + string(e.Fault) + ")"
	}
	return fmt.Sprintf("%s %s %d%s%s", e.Method, e.Target, e.Status, fault, reason)
}

// Format prints what String returns under every verb: bodies and signatures are in the members.
func (e Entry) Format(s fmt.State, verb rune) { redact.Format(s, verb, e.String()) }

// MarshalText gives encodings what String returns.
func (e Entry) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// Journal is a ring of entries.
type Journal struct {
	mu      sync.Mutex
	ring    []Entry
	start   int // index of the oldest
	count   int
	bytes   int // of what the entries hold
	dropped int // entries that gave way
}

// Add puts an entry at the end.
func (j *Journal) Add(e Entry) {
	e.Body, e.ResponseBody = clip(e.Body), clip(e.ResponseBody)
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.ring == nil {
		j.ring = make([]Entry, journalEntries)
	}
	j.bytes += e.size()
	for j.count > 0 && (j.count == len(j.ring) || j.bytes > journalBytes) {
		j.bytes -= j.ring[j.start].size()
		j.ring[j.start] = Entry{}
		j.start = (j.start + 1) % len(j.ring)
		j.count--
		j.dropped++
	}
	j.ring[(j.start+j.count)%len(j.ring)] = e
	j.count++
}

// size is about what the entry holds in memory.
func (e *Entry) size() int {
	n := len(e.Target) + len(e.Body) + len(e.ResponseBody) + len(e.Reason) + len(e.Explanation)
	for _, header := range [...]http.Header{e.Header, e.ResponseHeader} {
		for name, values := range header {
			n += len(name)
			for _, value := range values {
				n += len(value)
			}
		}
	}
	return n
}

// clip returns the beginning of body, copied when it is cut so that the rest can be freed.
func clip(body []byte) []byte {
	if len(body) <= journalBody {
		return body
	}
	return bytes.Clone(body[:journalBody])
}

// All returns the entries, and how many have given way.
func (j *Journal) All() (entries []Entry, dropped int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	entries = make([]Entry, j.count)
	for i := range entries {
		entries[i] = j.ring[(j.start+i)%len(j.ring)]
	}
	return entries, j.dropped
}

// Reset empties the journal.
func (j *Journal) Reset() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.ring, j.start, j.count, j.bytes, j.dropped = nil, 0, 0, 0, 0
}
