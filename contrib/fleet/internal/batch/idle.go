package batch

import (
	"context"
	"errors"

	"github.com/wxpay-go/wxpay/contrib/fleet"
)

// untilPaused waits for a pause.
func (p *program) untilPaused(ctx context.Context, q *fleet.Queue) error {
	for sleep(ctx) {
		pause, err := q.Paused(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		case pause != nil:
			return &fleet.PausedError{Pause: *pause}
		}
	}
	return nil
}

// untilStopped runs a worker until it is interrupted.
func (p *program) untilStopped(ctx context.Context, w *fleet.Worker) error {
	told := make(chan struct{})
	hush := context.AfterFunc(ctx, func() {
		defer close(told)
		p.interrupted()
	})
	err := w.Run(ctx)
	if !hush() {
		<-told
	}
	return err
}

func (p *program) interrupted() {
	p.note("Interrupted: finishing what is in hand; once more to break off.")
}

// untilIdle runs a worker beside what feeds it, and stops it when that has ended. An interruption is none if all was fed, and is
// done after it.
func (p *program) untilIdle(ctx context.Context, q *fleet.Queue, w *fleet.Worker, feed func(context.Context) error, fed func() bool) error {
	working, stop := context.WithCancel(ctx)
	defer stop()
	feeding, broken := context.WithCancelCause(ctx)
	defer broken(nil)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := w.Run(working); err != nil {
			broken(err)
		}
	}()
	err := feed(feeding)
	stop()
	if ctx.Err() != nil {
		p.interrupted()
	}
	<-ended
	switch {
	case ctx.Err() != nil:
		if fed() {
			if status, err := q.Status(context.WithoutCancel(ctx)); err == nil && status.Queued == 0 {
				return nil
			}
		}
		return &exitError{exitNotSent, errors.New("interrupted; run it again to go on, nothing is sent twice")}
	case err != nil && errors.Is(err, context.Canceled):
		return context.Cause(feeding)
	}
	return err
}
