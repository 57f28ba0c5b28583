package wxpay

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/wxpay-go/wxpay/internal/fault"
	"github.com/wxpay-go/wxpay/internal/jsonwalk"
)

// Encrypt encrypts the field at a JSON pointer, whatever the catalogue says: for an operation that
// it does not know, or a field that is encrypted only under a condition. The value must be a
// string, or an array, whose strings are then encrypted; null and an empty string stay unchanged.
// "*" stands for every element of an array, as in "/receivers/*/name". A pointer may lead into a
// JSON text in a string. For a field of the query it is a slash and the name. A request without
// such a field is a mistake. Of Encrypt and [Chain.Plain] for one field the later wins.
//
// The header Wechatpay-Serial, set by [Chain.Header], chooses the key; else the client does.
func (c Chain) Encrypt(pointer string) Chain { return c.rule(settingEncrypt, "Encrypt", pointer) }

// Plain sends a field, and everything inside it, in plain text, although the catalogue marks it as
// encrypted. The pointer has the form of [Chain.Encrypt].
func (c Chain) Plain(pointer string) Chain { return c.rule(settingPlain, "Plain", pointer) }

func (c Chain) rule(kind settingKind, verb, pointer string) Chain {
	names, err := jsonwalk.ParsePointer(pointer)
	if err != nil {
		return c.fail(fmt.Errorf("%s: %w", verb, err))
	}
	return c.with(setting{kind: kind, name: pointer, values: names})
}

// Encrypt encrypts one sensitive value for the platform, for places that [Chain.Encrypt], [Secret]
// and a catalogue do not reach. serial names the key and must travel in the header
// Wechatpay-Serial. A text has at most 214 bytes of UTF-8 for a key of 2048 bits.
func (c *Client) Encrypt(ctx context.Context, text string) (ciphertext, serial string, err error) {
	key, err := c.line.Keys.Encryption(ctx)
	switch {
	case !utf8.ValidString(text):
		err = jsonwalk.ErrNotUTF8
	case err == nil:
		err = fault.Cause(ctx)
	}
	if err != nil {
		return "", "", fmt.Errorf("wxpay: encrypting: %w", err)
	}
	encrypted, err := c.scheme.Encrypt(key.Key, []byte(text))
	if err != nil {
		return "", "", fmt.Errorf("wxpay: encrypting: %w", err)
	}
	return base64.StdEncoding.EncodeToString(encrypted), key.Serial, nil
}

// Decrypt decrypts one sensitive value of a response or a notification with the merchant's private
// key, which must be a crypto.Decrypter. The result is not always a text: encrypt_key, beside an
// encrypted bill, is a key.
func (c *Client) Decrypt(ctx context.Context, ciphertext string) (string, error) {
	if err := fault.Cause(ctx); err != nil {
		return "", fmt.Errorf("wxpay: decrypting: %w", err)
	}
	plain, err := c.line.Own.Decrypt(c.scheme, "", []byte(ciphertext))
	if err != nil {
		return "", fmt.Errorf("wxpay: decrypting: %w", err)
	}
	return string(plain), nil
}

// Sign signs a message with the merchant's private key, for a page or an app that asks for payment,
// and returns the signature in base64.
func (c *Client) Sign(ctx context.Context, message string) (string, error) {
	signature, _, err := c.line.Signer.SignMessage(ctx, []byte(message))
	if err != nil {
		return "", fmt.Errorf("wxpay: signing: %w", errors.Unwrap(err))
	}
	return base64.StdEncoding.EncodeToString(signature), nil
}
