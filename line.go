package wxpay

import (
	"errors"

	"github.com/wxpay-go/wxpay/internal/call"
	"github.com/wxpay-go/wxpay/internal/download"
	"github.com/wxpay-go/wxpay/internal/jsonwalk"
	"github.com/wxpay-go/wxpay/internal/keylist"
	"github.com/wxpay-go/wxpay/internal/preflight"
	"github.com/wxpay-go/wxpay/internal/upload"
)

// callErrors make and read the errors of calls for the packages below.
func callErrors() call.Errors {
	return call.Errors{
		Failed:    newCallError,
		Rejected:  func(c *call.Call, res *call.Response) error { return newAPIError(c, res) },
		Rejection: rejectionOf, Unfound: unfound,
		Failure: failureOf,
		Brief:   brief,
		Field:   func(field *jsonwalk.FieldError) error { return (*FieldError)(field) },
		Refused: func(findings *preflight.Report) error { return newPreflightError(findings) },
	}
}

// newCallError makes the error of a failed call. For a call that failed before sending, the cause
// tells the stage.
func newCallError(c *call.Call, res *call.Response, stage string, outcome Outcome, cause error) error {
	switch stage {
	case call.StageBuild:
		stage, cause = buildFailed(cause)
	case call.StageDownload:
		cause = downloadFailed(cause)
	}
	e := &CallError{
		Stage: Stage(stage), Outcome: outcome, Method: c.Method, Template: c.Template, Attempts: c.Attempts, Trail: newTrail(c), Err: cause,
	}
	if res != nil {
		e.Response = newResponse(res)
	}
	return e
}

// buildFailed returns the stage of a cause, and the cause in the form that callers get.
func buildFailed(cause error) (string, error) {
	if mistake := (*CallError)(nil); errors.As(cause, &mistake) {
		cause = mistake.Err
	}
	switch {
	case errors.As(cause, new(*KeysError)), errors.Is(cause, keylist.ErrNoKey): // of this client, not of this call
		return call.StageKeys, cause
	case errors.As(cause, new(*upload.EndedError)):
		return call.StageSend, cause
	}
	return call.StageBuild, cause
}

// downloadFailed returns the cause of a failed download in the form that callers get.
func downloadFailed(cause error) error {
	if failure := (*download.Failure)(nil); errors.As(cause, &failure) {
		return &DownloadError{Written: failure.Written, Err: failure.Err}
	}
	return &DownloadError{Err: cause}
}

func failureOf(err error) *call.Failure {
	var e *CallError
	if !errors.As(err, &e) {
		return nil
	}
	return &call.Failure{Stage: string(e.Stage), Outcome: e.Outcome, Cause: e.Err}
}

func rejectionOf(err error) *call.Rejection {
	var e *APIError
	if !errors.As(err, &e) {
		return nil
	}
	return &call.Rejection{Status: e.Status, Code: e.Code, Message: e.Message, Verified: e.Verified, Outcome: e.Outcome}
}

// unfound adds to the rejection of a write that the platform did not know the number when asked
// late enough. The write would be rejected again. Not-found permits to send the same number again,
// which does no harm if it is wrong; it does not prove that nothing took effect, so the outcome of
// the rejection stays.
func unfound(err error) error {
	var e *APIError
	if !errors.As(err, &e) {
		return err
	}
	known := *e
	known.addHint("a query a minute later did not find the number")
	return &known
}
