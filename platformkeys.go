package wxpay

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/middleware"
)

// platformKeys is the client's view of the platform's keys: it finds the key that verifies an answer, and chooses the
// one that requests name. Readers see one whole set or the next, never a half-filled one.
type platformKeys struct {
	set    atomic.Pointer[apiv3.KeySet]
	clock  func() time.Time
	policy KeyPolicy
	list   *certificateList // nil when certificates are not fetched
}

var _ middleware.Keys = (*platformKeys)(nil)

func newPlatformKeys(set *apiv3.KeySet, clock func() time.Time, policy KeyPolicy) *platformKeys {
	k := &platformKeys{clock: clock, policy: policy}
	k.set.Store(set)
	return k
}

// Key finds the key that an answer or a notification names, exactly. A certificate that nobody knows may be new, so the
// list is read again; an unknown id of a public key is a matter of configuration, which no refresh can cure.
func (k *platformKeys) Key(ctx context.Context, serial string) (crypto.PublicKey, error) {
	key, err := k.named(ctx, serial)
	return key.Key, err
}

// named is Key with the serial and the validity.
func (k *platformKeys) named(ctx context.Context, serial string) (apiv3.PlatformKey, error) {
	set := k.set.Load()
	if public, ok := set.PublicKey(); ok && public.Serial == serial { // the usual case, which needs no clock
		return public, nil
	}
	key, err := set.Find(serial, k.clock())
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

// choose returns the key that a request names and is encrypted with, by the policy. It is asked once for a call, since
// the policy may decide otherwise the next time.
func (k *platformKeys) choose() (apiv3.PlatformKey, bool) {
	set := k.set.Load()
	public, ok := set.PublicKey()
	if ok && k.policy.publicKey() {
		return public, true
	}
	if certificate, ok := set.Certificate(k.clock()); ok {
		return certificate, true
	}
	return public, ok
}

// ready makes sure that there is a key to choose, fetching certificates if need be.
func (k *platformKeys) ready(ctx context.Context) error {
	if k.list == nil {
		return nil
	}
	return k.list.ready(ctx)
}

// serial returns what a request says in Wechatpay-Serial: the chosen key's, empty if there is none.
func (k *platformKeys) serial() string {
	key, _ := k.choose()
	return key.Serial
}

// encryption returns the key that a request is encrypted with, and has to name.
func (k *platformKeys) encryption(ctx context.Context) (apiv3.PlatformKey, error) {
	if err := k.ready(ctx); err != nil {
		return apiv3.PlatformKey{}, err
	}
	key, ok := k.choose()
	if !ok {
		return apiv3.PlatformKey{}, errNoKey
	}
	return key, nil
}

var errNoKey = errors.New("there is no platform key to encrypt with: every certificate is outside its validity; WithPublicKey adds the one that never expires")

// Key finds the platform key that a notification names, so that a client can be what a webhook handler verifies with. An
// unknown serial of a certificate has the list read again if there is WithCertificates. An unknown key is
// apiv3.ErrUnknownSerial, a certificate outside its validity apiv3.ErrExpired.
func (c *Client) Key(ctx context.Context, serial string) (crypto.PublicKey, error) {
	return c.keys.Key(ctx, serial)
}

// KeyStatus tells which of the platform's keys a client has, and how fetching them goes.
type KeyStatus struct {
	// Keys are all of them: public keys first, then certificates, the one that expires last first.
	Keys []apiv3.PlatformKey
	// Policy chooses among them.
	Policy KeyPolicy
	// Fetched is when the platform signed the certificate list in use; zero when none was fetched.
	Fetched time.Time
	// Next is from when on the list is read again; zero before the first time, and without WithCertificates.
	Next time.Time
	// Failures counts the failed refreshes since the last that succeeded, and Err is the last one's error, a *[KeysError].
	Failures int
	Err      error
	// Broken are the entries of the list in use that could not be used.
	Broken []error
}

// KeyStatus returns the state of the platform's keys, for a health check or a metric.
func (c *Client) KeyStatus() KeyStatus {
	status := KeyStatus{Policy: c.keyPolicy}
	l := c.keys.list
	if l == nil {
		status.Keys = c.keys.set.Load().All()
		return status
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	status.Keys, status.Fetched, status.Failures, status.Broken = l.keys.set.Load().All(), l.read, l.failures, l.broken
	if due := l.due.Load(); due != 0 {
		status.Next = time.Unix(0, due)
	}
	if l.failure != nil {
		status.Err = l.failure
	}
	return status
}

// RefreshKeys has the platform's certificate list read now, whatever pause is due after a failure. It waits for the end,
// or for ctx, and returns why it failed: a *[KeysError]. Without WithCertificates there is nothing to do.
func (c *Client) RefreshKeys(ctx context.Context) error {
	l := c.keys.list
	if l == nil {
		return nil
	}
	for {
		fresh, err := l.refresh(ctx, reading{direct: true, urgent: true})
		if fresh || err != nil {
			return err
		}
	}
}

// WatchKeys has the platform's certificate list read whenever it is due, at once the first time, until ctx ends or
// the client is closed, whose cause it returns. Run it on a goroutine of yours where calls are rare and notifications must
// never wait for a certificate:
//
//	go client.WatchKeys(ctx)
//
// Failures are logged and in [Client.KeyStatus]. Without WithCertificates it returns nil at once.
func (c *Client) WatchKeys(ctx context.Context) error {
	if c.keys.list == nil {
		return nil
	}
	return c.keys.list.keep(ctx)
}
