package wxpay

import (
	"context"
	"crypto"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
)

// Key finds the platform key that a notification names, so that a client can serve as the keys of a
// webhook handler. With [WithCertificates], the unknown serial of a certificate makes the client
// read the list again. An unknown key is apiv3.ErrUnknownSerial; a certificate outside its validity
// is apiv3.ErrExpired.
func (c *Client) Key(ctx context.Context, serial string) (crypto.PublicKey, error) {
	return c.line.Keys.Key(ctx, serial)
}

// KeyStatus is the state of a client's platform keys and of their refresh.
type KeyStatus struct {
	// Keys are all platform keys: public keys first, then certificates, the one that expires last
	// first.
	Keys []apiv3.PlatformKey
	// PublicKeyShare is the percentage of calls that use the public key; see [WithPublicKeyShare].
	PublicKeyShare float64
	// Fetched is the time at which the platform signed the certificate list in use; zero if none
	// was fetched.
	Fetched time.Time
	// Next is the time at which the list is due; zero before the first time, and without
	// WithCertificates.
	Next time.Time
	// Failures counts the failed refreshes since the last success, and Err is the last one's error,
	// a *[KeysError].
	Failures int
	Err      error
	// Broken has an error for each unusable entry of the list in use.
	Broken []error
}

// KeyStatus returns the state of the platform's keys, for a health check or a metric.
func (c *Client) KeyStatus() KeyStatus {
	s := c.line.Keys.Status()
	return KeyStatus{
		Keys: s.Keys, PublicKeyShare: c.keyShare, Fetched: s.Fetched, Next: s.Next,
		Failures: s.Failures, Err: s.Err, Broken: s.Broken,
	}
}

// RefreshKeys reads the platform's certificate list now, even during the pause after a failure. It
// waits for the end of the reading, or of ctx. A failure is a *[KeysError]. Without
// [WithCertificates] it does nothing.
func (c *Client) RefreshKeys(ctx context.Context) error { return c.line.Keys.Refresh(ctx) }

// WatchKeys reads the platform's certificate list at once and then whenever it is due, until ctx
// ends or the client is closed, and returns the cause. Run it on a goroutine if calls are rare and
// notifications must never wait for a certificate:
//
//	go client.WatchKeys(ctx)
//
// Failures are logged and shown by [Client.KeyStatus]. Without [WithCertificates] it returns nil at
// once.
func (c *Client) WatchKeys(ctx context.Context) error { return c.line.Keys.Watch(ctx) }
