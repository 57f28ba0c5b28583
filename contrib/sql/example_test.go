package wxsql_test

import (
	"context"
	"database/sql"
	"fmt"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite" // in production: your driver

	"github.com/wxpay-go/wxpay"
	wxsql "github.com/wxpay-go/wxpay/contrib/sql"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/webhook"
)

// exampleShop opens the shop's database, and a client.
func exampleShop(ctx context.Context) (db *sql.DB, client *wxpay.Client, sb *sandbox.Sandbox, end func()) {
	dir, err := os.MkdirTemp("", "shop")
	if err != nil {
		log.Fatal(err)
	}
	db, err = sql.Open("sqlite", "file:"+filepath.ToSlash(filepath.Join(dir, "shop.db"))+"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)")
	if err != nil {
		log.Fatal(err)
	}
	if _, err := db.ExecContext(ctx, "CREATE TABLE shop_order (number TEXT PRIMARY KEY, state TEXT)"); err != nil {
		log.Fatal(err)
	}
	if _, err := db.ExecContext(ctx, "INSERT INTO shop_order VALUES ('ORDER-1', 'new')"); err != nil {
		log.Fatal(err)
	}
	if sb, err = sandbox.New(); err != nil { // in production there is none
		log.Fatal(err)
	}
	if client, err = wxpay.FromLookupEnv(sb.LookupEnv, wxpay.WithTransport(sb.Transport())); err != nil {
		log.Fatal(err)
	}
	return db, client, sb, func() {
		_ = db.Close()
		_ = os.RemoveAll(dir)
	}
}

// The shop marks an order as paid. The mark and the note that the notification is done are one
// commit, so a second delivery changes nothing, whatever has died meanwhile.
func ExampleInbox_Func() {
	ctx := context.Background()
	db, client, sb, end := exampleShop(ctx)
	defer end()
	if err := wxsql.Migrate(ctx, db, wxsql.SQLite); err != nil {
		log.Fatal(err)
	}
	inbox, err := wxsql.OpenInbox(ctx, db, wxsql.SQLite, 0)
	if err != nil {
		log.Fatal(err)
	}
	m := sb.Merchant()
	handler, err := webhook.New(webhook.Merchant{ID: m.ID, APIv3Key: m.APIv3Key, Keys: client}, webhook.WithDeduper(inbox))
	if err != nil {
		log.Fatal(err)
	}
	handler.On(webhook.TransactionSuccess, inbox.Func(func(ctx context.Context, tx *sql.Tx, e *webhook.Event) error {
		fmt.Println("paid")
		_, err := tx.ExecContext(ctx, "UPDATE shop_order SET state = 'paid' WHERE number = ?", e.Get("out_trade_no").String())
		return err
	}))

	for range 2 { // the platform may deliver twice
		r, err := sb.Deliveries.Notify(webhook.TransactionSuccess, nil)
		if err != nil {
			log.Fatal(err)
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		fmt.Println(w.Code)
	}
	// Output:
	// paid
	// 204
	// 204
}

// The shop decides on a refund. Its own change and the call are one commit; a worker makes the call
// and stores the result, in one commit with the shop's next change.
func ExampleOutbox() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	db, client, sb, end := exampleShop(ctx)
	defer end()
	if _, err := sb.Users.AddPaidOrder("ORDER-1", 12_50); err != nil {
		log.Fatal(err)
	}
	if err := wxsql.Migrate(ctx, db, wxsql.SQLite); err != nil {
		log.Fatal(err)
	}
	key := []byte("32 bytes of your store of secret") // openssl rand 32
	outbox, err := wxsql.OpenOutbox(ctx, wxsql.OutboxConfig{DB: db, Dialect: wxsql.SQLite, Client: client, Keys: [][]byte{key}})
	if err != nil {
		log.Fatal(err)
	}

	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.ExecContext(ctx, "UPDATE shop_order SET state = 'refunding' WHERE number = 'ORDER-1'"); err != nil {
		log.Fatal(err)
	}
	err = outbox.Add(ctx, tx, wxsql.Job{Path: "v3/refund/domestic/refunds", Body: wxpay.JSON{
		"out_trade_no": "ORDER-1", "out_refund_no": "REFUND-1",
		"amount": wxpay.JSON{"refund": 5_00, "total": 12_50, "currency": "CNY"},
	}})
	if err != nil {
		log.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		log.Fatal(err)
	}

	worker := wxsql.Worker{Outbox: outbox, OnResult: func(ctx context.Context, tx *sql.Tx, r wxsql.Result) error {
		fmt.Println(r.Number, r.State)
		cancel() // in production it runs on
		_, err := tx.ExecContext(ctx, "UPDATE shop_order SET state = ? WHERE number = 'ORDER-1'", "refund "+string(r.State))
		return err
	}}
	if err := worker.Run(ctx); err != nil {
		log.Fatal(err)
	}
	result, err := outbox.Result(context.Background(), "v3/refund/domestic/refunds", "REFUND-1")
	fmt.Println(result.State, err)
	// Output:
	// REFUND-1 accepted
	// accepted <nil>
}

// Instances share the platform's certificates, and a restart asks for none.
func ExampleOpenKeyStore() {
	ctx := context.Background()
	db, _, sb, end := exampleShop(ctx)
	defer end()
	if err := wxsql.Migrate(ctx, db, wxsql.SQLite); err != nil {
		log.Fatal(err)
	}
	store, err := wxsql.OpenKeyStore(ctx, db, wxsql.SQLite)
	if err != nil {
		log.Fatal(err)
	}
	m := sb.Merchant()
	_, err = wxpay.New(wxpay.Merchant{ID: m.ID, Serial: m.Serial, PrivateKey: m.PrivateKey, APIv3Key: m.APIv3Key},
		wxpay.WithCertificates(wxpay.StoreIn(store)))
	fmt.Println(err)
	// Output: <nil>
}
