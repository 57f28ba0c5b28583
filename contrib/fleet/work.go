package fleet

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxpay-go/wxpay/wxcode"
)

// Run works until ctx ends; then it finishes what it has in hand, within Grace, and returns nil. It
// returns an error when it cannot work at all.
func (w *Worker) Run(ctx context.Context) error {
	if w.Queue == nil {
		return errors.New("fleet: the worker has no queue")
	}
	if w.Queue.client == nil {
		return ErrNoClient
	}
	r := &running{Worker: *w, Queue: w.Queue, wide: make(map[wxcode.Code]bool), id: rand.Text(), began: time.Now()}
	if r.Calls <= 0 {
		r.Calls = 16
	}
	if r.Patience <= 0 {
		r.Patience = 10 * time.Minute
	}
	if r.Name == "" {
		r.Name, _ = os.Hostname()
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
	if r.leases, err = openLeases(r.engine.js.Conn(), r.announceSelf, r.lease); err != nil {
		return err
	}
	defer r.leases.close()
	working, breakOff := context.WithCancelCause(context.WithoutCancel(ctx))
	defer breakOff(nil)
	var side, hands sync.WaitGroup
	if err := r.engine.insist(ctx, func() error { return r.check(ctx) }); err != nil && ctx.Err() == nil {
		return err
	}
	if !r.learn(ctx, watch) {
		return nil
	}
	if err := r.engine.ride(ctx, askMost, r.announceSelf); err != nil && ctx.Err() == nil {
		return fmt.Errorf("fleet: telling the queue of the worker: %w", r.engine.Explain(err))
	}
	defer func() {
		ctx, cancel := r.asking(context.WithoutCancel(ctx))
		defer cancel()
		_ = r.leave(ctx, r.id)
	}()
	side.Go(func() { r.follow(working, watch) })
	side.Go(func() { r.leases.keep(working) })
	side.Go(func() { r.sweep(working) })
	side.Go(func() { r.keepAccount(working) })

	taking, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	r.stopping, r.end = taking, stop
	for i := range r.Calls {
		hands.Go(func() { r.hand(taking, working, &hands, i == 0) })
	}
	select {
	case <-taking.Done():
	case <-r.engine.failed():
		stop(r.engine.failure())
	}
	var failed error
	if ctx.Err() == nil {
		failed = context.Cause(taking)
	}
	giveUp := time.AfterFunc(r.Grace, func() { breakOff(errStopped) })
	if failed != nil && !errors.Is(failed, errStray) { // calls that nobody wrote down are not to be broken off
		breakOff(errStopped)
	}
	hands.Wait()
	giveUp.Stop()
	breakOff(errStopped)
	side.Wait()
	if r.engine.failure() == nil {
		r.trouble(r.post(context.WithoutCancel(ctx), true))
	}
	return failed
}

// hand takes messages until taking ends, and carries each out under working. Hands are kept:
// signing needs a deep stack, which a new goroutine would have to grow for every job. The first one
// looks for lanes without a token where there is nothing else to do.
func (r *running) hand(taking, working context.Context, hands *sync.WaitGroup, first bool) {
	whole := false
	defer func() {
		if !whole { // code given to the client ended the goroutine
			r.trouble(errors.New("fleet: code given to the worker or its client ended its goroutine (runtime.Goexit); its job comes again as one in doubt"))
			hands.Go(func() { r.hand(taking, working, hands, first) })
		}
	}()
	idle := 0 // requests for a message in a row that brought none
	for taking.Err() == nil {
		msg, err := r.next(taking, first)
		switch {
		case err != nil:
			r.end(err)
		case msg != nil:
			idle = 0
			r.take(working, msg)
		case first:
			if idle++; idle&(idle-1) == 0 { // less and less often
				if _, err := r.wake(taking); err != nil && taking.Err() == nil {
					r.trouble(err)
				}
			}
		}
	}
	whole = true
}

// keepAccount adds what was counted, until ctx ends.
func (r *running) keepAccount(ctx context.Context) {
	for sleep(ctx, ledgerEvery) {
		if err := r.post(ctx, false); err != nil && ctx.Err() == nil {
			r.trouble(err)
		}
	}
}

// pullTime bounds how long a request for a message stands at the server.
const pullTime = 5 * time.Second

// next returns the next message, or nil when there is none for now. It asks for one at a time: none
// waits in this process while its lease runs. While this worker tries whether its trouble is over,
// only the first hand takes one.
func (r *running) next(ctx context.Context, first bool) (*delivery, error) {
	for why, _ := r.aside.state(); r.still() || why != nil && !first; why, _ = r.aside.state() {
		if !sleep(ctx, 50*time.Millisecond) {
			return nil, nil
		}
	}
	if rest := max(r.unread.pause(max(1, r.hands/32)), r.silent.pause(breakAfter)); rest > 0 && !sleep(ctx, rest) {
		return nil, nil
	}
	asking, done := context.WithTimeout(ctx, min(pullTime, r.lease/leaseTurns))
	defer done()
	since := time.Now()
	msg, err := r.consumer.Next(jetstream.FetchContext(asking))
	switch {
	case err == nil:
		return &delivery{msg, since}, nil
	case asking.Err() != nil, errors.Is(err, nats.ErrTimeout): // also where this process stood still before it asked
		return nil, nil
	case errors.Is(err, jetstream.ErrConsumerDeleted):
		return nil, fmt.Errorf("fleet: taking jobs: the consumer was deleted; open the queue again to make it")
	case errors.Is(err, nats.ErrConnectionClosed):
		return nil, fmt.Errorf("fleet: taking jobs: %w", err)
	}
	r.trouble(fmt.Errorf("fleet: taking jobs: %w", r.engine.Explain(err)))
	sleep(ctx, time.Second)
	return nil, nil
}
