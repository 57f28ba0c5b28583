package wxpay

import (
	"cmp"
	"fmt"
	"runtime/debug"

	"github.com/wxpay-go/wxpay/internal/fault"
	"github.com/wxpay-go/wxpay/internal/redact"
)

// PanicError is a panic in code that was given to the client (a middleware, an observer, a reader, a step given to
// [Future.Then]) and ran on a goroutine of the client's, where nobody else could recover.
type PanicError struct {
	// Value is what was passed to panic. It is not in the error's text, for it may hold anything.
	Value any
	// Stack is the stack at the panic.
	Stack []byte

	where string
}

func (e *PanicError) Error() string {
	return fmt.Sprintf("%s panicked with a %T", cmp.Or(e.where, "it"), e.Value)
}

// Format prints the error's text under every verb: value and stack may hold anything.
func (e PanicError) Format(s fmt.State, verb rune) { redact.Format(s, verb, e.Error()) }

// MarshalText gives encodings the error's text.
func (e PanicError) MarshalText() ([]byte, error) { return []byte(e.Error()), nil }

// Unwrap returns the panic's value if it is an error. Nothing of this module is found in it.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return fault.Outside(err)
}

// newPanicError is for the goroutine that panicked, while it unwinds.
func newPanicError(where string, value any) *PanicError {
	return &PanicError{Value: value, Stack: debug.Stack(), where: where}
}

// caught makes an error of a panic. Defer it.
func caught(where string, err *error) {
	if cause := recover(); cause != nil {
		*err = newPanicError(where, cause)
	}
}
