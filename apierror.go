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

// Class tells what to do about the rejection of this operation.
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

// APIError is a response from the platform, or from a machine between, whose status is not 2xx.
type APIError struct {
	// Status is the HTTP status.
	Status int
	// Code is the platform's code; empty when the body is not the platform's JSON.
	Code wxcode.Code
	// Message is the platform's text in the language of Accept-Language. It changes without notice.
	Message string
	// Detail names the wrong parameter; nil if the platform does not name it.
	Detail *Detail
	// RequestID identifies the call for the platform's support; empty if the response has none.
	RequestID string
	// Method and Template name the operation; the placeholders of Template are not filled.
	Method, Template string
	// Attempts counts the requests that were signed for the wire.
	Attempts int
	// Outcome is what is known about the operation, over all attempts of the call. It is Rejected
	// after a verified 4xx with a code; for an operation that moves money, the code must also be
	// reviewed to exclude an effect (fact.Conduct). It is Unknown after everything else: 5xx,
	// redirects, an unsigned 4xx, and any rejection after an attempt with an unknown outcome.
	// docs/evidence.md has the whole table.
	Outcome Outcome
	// Verified reports that the platform's signature over this response was verified. The platform
	// does not sign a rejection before it has authenticated the request; a machine between you and
	// the platform may also have made such a response.
	Verified bool
	// Hint adds the likely cause and the remedy to the platform's text, and the meaning of the code for
	// this operation (fact.OperationCode). It may be empty.
	Hint string
	// Header is the response's header.
	Header http.Header
	// Raw is the response's body, cut after 64 KiB. It may hold identities.
	Raw []byte
	// Trail helps to resolve an unknown outcome.
	Trail

	money bool // the operation moves money
}

// Detail is the part of an API error that names the wrong parameter.
type Detail struct {
	Field    string // JSON pointer in the body, or a parameter's name
	Value    string // the wrong value as text; it may identify a person, so no error text has it
	Issue    string // what is wrong with it
	Location string // body, query, url or uri_template for the path, or authorization
	// SignMessage is the message that the platform built, with its body cut after 8 bytes.
	// SignMessageLength is the length of the whole message in bytes. Both come only with
	// SIGN_ERROR.
	SignMessage       string
	SignMessageLength int
}

// Format prints the parameter and its fault under every verb, and never the value.
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

// newAPIError reads a rejection. It accepts every shape seen so far: with and without detail,
// nested one level deeper, with numbers for texts, not JSON at all.
func newAPIError(c *call.Call, res *call.Response) *APIError {
	get := func(path string) Result { return strict.Get(res.JSON, path) }
	e := &APIError{
		Status: res.Status, RequestID: res.RequestID(), Method: c.Method, Template: c.Template, Attempts: c.Attempts,
		Verified: res.Verified, Header: res.Header, Raw: res.Raw[:min(len(res.Raw), maxErrorBody)],
		Code: wxcode.Code(get("code").String()), Message: get("message").String(),
		Trail: newTrail(c), money: c.MovesMoney(),
	}
	if detail := get("detail"); detail.IsObject() {
		e.Detail = newDetail(detail)
		if e.Detail.Field == "" {
			e.Detail.Field = fieldIn(e.Message, e.Detail.Location)
		}
	}
	if len(c.History) > 0 || c.Answered != nil { // else no attempt brought this response, and its origin is unknown
		e.Outcome = c.Outcome()
	}
	e.Hint = e.hint(c.MessageSize, c.Line().Clock())
	if hint := c.WrongScheme(c.URL.Path); e.Code == wxcode.SignError && hint != "" {
		e.Hint = hint
	}
	if c.Stale() {
		e.addHint("it was signed before this request was sent, so it may belong to another request")
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

// meaning returns the meaning of the code for the operation, if a page of the platform documents it.
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

// addHint adds hint to the error's hint unless it is empty.
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

// fieldIn reads the place of a field from a message in Chinese. Recent responses name it there alone:
// 输入源“/body/amount/total”映射到….
func fieldIn(message, location string) string {
	_, rest, _ := strings.Cut(message, "“/"+location+"/")
	place, _, found := strings.Cut(rest, "”")
	switch {
	case !found || location == "":
		return ""
	case location == "body":
		return "/" + place
	}
	return place
}

// Unsigned reports whether the response is an unsigned 4xx. The platform signs none before it has
// authenticated the request; a machine between you and the platform may have made the response
// after it had passed the request on.
func (e *APIError) Unsigned() bool { return !e.Verified && e.Status >= 400 && e.Status <= 499 }

// Is reports whether target is StageResponse, or ErrOutcomeUnknown if the outcome is unknown.
func (e *APIError) Is(target error) bool {
	return target == StageResponse || target == ErrOutcomeUnknown && e.Outcome == Unknown
}

func (e *APIError) Error() string {
	var b strings.Builder
	b.WriteString("wxpay: ")
	writeOperation(&b, e.Method, e.Template)
	b.WriteString(e.said())
	if e.Outcome == Unknown && e.Method != http.MethodGet {
		b.WriteString("; outcome unknown: " + e.remedy(nil))
	}
	b.WriteString(e.id())
	return b.String()
}

// brief is the text without the operation and without the outcome.
func (e *APIError) brief() string { return e.said() + e.id() }

// id names the request for the platform's support.
func (e *APIError) id() string {
	if e.RequestID == "" {
		return ""
	}
	return " (request id " + redact.OneLine(e.RequestID) + ")"
}

// said is what the response says, and what that means.
func (e *APIError) said() string {
	var b strings.Builder
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
		b.WriteString("; this response is unsigned: the platform rejected the request before authentication, or a machine between you and the platform made the response")
	}
	return b.String()
}

// Format prints the error's text under every verb, so that no body gets into a log through %+v.
func (e APIError) Format(s fmt.State, verb rune) { redact.Format(s, verb, e.Error()) }

// MarshalText gives encodings the error's text.
func (e APIError) MarshalText() ([]byte, error) { return []byte(e.Error()), nil }

// LogValue gives slog the allow-listed fields.
func (e APIError) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("method", e.Method), slog.String("path", e.Template), slog.Int("status", e.Status), slog.String("code", string(e.Code)),
		slog.String("request_id", e.RequestID), slog.String("outcome", e.Outcome.String()))
}

// clockHint is the smallest difference of clocks that a hint offers as the cause of a rejection.
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

// OutcomeOf returns the outcome of the call that returned err. A nil error is Confirmed; an error
// that is not from a call is Unknown. If err joins the errors of several calls, as that of [WaitAll]
// does, the outcome is the one that all of them have, and Unknown if they differ.
func OutcomeOf(err error) Outcome {
	if err == nil {
		return Confirmed
	}
	if outcome, found := outcomeIn(err); found {
		return outcome
	}
	var call *CallError
	if errors.As(err, &call) { // a foreign error may show it in its method As
		return call.Outcome
	}
	var rejection *APIError
	if errors.As(err, &rejection) {
		return rejection.Outcome
	}
	return Unknown
}

// outcomeIn returns the outcome of the calls whose errors err wraps.
func outcomeIn(err error) (outcome Outcome, found bool) {
	switch e := err.(type) {
	case *CallError:
		return e.Outcome, true
	case *APIError:
		return e.Outcome, true
	case interface{ Unwrap() error }:
		return outcomeIn(e.Unwrap())
	case interface{ Unwrap() []error }:
		for _, one := range e.Unwrap() {
			switch next, ok := outcomeIn(one); {
			case !ok:
			case found && next != outcome:
				return Unknown, true
			default:
				outcome, found = next, true
			}
		}
		return outcome, found
	}
	return Unknown, err == ErrOutcomeUnknown
}
