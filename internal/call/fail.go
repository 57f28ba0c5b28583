package call

import (
	"errors"
	"net/url"

	"github.com/wxpay-go/wxpay/internal/jsonwalk"
	"github.com/wxpay-go/wxpay/middleware"
)

// Outcome returns the outcome in an error of a call.
func (e *Errors) Outcome(err error) middleware.Outcome {
	if err == nil {
		return middleware.Confirmed
	}
	if failure := e.Failure(err); failure != nil {
		return failure.Outcome
	}
	if rejection := e.Rejection(err); rejection != nil {
		return rejection.Outcome
	}
	return middleware.Unknown
}

// Failed makes the error of a failed call. After a success it holds the response.
func (c *Call) Failed(stage string, outcome middleware.Outcome, cause error) error {
	var res *Response
	if outcome == middleware.Confirmed && c.Answered != nil && (stage == StageSend || stage == StageVerify) {
		raw, verified := c.success, c.success != nil // later values belong to another attempt
		if !verified {
			raw, verified = c.ResponseBody(), c.Verified
		}
		text, _ := jsonwalk.Read(raw)
		res = newResponse(c, c.Answered, raw, text)
		res.Verified = verified
	}
	return c.FailedWith(res, stage, outcome, cause)
}

// FailedWith makes the error of a call that failed after res came.
func (c *Call) FailedWith(res *Response, stage string, outcome middleware.Outcome, cause error) error {
	return c.line.Errors.Failed(c, res, stage, outcome, cause)
}

// CauseText returns a cause's text without the address that http.Client adds to errors, because its
// query holds identities.
func CauseText(err error) string {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	return err.Error()
}
