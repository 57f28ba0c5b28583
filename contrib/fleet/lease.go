package fleet

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// deliveries is how often the message was delivered, at least 1.
func (d *delivery) deliveries() int {
	meta, err := d.Metadata()
	if err != nil {
		return 1
	}
	return int(meta.NumDelivered)
}

// leases keep the messages that a worker has in hand from coming to another one. They break off the
// work on a message before it may come to another. A lease is kept if the leader of the
// consumer acknowledges the message and the engine still stores something. The second is needed
// because a leader that is cut off from the other servers goes on for some seconds.
type leases struct {
	conn   *nats.Conn
	alive  func(context.Context) error // stores that the worker is at work
	length time.Duration
	inbox  string // of the responses
	sub    *nats.Subscription

	mu     sync.Mutex
	held   map[uint64]*hold
	taken  uint64
	turn   uint64
	turns  map[uint64]time.Time // when the last turns of renewing were
	stored time.Time            // when the last write that the engine acknowledged was sent
	steady time.Time            // the first of those since which none came late
}

// hold is a message in hand.
type hold struct {
	of     *leases
	id     uint64
	msg    *delivery
	reply  string // where the leader of the consumer is told of the message
	cancel context.CancelCauseFunc
	since  time.Time // when the message was asked for
	heard  time.Time // when the last word of it that the leader of the consumer answered was sent
}

// leaseTurns is how often a lease is renewed within its length. It is given up when half of its
// length has passed without, which is noticed a turn later at most: a third of it is left then.
const leaseTurns = 6

var errLease = errors.New("fleet: the worker lost its connection to the engine for too long")

// openLeases makes the leases of messages whose lease has a length. alive stores something. They
// are kept while keep runs.
func openLeases(conn *nats.Conn, alive func(context.Context) error, length time.Duration) (*leases, error) {
	l := &leases{
		conn: conn, alive: alive, length: length, inbox: conn.NewInbox(), held: make(map[uint64]*hold), turns: make(map[uint64]time.Time),
	}
	var err error
	if l.sub, err = conn.Subscribe(l.inbox+".*", l.answered); err != nil {
		return nil, fmt.Errorf("fleet: keeping jobs in hand: %w", err)
	}
	return l, nil
}

// close ends what openLeases began.
func (l *leases) close() { _ = l.sub.Unsubscribe() }

// hold keeps a message until it is released. errLease cancels the context that it returns when the
// lease is given up.
func (l *leases) hold(ctx context.Context, d *delivery) (context.Context, *hold) {
	ctx, cancel := context.WithCancelCause(ctx)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.taken++
	h := &hold{of: l, id: l.taken, msg: d, reply: d.Reply(), cancel: cancel, since: d.since, heard: d.since}
	l.held[h.id] = h
	return ctx, h
}

func (h *hold) release() {
	h.of.mu.Lock()
	defer h.of.mu.Unlock()
	delete(h.of.held, h.id)
	h.cancel(nil)
}

// check returns errLease if the lease was not renewed for too long, and gives it up. It is asked
// right before something is sent, since a process that stood still goes on where it was, before
// anything else tells it so.
func (h *hold) check() error {
	h.of.mu.Lock()
	defer h.of.mu.Unlock()
	return h.checkAt(time.Now())
}

func (h *hold) checkAt(now time.Time) error {
	if most := h.of.length / 2; since(h.heard, now) > most || since(later(h.since, h.of.stored), now) > most {
		h.cancel(errLease)
		return errLease
	}
	return nil
}

// keep renews the leases until ctx ends.
func (l *leases) keep(ctx context.Context) {
	tick := time.NewTicker(l.length / leaseTurns)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			l.renew(ctx)
		case <-ctx.Done():
			return
		}
	}
}

// renew tells the engine of all that is in hand. A hold that was not renewed for too long is given
// up.
func (l *leases) renew(ctx context.Context) {
	now := time.Now()
	l.mu.Lock()
	l.turn++
	l.turns[l.turn] = now
	delete(l.turns, l.turn-leaseTurns) // a response that comes later than a lease is of no use
	held := slices.DeleteFunc(slices.Collect(maps.Values(l.held)), func(h *hold) bool { return h.checkAt(now) != nil })
	for _, h := range held { // before any of them can be released and given back, which this would undo
		_ = l.conn.PublishRequest(h.reply, fmt.Sprintf("%s.%d-%d", l.inbox, h.id, l.turn), []byte("+WPI"))
	}
	l.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, l.length/leaseTurns)
	defer cancel()
	if l.alive(ctx) == nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		if since(l.stored, now) > l.length/2 {
			l.steady = now
		}
		l.stored = now
	}
}

// settled reports whether the engine has taken what this worker stored for half a lease, and still
// does: others that are at work have told it so meanwhile.
func (l *leases) settled() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	return since(l.stored, now) <= l.length/2 && since(l.steady, now) >= l.length/2
}

// answered takes what the leader of the consumer says. A response with headers is a server's that
// knows of no leader.
func (l *leases) answered(m *nats.Msg) {
	id, turn, _ := strings.Cut(lastToken(m.Subject), "-")
	key, err := strconv.ParseUint(id, 10, 64)
	n, wrong := strconv.ParseUint(turn, 10, 64)
	if err != nil || wrong != nil || len(m.Header) > 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if h := l.held[key]; h != nil {
		h.heard = later(h.heard, l.turns[n])
	}
}

// delivery is a message that was taken.
type delivery struct {
	jetstream.Msg
	// since is when it was asked for: the server counts its lease from some moment after that.
	since time.Time
}
