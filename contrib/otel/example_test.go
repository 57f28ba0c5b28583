package wxotel_test

import (
	"context"
	"database/sql"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"time"

	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/apiv3"
	wxotel "github.com/wxpay-go/wxpay/contrib/otel"
	"github.com/wxpay-go/wxpay/middleware"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/webhook"
)

// A client whose calls are spans, and whose log records have their ids.
func ExampleNew() {
	sb, err := sandbox.New() // in production: nothing
	if err != nil {
		log.Fatal(err)
	}
	spans := tracetest.NewSpanRecorder() // in production: a batch processor with your exporter
	telemetry, err := wxotel.New(wxotel.WithTracerProvider(trace.NewTracerProvider(trace.WithSpanProcessor(spans))))
	if err != nil {
		log.Fatal(err)
	}
	merchant := wxpay.Merchant{ID: sb.Merchant().ID, Certificate: sb.Merchant().Certificate, PrivateKey: sb.Merchant().PrivateKey}
	client, err := wxpay.New(merchant, wxpay.WithPublicKey(sb.Keys.PublicKeyID(), sb.Keys.PublicKey()),
		wxpay.WithMiddleware(telemetry.Middleware()),
		wxpay.WithLimiter(telemetry.Limiter(middleware.NewLimits())),
		wxpay.WithLogger(slog.New(wxotel.LogHandler(slog.NewTextHandler(os.Stderr, nil)))),
		wxpay.WithTransport(sb.Transport()), // in production: nothing
	)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := telemetry.Watch(client, merchant.Certificate); err != nil {
		log.Fatal(err)
	}
	_, err = client.Chain("v3/pay/transactions/out-trade-no/{out_trade_no}").Var("out_trade_no", "ORDER-001").
		Query("mchid", client.MchID()).Get(context.Background())
	fmt.Println(wxpay.OutcomeOf(err))
	for _, span := range spans.Ended() {
		fmt.Println(span.SpanKind(), span.Name())
	}
	// Output:
	// rejected
	// internal attempt
	// client GET /v3/pay/transactions/out-trade-no/{out_trade_no}
}

// A handler whose deliveries are spans.
func ExampleTelemetry_Handler() {
	sb, err := sandbox.New() // in production: nothing
	if err != nil {
		log.Fatal(err)
	}
	spans := tracetest.NewSpanRecorder()
	telemetry, err := wxotel.New(wxotel.WithTracerProvider(trace.NewTracerProvider(trace.WithSpanProcessor(spans))))
	if err != nil {
		log.Fatal(err)
	}
	keys, err := apiv3.NewKeySet(apiv3.PlatformKey{Serial: sb.Keys.PublicKeyID(), Key: sb.Keys.PublicKey()})
	if err != nil {
		log.Fatal(err)
	}
	handler, err := webhook.New(webhook.Merchant{ID: sb.Merchant().ID, APIv3Key: sb.Merchant().APIv3Key, Keys: webhook.Static(keys)},
		webhook.WithObserver(telemetry.ObserveDelivery))
	if err != nil {
		log.Fatal(err)
	}
	handler.On(webhook.TransactionSuccess, func(ctx context.Context, e *webhook.Event) error {
		return nil // ctx carries the span
	})
	mux := http.NewServeMux()
	mux.Handle("/wxpay/notify", telemetry.Handler(handler))

	r, err := sb.Deliveries.Notify(webhook.TransactionSuccess, nil) // what the platform sends
	if err != nil {
		log.Fatal(err)
	}
	r.URL.Path = "/wxpay/notify"
	mux.ServeHTTP(httptest.NewRecorder(), r)
	fmt.Println(spans.Ended()[0].SpanKind(), spans.Ended()[0].Name())
	// Output: consumer process TRANSACTION.SUCCESS
}

// The age of an outbox in a database.
func ExampleTelemetry_WatchQueue() {
	var db *sql.DB
	telemetry, err := wxotel.New()
	if err != nil {
		log.Fatal(err)
	}
	registration, err := telemetry.WatchQueue("outbox", func(ctx context.Context) (state wxotel.QueueState, err error) {
		var oldest sql.Null[time.Time]
		err = db.QueryRowContext(ctx, "SELECT count(*), min(created_at) FROM outbox WHERE done_at IS NULL").Scan(&state.Waiting, &oldest)
		state.Oldest = oldest.V
		return state, err
	})
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = registration.Unregister() }()
}
