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

// KeyCheck is what [Client.VerifyKeys] found about one of the platform's keys.
type KeyCheck struct {
	// Serial is the certificate's serial or the public key's id.
	Serial string
	// Certificate says which of the two it is.
	Certificate bool
	// Err is nil when all directions work, else what does not.
	Err error
}

// VerifyKeys tries every key of the platform that is usable now in all directions, with POST /v3/security/echo
// (https://pay.weixin.qq.com/doc/v3/merchant/4014551946): signing the request, encrypting a member with that key, verifying
// the answer, which must be signed with it if it is the public key, and decrypting the member that comes back. Nothing is
// changed by it. The error joins those of the checks; it is nil when all is well. A private key that cannot decrypt is one.
//
// The echo of a notification is not part of it: post to /v3/security/echo with notify_url and let your handler receive
// SECURITY_ECHO.SUCCESS.
func (c *Client) VerifyKeys(ctx context.Context) ([]KeyCheck, error) {
	if c.isBrand() {
		return nil, errors.New("wxpay: verifying keys: the platform has no echo for brands")
	}
	if err := c.keys.ready(ctx); err != nil {
		return nil, fmt.Errorf("wxpay: verifying keys: %w", err)
	}
	var checks []KeyCheck
	var problems []error
	set, now := c.keys.set.Load(), c.clock()
	for _, key := range set.All() {
		if _, err := set.Find(key.Serial, now); err != nil {
			continue // outside its validity
		}
		err := c.echo(ctx, key)
		checks = append(checks, KeyCheck{key.Serial, key.IsCertificate(), err})
		if err != nil {
			problems = append(problems, fmt.Errorf("wxpay: platform key %s: %w", key.Serial, err))
		}
	}
	return checks, errors.Join(problems...)
}

// echo sends a message in clear and encrypted, and has both back.
func (c *Client) echo(ctx context.Context, key apiv3.PlatformKey) error {
	message := rand.Text()
	sealed, err := c.scheme.Encrypt(key.Key, []byte(message))
	if err != nil {
		return fmt.Errorf("encrypting: %w", err)
	}
	res, err := c.Chain("v3/security/echo").Header(apiv3.HeaderSerial, key.Serial).
		Post(ctx, JSON{"echo_message": message, "encrypted_echo_message": base64.StdEncoding.EncodeToString(sealed)})
	if err != nil {
		return err
	}
	var answer struct {
		Plain  string `json:"echo_message"`
		Sealed string `json:"encrypted_echo_message"`
	}
	if err := json.Unmarshal(res.Raw(), &answer); err != nil { // what was verified, and not what a catalogue decrypted
		return fmt.Errorf("reading the answer: %w", err)
	}
	if signed := res.Header.Get(apiv3.HeaderSerial); !key.IsCertificate() && signed != key.Serial {
		return fmt.Errorf("the answer is signed with %s, although the request names this key", redact.Quote(signed))
	}
	if answer.Plain != message {
		return errors.New("another echo_message came back than was sent")
	}
	opened, err := c.own.decrypt(c.scheme, res.flight.Serial, []byte(answer.Sealed))
	switch {
	case err != nil:
		return fmt.Errorf("decrypting encrypted_echo_message, which is encrypted for the certificate %s: %w", res.flight.Serial, err)
	case string(opened) != message:
		return errors.New("another encrypted_echo_message came back than was sent")
	}
	return nil
}
