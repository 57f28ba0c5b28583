package webhook

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/tidwall/gjson"

	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/jsonwalk"
	"github.com/wxpay-go/wxpay/internal/redact"
	"github.com/wxpay-go/wxpay/internal/strict"
)

// Event is a verified and decrypted notification. It is immutable, may be shared, and prints
// redacted. Another process can verify it again from Raw and the request's headers; the values
// alone prove nothing.
type Event struct {
	// ID is the notification's id. Every delivery of the notification has the same.
	ID string
	// Type is the event_type, such as TRANSACTION.SUCCESS.
	Type string
	// OriginalType is the kind of the resource, such as transaction. Old products leave it empty.
	OriginalType string
	// ResourceType is the resource_type, nearly always encrypt-resource.
	ResourceType string
	// Summary is the platform's description in a few words, in Chinese.
	Summary string
	// CreateTime is the time of the notification; zero if it is not in the documented form (RFC
	// 3339).
	CreateTime time.Time
	// Merchant is the ID of the [Merchant] whose keys verified and decrypted it.
	Merchant string
	// Serial is the platform key of the signature: certificate serial or public key id.
	Serial string
	// RequestID is the id that the platform's support asks for; empty without one. It is not
	// signed.
	RequestID string

	raw      []byte
	resource []byte
	json     []byte           // the JSON text in resource; nil if there is none
	owner    func() *Merchant // hidden
	facts    *fact.Event      // nil if the catalogue does not know the event
}

// Get reads one value of the decrypted resource by gjson path, such as "amount.total" (syntax:
// https://github.com/tidwall/gjson/blob/master/SYNTAX.md). In a resource that is no JSON object or
// array, nothing exists. It finds the same values as Decode, except that Decode ignores the case of
// names.
//
// A gjson.Result is lenient: an absent value is 0, and Int turns 1.99, "1" and true into 1. Read
// important values with [Event.Fen], Int, Text, Bool and Time.
func (e *Event) Get(path string) gjson.Result { return strict.Get(e.json, path) }

// Fen reads an amount in the smallest unit of its currency, fen for CNY: a whole number, written as
// one, that fits an int64. An absent value and any other (1.99, 1e2, "100", true) is an error that
// names the path and the kind, not the value.
func (e *Event) Fen(path string) (int64, error) { return read(e, path, strict.Fen) }

// Int reads a whole number, by the rules of [Event.Fen].
func (e *Event) Int(path string) (int64, error) { return read(e, path, strict.Int) }

// Text reads a JSON string, which may be empty; see [Event.Fen].
func (e *Event) Text(path string) (string, error) { return read(e, path, strict.Text) }

// Bool reads true or false; see [Event.Fen].
func (e *Event) Bool(path string) (bool, error) { return read(e, path, strict.Bool) }

// Time reads a time in the form of RFC 3339, such as 2018-06-08T10:34:56+08:00; see [Event.Fen].
func (e *Event) Time(path string) (time.Time, error) { return read(e, path, strict.Time) }

// Need returns an error that names the paths without a value or with null.
func (e *Event) Need(paths ...string) error {
	if err := strict.Need(e.Get, e.documented(), paths); err != nil {
		return e.readFailed(err)
	}
	return nil
}

func read[T any](e *Event, path string, as func(gjson.Result) (T, error)) (T, error) {
	value, err := strict.Read(e.Get, e.documented(), path, as)
	if err != nil {
		err = e.readFailed(err)
	}
	return value, err
}

func (e *Event) readFailed(err error) error {
	return fmt.Errorf("webhook: reading the resource of %s: %w", redact.Printable(e.Type), err)
}

// documented returns the documented fields of the resource, nil if the catalogue is not sure of
// them.
func (e *Event) documented() []fact.Field {
	if e.facts == nil || e.facts.Inferred {
		return nil
	}
	return e.facts.Resource
}

// Resource returns the decrypted resource unchanged; Get and Decode read U+FFFD for a byte that is
// not UTF-8. Do not change it.
func (e *Event) Resource() []byte { return e.resource }

// Raw returns the verified body as received, with the resource still encrypted. Do not change it.
func (e *Event) Raw() []byte { return e.raw }

// Decode unmarshals the decrypted resource into v, as encoding/json does. The error's text contains
// no value.
func (e *Event) Decode(v any) error {
	text := e.json
	if text == nil {
		text = e.resource
	}
	err := json.Unmarshal(text, v)
	if err == nil {
		return nil
	}
	return &decodeError{e.Type, &jsonwalk.DecodeError{Err: err}}
}

type decodeError struct {
	eventType string
	cause     *jsonwalk.DecodeError
}

func (e *decodeError) Error() string {
	return "webhook: decoding the resource of " + redact.Printable(e.eventType) + ": " + e.cause.Error()
}

// Unwrap returns the cause, perhaps an error of the user's Unmarshaler.
func (e *decodeError) Unwrap() error { return e.cause.Unwrap() }

// Format prints the error's text under every verb.
func (e decodeError) Format(s fmt.State, verb rune) { redact.Format(s, verb, e.Error()) }

// MarshalText returns the error's text.
func (e decodeError) MarshalText() ([]byte, error) { return []byte(e.Error()), nil }

// Format prints the notification's ids under every verb, not the resource, which contains
// identities.
func (e Event) Format(s fmt.State, verb rune) { redact.Format(s, verb, e.text()) }

// MarshalText returns the text that Format prints; the resource is in [Event.Resource].
func (e Event) MarshalText() ([]byte, error) { return []byte(e.text()), nil }

func (e *Event) text() string {
	return fmt.Sprintf("webhook.Event{%s, %s %s, %d bytes}", redact.Printable(e.ID), redact.Printable(e.Type),
		redact.Printable(e.OriginalType), len(e.resource))
}

// LogValue returns the allow-listed fields for slog.
func (e Event) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("id", redact.Printable(e.ID)), slog.String("type", redact.Printable(e.Type)),
		slog.String("original_type", redact.Printable(e.OriginalType)),
		slog.String("request_id", redact.Printable(e.RequestID)))
}

// sealed is the encrypted part of an envelope. Its texts are pieces of the body.
type sealed struct{ algorithm, ciphertext, associated, nonce []byte }

// The text fields of a body and of its resource.
var (
	envelopeFields = [5]string{"id", "event_type", "resource_type", "summary", "create_time"}
	resourceFields = [5]string{"original_type", "algorithm", "ciphertext", "associated_data", "nonce"}
)

// readEnvelope reads a verified body. It copies serial and requestID, the texts of headers, which a
// server may lend.
func readEnvelope(body []byte, serial, requestID string) (*Event, sealed, error) {
	text, err := jsonwalk.Read(body)
	if err != nil {
		return nil, sealed{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	c := jsonwalk.Cursor{Text: text}
	if c.Peek() != '{' {
		return nil, sealed{}, fmt.Errorf("%w: it is not a JSON object", ErrMalformed)
	}
	var inner [5][]byte
	found := false
	outer, err := take(&c, &envelopeFields, func() (err error) {
		found = true
		inner, err = take(&c, &resourceFields, nil)
		return err
	})
	s := sealed{algorithm: inner[1], ciphertext: inner[2], associated: inner[3], nonce: inner[4]}
	switch {
	case err != nil:
		return nil, s, err
	case !found:
		return nil, s, fmt.Errorf("%w: it has no resource", ErrMalformed)
	case len(outer[0]) == 0:
		return nil, s, fmt.Errorf("%w: it has no id", ErrMalformed)
	case len(outer[1]) == 0:
		return nil, s, fmt.Errorf("%w: it has no event_type", ErrMalformed)
	case len(s.ciphertext) == 0:
		return nil, s, fmt.Errorf("%w: its resource has no ciphertext", ErrMalformed)
	}
	e := &Event{raw: body}
	var space [256]byte // one allocation for all texts
	joined := append(append(space[:0], serial...), requestID...)
	for _, piece := range outer {
		joined = append(joined, piece...)
	}
	rest := string(append(joined, inner[0]...))
	cut := func(size int) (piece string) { piece, rest = rest[:size], rest[size:]; return piece }
	e.Serial, e.RequestID = cut(len(serial)), cut(len(requestID))
	e.ID, e.Type, e.ResourceType, e.Summary = cut(len(outer[0])), cut(len(outer[1])), cut(len(outer[2])), cut(len(outer[3]))
	e.CreateTime, _ = time.Parse(time.RFC3339, cut(len(outer[4])))
	e.OriginalType = rest
	return e, s, nil
}

// value is the value of a field.
type value = gjson.Result

// pick finds fields of the decrypted resource by their names, in one walk, which costs as much as
// one Get.
func (e *Event) pick(names []string, found []value) {
	c := jsonwalk.Cursor{Text: e.json}
	if c.Peek() != '{' {
		return
	}
	for more := c.Enter('}'); more; more = c.More('}') {
		name := c.Name().Key()
		i := slices.IndexFunc(names, func(n string) bool { return n == string(name) })
		c.Peek()
		begin := c.At
		if c.Skip(); i >= 0 {
			found[i] = gjson.ParseBytes(e.json[begin:c.At])
		}
	}
}

// take reads text fields of the object that comes next; null is like an absent one. It calls inside
// for a field resource that is an object, and inside reads that.
func take(c *jsonwalk.Cursor, names *[5]string, inside func() error) (texts [5][]byte, err error) {
	for more := c.Enter('}'); more; more = c.More('}') {
		name := c.Name().Key()
		i := slices.IndexFunc(names[:], func(n string) bool { return n == string(name) })
		switch kind := c.Peek(); {
		case i >= 0 && kind == '"':
			begin := c.At
			quoted := c.Quoted()
			if texts[i] = quoted.Raw; quoted.Escaped {
				texts[i] = []byte(gjson.ParseBytes(c.Text[begin:c.At]).Str)
			}
		case i >= 0 && kind != 'n':
			return texts, fmt.Errorf("%w: its field %s is not a text", ErrMalformed, names[i])
		case kind == '{' && inside != nil && string(name) == "resource":
			if err := inside(); err != nil {
				return texts, err
			}
		default:
			c.Skip()
		}
	}
	return texts, nil
}

// setResource sets the decrypted resource. It accepts a resource that is not JSON: a future event
// must reach its function. Ambiguous JSON is ErrMalformed: the effect must not depend on the
// reader.
func (e *Event) setResource(plaintext []byte) (err error) {
	e.resource = plaintext
	if e.json, err = jsonwalk.Read(plaintext); errors.Is(err, jsonwalk.ErrAmbiguous) {
		return fmt.Errorf("%w: its resource can be read in two ways: %w", ErrMalformed, err)
	}
	return nil
}
