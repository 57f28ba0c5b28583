// Package publickey compares public keys.
package publickey

import "crypto"

// Equal reports whether two public keys are one. A value that is no public key equals none.
func Equal(a, b crypto.PublicKey) bool {
	key, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && key.Equal(b)
}
