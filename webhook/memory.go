package webhook

import (
	"context"
	"crypto/sha256"
	"sync"
	"time"
)

// Memory is a [Deduper] for one process. It keeps a bounded number of processed events, each for a
// limited time, and forgets the oldest first. In addition it keeps the events in progress, one for
// each running function.
type Memory struct {
	size int
	ttl  time.Duration

	mu   sync.Mutex
	busy map[digest]*claim
	done map[digest]struct{}
	// order holds the keys of done, oldest first, which is also the order of their expiry.
	order []noted
}

var (
	_ Deduper = (*Memory)(nil)
	_ Waiter  = (*Memory)(nil)
)

// digest stands for a key, so that an entry's size does not depend on a notification's id.
type digest [sha256.Size]byte

type claim struct {
	owner string
	ended chan struct{}
}

type noted struct {
	key    digest
	lapses time.Time
}

const (
	// DefaultMemorySize is the default number of processed events in a Memory. An entry takes about
	// 250 bytes.
	DefaultMemorySize = 100_000
	// DefaultMemoryTTL is the default time that it keeps them, longer than the platform's schedule
	// of redeliveries.
	DefaultMemoryTTL = 25 * time.Hour
)

// NewMemory returns an empty memory for size processed events; it keeps each for ttl. Zero or less
// means the default. If more than size events arrive within 24 hours, a late redelivery of a
// forgotten one is processed again.
func NewMemory(size int, ttl time.Duration) *Memory {
	if size <= 0 {
		size = DefaultMemorySize
	}
	if ttl <= 0 {
		ttl = DefaultMemoryTTL
	}
	return &Memory{size: size, ttl: ttl, busy: make(map[digest]*claim), done: make(map[digest]struct{})}
}

// Claim is part of [Deduper]. It never fails.
func (m *Memory) Claim(_ context.Context, key, owner string) (State, error) {
	d := digest(sha256.Sum256([]byte(key)))
	m.mu.Lock()
	defer m.mu.Unlock()
	m.forget(time.Now())
	if _, ok := m.done[d]; ok {
		return Processed, nil
	}
	if _, ok := m.busy[d]; ok {
		return Busy, nil
	}
	m.busy[d] = &claim{owner: owner, ended: make(chan struct{})}
	return Claimed, nil
}

// Done is part of [Deduper]. It never fails.
func (m *Memory) Done(_ context.Context, key, owner string) error {
	d := digest(sha256.Sum256([]byte(key)))
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.end(d, owner) {
		return nil
	}
	now := time.Now()
	m.done[d] = struct{}{}
	m.order = append(m.order, noted{d, now.Add(m.ttl)})
	m.forget(now)
	return nil
}

// Release is part of [Deduper]. It never fails.
func (m *Memory) Release(_ context.Context, key, owner string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.end(digest(sha256.Sum256([]byte(key))), owner)
	return nil
}

// Wait is part of [Waiter].
func (m *Memory) Wait(ctx context.Context, key string) error {
	m.mu.Lock()
	held, ok := m.busy[digest(sha256.Sum256([]byte(key)))]
	m.mu.Unlock()
	if !ok {
		return ctx.Err()
	}
	select {
	case <-held.ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Len returns the number of processed events in the memory.
func (m *Memory) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.forget(time.Now())
	return len(m.done)
}

// end ends owner's claim, and reports whether there was one.
func (m *Memory) end(d digest, owner string) bool {
	held, ok := m.busy[d]
	if !ok || held.owner != owner {
		return false
	}
	delete(m.busy, d)
	close(held.ended)
	return true
}

// forget drops expired events, and the oldest beyond the size.
func (m *Memory) forget(now time.Time) {
	n := 0
	for n < len(m.order) && (len(m.order)-n > m.size || !now.Before(m.order[n].lapses)) {
		delete(m.done, m.order[n].key)
		n++
	}
	// append moves the rest to new memory when the old is used up, so what is cut off here is freed
	// in time.
	m.order = m.order[n:]
}
