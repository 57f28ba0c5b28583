package fleet

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxpay-go/wxpay/contrib/fleet/internal/jserror"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/middleware"
)

// AcquireDue is Acquire, and tells when the token fell due.
func (l *Limiter) AcquireDue(ctx context.Context, key middleware.LimitKey, documented fact.Rate) (time.Time, error) {
	return l.pace(key, documented).wait(ctx)
}

// Densest is the largest number of moments within any window.
var Densest = densest

// LimitBound is the largest number of requests that a limiter lets through within a second; see
// [Limiter].
func LimitBound(perSecond int) int {
	spacing := newPace("", perSecond, 0, nil, nil).spacing
	return int((time.Second+paceGrace+2*clockError)/spacing) + 1
}

// ErrStands says that a lane stands: it holds a job, and its token is gone.
var ErrStands = errors.New("the lane stands")

// JoinLate takes the token of an empty lane off the queue as a worker does, and calls join after it
// saw that the lane is empty. It returns ErrStands if no token is there afterwards.
func JoinLate(ctx context.Context, q *Queue, order string, join func() error) error {
	r := &running{Queue: q}
	lane := (&Job{Order: order}).lane(q.digests)
	if _, err := q.publish(ctx, q.token(lane)); err != nil && !jserror.SubjectFull(err) {
		return err
	}
	var token *delivery
	for token == nil || token.Subject() != q.tokenSubject(lane) { // of other lanes there are leftovers
		var err error
		if token, err = r.next(ctx, true); err != nil || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
	}
	if m, err := q.head(ctx, lane); err != nil || m != nil {
		return fmt.Errorf("the lane should be empty: %w", err)
	}
	if err := join(); err != nil {
		return err
	}
	if err := r.leaveLane(ctx, token, lane); err != nil {
		return err
	}
	_, err := q.jobs.GetLastMsgForSubject(ctx, q.tokenSubject(lane))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return ErrStands
	}
	return err
}

// MissingAround tells how many records seem to be missing when something happens while they are
// counted.
func (q *Queue) MissingAround(ctx context.Context, meanwhile func()) (int64, error) {
	have, _, err := q.account(ctx)
	if err != nil {
		return 0, err
	}
	meanwhile()
	seen, _, err := q.countRecords(ctx)
	if err != nil {
		return 0, err
	}
	missing, err := q.missing(ctx, have, seen)
	return missing.Known + missing.Ended, err
}

// Reconcile compares the records with the account.
func (q *Queue) Reconcile(ctx context.Context) error { return q.reconcile(ctx, false) }

// TellInVain has the queue keep what may have been told: that a job came to stand at a state.
func TellInVain(q *Queue, at State) {
	q.untold.note(stand{}, stand{State: at})
	ended, end := context.WithCancel(context.Background())
	end()
	if err := q.tell(ended); err == nil || q.untold.unsure == nil {
		panic("fleet: it was told")
	}
}

// AddUnheard adds to the account of a queue with a response that is lost, and after that as another
// process. It returns how many more records the account has then.
func AddUnheard(ctx context.Context, q, other *Queue, added, meanwhile int64) (int64, error) {
	if _, err := other.add(ctx, account{1, 1}); err != nil { // an account is there
		return 0, err
	}
	before, _, err := q.account(ctx)
	if err != nil {
		return 0, err
	}
	u := &unheard{KeyValue: q.control, then: func() { _, err = other.add(ctx, account{meanwhile, meanwhile}) }}
	q.control = u
	defer func() { q.control = u.KeyValue }()
	if _, failed := q.add(ctx, account{added, added}); failed != nil || err != nil {
		return 0, errors.Join(failed, err)
	}
	after, _, err := q.account(ctx)
	return after.Ended - before.Ended, err
}

// unheard is a bucket whose first response is lost. then happens before that is noticed.
type unheard struct {
	jetstream.KeyValue
	then func()
}

func (u *unheard) Update(ctx context.Context, key string, value []byte, revision uint64) (uint64, error) {
	revision, err := u.KeyValue.Update(ctx, key, value, revision)
	if then := u.then; then != nil && err == nil {
		u.then = nil
		then()
		return 0, nats.ErrTimeout
	}
	return revision, err
}
