package fleet

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// learn waits until it is known whether the queue is paused, and reports whether ctx is still
// alive.
func (r *running) learn(ctx context.Context, watch jetstream.KeyWatcher) bool {
	for {
		select {
		case entry, ok := <-watch.Updates():
			if !ok || entry == nil { // what there was when it began has come
				return true
			}
			r.heed(entry)
		case <-ctx.Done():
			return false
		}
	}
}

// watch begins to watch whether the queue is paused.
func (r *running) watch(ctx context.Context) (watch jetstream.KeyWatcher, err error) {
	unending := context.WithoutCancel(ctx) // the watch ends with its context
	err = r.engine.ride(ctx, askMost, func(context.Context) (err error) {
		watch, err = r.control.WatchFiltered(unending, []string{keyPause, keyLost, keyLoss})
		return err
	})
	return watch, err
}

// follow keeps up with whether the queue is paused.
func (r *running) follow(ctx context.Context, watch jetstream.KeyWatcher) {
	for {
		select {
		case entry, ok := <-watch.Updates():
			if !ok { // it was given up, because what it reads with could not be made again on another server
				if watch = r.watchAgain(ctx); watch == nil {
					return
				}
				defer watch.Stop()
			} else if entry != nil {
				r.heed(entry)
			}
		case <-ctx.Done():
			return
		}
	}
}

// watchAgain tries to watch until it can. It returns nil when ctx ends before.
func (r *running) watchAgain(ctx context.Context) jetstream.KeyWatcher {
	for {
		watch, err := r.watch(ctx)
		if err == nil {
			return watch
		}
		r.trouble(fmt.Errorf("fleet: watching the queue: %w", r.engine.Explain(err)))
		if !sleep(ctx, time.Second) {
			return nil
		}
	}
}

// heed takes over what the control bucket says.
func (r *running) heed(entry jetstream.KeyValueEntry) {
	put := entry.Operation() == jetstream.KeyValuePut
	stands := &r.paused
	var p *Pause
	switch entry.Key() {
	case keyPause:
		if put {
			p = r.readPause(entry.Value())
		}
	default:
		l, err := parseLoss(entry.Value())
		if put && err != nil {
			r.trouble(fmt.Errorf("fleet: reading whether records are missing: %w", err))
		}
		if entry.Key() == keyLoss {
			if put && err == nil {
				r.loss.Store(l)
			}
			return
		}
		if stands = &r.lost; put {
			p = l.pause()
		}
	}
	if p != nil {
		stands.Store(p)
		r.notice(p.told())
		return
	}
	if stands.Swap(nil) != nil {
		r.notice("the queue was resumed by " + r.resumedBy(context.Background()))
	}
	r.forget()
}
