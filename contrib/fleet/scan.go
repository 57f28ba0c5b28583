package fleet

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// scan reads the records that there are when it begins.
func (q *Queue) scan(ctx context.Context, headersOnly bool, each func(jetstream.Msg) error) error {
	return q.read(ctx, q.records, headersOnly, each)
}

// readWait is after how long without a message it is asked whether there are any left.
const readWait = 2 * time.Second

// read reads what there is in a stream when it begins.
func (q *Queue) read(ctx context.Context, s jetstream.Stream, headersOnly bool, each func(jetstream.Msg) error) error {
	var c jetstream.Consumer
	var last, pending uint64
	if err := q.engine.ride(ctx, rideSetup, func(ctx context.Context) error {
		stream, err := s.Info(ctx)
		if err != nil {
			return err
		}
		if c, err = s.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{HeadersOnly: headersOnly, InactiveThreshold: time.Minute}); err != nil {
			return err
		}
		consumer, err := c.Info(ctx)
		if errors.Is(err, jetstream.ErrConsumerNotFound) { // who made it is another server than who answers
			return nats.ErrTimeout
		}
		if err != nil {
			return err
		}
		last, pending = stream.State.LastSeq, consumer.NumPending
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
	messages, err := c.Messages()
	if err != nil {
		return fmt.Errorf("fleet: reading records: %w", q.engine.Explain(err))
	}
	defer messages.Stop()
	for {
		one, cancel := context.WithTimeout(ctx, readWait)
		m, err := messages.Next(jetstream.NextContext(one))
		cancel()
		if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil { // what was still to come may have been removed meanwhile
			var left uint64
			if err = q.engine.ride(ctx, askMost, func(ctx context.Context) error {
				info, err := c.Info(ctx)
				switch {
				case err == nil:
					left = info.NumPending
				case errors.Is(err, jetstream.ErrConsumerNotFound): // it went with its server, and makes itself again
					return nats.ErrTimeout
				}
				return err
			}); err == nil && left == 0 {
				return nil
			}
			if err == nil {
				continue
			}
		}
		if err != nil {
			return fmt.Errorf("fleet: reading records: %w", q.engine.Explain(err))
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
