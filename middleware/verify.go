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
	"github.com/wxpay-go/wxpay/internal/jsonwalk"
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

// Reasons why an answer cannot be taken, beyond those of package apiv3 (ErrSignature, ErrUnsigned, ErrClock,
// ErrUnknownSerial and their kin).
var (
	ErrResponseTooLarge  = fault.New("the answer is larger than the limit")
	ErrResponseTruncated = fault.New("the answer was cut off")
	ErrResponseCoded     = fault.New("the answer is compressed although nobody asked for it")
	ErrDigest            = fault.New("the digest does not match the content")
	// ErrResponseAmbiguous means that the platform signed JSON of which two readers would read two things: a member stands twice,
	// members differ in case alone, a number fits no type, or it is nested deeper than 1,000.
	ErrResponseAmbiguous = fault.New("the answer can be read in two ways")
	// ErrForeign means that a signed answer is not this call's success: it names another number than the call, or it is the
	// answer of another operation, or a refusal under a status of success.
	ErrForeign = fault.New("the answer is not this call's")
)

// VerifyError means that an answer arrived and cannot be trusted. The operation may have taken effect. The answer is
// kept as evidence: show it to a person, take no decision from it.
type VerifyError struct {
	// Status is the HTTP status of the answer.
	Status int
	// Header is the answer's header.
	Header http.Header
	// Body is what arrived of the body, at most the client's limit.
	Body []byte
	// Probe says that the signature is one of the platform's tests (WECHATPAY/SIGNTEST/…): a repeat will be signed right.
	Probe bool
	// Reason tells why; compare with errors.Is.
	Reason error
}

func (e *VerifyError) Error() string {
	return fmt.Sprintf("the answer (status %d) cannot be trusted: %v", e.Status, e.Reason)
}

// Unwrap returns the reason.
func (e *VerifyError) Unwrap() error { return e.Reason }

// Format prints the error's text under every verb, so that no body gets into a log through %+v.
func (e VerifyError) Format(s fmt.State, verb rune) { redact.Format(s, verb, e.Error()) }

// MarshalText gives encodings the error's text.
func (e VerifyError) MarshalText() ([]byte, error) { return []byte(e.Error()), nil }

// Verify reads every answer within its bound and verifies it over the raw bytes before anything above sees it.
//
//   - A 2xx must be signed, unless its path stands in [UnsignedResponses] or something else vouches for it ([Call.Vouched]).
//     One that is not, or wrongly, is a *VerifyError.
//   - With [Call.Stream] a 2xx is handed up unread where its body need not be read for that.
//   - Another status is verified if it carries a signature (Call.Verified tells); a wrong one is a *VerifyError. Refusals
//     made before authentication carry none and pass as they are.
//   - JSON that was signed and is ambiguous is a *VerifyError, for every status: a decision must not depend on the reader.
//   - A verified 2xx that [Call.Judge] refuses is a *VerifyError, and the connections that no call uses are closed: one of
//     them may carry answers of others.
func Verify(v *VerifyConfig) Middleware {
	return func(next http.RoundTripper) http.RoundTripper {
		return RoundTripFunc(func(req *http.Request) (*http.Response, error) {
			call := CallFrom(req.Context())
			if call == nil {
				call = new(Call)
			}
			call.Reached, call.Verified, call.Aged = true, false, 0
			sent := time.Now()
			res, err := next.RoundTrip(req)
			if err == nil && res == nil {
				err = errors.New("the transport returned neither an answer nor an error")
			}
			if err != nil {
				return nil, call.transportFailed(req.Context(), err)
			}
			if res.Request != nil && res.Request.URL != nil && res.Request.URL.Host != "" {
				call.ServedBy = res.Request.URL.Host // the transport goes to another one when no connection could be had
			}
			if res.Body == nil { // not allowed, but a hand-made round tripper may do it
				res.Body = http.NoBody
			}
			if res.StatusCode < 200 { // such as 101, whose body is the connection
				_ = res.Body.Close()
				return nil, unverified(res, nil, fmt.Errorf("status %d ends no call", res.StatusCode))
			}
			success := res.StatusCode >= 200 && res.StatusCode <= 299
			signed := fact.OverBody
			if success {
				signed = answerSignature(req)
				if call.Vouched && signed == fact.OverBody && !apiv3.HasSignature(res.Header) {
					signed = fact.NoSignature
				}
				if call.Stream {
					digest := first(res.Header, apiv3.HeaderStatementSHA1)
					if signed == fact.NoSignature || signed == fact.OverDigest && digest != "" {
						return v.stream(req.Context(), call, res, signed, digest)
					}
				}
			}
			body, err := v.read(req.Context(), res)
			if err != nil {
				return nil, unverified(res, body, err)
			}
			if call.answer == nil {
				call.answer = &call.first
			} else { // an earlier attempt's answer may still be in somebody's hands
				call.answer = new(Body)
			}
			*call.answer = Body{raw: body}
			res.Body = call.answer
			if signed == fact.NoSignature || !success && !apiv3.HasSignature(res.Header) {
				return res, nil
			}
			if err := v.verify(req.Context(), res.Header, body, signed); err != nil {
				return nil, unverified(res, body, err)
			}
			if v.Ages != nil {
				call.date(v.Ages, call.ServedBy, res.Header, sent)
			}
			if err := call.answer.judge(); errors.Is(err, jsonwalk.ErrAmbiguous) {
				return nil, unverified(res, body, fmt.Errorf("%w: %w", ErrResponseAmbiguous, err))
			}
			if success && call.Judge != nil {
				if err := call.Judge.JudgeResponse(res.StatusCode, body); err != nil {
					if pool, ok := next.(interface{ CloseIdleConnections() }); ok {
						pool.CloseIdleConnections()
					}
					return nil, unverified(res, body, fmt.Errorf("%w: %w", ErrForeign, err))
				}
			}
			call.Verified = true
			return res, nil
		})
	}
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

// first returns the first value of a header. Unlike http.Header.Get it takes the name as it is, in canonical form: every
// call asks for several.
func first(h http.Header, name string) string {
	if values := h[name]; len(values) > 0 {
		return values[0]
	}
	return ""
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

// Body is the body of an answer that was read whole. It can be read as usual, or taken at once with ReadBody.
type Body struct {
	raw   []byte
	read  int
	found *[]byte // the JSON text in raw, which is raw as a rule; nil until somebody looks for it
}

// Format prints the size under every verb.
func (b Body) Format(s fmt.State, verb rune) { redact.Format(s, verb, b.text()) }

// MarshalText gives encodings what Format prints.
func (b Body) MarshalText() ([]byte, error) { return []byte(b.text()), nil }

func (b *Body) text() string { return fmt.Sprintf("middleware.Body{%d bytes}", len(b.raw)) }

// Read reads like any body.
func (b *Body) Read(p []byte) (int, error) {
	n := copy(p, b.raw[b.read:])
	b.read += n
	if n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

// Close does nothing: the connection was given back when the answer was read.
func (b *Body) Close() error { return nil }

// judge looks for the JSON text in the whole body; see [jsonwalk.Read].
func (b *Body) judge() error {
	text, err := jsonwalk.Read(b.raw)
	switch {
	case err != nil:
		b.found = &noText
	case &text[0] == &b.raw[0]:
		b.found = &b.raw
	default:
		cured := text // which costs an allocation here alone
		b.found = &cured
	}
	return err
}

var noText []byte

// json returns the JSON text in the whole body, nil if there is none.
func (b *Body) json() []byte {
	if b.found == nil {
		_ = b.judge()
	}
	return *b.found
}

// ReadBody returns the whole body of an answer that came through Verify, without copying it if nothing has read from it,
// and the JSON text in it: the same bytes, save that each which is not UTF-8 is U+FFFD. The text is nil if the body is not JSON,
// or can be read in two ways. The bytes must not be changed.
func ReadBody(res *http.Response) (raw, text []byte, err error) {
	if body, ok := res.Body.(*Body); ok && body.read == 0 {
		return body.raw, body.json(), nil
	}
	defer res.Body.Close()
	if raw, err = io.ReadAll(res.Body); err == nil {
		text, _ = jsonwalk.Read(raw)
	}
	return raw, text, err
}
