package fleet

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"
)

// compare looks at what is known of numbers that were taken before.
func (s *submitting) compare(items []*item) error {
	const atOnce = 16
	var all sync.WaitGroup
	errs := make([]error, atOnce)
	for n := range min(atOnce, len(items)) {
		all.Go(func() {
			for i := n; i < len(items) && errs[n] == nil; i += atOnce {
				errs[n] = s.compareOne(items[i])
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

func (s *submitting) compareOne(it *item) error {
	return s.engine.ride(s.ctx, rideSetup, func(ctx context.Context) error { return s.compareOnce(ctx, it) })
}

// compareOnce is one try of compareOne.
func (s *submitting) compareOnce(ctx context.Context, it *item) error {
	have, err := s.Queue.record(ctx, it.key)
	switch {
	case errors.Is(err, ErrNewer), errors.Is(err, ErrSealed):
		it.err = err
		return nil
	case err != nil:
		return err
	case have != nil && have.content == it.record.content && (have.State == Expired || have.State == Cancelled) && have.Lane == "" && it.lane == "" && !it.job.stale(time.Now()):
		// It was never sent, and has more time now, or is wanted again. (One with an order has lost
		// its turn.)
		queued, err := s.queued(ctx, it.key, "")
		if err == nil && !queued { // else its worker has not taken it off the queue yet
			err = s.again(ctx, it.key, have)
		}
		if errors.Is(err, ErrMoved) { // by somebody else, or by an earlier try whose response got lost
			return s.compareOnce(ctx, it)
		}
		if err != nil {
			return err
		}
	}
	if have != nil && have.content != it.record.content && (have.State == Refused || have.State == Cancelled) && have.Doubt.IsZero() {
		return s.correct(ctx, it, have)
	}
	switch {
	case have == nil:
		it.err = errors.New("its record vanished while it was submitted: submit it again")
	case have.content != it.record.content:
		it.err = fmt.Errorf("%w, submitted before as %s", ErrConflict, origin(have.File, have.Line))
	case have.State.Ended():
		it.standing = standsEnded
	case have.Lane != it.lane: // its place among the others is given, and cannot be changed by submitting it again
		it.err = fmt.Errorf("it is queued already with another order, or without one, as %s", origin(have.File, have.Line))
	case have.State == Begun:
		queued, err := s.queued(ctx, it.key, it.lane)
		if err != nil {
			return err
		}
		now, err := s.Queue.record(ctx, it.key)
		switch {
		case err != nil:
			return err
		case queued:
			it.standing = standsAgain
		case now == nil || now.seq != have.seq: // its worker has gone on meanwhile
			return s.compareOnce(ctx, it)
		default: // its message was lost
			it.message.Header.Set(headerRetry, "1")
			it.record.seq, it.record.run = have.seq, have.run
		}
	default: // queued, unless an earlier submission or retry broke off between the two
		it.record.seq, it.record.run, it.lane = have.seq, have.run, have.Lane
		it.message.Header.Set(headerRetry, "1")
	}
	return nil
}

// errBusy is why a job is not queued whose last worker has not let it go.
var errBusy = errors.New("it has ended just now, and its worker is still busy with it: submit it again")

// correct replaces a request that was refused or cancelled. The copy that was kept for a retry goes
// first: it must not come back.
func (s *submitting) correct(ctx context.Context, it *item, have *record) error {
	queued, err := s.queued(ctx, it.key, "")
	if err != nil {
		return err
	}
	if queued {
		it.err = errBusy
		return nil
	}
	if err := s.unbury(ctx, it.key); err != nil {
		return err
	}
	next := *it.record
	next.seq, next.was, next.run = have.seq, have.was, have.run
	next.Claim, next.Corrected, next.Deliveries = s.claim(), have.Corrected+1, have.Deliveries
	if err := s.replace(ctx, it.key, &next); errors.Is(err, ErrMoved) { // by somebody else, or by an earlier try whose response got lost
		return s.compareOnce(ctx, it)
	} else if err != nil {
		return err
	}
	it.record, it.corrects = &next, true
	it.message.Header.Set(headerRetry, "1")
	return nil
}

func origin(file string, line int) string {
	if file == "" {
		return "line " + strconv.Itoa(line)
	}
	return file + ", line " + strconv.Itoa(line)
}
