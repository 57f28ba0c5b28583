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

// Reasons why an answer cannot be taken, beyond those of package apiv3 (ErrSignature, ErrUnsigned, ErrClock,
// ErrUnknownSerial and their kin).
var (
	ErrResponseTooLarge  = fault.New("the answer is larger than the limit")
	ErrResponseTruncated = fault.New("the answer was cut off")
	ErrResponseCoded     = fault.New("the answer is compressed although nobody asked for it")
	ErrDigest            = fault.New("the digest does not match the content")
	// ErrResponseAmbiguous means that the platform signed JSON of which two readers would read two things: a member stands twice,
	// members differ in case alone, a number fits no type, or it is nested deeper than 1,000.
	ErrResponseAmbiguous = fault.New("the answer can be read in two ways")
	// ErrForeign means that a signed answer is not this call's success: it names another number than the call, or it is the
	// answer of another operation, or a refusal under a status of success.
	ErrForeign = fault.New("the answer is not this call's")
)

// ErrLimited means that the limits did not let a request through before its time was over. The request was not sent.
var ErrLimited = fault.New("the limit on requests left no room in time")

// VerifyError means that an answer arrived and cannot be trusted. The operation may have taken effect. The answer is
// kept as evidence: show it to a person, take no decision from it.
type VerifyError struct {
	// Status is the HTTP status of the answer.
	Status int
	// Header is the answer's header.
	Header http.Header
	// Body is what arrived of the body, at most the client's limit.
	Body []byte
	// Probe says that the signature is one of the platform's tests (WECHATPAY/SIGNTEST/…): a repeat will be signed right.
	Probe bool
	// Reason tells why; compare with errors.Is.
	Reason error
}

func (e *VerifyError) Error() string {
	return fmt.Sprintf("the answer (status %d) cannot be trusted: %v", e.Status, e.Reason)
}

// Unwrap returns the reason.
func (e *VerifyError) Unwrap() error { return e.Reason }

// Format prints the error's text under every verb, so that no body gets into a log through %+v.
func (e VerifyError) Format(s fmt.State, verb rune) { redact.Format(s, verb, e.Error()) }

// MarshalText gives encodings the error's text.
func (e VerifyError) MarshalText() ([]byte, error) { return []byte(e.Error()), nil }

func asVerifyError(err error, target **VerifyError) bool { return err != nil && errors.As(err, target) }

// SignError means that the private key did not sign, so the attempt was not sent.
type SignError struct{ Err error }

func (e *SignError) Error() string { return "the request could not be signed: " + e.Err.Error() }

// Unwrap returns the cause. In what the key said, nothing of this module is found.
func (e *SignError) Unwrap() error { return e.Err }

// Format prints the error's text under every verb.
func (e SignError) Format(s fmt.State, verb rune) { redact.Format(s, verb, e.Error()) }

// MarshalText gives encodings the error's text.
func (e SignError) MarshalText() ([]byte, error) { return []byte(e.Error()), nil }

// kind names the sort of a failure. Error texts of the network can hold addresses and query strings, so they are not
// logged; the caller gets them.
func kind(err error) string {
	var refused *VerifyError
	var unsigned *SignError
	switch {
	case errors.As(err, &refused):
		return "unverified answer"
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

// reason is why an answer cannot be trusted, in words of this module; empty for every other failure.
func reason(err error) string {
	var refused *VerifyError
	if !errors.As(err, &refused) {
		return ""
	}
	var clock *apiv3.ClockError
	if errors.As(refused.Reason, &clock) {
		return clock.Error()
	}
	for _, known := range [...]error{
		apiv3.ErrUnsigned, apiv3.ErrSignatureHeader, apiv3.ErrUnknownSerial, apiv3.ErrExpired, apiv3.ErrSignature,
		ErrResponseTooLarge, ErrResponseTruncated, ErrResponseCoded, ErrResponseAmbiguous, ErrDigest, ErrForeign,
	} {
		if errors.Is(refused.Reason, known) {
			return known.Error()
		}
	}
	return ""
}
