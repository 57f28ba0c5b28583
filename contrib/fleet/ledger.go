package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxpay-go/wxpay/contrib/fleet/internal/jserror"
)

// keyLedger is where the control bucket keeps how many records there are.
const keyLedger = "ledger"

// entry is what the bucket holds.
type entry struct {
	account
	// Withdrawn is what was ever taken off it, so that who counts the records meanwhile knows why
	// there are less.
	Withdrawn account `json:"withdrawn,omitzero"`
	// By names the addition that stored it.
	By string `json:"by"`
}

// post adds what was counted to the account, at most once in ledgerEvery unless it is the last
// time. Before that it may wait for a better moment.
func (q *Queue) post(ctx context.Context, last bool) error {
	q.ledger.mu.Lock()
	defer q.ledger.mu.Unlock()
	if last {
		return q.engine.insist(ctx, func() error { return q.postOnce(ctx) })
	}
	if time.Since(q.ledger.added) < ledgerEvery {
		return nil
	}
	q.ledger.added = time.Now()
	if err := q.postOnce(ctx); !q.engine.passing(err) {
		return err
	}
	return nil
}

// postRest adds what was counted, after what is done. If that fails, Status.Uncounted tells of it.
func (q *Queue) postRest(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rideSetup)
	defer cancel()
	_ = q.post(ctx, true)
}

func (q *Queue) postOnce(ctx context.Context) error {
	if a := (account{q.ledger.known.Swap(0), q.ledger.ended.Swap(0)}); a != (account{}) {
		if perhaps, err := q.add(ctx, a); err != nil {
			if !perhaps {
				q.ledger.note(a)
			}
			return err
		}
	}
	return q.tell(ctx)
}

// withdraw takes a record that will not stand at its end any more from the account, before that is
// stored.
func (q *Queue) withdraw(ctx context.Context, a account) error {
	q.ledger.mu.Lock()
	defer q.ledger.mu.Unlock()
	return q.engine.insist(ctx, func() error {
		_, err := q.add(ctx, a)
		return err
	})
}

// add adds to the account. If it returns an error, it reports whether that may have been added all
// the same.
func (q *Queue) add(ctx context.Context, a account) (perhaps bool, err error) {
	by, tried := q.claim(), uint64(0)
	for try := 0; ; try++ {
		have, revision, err := q.account(ctx)
		switch {
		case err != nil:
			return perhaps, err
		case have.By == by: // it was added, although nobody said so
			return true, nil
		case perhaps && revision != tried && a.Known >= 0 && a.Ended >= 0:
			// Somebody else was next, perhaps after this addition. To add it twice would be too much, but to
			// take it off twice is not.
			return true, nil
		}
		next := entry{have.plus(a), have.Withdrawn, by}
		if a.Known < 0 || a.Ended < 0 {
			next.Withdrawn = have.Withdrawn.minus(a)
		}
		err = q.putAccount(ctx, next, revision)
		switch {
		case err == nil:
			return true, nil
		case !jserror.WrongSequence(err) && !errors.Is(err, jetstream.ErrKeyExists):
			perhaps, tried = true, revision
			if try >= 2 {
				return perhaps, fmt.Errorf("fleet: counting records: %w", q.engine.Explain(err))
			}
		}
		if !sleep(ctx, 10*time.Millisecond+spread(10*time.Millisecond, 0)) {
			return perhaps, context.Cause(ctx)
		}
	}
}

// account reads the account. The revision is 0 if there is none.
func (q *Queue) account(ctx context.Context) (e entry, revision uint64, err error) {
	ctx, cancel := q.asking(ctx)
	defer cancel()
	have, err := q.control.Get(ctx, keyLedger)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return e, 0, nil
	}
	if err == nil {
		err = json.Unmarshal(have.Value(), &e)
	}
	if err != nil {
		return e, 0, fmt.Errorf("fleet: reading how many records there are: %w", q.engine.Explain(err))
	}
	return e, have.Revision(), nil
}

// putAccount stores the account in place of the one with a revision.
func (q *Queue) putAccount(ctx context.Context, e entry, revision uint64) error {
	text, err := json.Marshal(e)
	if err != nil {
		return err
	}
	ctx, cancel := q.asking(ctx)
	defer cancel()
	if revision == 0 {
		_, err = q.control.Create(ctx, keyLedger, text)
	} else {
		_, err = q.control.Update(ctx, keyLedger, text, revision)
	}
	return err
}
