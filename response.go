package wxpay

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/tidwall/gjson"

	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/call"
	"github.com/wxpay-go/wxpay/internal/preflight"
	"github.com/wxpay-go/wxpay/internal/redact"
	"github.com/wxpay-go/wxpay/internal/strict"
)

// Result is one value of a response, see https://pkg.go.dev/github.com/tidwall/gjson#Result.
type Result = gjson.Result

// Response is a successful response: status 2xx, read whole and verified. It is immutable and may
// be shared.
type Response struct {
	// Status is the HTTP status: 200, 202 (accepted, not finished) or 204.
	Status int
	// Header is the response's header.
	Header http.Header
	// RequestID identifies the call for the platform's support; empty if the response has none.
	RequestID string
	// Verified reports that the platform's signature was verified. It is false for the families of
	// responses that are documented as unsigned, such as bill files, and for a response that your
	// middleware made or changed.
	Verified bool

	from call.Response
}

func newResponse(from *call.Response) *Response {
	r := &Response{from: *from}
	r.fill()
	return r
}

// send makes a call.
func send(ctx context.Context, c *call.Call) (*Response, error) { return new(Response).of(ctx, c) }

// of makes a call, and returns r with its response.
func (r *Response) of(ctx context.Context, c *call.Call) (*Response, error) {
	if err := c.SendInto(ctx, &r.from); err != nil {
		return nil, err
	}
	r.fill()
	return r, nil
}

func (r *Response) fill() {
	r.Status, r.Header, r.RequestID, r.Verified = r.from.Status, r.from.Header, r.from.RequestID(), r.from.Verified
}

// Stale reports whether the response shows nothing of its call and was signed more than 30 s before
// the request was sent, as far as clocks tell: it then belongs to another request. [Chain.Ensure]
// accepts no stale response. After a call without Ensure, ask the operation's query.
func (r *Response) Stale() bool { return r.from.Stale }

// Get reads one value by gjson path, such as "amount.total" or "data.#.serial_no" (syntax:
// https://github.com/tidwall/gjson/blob/master/SYNTAX.md). A body that is not a JSON object or
// array has no values. Get finds the same values as Decode, except that Decode takes Amount for
// amount if a struct says so. Fields that the catalogue marks as encrypted are decrypted with the
// merchant's private key, all of them at the first use of one; see [Response.DecryptErr].
//
// A gjson.Result is lenient: an absent value is 0, and Int makes 1 of 1.99, "1" and true. For
// values that matter use [Response.Fen], Int, Text, Bool and Time. A path without a value, which
// the catalogue does not document either, is logged once with the nearest documented path.
func (r *Response) Get(path string) gjson.Result {
	value := r.get(path)
	if !value.Exists() {
		r.warnOf(path)
	}
	return value
}

// get is Get for paths that this package tries; it logs nothing.
func (r *Response) get(path string) gjson.Result { return strict.Get(r.text(), path) }

// text returns the JSON text in the body, its marked fields in plain text; nil if there is none.
func (r *Response) text() []byte {
	return r.from.Text()
}

// documented returns the fields that the catalogue documents for the response, nil if it is not
// certain of them.
func (r *Response) documented() []fact.Field {
	return r.from.Documented()
}

// warnOf logs once that the catalogue does not document a path.
func (r *Response) warnOf(path string) {
	if r.from.Call == nil {
		return
	}
	c, line := r.from.Call, r.from.Call.Line()
	if line.Logger == nil || !line.Logger.Enabled(context.Background(), slog.LevelWarn) {
		return
	}
	near, undocumented := strict.Undocumented(r.documented(), path)
	if !undocumented {
		return
	}
	if first, _ := line.Checks.Told.Add(c.Method, c.Template, preflight.UnknownField, "response", path); first {
		line.Logger.Warn("wxpay response has no such field, and the catalogue does not document it", slog.String("method", c.Method),
			slog.String("path", c.Template), slog.String("field", redact.OneLine(path)), slog.String("near", near))
	}
}

// Raw returns the body as it was received and verified, encrypted fields included. It must not be
// changed.
func (r *Response) Raw() []byte { return r.from.Raw }

// DecryptErr returns an error for the fields that the catalogue marks as encrypted and that could
// not be decrypted; they stay encrypted. It is nil without a catalogue. Each fault is a
// [*FieldError]; several are joined, and Unwrap() []error returns them. The call itself succeeded
// whatever DecryptErr returns.
func (r *Response) DecryptErr() error {
	faults, err := r.from.DecryptFaults()
	switch {
	case err != nil:
		return fmt.Errorf("wxpay: the response cannot be parsed for decryption: %w", err)
	case len(faults) > 0:
		return newDecryptError(faults)
	}
	return nil
}

// Format prints status, request id and size, and never the body, under every verb: bodies hold
// identities.
func (r Response) Format(s fmt.State, verb rune) { redact.Format(s, verb, r.summary()) }

// MarshalText gives encodings what Format prints: the body is in [Response.Raw].
func (r Response) MarshalText() ([]byte, error) { return []byte(r.summary()), nil }

func (r *Response) summary() string {
	return fmt.Sprintf("wxpay.Response{status %d, request id %s, %d bytes, verified %t}", r.Status, redact.OneLine(r.RequestID), len(r.Raw()), r.Verified)
}

// LogValue gives slog the allow-listed fields.
func (r Response) LogValue() slog.Value {
	return slog.GroupValue(slog.Int("status", r.Status), slog.String("request_id", r.RequestID), slog.Int("bytes", len(r.Raw())), slog.Bool("verified", r.Verified))
}
