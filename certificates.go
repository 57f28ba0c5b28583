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

// WithCertificates makes the client fetch the platform's certificates itself and follow their rotation. It needs
// Merchant.APIv3Key, under which the platform encrypts them.
//
// [New] fetches nothing. The first call that needs a key fetches the list. When the list is older than the interval, a
// call starts to read it again, without waiting. A response or a notification that names an unknown certificate waits
// until it was read again. While a refresh fails the certificates at hand stay in use; the failure is logged, observed as
// the call that it is, and in [Client.KeyStatus]. A refresh runs on a goroutine that ends with it; there is no other,
// unless you run [Client.WatchKeys].
//
// The list is trusted as the platform documents it (https://pay.weixin.qq.com/doc/v3/merchant/4012551764): it decrypts
// with the APIv3 key, and its signature verifies with the certificate in it that the response names.
//
// A merchant who has only the WeChat Pay public key has no list: see [ErrNoCertificates]. Both options together are for the
// time of changing from one to the other; see [WithPublicKeyShare].
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

// WithPublicKeyShare chooses the platform key that a request names in Wechatpay-Serial and is encrypted with, while a
// merchant has both certificates and the WeChat Pay public key: the public key for a random share of the calls, the
// certificate that expires last for the others. percent is between 0 and 100, such as 0.1 for one call in a thousand; the
// default is 100. The platform signs its response with the public key when a request names it, so the share also steers
// the change from one kind to the other.
//
// A kind without a usable key gives way to the other, and Header("Wechatpay-Serial", …) on a chain wins.
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

// The platform wants the list to be read at intervals below 12 hours.
const (
	defaultRefresh = 6 * time.Hour
	longestRefresh = 12 * time.Hour
	nearestRefresh = time.Minute
)

// RefreshInterval sets the age at which the list is read again: at least a minute and less than 12 hours, 6 hours by
// default. Up to a fifth of it is taken off at random, so that a fleet does not ask all at once.
func RefreshInterval(interval time.Duration) CertificatesOption {
	return func(s *keylist.Settings) error {
		if interval < nearestRefresh || interval >= longestRefresh {
			return fmt.Errorf("RefreshInterval is %s, it must be at least %s and less than %s", interval, nearestRefresh, longestRefresh)
		}
		s.Interval = interval
		return nil
	}
}

// TrustRoots accepts only certificates that were issued by one of roots (the platform's is Tenpay.com Root CA).
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
// WithBaseURL("https://apihk.mch.weixin.qq.com").
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

// KeysError means that the platform's certificates could not be fetched. It does not unwrap: an API error of the list is
// no API error of the call that waited for it. errors.Is finds ErrNoCertificates, a cancellation or a timeout where that is
// the cause.
type KeysError struct {
	// Cause is why; an API error is an *APIError.
	Cause error
	// Next is when a call may fetch them again; before that it fails at once.
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

// LogValue gives slog the cause without the texts of others: an API error's fields, else the stage of the call that
// failed, else a text of this module.
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

// Is reports the causes that a caller may act on: of a failed call for the list these few, of anything else all.
func (e *KeysError) Is(target error) bool {
	switch target {
	case ErrNoCertificates, context.Canceled, context.DeadlineExceeded, ErrClosed, apiv3.ErrDecrypt:
		return errors.Is(e.Cause, target)
	}
	var call *CallError
	var rejection *APIError
	return !errors.As(e.Cause, &call) && !errors.As(e.Cause, &rejection) && errors.Is(e.Cause, target)
}
