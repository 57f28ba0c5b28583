package webhook

import (
	"errors"
	"net/http"
	"os"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/fault"
)

// functionError is the failure of a user's function. Its text may contain anything. errors.As finds
// nothing of this module in it but a *PanicError.
type functionError struct {
	err     error
	message string // the function's message for the response, with Fail
	kind    string
}

func functionFailed(err error) *functionError {
	f := &functionError{err: err, message: "processing failed", kind: "function"}
	var chosen *failure
	switch _, panicked := err.(*PanicError); {
	case panicked:
		f.kind = "panic"
		return f
	case errors.As(err, &chosen):
		f.message = chosen.message
	case errors.As(err, new(*decodeError)):
		f.kind = "decoding"
	}
	f.err = fault.Outside(err)
	return f
}

func (e *functionError) Error() string { return "the function failed: " + e.err.Error() }

func (e *functionError) Unwrap() error { return e.err }

// signError means that the response could not be signed.
type signError struct{ err error }

func (e *signError) Error() string { return "the response could not be signed: " + e.err.Error() }

func (e *signError) Unwrap() error { return fault.Outside(e.err) }

// rejection returns the response to a failure and its word in logs. The texts are fixed: they must
// contain no secret, and give a forger no hint.
func rejection(err error) (answer Response, kind string) {
	const (
		notAccepted = "the notification was not accepted"
		notRead     = "the notification could not be read"
		failed      = "processing failed"
	)
	var (
		untrusted *VerifyError
		function  *functionError
		signing   *signError
		choosing  *chooseError
	)
	switch {
	case errors.As(err, &function):
		return fail(http.StatusInternalServerError, function.message), function.kind
	case errors.As(err, &untrusted):
		return signatureRejection(untrusted)
	case errors.Is(err, ErrTooLarge):
		return fail(http.StatusRequestEntityTooLarge, "the body is too large"), "too large"
	case errors.Is(err, ErrBodyCut) && errors.Is(err, os.ErrDeadlineExceeded):
		return fail(http.StatusRequestTimeout, "the body took too long"), "slow body"
	case errors.Is(err, ErrBodyCut):
		return fail(http.StatusBadRequest, notRead), "cut body"
	case errors.Is(err, ErrBodyConsumed):
		return fail(http.StatusInternalServerError, "the body was read or changed before the handler got it"), "body consumed"
	case errors.Is(err, ErrV2Notification):
		return fail(http.StatusBadRequest, "only notifications of APIv3 are accepted"), "v2"
	case errors.Is(err, errMethod):
		return fail(http.StatusMethodNotAllowed, "only POST is accepted"), "method"
	case errors.Is(err, ErrUnknownMerchant):
		return fail(http.StatusNotFound, notAccepted), "unknown merchant"
	case errors.As(err, &choosing):
		return fail(http.StatusServiceUnavailable, failed), "choosing the merchant"
	case errors.Is(err, ErrMalformed):
		return fail(http.StatusBadRequest, notRead), "malformed"
	case errors.Is(err, apiv3.ErrDecrypt), errors.Is(err, apiv3.ErrKey):
		return fail(http.StatusInternalServerError, notRead), "decryption"
	case errors.Is(err, ErrNoHandler):
		return fail(http.StatusInternalServerError, "no function is registered for this event"), "no function"
	case errors.Is(err, ErrOverrun):
		return fail(http.StatusInternalServerError, "processing takes too long"), "overrun"
	case errors.Is(err, ErrBusy):
		return fail(http.StatusServiceUnavailable, "the notification is being processed"), "busy"
	case errors.Is(err, ErrDeduper):
		return fail(http.StatusServiceUnavailable, failed), "store"
	case errors.Is(err, errGone):
		return fail(http.StatusInternalServerError, failed), "sender gone"
	case errors.As(err, &signing):
		return fail(http.StatusInternalServerError, failed), "signing"
	}
	return fail(http.StatusInternalServerError, failed), "internal"
}

func signatureRejection(err *VerifyError) (answer Response, kind string) {
	refused := fail(http.StatusUnauthorized, "the notification was not accepted")
	if err.Probe {
		return refused, probe
	}
	for _, known := range [...]struct {
		reason error
		kind   string
	}{
		{apiv3.ErrUnsigned, "unsigned"},
		{apiv3.ErrSignatureHeader, "headers"},
		{apiv3.ErrClock, "clock"},
		{apiv3.ErrUnknownSerial, "unknown key"},
		{apiv3.ErrExpired, "expired key"},
		{apiv3.ErrSignature, "signature"},
	} {
		if errors.Is(err.Reason, known.reason) {
			return refused, known.kind
		}
	}
	// the keys failed: nothing is known about the notification
	return fail(http.StatusServiceUnavailable, "the notification could not be verified"), "keys"
}

// chooseError is a failure of the user's function. Its text may contain anything.
type chooseError struct{ err error }

func (e *chooseError) Error() string { return "choosing the merchant failed: " + e.err.Error() }

func (e *chooseError) Unwrap() error { return shielded(e.err) }
