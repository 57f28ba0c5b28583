package wxsql

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/wxpay-go/wxpay"
)

// OutboxConfig is what an outbox needs: all of it.
type OutboxConfig struct {
	DB      *sql.DB
	Dialect Dialect
	// Client makes the calls. Jobs are its caller's: an outbox of another merchant's client sees
	// none of them in the same table.
	Client *wxpay.Client
	// Keys have 32 bytes each. Requests and responses are stored encrypted, because they name
	// people. The first key encrypts, all decrypt: put a new one first, and remove the old one when
	// no job is left that it encrypted. Keep them apart from the database.
	Keys [][]byte
}

// Outbox has calls to make once. [Outbox.Add] stores a call in the transaction of the shop's own
// change, so that both are there or neither. A [Worker] makes it by wxpay.Chain.Ensure and stores
// the result.
type Outbox struct {
	db      *sql.DB
	dialect Dialect
	client  *wxpay.Client
	caller  string
	sealer  sealer
}

// Format prints the caller under every verb.
func (o Outbox) Format(s fmt.State, _ rune) { _, _ = fmt.Fprintf(s, "wxsql.Outbox{%s}", o.caller) }

// OpenOutbox returns the outbox in a database that has the tables of [Migrate].
func OpenOutbox(ctx context.Context, config OutboxConfig) (*Outbox, error) {
	if config.Client == nil {
		return nil, errors.New("wxsql: the outbox has no client")
	}
	sealer, err := newSealer(config.Keys)
	if err != nil {
		return nil, err
	}
	if err := config.Dialect.ready(ctx, config.DB, "wxpay_outbox"); err != nil {
		return nil, err
	}
	return &Outbox{config.DB, config.Dialect, config.Client, config.Client.Identity(), sealer}, nil
}

var (
	// ErrConflict means that the merchant's number stands for another request in this outbox. A
	// number is never used for two.
	ErrConflict = errors.New("wxsql: the number stands for another request in the outbox")
	// ErrNoJob means that the outbox has no job with this number, or none in the needed state.
	ErrNoJob = errors.New("wxsql: the outbox has no such job")
)

// Format prints no key under any verb.
func (c OutboxConfig) Format(s fmt.State, _ rune) {
	_, _ = fmt.Fprintf(s, "wxsql.OutboxConfig{%s}", c.Dialect)
}

// place binds what is sealed to its row and column.
func place(column string, id []byte) string { return column + "\x00" + string(id) }

// Add stores a job in the caller's transaction, at whatever isolation level. It checks the request
// as wxpay.Chain.Check does. The call is made after the commit, and never after a rollback.
//
// Adding the same job again does nothing, also after its end; so repeat a transaction whose commit
// failed with an unknown result. Another request under the same number is [ErrConflict]. An error
// stores nothing; roll the transaction back.
func (o *Outbox) Add(ctx context.Context, tx *sql.Tx, job Job) error {
	if tx == nil {
		return errors.New("wxsql: adding a job: the transaction is nil")
	}
	p, err := job.prepare(ctx, o.client)
	if err != nil {
		return fmt.Errorf("wxsql: adding a job: %w", err)
	}
	var r request
	if err := json.Unmarshal(p.text, &r); err != nil {
		return err
	}
	added, err := o.dialect.exec(ctx, tx, `INSERT{ignore} INTO wxpay_outbox
		(job, caller, path, number, request, state, due, begun, code, added)
		VALUES (?, ?, ?, ?, ?, ?, {now}, 0, '', {now}){nothing}`,
		p.id, o.caller, r.Path, p.number, o.sealer.seal(place("request", p.id), p.text), string(Waiting))
	if err != nil {
		return fmt.Errorf("wxsql: adding a job: %w", err)
	}
	if added == 1 {
		return nil
	}
	var sealed []byte
	err = o.dialect.row(ctx, tx, "SELECT request FROM wxpay_outbox WHERE job = ?", p.id).Scan(&sealed)
	if errors.Is(err, sql.ErrNoRows) { // REPEATABLE READ hides it
		return errors.New("wxsql: adding a job: another transaction has added its number meanwhile: " +
			"roll back and repeat the transaction")
	}
	if err != nil {
		return fmt.Errorf("wxsql: adding a job: %w", err)
	}
	text, err := o.sealer.open(place("request", p.id), sealed)
	switch {
	case err != nil:
		return err
	case !bytes.Equal(text, p.text):
		return ErrConflict
	}
	return nil
}

// columns are those that scan reads.
const columns = "id, job, path, number, request, state, due, doubt, begun, code, result, added, ended"

// row is a job as the table has it.
type row struct {
	id           int64
	job          []byte
	path, number string
	request      []byte
	state        State
	due, doubt   sql.NullInt64
	begun        int
	code         string
	result       []byte
	added        int64
	ended        sql.NullInt64
}

// scan reads the columns, and more that follow them.
func (r *row) scan(scan func(...any) error, more ...any) error {
	return scan(append([]any{&r.id, &r.job, &r.path, &r.number, &r.request, &r.state, &r.due, &r.doubt, &r.begun, &r.code,
		&r.result, &r.added, &r.ended}, more...)...)
}

// result opens the result of a row.
func (o *Outbox) result(r *row) (Result, error) {
	result := Result{Path: r.path, Number: r.number, State: r.state, Code: r.code, Attempts: r.begun, Added: moment(r.added)}
	if r.ended.Valid {
		result.Ended = moment(r.ended.Int64)
	}
	if r.result == nil {
		return result, nil
	}
	text, err := o.sealer.open(place("result", r.job), r.result)
	if err == nil {
		err = json.Unmarshal(text, &result.Details)
	}
	return result, err
}

// sealResult is the reverse of result.
func (o *Outbox) sealResult(job []byte, details *Details) ([]byte, error) {
	text, err := json.Marshal(details)
	return o.sealer.seal(place("result", job), text), err
}

// Result returns what is known of the job with the merchant's number. The path tells which kind of
// number. Without such a job it returns [ErrNoJob].
func (o *Outbox) Result(ctx context.Context, path, number string) (Result, error) {
	var r row
	id := identify(o.client, path, number)
	err := r.scan(o.dialect.row(ctx, o.db, "SELECT "+columns+" FROM wxpay_outbox WHERE job = ?", id).Scan)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return Result{}, ErrNoJob
	case err != nil:
		return Result{}, fmt.Errorf("wxsql: reading a job: %w", err)
	}
	return o.result(&r)
}

// Retry makes a refused job wait again, once the reason is gone: the balance is recharged, the
// permission is given. The number and the request stay the same. Without a refused job it returns
// [ErrNoJob].
func (o *Outbox) Retry(ctx context.Context, path, number string) error {
	n, err := o.dialect.exec(ctx, o.db, "UPDATE wxpay_outbox SET state = ?, due = {now}, ended = NULL WHERE job = ? AND state = ?",
		string(Waiting), identify(o.client, path, number), string(Refused))
	if err != nil {
		return fmt.Errorf("wxsql: retrying a job: %w", err)
	}
	if n == 0 {
		return fmt.Errorf("%w in the state %s", ErrNoJob, Refused)
	}
	return nil
}

// Settle ends a job whose outcome is unknown by what somebody has found out elsewhere, such as on
// the platform's pages for merchants: it has [Succeeded], or it has [Failed] without effect. It
// runs in the caller's transaction, beside the shop's own change. Without a job of unknown outcome
// it returns [ErrNoJob]; a worker may have it in hand just now.
func (o *Outbox) Settle(ctx context.Context, tx *sql.Tx, path, number string, state State) error {
	if state != Succeeded && state != Failed {
		return fmt.Errorf("wxsql: a job cannot be settled as %.20q: only as succeeded or failed", string(state))
	}
	id := identify(o.client, path, number)
	details, err := o.sealResult(id, &Details{Settled: true})
	if err != nil {
		return err
	}
	n, err := o.dialect.exec(ctx, tx, `UPDATE wxpay_outbox SET state = ?, due = NULL, doubt = NULL, code = '', result = ?, ended = {now}
		WHERE job = ? AND state = ?`, string(state), details, id, string(Unknown))
	if err != nil {
		return fmt.Errorf("wxsql: settling a job: %w", err)
	}
	if n == 0 {
		return fmt.Errorf("%w in the state %s", ErrNoJob, Unknown)
	}
	return nil
}

// Status counts the jobs that have not succeeded.
func (o *Outbox) Status(ctx context.Context) (s Status, err error) {
	var oldest sql.NullInt64
	err = o.dialect.row(ctx, o.db, `SELECT min(added), count(CASE state WHEN 'waiting' THEN 1 END),
		count(CASE state WHEN 'begun' THEN 1 END), count(CASE state WHEN 'unknown' THEN 1 END) FROM wxpay_outbox WHERE caller = ? AND due IS NOT NULL`, o.caller).
		Scan(&oldest, &s.Waiting, &s.Begun, &s.Unknown)
	if err == nil {
		err = o.dialect.row(ctx, o.db, "SELECT count(*) FROM wxpay_outbox WHERE caller = ? AND state = 'refused'", o.caller).
			Scan(&s.Refused)
	}
	if err != nil {
		return Status{}, fmt.Errorf("wxsql: reading the state of the outbox: %w", err)
	}
	if oldest.Valid {
		s.Oldest = moment(oldest.Int64)
	}
	return s, nil
}

// Prune deletes jobs that ended longer than age ago and are not refused, and returns how many that
// were. The outbox then no longer knows their numbers: keep them for as long as the shop may add
// one again.
func (o *Outbox) Prune(ctx context.Context, age time.Duration) (int64, error) {
	if age < 0 {
		return 0, fmt.Errorf("wxsql: pruning the outbox: the age is %s, it must not be negative", age)
	}
	n, err := o.dialect.exec(ctx, o.db, "DELETE FROM wxpay_outbox WHERE caller = ? AND ended <= {now} - ? AND state <> 'refused'",
		o.caller, age.Microseconds())
	if err != nil {
		return 0, fmt.Errorf("wxsql: pruning the outbox: %w", err)
	}
	return n, nil
}
