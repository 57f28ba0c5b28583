package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
)

// distrust puts a record in doubt that may be older than it was.
func (q *Queue) distrust(r *record) {
	if l := q.loss.Load(); l != nil && r.seq <= l.Last && r.seq > 0 && r.Doubt.IsZero() {
		r.Doubt = l.Since
	}
}

// mayBeOlder reports whether the record that a job was queued with may be older than it was.
func (q *Queue) mayBeOlder(seq uint64) bool {
	l := q.loss.Load()
	return l != nil && seq <= l.Last
}

// learnLoss reads the last loss that was accepted.
func (q *Queue) learnLoss(ctx context.Context) error {
	l, err := q.readLoss(ctx, keyLoss)
	if err == nil && l != nil {
		q.loss.Store(l)
	}
	return err
}

// readLoss reads a loss, nil if there is none.
func (q *Queue) readLoss(ctx context.Context, key string) (l *loss, err error) {
	var have jetstream.KeyValueEntry
	err = q.engine.ride(ctx, askMost, func(ctx context.Context) (err error) {
		have, err = q.control.Get(ctx, key)
		return err
	})
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return nil, nil
	}
	if err == nil {
		l, err = parseLoss(have.Value())
	}
	if err != nil {
		return nil, fmt.Errorf("fleet: reading whether records are missing: %w", q.engine.Explain(err))
	}
	return l, nil
}

// putLoss stores a loss.
func (q *Queue) putLoss(ctx context.Context, key string, l *loss) error {
	text, err := json.Marshal(l)
	if err != nil {
		return err
	}
	err = q.engine.ride(ctx, askMost, func(ctx context.Context) error {
		_, err := q.control.Put(ctx, key, text)
		return err
	})
	if err != nil {
		return fmt.Errorf("fleet: writing down that records are missing: %w", q.engine.Explain(err))
	}
	return nil
}
