package wxpay

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/redact"
)

// KeyCheck is the result of [Client.VerifyKeys] for one of the platform's keys.
type KeyCheck struct {
	// Serial is the certificate's serial or the public key's id.
	Serial string
	// Certificate is true for a certificate, false for a public key.
	Certificate bool
	// Err is nil if all directions work, else the failure.
	Err error
}

// VerifyKeys tries every usable key of the platform in all directions, with POST /v3/security/echo
// (https://pay.weixin.qq.com/doc/v3/merchant/4014551946). It signs the request, encrypts a field
// with that key, verifies the response, which must be signed with the key if it is the public key,
// and decrypts the returned field. It changes nothing. The error joins those of the checks; it is
// nil if all keys work. A private key that cannot decrypt is a failure.
//
// It does not cover the echo of a notification: for that, post to /v3/security/echo with
// notify_url, and your handler receives SECURITY_ECHO.SUCCESS.
func (c *Client) VerifyKeys(ctx context.Context) ([]KeyCheck, error) {
	if c.isBrand() {
		return nil, errors.New("wxpay: verifying keys: the platform has no echo for brands")
	}
	if err := c.line.Keys.Ready(ctx); err != nil {
		return nil, fmt.Errorf("wxpay: verifying keys: %w", err)
	}
	var checks []KeyCheck
	var problems []error
	for _, key := range c.line.Keys.Usable() {
		err := c.echo(ctx, key)
		checks = append(checks, KeyCheck{key.Serial, key.IsCertificate(), err})
		if err != nil {
			problems = append(problems, fmt.Errorf("wxpay: platform key %s: %w", key.Serial, err))
		}
	}
	return checks, errors.Join(problems...)
}

// echo sends a message in clear and encrypted, and compares both with the response.
func (c *Client) echo(ctx context.Context, key apiv3.PlatformKey) error {
	message := rand.Text()
	encrypted, err := c.scheme.Encrypt(key.Key, []byte(message))
	if err != nil {
		return fmt.Errorf("encrypting: %w", err)
	}
	res, err := c.Chain("v3/security/echo").Header(apiv3.HeaderSerial, key.Serial).
		Post(ctx, JSON{"echo_message": message, "encrypted_echo_message": base64.StdEncoding.EncodeToString(encrypted)})
	if err != nil {
		return err
	}
	var echoed struct {
		Plain     string `json:"echo_message"`
		Encrypted string `json:"encrypted_echo_message"`
	}
	if err := json.Unmarshal(res.Raw(), &echoed); err != nil { // the verified text, without decryption by the catalogue
		return fmt.Errorf("reading the response: %w", err)
	}
	if signed := res.Header.Get(apiv3.HeaderSerial); !key.IsCertificate() && signed != key.Serial {
		return fmt.Errorf("the response is signed with %s, but the request names this key", redact.Quote(signed))
	}
	if echoed.Plain != message {
		return errors.New("the returned echo_message differs from the one sent")
	}
	own := res.from.Call.Serial // of the certificate that signed the request
	decrypted, err := c.line.Own.Decrypt(c.scheme, own, []byte(echoed.Encrypted))
	switch {
	case err != nil:
		return fmt.Errorf("decrypting encrypted_echo_message, which is encrypted for the certificate %s: %w", own, err)
	case string(decrypted) != message:
		return errors.New("the returned encrypted_echo_message differs from the one sent")
	}
	return nil
}
