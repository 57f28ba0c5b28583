package wxsql

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/wxpay-go/wxpay/webhook"
)

// Inbox remembers in the shop's database which notifications were processed. It is a
// [webhook.Deduper] for any number of instances. All times are the database's.
//
// Alone, a Deduper cannot make a function's work happen exactly once: an instance may die between
// the commit of the function's work and the note that it is done. [Inbox.Func] makes both one
// commit.
//
// While the database is away the handler responds 503, and the platform delivers again.
type Inbox struct {
	db      *sql.DB
	dialect Dialect
	lease   time.Duration
}

var _ webhook.Deduper = (*Inbox)(nil)

const (
	// kept is how long it is remembered that an event is done: longer than the 24 h 4 min for which
	// the platform delivers it again.
	kept = 25 * time.Hour
	// usualLease is longer than the minute that a handler gives a function by default.
	usualLease = 2 * time.Minute
)

// OpenInbox returns the inbox in a database that has the tables of [Migrate].
//
// lease is how long a claim lasts if its instance dies; zero means two minutes. It must be longer
// than webhook.WithTimeout, or a second delivery may run a slow function that is no [Inbox.Func]
// beside the first.
func OpenInbox(ctx context.Context, db *sql.DB, dialect Dialect, lease time.Duration) (*Inbox, error) {
	if lease < 0 {
		return nil, fmt.Errorf("wxsql: the lease is %s, it must not be negative", lease)
	}
	if lease == 0 {
		lease = usualLease
	}
	if err := dialect.ready(ctx, db, "wxpay_notification"); err != nil {
		return nil, err
	}
	return &Inbox{db, dialect, lease}, nil
}

// Func returns a function for webhook.Handler.On that runs fn in a transaction. The transaction
// also records that the event is done, so that both commit or neither: whatever dies at whatever
// moment, fn's changes to this database happen once. Changes elsewhere, such as a message that fn
// sends, do not: put those into the [Outbox] or a table.
//
// The record is written first and locks the event, so that a second run waits and then finds it
// done. The transaction is READ COMMITTED. fn must neither commit nor roll back; its error rolls
// back, the handler responds 500, and the event comes again. An error of the commit may have
// committed: the next delivery then finds it done.
func (i *Inbox) Func(fn func(ctx context.Context, tx *sql.Tx, e *webhook.Event) error) webhook.Func {
	return func(ctx context.Context, e *webhook.Event) error {
		return i.dialect.transact(ctx, i.db, func(tx *sql.Tx) error {
			first, err := i.record(ctx, tx, e.Key())
			if err != nil {
				return fmt.Errorf("wxsql: recording the event: %w", err)
			}
			if !first {
				return nil
			}
			return fn(ctx, tx, e)
		})
	}
}

// record writes that an event is done, and reports whether it was not before.
func (i *Inbox) record(ctx context.Context, tx *sql.Tx, key string) (first bool, err error) {
	event := sha256.Sum256([]byte(key))
	for range 3 { // once more if another delivery claims or releases it in between
		changed, err := i.dialect.exec(ctx, tx, `UPDATE wxpay_notification SET done = TRUE, lapses = {now} + ?
			WHERE event = ? AND (NOT done OR lapses <= {now})`, kept.Microseconds(), event[:])
		if err != nil || changed == 1 {
			return changed == 1, err
		}
		changed, err = i.dialect.exec(ctx, tx, `INSERT{ignore} INTO wxpay_notification (event, owner, done, lapses)
			VALUES (?, '', TRUE, {now} + ?){nothing}`, event[:], kept.Microseconds())
		if err != nil || changed == 1 {
			return changed == 1, err
		}
		var done bool
		err = i.dialect.row(ctx, tx, "SELECT done FROM wxpay_notification WHERE event = ?", event[:]).Scan(&done)
		if done || err != nil && !errors.Is(err, sql.ErrNoRows) {
			return false, err
		}
	}
	return false, errors.New("other deliveries changed it three times meanwhile")
}

// Claim is part of webhook.Deduper. It waits only to take over a lapsed claim whose function still
// has its transaction open.
func (i *Inbox) Claim(ctx context.Context, key, owner string) (webhook.State, error) {
	event := sha256.Sum256([]byte(key)) // a name may be longer than an index takes
	var done, lapsed bool
	err := i.dialect.row(ctx, i.db, "SELECT done, lapses <= {now} FROM wxpay_notification WHERE event = ?", event[:]).
		Scan(&done, &lapsed)
	var changed int64
	switch {
	case errors.Is(err, sql.ErrNoRows):
		changed, err = i.dialect.exec(ctx, i.db, `INSERT{ignore} INTO wxpay_notification (event, owner, done, lapses)
			VALUES (?, ?, FALSE, {now} + ?){nothing}`, event[:], owner, i.lease.Microseconds())
	case err == nil && lapsed:
		// The lock of the row lines up several that try; the others find it taken.
		changed, err = i.dialect.exec(ctx, i.db, `UPDATE wxpay_notification SET owner = ?, done = FALSE, lapses = {now} + ?
			WHERE event = ? AND lapses <= {now}`, owner, i.lease.Microseconds(), event[:])
	case err == nil && done:
		return webhook.Processed, nil
	}
	switch {
	case err != nil:
		return 0, fmt.Errorf("wxsql: %w", err)
	case changed == 1:
		return webhook.Claimed, nil
	}
	return webhook.Busy, nil
}

// Done is part of webhook.Deduper.
func (i *Inbox) Done(ctx context.Context, key, owner string) error {
	event := sha256.Sum256([]byte(key))
	_, err := i.dialect.exec(ctx, i.db, `UPDATE wxpay_notification SET done = TRUE, lapses = {now} + ?
		WHERE event = ? AND owner = ? AND NOT done`, kept.Microseconds(), event[:], owner)
	if err != nil {
		return fmt.Errorf("wxsql: %w", err)
	}
	return nil
}

// Release is part of webhook.Deduper.
func (i *Inbox) Release(ctx context.Context, key, owner string) error {
	event := sha256.Sum256([]byte(key))
	_, err := i.dialect.exec(ctx, i.db, "DELETE FROM wxpay_notification WHERE event = ? AND owner = ? AND NOT done",
		event[:], owner)
	if err != nil {
		return fmt.Errorf("wxsql: %w", err)
	}
	return nil
}

// Prune deletes what need not be remembered any more, and returns how many rows that were. Run it
// every hour or day; without it the table only grows.
func (i *Inbox) Prune(ctx context.Context) (int64, error) {
	n, err := i.dialect.exec(ctx, i.db, "DELETE FROM wxpay_notification WHERE lapses <= {now}")
	if err != nil {
		return 0, fmt.Errorf("wxsql: pruning the inbox: %w", err)
	}
	return n, nil
}
