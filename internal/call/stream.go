package call

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/fault"
	"github.com/wxpay-go/wxpay/middleware"
)

// Open sends c and returns a successful response with its body unread. The caller calls end after
// the last use of the body.
func (c *Call) Open(ctx context.Context) (res *http.Response, end func(), err error) {
	c.Deadline = time.Now().Add(c.Limits.Total)
	ctx, cancel := context.WithCancelCause(ctx)
	// The attempts keep the deadline themselves; this bounds every other wait.
	timer := time.AfterFunc(c.Limits.Total, func() { cancel(c.Limits.TotalErr) })
	defer func() {
		timer.Stop()
		if err != nil {
			cancel(nil)
		}
	}()
	if ctx.Err() != nil {
		return nil, nil, c.Failed(StageSend, c.Outcome(), fault.Cause(ctx))
	}
	if err := c.line.Keys.Ready(ctx); err != nil {
		return nil, nil, c.Failed(StageKeys, c.Outcome(), err)
	}
	res, err = c.head(ctx)
	if err != nil && c.renew(ctx, err) {
		res, err = c.head(ctx)
	}
	if err != nil {
		return nil, nil, err
	}
	return res, func() { _ = res.Body.Close(); cancel(nil) }, nil
}

// head sends c and reads an unsuccessful response.
func (c *Call) head(ctx context.Context) (*http.Response, error) {
	res, err := c.line.Pipeline.RoundTrip(c.Request(ctx))
	if c.Linked && errors.Is(err, apiv3.ErrUnsigned) {
		err = fmt.Errorf("%w; the responses of this path are not known to be unsigned: pass the Digest that came with the link", err)
	}
	if err != nil {
		return nil, c.sendFailed(err)
	}
	if res.StatusCode == http.StatusOK {
		return res, nil
	}
	if res.StatusCode > 200 && res.StatusCode < 300 {
		_ = res.Body.Close()
		return nil, c.Failed(StageDownload, middleware.Unknown, fmt.Errorf("the response has status %d, which is not that of a file", res.StatusCode))
	}
	raw, text, err := middleware.ReadBody(res)
	if err != nil {
		return nil, c.Failed(StageSend, c.Outcome(), err)
	}
	return nil, c.line.Errors.Rejected(c, newResponse(c, res, raw, text))
}
