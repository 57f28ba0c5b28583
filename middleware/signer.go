package middleware

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/fault"
)

// ContextSigner is a crypto.Signer that obeys a context, such as a KMS behind a network. The
// pipeline calls SignContext, with the context of the call, instead of Sign.
type ContextSigner interface {
	crypto.Signer
	SignContext(ctx context.Context, rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error)
}

// maxSigning bounds the concurrent signatures of a key that does not obey a context, including
// abandoned ones. Each costs a goroutine and some kilobytes while the key hangs.
const maxSigning = 1024

// within returns key with its signing bound to ctx. It returns an RSA key in memory unchanged,
// which needs a millisecond. Another key signs on a goroutine of its own, which is abandoned when
// ctx ends first, unless ctx cannot end. Errors of such a key come from outside.
func (s *Signer) within(ctx context.Context, key crypto.Signer) crypto.Signer {
	switch key := key.(type) {
	case *rsa.PrivateKey:
		return key
	case ContextSigner:
		return contextSigner{key, ctx}
	}
	if ctx.Done() == nil {
		return outsideSigner{key}
	}
	s.prepare.Do(func() { s.signing = make(chan struct{}, maxSigning) })
	return abandonable{key, ctx, s.signing}
}

// contextSigner is a ContextSigner with the context of one call.
type contextSigner struct {
	ContextSigner
	ctx context.Context
}

func (c contextSigner) Sign(rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	signature, err := c.SignContext(c.ctx, rand, digest, opts)
	if err != nil && c.ctx.Err() != nil {
		return nil, unanswered(c.ctx)
	}
	return signature, fault.Outside(err)
}

// outsideSigner marks the errors of a signer as errors from outside.
type outsideSigner struct{ crypto.Signer }

func (o outsideSigner) Sign(rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	signature, err := o.Signer.Sign(rand, digest, opts)
	return signature, fault.Outside(err)
}

// abandonable is a signer whose work is abandoned when the context of one call ends.
type abandonable struct {
	crypto.Signer
	ctx     context.Context
	signing chan struct{} // one element for each signature under way
}

func (a abandonable) Sign(rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	select {
	case <-a.ctx.Done(): // select chooses at random, and an ended call must not start anything
		return nil, unanswered(a.ctx)
	default:
	}
	select {
	case a.signing <- struct{}{}:
	case <-a.ctx.Done():
		return nil, fmt.Errorf("%d signatures are under way already, the signer seems to hang: %w", maxSigning, fault.Cause(a.ctx))
	}
	type result struct {
		signature []byte
		err       error
	}
	done := make(chan result, 1)
	digest = bytes.Clone(digest) // the caller's buffer is used again once Sign has returned
	go func() {
		r := result{err: errors.New("the signer ended its goroutine (runtime.Goexit)")}
		defer func() {
			if cause := recover(); cause != nil { // it would end the process, although the caller may be able to go on
				r = result{err: fmt.Errorf("the signer panicked with a %T", cause)}
			}
			<-a.signing
			done <- r
		}()
		r.signature, r.err = a.Signer.Sign(rand, digest, opts)
	}()
	select {
	case r := <-done:
		return r.signature, fault.Outside(r.err)
	case <-a.ctx.Done():
		return nil, unanswered(a.ctx)
	}
}

// unanswered is the error of a signer that did not answer before ctx ended.
func unanswered(ctx context.Context) error {
	return fmt.Errorf("the signer had not answered when the call ended: %w", fault.Cause(ctx))
}

// SignMessage signs a message and returns the signature with the serial of the signing certificate.
// An error is a *SignError.
func (s *Signer) SignMessage(ctx context.Context, message []byte) (signature []byte, serial string, err error) {
	serial, key := s.Identity.SigningKey()
	if err := ctx.Err(); err != nil {
		return nil, "", &SignError{fault.Cause(ctx)}
	}
	signature, err = s.Scheme.Sign(s.within(ctx, key), message)
	if err != nil {
		return nil, "", &SignError{err}
	}
	return signature, serial, nil
}

var (
	_ crypto.Signer = contextSigner{}
	_ crypto.Signer = abandonable{}
	_ crypto.Signer = outsideSigner{}
	_ Identity      = Certificate{}
)

// Signer holds the caller's number, certificate and key for signing.
type Signer struct {
	Scheme   apiv3.Scheme
	ID       string   // the caller's number, mchid or brand_id
	Identity Identity // the certificate and key that sign
	Clock    func() time.Time
	// Nonce returns a fresh random text for each request, at most 32 characters of [0-9A-Za-z]. nil
	// means a text like those of crypto/rand.Text.
	Nonce func() string

	prepare sync.Once
	signing chan struct{} // see maxSigning
}

// AppendNonce appends a fresh nonce to dst.
func (s *Signer) AppendNonce(dst []byte) []byte {
	if s.Nonce != nil {
		return append(dst, s.Nonce()...)
	}
	var random [26]byte // five bits of each, 130 in all
	_, _ = rand.Read(random[:])
	for _, b := range random {
		dst = append(dst, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[b%32])
	}
	return dst
}
