package openssl

import (
	"crypto"
	"errors"
)

// Errors of this package; compare with errors.Is.
var (
	// ErrUnavailable means that no libcrypto 3 could be opened. crypto/rsa does the same work more
	// slowly.
	ErrUnavailable = errors.New("openssl: libcrypto 3 is not available")
	// ErrClosed means that the Signer is closed or was not made by New.
	ErrClosed = errors.New("openssl: the signer is closed")
)

// hashes are the hashes that crypto and libcrypto share, by their names in libcrypto.
var hashes = map[crypto.Hash]string{
	crypto.SHA1: "SHA1", crypto.SHA224: "SHA2-224", crypto.SHA256: "SHA2-256", crypto.SHA384: "SHA2-384", crypto.SHA512: "SHA2-512",
	crypto.SHA512_224: "SHA2-512/224", crypto.SHA512_256: "SHA2-512/256",
	crypto.SHA3_224: "SHA3-224", crypto.SHA3_256: "SHA3-256", crypto.SHA3_384: "SHA3-384", crypto.SHA3_512: "SHA3-512",
}

// Numbers of libcrypto's headers (openssl/rsa.h).
const (
	paddingPKCS1 = 1
	paddingOAEP  = 4
	paddingPSS   = 6
	saltLongest  = -3
)
