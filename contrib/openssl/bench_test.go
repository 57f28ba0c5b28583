package openssl_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"testing"

	"github.com/stretchr/testify/require"
)

// Both libraries at the same work. "parallel" is 64 goroutines at once, as in a busy service.
func BenchmarkSign(b *testing.B) {
	sum := digest(crypto.SHA256, []byte("message"))
	for name, signer := range map[string]crypto.Signer{"rsa": testKey(), "openssl": newSigner(b, testKey())} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := signer.Sign(rand.Reader, sum, crypto.SHA256); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/parallel", func(b *testing.B) {
			b.SetParallelism(32)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := signer.Sign(rand.Reader, sum, crypto.SHA256); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}

func BenchmarkDecrypt(b *testing.B) {
	ciphertext, err := rsa.EncryptOAEP(sha1.New(), rand.Reader, &testKey().PublicKey, []byte("name"), nil)
	require.NoError(b, err)
	for name, key := range map[string]crypto.Decrypter{"rsa": testKey(), "openssl": newSigner(b, testKey())} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := key.Decrypt(rand.Reader, ciphertext, &rsa.OAEPOptions{Hash: crypto.SHA1}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// What verifying costs in crypto/rsa, for comparison: it is why this package has no verifier.
func BenchmarkVerify(b *testing.B) {
	sum := digest(crypto.SHA256, []byte("message"))
	signature, err := testKey().Sign(rand.Reader, sum, crypto.SHA256)
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		if err := rsa.VerifyPKCS1v15(&testKey().PublicKey, crypto.SHA256, sum, signature); err != nil {
			b.Fatal(err)
		}
	}
}

// The client's way, with the context of a call.
func BenchmarkSignContext(b *testing.B) {
	signer, sum := newSigner(b, testKey()), digest(crypto.SHA256, []byte("message"))
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := signer.SignContext(ctx, rand.Reader, sum, crypto.SHA256); err != nil {
			b.Fatal(err)
		}
	}
}
