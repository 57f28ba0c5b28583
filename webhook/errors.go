package webhook

import (
	"errors"
	"fmt"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/fault"
	"github.com/wxpay-go/wxpay/internal/redact"
)

// Errors of a rejected notification, besides those of package apiv3 (ErrUnsigned,
// ErrSignatureHeader, ErrClock, ErrUnknownSerial, ErrExpired and ErrSignature inside a
// [*VerifyError], and ErrDecrypt). Compare with errors.Is.
var (
	// ErrV2Notification means that the notification belongs to the old API: XML, without Wechatpay
	// headers.
	ErrV2Notification = fault.New("this is a notification of the old API (v2, XML), which cannot be read here: " +
		"pass notify_url with each refund, or else the address set in the merchant platform gets v2; query the refund to learn its state")
	// ErrBodyConsumed means that something between the network and the handler has read or changed
	// the body.
	ErrBodyConsumed = fault.New("the body was read or changed before the webhook handler got it: mount the handler " +
		"outside of middleware that parses bodies, or restore the exact bytes")
	// ErrBodyCut means that the body did not arrive whole, or not in time.
	ErrBodyCut = fault.New("the body did not arrive whole")
	// ErrTooLarge means that the body is longer than WithMaxBody allows.
	ErrTooLarge = fault.New("the body is larger than the limit")
	// ErrMalformed means that a signed body does not have the documented form.
	ErrMalformed = fault.New("not the documented form of a notification")
	// ErrUnknownMerchant is the error of the function of [NewMulti] for a delivery without a known
	// merchant.
	ErrUnknownMerchant = fault.New("no merchant is configured for this delivery")
)

// Errors of a verified notification without success, for the observer.
var (
	// ErrNoHandler means that no function is registered for an inquiry ([Handler.OnInquiry]), or
	// for an event of a payment, a refund or a transfer ([Handler.On], [Handler.Ignore]).
	ErrNoHandler = fault.New("no function is registered for this event")
	// ErrOverrun means that the function had not returned within the budget. It keeps running.
	ErrOverrun = fault.New("the function did not return within the budget")
	// ErrBusy means that the same event was still being processed when the budget ended.
	ErrBusy = fault.New("the same event is still being processed")
	// ErrDeduper means that the Deduper failed.
	ErrDeduper = fault.New("the deduplication store failed")
)

// VerifyError means that nothing proves that a notification comes from the platform. Trust nothing
// in it.
type VerifyError struct {
	// Serial is the platform key that the notification names, shortened and cleaned; empty without
	// one.
	Serial string
	// Probe says that the signature is one of the platform's tests (WECHATPAY/SIGNTEST/…): the same
	// notification comes again with a correct signature. It needs no alarm.
	Probe bool
	// Reason tells why; compare with errors.Is.
	Reason error
}

func (e *VerifyError) Error() string {
	text := "webhook: the notification cannot be trusted: " + e.Reason.Error()
	switch {
	case e.Probe:
		return text + " (a signature test of the platform, rejected as it should be)"
	case errors.Is(e.Reason, apiv3.ErrSignature):
		return text + " (was the body changed on the way, or is another key stored under this serial?)"
	case errors.Is(e.Reason, apiv3.ErrUnsigned):
		return text + " (does a proxy drop Wechatpay headers?)"
	}
	return text
}

// Unwrap returns the reason.
func (e *VerifyError) Unwrap() error { return e.Reason }

// Format prints the error's text under every verb.
func (e VerifyError) Format(s fmt.State, verb rune) { redact.Format(s, verb, e.Error()) }

// MarshalText returns the error's text.
func (e VerifyError) MarshalText() ([]byte, error) { return []byte(e.Error()), nil }

// PanicError is a panic in a user's function.
type PanicError struct {
	// Value is the argument of panic. It is not in the error's text, for it may contain anything.
	Value any
	// Stack is the stack at the panic.
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("the function panicked with a %T", e.Value) }

// Unwrap returns the panic's value if it is an error. errors.Is and errors.As find nothing of this
// module in it.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return fault.Outside(err)
}

// Format prints the error's text, without value and stack, under every verb.
func (e PanicError) Format(s fmt.State, verb rune) { redact.Format(s, verb, e.Error()) }

// MarshalText returns the error's text.
func (e PanicError) MarshalText() ([]byte, error) { return []byte(e.Error()), nil }

// Fail returns an error with a message for the platform: {"code":"FAIL","message":"…"}. The texts
// of a function's other errors are never sent.
func Fail(message string) error { return &failure{message} }

type failure struct{ message string }

func (e *failure) Error() string { return e.message }

var (
	errMethod = fault.New("a notification is a POST")
	// errNoResponse means that the function returned neither a response nor an error to an inquiry.
	errNoResponse = errors.New("the function returned no response")
	// errExited means that the function ended its goroutine (runtime.Goexit).
	errExited = errors.New("the function did not return")
	// errGone means that the sender did not wait for the response.
	errGone = fault.New("the sender did not wait for the response")
)

// probe is the word for a signature test of the platform.
const probe = "probe"
