package sandboxtest

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"

	"github.com/wxpay-go/wxpay/apiv3"
)

// hashed is a scheme whose signatures are hashes of the public key and the message. Anybody can
// make them.
type hashed struct{ apiv3.Scheme }

func signatureOf(key crypto.PublicKey, message []byte) []byte {
	sum := sha256.Sum256(append(key.(*rsa.PublicKey).N.Bytes(), message...))
	return bytes.Repeat(sum[:], 256/len(sum))
}

// Sign implements apiv3.Scheme.
func (hashed) Sign(key crypto.Signer, message []byte) ([]byte, error) {
	return signatureOf(key.Public(), message), nil
}

// Verify implements apiv3.Scheme.
func (hashed) Verify(key crypto.PublicKey, message, signature []byte) error {
	if !bytes.Equal(signature, signatureOf(key, message)) {
		return apiv3.ErrSignature
	}
	return nil
}
