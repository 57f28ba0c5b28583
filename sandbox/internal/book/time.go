package book

import (
	"sync"
	"time"
)

// furthest is how far the business can be from the wire. Beyond some 290 years durations would end.
const furthest = 100 * 365 * 24 * time.Hour

// hands are what a clock shows: the time of the business, apart from that of the wire.
type hands struct {
	base func() time.Time // of the wire

	mu     sync.Mutex
	offset time.Duration // of the business to the wire
	frozen time.Time     // what the clock shows while it stands still; zero while it runs
}

// position is where the hands are, as it is stored.
type position struct {
	Offset time.Duration `json:"offset"`
	Frozen time.Time     `json:"frozen,omitzero"`
}

// Now returns the time of the business.
func (h *hands) Now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now()
}

// now is Now; h.mu is held.
func (h *hands) now() time.Time {
	if !h.frozen.IsZero() {
		return h.frozen
	}
	return h.base().Add(h.offset)
}

// Wire returns the time of signatures.
func (h *hands) Wire() time.Time { return h.base() }

// Frozen reports whether the clock stands still.
func (h *hands) Frozen() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return !h.frozen.IsZero()
}

// advance moves to a time, unless a later one is shown. It reports whether the hands moved.
func (h *hands) advance(to time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	ahead := to.Sub(h.now())
	if ahead <= 0 {
		return false
	}
	if h.offset += ahead; !h.frozen.IsZero() {
		h.frozen = to
	}
	return true
}

// to shows a time, be it past or to come.
func (h *hands) to(at time.Time, frozen bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.offset, h.frozen = at.Sub(h.base()), time.Time{}
	if frozen {
		h.frozen = at
	}
}

func (h *hands) freeze() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.frozen.IsZero() {
		h.frozen = h.now()
	}
}

func (h *hands) unfreeze() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.frozen.IsZero() {
		h.offset = h.frozen.Sub(h.base())
		h.frozen = time.Time{}
	}
}

// reaches reports whether the clock can show that time.
func (h *hands) reaches(at time.Time) bool { return at.Sub(h.base()).Abs() <= furthest }

func (h *hands) position() position {
	h.mu.Lock()
	defer h.mu.Unlock()
	return position{h.offset, h.frozen}
}

func (h *hands) set(p position) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.offset, h.frozen = p.Offset, p.Frozen
}
