package wxredis

import (
	"context"
	_ "embed"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/wxpay-go/wxpay/webhook"
)

//go:embed event.lua
var eventText string

var eventScript = redis.NewScript(eventText)

// free is the state of an event that nobody has; the others are those of package webhook.
const free webhook.State = 0

// events are the processed notifications, and the claims on others.
type events struct {
	server   *server
	lease    time.Duration
	passing  bool // deliveries pass while the server cannot be used
	askAgain time.Duration
	ends     ends
}

// event does one step of an event. rest is the time until the server forgets it.
func (e *events) event(ctx context.Context, step, event, owner string, keep time.Duration) (state webhook.State, rest time.Duration, err error) {
	reply, err := e.server.run(ctx, eventScript, e.server.key("event", event), step, owner, keep.Milliseconds(), e.ends.channel, digest(event))
	if err != nil {
		return free, 0, err
	}
	return webhook.State(reply[0]), time.Duration(reply[1]) * time.Millisecond, nil
}

// Claim is part of [webhook.Deduper]. While the server cannot be used it fails, or returns
// webhook.Claimed after [WithDeliveriesPassing].
func (e *events) Claim(ctx context.Context, key, owner string) (webhook.State, error) {
	state, _, err := e.event(ctx, "claim", key, owner, e.lease)
	if err != nil && e.passing && ctx.Err() == nil && !errors.Is(err, errForeign) {
		return webhook.Claimed, nil
	}
	return state, err
}

// Done is part of [webhook.Deduper]. The server keeps the event for webhook.DefaultMemoryTTL. Done
// also records an event whose claim the server has lost, and succeeds on a server whose memory is
// full if it has the claim.
func (e *events) Done(ctx context.Context, key, owner string) error {
	_, _, err := e.event(ctx, "done", key, owner, webhook.DefaultMemoryTTL)
	return err
}

// Release is part of [webhook.Deduper].
func (e *events) Release(ctx context.Context, key, owner string) error {
	_, _, err := e.event(ctx, "release", key, owner, 0)
	return err
}

// askAgain is the longest time between two looks at a busy event. Messages make most of them
// unnecessary; they get lost with a connection, and a proxy or an ACL may forbid them.
const askAgain = time.Second

// Wait is part of [webhook.Waiter]. All who wait share one subscription.
func (e *events) Wait(ctx context.Context, key string) error {
	ended, leave := e.ends.join(digest(key))
	defer leave()
	for {
		state, rest, err := e.event(ctx, "look", key, "", 0)
		if err != nil || state != webhook.Busy {
			return err
		}
		again := e.askAgain
		if rest > 0 {
			again = min(again, rest+time.Millisecond) // the claim lapses
		}
		timer := time.NewTimer(again)
		select {
		case <-ended:
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
}
