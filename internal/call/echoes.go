package call

import "sync"

// Echoes remembers the differences that a client logged.
type Echoes struct {
	mu   sync.Mutex
	keys map[string]bool
}

// add reports whether a difference is a new one.
func (e *Echoes) add(key string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.keys[key] {
		return false
	}
	if e.keys == nil {
		e.keys = make(map[string]bool)
	}
	e.keys[key] = true
	return true
}
