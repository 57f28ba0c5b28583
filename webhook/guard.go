package webhook

import (
	"runtime/debug"

	"github.com/wxpay-go/wxpay/internal/fault"
)

// guarded runs a user's function. A panic becomes a *PanicError.
func guarded(fn func() error) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = &PanicError{Value: cause, Stack: debug.Stack()}
		}
	}()
	return fn()
}

// shielded marks an error of a user's function as one from outside, but for a *PanicError.
func shielded(err error) error {
	if _, panicked := err.(*PanicError); panicked {
		return err
	}
	return fault.Outside(err)
}
