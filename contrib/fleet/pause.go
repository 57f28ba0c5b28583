package fleet

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Pause is why a queue stands still.
type Pause struct {
	// Reason tells what happened and what to do.
	Reason string `json:"reason"`
	// Code is the platform's code, if it refused.
	Code string `json:"code,omitempty"`
	// Since is when it began.
	Since time.Time `json:"since"`
	// By is the process that paused it: its host and its number there.
	By string `json:"by,omitempty"`
}

// When is when it began, in the local time of the process that asks and with its zone: the one that
// paused it may have another one.
func (p Pause) When() string { return p.Since.Local().Format("2006-01-02 15:04:05 -07:00") }

// told tells of it in a sentence.
func (p Pause) told() string {
	by := ""
	if p.By != "" {
		by = " by " + p.By
	}
	return fmt.Sprintf("the queue is paused since %s%s: %s", p.When(), by, p.Reason)
}

// ErrClosed means that a queue takes no new jobs, because Drain closed it. Resume opens it again.
var ErrClosed = errors.New("fleet: the queue is closed to new jobs: it is being drained (resume opens it again)")

const (
	keyPause   = "pause"
	keyClosed  = "closed"
	keyResumed = "resumed" // who ended the last pause
)

// Pause stops all workers: they give back the jobs that they have not begun, and begin none until
// [Queue.Resume]. Workers pause a queue themselves, when the platform refuses a call for a reason
// that concerns the merchant: a signature, a clock, a certificate, a permission. The job that was
// refused waits as if it had never begun, unless it moves money and the platform knew who asked.
// What it then says of such a job is no proof (Client.Resolve). A queue that is paused already
// keeps its first reason.
func (q *Queue) Pause(ctx context.Context, reason string) error {
	return q.pause(ctx, Pause{Reason: reason, Since: time.Now()})
}

func (q *Queue) pause(ctx context.Context, p Pause) error {
	p.By = q.by
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	// It is sealed, since the platform's words in it may name somebody.
	err = q.engine.ride(ctx, askMost, func(ctx context.Context) error {
		_, err := q.control.Create(ctx, keyPause, q.keys.Seal(keyPause, text))
		if !errors.Is(err, jetstream.ErrKeyExists) {
			return err
		}
		// That is also said of one that is on its way, and may be lost with the leader that says
		// so.
		if _, err = q.control.Get(ctx, keyPause); errors.Is(err, jetstream.ErrKeyNotFound) {
			return nats.ErrTimeout
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("fleet: pausing the queue: %w", q.engine.Explain(err))
	}
	return nil
}

// pause is the loss as a reason to stand still.
func (l *loss) pause() *Pause {
	what := fmt.Sprintf("at least %d records are missing", l.Missing)
	switch {
	case l.Missing == 0:
		what = fmt.Sprintf("at least %d records are older than they were", l.Older)
	case l.Older > 0:
		what += fmt.Sprintf(", and at least %d are older than they were", l.Older)
	}
	return &Pause{Since: l.Since, By: "the check of the records", Reason: what +
		": their numbers might be sent again. Restore a complete copy of the queue, or go on in doubt (Queue.Doubt, \"resume --in-doubt\")"}
}

// Paused tells why the queue is paused, nil if it is not.
func (q *Queue) Paused(ctx context.Context) (*Pause, error) {
	if l, err := q.readLoss(ctx, keyLost); err != nil || l != nil {
		if err != nil {
			return nil, err
		}
		return l.pause(), nil
	}
	var entry jetstream.KeyValueEntry
	err := q.engine.ride(ctx, askMost, func(ctx context.Context) (err error) {
		entry, err = q.control.Get(ctx, keyPause)
		return err
	})
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("fleet: reading whether the queue is paused: %w", q.engine.Explain(err))
	}
	return q.readPause(entry.Value()), nil
}

// readPause reads a pause. A pause that cannot be read is one all the same.
func (q *Queue) readPause(sealed []byte) *Pause {
	p := new(Pause)
	if text, _, err := q.keys.Open(keyPause, sealed); err != nil || json.Unmarshal(text, p) != nil || p.Reason == "" {
		p.Reason = "for a reason that cannot be read"
	}
	p.By = cmp.Or(p.By, "somebody")
	return p
}

// resumedBy tells who ended the last pause.
func (q *Queue) resumedBy(ctx context.Context) string {
	ctx, cancel := q.asking(ctx)
	defer cancel()
	if entry, err := q.control.Get(ctx, keyResumed); err == nil {
		if by, _, err := q.keys.Open(keyResumed, entry.Value()); err == nil {
			return string(by)
		}
	}
	return "somebody"
}

// Resume ends a pause, and opens a queue that [Queue.Drain] closed. Jobs that waited go on;
// nothing is sent twice. It does not end one for records that are missing: see [ErrLost].
func (q *Queue) Resume(ctx context.Context) error {
	l, err := q.readLoss(ctx, keyLost)
	if err != nil {
		return err
	}
	if l != nil {
		return fmt.Errorf("%w: %s", ErrLost, l.pause().Reason)
	}
	err = q.engine.ride(ctx, askMost, func(ctx context.Context) error {
		_, err := q.control.Put(ctx, keyResumed, q.keys.Seal(keyResumed, []byte(q.by)))
		return err
	})
	if err != nil {
		return fmt.Errorf("fleet: resuming the queue: %w", q.engine.Explain(err))
	}
	for _, key := range []string{keyPause, keyClosed} {
		err := q.engine.ride(ctx, askMost, func(ctx context.Context) error { return q.control.Delete(ctx, key) })
		if err != nil && !errors.Is(err, jetstream.ErrKeyNotFound) {
			return fmt.Errorf("fleet: resuming the queue: %w", q.engine.Explain(err))
		}
	}
	return nil
}

// PausedError is the end of a wait for a queue that is paused.
type PausedError struct{ Pause }

func (e *PausedError) Error() string {
	return "fleet: " + e.told()
}

func (q *Queue) closed(ctx context.Context) (bool, error) {
	err := q.engine.ride(ctx, askMost, func(ctx context.Context) error {
		_, err := q.control.Get(ctx, keyClosed)
		return err
	})
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return false, nil
	}
	return err == nil, err
}
