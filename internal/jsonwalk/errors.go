package jsonwalk

import (
	"errors"
	"fmt"

	"github.com/wxpay-go/wxpay/internal/redact"
)

// MaxDepth is how deep objects and arrays may be nested.
const MaxDepth = 1000

var (
	// ErrNotJSON means that no reader takes a text.
	ErrNotJSON = errors.New("it is not JSON")
	// ErrAmbiguous means that two readers would take a text for different things: a field stands
	// twice, names differ in case alone, a number fits no type, or the nesting goes deeper than
	// MaxDepth.
	ErrAmbiguous = errors.New("it can be read in two ways")
	// ErrNotUTF8 means that a text has bytes that are not UTF-8.
	ErrNotUTF8 = errors.New("it is not UTF-8 (was a character cut in half?)")
	// ErrSurrogate means that a text has an escaped surrogate without its partner.
	ErrSurrogate = errors.New("it has half a character (a surrogate without its partner)")
)

// syntaxError is an ErrNotJSON and where it shows. No value is in it.
type syntaxError struct {
	what string
	at   int
}

func (e *syntaxError) Error() string {
	return fmt.Sprintf("it is not JSON: %s at byte %d", e.what, e.at)
}
func (e *syntaxError) Unwrap() error { return ErrNotJSON }

// ambiguity is an ErrAmbiguous. No value is in it.
type ambiguity string

func (a ambiguity) Error() string { return string(a) }
func (a ambiguity) Unwrap() error { return ErrAmbiguous }

var errDeep error = ambiguity(fmt.Sprintf("it is nested deeper than %d", MaxDepth))

// FieldError is a fault at one place of a JSON text. Its text holds no value.
type FieldError struct {
	// Pointer is the JSON pointer of the place, empty for the whole text.
	Pointer string
	// Err is the fault.
	Err error
}

func (e *FieldError) Error() string {
	if e.Pointer == "" {
		return "the body: " + e.Err.Error()
	}
	return "field " + redact.Pointer(e.Pointer) + ": " + e.Err.Error()
}

// Unwrap returns the fault.
func (e *FieldError) Unwrap() error { return e.Err }
