// Package wxsql keeps in a shop's own SQL database what the payment code must not forget: which
// notifications were processed ([Inbox]), calls that must happen once ([Outbox], [Worker]), and the
// platform's certificates ([OpenKeyStore]). It works on database/sql with PostgreSQL, MySQL,
// MariaDB and SQLite, and imports no driver.
//
//	err := wxsql.Migrate(ctx, db, wxsql.PostgreSQL)
//
//	inbox, err := wxsql.OpenInbox(ctx, db, wxsql.PostgreSQL, 0)
//	handler, err := webhook.New(receiver, webhook.WithDeduper(inbox))
//	handler.On(webhook.TransactionSuccess, inbox.Func(func(ctx context.Context, tx *sql.Tx, e *webhook.Event) error {
//		_, err := tx.ExecContext(ctx, "UPDATE shop_order SET paid = TRUE WHERE number = $1", e.Get("out_trade_no").String())
//		return err
//	}))
//
// The function's change and the note that the notification is done commit together. The same holds
// for a call and the change that makes it necessary:
//
//	outbox, err := wxsql.OpenOutbox(ctx, wxsql.OutboxConfig{DB: db, Dialect: wxsql.PostgreSQL, Client: client, Keys: keys})
//	err = outbox.Add(ctx, tx, wxsql.Job{Path: "v3/refund/domestic/refunds", Body: refund}) // in the shop's transaction
//	err = (&wxsql.Worker{Outbox: outbox}).Run(ctx)                                         // in any process
//
// # When to use something else
//
// Very many calls (hundreds a second for hours) belong in contrib/fleet. An outbox costs the
// database some statements for each call.
//
// # The tables
//
// The folder schema has the statements of each dialect, with comments. All names begin with wxpay_;
// see [Migrate] for tables of the same name. Times are microseconds since 1970 in UTC and are the
// database's, so the clocks of the programs do not matter. Bodies and responses of the outbox are
// encrypted; paths, numbers, states and codes are in clear.
//
// Somebody who can write to the tables can delete jobs, and make them wait or end. The request of a
// job cannot be changed without the key, nor moved to another job.
//
// # Isolation
//
// Transactions of this package are READ COMMITTED. [Outbox.Add] works in the caller's transaction
// at every level. If the server's default for single statements is SERIALIZABLE, they may fail with
// a serialization failure: a delivery is then responded to with 503 and comes again, and a worker
// tries again. SQLite needs a busy timeout and should use WAL: with modernc.org/sqlite
// _pragma=busy_timeout(10000)&_pragma=journal_mode(WAL), and _txlock=immediate if transactions of the
// shop read before they write.
//
// All types are safe for concurrent use.
//
// Guide: contrib/sql/README.md.
package wxsql
