package wxpay

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/wxpay-go/wxpay/internal/jsonwalk"
)

// JSON is a request body, or a part of one, written in place. Its fields travel sorted by name.
type JSON = map[string]any

// encode returns the bytes of a body.
func encode(body any) (encoded []byte, err error) {
	switch v := body.(type) {
	case nil:
		return nil, nil
	case []byte:
		encoded = v
	case json.RawMessage:
		encoded = v
	case string:
		encoded = []byte(v)
	case io.Reader:
		return nil, fmt.Errorf("the body is a reader (%T): pass a value to marshal, or its bytes", body)
	default:
		encoded, err = jsonwalk.Marshal(body)
		if err = fieldError(err); errors.Is(err, jsonwalk.ErrNotUTF8) {
			return nil, err
		} else if err != nil {
			return nil, fmt.Errorf("the body cannot be marshalled to JSON: %w", err)
		}
	}
	if !utf8.Valid(encoded) { // the platform would read other words, or none
		return nil, &FieldError{Pointer: jsonwalk.Broken(encoded), Err: jsonwalk.ErrNotUTF8}
	}
	switch trimmed := bytes.TrimSpace(encoded); {
	case len(trimmed) == 0:
		return nil, errors.New("the body is empty: pass a bare nil to send none, or wxpay.JSON{} for an empty object")
	case string(trimmed) == "null":
		return nil, errors.New("the body is null: pass a bare nil to send none")
	}
	return encoded, nil
}

// isVerbatim reports whether a body travels as it is.
func isVerbatim(body any) bool {
	switch body.(type) {
	case []byte, json.RawMessage, string:
		return true
	}
	return false
}
