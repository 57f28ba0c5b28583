package middleware

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/wxpay-go/wxpay/internal/fault"
)

// attemptContext returns the context of one attempt. It ends with the attempt's limit, the call's
// limit, or ctx. For a stream, lift removes the limit once the response's header is there and
// returns the function that then ends the context; nil if the limit was faster.
func attemptContext(ctx context.Context, call *Call) (_ context.Context, stop context.CancelFunc, lift func() context.CancelCauseFunc) {
	if _, streams := call.body.(*lazyBody); streams && call.Limits != nil && call.Limits.Still > 0 {
		ctx, stop = call.uploadContext(ctx)
		return ctx, stop, nil
	}
	end, cause := call.Deadline, error(nil)
	if limits := call.Limits; limits != nil {
		cause = limits.TotalErr
		if limits.Attempt > 0 {
			begun := end.Add(-limits.Total)
			if !call.Fresh {
				begun = time.Now()
			}
			call.Fresh = false
			if first := begun.Add(limits.Attempt); end.IsZero() || first.Before(end) {
				end, cause = first, limits.AttemptErr
			}
		}
	}
	switch {
	case !call.Stream && end.IsZero():
		ctx, stop = context.WithCancel(ctx)
		return ctx, stop, nil
	case !call.Stream:
		ctx, stop = context.WithDeadlineCause(ctx, end, cause)
		return ctx, stop, nil
	}
	ctx, cancel := context.WithCancelCause(ctx)
	stop = func() { cancel(nil) }
	lifted := func() bool { return true }
	if !end.IsZero() {
		timer := time.AfterFunc(time.Until(end), func() { cancel(cause) })
		stop, lifted = func() { timer.Stop(); cancel(nil) }, timer.Stop
	}
	return ctx, stop, func() context.CancelCauseFunc {
		if !lifted() {
			return nil
		}
		return cancel
	}
}

// uploadContext returns the context of an attempt whose body streams. It ends when the body stalls.
func (c *Call) uploadContext(ctx context.Context) (context.Context, context.CancelFunc) {
	limits := c.Limits
	ctx, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(limits.Still, func() { cancel(limits.StillErr) })
	c.streaming.begin(ctx, func() { timer.Reset(limits.Still) })
	return ctx, func() {
		c.streaming.end()
		timer.Stop()
		cancel(nil)
	}
}

// streams returns the function that ends the context of a streamed response, nil for another
// response.
func streams(call *Call, res *http.Response, err error, lift func() context.CancelCauseFunc) context.CancelCauseFunc {
	if !call.Stream || err != nil {
		return nil
	}
	if _, whole := res.Body.(*Body); whole {
		return nil
	}
	return lift()
}

// streamBody bounds the time of each read from a stream, and ends the attempt's context when
// closed.
type streamBody struct {
	io.ReadCloser
	ctx   context.Context // of the attempt
	end   context.CancelCauseFunc
	limit time.Duration
	still *time.Timer // ends ctx; runs during a read only
}

// newStreamBody takes over an attempt with its context and the function that ends it.
func newStreamBody(body io.ReadCloser, ctx context.Context, end context.CancelCauseFunc, limits *TimeLimits) *streamBody {
	b := &streamBody{ReadCloser: body, ctx: ctx, end: end}
	if limits != nil && limits.Still > 0 {
		b.limit = limits.Still
		b.still = time.AfterFunc(b.limit, func() { end(limits.StillErr) })
		b.still.Stop()
	}
	return b
}

func (b *streamBody) Read(p []byte) (int, error) {
	if b.still != nil {
		b.still.Reset(b.limit)
		defer b.still.Stop()
	}
	n, err := b.ReadCloser.Read(p)
	if cause := fault.Cause(b.ctx); err != nil && err != io.EOF && cause != nil {
		err = cause
	}
	return n, err
}

func (b *streamBody) Close() error {
	if b.still != nil {
		b.still.Stop()
	}
	err := b.ReadCloser.Close()
	b.end(nil)
	return err
}
