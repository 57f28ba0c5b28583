package webhook

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/tidwall/gjson"

	"github.com/wxpay-go/wxpay/internal/redact"
)

// Event is a verified and decrypted notification. It is immutable, may be shared, and prints redacted. To have another
// process verify it again, hand on Raw together with the request's headers: the values alone prove nothing.
type Event struct {
	// ID is the notification's id. It repeats when the notification is delivered again.
	ID string
	// Type is the event_type, such as TRANSACTION.SUCCESS.
	Type string
	// OriginalType is the kind of the resource, such as transaction. Old products leave it empty.
	OriginalType string
	// ResourceType is the resource_type, nearly always encrypt-resource.
	ResourceType string
	// Summary is the platform's description in a few words, in Chinese.
	Summary string
	// CreateTime is when the notification was made; zero if it is not in the documented form (RFC 3339).
	CreateTime time.Time
	// Merchant is the ID of the [Merchant] whose keys verified and decrypted it.
	Merchant string
	// Serial is the platform key that signed it: certificate serial or public key id.
	Serial string
	// RequestID is what the platform's support asks for; empty when the delivery has none. It is not signed.
	RequestID string

	raw      []byte
	resource []byte
	valid    bool             // resource is JSON
	owner    func() *Merchant // hidden
}

// Get reads one value of the decrypted resource by gjson path, such as "amount.total"
// (syntax: https://github.com/tidwall/gjson/blob/master/SYNTAX.md). In a resource that is not JSON nothing exists.
func (e *Event) Get(path string) gjson.Result {
	if !e.valid {
		return gjson.Result{}
	}
	return gjson.GetBytes(e.resource, path)
}

// Resource returns the decrypted resource. It must not be changed.
func (e *Event) Resource() []byte { return e.resource }

// Raw returns the body as it was received and verified, the resource still encrypted. It must not be changed.
func (e *Event) Raw() []byte { return e.raw }

// Decode unmarshals the decrypted resource into v, as encoding/json does. No value stands in the error's text.
func (e *Event) Decode(v any) error {
	err := json.Unmarshal(e.resource, v)
	if err == nil {
		return nil
	}
	return &decodeError{eventType: e.Type, err: err}
}

type decodeError struct {
	eventType string
	err       error
}

func (e *decodeError) Error() string {
	text := "webhook: decoding the resource of " + redact.Printable(e.eventType) + ": "
	var mismatch *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	var target *json.InvalidUnmarshalError
	switch {
	case errors.As(e.err, &mismatch):
		// Its own text repeats the number that did not fit.
		return text + fmt.Sprintf("member %q does not fit %s", mismatch.Field, mismatch.Type)
	case errors.As(e.err, &syntax):
		return text + fmt.Sprintf("it is not JSON from byte %d on", syntax.Offset)
	case errors.As(e.err, &target):
		return text + "the target is not a pointer"
	}
	return text + "the target refused it" // a json.Unmarshaler's error may hold anything
}

func (e *decodeError) Unwrap() error { return e.err }

// Format prints the error's text under every verb.
func (e decodeError) Format(s fmt.State, verb rune) { redact.Format(s, verb, e.Error()) }

// MarshalText gives encodings the error's text.
func (e decodeError) MarshalText() ([]byte, error) { return []byte(e.Error()), nil }

// Format prints what identifies the notification under every verb: resources hold identities.
func (e Event) Format(s fmt.State, verb rune) { redact.Format(s, verb, e.text()) }

// MarshalText gives encodings what Format prints: the resource is in [Event.Resource].
func (e Event) MarshalText() ([]byte, error) { return []byte(e.text()), nil }

func (e *Event) text() string {
	return fmt.Sprintf("webhook.Event{%s, %s %s, %d bytes}", redact.Printable(e.ID), redact.Printable(e.Type), redact.Printable(e.OriginalType), len(e.resource))
}

// LogValue gives slog the allow-listed members.
func (e Event) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("id", redact.Printable(e.ID)), slog.String("type", redact.Printable(e.Type)), slog.String("original_type", redact.Printable(e.OriginalType)),
		slog.String("request_id", redact.Printable(e.RequestID)))
}

// sealed is the encrypted part of an envelope.
type sealed struct{ algorithm, ciphertext, associated, nonce string }

// readEnvelope reads a verified body. A member that stands twice is accepted only if it says the same both times: which
// of two counts is a matter of the parser, and no two readers may disagree about an event.
func readEnvelope(body []byte) (*Event, sealed, error) {
	e, s := &Event{raw: body}, sealed{}
	if !gjson.ValidBytes(body) {
		return nil, s, fmt.Errorf("%w: it is not JSON", ErrMalformed)
	}
	envelope := gjson.ParseBytes(body)
	if !envelope.IsObject() {
		return nil, s, fmt.Errorf("%w: it is not a JSON object", ErrMalformed)
	}
	var created string
	var resource gjson.Result
	texts := []text{
		{name: "id", to: &e.ID}, {name: "event_type", to: &e.Type}, {name: "resource_type", to: &e.ResourceType},
		{name: "summary", to: &e.Summary}, {name: "create_time", to: &created},
	}
	err := members(envelope, func(name string, value gjson.Result) error {
		if name != "resource" {
			return take(texts, name, value)
		}
		if resource.Exists() && resource.Raw != value.Raw {
			return standsTwice(name)
		}
		resource = value
		return nil
	})
	if err != nil {
		return nil, s, err
	}
	if !resource.IsObject() {
		return nil, s, fmt.Errorf("%w: it has no resource", ErrMalformed)
	}
	texts = []text{
		{name: "original_type", to: &e.OriginalType}, {name: "algorithm", to: &s.algorithm}, {name: "ciphertext", to: &s.ciphertext},
		{name: "associated_data", to: &s.associated}, {name: "nonce", to: &s.nonce},
	}
	err = members(resource, func(name string, value gjson.Result) error { return take(texts, name, value) })
	switch {
	case err != nil:
		return nil, s, err
	case e.ID == "":
		return nil, s, fmt.Errorf("%w: it has no id", ErrMalformed)
	case e.Type == "":
		return nil, s, fmt.Errorf("%w: it has no event_type", ErrMalformed)
	case s.ciphertext == "":
		return nil, s, fmt.Errorf("%w: its resource has no ciphertext", ErrMalformed)
	}
	e.CreateTime, _ = time.Parse(time.RFC3339, created)
	return e, s, nil
}

// members calls take with each member of an object, until it fails.
func members(object gjson.Result, take func(name string, value gjson.Result) error) (err error) {
	object.ForEach(func(key, value gjson.Result) bool {
		err = take(key.Str, value)
		return err == nil
	})
	return err
}

// text is a member that is a text, and where it goes.
type text struct {
	name string
	to   *string
	raw  string // as it stands in the envelope; empty until it was seen
}

// take takes the member of that name, if it is one of texts; null is like a member that is absent.
func take(texts []text, name string, value gjson.Result) error {
	for i := range texts {
		t := &texts[i]
		switch {
		case t.name != name:
			continue
		case t.raw != "" && t.raw != value.Raw:
			return standsTwice(name)
		case value.Type != gjson.String && value.Type != gjson.Null:
			return fmt.Errorf("%w: its member %s is not a text", ErrMalformed, name)
		}
		*t.to, t.raw = value.Str, value.Raw
	}
	return nil
}

func standsTwice(name string) error {
	return fmt.Errorf("%w: the member %q stands twice with different values", ErrMalformed, redact.Printable(name))
}

// setResource takes the decrypted resource. One that is not JSON is taken as it is: an event of tomorrow must reach its
// function. One in which a member stands twice with different values is ErrMalformed, for Get would read the first and
// Decode the last.
func (e *Event) setResource(plaintext []byte) error {
	e.resource = plaintext
	if e.valid = gjson.ValidBytes(plaintext); !e.valid {
		return nil
	}
	return unambiguous(gjson.ParseBytes(plaintext), 0)
}

// maxDepth bounds the nesting of a resource; documented ones have at most six levels.
const maxDepth = 64

// fewMembers is the size up to which an object's names are compared one by one.
const fewMembers = 32

func unambiguous(value gjson.Result, depth int) error {
	if value.Type != gjson.JSON {
		return nil
	}
	if depth == maxDepth {
		return fmt.Errorf("%w: its resource is nested deeper than %d levels", ErrMalformed, maxDepth)
	}
	if !value.IsObject() {
		return members(value, func(_ string, element gjson.Result) error { return unambiguous(element, depth+1) })
	}
	var few [fewMembers]string
	names, index := few[:0], map[string]struct{}(nil)
	return members(value, func(name string, member gjson.Result) error {
		known := false
		if index != nil {
			_, known = index[name]
			index[name] = struct{}{}
		} else {
			for _, other := range names {
				known = known || other == name
			}
			if names = append(names, name); len(names) == fewMembers {
				index = make(map[string]struct{}, 4*fewMembers)
				for _, other := range names {
					index[other] = struct{}{}
				}
			}
		}
		if known && !sameEverywhere(value, name) {
			return standsTwice(name)
		}
		return unambiguous(member, depth+1)
	})
}

// sameEverywhere reports whether all members of that name have the same text.
func sameEverywhere(object gjson.Result, name string) bool {
	seen, same := "", true
	object.ForEach(func(key, value gjson.Result) bool {
		if key.Str == name {
			same = seen == "" || seen == value.Raw
			seen = value.Raw
		}
		return same
	})
	return same
}
