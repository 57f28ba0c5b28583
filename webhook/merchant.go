package webhook

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/fault"
	"github.com/wxpay-go/wxpay/internal/headers"
	"github.com/wxpay-go/wxpay/internal/publickey"
	"github.com/wxpay-go/wxpay/internal/redact"
	"github.com/wxpay-go/wxpay/internal/visible"
)

// Merchant is the receiver of notifications: a merchant, a service provider (whose keys also serve
// its sub-merchants), or a brand. It prints redacted.
type Merchant struct {
	// ID is the merchant number (mchid), or the brand_id of a brand. It stands in Event.Merchant
	// and in [Event.Key]. Signed responses need it.
	ID string
	// APIv3Key is the 32-byte key set in the merchant platform, as typed.
	APIv3Key string `json:"-"`
	// Keys finds the platform's keys; see [Static].
	Keys Keys `json:"-"`

	// PrivateKey is the key of the merchant API certificate. It signs the responses to some
	// inquiries. If it is also a crypto.Decrypter (*rsa.PrivateKey is one), it decrypts the
	// encrypted fields of resources. Optional.
	PrivateKey crypto.Signer `json:"-"`
	// Serial is the serial of that certificate: 40 upper-case hex digits. Signed responses need it.
	Serial string
	// Decrypter decrypts fields instead of PrivateKey, for a KMS that separates signing and
	// decrypting. Optional.
	Decrypter crypto.Decrypter `json:"-"`
	// Scheme is the authentication scheme; nil means apiv3.RSA.
	Scheme apiv3.Scheme `json:"-"`
}

// Format prints number and serial under every verb; keys are left out.
func (m Merchant) Format(s fmt.State, verb rune) { redact.Format(s, verb, m.text()) }

// MarshalText returns the text that Format prints.
func (m Merchant) MarshalText() ([]byte, error) { return []byte(m.text()), nil }

func (m *Merchant) text() string {
	return fmt.Sprintf("webhook.Merchant{ID %s, Serial %s, keys redacted}", m.ID, m.Serial)
}

// LogValue returns number and serial for slog.
func (m Merchant) LogValue() slog.Value {
	return slog.GroupValue(slog.String("mchid", m.ID), slog.String("serial", m.Serial))
}

// Choose finds the merchant of a delivery, for several merchants behind one address. The handler
// calls it after the check of headers and window and before it reads the body, so Delivery.Body is
// nil under ServeHTTP. Nothing of the delivery is verified yet. Use the path, if each merchant has
// its own notify_url (Delivery.Request has it), or [Delivery.Serial], since each merchant has its
// own public key id. (Merchants may share the serial of a platform certificate.)
//
// The handler responds 404 to [ErrUnknownMerchant] and 503 to any other error.
type Choose func(ctx context.Context, d *Delivery) (*Merchant, error)

// Delivery is one notification as it arrived.
type Delivery struct {
	// Header is the request's header.
	Header map[string][]string
	// Body is the raw body.
	Body []byte
	// Target is the request target: path and query exactly as they arrived. Only signed responses
	// need it.
	Target string
	// Request is the HTTP request of ServeHTTP; nil for Parse, and for Deliver unless the caller
	// sets it.
	Request *http.Request
}

// Format prints the named platform key and the size under every verb.
func (d Delivery) Format(s fmt.State, verb rune) { redact.Format(s, verb, d.text()) }

// MarshalText returns the text that Format prints.
func (d Delivery) MarshalText() ([]byte, error) { return []byte(d.text()), nil }

func (d *Delivery) text() string {
	return fmt.Sprintf("webhook.Delivery{serial %s, %d bytes}", redact.Printable(d.Serial()), len(d.Body))
}

// Serial returns the platform key that the delivery names: certificate serial or public key id.
func (d *Delivery) Serial() string { return headers.First(d.Header, apiv3.HeaderSerial) }

// Keys finds the platform key that a notification names. The error for an unknown key is
// apiv3.ErrUnknownSerial. ctx ends with the budget.
type Keys interface {
	Key(ctx context.Context, serial string) (crypto.PublicKey, error)
}

// Static returns fixed keys. Certificates count while they are valid by the handler's clock, public
// keys always.
func Static(set *apiv3.KeySet) Keys { return static{set} }

type static struct{ set *apiv3.KeySet }

func (s static) Key(_ context.Context, serial string) (crypto.PublicKey, error) {
	return s.at(serial, time.Now())
}

func (s static) at(serial string, now time.Time) (crypto.PublicKey, error) {
	if s.set == nil {
		return nil, apiv3.ErrUnknownSerial
	}
	key, err := s.set.Find(serial, now)
	return key.Key, err
}

// key finds a platform key; static keys go by the handler's clock.
func (m *Merchant) key(ctx context.Context, serial string, now time.Time) (key crypto.PublicKey, err error) {
	if keys, ok := m.Keys.(static); ok {
		return keys.at(serial, now)
	}
	err = guarded(func() (err error) { key, err = m.Keys.Key(ctx, serial); return err })
	switch {
	case err == nil || fault.Ours(m.Keys): // such as a client of this module
		return key, err
	case errors.Is(err, apiv3.ErrUnknownSerial):
		return nil, fault.Holding(err, apiv3.ErrUnknownSerial)
	case errors.Is(err, apiv3.ErrExpired):
		return nil, fault.Holding(err, apiv3.ErrExpired)
	}
	return nil, shielded(err)
}

func (m *Merchant) scheme() apiv3.Scheme {
	if m.Scheme != nil {
		return m.Scheme
	}
	return apiv3.RSA()
}

// decrypter returns the decrypter of encrypted fields, nil if there is none.
func (m *Merchant) decrypter() crypto.Decrypter {
	if m.Decrypter != nil {
		return m.Decrypter
	}
	key, _ := m.PrivateKey.(crypto.Decrypter)
	return key
}

// check returns every fault of the merchant.
func (m *Merchant) check(now time.Time) error {
	var problems []error
	problem := func(format string, a ...any) { problems = append(problems, fmt.Errorf(format, a...)) }
	if m.APIv3Key == "" {
		problem("Merchant.APIv3Key is missing: it is set in the merchant platform under API security, and without it no notification can be read")
	} else if err := apiv3.CheckKey([]byte(m.APIv3Key)); err != nil {
		problem("Merchant.APIv3Key: %w", err)
	}
	if m.PrivateKey != nil {
		if err := m.scheme().CheckPublicKey(m.PrivateKey.Public()); err != nil {
			problem("Merchant.PrivateKey: %w", err)
		}
	}
	if err := visible.Word(m.ID); err != nil {
		problem("Merchant.ID is %s: %w", redact.Quote(m.ID), err)
	} else if strings.Trim(m.ID, "0123456789") != "" {
		problem("Merchant.ID is %s, which is not made of digits: it is the merchant number (mchid), or the brand_id of a brand", redact.Quote(m.ID))
	}
	if err := visible.Word(m.Serial); err != nil {
		problem("Merchant.Serial is %s: %w", redact.Quote(m.Serial), err)
	} else if m.Serial != "" && !apiv3.IsSerial(m.Serial) {
		problem("Merchant.Serial is %s, not 40 upper-case hex digits: openssl x509 -in apiclient_cert.pem -noout -serial prints it", redact.Quote(m.Serial))
	}
	switch keys := m.Keys.(type) {
	case nil:
		problem("Merchant.Keys is missing, so no notification could be verified: webhook.Static takes an apiv3.KeySet")
	case static:
		if keys.set == nil || keys.set.Len() == 0 {
			problem("Merchant.Keys holds no platform key, so no notification could be verified: add the WeChat Pay " +
				"public key or platform certificates, shown in the merchant platform under API security")
		} else if m.isOwn(keys.set, now) {
			problem("Merchant.Keys holds the merchant's own key: apiclient_cert.pem was given where the platform's certificate or public key belongs")
		} else {
			for _, key := range keys.set.All() {
				if err := m.scheme().CheckPublicKey(key.Key); err != nil {
					problem("Merchant.Keys, %s: %w", key.Serial, err)
				}
			}
		}
	}
	return errors.Join(problems...)
}

// isOwn reports whether set contains the merchant's own key, a mix-up that would reject every
// notification.
func (m *Merchant) isOwn(set *apiv3.KeySet, now time.Time) bool {
	if m.Serial != "" {
		if _, err := set.Find(m.Serial, now); !errors.Is(err, apiv3.ErrUnknownSerial) {
			return true
		}
	}
	if m.PrivateKey == nil {
		return false
	}
	own := m.PrivateKey.Public()
	public, _ := set.PublicKey()
	certificate, _ := set.Certificate(now)
	return publickey.Equal(own, public.Key) || publickey.Equal(own, certificate.Key)
}

// unusable joins problems into the one-line error of a constructor; nil if there are none.
func unusable(problems ...error) error {
	if err := errors.Join(problems...); err != nil {
		return fmt.Errorf("webhook: the handler is not usable: %s", strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	return nil
}

func (m *Merchant) canSign() bool { return m.ID != "" && m.Serial != "" && m.PrivateKey != nil }
