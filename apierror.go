package wxpay

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/call"
	"github.com/wxpay-go/wxpay/internal/redact"
	"github.com/wxpay-go/wxpay/internal/strict"
	"github.com/wxpay-go/wxpay/wxcode"
)

// Class tells what to do about the rejection, for the operation that was rejected.
func (e *APIError) Class() wxcode.Class {
	info := wxcode.Of(e.Status, e.Code)
	if e.money {
		return info.Money
	}
	return info.Class
}

// IsCode reports whether err is an API error with one of codes, in any of its spellings.
func IsCode(err error, codes ...wxcode.Code) bool {
	var rejection *APIError
	return errors.As(err, &rejection) && slices.ContainsFunc(codes, rejection.Code.Same)
}

// APIError is an answer of the platform (or of something on the way to it) whose status is not 2xx.
type APIError struct {
	// Status is the HTTP status.
	Status int
	// Code is the platform's code; empty when the body is not the platform's JSON.
	Code wxcode.Code
	// Message is the platform's own text, in the language of Accept-Language. It changes without notice.
	Message string
	// Detail tells which parameter is meant, where the platform says so; nil otherwise.
	Detail *Detail
	// RequestID is what the platform's support asks for; empty when the answer has none.
	RequestID string
	// Method and Template name the operation; Template has its placeholders unfilled.
	Method, Template string
	// Attempts is how many requests were signed for the wire.
	Attempts int
	// Outcome is what is known about the operation, over all attempts of the call. It is Rejected after a verified 4xx with a
	// code; for an operation that moves money only if the code is reviewed as one that rules out an effect (fact.Conduct).
	// It is Unknown after everything else: 5xx, redirects, a 4xx that nobody signed, and any refusal after an attempt that
	// ended in doubt. docs/evidence.md has the whole table.
	Outcome Outcome
	// Verified says that the platform's signature over this answer was verified. The platform does not sign what it refuses
	// before it has authenticated a request; something between you and the platform may have made such an answer as well.
	Verified bool
	// Hint is what this client knows beyond the platform's text: the likely cause and the remedy, and
	// what this operation means by the code (fact.OperationCode). It may be empty.
	Hint string
	// Header is the answer's header.
	Header http.Header
	// Raw is the answer's body, cut after 64 KiB. It may hold identities.
	Raw []byte
	// Trail helps to resolve a doubt.
	Trail

	money bool // the operation moves money
}

// Detail is the part of a refusal that tells which parameter is wrong.
type Detail struct {
	Field    string // JSON pointer in the body, or a parameter's name
	Value    string // the offending value as text; it may identify a person, so it is in no error text
	Issue    string // what is wrong with it
	Location string // body, query, url or authorization
	// SignMessage is the message that the platform built, its body cut after 8 bytes, and SignMessageLength the length
	// in bytes of the whole. Both come only with SIGN_ERROR.
	SignMessage       string
	SignMessageLength int
}

// Format prints which parameter is meant and what is wrong with it under every verb, and not the value.
func (d Detail) Format(s fmt.State, verb rune) { redact.Format(s, verb, d.text()) }

// MarshalText gives encodings what Format prints.
func (d Detail) MarshalText() ([]byte, error) { return []byte(d.text()), nil }

func (d *Detail) text() string {
	text := strings.TrimSpace(redact.OneLine(d.Location) + " " + redact.OneLine(d.Field))
	if d.Issue != "" {
		text += ": " + redact.OneLine(d.Issue)
	}
	return text
}

const maxErrorBody = 64 << 10

// newAPIError reads a rejection. It accepts every shape that was seen: with and without detail, nested one deeper, with
// numbers for texts, not JSON at all.
func newAPIError(c *call.Call, res *call.Response) *APIError {
	get := func(path string) Result { return strict.Get(res.JSON, path) }
	e := &APIError{
		Status: res.Status, RequestID: res.RequestID, Method: c.Method, Template: c.Template, Attempts: c.Attempts,
		Verified: res.Verified, Header: res.Header, Raw: res.Raw[:min(len(res.Raw), maxErrorBody)],
		Code: wxcode.Code(get("code").String()), Message: get("message").String(),
		Trail: newTrail(c), money: c.MovesMoney(),
	}
	if detail := get("detail"); detail.IsObject() {
		e.Detail = newDetail(detail)
	}
	if len(c.History) > 0 || c.Answered != nil { // else no attempt brought this response, and nobody knows where it is from
		e.Outcome = c.Outcome()
	}
	e.Hint = e.hint(c.MessageSize, c.Line().Clock())
	if hint := c.WrongScheme(c.URL.Path); e.Code == wxcode.SignError && hint != "" {
		e.Hint = hint
	}
	if c.Stale() {
		e.addHint("it was signed before this request was sent, so it may answer another one")
	}
	e.addHint(e.meaning(c.Operation))
	e.addHint(c.Findings.Hint(e.Status))
	switch {
	case !c.Linked || e.Hint != "":
	case e.Status == http.StatusBadRequest && e.Code == wxcode.InvalidRequest:
		e.Hint = "a download link lives for half a minute: ask for a new one and download at once"
	case e.Status == http.StatusForbidden && e.Code == wxcode.NoAuth:
		e.Hint = "the link belongs to another merchant: download with the client that got it"
	}
	return e
}

// meaning tells what the operation means by the code, as far as a page of the platform tells it.
func (e *APIError) meaning(operation *fact.Operation) string {
	if operation == nil {
		return ""
	}
	for _, code := range operation.Codes {
		if code.Meaning != "" && e.Code.Same(wxcode.Code(code.Name)) {
			return "for this operation it means: " + code.Meaning
		}
	}
	return ""
}

// addHint adds to the hint, if there is something to add.
func (e *APIError) addHint(hint string) {
	switch {
	case hint == "":
	case e.Hint == "":
		e.Hint = hint
	default:
		e.Hint += "; " + hint
	}
}

func newDetail(detail Result) *Detail {
	d := &Detail{
		Field: detail.Get("field").String(), Value: detail.Get("value").String(), Issue: detail.Get("issue").String(),
		Location:          detail.Get("location").String(),
		SignMessage:       detail.Get("sign_information.truncated_sign_message").String(),
		SignMessageLength: int(detail.Get("sign_information.sign_message_length").Int()),
	}
	if d.Issue == "" {
		d.Issue = detail.Get("detail.issue").String()
	}
	return d
}

// Unsigned reports whether the answer is a 4xx that nobody signed. The platform signs none before it has authenticated the
// request; something between you and the platform may have made it after it passed the request on.
func (e *APIError) Unsigned() bool { return !e.Verified && e.Status >= 400 && e.Status <= 499 }

// Is makes an APIError StageResponse, and ErrOutcomeUnknown where that is so.
func (e *APIError) Is(target error) bool {
	return target == StageResponse || target == ErrOutcomeUnknown && e.Outcome == Unknown
}

func (e *APIError) Error() string {
	var b strings.Builder
	b.WriteString("wxpay: ")
	writeOperation(&b, e.Method, e.Template)
	b.WriteString(strconv.Itoa(e.Status))
	switch {
	case e.Code != "":
		b.WriteString(" " + redact.OneLine(string(e.Code)))
		if e.Message != "" {
			b.WriteString(": " + redact.OneLine(e.Message))
		}
	case len(e.Raw) == 0:
		b.WriteString(" with an empty body")
	default:
		fmt.Fprintf(&b, " with %d bytes that are not the platform's JSON (%s)", len(e.Raw), redact.OneLine(e.Header.Get("Content-Type")))
	}
	if d := e.Detail; d != nil && (d.Field != "" || d.Issue != "") {
		b.WriteString(" [" + d.text() + "]")
	}
	if e.Hint != "" {
		b.WriteString("; " + e.Hint)
	}
	if e.Unsigned() {
		b.WriteString("; nobody signed this answer: it was refused before authentication, unless something between you and the platform made it")
	}
	if e.Outcome == Unknown && e.Method != http.MethodGet {
		b.WriteString("; outcome unknown: " + e.remedy())
	}
	if e.RequestID != "" {
		b.WriteString(" (request id " + redact.OneLine(e.RequestID) + ")")
	}
	return b.String()
}

// Format prints the error's text under every verb, so that no body gets into a log through %+v.
func (e APIError) Format(s fmt.State, verb rune) { redact.Format(s, verb, e.Error()) }

// MarshalText gives encodings the error's text.
func (e APIError) MarshalText() ([]byte, error) { return []byte(e.Error()), nil }

// LogValue gives slog the allow-listed members.
func (e APIError) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("method", e.Method), slog.String("path", e.Template), slog.Int("status", e.Status), slog.String("code", string(e.Code)),
		slog.String("request_id", e.RequestID), slog.String("outcome", e.Outcome.String()))
}

// clockHint is the difference of clocks above which a refusal is worth explaining by it.
const clockHint = time.Minute

func (e *APIError) hint(ownLength int, now time.Time) string {
	switch {
	case e.Status == http.StatusNotFound && len(e.Raw) == 0:
		return "the platform does not know this path; compare it with the manual letter by letter"
	case e.Status == http.StatusMethodNotAllowed && len(e.Raw) == 0:
		return "the platform knows this path, but not with this method"
	case e.Status >= 300 && e.Status <= 399:
		return "redirects are not part of the protocol and are not followed; check the base URL and the proxy"
	case e.Code != wxcode.SignError:
		return ""
	}
	if date, err := http.ParseTime(e.Header.Get("Date")); err == nil {
		if skew := now.Sub(date).Round(time.Second); skew > clockHint || skew < -clockHint {
			side := "ahead of"
			if skew < 0 {
				side, skew = "behind", -skew
			}
			return fmt.Sprintf("this machine's clock is %s %s the platform's: set it, at most 5m0s are allowed", skew, side)
		}
	}
	if e.Detail != nil && e.Detail.SignMessageLength > 0 {
		if e.Detail.SignMessageLength != ownLength {
			return fmt.Sprintf("the platform signed %d bytes, this client %d: something on the way changes the path, the query or the body", e.Detail.SignMessageLength, ownLength)
		}
		return "both sides built a message of the same length: the private key does not belong to the certificate serial"
	}
	return "check that merchant number, certificate serial and private key belong together"
}

// OutcomeOf tells what err, returned by a call, leaves known. A nil error is Confirmed; an error that is not from a call
// is Unknown.
func OutcomeOf(err error) Outcome {
	if err == nil {
		return Confirmed
	}
	var call *CallError
	if errors.As(err, &call) {
		return call.Outcome
	}
	var rejection *APIError
	if errors.As(err, &rejection) {
		return rejection.Outcome
	}
	return Unknown
}
