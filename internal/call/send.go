package call

import (
	"context"
	"errors"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"

	"github.com/wxpay-go/wxpay/internal/fault"
	"github.com/wxpay-go/wxpay/middleware"
)

// Send sends c through the pipeline and returns the response.
func (c *Call) Send(ctx context.Context) (*Response, error) {
	res := new(Response)
	if err := c.SendInto(ctx, res); err != nil {
		return nil, err
	}
	return res, nil
}

// SendInto is Send into the caller's response.
func (c *Call) SendInto(ctx context.Context, res *Response) error {
	if c.file == nil { // an upload may take long; see middleware.Call.SetStream
		c.Deadline, c.Fresh = time.Now().Add(c.Limits.Total), true
	}
	if c.file == nil && (c.line.Waits || c.line.Keys.Follows()) {
		c.Fresh = false // they may take time
		// The attempts keep the deadline themselves; this bounds every other wait.
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadlineCause(ctx, c.Deadline, c.Limits.TotalErr)
		defer cancel()
	}
	if ctx.Err() != nil {
		return c.Failed(StageSend, c.Outcome(), fault.Cause(ctx))
	}
	if err := c.line.Keys.Ready(ctx); err != nil {
		return c.Failed(StageKeys, c.Outcome(), err)
	}
	err := c.exchange(ctx, res)
	if err != nil && c.renew(ctx, err) {
		return c.exchange(ctx, res)
	}
	return err
}

// exchange sends c once through the pipeline, which may make several attempts.
func (c *Call) exchange(ctx context.Context, into *Response) error {
	res, err := c.line.Pipeline.RoundTrip(c.Request(ctx))
	if err != nil {
		return c.sendFailed(err)
	}
	raw, text, err := middleware.ReadBody(res)
	if err != nil {
		return c.Failed(StageSend, c.Outcome(), err)
	}
	into.fill(c, res, raw, text)
	if !into.success() {
		return c.line.Errors.Rejected(c, into)
	}
	return nil
}

// sendFailed makes the error of a call without a response from the pipeline.
func (c *Call) sendFailed(err error) error {
	stage := StageSend
	switch {
	case errors.As(err, new(*middleware.SignError)):
		stage = StageSign
	case errors.As(err, new(*middleware.VerifyError)):
		stage = StageVerify
	}
	return c.Failed(stage, c.Outcome(), err)
}

// renew prepares c for another send after the platform rejected the certificate that it names: it
// reads the list again, chooses another key, and encrypts the fields again. It reports whether that
// succeeded. Such a rejection is verified and comes before everything else, so nothing took effect;
// and c has made no other attempt that may have taken effect.
func (c *Call) renew(ctx context.Context, err error) bool {
	if c.Attempts > 1 || c.setsHeader(apiv3.HeaderSerial) || c.Stale() {
		return false
	}
	rejection := c.line.Errors.Rejection(err)
	if rejection == nil || !rejection.OfSerial() {
		return false
	}
	return c.line.Keys.Replace(ctx, c.key[0]) && (c.again == nil || c.again(ctx) == nil)
}
