package wxpay

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/wxpay-go/wxpay/internal/fault"
	"github.com/wxpay-go/wxpay/internal/jsonwalk"
)

// opening is the view of an answer whose marked members are decrypted. It is made when it is first asked for, since each
// member costs one operation of the private key.
type opening struct {
	once sync.Once
	text []byte
	err  error
}

// text returns the JSON text in the body, its marked members in plain text; nil if there is none.
func (r *Response) text() []byte {
	if r.opening == nil {
		return r.json
	}
	r.opening.once.Do(func() { r.opening.text, r.opening.err = r.flight.open(r.json) })
	return r.opening.text
}

// DecryptErr tells which of the members that the catalogue marks as encrypted could not be decrypted; they stay as they
// came. It is nil without a catalogue. Each is a [*FieldError], all of which its Unwrap() []error returns. The call itself
// succeeded whatever DecryptErr says.
func (r *Response) DecryptErr() error {
	if r.opening == nil {
		return nil
	}
	r.text()
	return r.opening.err
}

// open decrypts the marked members of an answer with the merchant's key.
func (f *flight) open(text []byte) ([]byte, error) {
	answer := rewriter{Cursor: jsonwalk.Cursor{Text: text}, keep: true, turn: func(dst, value []byte) ([]byte, bool, error) {
		if len(value) == 0 {
			return dst, false, nil
		}
		plain, err := f.client.own.Decrypt(f.client.scheme, f.Serial, value)
		if err == nil && !utf8.Valid(plain) {
			err = errors.New("what is inside is no text")
		}
		if err != nil {
			return dst, false, err
		}
		return appendString(dst, string(plain)), true, nil
	}}
	opened, err := answer.rewrite(&f.plan.answer, nil)
	if err != nil {
		return text, fmt.Errorf("wxpay: the answer cannot be read for decryption: %w", err)
	}
	if len(answer.faults) > 0 {
		return opened, &decryptError{answer.faults}
	}
	return opened, nil
}

// decryptError joins the faults of several members in one line.
type decryptError struct{ members []error }

func (e *decryptError) Error() string {
	return fmt.Sprintf("wxpay: %d members of the answer were not decrypted: %s", len(e.members), listed(e.members, error.Error))
}

// listed writes the texts of a list in one line, and the number of those that would be too many.
func listed[T any](list []T, text func(T) string) string {
	const shown = 5
	var b strings.Builder
	for i, item := range list {
		if i == shown {
			fmt.Fprintf(&b, "; and %d more", len(list)-shown)
			break
		}
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(text(item))
	}
	return b.String()
}

// Unwrap returns the faults.
func (e *decryptError) Unwrap() []error { return e.members }

// Encrypt encrypts one sensitive value for the platform, for what [Chain.Encrypt], [Secret] and a catalogue do not reach.
// serial names the key used and has to travel in the header Wechatpay-Serial. A text is at most 214 bytes of UTF-8 for a
// key of 2048 bits.
func (c *Client) Encrypt(ctx context.Context, text string) (ciphertext, serial string, err error) {
	key, err := c.keys.Encryption(ctx)
	switch {
	case !utf8.ValidString(text):
		err = jsonwalk.ErrNotUTF8
	case err == nil:
		err = fault.Cause(ctx)
	}
	if err != nil {
		return "", "", fmt.Errorf("wxpay: encrypting: %w", err)
	}
	sealed, err := c.scheme.Encrypt(key.Key, []byte(text))
	if err != nil {
		return "", "", fmt.Errorf("wxpay: encrypting: %w", err)
	}
	return base64.StdEncoding.EncodeToString(sealed), key.Serial, nil
}

// Decrypt opens one sensitive value of an answer or a notification with the merchant's private key, which has to be a
// crypto.Decrypter. The result is not always a text: encrypt_key, beside an encrypted bill, is a key.
func (c *Client) Decrypt(ctx context.Context, ciphertext string) (string, error) {
	if err := fault.Cause(ctx); err != nil {
		return "", fmt.Errorf("wxpay: decrypting: %w", err)
	}
	plain, err := c.own.Decrypt(c.scheme, "", []byte(ciphertext))
	if err != nil {
		return "", fmt.Errorf("wxpay: decrypting: %w", err)
	}
	return string(plain), nil
}

// Sign signs a message with the merchant's private key, as a page or an app that asks for payment needs it, and returns
// the signature in base64.
func (c *Client) Sign(ctx context.Context, message string) (string, error) {
	signature, _, err := c.signer.SignMessage(ctx, []byte(message))
	if err != nil {
		return "", fmt.Errorf("wxpay: signing: %w", errors.Unwrap(err))
	}
	return base64.StdEncoding.EncodeToString(signature), nil
}
