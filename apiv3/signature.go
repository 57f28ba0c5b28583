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

// Window is the largest difference between a timestamp and the clock, in either direction. The
// platform documents five minutes for requests and responses. Libraries disagree on the last
// second; this package includes it.
const Window = 5 * time.Minute

// probePrefix marks deliberately wrong signatures, with which the platform finds merchants who do
// not verify.
const probePrefix = "WECHATPAY/SIGNTEST/"

// Errors of the signatures of responses and notifications.
var (
	// ErrUnsigned means that a signature header is missing.
	ErrUnsigned = fault.New("not signed")
	// ErrSignatureHeader means that a signature header is malformed or stands more than once.
	ErrSignatureHeader = fault.New("malformed signature header")
	// ErrClock means that a timestamp is outside Window. A *ClockError has the difference.
	ErrClock = fault.New("timestamp outside the window")
)

// ClockError is the difference between a timestamp and the local clock. It is ErrClock.
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

// Signature is the content of the Wechatpay-… headers of a response or a notification.
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
	return fmt.Sprintf("apiv3.Signature{serial %s, timestamp %s, type %s, redacted}", redact.Printable(s.Serial),
		redact.Printable(s.Timestamp), redact.Printable(s.Type))
}

// ReadSignature reads the signature from headers with the canonical names of net/http, such as an
// http.Header. The error is ErrUnsigned and names the header if one of the first four is missing,
// and ErrSignatureHeader if a header stands twice.
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

// HasSignature reports whether a signature header is there: such a message claims to be signed.
func HasSignature(header map[string][]string) bool {
	return len(header[HeaderSignature]) > 0 || len(header[HeaderNonce]) > 0 || len(header[HeaderTimestamp]) > 0
}

// IsProbe reports whether the signature is one of the platform's tests. Reject a probe like any
// wrong signature; IsProbe serves logs only.
func (s Signature) IsProbe() bool { return strings.HasPrefix(s.Value, probePrefix) }

// CheckWindow returns ErrSignatureHeader for a timestamp that is no number, and a *ClockError
// outside Window.
func (s Signature) CheckWindow(now time.Time) error {
	// ParseUint accepts no sign, which is never part of the signed text
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

// strictBase64 rejects a last character with unused bits set: a signature has only one form.
var strictBase64 = base64.StdEncoding.Strict()

// Verify checks the type, and the signature over body: the raw bytes received (for an overseas
// statement [StatementMessageBody]). key must be the one that Serial names exactly; never try
// others. The error is ErrSignature or ErrSignatureHeader.
func (s Signature) Verify(scheme Scheme, key crypto.PublicKey, body []byte) error {
	if s.Type != "" && s.Type != scheme.SignatureType() {
		return fmt.Errorf("%w: the signature is of another type than %s", ErrSignatureHeader, scheme.SignatureType())
	}
	// a line break in either would shift bytes of one line into the next
	if !validText(s.Timestamp) || !validText(s.Nonce) {
		return fmt.Errorf("%w: %s or %s has a character that none has", ErrSignatureHeader, HeaderTimestamp, HeaderNonce)
	}
	buf := getBuffer()
	defer putBuffer(buf)
	signature, err := strictBase64.AppendDecode((*buf)[:0], []byte(s.Value))
	if err != nil || base64.StdEncoding.EncodedLen(len(signature)) != len(s.Value) { // package base64 skips line breaks
		return ErrSignature
	}
	message := AppendResponseMessage(signature, s.Timestamp, s.Nonce, body)
	*buf = message
	return scheme.Verify(key, message[len(signature):], message[:len(signature):len(signature)])
}
