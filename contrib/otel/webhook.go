package wxotel

import (
	"context"
	"net/http"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/wxpay-go/wxpay/webhook"
)

type deliveryKey struct{}

// Handler returns a handler that runs another under the span of a delivery. Pass
// [Telemetry.ObserveDelivery] to webhook.WithObserver: it tells the span what became of it.
func (t *Telemetry) Handler(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, end := t.Delivery(r.Context())
		defer end()
		handler.ServeHTTP(w, r.WithContext(ctx))
	})
}

// Delivery begins the span of a delivery that does not come through net/http:
//
//	ctx, end := telemetry.Delivery(ctx)
//	defer end()
//	response := handler.Deliver(ctx, delivery)
func (t *Telemetry) Delivery(ctx context.Context) (context.Context, func()) {
	ctx, span := t.tracer.Start(ctx, "process notification", trace.WithSpanKind(trace.SpanKindConsumer),
		trace.WithAttributes(semconv.MessagingSystemKey.String(messageSystem), semconv.MessagingOperationTypeProcess))
	return context.WithValue(ctx, deliveryKey{}, span), func() { span.End() }
}

// ObserveDelivery records one observation of a delivery: pass it to webhook.WithObserver. The error
// of a function stays out, since it may contain anything; error.type has its kind.
func (t *Telemetry) ObserveDelivery(ctx context.Context, o webhook.Observation) {
	result, failure, event := deliveryResult(o), strings.ReplaceAll(o.Failure, " ", "_"), eventType(o)
	about := labels{status: o.Status, failure: failure, event: event, result: result}
	t.delivery.Record(ctx, o.Duration.Seconds(), t.sets.of(about)...)
	span, _ := ctx.Value(deliveryKey{}).(trace.Span)
	if span == nil || !span.IsRecording() {
		return
	}
	attributes := make([]attribute.KeyValue, 0, 6)
	attributes = append(attributes, keyDelivery.String(result), semconv.HTTPResponseStatusCode(o.Status))
	if event != "" {
		span.SetName("process " + event)
		attributes = append(attributes, keyEventType.String(event))
	}
	if o.ID != "" {
		attributes = append(attributes, semconv.MessagingMessageID(o.ID))
	}
	if id := requestIDOf(o.RequestID); id != "" && o.ID != "" { // of a verified delivery
		attributes = append(attributes, keyRequestID.String(id))
	}
	if failure != "" {
		attributes = append(attributes, semconv.ErrorTypeKey.String(failure))
	}
	if failure != "" && !o.Probe {
		span.SetStatus(codes.Error, "")
	}
	span.SetAttributes(attributes...)
}

// eventType is the type of a verified event, empty for one that is no type of an event.
func eventType(o webhook.Observation) string {
	if len(o.Type) > 64 {
		return ""
	}
	for i := range len(o.Type) {
		switch c := o.Type[i]; {
		case c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_', c == '.':
		default:
			return ""
		}
	}
	return o.Type
}

// deliveryResult is the value of wxpay.webhook.result.
func deliveryResult(o webhook.Observation) string {
	switch {
	case o.Late:
		return "late"
	case o.Probe:
		return "signature_test"
	case o.Duplicate:
		return "duplicate"
	case o.Unhandled:
		return "unhandled"
	case o.Ignored:
		return "ignored"
	case o.Err == nil || o.Status < http.StatusBadRequest:
		return "processed"
	case o.Status < http.StatusInternalServerError:
		return "rejected"
	}
	return "failed"
}
