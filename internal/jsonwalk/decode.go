package jsonwalk

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/wxpay-go/wxpay/internal/fault"
	"github.com/wxpay-go/wxpay/internal/redact"
)

// DecodeError is an error of encoding/json without parts of the text that it may repeat, such as a
// number that did not fit or the words of an Unmarshaler.
type DecodeError struct{ Err error }

func (e *DecodeError) Error() string {
	var mismatch *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	var target *json.InvalidUnmarshalError
	switch {
	case errors.As(e.Err, &mismatch):
		kind, _, _ := strings.Cut(mismatch.Value, " ")
		return fmt.Sprintf("field %q is a JSON %s, which does not fit %s", mismatch.Field, kind, mismatch.Type)
	case errors.As(e.Err, &syntax):
		return fmt.Sprintf("it is not JSON from byte %d on", syntax.Offset)
	case errors.As(e.Err, &target):
		return "the target is not a pointer"
	}
	return "the target's own unmarshaling failed"
}

// Unwrap returns the cause, which may be the error of a user's Unmarshaler.
func (e *DecodeError) Unwrap() error { return fault.Outside(e.Err) }

// Format prints the error's text under every verb.
func (e DecodeError) Format(s fmt.State, verb rune) { redact.Format(s, verb, e.Error()) }

// MarshalText gives encodings the error's text.
func (e DecodeError) MarshalText() ([]byte, error) { return []byte(e.Error()), nil }
