package fleet

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// lookAgain is after how long records that seem to be missing are counted once more, before that
// stops a queue of several processes. A server that was the leader may not have heard yet that
// another one is.
const lookAgain = 5 * time.Second

// reconcile compares the records with the account, and stops the queue if some are missing. alone
// says that nobody else has the queue.
func (q *Queue) reconcile(ctx context.Context, alone bool) error {
	if q.age > 0 { // records are given up, and nobody counts those
		return nil
	}
	retell := alone
	if !alone {
		var err error
		if retell, err = q.stale(ctx); err != nil {
			return err
		}
	}
	for last := alone; ; last = true {
		have, revision, err := q.account(ctx)
		if err != nil {
			return err
		}
		seen, stands, err := q.countRecords(ctx)
		if err == nil && retell {
			err = q.retell(ctx, stands)
		}
		if err != nil {
			return err
		}
		missing, err := q.missing(ctx, have, seen)
		switch {
		case err != nil:
			return err
		case missing == account{}:
			if alone && seen != have.account { // a process that was killed did not add its last ones
				err = q.putAccount(ctx, entry{seen, have.Withdrawn, q.claim()}, revision)
			}
			return err
		case last:
			return q.putLoss(ctx, keyLost, &loss{Since: time.Now(), Missing: missing.Known, Older: max(missing.Ended-missing.Known, 0)})
		case !sleep(ctx, lookAgain):
			return context.Cause(ctx)
		}
	}
}

// missing is what an account has more than the records that were seen after it was read.
func (q *Queue) missing(ctx context.Context, have entry, seen account) (account, error) {
	now, _, err := q.account(ctx)
	// A record that was taken off the account meanwhile may have changed before it was seen.
	want := have.minus(now.Withdrawn.minus(have.Withdrawn))
	return account{max(want.Known-seen.Known, 0), max(want.Ended-seen.Ended, 0)}, err
}

// reconcileOnce compares the records of an embedded engine when the queue is opened first. Nobody
// else can have the directory.
func (q *Queue) reconcileOnce(ctx context.Context) error {
	o, _ := q.engine.checked.LoadOrStore(q.name, new(once))
	first := o.(*once)
	first.mu.Lock()
	defer first.mu.Unlock()
	if first.done {
		return nil
	}
	if q.engine.intact {
		if _, uncounted, err := q.counted(ctx); err != nil || uncounted == 0 { // else a process that was attached was killed
			first.done = err == nil
			return err
		}
	}
	err := q.reconcile(ctx, true)
	first.done = err == nil
	return err
}

// keyChecked says when the records were compared last.
const keyChecked = "checked"

// checkEvery is how often the workers of a server compare the records, which takes a second for
// every 200,000.
const checkEvery = 10 * time.Minute

// check compares the records before a worker begins, where the queue has others, unless somebody
// has just done so.
func (q *Queue) check(ctx context.Context) error {
	if q.engine.server != nil { // it was done when the queue was opened
		return nil
	}
	ask, answered := q.asking(ctx)
	defer answered()
	if last, err := q.control.Get(ask, keyChecked); err == nil && time.Since(last.Created()).Abs() < checkEvery {
		return nil
	}
	if err := q.reconcile(ctx, false); err != nil {
		return err
	}
	return q.engine.ride(ctx, askMost, func(ctx context.Context) error {
		_, err := q.control.Put(ctx, keyChecked, nil)
		return err
	})
}

// countRecords counts the records. One that moves on meanwhile may be counted twice.
// The tally is empty if any was stored meanwhile.
func (q *Queue) countRecords(ctx context.Context) (seen account, stands tally, err error) {
	before, err := q.recordsState(ctx)
	if err != nil {
		return seen, stands, err
	}
	if err = q.read(ctx, q.records, reading{headersOnly: true, toEnd: true}, func(m jetstream.Msg) error {
		p := standsAt(m.Headers())
		if seen.Known++; p.State.Ended() {
			seen.Ended++
		}
		stands.count(p, 1)
		return nil
	}); err != nil {
		return seen, stands, err
	}
	after, err := q.recordsState(ctx)
	stands.fold()
	if stands.Stored = int64(after.LastSeq); after.LastSeq != before.LastSeq || uint64(seen.Known) != after.Msgs {
		stands = tally{}
	}
	return seen, stands, err
}

// errIndex is why a queue on a server cannot go on even in doubt: what was stored now could not be
// found again. An embedded engine makes its index anew.
var errIndex = errors.New("the server has an index of messages that are gone: stop it, remove the index.db of the stream, and start it")

// Doubt lets a queue go on although records are missing ([ErrLost]), or after an old copy of it was
// restored. From then on each job that is not known to have ended, and each number that is
// submitted for the first time, counts as one that may have been sent just now. Its worker asks the
// platform first, or sends it again if that is harmless, or leaves its outcome unknown. That holds
// for good, so put numbers that were certainly never used into another queue if nothing tells what
// became of them. That a worker with wxpay.Hold had begun a job whose record is missing is
// forgotten.
func (q *Queue) Doubt(ctx context.Context) error {
	lost, err := q.readLoss(ctx, keyLost)
	if err != nil {
		return err
	}
	if lost == nil {
		lost = new(loss)
	}
	lost.Since = time.Now()
	if err := q.engine.ride(ctx, rideSetup, func(ctx context.Context) error {
		info, err := q.records.Info(ctx)
		if err == nil {
			lost.Last = info.State.LastSeq
			if info.State.NumSubjects != info.State.Msgs {
				err = errIndex
			}
		}
		return err
	}); err != nil {
		return fmt.Errorf("fleet: the records: %w", q.engine.Explain(err))
	}
	if err := q.putLoss(ctx, keyLoss, lost); err != nil {
		return err
	}
	q.loss.Store(lost)
	if err := q.recount(ctx); err != nil {
		return err
	}
	err = q.engine.ride(ctx, askMost, func(ctx context.Context) error { return q.control.Delete(ctx, keyLost) })
	if err != nil && !errors.Is(err, jetstream.ErrKeyNotFound) {
		return fmt.Errorf("fleet: resuming the queue: %w", q.engine.Explain(err))
	}
	return nil
}

// recount makes the account that of the records there are.
func (q *Queue) recount(ctx context.Context) error {
	q.ledger.mu.Lock()
	defer q.ledger.mu.Unlock()
	for {
		have, revision, err := q.account(ctx)
		if err != nil {
			return err
		}
		if q.engine.server == nil && !sleep(ctx, 2*ledgerEvery) { // for others to add what they have stored
			return context.Cause(ctx)
		}
		q.ledger.known.Store(0)
		q.ledger.ended.Store(0)
		q.untold.drop()
		seen, stands, err := q.countRecords(ctx)
		if err == nil {
			err = q.retell(ctx, stands)
		}
		if err != nil {
			return err
		}
		if err = q.putAccount(ctx, entry{seen, have.Withdrawn, q.claim()}, revision); err == nil {
			return nil
		}
		if now, at, failed := q.account(ctx); failed != nil || at == revision && now.account != seen {
			return fmt.Errorf("fleet: counting records: %w", q.engine.Explain(err))
		}
	}
}
