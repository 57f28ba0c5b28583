package call

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/jsonwalk"
	"github.com/wxpay-go/wxpay/internal/keyring"
	"github.com/wxpay-go/wxpay/internal/preflight"
	"github.com/wxpay-go/wxpay/internal/redact"
	"github.com/wxpay-go/wxpay/internal/sensitive"
	"github.com/wxpay-go/wxpay/internal/target"
	"github.com/wxpay-go/wxpay/middleware"
)

var methods = []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

// Prepare prepares a call. It is the last place where a mistake costs nothing: each of its errors
// means that nothing was sent, unless an earlier process may have sent the call.
func (l *Line) Prepare(ctx context.Context, s *Spec, method string, body any) (*Call, error) {
	c := new(Call)
	if err := l.PrepareInto(ctx, c, s, method, body); err != nil {
		return nil, err
	}
	return c, nil
}

// PrepareInto is Prepare into a new Call.
func (l *Line) PrepareInto(ctx context.Context, c *Call, s *Spec, method string, body any) error {
	c.start(l, method)
	err := c.fill(ctx, s, body)
	if err == nil {
		err = c.check(ctx, s)
	}
	if err == nil {
		err = c.encrypt(ctx, s)
	}
	if err != nil {
		return c.mistake(s, err)
	}
	if l.LogNumbers {
		c.Number = c.Own
	}
	return nil
}

// Check prepares a call without encryption, and reports the findings about it.
func (l *Line) Check(ctx context.Context, s *Spec, method string, body any) error {
	c := New(l, method)
	err := c.fill(ctx, s, body)
	if err == nil {
		err = c.check(ctx, s)
	}
	if err != nil {
		return c.mistake(s, err)
	}
	return nil
}

// mistake makes the error of a call that could not be prepared.
func (c *Call) mistake(s *Spec, err error) error {
	c.Template = target.Label(strings.TrimPrefix(s.Path, "/"))
	outcome := middleware.NotSent
	if s.SentBefore {
		outcome = middleware.Unknown
	}
	return c.Failed(StageBuild, outcome, err)
}

// fill prepares c without checks and encryption. It adds the line's fields of the query to s.
func (c *Call) fill(ctx context.Context, s *Spec, body any) (err error) {
	switch {
	case s.Mistake != nil:
		return s.Mistake
	case ctx == nil:
		return errNoContext
	case !slices.Contains(methods, c.Method):
		method := c.Method
		c.Method = ""
		return fmt.Errorf("the method %s is not one of %s", redact.Quote(method), strings.Join(methods, ", "))
	case c.Method == http.MethodGet && body != nil:
		return errors.New("a GET has no body: use Query")
	}
	if file, ok := body.(File); ok {
		c.file = file
	} else if c.Body, err = c.encode(body); err != nil {
		return err
	}
	c.Limits, c.header, c.unbind, c.Idempotent = c.line.Limits, s.Header, s.Unbind, s.Idempotent
	if c.Bounded = s.Total > 0; c.Bounded || s.Attempt > 0 {
		c.Limits = TimeLimits(orElse(s.Total, c.line.Timeout), orElse(s.Attempt, c.line.AttemptTimeout))
	}
	if err := c.locate(s); err != nil {
		return err
	}
	if c.file != nil {
		limits := fact.UploadAt(s.Path)
		c.Idempotent = c.Idempotent || limits != nil // its only effect is a new id
		meta, err := c.file.Ready(ctx, c.Operation, limits, string(c.line.Signer.AppendNonce([]byte("wxpay-"))))
		if err != nil {
			return err
		}
		if c.Body, err = c.encode(meta); err != nil {
			return err
		}
	}
	c.plan = c.line.Plans.Of(c.Operation)
	return c.complete(s, isVerbatim(body))
}

func orElse(limit, other time.Duration) time.Duration {
	if limit == 0 {
		return other
	}
	return limit
}

// locate finds the path of c and its operation.
func (c *Call) locate(s *Spec) error {
	if facts := c.line.Facts(); facts != nil {
		c.Operation, _ = facts.Lookup(c.Method, s.Path)
	}
	escaped, decoded, err := target.Expand(s.Path, s.Variables)
	if err != nil {
		return err
	}
	c.URL.Scheme, c.URL.Host = c.line.Base.Scheme, c.line.Base.Host
	c.URL.Path = escaped
	if decoded != "" {
		c.URL.Path = decoded
		// Where both are the same, net/url would still escape some characters that the caller of RawVar did
		// not. Without such a value RawPath only costs a comparison at each use.
		if decoded != escaped || slices.ContainsFunc(s.Variables, func(v target.Variable) bool { return v.Raw }) {
			c.URL.RawPath = escaped
		}
	}
	switch {
	case c.Operation != nil:
		c.Template = c.Operation.Path
	case decoded != "" || target.Suspicious(s.Path[1:]):
		c.Template = target.Label(s.Path[1:])
	default:
		c.Template = escaped
	}
	return nil
}

// complete writes times in the documented form and adds the caller's numbers. A verbatim body stays
// unchanged.
func (c *Call) complete(s *Spec, verbatim bool) error {
	for i := range s.Query {
		if s.Query[i].Time {
			if err := c.documentedTime(&s.Query[i]); err != nil {
				return err
			}
		}
	}
	if fill := c.line.Fill; c.Operation != nil && fill.MchID+fill.AppID != "" {
		s.Query = fill.Query(c.Operation, s.Query)
		if c.Body != nil && c.file == nil && !verbatim {
			c.Body = fill.Body(c.Operation, c.Body)
		}
	}
	return nil
}

// check checks the call before anything is encrypted or sent.
func (c *Call) check(ctx context.Context, s *Spec) error {
	facts := c.line.Facts()
	if facts == nil {
		return nil
	}
	r := preflight.Request{
		Method: c.Method, Path: s.Path, Operation: c.Operation, Plan: c.plan, Variables: s.Variables, Query: s.Query, Body: c.Body,
		Base: c.line.Base, WrongScheme: c.WrongScheme(s.Path), Catalog: facts,
	}
	if c.Operation != nil && len(c.Operation.In.Header) > 0 {
		r.Header = c.setsHeader
	}
	c.Findings = preflight.Check(&r, c.line.Checks.Silenced)
	if c.line.Checks.Strict && c.Findings.Certain() {
		return c.line.Errors.Refused(c.Findings)
	}
	c.Findings.Tell(ctx, c.line.Logger, c.line.Checks.Told, c.Template)
	return nil
}

// WrongScheme names the client that a path needs if its operations have another scheme than the
// line's; empty if the scheme is right.
func (c *Call) WrongScheme(path string) string {
	ofBrand := strings.HasPrefix(path, "/brand/")
	if c.Operation != nil {
		ofBrand = c.Operation.Scheme == fact.BrandScheme
	}
	switch brand := keyring.IsBrand(c.line.Scheme); {
	case ofBrand && !brand:
		return "a brand signs it, with its own scheme and certificate: WithScheme(apiv3.Brand()) makes a client that calls as a brand"
	case !ofBrand && brand:
		return "a merchant signs it, but this client calls as a brand, whose paths begin with /brand/: a client without WithScheme(apiv3.Brand()) calls as a merchant"
	}
	return ""
}

// setsHeader reports whether the caller sets a header.
func (c *Call) setsHeader(name string) bool {
	_, set := headerOf(c.header, name)
	return set
}

// encrypt encrypts the body and the query, once for all attempts. The caller's values never change.
func (c *Call) encrypt(ctx context.Context, s *Spec) error {
	r := sensitive.Request{Body: c.Body, Query: s.Query, Plan: c.plan, Rules: s.Rules, Note: c.Operation != nil && c.Operation.Inferred}
	if !r.Concerned() {
		c.setQuery(s.Query)
		return nil
	}
	if err := c.encryptOnce(ctx, r, s.Path); err != nil {
		return err
	}
	if c.serial != "" {
		plain, path := r, s.Path
		plain.Note = false
		c.again = func(ctx context.Context) error { return c.encryptOnce(ctx, plain, path) }
	}
	return nil
}

func (c *Call) encryptOnce(ctx context.Context, r sensitive.Request, path string) error {
	out, err := r.Encrypt(ctx, c.line.Scheme, c.chooseKey(ctx))
	c.noteInferred(ctx, path, out.Noted)
	if err != nil {
		return c.fault(err)
	}
	c.Body, c.serial = out.Body, out.Serial
	c.setQuery(out.Query)
	return nil
}

// chooseKey returns the key that the caller named, else the line's.
func (c *Call) chooseKey(ctx context.Context) (key sensitive.Key) {
	serial, named := headerOf(c.header, apiv3.HeaderSerial)
	if !named {
		key.PlatformKey, key.Err = c.line.Keys.Encryption(ctx)
		return key
	}
	key.Named = true
	if key.PlatformKey, key.Err = c.line.Keys.Find(ctx, serial); key.Err != nil {
		key.Err = fmt.Errorf("it cannot be encrypted with the key that Wechatpay-Serial names, %s: %w", redact.Quote(serial), key.Err)
	}
	return key
}

// noteInferred reports the fields that were encrypted by marks without an official source.
func (c *Call) noteInferred(ctx context.Context, path string, pointers []string) {
	checks := c.line.Checks
	if len(pointers) == 0 || slices.Contains(checks.Silenced, preflight.InferredEncryption) {
		return
	}
	if c.Findings == nil {
		c.Findings = preflight.NewReport(c.Method, path, c.Operation, c.line.Facts())
	}
	c.Findings.AddEncrypted(pointers)
	c.Findings.Tell(ctx, c.line.Logger, checks.Told, c.Template)
}

// fault returns an error in the form that callers get, if it is the fault of one field.
func (c *Call) fault(err error) error {
	if field, ok := err.(*jsonwalk.FieldError); ok {
		return c.line.Errors.Field(field)
	}
	return err
}

// encode returns the bytes of a body: a copy of the caller's bytes, or the value as JSON. A queued
// call, and the error of a failed one, outlive the verb, and the caller may use its bytes again.
func (c *Call) encode(body any) (encoded []byte, err error) {
	switch v := body.(type) {
	case nil:
		return nil, nil
	case []byte:
		encoded = bytes.Clone(v)
	case json.RawMessage:
		encoded = bytes.Clone(v)
	case string:
		encoded = []byte(v)
	case io.Reader:
		return nil, fmt.Errorf("the body is a reader (%T): pass a value to marshal, or its bytes", body)
	default:
		encoded, err = jsonwalk.Marshal(body)
		if err = c.fault(err); errors.Is(err, jsonwalk.ErrNotUTF8) {
			return nil, err
		} else if err != nil {
			return nil, fmt.Errorf("the body cannot be marshalled to JSON: %w", err)
		}
	}
	if !utf8.Valid(encoded) { // the platform would read another text, or none
		return nil, c.fault(&jsonwalk.FieldError{Pointer: jsonwalk.Broken(encoded), Err: jsonwalk.ErrNotUTF8})
	}
	switch trimmed := bytes.TrimSpace(encoded); {
	case len(trimmed) == 0:
		return nil, errors.New("the body is empty: pass a bare nil to send none, or wxpay.JSON{} for an empty object")
	case string(trimmed) == "null":
		return nil, errors.New("the body is null: pass a bare nil to send none")
	}
	return encoded, nil
}

// documentedTime writes a time in the form that the operation documents.
func (c *Call) documentedTime(p *target.Param) error {
	layout := target.TimeLayout(c.Operation, p.Name)
	if known, ok := c.line.Facts().(interface{ Described() *catalog.Catalog }); ok && layout == "" {
		described, _ := known.Described().Lookup(c.Method, c.Template)
		layout = target.TimeLayout(described, p.Name)
	}
	if layout == "" {
		return fmt.Errorf("query field %s is a time.Time, and the catalogue does not know the form that the operation takes: pass a text, such as at.Format(time.DateOnly)", redact.Quote(p.Name))
	}
	at, err := time.Parse(time.RFC3339, p.Values[0])
	p.Values = []string{at.Format(layout)}
	return err
}

// isVerbatim reports whether a body travels unchanged.
func isVerbatim(body any) bool {
	switch body.(type) {
	case []byte, json.RawMessage, string:
		return true
	}
	return false
}
