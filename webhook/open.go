package webhook

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/textproto"
	"slices"
	"strings"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/headers"
	"github.com/wxpay-go/wxpay/internal/redact"
)

// canonical returns header with the canonical names of net/http. Names that differ only in case
// become one header, so a signature header in two spellings stands twice.
func canonical(header map[string][]string) map[string][]string {
	for name := range header {
		if textproto.CanonicalMIMEHeaderKey(name) == name {
			continue
		}
		out := make(map[string][]string, len(header))
		for name, values := range header {
			name = textproto.CanonicalMIMEHeaderKey(name)
			out[name] = append(out[name][:len(out[name]):len(out[name])], values...)
		}
		return out
	}
	return header
}

// accept checks and opens a delivery with its body, which it copies: the caller may reuse it.
func (t *delivery) accept(ctx context.Context) error {
	if int64(len(t.arrived.Body)) > t.h.maxBody {
		return t.h.tooLarge()
	}
	if !apiv3.HasSignature(t.arrived.Header) && isXML(t.arrived.Body) {
		return ErrV2Notification
	}
	if err := t.admit(ctx); err != nil {
		return err
	}
	t.arrived.Body = append(make([]byte, 0, withResource(len(t.arrived.Body))), t.arrived.Body...)
	return t.open()
}

// withResource returns the memory in bytes for a body and, behind it, for its decrypted resource,
// which usually has less than half as many.
func withResource(body int) int { return body + body/2 }

func (h *Handler) tooLarge() error {
	return fmt.Errorf("%w of %d bytes (WithMaxBody raises it)", ErrTooLarge, h.maxBody)
}

// isXML reports whether a body begins like XML.
func isXML(body []byte) bool {
	return strings.HasPrefix(strings.TrimLeft(string(body[:min(len(body), 64)]), "\ufeff \t\r\n"), "<")
}

// admit checks the headers before it reads or computes anything: presence, window, and a known key.
func (t *delivery) admit(ctx context.Context) error {
	signature, err := apiv3.ReadSignature(t.arrived.Header)
	if err != nil {
		return t.untrusted(err)
	}
	t.signature = signature
	now := t.h.clock()
	if err := signature.CheckWindow(now); err != nil {
		return t.untrusted(err)
	}
	if t.merchant, err = t.h.merchantOf(ctx, &t.arrived); err != nil {
		return err
	}
	if t.key, err = t.merchant.key(ctx, signature.Serial, now); err != nil {
		return t.untrusted(unknownKey(signature.Serial, err))
	}
	return nil
}

// merchantOf returns the only merchant, or the choice of the user's function.
func (h *Handler) merchantOf(ctx context.Context, d *Delivery) (*Merchant, error) {
	if h.choose == nil {
		return h.merchant(), nil
	}
	var merchant *Merchant
	given := *d // d itself stays on the stack of Parse
	err := guarded(func() (err error) { merchant, err = h.choose(ctx, &given); return err })
	switch {
	case errors.Is(err, ErrUnknownMerchant) || err == nil && merchant == nil:
		return nil, ErrUnknownMerchant
	case err != nil:
		return nil, &chooseError{err}
	case merchant.Keys == nil:
		return nil, &chooseError{errors.New("the chosen merchant has no Keys")}
	}
	return merchant, nil
}

func unknownKey(serial string, err error) error {
	err = fmt.Errorf("platform key %s: %w", redact.Printable(serial), err)
	switch {
	case !errors.Is(err, apiv3.ErrUnknownSerial):
		return err
	case apiv3.IsSerial(serial):
		return fmt.Errorf("%w: no platform certificate with this serial is configured; the current ones come from GET /v3/certificates", err)
	case strings.HasPrefix(serial, "PUB_KEY_ID_"):
		return fmt.Errorf("%w: no public key with this id is configured; the merchant platform shows it under API security", err)
	}
	return err
}

// open verifies the body of an admitted delivery, and reads and decrypts it.
func (t *delivery) open() error {
	room := t.arrived.Body[len(t.arrived.Body):] // for the resource alone
	t.arrived.Body = slices.Clip(t.arrived.Body)
	body, m := t.arrived.Body, t.merchant
	if len(body) == 0 {
		return fmt.Errorf("%w (it is empty)", ErrBodyConsumed)
	}
	if err := t.signature.Verify(m.scheme(), t.key, body); err != nil {
		return t.untrusted(err)
	}
	e, s, err := readEnvelope(body, t.signature.Serial, headers.First(t.arrived.Header, apiv3.HeaderRequestID))
	if err != nil {
		return err
	}
	if string(s.algorithm) != apiv3.AlgorithmAESGCM {
		return fmt.Errorf("%w: its resource is encrypted with %q, only %s can be read", ErrMalformed, redact.Printable(string(s.algorithm)), apiv3.AlgorithmAESGCM)
	}
	ciphertext, err := base64.StdEncoding.AppendDecode(room, s.ciphertext)
	if err != nil {
		return fmt.Errorf("%w: its ciphertext is not base64", ErrMalformed)
	}
	opener := t.h.opener
	if opener == nil {
		opener, err = apiv3.NewOpener([]byte(m.APIv3Key))
	}
	var plaintext []byte
	if err == nil {
		plaintext, err = opener.Open(ciphertext[:0], s.nonce, s.associated, ciphertext)
	}
	if err != nil {
		return fmt.Errorf("the resource: %w (was the APIv3 key changed in the merchant platform, or is it another merchant's?)", err)
	}
	if e.owner = t.h.merchant; e.owner == nil {
		e.owner = redact.Hide(m)
	}
	e.Merchant = m.ID
	if err := e.setResource(plaintext); err != nil {
		return err
	}
	if known := t.h.facts(); known != nil {
		if facts, ok := known.Event(e.Type); ok {
			e.facts = facts
			if err := e.decryptFields(facts); err != nil {
				return err
			}
		}
	}
	t.event = e
	return nil
}
