package fleet

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/wxpay-go/wxpay/wxcode"
)

// Run works until ctx ends; then it finishes what it has in hand, within Grace, and returns nil. It returns an error when
// it cannot work at all.
func (w *Worker) Run(ctx context.Context) error {
	if w.Queue == nil {
		return errors.New("fleet: the worker has no queue")
	}
	r := &running{Worker: *w, Queue: w.Queue, wide: make(map[wxcode.Code]bool)}
	if r.Calls <= 0 {
		r.Calls = 16
	}
	if r.Patience <= 0 {
		r.Patience = 10 * time.Minute
	}
	if r.Grace <= 0 {
		r.Grace = 20 * time.Second
	}
	for _, c := range wxcode.All() {
		r.wide[c.Code] = c.Merchant && !slices.Contains(r.OwnCodes, c.Code)
	}
	return r.run(ctx)
}

func (r *running) run(ctx context.Context) error {
	watch, err := r.watch(ctx)
	if ctx.Err() != nil && err != nil {
		return nil
	}
	if err != nil {
		return fmt.Errorf("fleet: watching the queue: %w", r.engine.Explain(err))
	}
	defer func() { _ = watch.Stop() }()
	messages, err := pull(r.engine.js.Conn(), r.name+"-jobs", consumerName, r.lease)
	if err != nil {
		return fmt.Errorf("fleet: taking jobs: %w", r.engine.Explain(err))
	}
	defer messages.stop()

	if r.leases, err = openLeases(r.engine.js.Conn(), r.control, r.lease); err != nil {
		return err
	}
	defer r.leases.close()
	working, breakOff := context.WithCancelCause(context.WithoutCancel(ctx))
	defer breakOff(nil)
	var side, hands sync.WaitGroup
	if !r.learn(ctx, watch) {
		return nil
	}
	side.Go(func() { r.follow(working, watch) })
	side.Go(func() { r.leases.keep(working) })
	side.Go(func() { r.sweep(working) })

	// The hands are kept: signing needs a deep stack, which a new goroutine would have to grow for every job.
	slots, given := make(chan struct{}, r.Calls), make(chan *delivery)
	var hand func()
	hand = func() {
		whole := false
		defer func() {
			if !whole { // code given to the client ended the goroutine
				r.trouble(errors.New("fleet: code given to the worker or its client ended its goroutine (runtime.Goexit); its job comes again as one in doubt"))
				hands.Go(hand)
			}
		}()
		for msg := range given {
			func() {
				defer func() { <-slots }()
				r.take(working, msg)
			}()
		}
		whole = true
	}
	for range r.Calls {
		hands.Go(hand)
	}
	var failed error
	for failed == nil && ctx.Err() == nil {
		if r.stray.Load() {
			failed = errStray
			continue
		}
		select {
		case slots <- struct{}{}:
		case <-r.engine.failed():
			failed = r.engine.failure()
			continue
		case <-ctx.Done():
			continue
		}
		msg, err := r.next(ctx, messages)
		if failed = err; msg == nil {
			<-slots
			continue
		}
		given <- msg
	}
	close(given)
	messages.stop()
	giveUp := time.AfterFunc(r.Grace, func() { breakOff(errStopped) })
	if failed != nil && !errors.Is(failed, errStray) { // calls that nobody wrote down are not to be broken off
		breakOff(errStopped)
	}
	hands.Wait()
	giveUp.Stop()
	breakOff(errStopped)
	side.Wait()
	return failed
}

// next returns the next message, or nil when there is none for now.
func (r *running) next(ctx context.Context, messages *puller) (*delivery, error) {
	for r.paused.Load() != nil {
		if !sleep(ctx, 50*time.Millisecond) {
			return nil, nil
		}
	}
	if rest := r.unread.pause(r.hands); rest > 0 && !sleep(ctx, rest) {
		return nil, nil
	}
	msg, err := messages.next(ctx)
	var status *pullStatus
	switch {
	case ctx.Err() != nil && err != nil:
		return nil, nil
	case err == nil && msg != nil || ctx.Err() != nil:
		r.idle = 0
		return msg, nil
	case err == nil, errors.As(err, &status) && status.none():
		if r.idle++; r.idle&(r.idle-1) == 0 { // less and less often
			if _, err := r.wake(ctx); err != nil {
				r.trouble(err)
			}
		}
		return nil, nil
	case status != nil && status.gone():
		return nil, fmt.Errorf("fleet: taking jobs: the consumer was deleted; open the queue again to make it")
	case errors.Is(err, nats.ErrConnectionClosed):
		return nil, fmt.Errorf("fleet: taking jobs: %w", err)
	}
	r.trouble(fmt.Errorf("fleet: taking jobs: %w", r.engine.Explain(err)))
	sleep(ctx, time.Second)
	return nil, nil
}
