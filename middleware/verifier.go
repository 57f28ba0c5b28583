package middleware

import (
	"context"
	"crypto"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/fault"
	"github.com/wxpay-go/wxpay/internal/redact"
)

// Keys finds the platform key that an answer names. A key that is not known is apiv3.ErrUnknownSerial.
type Keys interface {
	Key(ctx context.Context, serial string) (crypto.PublicKey, error)
}

// VerifyConfig is what verifying answers needs.
type VerifyConfig struct {
	Scheme apiv3.Scheme
	Keys   Keys
	Clock  func() time.Time
	// MaxResponse bounds an answer's body in bytes. A longer one is refused, never cut. Streams are not bounded.
	MaxResponse int64
	// Ages tells how old answers are; nil leaves that open.
	Ages *Ages
}

func unverified(res *http.Response, body []byte, reason error) error {
	return &VerifyError{
		Status: res.StatusCode, Header: res.Header, Body: body, Reason: reason,
		Probe: apiv3.Signature{Value: res.Header.Get(apiv3.HeaderSignature)}.IsProbe(),
	}
}

// verify verifies an answer that was read whole.
func (v *VerifyConfig) verify(ctx context.Context, header http.Header, body []byte, signed fact.Signature) error {
	digest := ""
	if signed == fact.OverDigest {
		digest = header.Get(apiv3.HeaderStatementSHA1)
	}
	if digest == "" {
		return v.verifySignature(ctx, header, body)
	}
	if err := v.verifySignature(ctx, header, apiv3.StatementMessageBody(digest)); err != nil {
		return err
	}
	if sum := sha1.Sum(body); !strings.EqualFold(digest, hex.EncodeToString(sum[:])) {
		return ErrDigest
	}
	return nil
}

// verifySignature checks what costs least first: headers, window, key, signature.
func (v *VerifyConfig) verifySignature(ctx context.Context, header http.Header, covered []byte) error {
	signature, err := apiv3.ReadSignature(header)
	if err != nil {
		return err
	}
	if err := signature.CheckWindow(v.Clock()); err != nil {
		return err
	}
	key, err := v.Keys.Key(ctx, signature.Serial)
	if err != nil {
		return fmt.Errorf("platform key %s: %w", redact.Printable(signature.Serial), err)
	}
	return signature.Verify(v.Scheme, key, covered)
}

// read reads the whole body and closes it. What was read is returned with an error too.
func (v *VerifyConfig) read(ctx context.Context, res *http.Response) (body []byte, err error) {
	defer res.Body.Close()
	if coding := first(res.Header, "Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return nil, answerCoded(coding)
	}
	if res.ContentLength > v.MaxResponse {
		return nil, v.tooLarge()
	}
	if res.ContentLength >= 0 {
		// The usual case: one allocation of the right size. The byte beyond finds a round tripper that lies about it.
		body = make([]byte, res.ContentLength)
		n, err := io.ReadFull(res.Body, body)
		if err != nil && len(body) > 0 {
			return body[:n], truncated(ctx, err)
		}
		var beyond [1]byte
		if n, _ := io.ReadFull(res.Body, beyond[:]); n > 0 {
			return body, fmt.Errorf("%w: it goes on after its Content-Length", ErrResponseTruncated)
		}
		return body, nil
	}
	body, err = io.ReadAll(io.LimitReader(res.Body, v.MaxResponse+1))
	if int64(len(body)) > v.MaxResponse {
		return nil, v.tooLarge()
	}
	if err != nil {
		return body, truncated(ctx, err)
	}
	return body, nil
}

func answerCoded(coding string) error {
	return fmt.Errorf("%w (%s): a proxy on the way may have changed it", ErrResponseCoded, redact.Printable(coding))
}

func (v *VerifyConfig) tooLarge() error {
	return fmt.Errorf("%w of %d bytes (WithMaxResponse raises it)", ErrResponseTooLarge, v.MaxResponse)
}

func truncated(ctx context.Context, err error) error {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("%w: %w", ErrResponseTruncated, fault.During(ctx, err))
}
