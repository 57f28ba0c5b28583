package wxpay

import (
	"fmt"

	"github.com/wxpay-go/wxpay/internal/jsonwalk"
	"github.com/wxpay-go/wxpay/internal/redact"
)

// FieldError is the fault of one field of a request or a response. Its text holds no value.
type FieldError struct {
	// Pointer is the JSON pointer of the field in the body, empty for the body itself. For a field
	// of the query it is a slash and the name.
	Pointer string
	// Err is the fault.
	Err error
}

func (e *FieldError) Error() string { return (*jsonwalk.FieldError)(e).Error() }

// Unwrap returns the fault.
func (e *FieldError) Unwrap() error { return e.Err }

// Format prints the error's text under every verb.
func (e FieldError) Format(s fmt.State, verb rune) { redact.Format(s, verb, e.Error()) }

// MarshalText gives encodings the error's text.
func (e FieldError) MarshalText() ([]byte, error) { return []byte(e.Error()), nil }

// decryptError joins the faults of several fields of a response.
type decryptError struct{ fields []error }

func newDecryptError(faults []*jsonwalk.FieldError) error {
	e := &decryptError{make([]error, len(faults))}
	for i, fault := range faults {
		e.fields[i] = (*FieldError)(fault)
	}
	return e
}

func (e *decryptError) Error() string {
	return fmt.Sprintf("wxpay: %d fields of the response could not be decrypted: %s", len(e.fields), redact.List(e.fields, error.Error))
}

// Unwrap returns the faults.
func (e *decryptError) Unwrap() []error { return e.fields }
