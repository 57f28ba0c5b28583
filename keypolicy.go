package wxpay

import "fmt"

// KeyPolicy chooses the platform key that a request names in Wechatpay-Serial and is encrypted with, while a merchant has
// both certificates and the WeChat Pay public key. The platform signs its response with the public key when a request
// names it, so the policy also steers the change from one kind to the other.
//
// A kind without a usable key gives way to the other, and Header("Wechatpay-Serial", …) on a chain wins.
type KeyPolicy float64

const (
	// PreferPublicKey names the WeChat Pay public key. It is the default.
	PreferPublicKey KeyPolicy = 100
	// PreferCertificate names the certificate that is valid and expires last.
	PreferCertificate KeyPolicy = 0
)

// PublicKeyShare uses the public key for a random n percent of the calls, and a certificate for the rest. n is between 0
// and 100; 0.1 is one call in a thousand.
func PublicKeyShare(n float64) KeyPolicy { return KeyPolicy(n) }

// WithKeyPolicy sets the [KeyPolicy]. The default is [PreferPublicKey].
func WithKeyPolicy(policy KeyPolicy) Option {
	return func(c *config) error {
		if !(policy >= 0 && policy <= 100) { // NaN is neither
			return fmt.Errorf("WithKeyPolicy: %v is not between 0 and 100 percent", float64(policy))
		}
		c.keyShare = float64(policy)
		return nil
	}
}

// String returns the policy in words.
func (p KeyPolicy) String() string {
	switch p {
	case PreferPublicKey:
		return "prefer the public key"
	case PreferCertificate:
		return "prefer certificates"
	}
	return fmt.Sprintf("the public key in %v %% of the calls", float64(p))
}
