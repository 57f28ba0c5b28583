package fleet

import (
	"sync"
	"time"
)

// aside makes a worker rest while others go on, after trouble that may be its own: its clock, its
// key, its way to the platform. It tries again after a rest, longer each time.
type aside struct {
	mu    sync.Mutex
	why   *Pause // nil if it works
	until time.Time
	rests int
}

const (
	asideFirst = time.Minute
	asideMost  = 10 * time.Minute
)

// step begins a rest.
func (a *aside) step(why Pause) (rest time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	rest = doubled(asideFirst, asideMost, a.rests)
	a.why, a.until = &why, time.Now().Add(rest)
	a.rests++
	return rest
}

// works ends that, and tells whether there was anything to end.
func (a *aside) works() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	was := a.why != nil
	a.why, a.until, a.rests = nil, time.Time{}, 0
	return was
}

// state tells why the worker stands back, and whether it rests now rather than tries again.
func (a *aside) state() (why *Pause, rests bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.why, a.why != nil && time.Now().Before(a.until)
}
