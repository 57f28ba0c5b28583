package wxpay

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/keylist"
	"github.com/wxpay-go/wxpay/internal/redact"
)

// WithCertificates makes the client fetch the platform's certificates and follow their rotation. It
// needs Merchant.APIv3Key, because the platform encrypts them with that key.
//
// [New] fetches nothing. The first call that needs a key fetches the list. When the list is older
// than the interval, a call starts to read it again, without waiting. A response or a notification
// that names an unknown certificate waits for a new reading. While a refresh fails, the
// certificates at hand stay in use; the failure is logged, observed like any call, and shown by
// [Client.KeyStatus]. A refresh runs on a goroutine that ends with it; there is no other, unless
// you run [Client.WatchKeys].
//
// The list is trusted as the platform documents it
// (https://pay.weixin.qq.com/doc/v3/merchant/4012551764): it decrypts with the APIv3 key, and its
// signature verifies with the certificate in it that the response names.
//
// A merchant with only the WeChat Pay public key has no list: see [ErrNoCertificates]. Use this
// option together with [WithPublicKey] during a change from one to the other; see
// [WithPublicKeyShare].
func WithCertificates(options ...CertificatesOption) Option {
	return func(c *config) error {
		settings := keylist.Settings{Path: "v3/certificates", Interval: defaultRefresh}
		var problems []error
		for _, option := range options {
			if option == nil {
				problems = append(problems, errors.New("WithCertificates: an option is nil"))
				continue
			}
			problems = append(problems, option(&settings))
		}
		c.certificates = &settings
		return errors.Join(problems...)
	}
}

// WithPublicKeyShare uses the WeChat Pay public key for a random share of the calls, and the
// certificate that expires last for the others, while a merchant has both. A request names the
// chosen key in Wechatpay-Serial and encrypts its fields with it. percent is between 0 and 100,
// such as 0.1 for one call in a thousand; the default is 100. The platform signs its response with
// the public key when a request names it, so the share also steers the change from one kind to the
// other.
//
// If the chosen kind has no usable key, the other is used. Header("Wechatpay-Serial", …) on a chain
// overrides the choice.
func WithPublicKeyShare(percent float64) Option {
	return func(c *config) error {
		if !(percent >= 0 && percent <= 100) { // NaN is neither
			return fmt.Errorf("WithPublicKeyShare: %v is not between 0 and 100 percent", percent)
		}
		c.keyShare = percent
		return nil
	}
}

// CertificatesOption changes how [WithCertificates] works.
type CertificatesOption func(*keylist.Settings) error

// The platform requires intervals below 12 hours between readings.
const (
	defaultRefresh = 6 * time.Hour
	longestRefresh = 12 * time.Hour
	nearestRefresh = time.Minute
)

// RefreshInterval sets the age at which the client reads the list again: at least a minute and less
// than 12 hours, 6 hours by default. A random part of up to a fifth is subtracted, so that a fleet
// does not ask all at once.
func RefreshInterval(interval time.Duration) CertificatesOption {
	return func(s *keylist.Settings) error {
		if interval < nearestRefresh || interval >= longestRefresh {
			return fmt.Errorf("RefreshInterval is %s, it must be at least %s and less than %s", interval, nearestRefresh, longestRefresh)
		}
		s.Interval = interval
		return nil
	}
}

// TrustRoots accepts only certificates issued by one of roots (the platform's is Tenpay.com Root
// CA).
func TrustRoots(roots *x509.CertPool) CertificatesOption {
	return func(s *keylist.Settings) error {
		if roots == nil {
			return errors.New("TrustRoots: the pool is nil")
		}
		s.Roots = roots
		return nil
	}
}

// StoreIn keeps a copy of the list in store; see [FileStore].
func StoreIn(store KeyStore) CertificatesOption {
	return func(s *keylist.Settings) error {
		if store == nil {
			return errors.New("StoreIn: the store is nil")
		}
		s.Store = store
		return nil
	}
}

// GlobalCertificates reads the list of overseas merchants, /v3/global/certificates. It goes with
// [WithBaseURL] and [OverseasBaseURL].
func GlobalCertificates() CertificatesOption {
	return func(s *keylist.Settings) error {
		s.Path = "v3/global/certificates"
		return nil
	}
}

// ErrNoCertificates means that the platform has no certificates for this merchant.
var ErrNoCertificates = keylist.ErrNone

// ErrClosed means that the client was closed.
var ErrClosed = keylist.ErrClosed

// KeysError means that the client could not fetch the platform's certificates. It does not unwrap:
// an API error of the list is not an API error of the call that waited for it. errors.Is finds
// ErrNoCertificates, a cancellation or a timeout if that is the cause.
type KeysError struct {
	// Cause is the reason; an API error is an *APIError.
	Cause error
	// Next is the time from which a call may fetch them again; an earlier call fails at once.
	Next time.Time
}

func (e *KeysError) Error() string {
	text := "the platform certificates could not be fetched: " + strings.ReplaceAll(strings.TrimPrefix(e.Cause.Error(), "wxpay: "), "\n", "; ")
	if !e.Next.IsZero() {
		text += " (not tried again before " + e.Next.Format(time.TimeOnly) + ")"
	}
	return text
}

// Format prints the error's text under every verb.
func (e KeysError) Format(s fmt.State, verb rune) { redact.Format(s, verb, e.Error()) }

// MarshalText gives encodings the error's text.
func (e KeysError) MarshalText() ([]byte, error) { return []byte(e.Error()), nil }

// LogValue gives slog the cause without foreign texts: an API error's fields, else the stage of the
// failed call, else a text of this module.
func (e KeysError) LogValue() slog.Value {
	var rejection *APIError
	var call *CallError
	switch {
	case errors.Is(e.Cause, ErrNoCertificates):
		return slog.StringValue(ErrNoCertificates.Error())
	case errors.As(e.Cause, &rejection):
		return rejection.LogValue()
	case errors.As(e.Cause, &call):
		return slog.StringValue(call.Stage.Error())
	}
	return slog.StringValue(e.Cause.Error())
}

// Is reports the causes that a caller may act on: for a failed call for the list these few, for
// anything else all.
func (e *KeysError) Is(target error) bool {
	switch target {
	case ErrNoCertificates, context.Canceled, context.DeadlineExceeded, ErrClosed, apiv3.ErrDecrypt:
		return errors.Is(e.Cause, target)
	}
	var call *CallError
	var rejection *APIError
	return !errors.As(e.Cause, &call) && !errors.As(e.Cause, &rejection) && errors.Is(e.Cause, target)
}
