package wxsql

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/jsonwalk"
)

// Job is one POST to make once, by wxpay.Chain.Ensure.
type Job struct {
	// Path is the template as the manual prints it, such as v3/refund/domestic/refunds.
	Path string
	// Vars fill the placeholders of Path.
	Vars map[string]string
	// Body is marshalled by encoding/json when the job is added; nil is no body. It must not
	// contain a wxpay.Secret, which no other process can open: use a string, which the worker
	// encrypts if the catalogue marks the field, and which the outbox stores encrypted.
	Body any
	// Number is the merchant's own number of the job, such as that of the refund. Leave it empty
	// if the catalogue knows which field has it; Add says so if it does not.
	Number string
}

// Format prints the path under every verb, because the rest may identify people.
func (j Job) Format(s fmt.State, _ rune) { _, _ = fmt.Fprintf(s, "wxsql.Job{%s}", j.Path) }

// maxRequest bounds the JSON text of a request, in bytes. The largest documented bodies have some
// hundred kilobytes.
const maxRequest = 1 << 20

// request is what is sealed of a job.
type request struct {
	Path string            `json:"path"`
	Vars map[string]string `json:"vars,omitempty"`
	Body json.RawMessage   `json:"body,omitempty"`
}

// chain is the call.
func (r *request) chain(client *wxpay.Client) wxpay.Chain { return client.Chain(r.Path).Vars(r.Vars) }

// body is what Chain takes.
func (r *request) body() any {
	if r.Body == nil {
		return nil
	}
	return []byte(r.Body)
}

// prepared is a job that was checked.
type prepared struct {
	number string
	id     []byte // see identify
	text   []byte // of the request
}

// prepare checks a job and finds its number.
func (j *Job) prepare(ctx context.Context, client *wxpay.Client) (*prepared, error) {
	r := request{Path: strings.TrimPrefix(j.Path, "/"), Vars: j.Vars}
	if j.Body != nil {
		var buffer bytes.Buffer
		encoder := json.NewEncoder(&buffer)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(rawJSON(j.Body)); err != nil {
			return nil, errors.New("the body cannot be marshalled: it is no JSON, or of a type that encoding/json does not take")
		}
		r.Body = bytes.TrimSpace(buffer.Bytes())
		if err := checkBody(r.Body); err != nil {
			return nil, err
		}
	}
	number, err := j.findNumber(&r)
	if err != nil {
		return nil, err
	}
	if len(number) > maxName || len(r.Path) > maxName {
		return nil, fmt.Errorf("the path or the number has more than %d bytes", maxName)
	}
	if err := r.chain(client).Check(ctx, http.MethodPost, r.body()); err != nil {
		var finding *wxpay.PreflightError
		var mistake *wxpay.CallError
		switch {
		case errors.As(err, &finding):
			return nil, finding
		case errors.As(err, &mistake):
			return nil, mistake.Err
		}
		return nil, err
	}
	text, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	if len(text) > maxRequest {
		return nil, fmt.Errorf("the request has %d bytes, at most %d are stored", len(text), maxRequest)
	}
	return &prepared{number: number, id: identify(client, r.Path, number), text: text}, nil
}

// rawJSON returns a body that encoding/json takes as it is, where it is JSON already.
func rawJSON(body any) any {
	switch text := body.(type) {
	case []byte:
		return json.RawMessage(text)
	case string:
		return json.RawMessage(text)
	}
	return body
}

func checkBody(body []byte) error {
	switch _, err := jsonwalk.Read(body); {
	case !utf8.Valid(body):
		return errors.New("the body is not UTF-8")
	case bytes.Contains(body, secretMark()):
		return errors.New("the body has a wxpay.Secret, which no other process can open: use a string, the outbox stores it encrypted")
	case err != nil: // the platform and the search for the number may take different fields
		return fmt.Errorf("the body: %w", err)
	}
	return nil
}

// secretMark begins the token that stands for a [wxpay.Secret] in JSON.
var secretMark = sync.OnceValue(func() []byte {
	token, _ := wxpay.Secret("x").MarshalText()
	return token[:bytes.LastIndexByte(token, '.')+1]
})

// findNumber returns the merchant's own number.
func (j *Job) findNumber(r *request) (string, error) {
	if j.Number != "" {
		return j.Number, nil
	}
	o := operation(r.Path)
	if o == nil || o.Number.Field == "" {
		return "", errors.New("it is not known which field has the merchant's own number: set Job.Number")
	}
	number := gjson.GetBytes(r.Body, o.Number.Field).String()
	if name, ok := fact.Placeholder(o.Number.Field); ok {
		number = r.Vars[name]
	}
	if number == "" {
		return "", fmt.Errorf("the merchant's own number is missing: it is expected in %s", o.Number.Field)
	}
	return number, nil
}

// operation returns what the catalogue knows of a path, nil if nothing.
func operation(path string) *fact.Operation {
	o, _ := catalog.V3().Lookup(http.MethodPost, "/"+path)
	return o
}

// identify returns what a job is known by: the digest of the caller, the kind of number, and the
// number.
func identify(client *wxpay.Client, path, number string) []byte {
	path = strings.TrimPrefix(path, "/")
	space := path
	if o := operation(path); o != nil && o.Number.Space != "" {
		space = o.Number.Space
	}
	sum := sha256.Sum256([]byte(client.Identity() + "\x00" + space + "\x00" + number))
	return sum[:]
}
