package middleware

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/fault"
	"github.com/wxpay-go/wxpay/internal/redact"
)

// Reasons of a VerifyError, besides those of package apiv3 (ErrSignature, ErrUnsigned, ErrClock,
// ErrUnknownSerial …).
var (
	ErrResponseTooLarge  = fault.New("the response is larger than the limit")
	ErrResponseTruncated = fault.New("the response was cut off")
	ErrResponseCoded     = fault.New("the response is compressed, which the request did not ask for")
	ErrDigest            = fault.New("the digest does not match the content")
	// ErrResponseAmbiguous means that two readers would read signed JSON differently: a field
	// stands twice, two fields differ only in case, a number fits no type, or the nesting is deeper
	// than 1,000.
	ErrResponseAmbiguous = fault.New("the response can be read in two ways")
	// ErrForeign means that a signed response is not this call's success: it names another number
	// than the call, belongs to another operation, or is an API error under a status of success.
	ErrForeign = fault.New("the response is not this call's")
)

// ErrLimited means that the limits kept a request back until its time was over. The request was not
// sent.
var ErrLimited = fault.New("the limit on requests left no room in time")

// VerifyError means that a response arrived and cannot be trusted. The operation may have taken
// effect. The error keeps the response as evidence: show it to a person, and base no decision on
// it.
type VerifyError struct {
	// Status is the HTTP status of the response.
	Status int
	// Header is the response's header.
	Header http.Header
	// Body is the part of the body that arrived, at most the client's limit.
	Body []byte
	// Probe says that the signature is one of the platform's tests (WECHATPAY/SIGNTEST/…): the
	// response to a retry will be signed correctly.
	Probe bool
	// Reason tells why; compare with errors.Is.
	Reason error
}

func (e *VerifyError) Error() string {
	return fmt.Sprintf("the response (status %d) cannot be trusted: %v%s", e.Status, e.Reason, e.hint())
}

// hint says what may be the cause of a wrong signature; empty for another reason.
func (e *VerifyError) hint() string {
	serial := e.Header.Get(apiv3.HeaderSerial)
	switch {
	case e.Probe:
		return " (a signature test of the platform, rejected as it should be: the response to a retry is signed correctly)"
	case !errors.Is(e.Reason, apiv3.ErrSignature):
		return ""
	case apiv3.IsPublicKeyID(serial):
		return " (is pub_key.pem the key of the id " + redact.Printable(serial) + "? if it is, something on the way changed the response)"
	}
	return " (if the certificate is the platform's, something on the way changed the response)"
}

// Unwrap returns the reason.
func (e *VerifyError) Unwrap() error { return e.Reason }

// Format prints the error's text under every verb: no body enters a log through %+v.
func (e VerifyError) Format(s fmt.State, verb rune) { redact.Format(s, verb, e.Error()) }

// MarshalText returns the error's text.
func (e VerifyError) MarshalText() ([]byte, error) { return []byte(e.Error()), nil }

func asVerifyError(err error, target **VerifyError) bool { return err != nil && errors.As(err, target) }

// SignError means that the private key did not sign. The attempt was not sent.
type SignError struct{ Err error }

func (e *SignError) Error() string { return "the request could not be signed: " + e.Err.Error() }

// Unwrap returns the cause. errors.Is and errors.As find nothing of this module in an error of the
// key.
func (e *SignError) Unwrap() error { return e.Err }

// Format prints the error's text under every verb.
func (e SignError) Format(s fmt.State, verb rune) { redact.Format(s, verb, e.Error()) }

// MarshalText returns the error's text.
func (e SignError) MarshalText() ([]byte, error) { return []byte(e.Error()), nil }

// kind names the kind of a failure. The log has no error text of the network, which may contain
// addresses and query strings; the caller gets it.
func kind(err error) string {
	var untrusted *VerifyError
	var unsigned *SignError
	switch {
	case errors.As(err, &untrusted):
		return "unverified response"
	case errors.As(err, &unsigned):
		return "signing"
	case errors.Is(err, ErrLimited):
		return "limit"
	case errors.Is(err, context.Canceled):
		return "cancelled"
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	}
	return "transport"
}

// reason is the reason of a VerifyError in words of this module; empty for every other failure.
func reason(err error) string {
	var untrusted *VerifyError
	if !errors.As(err, &untrusted) {
		return ""
	}
	var clock *apiv3.ClockError
	if errors.As(untrusted.Reason, &clock) {
		return clock.Error()
	}
	for _, known := range [...]error{
		apiv3.ErrUnsigned, apiv3.ErrSignatureHeader, apiv3.ErrUnknownSerial, apiv3.ErrExpired, apiv3.ErrSignature,
		ErrResponseTooLarge, ErrResponseTruncated, ErrResponseCoded, ErrResponseAmbiguous, ErrDigest, ErrForeign,
	} {
		if errors.Is(untrusted.Reason, known) {
			return known.Error()
		}
	}
	return ""
}
