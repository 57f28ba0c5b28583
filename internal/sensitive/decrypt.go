package sensitive

import (
	"errors"
	"unicode/utf8"

	"github.com/wxpay-go/wxpay/internal/jsonwalk"
)

// Decrypt returns a JSON text with its marked fields in plain text; every other byte stays as it
// is. decrypt returns the plaintext of one value. A field that it cannot decrypt stays as it came
// and is in faults. The error is that of a text that cannot be read.
func Decrypt(text []byte, root *Field, decrypt func(ciphertext []byte) ([]byte, error)) (
	_ []byte, faults []*jsonwalk.FieldError, err error,
) {
	r := rewriter{Cursor: jsonwalk.Cursor{Text: text}, keep: true, turn: func(dst, value []byte) ([]byte, bool, error) {
		if len(value) == 0 {
			return dst, false, nil
		}
		plain, err := decrypt(value)
		if err == nil && !utf8.Valid(plain) {
			err = errors.New("its plaintext is not UTF-8")
		}
		if err != nil {
			return dst, false, err
		}
		return jsonwalk.AppendQuote(dst, string(plain)), true, nil
	}}
	decrypted, err := r.rewrite(root, nil)
	return decrypted, r.faults, err
}
