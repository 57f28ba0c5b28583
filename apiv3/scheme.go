package apiv3

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"fmt"

	"github.com/wxpay-go/wxpay/internal/fault"
)

// Scheme is an authentication scheme: its name in the Authorization header, and its algorithms.
// Every merchant has [RSA]. Brand-direct and the SM algorithms are other implementations.
type Scheme interface {
	// Name is the authentication scheme of the Authorization header, such as
	// WECHATPAY2-SHA256-RSA2048.
	Name() string
	// Identity names the caller's field of the Authorization header: mchid or brand_id.
	Identity() string
	// SignatureType is the value of Wechatpay-Signature-Type in responses and notifications.
	SignatureType() string
	// CheckPublicKey returns an error if key does not fit this scheme.
	CheckPublicKey(key crypto.PublicKey) error
	// Sign signs message (not its digest).
	Sign(key crypto.Signer, message []byte) ([]byte, error)
	// Verify returns nil if signature is a signature of message by key, else ErrSignature.
	Verify(key crypto.PublicKey, message, signature []byte) error
	// Encrypt encrypts one sensitive value for key. The error is ErrTooLong for a value longer than
	// MaxPlaintext.
	Encrypt(key crypto.PublicKey, plaintext []byte) ([]byte, error)
	// Decrypt decrypts one sensitive value. The error is ErrDecrypt, whatever the reason.
	Decrypt(key crypto.Decrypter, ciphertext []byte) ([]byte, error)
	// MaxPlaintext is the length in bytes of the longest value that Encrypt accepts for key.
	MaxPlaintext(key crypto.PublicKey) int
}

// Errors of keys, signatures and ciphers.
var (
	// ErrSignature means that a signature does not verify, without a reason.
	ErrSignature = fault.New("signature does not match")
	// ErrDecrypt means that this key does not decrypt a ciphertext.
	ErrDecrypt = fault.New("decryption failed")
	// ErrTooLong means that a plaintext is longer than the padding allows.
	ErrTooLong = fault.New("plaintext too long")
	// ErrKey means that a key is unreadable, or does not fit its use.
	ErrKey = fault.New("unusable key")
)

// RSA returns the scheme WECHATPAY2-SHA256-RSA2048: RSASSA-PKCS1-v1_5 with SHA-256 for signatures,
// RSAES-OAEP with SHA-1 for sensitive fields. (One FAQ entry recommends SHA-256 for OAEP; the guide
// and every official library use SHA-1, and the platform rejects SHA-256.)
func RSA() Scheme { return rsaScheme{} }

type rsaScheme struct{}

var _ Scheme = rsaScheme{}

func (rsaScheme) Name() string          { return "WECHATPAY2-SHA256-RSA2048" }
func (rsaScheme) Identity() string      { return "mchid" }
func (rsaScheme) SignatureType() string { return "WECHATPAY2-SHA256-RSA2048" }

// minRSABits is the size that the platform issues and accepts; a shorter key is a mistake or an
// attack.
const minRSABits = 2048

func (rsaScheme) CheckPublicKey(key crypto.PublicKey) error {
	_, err := rsaKey(key)
	return err
}

func rsaKey(key crypto.PublicKey) (*rsa.PublicKey, error) {
	public, ok := key.(*rsa.PublicKey)
	if !ok {
		return nil, fmt.Errorf("%w: it is %T, the scheme WECHATPAY2-SHA256-RSA2048 needs RSA", ErrKey, key)
	}
	if public == nil || public.N == nil {
		return nil, fmt.Errorf("%w: it is empty", ErrKey)
	}
	if bits := public.N.BitLen(); bits < minRSABits {
		return nil, fmt.Errorf("%w: it has %d bits, the scheme WECHATPAY2-SHA256-RSA2048 needs at least %d", ErrKey, bits, minRSABits)
	}
	if public.E < 3 || public.E%2 == 0 || public.N.Bit(0) == 0 {
		return nil, fmt.Errorf("%w: its modulus is even or its exponent is %d, and no such key protects anything", ErrKey, public.E)
	}
	return public, nil
}

func (rsaScheme) Sign(key crypto.Signer, message []byte) ([]byte, error) {
	digest := sha256.Sum256(message)
	var signature []byte
	var err error
	if private, ok := key.(*rsa.PrivateKey); ok { // the same, and the digest stays on the stack
		signature, err = rsa.SignPKCS1v15(nil, private, crypto.SHA256, digest[:])
	} else {
		signature, err = key.Sign(rand.Reader, bytes.Clone(digest[:]), crypto.SHA256)
	}
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	return signature, nil
}

func (rsaScheme) Verify(key crypto.PublicKey, message, signature []byte) error {
	public, err := rsaKey(key)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSignature, err)
	}
	digest := sha256.Sum256(message)
	if rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], signature) != nil {
		return ErrSignature
	}
	return nil
}

func (s rsaScheme) Encrypt(key crypto.PublicKey, plaintext []byte) ([]byte, error) {
	public, err := rsaKey(key)
	if err != nil {
		return nil, err
	}
	if limit := s.MaxPlaintext(key); len(plaintext) > limit {
		return nil, fmt.Errorf("%w: %d bytes of UTF-8, at most %d fit", ErrTooLong, len(plaintext), limit)
	}
	// the platform's padding uses SHA-1; OAEP does not depend on its collision resistance
	return rsa.EncryptOAEP(sha1.New(), rand.Reader, public, plaintext, nil)
}

func (rsaScheme) Decrypt(key crypto.Decrypter, ciphertext []byte) ([]byte, error) {
	plaintext, err := key.Decrypt(rand.Reader, ciphertext, &rsa.OAEPOptions{Hash: crypto.SHA1})
	if err != nil {
		return nil, ErrDecrypt
	}
	return plaintext, nil
}

// MaxPlaintext is 214 bytes for RSA-2048.
func (rsaScheme) MaxPlaintext(key crypto.PublicKey) int {
	public, ok := key.(*rsa.PublicKey)
	if !ok || public == nil || public.N == nil {
		return 0
	}
	return max(0, public.Size()-2*sha1.Size-2)
}
