package wxsql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

// ErrSchema means that the tables are not those of this version: they are missing, older, newer,
// or somebody else's. The error names the table. Nothing was changed.
var ErrSchema = errors.New("wxsql: the schema does not fit")

//go:embed schema
var schemas embed.FS

// A migration makes one table. Its file has the statements, one ends with a semicolon at the end
// of a line.
type migration struct {
	name       string // 0004_wxpay_outbox
	table      string // wxpay_outbox
	columns    []string
	statements []string
}

// column is the name of a column in a migration's file.
var column = regexp.MustCompile(`(?m)^\t([a-z]+) `)

// migrations returns those of a dialect, in order.
func (d Dialect) migrations() (list []migration, err error) {
	names, err := fs.Glob(schemas, "schema/"+d.String()+"/*.sql") // sorted
	if err != nil {
		return nil, err
	}
	for _, file := range names {
		text, err := schemas.ReadFile(file)
		if err != nil {
			return nil, err
		}
		m := migration{name: strings.TrimSuffix(path.Base(file), ".sql")}
		_, m.table, _ = strings.Cut(m.name, "_")
		for _, match := range column.FindAllSubmatch(text, -1) {
			m.columns = append(m.columns, string(match[1]))
		}
		for statement := range strings.SplitSeq(strings.TrimSpace(string(text)), ";\n") {
			m.statements = append(m.statements, strings.TrimSuffix(statement, ";"))
		}
		list = append(list, m)
	}
	return list, nil
}

// Migrate makes the tables that are missing. Run it when a program starts or is deployed: it does
// nothing if all are there, and several may run at once. It never changes or deletes a table that
// it did not make: one of the same name with other columns is an error that wraps [ErrSchema].
//
// In PostgreSQL and SQLite it makes all tables or none. MySQL commits after each, and Migrate goes
// on from there the next time. It needs the right to create tables, which the program itself does
// not need. PostgreSQL makes them in the first schema of the search_path.
func Migrate(ctx context.Context, db *sql.DB, dialect Dialect) error {
	if err := dialect.check(db); err != nil {
		return err
	}
	list, err := dialect.migrations()
	if err != nil {
		return err
	}
	err = dialect.alone(ctx, db, func(q querier) error { return dialect.migrate(ctx, q, list) })
	if err != nil && !errors.Is(err, ErrSchema) {
		err = fmt.Errorf("wxsql: migrating: %w", err)
	}
	return err
}

// alone runs fn while no other Migrate runs, in a transaction where the dialect has one for tables.
func (d Dialect) alone(ctx context.Context, db *sql.DB, fn func(querier) error) error {
	switch d {
	case PostgreSQL:
		return d.transact(ctx, db, func(tx *sql.Tx) error {
			const anyNumber = 1900000109
			if _, err := d.exec(ctx, tx, "SELECT pg_advisory_xact_lock(?)", anyNumber); err != nil {
				return err
			}
			return fn(tx)
		})
	case MySQL:
		// The lock is the connection's. Locks are the server's, so the name has the database.
		const name = "CONCAT('wxpay ', SHA1(DATABASE()))"
		return onConn(ctx, db, "SELECT GET_LOCK("+name+", 60)", "DO RELEASE_LOCK("+name+")", "DO RELEASE_LOCK("+name+")", fn)
	default:
		return onConn(ctx, db, "BEGIN IMMEDIATE", "COMMIT", "ROLLBACK", fn)
	}
}

// onConn runs fn on one connection, between begin and end, or fail after an error.
func onConn(ctx context.Context, db *sql.DB, begin, end, fail string, fn func(querier) error) (err error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	ended := false
	defer func() {
		if !ended { // also after a panic
			if _, failure := conn.ExecContext(context.WithoutCancel(ctx), fail); failure != nil {
				_ = conn.Raw(func(any) error { return driver.ErrBadConn }) // it is not used again
			}
		}
		_ = conn.Close()
	}()
	if _, err := conn.ExecContext(ctx, begin); err != nil {
		return err
	}
	if err := fn(conn); err != nil {
		return err
	}
	_, err = conn.ExecContext(ctx, end)
	ended = err == nil
	return err
}

// migrate makes what is missing. It looks at everything before it makes anything.
func (d Dialect) migrate(ctx context.Context, q querier, list []migration) error {
	there := make(map[string]bool)
	for _, m := range list {
		columns, err := d.columns(ctx, q, m.table)
		if err != nil {
			return err
		}
		if len(columns) > 0 {
			if err := m.fits(columns); err != nil {
				return err
			}
		}
		there[m.table] = len(columns) > 0
	}
	applied := map[string]bool{}
	if there[list[0].table] {
		var err error
		if applied, err = d.applied(ctx, q, list); err != nil {
			return err
		}
	}
	for _, m := range list {
		switch {
		case applied[m.name] && !there[m.table]:
			return fmt.Errorf("%w: wxpay_schema lists %s, and the table %s is missing: restore it, or delete that row for an empty one",
				ErrSchema, m.name, m.table)
		case applied[m.name]:
			continue
		case !there[m.table]:
			for _, statement := range m.statements {
				if _, err := q.ExecContext(ctx, statement); err != nil {
					return fmt.Errorf("%s: %w", m.name, err)
				}
			}
		} // else MySQL made it, and was stopped before it was recorded
		if _, err := d.exec(ctx, q, "INSERT INTO wxpay_schema (name, applied) VALUES (?, {now})", m.name); err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
	}
	return nil
}

// applied reads the names of the migrations that were applied.
func (d Dialect) applied(ctx context.Context, q querier, known []migration) (names map[string]bool, err error) {
	rows, err := q.QueryContext(ctx, "SELECT name FROM wxpay_schema")
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	names = make(map[string]bool)
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(known, func(m migration) bool { return m.name == name }) {
			return nil, fmt.Errorf("%w: wxpay_schema lists %.40q, which this version does not know: a newer one made it; use that one",
				ErrSchema, name)
		}
		names[name] = true
	}
	return names, rows.Err()
}

// columns returns the columns of a table, none if it is missing.
func (d Dialect) columns(ctx context.Context, q querier, table string) (names []string, err error) {
	query := map[Dialect]string{
		PostgreSQL: "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(?) AND attnum > 0 AND NOT attisdropped",
		MySQL:      "SELECT column_name FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = ?",
		SQLite:     "SELECT name FROM pragma_table_info(?)",
	}[d]
	rows, err := q.QueryContext(ctx, d.text(query), table)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, rows.Err()
}

// fits reports whether a table has the columns of the migration and no others.
func (m *migration) fits(columns []string) error {
	var missing, other []string
	for _, name := range m.columns {
		if !slices.Contains(columns, name) {
			missing = append(missing, name)
		}
	}
	for _, name := range columns {
		if !slices.Contains(m.columns, name) {
			other = append(other, name)
		}
	}
	if len(missing)+len(other) == 0 {
		return nil
	}
	return fmt.Errorf("%w: the table %s is another program's or another version's (it lacks %q and has %q): "+
		"rename it, or use another schema or database", ErrSchema, m.table, missing, other)
}

// ready checks that a table is there and this version's.
func (d Dialect) ready(ctx context.Context, db *sql.DB, table string) error {
	if err := d.check(db); err != nil {
		return err
	}
	list, err := d.migrations()
	if err != nil {
		return err
	}
	for _, m := range list {
		if m.table != table && m.table != list[0].table {
			continue
		}
		columns, err := d.columns(ctx, db, m.table)
		switch {
		case err != nil:
			return fmt.Errorf("wxsql: reading the schema: %w", err)
		case len(columns) == 0:
			return fmt.Errorf("%w: the table %s is missing: run wxsql.Migrate", ErrSchema, m.table)
		}
		if err := m.fits(columns); err != nil {
			return err
		}
	}
	applied, err := d.applied(ctx, db, list)
	if err != nil {
		if !errors.Is(err, ErrSchema) {
			err = fmt.Errorf("wxsql: reading the schema: %w", err)
		}
		return err
	}
	for _, m := range list {
		if !applied[m.name] {
			return fmt.Errorf("%w: it is older than this version: %s was not applied: run wxsql.Migrate", ErrSchema, m.name)
		}
	}
	return nil
}
