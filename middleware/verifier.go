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
	"github.com/wxpay-go/wxpay/internal/headers"
	"github.com/wxpay-go/wxpay/internal/redact"
)

// Keys finds the platform key that a response names. The error for an unknown key is
// apiv3.ErrUnknownSerial.
type Keys interface {
	Key(ctx context.Context, serial string) (crypto.PublicKey, error)
}

// VerifyConfig configures [Verify].
type VerifyConfig struct {
	Scheme apiv3.Scheme
	Keys   Keys
	Clock  func() time.Time
	// MaxResponse bounds a response's body in bytes. A longer one is an error, never cut. Streams
	// are not bounded.
	MaxResponse int64
	// Ages measures the age of responses; nil does not.
	Ages *Ages
}

func unverified(res *http.Response, body []byte, reason error) error {
	return &VerifyError{
		Status: res.StatusCode, Header: res.Header, Body: body, Reason: reason,
		Probe: apiv3.Signature{Value: res.Header.Get(apiv3.HeaderSignature)}.IsProbe(),
	}
}

// verify verifies a response with its whole body.
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

// verifySignature checks headers, window, key and signature: the cheapest first.
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

// read reads the whole body and closes it. It returns the part that it has read also with an error.
func (v *VerifyConfig) read(ctx context.Context, res *http.Response) (body []byte, err error) {
	defer res.Body.Close()
	if coding := headers.First(res.Header, "Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return nil, responseCoded(coding)
	}
	if res.ContentLength > v.MaxResponse {
		return nil, v.tooLarge()
	}
	if res.ContentLength >= 0 {
		// The usual case: one allocation. The byte beyond finds a round tripper that lies about the
		// length.
		size := int(res.ContentLength)
		body = make([]byte, size+1)
		n, err := io.ReadFull(res.Body, body)
		switch body = body[:min(n, size):min(n, size)]; {
		case n > size:
			return body, fmt.Errorf("%w: it goes on after its Content-Length", ErrResponseTruncated)
		case n < size:
			return body, truncated(ctx, err)
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

func responseCoded(coding string) error {
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
