package apiv3

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"fmt"

	"github.com/wxpay-go/wxpay/internal/fault"
)

// Scheme is one way of authenticating: the name in the Authorization header, and the algorithms behind it. [RSA] is the
// one that every merchant has. Brand-direct and the SM algorithms are further implementations of the same interface.
type Scheme interface {
	// Name is the authentication scheme of the Authorization header, such as WECHATPAY2-SHA256-RSA2048.
	Name() string
	// Identity names the member of the Authorization header that tells who calls: mchid or brand_id.
	Identity() string
	// SignatureType is the value of Wechatpay-Signature-Type that answers and notifications carry.
	SignatureType() string
	// CheckPublicKey reports why key cannot serve this scheme, nil if it can.
	CheckPublicKey(key crypto.PublicKey) error
	// Sign signs message (not its digest).
	Sign(key crypto.Signer, message []byte) ([]byte, error)
	// Verify reports whether signature is key's over message: nil, or an error that is ErrSignature.
	Verify(key crypto.PublicKey, message, signature []byte) error
	// Encrypt encrypts one sensitive value for key. A value longer than MaxPlaintext is ErrTooLong.
	Encrypt(key crypto.PublicKey, plaintext []byte) ([]byte, error)
	// Decrypt opens one sensitive value. Failing is ErrDecrypt, whatever the reason.
	Decrypt(key crypto.Decrypter, ciphertext []byte) ([]byte, error)
	// MaxPlaintext is the longest value in bytes that Encrypt takes for key.
	MaxPlaintext(key crypto.PublicKey) int
}

// Errors of keys, signatures and ciphers.
var (
	// ErrSignature means that a signature does not verify. It says nothing about why.
	ErrSignature = fault.New("signature does not match")
	// ErrDecrypt means that a ciphertext cannot be opened with this key.
	ErrDecrypt = fault.New("decryption failed")
	// ErrTooLong means that a plaintext is longer than the padding allows.
	ErrTooLong = fault.New("plaintext too long")
	// ErrKey means that a key cannot be read, or does not fit its use.
	ErrKey = fault.New("unusable key")
)

// RSA returns the scheme WECHATPAY2-SHA256-RSA2048: RSASSA-PKCS1-v1_5 with SHA-256 for signatures, RSAES-OAEP with
// SHA-1 for sensitive members. (One FAQ entry recommends SHA-256 for OAEP; the guide and every official library use
// SHA-1, and SHA-256 is refused by the platform.)
func RSA() Scheme { return rsaScheme{} }

type rsaScheme struct{}

var _ Scheme = rsaScheme{}

func (rsaScheme) Name() string          { return "WECHATPAY2-SHA256-RSA2048" }
func (rsaScheme) Identity() string      { return "mchid" }
func (rsaScheme) SignatureType() string { return "WECHATPAY2-SHA256-RSA2048" }

// minRSABits is what the platform issues and accepts; a shorter key is a mix-up or an attack.
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
	signature, err := key.Sign(rand.Reader, digest[:], crypto.SHA256)
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
	// SHA-1 is what the platform's padding is made of; OAEP does not depend on its collision resistance.
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
