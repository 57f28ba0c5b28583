package preflight

import (
	"hash/maphash"
	"strings"
	"sync"
)

// Told remembers, as hashes, the findings that a client logged.
type Told struct {
	mu   sync.Mutex
	seed maphash.Seed
	keys map[uint64]struct{}
}

// mostTold is how many findings a client logs: a bound for its memory, and for the log of a program
// that makes up field names as it runs.
const mostTold = 1000

// NewTold returns one that remembers nothing.
func NewTold() *Told { return &Told{seed: maphash.MakeSeed(), keys: make(map[uint64]struct{})} }

// Add reports whether a finding was not logged before, at its place in any element of an array, and
// is to be logged now; last says that it is the last one.
func (t *Told) Add(method, template, kind, place, pointer string) (first, last bool) {
	var h maphash.Hash
	h.SetSeed(t.seed)
	for _, part := range [...]string{method, template, kind, place} {
		h.WriteString(part)
		h.WriteByte(0)
	}
	for part := range strings.SplitSeq(pointer, "/") {
		if !isIndex(part) {
			h.WriteString(part)
		}
		h.WriteByte('/')
	}
	key := h.Sum64()
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, known := t.keys[key]; known || len(t.keys) >= mostTold {
		return false, false
	}
	t.keys[key] = struct{}{}
	return true, len(t.keys) == mostTold
}

// isIndex reports whether a name of a pointer is made of digits alone.
func isIndex(name string) bool { return strings.Trim(name, "0123456789") == "" }
