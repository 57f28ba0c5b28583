// Package wxotel reports to OpenTelemetry what the client and the notification handler of wxpay do:
// spans, metrics and trace ids in log records.
//
//	telemetry, err := wxotel.New()
//	client, err := wxpay.New(merchant, …,
//		wxpay.WithMiddleware(telemetry.Middleware()),
//		wxpay.WithLimiter(telemetry.Limiter(middleware.NewLimits())),
//		wxpay.WithLogger(slog.New(wxotel.LogHandler(slog.Default().Handler()))))
//	handler, err := webhook.New(receiver, webhook.WithObserver(telemetry.ObserveDelivery))
//	http.Handle("/wxpay/notify", telemetry.Handler(handler))
//
// # Spans
//
// A logical call is one CLIENT span, named by its method and the template of its path. Each attempt
// is a child of kind INTERNAL: as CLIENT spans, retries would count as calls in service graphs. The
// limiter, the signing key and the transport run under the span of the attempt.
//
// A delivery of a notification is one CONSUMER span, and the work of the function hangs under it.
// It ends with the response; a function that overruns its budget goes on under the ended span.
//
// A call that fails before the pipeline (building and checking the request, waiting in the queue)
// has no span: nothing was sent.
//
// # Metrics
//
// [Instruments] lists them. Names of the platform and of this package begin with wxpay; the others
// are those of the semantic conventions of OpenTelemetry.
//
// # What is left out
//
// Attributes are an allow-list, [Attributes]. No attribute holds a URL, a query, a body, a header,
// an identity, the merchant's own number or the text of an error from outside: url.full, which the
// semantic conventions require, would contain transaction and order numbers. A template that the
// catalogue does not know loses each segment with three digits or more. Codes and request ids of
// the platform that do not look like such are left out.
//
// Nothing is sent to the platform: the package injects no traceparent and no baggage. It reads none
// from notifications either, because everybody can call their address.
//
// The package is safe for concurrent use. It calls the SDK on the goroutine of the call: use a
// batch processor and a periodic reader, which do not wait for the network.
//
// Sources: https://opentelemetry.io/docs/specs/semconv/http/,
// https://opentelemetry.io/docs/specs/semconv/messaging/ (version 1.43.0, November 2026).
//
// Guide: contrib/otel/README.md.
package wxotel
