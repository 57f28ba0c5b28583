package sm

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"errors"
	"fmt"
	"math"

	"github.com/emmansun/gmsm/sm2"

	"github.com/wxpay-go/wxpay/apiv3"
)

// sequence is what the DER of every key, certificate and ciphertext here begins with.
const sequence = 0x30

// UserID is the signer's identity in SM2 signatures of WeChat Pay, the default of the standard.
// Signatures with an empty one do not verify.
const UserID = "1234567812345678"

const name = "WECHATPAY2-SM2-WITH-SM3"

// Scheme returns the scheme WECHATPAY2-SM2-WITH-SM3: SM2 with SM3 for signatures, in ASN.1 DER, and
// SM2 for sensitive members, in the ASN.1 form of C1C3C2. Signatures are random: two over one
// message differ.
//
// The private key may be any crypto.Signer whose Public is an *ecdsa.PublicKey on the SM2 curve,
// such as an HSM. It receives the 32-byte digest of the standard, SM3 over Z and the message, with
// crypto.Hash(0), and returns r and s in ASN.1 DER. To decrypt, it must also be a crypto.Decrypter;
// it receives the whole ciphertext in ASN.1.
func Scheme() apiv3.Scheme { return scheme{} }

type scheme struct{}

var _ apiv3.Scheme = scheme{}

func (scheme) Name() string          { return name }
func (scheme) Identity() string      { return "mchid" }
func (scheme) SignatureType() string { return name }

func (scheme) CheckPublicKey(key crypto.PublicKey) error {
	_, err := publicKey(key)
	return err
}

// publicKey returns key if it is one of SM2, whose point is on the curve.
func publicKey(key crypto.PublicKey) (*ecdsa.PublicKey, error) {
	public, ok := key.(*ecdsa.PublicKey)
	if !ok {
		return nil, fmt.Errorf("%w: it is %T, the scheme %s needs SM2 (sm.ParsePrivateKey, sm.ParsePublicKey)", apiv3.ErrKey, key, name)
	}
	//lint:ignore SA1019 the encodings of crypto/ecdsa do not know the curve of SM2
	if public == nil || public.X == nil || public.Y == nil {
		return nil, fmt.Errorf("%w: it is empty", apiv3.ErrKey)
	}
	if !sm2.IsSM2PublicKey(public) {
		return nil, fmt.Errorf("%w: it is a key on another curve, the scheme %s needs SM2", apiv3.ErrKey, name)
	}
	if _, err := sm2.PublicKeyToECDH(public); err != nil {
		return nil, fmt.Errorf("%w: its point is not on the curve of SM2", apiv3.ErrKey)
	}
	return public, nil
}

func (scheme) Sign(key crypto.Signer, message []byte) ([]byte, error) {
	public, err := publicKey(key.Public())
	if err != nil {
		return nil, err
	}
	digest, err := sm2.CalculateSM2Hash(public, message, []byte(UserID))
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	signature, err := key.Sign(rand.Reader, digest, crypto.Hash(0))
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	// A key on the right curve may still sign otherwise: ECDSA, with another user id, with bare
	// numbers. The platform would not say which. Looking costs 60 µs, and both together a tenth of
	// an RSA signature.
	if !sm2.VerifyASN1(public, digest, signature) {
		return nil, fmt.Errorf("%w: the signer made no SM2 signature of the digest in ASN.1 DER (an *ecdsa.PrivateKey makes ECDSA: read the key with sm.ParsePrivateKey)", apiv3.ErrKey)
	}
	return signature, nil
}

func (scheme) Verify(key crypto.PublicKey, message, signature []byte) error {
	public, err := publicKey(key)
	if err != nil {
		return fmt.Errorf("%w: %w", apiv3.ErrSignature, err)
	}
	if !sm2.VerifyASN1WithSM2(public, []byte(UserID), message, signature) {
		return apiv3.ErrSignature
	}
	return nil
}

// errEmpty is the one plaintext that SM2 cannot encrypt: its key stream would have no bits.
var errEmpty = errors.New("an empty value cannot be encrypted with SM2: leave it empty")

func (scheme) Encrypt(key crypto.PublicKey, plaintext []byte) ([]byte, error) {
	public, err := publicKey(key)
	if err != nil {
		return nil, err
	}
	if len(plaintext) == 0 {
		return nil, errEmpty
	}
	for range maxDraws {
		ciphertext, err := sm2.EncryptASN1(new(oneDraw), public, plaintext)
		if !errors.Is(err, errDrawn) {
			return ciphertext, err
		}
	}
	return nil, errDrawn
}

// maxDraws bounds the attempts of Encrypt. One byte needs a second attempt once in 256 times, two
// once in 65,536.
const maxDraws = 100

var errDrawn = errors.New("the random source has been drawn from")

// oneDraw is randomness for one attempt at encrypting. When the key stream comes out as zeroes, the
// standard demands another attempt. There the library (v0.44.1) goes on with the wrong point, so
// that nobody can decrypt the result. oneDraw makes it fail instead, and the caller tries again.
type oneDraw struct{ drawn bool }

func (d *oneDraw) Read(b []byte) (int, error) {
	if d.drawn {
		return 0, errDrawn
	}
	d.drawn = true
	return rand.Read(b)
}

func (scheme) Decrypt(key crypto.Decrypter, ciphertext []byte) ([]byte, error) {
	// The library would also take the bare point formats, which the platform never sends.
	if len(ciphertext) == 0 || ciphertext[0] != sequence {
		return nil, apiv3.ErrDecrypt
	}
	plaintext, err := key.Decrypt(rand.Reader, ciphertext, sm2.ASN1DecrypterOpts)
	if err != nil {
		return nil, apiv3.ErrDecrypt
	}
	return plaintext, nil
}

// MaxPlaintext is without bound for an SM2 key: the algorithm has no limit that a field could
// reach.
func (scheme) MaxPlaintext(key crypto.PublicKey) int {
	if _, err := publicKey(key); err != nil {
		return 0
	}
	return math.MaxInt
}
