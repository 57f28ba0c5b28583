package openssl

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"sync"
)

// Signer is an RSA private key in libcrypto. It is a crypto.Signer, a crypto.Decrypter, and a
// middleware.ContextSigner, for which the client needs no extra goroutine. Make one with [New]. It
// prints redacted.
type Signer struct {
	public *rsa.PublicKey

	mu  sync.RWMutex // held for reading during a call, so that Close waits for it
	key *privateKey  // nil once closed

	cleanup runtime.Cleanup
}

var (
	_ crypto.Signer    = (*Signer)(nil)
	_ crypto.Decrypter = (*Signer)(nil)
)

// New copies key, an *rsa.PrivateKey, into libcrypto and compares it with crypto/rsa. That takes
// some milliseconds; make one Signer for a key and keep it. The error is ErrUnavailable if there is
// no library. Any other error means that key is no RSA key, that it is damaged, or that the library
// does not agree with crypto/rsa.
func New(key crypto.Signer) (*Signer, error) {
	private, ok := key.(*rsa.PrivateKey)
	switch {
	case !ok:
		return nil, fmt.Errorf("openssl: the key is a %T: it has to be an *rsa.PrivateKey, as wxpay.LoadPrivateKey reads it", key)
	case private == nil || private.N == nil || private.D == nil:
		return nil, errors.New("openssl: the key is empty")
	}
	if err := private.Validate(); err != nil {
		return nil, errors.New("openssl: the key is damaged: its numbers do not belong together")
	}
	der := x509.MarshalPKCS1PrivateKey(private)
	handle, err := importKey(der)
	clear(der)
	if err != nil {
		return nil, err
	}
	s := &Signer{public: &rsa.PublicKey{N: private.N, E: private.E}, key: handle}
	if err := s.compare(private); err != nil {
		handle.free()
		return nil, fmt.Errorf("openssl: %s failed the self-test, use crypto/rsa: %w", libraryVersion(), err)
	}
	s.cleanup = runtime.AddCleanup(s, func(k *privateKey) { k.free() }, handle)
	return s, nil
}

// compare compares the results of the key with those of crypto/rsa.
func (s *Signer) compare(private *rsa.PrivateKey) error {
	digest := sha256.Sum256([]byte("github.com/wxpay-go/wxpay/contrib/openssl"))
	want, err := rsa.SignPKCS1v15(nil, private, crypto.SHA256, digest[:])
	if err != nil {
		return err
	}
	got, err := s.Sign(nil, digest[:], crypto.SHA256)
	if err != nil {
		return err
	}
	if subtle.ConstantTimeCompare(got, want) != 1 {
		return errors.New("it signs otherwise than crypto/rsa")
	}
	ciphertext, err := rsa.EncryptOAEP(sha1.New(), rand.Reader, s.public, digest[:], nil)
	if err != nil {
		return err
	}
	plaintext, err := s.Decrypt(nil, ciphertext, &rsa.OAEPOptions{Hash: crypto.SHA1})
	if err != nil {
		return err
	}
	if subtle.ConstantTimeCompare(plaintext, digest[:]) != 1 {
		return errors.New("it decrypts otherwise than crypto/rsa")
	}
	return nil
}

// Public returns the public key, an *rsa.PublicKey.
func (s *Signer) Public() crypto.PublicKey { return s.public }

// Sign signs a digest: with PKCS #1 v1.5, or with PSS if opts is an *rsa.PSSOptions. The hash is
// one of SHA-1, SHA-2 and SHA-3; PKCS #1 v1.5 without a hash, which the standard library keeps for
// old TLS, is an error. rand is not used: PKCS #1 v1.5 needs none, and libcrypto has its own for
// PSS and for blinding.
func (s *Signer) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	return s.sign(context.Background(), digest, opts)
}

// SignContext is Sign with a context: once ctx has ended, it signs nothing and stops waiting for
// its turn. It does not interrupt a signature under way, which takes less than a millisecond.
func (s *Signer) SignContext(ctx context.Context, _ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	return s.sign(ctx, digest, opts)
}

func (s *Signer) sign(ctx context.Context, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if opts == nil {
		return nil, errors.New("openssl: signing needs to know the hash: pass crypto.SHA256")
	}
	hash := opts.HashFunc()
	if _, known := hashes[hash]; !known {
		return nil, fmt.Errorf("openssl: the hash %v is not supported", hash)
	}
	if len(digest) != hash.Size() {
		return nil, fmt.Errorf("openssl: the digest has %d bytes, one of %v has %d", len(digest), hash, hash.Size())
	}
	padding, salt := paddingPKCS1, 0
	if pss, ok := opts.(*rsa.PSSOptions); ok {
		padding, salt = paddingPSS, pss.SaltLength
		switch {
		case salt == rsa.PSSSaltLengthAuto:
			salt = saltLongest
		case salt == rsa.PSSSaltLengthEqualsHash:
			salt = hash.Size()
		case salt < 0:
			return nil, fmt.Errorf("openssl: a PSS salt of %d bytes is not possible", salt)
		}
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.key == nil {
		return nil, ErrClosed
	}
	return s.key.sign(ctx, digest, hash, padding, salt, s.public.Size())
}

// Decrypt decrypts an OAEP ciphertext; opts must be an *rsa.OAEPOptions. WeChat Pay uses
// &rsa.OAEPOptions{Hash: crypto.SHA1}. PKCS #1 v1.5 is an error: WeChat Pay does not use it, and
// its errors help an attacker to decrypt. A failure is rsa.ErrDecryption, without a reason. rand is
// not used.
func (s *Signer) Decrypt(_ io.Reader, ciphertext []byte, opts crypto.DecrypterOpts) ([]byte, error) {
	oaep, ok := opts.(*rsa.OAEPOptions)
	if !ok || oaep == nil {
		return nil, fmt.Errorf("openssl: decrypting needs *rsa.OAEPOptions, not %T", opts)
	}
	hash, mask := oaep.Hash, oaep.MGFHash
	if mask == 0 {
		mask = hash
	}
	for _, h := range []crypto.Hash{hash, mask} {
		if _, known := hashes[h]; !known {
			return nil, fmt.Errorf("openssl: the hash %v is not supported", h)
		}
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.key == nil {
		return nil, ErrClosed
	}
	if len(ciphertext) != s.public.Size() {
		return nil, rsa.ErrDecryption
	}
	return s.key.decrypt(context.Background(), ciphertext, hash, mask, oaep.Label)
}

// Close waits for the calls under way and wipes the key from the library's memory. Later calls fail
// with ErrClosed; a second Close does nothing. The error is always nil. The garbage collector
// closes a Signer that nothing refers to.
func (s *Signer) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.key != nil {
		s.cleanup.Stop()
		s.key.free()
		s.key = nil
	}
	return nil
}

// Format prints the size of the key, and nothing else of it, under every verb.
func (s *Signer) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, s.String())
}

// String says what it is.
func (s *Signer) String() string {
	if s == nil || s.public == nil {
		return "openssl.Signer{}"
	}
	return fmt.Sprintf("openssl.Signer{RSA %d bits, redacted}", s.public.N.BitLen())
}

// LogValue gives slog the same.
func (s *Signer) LogValue() slog.Value { return slog.StringValue(s.String()) }
