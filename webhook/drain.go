package webhook

import (
	"context"
	"sync"
)

// drain counts running functions, so that Wait can wait for the end of all.
type drain struct {
	mu   sync.Mutex
	n    int
	idle chan struct{} // closed when n becomes zero; nil while nobody waits
}

func (d *drain) add() {
	d.mu.Lock()
	d.n++
	d.mu.Unlock()
}

func (d *drain) done() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.n--; d.n == 0 && d.idle != nil {
		close(d.idle)
		d.idle = nil
	}
}

func (d *drain) wait(ctx context.Context) error {
	d.mu.Lock()
	if d.n == 0 {
		d.mu.Unlock()
		return nil
	}
	if d.idle == nil {
		d.idle = make(chan struct{})
	}
	idle := d.idle
	d.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
