package webhook

import (
	"runtime/debug"

	"github.com/wxpay-go/wxpay/internal/fault"
)

// guarded runs code of the user's. A panic becomes a *PanicError.
func guarded(fn func() error) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = &PanicError{Value: cause, Stack: debug.Stack()}
		}
	}()
	return fn()
}

// shielded is an error of the user's code as others may read it: nothing of this module is found in it but its panic.
func shielded(err error) error {
	if _, panicked := err.(*PanicError); panicked {
		return err
	}
	return fault.Outside(err)
}
