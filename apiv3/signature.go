package apiv3

import (
	"crypto"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/internal/fault"
	"github.com/wxpay-go/wxpay/internal/redact"
)

// Headers of the protocol, in the canonical form of net/http.
const (
	HeaderTimestamp     = "Wechatpay-Timestamp"
	HeaderNonce         = "Wechatpay-Nonce"
	HeaderSignature     = "Wechatpay-Signature"
	HeaderSerial        = "Wechatpay-Serial"
	HeaderSignatureType = "Wechatpay-Signature-Type"
	HeaderStatementSHA1 = "Wechatpay-Statement-Sha1"
	HeaderRequestID     = "Request-Id"
)

// Window is how far a timestamp may be from the clock, in either direction. The platform documents five minutes for
// requests and answers alike; libraries differ only in whether the last second counts, and here it does.
const Window = 5 * time.Minute

// probePrefix marks the deliberately wrong signatures by which the platform finds merchants who do not verify.
const probePrefix = "WECHATPAY/SIGNTEST/"

// Errors of answers' and notifications' signatures.
var (
	// ErrUnsigned means that a signature header is missing.
	ErrUnsigned = fault.New("not signed")
	// ErrSignatureHeader means that a signature header is malformed or stands more than once.
	ErrSignatureHeader = fault.New("malformed signature header")
	// ErrClock means that a timestamp is outside Window. A *ClockError tells by how much.
	ErrClock = fault.New("timestamp outside the window")
)

// ClockError tells how far a timestamp is from the local clock. It is ErrClock.
type ClockError struct {
	// Skew is the timestamp less the local time: positive when the local clock is behind.
	Skew time.Duration
}

func (e *ClockError) Error() string {
	if e.Skew < 0 {
		return fmt.Sprintf("the timestamp is %s before the local clock, at most %s are allowed: check this machine's clock first", -e.Skew, Window)
	}
	return fmt.Sprintf("the timestamp is %s after the local clock, at most %s are allowed: check this machine's clock first", e.Skew, Window)
}

// Is makes every ClockError an ErrClock.
func (e *ClockError) Is(target error) bool { return target == ErrClock }

// Signature is what the Wechatpay-… headers of an answer or a notification say.
type Signature struct {
	Serial    string // certificate serial, or public key id: an opaque, exact text
	Timestamp string // decimal seconds since 1970, the text that was signed
	Nonce     string
	Value     string // base64; a probe need not be
	Type      string // Wechatpay-Signature-Type; empty means RSA
}

// Format prints everything but the signature itself under every verb.
func (s Signature) Format(state fmt.State, verb rune) { redact.Format(state, verb, s.text()) }

// MarshalText returns the text that Format prints.
func (s Signature) MarshalText() ([]byte, error) { return []byte(s.text()), nil }

func (s Signature) text() string {
	return fmt.Sprintf("apiv3.Signature{serial %s, timestamp %s, type %s, redacted}", redact.Printable(s.Serial), redact.Printable(s.Timestamp), redact.Printable(s.Type))
}

// ReadSignature takes the signature from the headers, whose names are in the canonical form of net/http (an
// http.Header fits). Any of the first four missing is ErrUnsigned and names the missing one; a header that stands twice
// is ErrSignatureHeader.
func ReadSignature(header map[string][]string) (Signature, error) {
	var s Signature
	for _, err := range [...]error{
		headerText(header, HeaderSignature, &s.Value), headerText(header, HeaderSerial, &s.Serial), headerText(header, HeaderTimestamp, &s.Timestamp),
		headerText(header, HeaderNonce, &s.Nonce), headerText(header, HeaderSignatureType, &s.Type),
	} {
		if err != nil {
			return Signature{}, err
		}
	}
	return s, nil
}

func headerText(header map[string][]string, name string, to *string) error {
	switch values := header[name]; {
	case len(values) > 1:
		return fmt.Errorf("%w: %s stands %d times", ErrSignatureHeader, name, len(values))
	case len(values) == 1 && values[0] != "":
		*to = values[0]
	case name != HeaderSignatureType:
		return fmt.Errorf("%w: the header %s is missing", ErrUnsigned, name)
	}
	return nil
}

// HasSignature reports whether any signature header is there: what carries one claims to be signed.
func HasSignature(header map[string][]string) bool {
	return len(header[HeaderSignature]) > 0 || len(header[HeaderNonce]) > 0 || len(header[HeaderTimestamp]) > 0
}

// IsProbe reports whether the signature is one of the platform's tests. A probe is refused like any wrong signature;
// knowing it is for logs only.
func (s Signature) IsProbe() bool { return strings.HasPrefix(s.Value, probePrefix) }

// CheckWindow reports a timestamp that is no number as ErrSignatureHeader and one outside Window as a *ClockError.
func (s Signature) CheckWindow(now time.Time) error {
	// ParseUint takes no sign: the timestamp is text that was signed, and a sign never is part of it.
	seconds, err := strconv.ParseUint(s.Timestamp, 10, 40)
	if err != nil {
		return fmt.Errorf("%w: %s is not a number of seconds", ErrSignatureHeader, HeaderTimestamp)
	}
	const window = int64(Window / time.Second)
	if skew := int64(seconds) - now.Unix(); skew > window || skew < -window {
		return &ClockError{Skew: time.Unix(int64(seconds), 0).Sub(now.Truncate(time.Second))}
	}
	return nil
}

// strictBase64 refuses a last character with unused bits set: a signature has one form only.
var strictBase64 = base64.StdEncoding.Strict()

// Verify checks type and signature over body, which is the raw bytes received (for an overseas statement
// [StatementMessageBody]). key is the one that Serial names: looking it up exactly is the caller's part, trying others
// is forbidden. A failure is ErrSignature or ErrSignatureHeader.
func (s Signature) Verify(scheme Scheme, key crypto.PublicKey, body []byte) error {
	if s.Type != "" && s.Type != scheme.SignatureType() {
		return fmt.Errorf("%w: the signature is of another type than %s", ErrSignatureHeader, scheme.SignatureType())
	}
	// A line break in either would let the bytes of one line pass for those of the next.
	if !validText(s.Timestamp) || !validText(s.Nonce) {
		return fmt.Errorf("%w: %s or %s has a character that none has", ErrSignatureHeader, HeaderTimestamp, HeaderNonce)
	}
	if strings.IndexByte(s.Value, '\r') >= 0 || strings.IndexByte(s.Value, '\n') >= 0 { // which package base64 would skip
		return ErrSignature
	}
	buf := getBuffer()
	defer putBuffer(buf)
	signature, err := strictBase64.AppendDecode((*buf)[:0], []byte(s.Value))
	if err != nil {
		return ErrSignature
	}
	message := AppendResponseMessage(signature, s.Timestamp, s.Nonce, body)
	*buf = message
	return scheme.Verify(key, message[len(signature):], message[:len(signature):len(signature)])
}
