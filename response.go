package wxpay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/tidwall/gjson"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/fault"
	"github.com/wxpay-go/wxpay/internal/headers"
	"github.com/wxpay-go/wxpay/internal/jsonwalk"
	"github.com/wxpay-go/wxpay/internal/preflight"
	"github.com/wxpay-go/wxpay/internal/redact"
	"github.com/wxpay-go/wxpay/internal/sensitive"
	"github.com/wxpay-go/wxpay/internal/strict"
)

// Result is one value of an answer, see https://pkg.go.dev/github.com/tidwall/gjson#Result.
type Result = gjson.Result

// Response is a successful answer: status 2xx, read whole and verified. It is immutable and may be shared.
type Response struct {
	// Status is the HTTP status: 200, 202 (accepted, not finished) or 204.
	Status int
	// Header is the answer's header.
	Header http.Header
	// RequestID identifies the call for the platform's support; empty when the answer has none.
	RequestID string
	// Verified says that the platform's signature was verified. It is false for the families of answers that are documented as
	// unsigned, such as bill files, and for what a middleware of yours answered or changed.
	Verified bool

	raw    []byte
	json   []byte  // the JSON text in raw; nil when it is none that all readers read alike
	flight *flight // the call that it answers, for errors
	stale  bool

	decrypted *decrypted // nil when no field is marked as encrypted
}

func newResponse(f *flight, res *http.Response, raw, json []byte) *Response {
	r := &Response{
		Status: res.StatusCode, Header: res.Header, RequestID: headers.First(res.Header, apiv3.HeaderRequestID), Verified: f.Verified,
		raw: raw, json: json, flight: f, stale: f.binding != bound && f.Stale(),
	}
	if json != nil && f.plan.Response.Encrypted() && r.Status >= 200 && r.Status <= 299 {
		r.decrypted = new(decrypted)
	}
	return r
}

// decrypted is the text of a response with its marked fields in plain text. It is made when it is first asked for, since
// each field costs one operation of the private key.
type decrypted struct {
	once sync.Once
	text []byte
	err  error
}

// text returns the JSON text in the body, its marked fields in plain text; nil if there is none.
func (r *Response) text() []byte {
	if r.decrypted == nil {
		return r.json
	}
	r.decrypted.once.Do(func() { r.decrypted.text, r.decrypted.err = r.flight.decrypt(r.json) })
	return r.decrypted.text
}

// DecryptErr tells which of the fields that the catalogue marks as encrypted could not be decrypted; they stay as they
// came. It is nil without a catalogue. Each is a [*FieldError], all of which its Unwrap() []error returns. The call itself
// succeeded whatever DecryptErr says.
func (r *Response) DecryptErr() error {
	if r.decrypted == nil {
		return nil
	}
	r.text()
	return r.decrypted.err
}

// decrypt decrypts the marked fields of a response with the merchant's key.
func (f *flight) decrypt(text []byte) ([]byte, error) {
	plain, faults, err := sensitive.Decrypt(text, &f.plan.Response, func(value []byte) ([]byte, error) {
		return f.client.own.Decrypt(f.client.scheme, f.Serial, value)
	})
	switch {
	case err != nil:
		return text, fmt.Errorf("wxpay: the response cannot be read for decryption: %w", err)
	case len(faults) > 0:
		return plain, newDecryptError(faults)
	}
	return plain, nil
}

// Stale reports whether the answer shows nothing of its call and was signed more than 30 s before the request was sent, as far
// as that can be told: then it answers another request. [Chain.Ensure] takes none for its own. Who makes a call without it asks
// the operation's query.
func (r *Response) Stale() bool { return r.stale }

// Get reads one value by gjson path, such as "amount.total" or "data.#.serial_no"
// (syntax: https://github.com/tidwall/gjson/blob/master/SYNTAX.md). In a body that is no JSON object or array nothing exists.
// It finds what Decode finds, save that Decode takes Amount for amount where a struct says so. Members that the catalogue
// marks as encrypted are decrypted with the merchant's private key, all of them when one is first asked for; see
// [Response.DecryptErr].
//
// A gjson.Result is lenient: what is absent is 0, and Int makes 1 of 1.99, "1" and true. For what counts there are
// [Response.Fen], Int, Text, Bool and Time. A path at which nothing stands, and at which the catalogue documents nothing, is
// logged once, with the nearest one.
func (r *Response) Get(path string) gjson.Result {
	value := r.get(path)
	if !value.Exists() {
		r.warnOf(path)
	}
	return value
}

// get is Get for paths that this package looks for by trial.
func (r *Response) get(path string) gjson.Result { return strict.Get(r.text(), path) }

// Fen reads an amount in the smallest unit of its currency, fen for CNY: a whole number that is written as one and fits. What
// is absent or anything else (1.99, 1e2, "100", true) is an error that names the path and what stands there, without its
// value: a *[CallError] like that of Decode.
func (r *Response) Fen(path string) (int64, error) { return read(r, path, strict.Fen) }

// Int reads a whole number, by the rules of [Response.Fen].
func (r *Response) Int(path string) (int64, error) { return read(r, path, strict.Int) }

// Text reads a JSON string, which may be empty; see [Response.Fen].
func (r *Response) Text(path string) (string, error) { return read(r, path, strict.Text) }

// Bool reads true or false; see [Response.Fen].
func (r *Response) Bool(path string) (bool, error) { return read(r, path, strict.Bool) }

// Time reads a time in the form of RFC 3339, such as 2018-06-08T10:34:56+08:00; see [Response.Fen].
func (r *Response) Time(path string) (time.Time, error) { return read(r, path, strict.Time) }

// Need returns an error that names those of paths at which nothing stands, or null: a *[CallError] like that of Decode.
//
//	if err := res.Need("prepay_id"); err != nil { … }
func (r *Response) Need(paths ...string) error {
	if err := strict.Need(r.Get, r.documented(), paths); err != nil {
		return r.decodeFailed(err)
	}
	return nil
}

func read[T any](r *Response, path string, as func(gjson.Result) (T, error)) (T, error) {
	value, err := strict.Read(r.Get, r.documented(), path, as)
	if err != nil {
		err = r.decodeFailed(err)
	}
	return value, err
}

// documented returns the members that the catalogue documents for the answer, nil if it does not know them for sure.
func (r *Response) documented() []fact.Field {
	if r.flight == nil || r.Status < 200 || r.Status > 299 || r.flight.Operation == nil || r.flight.Operation.Inferred {
		return nil
	}
	return r.flight.Operation.Out
}

// warnOf logs that a path is none that the catalogue documents, once.
func (r *Response) warnOf(path string) {
	f := r.flight
	if f == nil || f.client.logger == nil || !f.client.logger.Enabled(context.Background(), slog.LevelWarn) {
		return
	}
	near, undocumented := strict.Undocumented(r.documented(), path)
	if !undocumented {
		return
	}
	if first, _ := f.client.told.Add(f.Method, f.Template, preflight.UnknownField, "response", path); first {
		f.client.logger.Warn("wxpay answer is asked for a member that the catalogue does not know", slog.String("method", f.Method),
			slog.String("path", f.Template), slog.String("member", redact.OneLine(path)), slog.String("near", near))
	}
}

// Raw returns the body as it was received and verified, encrypted members included. It must not be changed.
func (r *Response) Raw() []byte { return r.raw }

// Decode unmarshals the body into v, as encoding/json does, with encrypted members decrypted as for Get. A failure is a
// *[CallError] of stage StageDecode and outcome Confirmed: the call itself succeeded.
func (r *Response) Decode(v any) error {
	var err error
	switch text := r.text(); {
	case len(r.raw) == 0:
		err = errors.New("it has no body")
	case text == nil:
		if _, err = jsonwalk.Read(r.raw); !errors.Is(err, jsonwalk.ErrAmbiguous) {
			err = &decodeError{json.Unmarshal(r.raw, v)}
		}
	default:
		if err = json.Unmarshal(text, v); err == nil {
			return nil
		}
		err = &decodeError{err}
	}
	return r.decodeFailed(err)
}

func (r *Response) decodeFailed(err error) error {
	failure := &CallError{Stage: StageDecode, Outcome: Confirmed, Response: r, Err: err}
	if r.flight != nil {
		failure.Method, failure.Template, failure.Attempts = r.flight.Method, r.flight.Template, r.flight.Attempts
	}
	return failure
}

// decodeError is an error of encoding/json without what it may repeat of an answer, such as a number that did not fit or the
// words of an Unmarshaler.
type decodeError struct{ err error }

func (e *decodeError) Error() string {
	var mismatch *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	var target *json.InvalidUnmarshalError
	switch {
	case errors.As(e.err, &mismatch):
		kind, _, _ := strings.Cut(mismatch.Value, " ")
		return fmt.Sprintf("member %q is a JSON %s, which does not fit %s", mismatch.Field, kind, mismatch.Type)
	case errors.As(e.err, &syntax):
		return fmt.Sprintf("it is not JSON from byte %d on", syntax.Offset)
	case errors.As(e.err, &target):
		return "the target is not a pointer"
	}
	return "the target refused it"
}

// Unwrap returns what an Unmarshaler of the user's said, perhaps.
func (e *decodeError) Unwrap() error { return fault.Outside(e.err) }

// Format prints the error's text under every verb.
func (e decodeError) Format(s fmt.State, verb rune) { redact.Format(s, verb, e.Error()) }

// MarshalText gives encodings the error's text.
func (e decodeError) MarshalText() ([]byte, error) { return []byte(e.Error()), nil }

// Into decodes the answer of a call into a T:
//
//	order, err := wxpay.Into[Order](client.Chain("…").Get(ctx))
//
// The call's own error is returned as it is; for a failure to decode see [Response.Decode].
func Into[T any](res *Response, err error) (T, error) {
	var v T
	if err != nil {
		return v, err
	}
	err = res.Decode(&v)
	return v, err
}

// Format prints status, request id and size under every verb: bodies hold identities.
func (r Response) Format(s fmt.State, verb rune) { redact.Format(s, verb, r.summary()) }

// MarshalText gives encodings what Format prints: the body is in [Response.Raw].
func (r Response) MarshalText() ([]byte, error) { return []byte(r.summary()), nil }

func (r *Response) summary() string {
	return fmt.Sprintf("wxpay.Response{status %d, request id %s, %d bytes, verified %t}", r.Status, redact.OneLine(r.RequestID), len(r.raw), r.Verified)
}

// LogValue gives slog the allow-listed members.
func (r Response) LogValue() slog.Value {
	return slog.GroupValue(slog.Int("status", r.Status), slog.String("request_id", r.RequestID), slog.Int("bytes", len(r.raw)), slog.Bool("verified", r.Verified))
}
