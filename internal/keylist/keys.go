// Package keylist holds the platform's keys for one merchant: it finds the key that verifies a response, chooses the key
// that a request names and is encrypted with, and keeps the platform's certificate list up to date.
//
// It knows no client: a [Source] brings the function that reads the list and the errors that callers get.
package keylist

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/fault"
	"github.com/wxpay-go/wxpay/middleware"
)

// Keys are the platform's keys for one merchant. They are safe for concurrent use.
type Keys struct {
	chosen
	list *list // nil when no list is read
}

var _ middleware.Keys = (*Keys)(nil)

// New returns keys that begin with set. Requests use its public key in share percent of the cases, and a certificate in
// the others.
func New(set *apiv3.KeySet, clock func() time.Time, share float64) *Keys {
	k := &Keys{chosen: chosen{clock: clock, share: share}}
	k.set.store(set)
	return k
}

// Follow adds the certificates of a list. It is called before any other method, once at most.
func (k *Keys) Follow(source Source) { k.list = newList(source, &k.chosen) }

// Follows reports whether a list is read.
func (k *Keys) Follows() bool { return k.list != nil }

// Key finds the key that a response or a notification names; see [Keys.Find].
func (k *Keys) Key(ctx context.Context, serial string) (crypto.PublicKey, error) {
	key, err := k.Find(ctx, serial)
	return key.Key, err
}

// Find finds the key that serial names exactly. An unknown certificate may be new, so the list is read again; an unknown
// id of a public key is a matter of configuration, which no refresh can cure. Both are apiv3.ErrUnknownSerial, and a
// certificate outside its validity is apiv3.ErrExpired.
func (k *Keys) Find(ctx context.Context, serial string) (apiv3.PlatformKey, error) {
	set := k.set.load()
	if public, ok := set.PublicKey(); ok && public.Serial == serial { // the usual case, which needs no clock
		return public, nil
	}
	key, err := k.find(serial)
	switch {
	case err == nil || !errors.Is(err, apiv3.ErrUnknownSerial):
	case !apiv3.IsSerial(serial):
		err = fmt.Errorf("%w: compare it with the id and key given to WithPublicKey", err)
	case k.list == nil:
		err = fmt.Errorf("%w: it is a certificate's serial", err)
		if public, ok := set.PublicKey(); ok {
			err = fmt.Errorf("%w: the platform signs with that when it does not know %s as this merchant's public key: compare id and key with the merchant platform", err, public.Serial)
		}
		err = fmt.Errorf("%w (WithCertificates would have fetched the certificate)", err)
	default:
		key, err = k.list.find(ctx, serial)
	}
	return key, err
}

// Ready makes sure that there is a key to choose, and reads the list for it if need be.
func (k *Keys) Ready(ctx context.Context) error {
	if k.list == nil {
		return nil
	}
	return k.list.ready(ctx)
}

// Serial returns the name of the key that a request uses, empty if there is none.
func (k *Keys) Serial() string {
	key, _ := k.choose()
	return key.Serial
}

// ErrNoKey means that nothing can be encrypted, until the clock or the certificates are mended.
var ErrNoKey = fault.New("there is no platform key to encrypt with: every certificate is outside its validity; WithPublicKey adds the one that never expires")

// Encryption returns the key that a request is encrypted with, and has to name. It decides anew each time.
func (k *Keys) Encryption(ctx context.Context) (apiv3.PlatformKey, error) {
	if err := k.Ready(ctx); err != nil {
		return apiv3.PlatformKey{}, err
	}
	key, ok := k.choose()
	if !ok {
		return apiv3.PlatformKey{}, ErrNoKey
	}
	return key, nil
}

// Usable returns the keys that can be used now.
func (k *Keys) Usable() []apiv3.PlatformKey {
	var usable []apiv3.PlatformKey
	for _, key := range k.set.load().All() {
		if _, err := k.find(key.Serial); err == nil {
			usable = append(usable, key)
		}
	}
	return usable
}

// Replace looks for another key than refused, which the platform does not know any more, and reports whether there is one.
func (k *Keys) Replace(ctx context.Context, refused string) bool {
	if k.list == nil {
		return false
	}
	if current, ok := k.set.load().Certificate(k.clock()); !ok || current.Serial == refused {
		if _, err := k.list.refresh(ctx, reason{direct: true}); err != nil {
			return false
		}
	}
	key, ok := k.choose()
	return ok && key.Serial != refused
}

// Refresh reads the list now, whatever pause is due, and waits for its end or for ctx. Without a list it does nothing.
func (k *Keys) Refresh(ctx context.Context) error {
	if k.list == nil {
		return nil
	}
	for {
		fresh, err := k.list.refresh(ctx, reason{direct: true, urgent: true})
		if fresh || err != nil {
			return err
		}
	}
}

// Watch reads the list whenever it is due, until ctx ends or the keys are closed. Without a list it returns nil at once.
func (k *Keys) Watch(ctx context.Context) error {
	if k.list == nil {
		return nil
	}
	return k.list.watch(ctx)
}

// Status returns the state of the keys.
func (k *Keys) Status() Status {
	if k.list == nil {
		return Status{Keys: k.set.load().All()}
	}
	return k.list.status()
}

// Close ends the refresh under way, waits for it, and prevents others.
func (k *Keys) Close() {
	if k.list != nil {
		k.list.shut()
	}
}
