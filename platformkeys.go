package wxpay

import (
	"context"
	"crypto"
	"errors"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
)

// platformKeys is the client's view of the platform's keys: it finds the key that verifies an answer, and chooses the
// one that requests name.
type platformKeys struct {
	set   *apiv3.KeySet
	clock func() time.Time
}

// Key finds the key that an answer names, exactly.
func (k *platformKeys) Key(_ context.Context, serial string) (crypto.PublicKey, error) {
	key, err := k.set.Find(serial, k.clock())
	return key.Key, err
}

// serial returns what requests say in Wechatpay-Serial, which steers the key that answers are signed with: the WeChat
// Pay public key where there is one, else the certificate that expires last.
func (k *platformKeys) serial(now time.Time) string {
	key, _ := k.encryption(now)
	return key.Serial
}

// encryption returns the key that requests name and are encrypted with.
func (k *platformKeys) encryption(now time.Time) (apiv3.PlatformKey, error) {
	if key, ok := k.set.PublicKey(); ok {
		return key, nil
	}
	if key, ok := k.set.Certificate(now); ok {
		return key, nil
	}
	return apiv3.PlatformKey{}, errNoKey
}

var errNoKey = errors.New("there is no platform key to encrypt with: every certificate is outside its validity; WithPublicKey adds the one that never expires")
