// Command webhook-dedupe is a small shop that receives payment notifications on several instances behind one address. They
// share a PostgreSQL database, in which [Store] remembers what was processed.
//
//	DATABASE_URL=postgres://… LISTEN=127.0.0.1:8080 WXPAY_…=… go run .
//
// It shows two things that belong together. The Store keeps a function from running again for a notification that is done,
// or beside another run of it, on whichever instance. And since an instance can die at any moment, also between its commit
// and the note that it is done, the function changes the order in one transaction that a second run finds done.
//
// It is an example to copy from, no package to import; the tables are made for reading. Take [Store] with notification.sql
// as it is, and [shop.paid] as the pattern for a function.
//
// The tests start a PostgreSQL server of their own. They need its programs: apt-get install -y postgresql on Debian.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/webhook"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.LookupEnv, os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// functionTimeout is when the context of a function ends, and lease how long a claim on an event is good for if its
// instance dies. The lease has to be longer, or a function that is slow would be joined by a second one.
const (
	functionTimeout = time.Minute
	lease           = 90 * time.Second
)

// run is one instance. It prints its address, and serves until the context ends. Options are applied last.
func run(ctx context.Context, lookup func(string) (string, bool), stdout io.Writer, options ...webhook.Option) error {
	client, err := wxpay.FromLookupEnv(lookup)
	if err != nil {
		return err
	}
	url, ok := lookup("DATABASE_URL")
	if !ok {
		return errors.New("DATABASE_URL is not set: it is the address of a PostgreSQL database, such as postgres://shop@localhost/shop")
	}
	db, err := pgxpool.New(ctx, url)
	if err != nil {
		return fmt.Errorf("DATABASE_URL: %w", err)
	}
	defer db.Close()
	if err := migrate(ctx, db); err != nil {
		return fmt.Errorf("making the tables: %w", err)
	}

	mchID, _ := lookup("WXPAY_MCHID")
	apiv3Key, _ := lookup("WXPAY_APIV3_KEY")
	store := NewStore(db, lease)
	handler, err := webhook.New(
		webhook.Merchant{ID: mchID, APIv3Key: apiv3Key, Keys: client},
		append([]webhook.Option{webhook.WithDeduper(store), webhook.WithTimeout(functionTimeout)}, options...)...)
	if err != nil {
		return err
	}
	s := &shop{db: db, mchID: mchID}
	handler.On(webhook.TransactionSuccess, s.paid)

	address, _ := lookup("LISTEN")
	if address == "" {
		address = "127.0.0.1:8080"
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("POST /wxpay/notify", handler)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	fmt.Fprintf(stdout, "http://%s/wxpay/notify\n", listener.Addr())

	prune := time.NewTicker(time.Hour)
	defer prune.Stop()
	for {
		select {
		case err := <-served:
			return err
		case <-prune.C:
			if _, err := store.Prune(ctx); err != nil {
				log.Printf("pruning: %v", err)
			}
		case <-ctx.Done():
			// First no new deliveries, then the end of what runs, so that every claim is ended.
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), functionTimeout)
			defer cancel()
			return errors.Join(server.Shutdown(ctx), handler.Wait(ctx))
		}
	}
}
