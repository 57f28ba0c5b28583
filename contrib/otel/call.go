package wxotel

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/middleware"
)

// Middleware returns the middleware that follows calls: pass it first to wxpay.WithMiddleware, so
// that the others run under the span of the call.
//
// The span and the metrics tell the outcome that the pipeline knows at its end. The client may find
// out more later, such as that the response is another call's; the caller's error has it. The span
// of a streamed response ends with its header. A call that has a Tracer already is left to it.
func (t *Telemetry) Middleware() middleware.Middleware {
	return func(next http.RoundTripper) http.RoundTripper {
		observed := middleware.Observe(time.Now, t.ended)(next)
		return middleware.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
			call := middleware.CallFrom(req.Context())
			if call == nil || followed(call) {
				return next.RoundTrip(req)
			}
			outside := trace.SpanContextFromContext(req.Context())
			s := &span{t: t, call: call, template: templateOf(call), outside: outside}
			ctx, own := t.tracer.Start(req.Context(), call.Method+" "+s.template,
				trace.WithSpanKind(trace.SpanKindClient),
				trace.WithAttributes(semconv.HTTPRequestMethodKey.String(call.Method), semconv.URLTemplate(s.template)))
			s.own = own
			call.Tracer = s
			defer s.abandon()
			res, err := observed.RoundTrip(req.WithContext(ctx))
			if res != nil && call.Verified && !call.Stale() {
				t.compareClocks(ctx, res.Header)
			}
			return res, err
		})
	}
}

// followed reports whether somebody follows the call already: another Telemetry, or a tracer of the
// caller. An earlier passage of the same call through the pipeline is over and does not count.
func followed(call *middleware.Call) bool {
	s, own := call.Tracer.(*span)
	return call.Tracer != nil && !(own && s.over)
}

// span is the span of one logical call. It follows the attempts.
type span struct {
	t        *Telemetry
	call     *middleware.Call
	template string
	outside  trace.SpanContext // around the call
	own      trace.Span
	over     bool

	try    trace.Span // the attempt under way, nil between attempts
	tries  int
	begun  time.Time
	waited time.Duration // for the limiter, in the attempt under way
}

// spanOf returns the span of the call that ctx carries, nil if no Telemetry follows it.
func spanOf(ctx context.Context) *span {
	if call := middleware.CallFrom(ctx); call != nil {
		s, _ := call.Tracer.(*span)
		return s
	}
	return nil
}

// BeginAttempt is part of [middleware.Tracer].
func (s *span) BeginAttempt(ctx context.Context) context.Context {
	s.begun, s.waited = time.Now(), 0
	attributes := make([]attribute.KeyValue, 0, 2)
	attributes = append(attributes, semconv.HTTPRequestMethodKey.String(s.call.Method))
	if s.tries > 0 {
		attributes = append(attributes, semconv.HTTPRequestResendCount(s.tries))
	}
	ctx, s.try = s.t.tracer.Start(ctx, "attempt", trace.WithSpanKind(trace.SpanKindInternal), trace.WithAttributes(attributes...))
	s.tries++
	return ctx
}

// EndAttempt is part of [middleware.Tracer].
func (s *span) EndAttempt(a middleware.Attempt) {
	failure, code := errorType(a.Status, a.Err), codeOf(a.Code)
	if s.call.Reached {
		took := a.Ended.Sub(s.begun) - s.waited
		s.t.request.Record(context.Background(), took.Seconds(), s.t.sets.of(labels{
			method: s.call.Method, template: s.template, host: a.Host, status: a.Status, failure: failure, code: code,
		})...)
	}
	if s.try.IsRecording() {
		attributes := make([]attribute.KeyValue, 0, 8)
		attributes = append(attributes, keyOutcome.String(outcomeName(a.Outcome)))
		attributes = append(attributes, server(a.Host)...)
		if s.waited > 0 {
			attributes = append(attributes, keyWait.Float64(s.waited.Seconds()))
		}
		s.try.SetAttributes(result(attributes, a.Status, failure, code, a.RequestID)...)
		if failure != "" {
			s.try.SetStatus(codes.Error, "")
		}
	}
	s.try.End()
	s.try = nil
}

// ended ends the span of a call.
func (t *Telemetry) ended(ctx context.Context, o middleware.Observation) {
	s := spanOf(ctx)
	if s == nil {
		return
	}
	failure, code := errorType(o.Status, o.Err), codeOf(o.Code)
	t.call.Record(ctx, o.Duration.Seconds(), t.sets.of(labels{
		method: o.Method, template: s.template, status: o.Status, failure: failure, code: code,
		outcome: o.Outcome, judged: true, money: o.MoneyMayHaveMoved,
	})...)
	if s.own.IsRecording() {
		attributes := make([]attribute.KeyValue, 0, 12)
		attributes = append(attributes, keyOutcome.String(outcomeName(o.Outcome)),
			keyAttempts.Int(o.Attempts), keyVerified.Bool(o.Verified))
		attributes = append(attributes, server(s.call.ServedBy)...)
		if o.MoneyMayHaveMoved {
			attributes = append(attributes, keyMoney.Bool(true))
		}
		if o.Probe {
			attributes = append(attributes, keyProbe.Bool(true))
		}
		s.own.SetAttributes(result(attributes, o.Status, failure, code, o.RequestID)...)
		if failure != "" {
			s.own.SetStatus(codes.Error, "")
		}
	}
	s.end()
}

// result adds what a response, or the lack of one, says.
func result(attributes []attribute.KeyValue, status int, failure, code, requestID string) []attribute.KeyValue {
	if status > 0 {
		attributes = append(attributes, semconv.HTTPResponseStatusCode(status))
	}
	if failure != "" {
		attributes = append(attributes, semconv.ErrorTypeKey.String(failure))
	}
	if code != "" {
		attributes = append(attributes, keyCode.String(code))
	}
	if id := requestIDOf(requestID); id != "" {
		attributes = append(attributes, keyRequestID.String(id))
	}
	return attributes
}

func (s *span) end() {
	s.over = true
	s.own.End()
}

// abandon ends the spans that a panic has left.
func (s *span) abandon() {
	if s.over {
		return
	}
	s.over = true
	for _, left := range []trace.Span{s.try, s.own} {
		if left != nil {
			left.SetAttributes(semconv.ErrorTypeKey.String("panic"), keyOutcome.String(outcomeName(s.call.Outcome())))
			left.SetStatus(codes.Error, "")
			left.End()
		}
	}
}

// compareClocks records this clock minus that of the platform, which a verified response names in
// seconds. The difference within that second counts as none.
func (t *Telemetry) compareClocks(ctx context.Context, header http.Header) {
	seconds, err := strconv.ParseInt(header.Get(apiv3.HeaderTimestamp), 10, 64)
	if err != nil {
		return
	}
	ahead := time.Since(time.Unix(seconds, 0))
	if ahead > 0 {
		ahead = max(0, ahead-time.Second)
	}
	t.offset.Record(ctx, ahead.Seconds())
}
