package fleet

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/nats-io/nats.go"
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

// read reads what there is in a stream when it begins.
func (q *Queue) read(ctx context.Context, s jetstream.Stream, how reading, each func(jetstream.Msg) error) error {
	var c jetstream.Consumer
	var last, pending uint64
	if err := q.engine.ride(ctx, rideSetup, func(ctx context.Context) error {
		stream, err := s.Info(ctx)
		if err != nil {
			return err
		}
		var subjects []string
		if how.subject != "" {
			subjects = []string{how.subject}
		}
		if c, err = s.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{
			FilterSubjects: subjects, HeadersOnly: how.headersOnly, InactiveThreshold: time.Minute, MaxResetAttempts: readAgain,
		}); err != nil {
			return err
		}
		consumer, err := c.Info(ctx)
		if errors.Is(err, jetstream.ErrConsumerNotFound) { // one server made it, and another one answers
			return nats.ErrTimeout
		}
		if err != nil {
			return err
		}
		if last, pending = stream.State.LastSeq, consumer.NumPending; how.toEnd {
			last = math.MaxUint64
		}
		return nil
	}); err != nil {
		return fmt.Errorf("fleet: reading records: %w", q.engine.Explain(err))
	}
	// It would go by itself, after a minute of silence.
	defer func() {
		ctx, cancel := q.asking(context.WithoutCancel(ctx))
		defer cancel()
		_ = s.DeleteConsumer(ctx, c.CachedInfo().Name)
	}()
	if pending == 0 {
		return nil
	}
	messages, err := c.Messages(jetstream.PullHeartbeat(readBeat))
	if err != nil {
		return fmt.Errorf("fleet: reading records: %w", q.engine.Explain(err))
	}
	defer context.AfterFunc(ctx, messages.Stop)() // Next knows no end of its own while it makes a consumer
	defer messages.Stop()
	for heard := time.Now(); ; heard = time.Now() {
		m, err := q.next(ctx, messages, c, heard)
		if m == nil || err != nil {
			return err
		}
		meta, err := m.Metadata()
		if err != nil {
			return err
		}
		if meta.Sequence.Stream <= last {
			if err := each(m); err != nil {
				return err
			}
		}
		if meta.Sequence.Stream >= last || meta.NumPending == 0 {
			return nil
		}
	}
}

// next returns the next message, nil if there is none. heard is when the last one came.
func (q *Queue) next(ctx context.Context, messages jetstream.MessagesContext, c jetstream.Consumer, heard time.Time) (jetstream.Msg, error) {
	for {
		one, cancel := context.WithTimeout(ctx, readWait)
		m, err := messages.Next(jetstream.NextContext(one))
		cancel()
		if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil { // what was still to come may have been removed meanwhile
			var info *jetstream.ConsumerInfo
			ask, answered := q.asking(ctx)
			info, err = c.Info(ask)
			answered()
			if err == nil && info.NumPending == 0 {
				return nil, nil
			}
			if err == nil || time.Since(heard) < rideTime { // if the consumer went with its server, Next makes another
				continue
			}
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
