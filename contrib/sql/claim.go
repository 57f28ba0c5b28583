package wxsql

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

// claim is a job in the hands of a worker.
type claim struct {
	row
	owner string
	until time.Time // when the lease ends, by this process's clock and no later than by the server's
	// sent is until when somebody may have sent it without a known end; zero for never.
	sent time.Time
}

// errLost means that another worker has the job now: this one's lease ended.
var errLost = errors.New("wxsql: the lease of the job ended, another worker may have it")

// taken is the new row of a job that is claimed. It says that the job has begun before anything is
// sent. An earlier worker that recorded no end may have sent it until now.
const taken = `SET doubt = CASE WHEN state = 'begun' THEN {now} ELSE doubt END, state = 'begun',
	owner = ?, due = {now} + ?, begun = begun + 1`

// next selects jobs that are due. Those that another worker is just taking are left out.
const next = `SELECT id FROM wxpay_outbox WHERE caller = ? AND due <= {now} ORDER BY due LIMIT ?{skip}`

// take claims up to limit jobs that are due.
func (o *Outbox) take(ctx context.Context, limit int, lease time.Duration) (claims []*claim, err error) {
	owner, begin := rand.Text(), time.Now()
	if o.dialect == MySQL {
		err = o.dialect.transact(ctx, o.db, func(tx *sql.Tx) error {
			ids, err := o.selectIDs(ctx, tx, limit)
			if err != nil || len(ids) == 0 {
				return err
			}
			list := " WHERE id IN (?" + strings.Repeat(", ?", len(ids)-1) + ")"
			_, err = o.dialect.exec(ctx, tx, "UPDATE wxpay_outbox "+taken+list, append([]any{owner, lease.Microseconds()}, ids...)...)
			if err != nil {
				return err
			}
			claims, err = o.readClaims(ctx, tx, "SELECT "+columns+", {now} - doubt FROM wxpay_outbox"+list, ids...)
			return err
		})
	} else {
		claims, err = o.readClaims(ctx, o.db, "WITH picked AS MATERIALIZED ("+next+") UPDATE wxpay_outbox "+taken+
			" WHERE id IN (SELECT id FROM picked) RETURNING "+columns+", {now} - doubt", o.caller, limit, owner, lease.Microseconds())
	}
	if err != nil {
		return nil, fmt.Errorf("wxsql: taking jobs: %w", err)
	}
	for _, c := range claims {
		c.owner, c.until = owner, begin.Add(lease)
	}
	return claims, nil
}

func (o *Outbox) selectIDs(ctx context.Context, tx *sql.Tx, limit int) (ids []any, err error) {
	rows, err := tx.QueryContext(ctx, o.dialect.text(next), o.caller, limit)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

func (o *Outbox) readClaims(ctx context.Context, q querier, statement string, args ...any) (claims []*claim, err error) {
	rows, err := q.QueryContext(ctx, o.dialect.text(statement), args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		c := new(claim)
		var age sql.NullInt64 // of the doubt, microseconds; the clocks of server and process may differ
		if err := c.scan(rows.Scan, &age); err != nil {
			return nil, err
		}
		if age.Valid {
			c.sent = time.Now().Add(-time.Duration(age.Int64) * time.Microsecond)
		}
		claims = append(claims, c)
	}
	return claims, rows.Err()
}

// renew prolongs the lease of a claim.
func (o *Outbox) renew(ctx context.Context, c *claim, lease time.Duration) (until time.Time, err error) {
	begin := time.Now()
	n, err := o.dialect.exec(ctx, o.db, "UPDATE wxpay_outbox SET due = {now} + ? WHERE id = ? AND owner = ?",
		lease.Microseconds(), c.id, c.owner)
	if err == nil && n == 0 {
		err = errLost
	}
	return begin.Add(lease), err
}

// ending is what becomes of a claim.
type ending struct {
	state   State
	doubted bool          // it may have been sent until now
	again   time.Duration // of a job that has not ended: the pause before a worker takes it again
	code    string
	details Details
}

// store ends a claim in one transaction with commit, which gets the result; nil for none.
func (o *Outbox) store(ctx context.Context, c *claim, e *ending, commit func(tx *sql.Tx, result Result) error) error {
	sealed, err := o.sealResult(c.job, &e.details)
	if err != nil {
		return err
	}
	due, ended, doubt := "{now} + ?", "NULL", "doubt"
	args := []any{string(e.state), e.code, sealed}
	switch {
	case e.state.Ended():
		due, ended, doubt = "NULL", "{now}", "NULL"
	default:
		args = append(args, e.again.Microseconds())
		if e.doubted {
			doubt = "{now}"
		}
	}
	return o.dialect.transact(ctx, o.db, func(tx *sql.Tx) error {
		n, err := o.dialect.exec(ctx, tx, "UPDATE wxpay_outbox SET state = ?, code = ?, result = ?, owner = NULL, due = "+due+
			", ended = "+ended+", doubt = "+doubt+" WHERE id = ? AND owner = ?", append(args, c.id, c.owner)...)
		if err != nil {
			return err
		}
		if n == 0 {
			return errLost
		}
		if commit == nil {
			return nil
		}
		var r row
		if err := r.scan(o.dialect.row(ctx, tx, "SELECT "+columns+" FROM wxpay_outbox WHERE id = ?", c.id).Scan); err != nil {
			return err
		}
		result, err := o.result(&r)
		if err != nil {
			return err
		}
		return commit(tx, result)
	})
}
