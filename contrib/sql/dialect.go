package wxsql

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Dialect is the kind of a database.
type Dialect int

// Kinds of databases. The tests run PostgreSQL 15, MariaDB 10.11 and SQLite 3.51; the versions
// below are those whose documentation has all that the statements use.
const (
	PostgreSQL Dialect = iota + 1 // from 12
	MySQL                         // MySQL from 8.0.1, MariaDB from 10.6
	SQLite                        // from 3.42
)

func (d Dialect) String() string {
	switch d {
	case PostgreSQL:
		return "postgresql"
	case MySQL:
		return "mysql"
	case SQLite:
		return "sqlite"
	}
	return "Dialect(" + strconv.Itoa(int(d)) + ")"
}

// check reports whether a database and its dialect can be used.
func (d Dialect) check(db *sql.DB) error {
	switch {
	case db == nil:
		return fmt.Errorf("wxsql: the database is nil")
	case d < PostgreSQL || d > SQLite:
		return fmt.Errorf("wxsql: there is no %s: use PostgreSQL, MySQL or SQLite", d)
	}
	return nil
}

// words replaces what the dialects spell differently. {now} is the server's time in microseconds
// since 1970; it moves within a transaction.
var words = map[Dialect]*strings.Replacer{
	PostgreSQL: strings.NewReplacer(
		"{now}", "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)",
		"{ignore}", "", "{nothing}", " ON CONFLICT DO NOTHING", "{skip}", " FOR UPDATE SKIP LOCKED"),
	MySQL: strings.NewReplacer(
		"{now}", "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))", // whatever the time zone of the session
		"{ignore}", " IGNORE", "{nothing}", "", "{skip}", " FOR UPDATE SKIP LOCKED"),
	SQLite: strings.NewReplacer(
		"{now}", "CAST(unixepoch('subsec') * 1000000 AS INTEGER)",
		"{ignore}", "", "{nothing}", " ON CONFLICT DO NOTHING", "{skip}", ""), // it has one writer at a time
}

// text spells a statement in the dialect. Its placeholders are question marks.
func (d Dialect) text(statement string) string {
	statement = words[d].Replace(statement)
	if d != PostgreSQL {
		return statement
	}
	var b strings.Builder
	for n := 1; ; n++ {
		before, after, found := strings.Cut(statement, "?")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		b.WriteString("$" + strconv.Itoa(n))
		statement = after
	}
}

// querier is a *sql.DB, *sql.Conn or *sql.Tx.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// exec executes a statement and returns how many rows it changed.
func (d Dialect) exec(ctx context.Context, q querier, statement string, args ...any) (int64, error) {
	result, err := q.ExecContext(ctx, d.text(statement), args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// row reads one row.
func (d Dialect) row(ctx context.Context, q querier, statement string, args ...any) *sql.Row {
	return q.QueryRowContext(ctx, d.text(statement), args...)
}

// transact runs fn in a transaction at READ COMMITTED (SQLite has only SERIALIZABLE), and commits
// if it returns nil. In SQLite the first statement must write: a transaction that reads first fails
// if another one has written meanwhile.
func (d Dialect) transact(ctx context.Context, db *sql.DB, fn func(tx *sql.Tx) error) error {
	var options *sql.TxOptions
	if d != SQLite {
		options = &sql.TxOptions{Isolation: sql.LevelReadCommitted}
	}
	tx, err := db.BeginTx(ctx, options)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after an error or a panic; after Commit it does nothing
	if err := fn(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// moment converts a time of the tables.
func moment(micros int64) time.Time { return time.UnixMicro(micros) }
