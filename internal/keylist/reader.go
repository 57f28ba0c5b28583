package keylist

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/middleware"
)

// reader reads the list and puts its certificates into use. One goroutine at a time uses it.
type reader struct {
	Source
	keys  *chosen
	fixed *apiv3.KeySet // the configured keys, which stay whatever the list says
	read  Read

	fetched []apiv3.PlatformKey // the certificates of the last list, and those of the one before that end soon
	signed  time.Time           // when the platform signed the last list; zero before the first
	broken  []error             // entries of the last list that cannot be used
}

func newReader(source Source, keys *chosen) *reader {
	r := &reader{Source: source, keys: keys, fixed: keys.set.load()}
	r.read = source.Reader(introduction{r})
	return r
}

// update takes the list from the store if that has a newer copy that will do, else from the platform. The list ages from
// since: for a fresh list that is now by this machine's clock, which decides when the list is due.
func (r *reader) update(ctx context.Context, why reason) (since time.Time, err error) {
	if r.Store != nil && !why.direct && r.load(ctx, why.want) {
		return r.signed, nil
	}
	var list response
	if list.Header, list.Body, err = r.read(ctx); err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return time.Time{}, err
	}
	_, signed, err := list.signature()
	if err == nil {
		err = r.adopt(list.Body, signed)
	}
	if err != nil {
		return time.Time{}, err
	}
	if r.Store != nil {
		if err := save(ctx, r.Store, r.MchID, list); err != nil { // no harm to this process
			r.warn(ctx, "wxpay certificate list not stored", err)
		}
	}
	return r.keys.clock(), nil
}

// load takes the copy in the store if it is newer than the list at hand (of one second there may be two) and will do.
func (r *reader) load(ctx context.Context, want string) bool {
	list, found, err := load(ctx, r.Store, r.MchID)
	if err == nil && !found {
		return false
	}
	var signature apiv3.Signature
	var signed time.Time
	if err == nil {
		signature, signed, err = list.signature()
	}
	if err != nil {
		r.warn(ctx, "wxpay stored certificate list not read", err)
		return false
	}
	now := r.keys.clock()
	if signed.Before(r.signed) || want == "" && signed.Equal(r.signed) || now.Sub(signed) >= r.Interval || signed.Sub(now) > apiv3.Window {
		return false
	}
	key, err := r.signer(list.Body, signature.Serial)
	if err == nil {
		err = signature.Verify(r.Scheme, key, list.Body)
	}
	if err == nil {
		err = r.adopt(list.Body, signed)
	}
	if err != nil {
		r.warn(ctx, "wxpay stored certificate list not used", err)
		return false
	}
	if want == "" {
		return true
	}
	_, err = r.keys.find(want)
	return !errors.Is(err, apiv3.ErrUnknownSerial)
}

// warn logs a failure of the store, whose errors are not secret: it holds nothing that is.
func (r *reader) warn(ctx context.Context, message string, err error) {
	if r.Logger != nil {
		r.Logger.LogAttrs(ctx, slog.LevelWarn, message, slog.String("mchid", r.MchID), slog.String("error", err.Error()))
	}
}

// adopt replaces the certificates of the lists before by those of a verified list.
func (r *reader) adopt(body []byte, signed time.Time) error {
	certificates, broken, err := apiv3.OpenCertificates([]byte(r.Key()), body)
	if err != nil {
		return err
	}
	now := r.keys.clock()
	listed := make([]apiv3.PlatformKey, 0, len(certificates)+1)
	for _, certificate := range certificates {
		if err := r.check(certificate, now); err != nil {
			broken = append(broken, fmt.Errorf("certificate %s: %w", apiv3.Serial(certificate), err))
			continue
		}
		listed = append(listed, apiv3.CertificateKey(certificate))
	}
	usable, err := apiv3.NewKeySet(listed...)
	if err != nil {
		return err
	}
	if _, ok := usable.Certificate(now); !ok {
		if len(broken) == 0 {
			broken = []error{errors.New("every certificate is outside its validity")}
		}
		return fmt.Errorf("the list has no certificate that can be used: %w", errors.Join(broken...))
	}
	// A certificate that the list no longer names signs no more, but its signatures are good for the time that a signature
	// is good. If an entry is broken, nobody knows which certificate is gone.
	for _, key := range r.fetched {
		if _, err := usable.Find(key.Serial, now); !errors.Is(err, apiv3.ErrUnknownSerial) {
			continue
		}
		if _, err := r.fixed.Find(key.Serial, now); !errors.Is(err, apiv3.ErrUnknownSerial) {
			continue // the caller's stay whatever the list says
		}
		if end := now.Add(apiv3.Window); len(broken) == 0 && key.NotAfter.After(end) {
			key.NotAfter = end
		}
		if !now.After(key.NotAfter) {
			listed = append(listed, key)
		}
	}
	set, err := r.fixed.With(listed...)
	if err != nil {
		return err
	}
	r.keys.set.store(set)
	r.fetched, r.signed, r.broken = listed, signed, broken
	return nil
}

// check reports why a certificate of the list is not taken.
func (r *reader) check(certificate *x509.Certificate, now time.Time) error {
	if err := r.Scheme.CheckPublicKey(certificate.PublicKey); err != nil {
		return err
	}
	if r.Roots == nil {
		return nil
	}
	_, err := certificate.Verify(x509.VerifyOptions{Roots: r.Roots, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	if err != nil {
		return errors.New("it was not issued by one of the roots given to TrustRoots")
	}
	return nil
}

// signer finds the certificate that serial names in the body of a list. The list's entries prove that their maker knows
// the APIv3 key.
func (r *reader) signer(body []byte, serial string) (crypto.PublicKey, error) {
	certificates, broken, err := apiv3.OpenCertificates([]byte(r.Key()), body)
	if err != nil {
		return nil, fmt.Errorf("%w; %w", apiv3.ErrUnknownSerial, err)
	}
	now := r.keys.clock()
	for _, certificate := range certificates {
		if apiv3.Serial(certificate) != serial {
			continue
		}
		if err := r.check(certificate, now); err != nil {
			return nil, err
		}
		set, err := apiv3.NewKeySet(apiv3.CertificateKey(certificate))
		if err != nil {
			return nil, err
		}
		key, err := set.Find(serial, now)
		return key.Key, err
	}
	return nil, errors.Join(append([]error{apiv3.ErrUnknownSerial}, broken...)...)
}

// introduction finds the key that signed a list: a known one, else a certificate in the list itself.
type introduction struct{ reader *reader }

var _ middleware.Keys = introduction{}

func (i introduction) Key(ctx context.Context, serial string) (crypto.PublicKey, error) {
	key, err := i.reader.keys.find(serial)
	if !errors.Is(err, apiv3.ErrUnknownSerial) {
		return key.Key, err
	}
	return i.reader.signer(middleware.CallFrom(ctx).ResponseBody(), serial)
}
