package preflight

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/jsonwalk"
	"github.com/wxpay-go/wxpay/internal/sensitive"
	"github.com/wxpay-go/wxpay/internal/target"
)

// Request is the part of a call that is checked.
type Request struct {
	Method, Path string          // the template as the caller wrote it
	Operation    *fact.Operation // nil when the catalogue does not know it
	Plan         *sensitive.Plan
	Variables    []target.Variable
	Query        []target.Param         // newest first
	Header       func(name string) bool // reports whether a header is set, by its canonical name
	Body         []byte                 // nil when there is none
	Base         *url.URL               // the gateway
	// WrongScheme says which client to make where the scheme of this one is not that of the
	// operation; else empty.
	WrongScheme string
	// Catalog may have abilities that name what the caller probably meant.
	Catalog any
}

// checks are kept, so that a check without findings allocates nothing.
var checks = sync.Pool{New: func() any { return new(check) }}

// Check returns the findings about a request, nil if there are none. It leaves out silenced kinds.
func Check(r *Request, silenced []string) *Report {
	k := checks.Get().(*check)
	k.silenced = silenced
	k.operation(r)
	if r.Operation != nil {
		k.inferred = r.Operation.Inferred
		k.parameters(r)
		k.body(r)
	}
	findings := k.findings
	clear(k.place[:cap(k.place)]) // names are pieces of the body
	*k = check{place: k.place[:0]}
	checks.Put(k)
	if len(findings) == 0 {
		return nil
	}
	report := NewReport(r.Method, r.Path, r.Operation, r.Catalog)
	report.findings = findings
	return report
}

// operation checks the call without a look at its fields.
func (k *check) operation(r *Request) {
	k.where = "operation"
	operation := r.Operation
	if text := r.WrongScheme; text != "" {
		k.report(WrongScheme, text)
	} else if operation == nil {
		k.unknown(r)
	}
	if operation == nil {
		return
	}
	instead := ""
	if len(operation.ReplacedBy) > 0 {
		instead = "; instead: " + strings.Join(operation.ReplacedBy, ", ")
	}
	switch operation.Status {
	case fact.Offline:
		k.report(OfflineOperation, "it is shut down"+instead)
	case fact.Superseded:
		k.report(SupersededOperation, "it is superseded"+instead)
	}
	if operation.HostRequired && r.Base.Host != operation.Host && !target.Loopback(r.Base.Hostname()) {
		k.report(WrongHost, "only https://"+operation.Host+" serves it: make a client with WithBaseURL")
	}
}

// unknown reports a call that the catalogue does not know. Report.Findings makes the text for an
// unknown path.
func (k *check) unknown(r *Request) {
	if lister, ok := r.Catalog.(methodLister); ok {
		if known := lister.Methods(r.Path); len(known) > 0 {
			k.report(UnknownMethod, "the path is known with "+strings.Join(known, ", ")+" only")
			return
		}
	}
	k.report(UnknownOperation, "")
}

// parameters checks path, query and header.
func (k *check) parameters(r *Request) {
	in := &r.Operation.In
	at := func(where, name string) { k.where, k.param = where, name }
	for i := range in.Path {
		for _, v := range r.Variables {
			if v.Name == in.Path[i].Name && !v.Raw {
				at("path", v.Name)
				k.text(&sensitive.Field{Field: &in.Path[i]}, v.Value)
			}
		}
	}
	for _, q := range slices.Backward(r.Query) {
		at("query", q.Name)
		m := r.Plan.Query.Find([]byte(q.Name))
		if m == nil {
			k.report(UnknownField, "the operation documents no such field")
			continue
		}
		for _, value := range q.Values {
			k.text(m, value)
		}
	}
	for i := range in.Query {
		m := &in.Query[i]
		if m.Required && !slices.ContainsFunc(r.Query, func(q target.Param) bool { return len(q.Values) > 0 && m.Named(q.Name) }) {
			at("query", m.Name)
			k.missing(m, fmt.Sprintf(": call Query(%q, …)", m.Name))
		}
	}
	for i := range in.Header {
		m := &in.Header[i]
		if !m.Required || m.Name == apiv3.HeaderSerial { // which the client sends with every call
			continue
		}
		if !r.Header(http.CanonicalHeaderKey(m.Name)) {
			at("header", m.Name)
			k.missing(m, fmt.Sprintf(": call Header(%q, …)", m.Name))
		}
	}
}

// text checks a value of path or query, where every type is written as text.
func (k *check) text(m *sensitive.Field, value string) {
	if strings.ContainsFunc(value, func(r rune) bool { return r > 0xffff }) {
		k.report(SupplementaryCharacter, unsendable)
	}
	switch kind := m.Type.Element(); {
	case sensitive.HasToken(value):
	case m.JSONText:
		k.nested(m, []byte(value))
	case kind == fact.Integer || kind == fact.Number:
		number, err := strconv.ParseFloat(value, 64)
		if errors.Is(err, strconv.ErrSyntax) || kind == fact.Integer && strings.Trim(value, "-0123456789") != "" {
			k.mistyped(m.Field, "it is documented as "+string(kind))
			return
		}
		k.bounds(m.Field, int64(number), false)
		k.constant(m.Field, func(constant any) bool { return equalNumber(constant, number) })
	case kind == fact.Boolean:
		if value != "true" && value != "false" {
			k.mistyped(m.Field, "it is documented as boolean: true or false")
		}
	default:
		k.bounds(m.Field, int64(utf8.RuneCountInString(value)), true)
		k.constant(m.Field, func(constant any) bool { return constant == value })
	}
}

// body checks the JSON text of the request.
func (k *check) body(r *Request) {
	k.where, k.param = "body", ""
	text, root := r.Body, &r.Plan.Body
	switch {
	case text == nil && (root.Inner == nil || len(r.Operation.In.Form) > 0):
		return
	case text == nil:
		text = []byte("{}")
	case root.Inner == nil && string(text) != "{}":
		k.report(UnknownField, "the operation documents no body")
	}
	k.Cursor = jsonwalk.Cursor{Text: text}
	if k.Peek() != '{' {
		k.report(WrongType, "it is not a JSON object")
		k.Skip()
	} else {
		k.object(root)
	}
	k.End()
	if k.Err != nil {
		k.place = k.place[:0]
		k.report(NotJSON, k.Err.Error())
	}
}
