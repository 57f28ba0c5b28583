package wxredis

import (
	"context"
	"sync"

	"github.com/redis/go-redis/v9"
)

// ends passes on which events have ended. It has a subscription while somebody waits.
type ends struct {
	client  redis.UniversalClient
	channel string

	mu      sync.Mutex
	waiting map[string]map[chan struct{}]bool // by message
	count   int
	stop    context.CancelFunc
}

// join returns a channel that gets a value when message may have come.
func (e *ends) join(message string) (ended <-chan struct{}, leave func()) {
	own := make(chan struct{}, 1)
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.count++; e.count == 1 {
		var ctx context.Context
		ctx, e.stop = context.WithCancel(context.Background())
		e.waiting = map[string]map[chan struct{}]bool{}
		go e.listen(ctx)
	}
	if e.waiting[message] == nil {
		e.waiting[message] = map[chan struct{}]bool{}
	}
	e.waiting[message][own] = true
	return own, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		if delete(e.waiting[message], own); len(e.waiting[message]) == 0 {
			delete(e.waiting, message)
		}
		if e.count--; e.count == 0 {
			e.stop()
		}
	}
}

// listen keeps the subscription until ctx ends. The client renews it when its connection is lost.
func (e *ends) listen(ctx context.Context) {
	subscription := e.client.Subscribe(ctx, e.channel)
	defer context.AfterFunc(ctx, func() { _ = subscription.Close() })()
	for received := range subscription.ChannelWithSubscriptions() {
		switch received := received.(type) {
		case *redis.Subscription: // messages before it are lost
			e.wake("")
		case *redis.Message:
			e.wake(received.Payload)
		}
	}
}

// wake wakes those who wait for message, all if it is empty.
func (e *ends) wake(message string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for name, waiting := range e.waiting {
		if message != "" && message != name {
			continue
		}
		for own := range waiting {
			select {
			case own <- struct{}{}:
			default:
			}
		}
	}
}
