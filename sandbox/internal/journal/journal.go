// Package journal keeps the last requests of a sandbox, and answers questions about them.
package journal

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/wxpay-go/wxpay/internal/redact"
	"github.com/wxpay-go/wxpay/sandbox/fault"
)

// Bounds of the journal: the number of entries and the bytes of all entries together, unless
// [New] sets others, and the bytes kept of each body. The oldest entries give way.
const (
	Entries     = 1000
	Bytes       = 32 << 20
	journalBody = 64 << 10
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
	// Reason says why the request was refused, for the eyes of a developer; it was not sent. When
	// the request was carried out it says what could not be checked, and is empty mostly.
	Reason string
	// Explanation says at length, in several lines, why a signature, a serial or an encrypted
	// member was refused: the likely causes, what to do, and the five lines that the platform built
	// beside those that the client signed. It was not sent, and shows no keys, no signatures, and
	// nothing that was encrypted. Empty where Reason says all.
	Explanation string
	// PlatformMessage is what the platform verified a rejected signature over, and ClientMessage
	// what the client signed, both at most the first 64 KiB. They are empty where the signature is
	// not the cause, and the second also where it is not known. Of encrypted fields they show that
	// they are encrypted, or plain.
	PlatformMessage, ClientMessage string
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

// Format prints what String returns under every verb: bodies and signatures are in the fields.
func (e Entry) Format(s fmt.State, verb rune) { redact.Format(s, verb, e.String()) }

// MarshalText gives encodings what String returns.
func (e Entry) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// Journal is a ring of entries.
type Journal struct {
	entries, capacity int // bounds: entries, and bytes of what they hold

	mu      sync.Mutex
	ring    []Entry
	start   int // index of the oldest
	count   int
	bytes   int           // of what the entries hold
	dropped int           // entries that gave way
	last    int64         // number of the newest
	news    chan struct{} // closed by the next entry; nil if nobody waits
}

// New returns a journal of at most so many entries, which hold at most so many bytes together.
func New(entries, bytes int) *Journal { return &Journal{entries: entries, capacity: bytes} }

// Add numbers an entry, puts it at the end, and returns it.
func (j *Journal) Add(e Entry) Entry {
	e.Body, e.ResponseBody = clip(e.Body), clip(e.ResponseBody)
	e.PlatformMessage, e.ClientMessage = clipText(e.PlatformMessage), clipText(e.ClientMessage)
	j.mu.Lock()
	defer j.mu.Unlock()
	j.last++
	e.Number = j.last
	j.bytes += e.size()
	for j.count > 0 && (j.count == j.entries || j.bytes > j.capacity) {
		j.bytes -= j.ring[j.start].size()
		j.ring[j.start] = Entry{}
		j.start = (j.start + 1) % len(j.ring)
		j.count--
		j.dropped++
	}
	if j.count == len(j.ring) {
		j.grow()
	}
	j.ring[(j.start+j.count)%len(j.ring)] = e
	j.count++
	if j.news != nil {
		close(j.news)
		j.news = nil
	}
	return e
}

// grow gives the ring more room, up to its bound.
func (j *Journal) grow() {
	ring := make([]Entry, min(j.entries, max(64, 2*len(j.ring))))
	for i := range j.count {
		ring[i] = *j.at(i)
	}
	j.ring, j.start = ring, 0
}

// at returns the entry at a place, counted from the oldest.
func (j *Journal) at(i int) *Entry { return &j.ring[(j.start+i)%len(j.ring)] }

// size is about what the entry holds in memory.
func (e *Entry) size() int {
	n := len(e.Target) + len(e.Body) + len(e.ResponseBody) + len(e.Reason) + len(e.Explanation) + len(e.PlatformMessage) + len(e.ClientMessage)
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

func clipText(text string) string {
	if len(text) <= journalBody {
		return text
	}
	return strings.Clone(text[:journalBody])
}

// All returns the entries, and how many have given way.
func (j *Journal) All() (entries []Entry, dropped int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	entries = make([]Entry, j.count)
	for i := range entries {
		entries[i] = *j.at(i)
	}
	return entries, j.dropped
}

// section is how many entries are copied at a time, so that a reader does not hold requests up.
const section = 256

// Backward returns the entries with lower numbers than before, or all if that is 0, the newest
// first. Entries that come meanwhile are not among them.
func (j *Journal) Backward(before int64) iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		for at := before; ; {
			list := j.preceding(at)
			for _, e := range list {
				if !yield(e) {
					return
				}
				at = e.Number
			}
			if len(list) == 0 {
				return
			}
		}
	}
}

// preceding returns the section of entries before a number, the newest first.
func (j *Journal) preceding(before int64) []Entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	first := j.last - int64(j.count) + 1 // number of the oldest
	if before == 0 || before > j.last {
		before = j.last + 1
	}
	if before <= first {
		return nil
	}
	list := make([]Entry, 0, min(section, before-first))
	for i := int(before-first) - 1; i >= 0 && len(list) < cap(list); i-- {
		list = append(list, *j.at(i))
	}
	return list
}

// awaited bounds how many entries Await returns.
const awaited = 1000

// Await waits until there are entries with higher numbers than after, and returns them, the oldest
// first, at most 1,000. It is an error if the context ends before.
func (j *Journal) Await(ctx context.Context, after int64) ([]Entry, error) {
	for {
		list, news := j.following(after)
		if len(list) > 0 {
			return list, nil
		}
		select {
		case <-news:
		case <-ctx.Done():
			return nil, fmt.Errorf("sandbox: await a request: %w", ctx.Err())
		}
	}
}

// following returns the entries after a number, or a channel that the next entry closes.
func (j *Journal) following(after int64) ([]Entry, <-chan struct{}) {
	j.mu.Lock()
	defer j.mu.Unlock()
	first := j.last - int64(j.count) + 1
	from := int(max(after+1, first) - first)
	if from < j.count {
		list := make([]Entry, min(awaited, j.count-from))
		for i := range list {
			list[i] = *j.at(from + i)
		}
		return list, nil
	}
	if j.news == nil {
		j.news = make(chan struct{})
	}
	return nil, j.news
}

// Reset empties the journal.
func (j *Journal) Reset() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.ring, j.start, j.count, j.bytes, j.dropped = nil, 0, 0, 0, 0
}
