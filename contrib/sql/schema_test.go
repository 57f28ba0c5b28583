package wxsql_test

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	wxsql "github.com/wxpay-go/wxpay/contrib/sql"
)

var tables = []string{"wxpay_schema", "wxpay_notification", "wxpay_key_copy", "wxpay_outbox"}

// openAll opens everything, and returns the first error.
func openAll(t testing.TB, db *database) error {
	t.Helper()
	_, inbox := wxsql.OpenInbox(t.Context(), db.DB, db.dialect, 0)
	_, store := wxsql.OpenKeyStore(t.Context(), db.DB, db.dialect)
	_, outbox := wxsql.OpenOutbox(t.Context(), wxsql.OutboxConfig{DB: db.DB, Dialect: db.dialect, Client: newGateway(t).client, Keys: keys})
	return errors.Join(inbox, store, outbox)
}

func TestMigrate(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db *database) {
		err := openAll(t, db)
		require.ErrorIs(t, err, wxsql.ErrSchema)
		assert.ErrorContains(t, err, "the table wxpay_schema is missing: run wxsql.Migrate")

		// Programs that start at once do it one after another.
		var wait sync.WaitGroup
		for range 6 {
			other := db.again(t)
			wait.Go(func() { assert.NoError(t, wxsql.Migrate(t.Context(), other.DB, db.dialect)) })
		}
		wait.Wait()
		require.NoError(t, openAll(t, db))
		assert.EqualValues(t, len(tables), db.number(t, "SELECT count(*) FROM wxpay_schema"))

		db.must(t, "UPDATE wxpay_schema SET applied = 1")
		require.NoError(t, wxsql.Migrate(t.Context(), db.DB, db.dialect))
		assert.Zero(t, db.number(t, "SELECT count(*) FROM wxpay_schema WHERE applied <> 1"), "nothing was to do")
	})
}

// MySQL commits after each table, so a migration that was cut off goes on from there.
func TestMigrateCutOff(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db *database) {
		db.migrated(t)
		for _, undo := range []string{
			"DELETE FROM wxpay_schema WHERE name = '0004_wxpay_outbox'", // made and not recorded
			"DROP TABLE wxpay_outbox",
		} {
			db.must(t, "DELETE FROM wxpay_schema WHERE name = '0004_wxpay_outbox'")
			db.must(t, undo)
			err := openAll(t, db)
			require.ErrorIs(t, err, wxsql.ErrSchema)
			require.NoError(t, wxsql.Migrate(t.Context(), db.DB, db.dialect))
			require.NoError(t, openAll(t, db))
		}
	})
}

func TestMigrateStopped(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db *database) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.Error(t, wxsql.Migrate(ctx, db.DB, db.dialect))
		require.NoError(t, wxsql.Migrate(t.Context(), db.DB, db.dialect), "no lock is left")
	})
}

// What is not ours is named and stays as it is, and nothing is made beside it.
func TestForeignTable(t *testing.T) {
	t.Parallel()
	for _, table := range tables {
		t.Run(table, func(t *testing.T) {
			t.Parallel()
			each(t, func(t *testing.T, db *database) {
				db.must(t, "CREATE TABLE "+table+" (name VARCHAR(20), theirs INTEGER)")
				db.must(t, "INSERT INTO "+table+" VALUES ('kept', 7)")
				err := wxsql.Migrate(t.Context(), db.DB, db.dialect)
				require.ErrorIs(t, err, wxsql.ErrSchema)
				assert.ErrorContains(t, err, "the table "+table+" is another program's")
				assert.ErrorContains(t, err, `"theirs"`)
				assert.EqualValues(t, 7, db.number(t, "SELECT theirs FROM "+table+" WHERE name = 'kept'"))
				for _, other := range tables {
					if other != table {
						_, err := db.Exec("SELECT 1 FROM " + other)
						assert.Error(t, err, "%s was made", other)
					}
				}
				require.ErrorIs(t, openAll(t, db), wxsql.ErrSchema)
			})
		})
	}
}

func TestOldAndNewSchema(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db *database) {
		db.migrated(t)
		db.must(t, "DELETE FROM wxpay_schema WHERE name = '0002_wxpay_notification'")
		err := openAll(t, db)
		require.ErrorIs(t, err, wxsql.ErrSchema)
		assert.ErrorContains(t, err, "it is older than this version: 0002_wxpay_notification was not applied: run wxsql.Migrate")
		require.NoError(t, wxsql.Migrate(t.Context(), db.DB, db.dialect))

		db.must(t, "DROP TABLE wxpay_outbox")
		err = wxsql.Migrate(t.Context(), db.DB, db.dialect)
		require.ErrorIs(t, err, wxsql.ErrSchema, "jobs are lost, so no empty table takes their place")
		assert.ErrorContains(t, err, "the table wxpay_outbox is missing")

		db.must(t, "INSERT INTO wxpay_schema (name, applied) VALUES ('0099_of_tomorrow', 1)")
		for _, err := range []error{openAll(t, db), wxsql.Migrate(t.Context(), db.DB, db.dialect)} {
			require.ErrorIs(t, err, wxsql.ErrSchema)
			assert.ErrorContains(t, err, `wxpay_schema lists "0099_of_tomorrow", which this version does not know`)
		}
	})
}

func TestBadInput(t *testing.T) {
	t.Parallel()
	db := newDatabase(t, "sqlite").migrated(t)
	g := newGateway(t)
	open := func(c wxsql.OutboxConfig) error {
		_, err := wxsql.OpenOutbox(t.Context(), c)
		return err
	}
	good := wxsql.OutboxConfig{DB: db.DB, Dialect: wxsql.SQLite, Client: g.client, Keys: keys}
	require.NoError(t, open(good))
	noClient, noKeys, short, noDB := good, good, good, good
	noClient.Client, noKeys.Keys, short.Keys, noDB.DB = nil, nil, [][]byte{keys[0], []byte("short-secret")}, nil
	_, lease := wxsql.OpenInbox(t.Context(), db.DB, wxsql.SQLite, -time.Second)
	closed := newDatabase(t, "sqlite")
	require.NoError(t, closed.Close())
	for text, err := range map[string]error{
		"the outbox has no client":                           open(noClient),
		"the outbox has no key":                              open(noKeys),
		"key 2 of the outbox has 12 bytes":                   open(short),
		"the database is nil":                                open(noDB),
		"there is no Dialect(0)":                             wxsql.Migrate(t.Context(), db.DB, 0),
		"the lease is -1s":                                   lease,
		"the worker has no outbox":                           (&wxsql.Worker{}).Run(t.Context()),
		"Worker.Lease is 1ms":                                (&wxsql.Worker{Outbox: g.outbox(t, db), Lease: time.Millisecond}).Run(t.Context()),
		"the transaction is nil":                             g.outbox(t, db).Add(t.Context(), nil, wxsql.Job{}),
		"wxsql: migrating: sql: database is closed":          wxsql.Migrate(t.Context(), closed.DB, wxsql.SQLite),
		"wxsql: reading the schema: sql: database is closed": openAll(t, closed),
	} {
		assert.ErrorContains(t, err, text)
		assert.NotContains(t, err.Error(), "secret")
	}
}

// A wrong address is an error that names it, and no password.
func TestWrongAddress(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		kind, driver, address, named string
		dialect                      wxsql.Dialect
	}{
		{"postgresql", "pgx", "host=/nowhere/at/all user=shop password=hunter2 dbname=shop", "/nowhere/at/all", wxsql.PostgreSQL},
		{"mysql", "mysql", "shop:hunter2@unix(/nowhere/at/all)/shop", "/nowhere/at/all", wxsql.MySQL},
		{"sqlite", "sqlite", "file:/nowhere/at/all.db", "unable to open database file", wxsql.SQLite},
	} {
		t.Run(tt.kind, func(t *testing.T) {
			db, err := sql.Open(tt.driver, tt.address)
			require.NoError(t, err)
			defer db.Close()
			_, err = wxsql.OpenInbox(t.Context(), db, tt.dialect, 0)
			require.ErrorContains(t, err, tt.named)
			assert.NotContains(t, err.Error(), "hunter2")
			assert.NotErrorIs(t, err, wxsql.ErrSchema)
		})
	}
}
