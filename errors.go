package wxpay

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/internal/fault"
	"github.com/wxpay-go/wxpay/internal/jsonwalk"
	"github.com/wxpay-go/wxpay/internal/redact"
	"github.com/wxpay-go/wxpay/middleware"
	"github.com/wxpay-go/wxpay/wxcode"
)

// Outcome is what a call leaves known about the operation at the platform. It belongs to the logical call, over all its
// attempts: once one of them ended in doubt, no later refusal takes the doubt away, since it may be the echo of a success.
type Outcome = middleware.Outcome

const (
	// Unknown: the operation may have taken effect. Query it by your own number before repeating, and repeat only with
	// the same number and parameters. It is the zero value, because it is the safe answer.
	Unknown = middleware.Unknown
	// NotSent: not one byte left this process for the platform. Repeating is safe.
	NotSent = middleware.NotSent
	// Rejected: the platform refused this request, which took no effect. It says nothing of the merchant's number, which an
	// earlier request may have used.
	Rejected = middleware.Rejected
	// Confirmed: the platform confirmed success, and a later local step failed. Never repeat it.
	Confirmed = middleware.Confirmed
)

// Attempt is one request of a call, and what it brought.
type Attempt = middleware.Attempt

// Trail is what helps to find out what became of a call.
type Trail struct {
	// History lists the attempts that did not simply succeed, with their Request-IDs.
	History []Attempt
	// Number is the merchant's own number that the call carried, empty if it is not known which member that is. It is in
	// no error text.
	Number string
	// Query is the operation that tells what became of the call, such as GET /v3/refund/domestic/refunds/{out_refund_no};
	// empty when no reviewed one is known. [Client.Resolve] asks it.
	Query string

	flight *flight
}

// Format prints the number of attempts and the query under every verb, and not the merchant's number.
func (t Trail) Format(s fmt.State, verb rune) { redact.Format(s, verb, t.text()) }

// MarshalText gives encodings what Format prints.
func (t Trail) MarshalText() ([]byte, error) { return []byte(t.text()), nil }

func (t *Trail) text() string {
	return fmt.Sprintf("wxpay.Trail{%d attempts, query %q}", len(t.History), t.Query)
}

// remedy says what to do next about a doubt.
func (t *Trail) remedy() string {
	if t.Query == "" {
		return "the operation may have taken effect: query it by your own number before repeating"
	}
	return "the operation may have taken effect: ask " + t.Query + " before repeating, as Client.Resolve does"
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
	var refusal *APIError
	if errors.As(err, &refusal) {
		return refusal.Outcome
	}
	return Unknown
}

var (
	// ErrOutcomeUnknown is every error of a call whose Outcome is Unknown; compare with errors.Is.
	ErrOutcomeUnknown = fault.New("outcome unknown")
	// ErrQueueFull means that the queue of asynchronous calls is full. Nothing was sent.
	ErrQueueFull = fault.New("the queue of asynchronous calls is full (WithQueue sets its size)")
)

// Stage is where a call failed. It is an error, so that errors.Is(err, wxpay.StageVerify) asks for it.
type Stage string

// Stages of a call, in order.
const (
	StageBuild    Stage = "building the request"
	StageQueue    Stage = "waiting in the queue"
	StageKeys     Stage = "fetching the platform's certificates"
	StageSign     Stage = "signing"
	StageSend     Stage = "sending"
	StageVerify   Stage = "verifying the answer"
	StageResponse Stage = "the platform's answer"
	// StageDownload is between a download's header and its end.
	StageDownload Stage = "downloading"
	StageDecode   Stage = "decoding the answer"
	// StageCallback is a step given to Future.Then.
	StageCallback Stage = "the step given to Then"
)

// Error returns the stage in words.
func (s Stage) Error() string { return string(s) }

// VerifyError means that an answer arrived and cannot be trusted; see [middleware.VerifyError]. It is the cause inside
// a [*CallError] whose outcome is Unknown.
type VerifyError = middleware.VerifyError

// CallError is a call that failed without a trustworthy answer, or after one. Its text names the operation by its
// template and tells what to do; values, bodies and keys are not in it.
type CallError struct {
	// Stage is where it failed; errors.Is(err, stage) holds too.
	Stage Stage
	// Outcome is what is known about the operation.
	Outcome Outcome
	// Method and Template name the operation; Template has its placeholders unfilled.
	Method, Template string
	// Attempts is how many requests were signed for the wire.
	Attempts int
	// Response is the verified answer that came although the call failed; nil if there is none.
	Response *Response
	// Trail helps to resolve a doubt.
	Trail
	// Err is the cause.
	Err error
}

func (e *CallError) Error() string {
	var b strings.Builder
	b.WriteString("wxpay: ")
	writeOperation(&b, e.Method, e.Template)
	switch e.Outcome {
	case NotSent:
		b.WriteString("not sent: " + causeText(e.Err))
	case Rejected:
		b.WriteString("rejected, the request took no effect: " + causeText(e.Err))
	case Confirmed:
		b.WriteString("the platform confirmed success, but " + e.Stage.Error() + " failed: " + causeText(e.Err) + " (do not repeat the call; its answer is in CallError.Response)")
	default:
		if e.Method == http.MethodGet {
			b.WriteString("no usable answer: " + causeText(e.Err) + " (it was a read and can be repeated)")
			break
		}
		b.WriteString("outcome unknown: " + causeText(e.Err) + " (" + e.remedy() + ")")
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *CallError) Unwrap() error { return e.Err }

// Format prints the error's text under every verb.
func (e CallError) Format(s fmt.State, verb rune) { redact.Format(s, verb, e.Error()) }

// MarshalText gives encodings the error's text.
func (e CallError) MarshalText() ([]byte, error) { return []byte(e.Error()), nil }

// Is makes a CallError its Stage, and ErrOutcomeUnknown where that is so.
func (e *CallError) Is(target error) bool {
	return target == e.Stage || target == ErrOutcomeUnknown && e.Outcome == Unknown
}

// QueryError is inside an error of Ensure or Resolve when a query about a call taught nothing. Err is what it ended with, often
// an *[APIError], and is not unwrapped: what the platform said of the query it did not say of the call, so IsCode and OutcomeOf
// do not look at it. errors.Is finds [ErrMissing] and the end of a context in it.
type QueryError struct{ Err error }

func (e *QueryError) Error() string { return e.Err.Error() }

// Format prints the error's text under every verb.
func (e QueryError) Format(s fmt.State, verb rune) { redact.Format(s, verb, e.Error()) }

// MarshalText gives encodings the error's text.
func (e QueryError) MarshalText() ([]byte, error) { return []byte(e.Error()), nil }

// Is finds what says nothing about a call.
func (e *QueryError) Is(target error) bool {
	return (target == ErrMissing || target == context.Canceled || target == context.DeadlineExceeded) && errors.Is(e.Err, target)
}

func writeOperation(b *strings.Builder, method, template string) {
	if method != "" {
		b.WriteString(method + " ")
	}
	if template != "" {
		b.WriteString(template + ": ")
	}
}

// causeText is a cause's text without the address that http.Client puts around errors: its query holds identities.
func causeText(err error) string {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	return err.Error()
}

// sendFailed makes the error of a call that the pipeline did not bring an answer for.
func (f *flight) sendFailed(err error) error {
	stage := StageSend
	var refused *VerifyError
	var unsigned *middleware.SignError
	switch {
	case errors.As(err, &unsigned):
		stage = StageSign
	case errors.As(err, &refused):
		stage = StageVerify
	}
	return f.error(stage, f.Outcome(), err)
}

func (f *flight) error(stage Stage, outcome Outcome, err error) *CallError {
	e := &CallError{
		Stage: stage, Outcome: outcome, Method: f.Method, Template: f.Template, Attempts: f.Attempts, Trail: f.trail(), Err: err,
	}
	if outcome == Confirmed && f.Answered != nil && (stage == StageSend || stage == StageVerify) {
		raw, verified := f.success, f.success != nil // what came since is another attempt's
		if !verified {
			raw, verified = f.Call.ResponseBody(), f.Verified
		}
		text, _ := jsonwalk.Read(raw)
		e.Response = newResponse(f, f.Answered, raw, text)
		e.Response.Verified = verified
	}
	return e
}

// trail collects what an error says about a call.
func (f *flight) trail() Trail {
	t := Trail{History: slices.Clone(f.History), flight: f}
	if o := f.Operation; o != nil {
		t.Number = f.own(o.Number.Field)
		if o.Link != nil {
			t.Query = http.MethodGet + " " + o.Link.Query
		}
	}
	return t
}

// Class tells what to do about the rejection, for the operation that was rejected.
func (e *APIError) Class() wxcode.Class {
	info := wxcode.Of(e.Status, e.Code)
	if e.money {
		return info.Money
	}
	return info.Class
}

// passing reports whether the same request may fare better in a moment.
func (e *APIError) passing() bool { return wxcode.Passing(e.Status, e.Code) }

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
	// Hint is what this client knows beyond the platform's text: the likely cause and the remedy. It may be empty.
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

// newAPIError reads a refusal. It accepts every shape that was seen: with and without detail, nested one deeper, with
// numbers for texts, not JSON at all.
func newAPIError(f *flight, res *Response, now time.Time) *APIError {
	e := &APIError{
		Status: res.Status, RequestID: res.RequestID, Method: f.Method, Template: f.Template, Attempts: f.Attempts,
		Verified: res.Verified, Header: res.Header, Raw: res.raw[:min(len(res.raw), maxErrorBody)],
		Code: wxcode.Code(res.Get("code").String()), Message: res.Get("message").String(),
	}
	if detail := res.Get("detail"); detail.IsObject() {
		e.Detail = &Detail{
			Field: detail.Get("field").String(), Value: detail.Get("value").String(), Issue: detail.Get("issue").String(),
			Location:          detail.Get("location").String(),
			SignMessage:       detail.Get("sign_information.truncated_sign_message").String(),
			SignMessageLength: int(detail.Get("sign_information.sign_message_length").Int()),
		}
		if e.Detail.Issue == "" {
			e.Detail.Issue = detail.Get("detail.issue").String()
		}
	}
	e.Hint = e.hint(f.MessageSize, now)
	if hint := f.client.wrongScheme(f.Operation, f.url.Path); e.Code == wxcode.SignError && hint != "" {
		e.Hint = hint
	}
	if f.Stale() {
		e.Hint = strings.TrimPrefix(e.Hint+"; it was signed before this request was sent, so it may answer another one", "; ")
	}
	if hint := f.found.Hint(e.Status); hint != "" {
		e.Hint = strings.TrimPrefix(e.Hint+"; "+hint, "; ")
	}
	e.Trail, e.money = f.trail(), f.MovesMoney()
	if len(f.History) > 0 || f.Answered != nil { // else no attempt brought this answer, and nobody knows where it is from
		e.Outcome = f.Outcome()
	}
	return e
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
