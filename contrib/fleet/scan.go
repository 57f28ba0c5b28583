package fleet

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// reading says how a stream is read.
type reading struct {
	headersOnly bool
	subject     string // all if it is empty
	// toEnd says that what comes meanwhile is read, too: each subject at least once, where a newer
	// message replaces its one.
	toEnd bool
}

const (
	// readWait is after how long without a message it is asked whether there are any left.
	readWait = 5 * time.Second
	// readBeat is how often the server says that it is there. Twice as long without a word ends a
	// consumer, and only a Next that waits for longer makes a new one, which goes on behind the
	// last message.
	readBeat = 2 * time.Second
	// readAgain is how often it is tried to make one: for about half a minute.
	readAgain = 4
)

// read reads what there is in a stream when it begins. The copy of a cluster that it reads may be
// behind the others, so it waits for the last message that the leader has.
func (q *Queue) read(ctx context.Context, s jetstream.Stream, how reading, each func(jetstream.Msg) error) error {
	how.subject = cmp.Or(how.subject, s.CachedInfo().Config.Subjects[0])
	var c jetstream.Consumer
	var last uint64
	if err := q.engine.ride(ctx, rideSetup, func(ctx context.Context) (err error) {
		if last, err = newest(ctx, s, how.subject); err != nil || last == 0 {
			return err
		}
		c, err = s.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{
			FilterSubjects: []string{how.subject}, HeadersOnly: how.headersOnly, InactiveThreshold: time.Minute, MaxResetAttempts: readAgain,
		})
		return err
	}); err != nil {
		return fmt.Errorf("fleet: reading records: %w", q.engine.Explain(err))
	}
	if last == 0 {
		return nil
	}
	// It would go by itself, after a minute of silence.
	defer func() {
		ctx, cancel := q.asking(context.WithoutCancel(ctx))
		defer cancel()
		_ = s.DeleteConsumer(ctx, c.CachedInfo().Name)
	}()
	messages, err := c.Messages(jetstream.PullHeartbeat(readBeat))
	if err != nil {
		return fmt.Errorf("fleet: reading records: %w", q.engine.Explain(err))
	}
	defer context.AfterFunc(ctx, messages.Stop)() // Next knows no end of its own while it makes a consumer
	defer messages.Stop()
	at := uint64(0)
	for heard := time.Now(); ; heard = time.Now() {
		m, err := q.next(ctx, messages, heard, func(ctx context.Context) (bool, error) {
			newest, err := newest(ctx, s, how.subject)
			return newest <= at, err
		})
		if m == nil || err != nil {
			return err
		}
		meta, err := m.Metadata()
		if err != nil {
			return err
		}
		if at = meta.Sequence.Stream; at <= last || how.toEnd {
			if err := each(m); err != nil {
				return err
			}
		}
		if at >= last && (!how.toEnd || meta.NumPending == 0) {
			return nil
		}
	}
}

// newest is the sequence of the last message with a subject, 0 if there is none.
func newest(ctx context.Context, s jetstream.Stream, subject string) (uint64, error) {
	m, err := s.GetLastMsgForSubject(ctx, subject)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return m.Sequence, nil
}

// errBehind is why reading ends although the engine answers.
var errBehind = errors.New("a copy of the queue in the cluster is behind the others, and does not catch up: look at its server")

// next returns the next message, nil if nothing is left. heard is when the last one came.
func (q *Queue) next(ctx context.Context, messages jetstream.MessagesContext, heard time.Time, nothingLeft func(context.Context) (bool, error)) (jetstream.Msg, error) {
	for {
		one, cancel := context.WithTimeout(ctx, readWait)
		m, err := messages.Next(jetstream.NextContext(one))
		cancel()
		if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
			ask, answered := q.asking(ctx)
			over, asked := nothingLeft(ask) // what was still to come may have been removed meanwhile
			answered()
			if asked == nil && over {
				return nil, nil
			}
			if time.Since(heard) < rideTime { // if the consumer went with its server, Next makes another
				continue
			}
			err = cmp.Or(asked, errBehind)
		}
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, fmt.Errorf("fleet: reading records: %w", q.engine.Explain(err))
		}
		return m, nil
	}
}
