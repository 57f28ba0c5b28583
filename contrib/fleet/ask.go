package fleet

import (
	"context"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// The time for one question to the engine. No answer comes when the server that had it dies, or when it has no leader, and
// package jetstream waits for one as long as the caller has time.
const (
	askMost  = 5 * time.Second
	askLeast = time.Second
)

// asking returns the context of one question. Where it can be, several fit into the time that a worker has before its lease
// ends.
func (q *Queue) asking(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, min(max(q.lease/8, askLeast), askMost))
}

// publish stores a message, in one try.
func (q *Queue) publish(ctx context.Context, m *nats.Msg, opts ...jetstream.PublishOpt) (*jetstream.PubAck, error) {
	ctx, cancel := q.asking(ctx)
	defer cancel()
	return q.engine.js.PublishMsg(ctx, m, opts...)
}
