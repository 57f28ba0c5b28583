package wxotel

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/middleware"
)

// outcomeName is an outcome as a value of wxpay.outcome.
func outcomeName(o middleware.Outcome) string {
	switch o {
	case middleware.NotSent:
		return "not_sent"
	case middleware.Rejected:
		return "rejected"
	case middleware.Confirmed:
		return "confirmed"
	}
	return "unknown"
}

// errorType is the value of error.type: a kind of failure in a word, or the status of an API error;
// empty for a success.
func errorType(status int, err error) string {
	if err == nil {
		if status < http.StatusBadRequest {
			return ""
		}
		return strconv.Itoa(status)
	}
	var untrusted *middleware.VerifyError
	var unsigned *middleware.SignError
	switch {
	case errors.As(err, &untrusted):
		return unverified(untrusted)
	case errors.As(err, &unsigned):
		return "signing"
	case errors.Is(err, middleware.ErrLimited):
		return "limit"
	case errors.Is(err, context.Canceled):
		return "cancelled"
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	}
	return "transport"
}

func unverified(err *middleware.VerifyError) string {
	for _, known := range [...]struct {
		reason error
		name   string
	}{
		{apiv3.ErrClock, "clock"}, {apiv3.ErrUnknownSerial, "unknown_key"}, {apiv3.ErrExpired, "expired_key"},
		{apiv3.ErrUnsigned, "unsigned"}, {apiv3.ErrSignatureHeader, "signature_header"},
		{apiv3.ErrSignature, "signature"}, {middleware.ErrForeign, "foreign"}, {middleware.ErrDigest, "digest"},
		{middleware.ErrResponseTooLarge, "too_large"},
		{middleware.ErrResponseTruncated, "truncated"}, {middleware.ErrResponseCoded, "compressed"},
		{middleware.ErrResponseAmbiguous, "ambiguous"},
	} {
		if errors.Is(err.Reason, known.reason) {
			return known.name
		}
	}
	return "unverified"
}

// templateOf is the template of a call without values.
func templateOf(call *middleware.Call) string {
	if call.Operation != nil {
		return call.Template
	}
	return masked(call.Template)
}

// masked replaces each segment that may be a value. An unknown operation's path may contain values
// that its caller wrote into the chain.
func masked(template string) string {
	if digits(template) < 3 {
		return template
	}
	segments := strings.Split(template, "/")
	for i, segment := range segments {
		if digits(segment) >= 3 {
			segments[i] = "{…}"
		}
	}
	return strings.Join(segments, "/")
}

func digits(text string) (n int) {
	for i := range len(text) {
		if text[i] >= '0' && text[i] <= '9' {
			n++
		}
	}
	return n
}

// codeOf returns an error code of the platform; empty for a text that does not look like one, since
// a proxy may have written it.
func codeOf(text string) string {
	if len(text) > 64 || strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != "" {
		return ""
	}
	return text
}

// requestIDOf returns a Request-ID of the platform; empty for a text that does not look like one.
func requestIDOf(text string) string {
	if len(text) > 128 {
		return ""
	}
	for i := range len(text) {
		switch c := text[i]; {
		case c >= '0' && c <= '9', c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', c == '-', c == '_', c == '.':
		default:
			return ""
		}
	}
	return text
}
