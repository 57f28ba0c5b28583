package wxpay

import (
	"cmp"
	"fmt"
	"runtime/debug"

	"github.com/wxpay-go/wxpay/internal/fault"
	"github.com/wxpay-go/wxpay/internal/redact"
)

// PanicError is a panic in the caller's code (a middleware, an observer, a reader, a step of
// [Future.Then]) on a goroutine of the client, where nobody else could recover.
type PanicError struct {
	// Value is the argument of panic. The error's text leaves it out, because it may hold anything.
	Value any
	// Stack is the stack at the panic.
	Stack []byte

	where string
}

func (e *PanicError) Error() string {
	return fmt.Sprintf("%s panicked with a %T", cmp.Or(e.where, "it"), e.Value)
}

// Format prints the error's text under every verb, without value and stack, which may hold
// anything.
func (e PanicError) Format(s fmt.State, verb rune) { redact.Format(s, verb, e.Error()) }

// MarshalText gives encodings the error's text.
func (e PanicError) MarshalText() ([]byte, error) { return []byte(e.Error()), nil }

// Unwrap returns the panic's value if it is an error. errors.Is and errors.As find no error of this
// module in it.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return fault.Outside(err)
}

// newPanicError makes the error. Call it on the goroutine that panicked, while it unwinds.
func newPanicError(where string, value any) *PanicError {
	return &PanicError{Value: value, Stack: debug.Stack(), where: where}
}

// caught turns a panic into an error. Defer it.
func caught(where string, err *error) {
	if cause := recover(); cause != nil {
		*err = newPanicError(where, cause)
	}
}
