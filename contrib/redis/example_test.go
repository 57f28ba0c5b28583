package wxredis_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/wxpay-go/wxpay"
	wxredis "github.com/wxpay-go/wxpay/contrib/redis"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/webhook"
)

// One store for everything that the processes of a shop share.
func Example() {
	server, err := miniredis.Run() // in production: your server
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	sb, err := sandbox.New(sandbox.WithKeyMode(sandbox.CertificatesOnly)) // in production: nothing
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()

	rdb := redis.NewUniversalClient(&redis.UniversalOptions{Addrs: []string{server.Addr()}})
	defer rdb.Close()
	store, err := wxredis.New(rdb, wxredis.WithProcesses(4))
	if err != nil {
		log.Fatal(err)
	}

	m := sb.Merchant()
	client, err := wxpay.New(wxpay.Merchant{ID: m.ID, Certificate: m.Certificate, PrivateKey: m.PrivateKey, APIv3Key: m.APIv3Key},
		wxpay.WithCertificates(wxpay.StoreIn(store)),
		wxpay.WithLimiter(store),
		wxpay.WithTransport(sb.Transport()), // in production: nothing
	)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	handler, err := webhook.New(webhook.Merchant{ID: m.ID, APIv3Key: m.APIv3Key, Keys: client},
		webhook.WithDeduper(store))
	if err != nil {
		log.Fatal(err)
	}
	handler.On(webhook.TransactionSuccess, func(ctx context.Context, e *webhook.Event) error {
		fmt.Println("paid")
		return nil
	})

	sample, err := sb.Deliveries.Sample(webhook.TransactionSuccess)
	if err != nil {
		log.Fatal(err)
	}
	for range 2 { // the platform delivers the same notification twice
		r, err := sb.Deliveries.Notify(webhook.TransactionSuccess, sample)
		if err != nil {
			log.Fatal(err)
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r.WithContext(ctx))
		fmt.Println(http.StatusText(w.Code))
	}
	// Output:
	// paid
	// No Content
	// No Content
}

// A program asks when it starts whether the server can be used, and whether it may forget.
func ExampleStore_Check() {
	server, err := miniredis.Run() // in production: your server
	if err != nil {
		log.Fatal(err)
	}
	rdb := redis.NewClient(&redis.Options{Addr: server.Addr(), DialerRetries: 1})
	defer rdb.Close()
	store, err := wxredis.New(rdb)
	if err != nil {
		log.Fatal(err)
	}
	server.Close()
	if err := store.Check(context.Background()); err != nil {
		fmt.Println("starting without shared state")
	}
	// Output: starting without shared state
}
