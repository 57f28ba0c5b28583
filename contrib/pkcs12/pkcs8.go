package pkcs12

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"hash"

	"golang.org/x/crypto/scrypt"

	"github.com/wxpay-go/wxpay/apiv3"
)

// Bounds of the work that a file may ask for. OpenSSL asks for 2,048 rounds or 16 MiB, Java for
// 10,000 rounds.
const (
	maxIterations   = 10_000_000
	maxScryptMemory = 256 << 20 // bytes
	maxScryptLanes  = 16
)

// convert is the remedy for what cannot be decrypted here.
const convert = "openssl pkcs8 -topk8 -v2 aes256 -in FILE -out apiclient_key.pem writes it in a form that can be read"

// ParseEncryptedPKCS8 parses a private key in encrypted PKCS#8, in PEM or DER. PEM text may contain
// a literal \n for a line break, as environment variables often do. It supports PBES2 with PBKDF2
// (HMAC with SHA-1 or SHA-2) or scrypt, and AES or 3DES in CBC mode, which OpenSSL since 1.1 and
// Java write. The error names any other content.
//
// A wrong password is [ErrPassword]; every error is [apiv3.ErrKey].
func ParseEncryptedPKCS8(data []byte, password string) (crypto.Signer, error) {
	der, err := encryptedDER(data)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", apiv3.ErrKey, err)
	}
	plain, err := decryptPKCS8(der, password)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", apiv3.ErrKey, err)
	}
	key, err := x509.ParsePKCS8PrivateKey(plain)
	if err != nil {
		// Wrong padding gives most wrong passwords away; one in 256 ends here, with noise in place
		// of a SEQUENCE.
		var whole asn1.RawValue
		if !unmarshal(plain, &whole) || whole.Tag != asn1.TagSequence {
			return nil, fmt.Errorf("%w: %w", apiv3.ErrKey, ErrPassword)
		}
		return nil, fmt.Errorf("%w: the password is right, but what it opens is no private key of a known kind", apiv3.ErrKey)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("%w: a key of type %T cannot sign", apiv3.ErrKey, key)
	}
	return signer, nil
}

// encryptedDER returns the DER of an encrypted key, or says what data is instead.
func encryptedDER(data []byte) ([]byte, error) {
	switch {
	case len(data) == 0:
		return nil, errors.New("it is empty")
	case len(data) > maxSize:
		return nil, errors.New("it has more than 1 MiB, which is no key")
	}
	if block, _ := pem.Decode(unescape(data)); block != nil {
		switch {
		case block.Type == encryptedBlock:
			return block.Bytes, nil
		case block.Headers["DEK-Info"] != "":
			return nil, errors.New("this private key is encrypted in the old way of PEM headers; " + convert)
		case block.Type == "PRIVATE KEY" || block.Type == "RSA PRIVATE KEY" || block.Type == "EC PRIVATE KEY":
			return nil, errors.New("this private key is not encrypted: wxpay.LoadPrivateKey reads it")
		}
		return nil, fmt.Errorf("the PEM block is no encrypted private key, but a %q", block.Type)
	}
	if data[0] != sequence {
		return nil, errors.New("neither PEM nor DER")
	}
	if _, err := x509.ParsePKCS8PrivateKey(data); err == nil {
		return nil, errors.New("this private key is not encrypted: wxpay.LoadPrivateKey reads it")
	}
	return data, nil
}

// The structures of RFC 5958 section 3 and RFC 8018 appendix A.
type (
	encryptedPrivateKeyInfo struct {
		Algorithm pkix.AlgorithmIdentifier
		Data      []byte
	}
	pbes2Params struct {
		KDF, Encryption pkix.AlgorithmIdentifier
	}
	pbkdf2Params struct {
		Salt       []byte
		Iterations int
		KeyLength  int                      `asn1:"optional"` // bytes; Java writes it
		PRF        pkix.AlgorithmIdentifier `asn1:"optional"`
	}
	scryptParams struct {
		Salt      []byte
		N, R, P   int
		KeyLength int `asn1:"optional"`
	}
)

var (
	oidPBES2  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}
	oidPBKDF2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}
	oidScrypt = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11591, 4, 11}
)

// blockCipher is a cipher in CBC mode.
type blockCipher struct {
	keySize int
	open    func(key []byte) (cipher.Block, error)
}

var ciphers = map[string]blockCipher{
	"2.16.840.1.101.3.4.1.2":  {16, aes.NewCipher},
	"2.16.840.1.101.3.4.1.22": {24, aes.NewCipher},
	"2.16.840.1.101.3.4.1.42": {32, aes.NewCipher},
	"1.2.840.113549.3.7":      {24, des.NewTripleDESCipher},
}

// prfs are the hashes of HMAC inside PBKDF2. Without a name it is SHA-1.
var prfs = map[string]func() hash.Hash{
	"":                    sha1.New,
	"1.2.840.113549.2.7":  sha1.New,
	"1.2.840.113549.2.8":  sha256.New224,
	"1.2.840.113549.2.9":  sha256.New,
	"1.2.840.113549.2.10": sha512.New384,
	"1.2.840.113549.2.11": sha512.New,
}

// decryptPKCS8 returns the PKCS#8 structure inside der. It may be noise if the password is wrong.
func decryptPKCS8(der []byte, password string) ([]byte, error) {
	var info encryptedPrivateKeyInfo
	if !unmarshal(der, &info) {
		return nil, errors.New("not an encrypted private key in PKCS#8")
	}
	if !info.Algorithm.Algorithm.Equal(oidPBES2) {
		return nil, fmt.Errorf("the key is encrypted with %s, not with PBES2; %s", info.Algorithm.Algorithm, convert)
	}
	var params pbes2Params
	if !unmarshal(info.Algorithm.Parameters.FullBytes, &params) {
		return nil, errors.New("the parameters of the encryption are damaged")
	}
	scheme, ok := ciphers[params.Encryption.Algorithm.String()]
	if !ok {
		return nil, fmt.Errorf("the key is encrypted with the cipher %s, which is unknown here; %s", params.Encryption.Algorithm, convert)
	}
	key, err := deriveKey(params.KDF, password, scheme.keySize)
	if err != nil {
		return nil, err
	}
	block, err := scheme.open(key)
	if err != nil {
		return nil, err
	}
	var iv []byte
	if !unmarshal(params.Encryption.Parameters.FullBytes, &iv) || len(iv) != block.BlockSize() ||
		len(info.Data) == 0 || len(info.Data)%block.BlockSize() != 0 {
		return nil, errors.New("the encrypted key is damaged: its length or its initial vector does not fit the cipher")
	}
	plain := make([]byte, len(info.Data))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(plain, info.Data)
	return unpad(plain, block.BlockSize())
}

// deriveKey makes the key out of the password.
func deriveKey(kdf pkix.AlgorithmIdentifier, password string, size int) ([]byte, error) {
	damaged := errors.New("the parameters of the key derivation are damaged, or ask for unreasonable work")
	switch {
	case kdf.Algorithm.Equal(oidPBKDF2):
		var p pbkdf2Params
		if !unmarshal(kdf.Parameters.FullBytes, &p) || p.Iterations < 1 || p.Iterations > maxIterations || p.KeyLength != 0 && p.KeyLength != size {
			return nil, damaged
		}
		prf, ok := prfs[p.PRF.Algorithm.String()]
		if !ok {
			return nil, fmt.Errorf("the key derivation uses the function %s, which is unknown here; %s", p.PRF.Algorithm, convert)
		}
		return pbkdf2.Key(prf, password, p.Salt, p.Iterations, size)
	case kdf.Algorithm.Equal(oidScrypt):
		var p scryptParams
		if !unmarshal(kdf.Parameters.FullBytes, &p) || p.N < 2 || p.N > maxScryptMemory || p.R < 1 || p.R > maxScryptMemory/p.N/128 ||
			p.P < 1 || p.P > maxScryptLanes || p.KeyLength != 0 && p.KeyLength != size {
			return nil, damaged
		}
		return scrypt.Key([]byte(password), p.Salt, p.N, p.R, p.P, size)
	}
	return nil, fmt.Errorf("the key derivation is %s, which is unknown here; %s", kdf.Algorithm, convert)
}

// unpad removes the padding of RFC 8018 section 6.1.1.
func unpad(plain []byte, blockSize int) ([]byte, error) {
	n := int(plain[len(plain)-1])
	if n < 1 || n > blockSize {
		return nil, ErrPassword
	}
	for _, b := range plain[len(plain)-n:] {
		if int(b) != n {
			return nil, ErrPassword
		}
	}
	return plain[:len(plain)-n], nil
}

// unmarshal reports whether der is exactly one value of the type to points to, which it fills.
func unmarshal(der []byte, to any) bool {
	rest, err := asn1.Unmarshal(der, to)
	return err == nil && len(rest) == 0
}
