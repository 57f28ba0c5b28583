package fleet

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

// ErrDenied means that the server refuses the credentials, or does not permit their user what was
// asked. Nothing was stored or changed by that. The subjects that each kind of process needs are in
// deploy/nats/wxpay.conf.
var ErrDenied = errors.New("fleet: the server does not permit that")

// denials keeps what the server did not permit. It says so beside the question, which gets no
// answer.
type denials struct {
	mu      sync.Mutex
	last    error
	at      time.Time
	waiting map[*context.CancelCauseFunc]bool
}

// denialGrace is how long those who wait for a response still get, because they may have asked for
// something else.
const denialGrace = time.Second

// denialRecent is for how long a question without a response may be one that was denied.
const denialRecent = 6 * time.Second

// note is told of what goes wrong on a connection.
func (d *denials) note(_ *nats.Conn, _ *nats.Subscription, err error) {
	if !errors.Is(err, nats.ErrPermissionViolation) {
		return
	}
	denied := fmt.Errorf("%w: %s", ErrDenied, strings.TrimPrefix(err.Error(), nats.ErrPermissionViolation.Error()+": "))
	d.mu.Lock()
	defer d.mu.Unlock()
	d.last, d.at = denied, time.Now()
	for end := range d.waiting {
		time.AfterFunc(denialGrace, func() { (*end)(denied) })
	}
}

// bound returns a context that also ends, with the reason, when something was denied that it may
// wait for.
func (d *denials) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, end := context.WithCancelCause(ctx)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.waiting == nil {
		d.waiting = make(map[*context.CancelCauseFunc]bool)
	}
	d.waiting[&end] = true
	return ctx, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.waiting, &end)
		end(nil)
	}
}

// recent is what was denied within the time of a question, nil if nothing.
func (d *denials) recent() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if time.Since(d.at) > denialRecent {
		return nil
	}
	return d.last
}
