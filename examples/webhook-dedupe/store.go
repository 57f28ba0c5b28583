package main

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/wxpay-go/wxpay/webhook"
)

// Store is a webhook.Deduper in a table of PostgreSQL, for any number of instances. All times are those of the database, so
// the clocks of the instances do not matter.
//
// A claim is a row, which only one of many INSERTs can make. It is good for a lease: an instance that dies leaves its claim
// behind, and the redeliveries of the platform find it lapsed. While the database cannot be reached, Claim is an error,
// deliveries are answered 503, and come again.
type Store struct {
	db    *pgxpool.Pool
	lease time.Duration
}

var _ webhook.Deduper = (*Store)(nil)

// kept is how long it is remembered what was done: longer than the 24 h 4 min for which the platform goes on delivering.
const kept = 25 * time.Hour

// NewStore returns a Store in a database that has the table of notification.sql. lease must be longer than the handler's
// webhook.WithTimeout, or a function that is slow is joined by another one.
func NewStore(db *pgxpool.Pool, lease time.Duration) *Store { return &Store{db, lease} }

// Claim is part of webhook.Deduper.
func (s *Store) Claim(ctx context.Context, key, owner string) (webhook.State, error) {
	name := sha256.Sum256([]byte(key))
	// The row of somebody else is taken over only if it has lapsed. Two that try so at once are lined up by the row's lock,
	// and the second finds it taken.
	tag, err := s.db.Exec(ctx, `
		INSERT INTO notification AS n (key, owner, lapses) VALUES ($1, $2, clock_timestamp() + $3::interval)
		ON CONFLICT (key) DO UPDATE SET owner = excluded.owner, done = false, lapses = clock_timestamp() + $3::interval
		WHERE n.lapses <= clock_timestamp()`, name[:], owner, s.lease)
	switch {
	case err != nil:
		return 0, err
	case tag.RowsAffected() == 1:
		return webhook.Claimed, nil
	}
	var done bool
	err = s.db.QueryRow(ctx, `SELECT done FROM notification WHERE key = $1`, name[:]).Scan(&done)
	switch {
	case errors.Is(err, pgx.ErrNoRows): // released in between: whoever asks again gets it
		return webhook.Busy, nil
	case err != nil:
		return 0, err
	case done:
		return webhook.Processed, nil
	}
	return webhook.Busy, nil
}

// Done is part of webhook.Deduper.
func (s *Store) Done(ctx context.Context, key, owner string) error {
	name := sha256.Sum256([]byte(key))
	_, err := s.db.Exec(ctx, `
		UPDATE notification SET done = true, lapses = clock_timestamp() + $3::interval
		WHERE key = $1 AND owner = $2 AND NOT done`, name[:], owner, kept)
	return err
}

// Release is part of webhook.Deduper.
func (s *Store) Release(ctx context.Context, key, owner string) error {
	name := sha256.Sum256([]byte(key))
	_, err := s.db.Exec(ctx, `DELETE FROM notification WHERE key = $1 AND owner = $2 AND NOT done`, name[:], owner)
	return err
}

// Prune deletes what has lapsed, and returns how many rows that were. Any instance may do it at any time; without it the
// table only grows.
func (s *Store) Prune(ctx context.Context) (int64, error) {
	tag, err := s.db.Exec(ctx, `DELETE FROM notification WHERE lapses <= clock_timestamp()`)
	return tag.RowsAffected(), err
}

var (
	//go:embed notification.sql
	notificationTable string
	//go:embed shop.sql
	shopTables string
)

// migrate makes the tables. Instances that start at once do it one after another, for CREATE TABLE IF NOT EXISTS can fail
// when two do it at once.
func migrate(ctx context.Context, db *pgxpool.Pool) error {
	return pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		const anyNumber = 1900000109
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, anyNumber); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, notificationTable+shopTables)
		return err
	})
}
