package middleware

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/jsonwalk"
	"github.com/wxpay-go/wxpay/internal/redact"
)

// Dump writes every call to w as a person reads it, at its end and with one Write: the request in
// the form of a curl command, the attempts before the last one, and the response. Use it while building,
// with WithMiddleware; WithLogger is for production.
//
// The catalogue decides what is shown, by an allow-list. It has documented numbers, booleans, times
// and constants, and states and types in the form of a constant. It has the merchant's and the
// platform's numbers of objects, mchid and appid, and the code and message of an API error. Of every
// other value the dump has the length: of encrypted fields, openids, names, keys, addresses, free text, and of
// everything that is not documented. A signature is cut to 8 characters, so the curl command shows
// the request and cannot send it. The content of an upload or a stream is not shown.
//
// A failed Write is ignored.
func Dump(w io.Writer) Middleware {
	return func(next http.RoundTripper) http.RoundTripper {
		return RoundTripFunc(func(req *http.Request) (*http.Response, error) {
			begin := time.Now()
			res, err := next.RoundTrip(req)
			d := dump{call: CallFrom(req.Context()), op: new(fact.Operation)}
			if d.call == nil {
				d.call = &Call{Method: req.Method}
			}
			if d.call.Operation != nil {
				d.op = d.call.Operation
			}
			d.numbers = numbersOf(d.op)
			d.request(req)
			for _, a := range d.call.History[:max(0, len(d.call.History)-1)] { // the last one is what follows
				d.line("- attempt: %s, status %d %s, %s", redact.Printable(a.Host), a.Status, redact.Printable(a.Code), a.Outcome)
			}
			d.response(req, res, err, time.Since(begin))
			_, _ = w.Write(d.out.Bytes())
			return res, err
		})
	}
}

// dump is the text of one call.
type dump struct {
	out     bytes.Buffer
	call    *Call
	op      *fact.Operation // an empty one for an unknown operation
	numbers map[string]bool // names of fields with the number of an object
}

func (d *dump) line(format string, args ...any) { fmt.Fprintf(&d.out, format+"\n", args...) }

func (d *dump) request(req *http.Request) {
	const next = " \\\n>   "
	fmt.Fprintf(&d.out, "> curl -X %s '%s'", req.Method, unquoted(d.address(req.URL)))
	for _, name := range slices.Sorted(maps.Keys(req.Header)) {
		fmt.Fprintf(&d.out, next+"-H '%s: %s'", unquoted(redact.Printable(name)), unquoted(headerText(name, req.Header[name])))
	}
	switch body := d.call.signed; {
	case d.call.streaming != nil:
		fmt.Fprintf(&d.out, next+"--data-binary '(%d bytes, of which these are signed)'\n>   ", req.ContentLength)
		d.json(">   ", body, meta(d.op.In.Form), d.shown)
	case len(body) > 0:
		d.out.WriteString(next + "--data '")
		d.json(">   ", body, d.op.In.JSON, d.shown)
		d.out.WriteByte('\'')
	}
	d.out.WriteByte('\n')
}

// unquoted takes the quotes out of a text that stands between quotes.
func unquoted(text string) string { return strings.ReplaceAll(text, "'", "") }

// meta returns the fields of the signed part of a form.
func meta(form []fact.Field) []fact.Field {
	if f := find(&fact.Field{Fields: form}, "meta"); f != nil {
		return f.Fields
	}
	return nil
}

func (d *dump) response(req *http.Request, res *http.Response, err error, took time.Duration) {
	o := observation(req, res, err, took)
	verified := "not verified"
	if o.Verified {
		verified = "verified"
	}
	took = took.Round(time.Millisecond)
	if err != nil {
		d.line("< no usable response after %s (%s; status %d, request id %q): %s", took, kind(err), o.Status, o.RequestID, o.Outcome)
		if why := reason(err); why != "" {
			d.line("< %s", why)
		}
		return
	}
	d.line("< %d after %s, %s, request id %q: %s", o.Status, took, verified, o.RequestID, o.Outcome)
	if _, whole := res.Body.(*Body); !whole {
		d.line("< (a stream)")
		return
	}
	raw, _, err := ReadBody(res)
	if err != nil || len(raw) == 0 {
		return
	}
	d.out.WriteString("< ")
	if o.Status < 300 {
		d.json("< ", raw, d.op.Out, d.shown)
	} else {
		d.json("< ", raw, errorFields, func(field *fact.Field, _ string) bool { return field != nil && field.Fields == nil })
	}
	d.out.WriteByte('\n')
}

// errorFields are the fields of an API error whose text is shown. Those of detail that repeat a
// value of the request are not among them.
var errorFields = []fact.Field{
	{Name: "code"}, {Name: "message"}, {Name: "detail", Fields: []fact.Field{{Name: "field"}, {Name: "location"}}},
}

// address is the address with the values that may be shown.
func (d *dump) address(u *url.URL) string {
	path := "/…"
	if got, want := strings.Split(u.EscapedPath(), "/"), strings.Split(d.call.Template, "/"); len(got) == len(want) {
		for i := range got {
			if name, ok := fact.Placeholder(want[i]); !ok || d.public(name, got[i]) {
				want[i] = got[i]
			}
		}
		path = strings.Join(want, "/")
	}
	address, before := u.Scheme+"://"+u.Host+path, "?"
	for pair := range strings.SplitSeq(u.RawQuery, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		if key, err := url.QueryUnescape(name); err != nil || !d.shownQuery(key, value) {
			value = hidden(value)
		}
		address, before = address+before+redact.Printable(name)+"="+value, "&"
	}
	return address
}

func (d *dump) shownQuery(name, value string) bool {
	text, err := url.QueryUnescape(value)
	if err != nil {
		return false
	}
	for i, f := range d.op.In.Query {
		if f.Named(name) {
			return d.shown(&d.op.In.Query[i], text) || isNumber(text) && numeric(&d.op.In.Query[i])
		}
	}
	return false
}

// headerText is the value of a header that may be shown: of an Authorization without its signature,
// of others if they hold nothing of the caller.
func headerText(name string, values []string) string {
	value := strings.Join(values, ", ")
	switch name {
	case "Authorization":
		before, signature, found := strings.Cut(value, `signature="`)
		signature, after, ended := strings.Cut(signature, `"`)
		if !found || !ended || len(signature) < 16 {
			return hidden(value)
		}
		return redact.OneLine(before) + `signature="` + redact.Printable(signature[:8]) + fmt.Sprintf(`…(%d characters)"`, len(signature)) + redact.OneLine(after)
	case "Accept", "Accept-Language", "Content-Type", "User-Agent", "Wechatpay-Serial":
		return redact.OneLine(value)
	}
	return hidden(value)
}

// shows decides on the text of a field, which is nil if it is not documented.
type shows func(field *fact.Field, text string) bool

// json writes a body, a field to a line.
func (d *dump) json(mark string, body []byte, fields []fact.Field, shown shows) {
	if !jsonwalk.Valid(body) {
		fmt.Fprintf(&d.out, "(%d bytes that are not JSON)", len(body))
		return
	}
	d.value(&jsonwalk.Cursor{Text: body}, mark, &fact.Field{Fields: fields}, shown)
}

// value writes the value at the cursor, which is that of field; nil if it is not documented.
func (d *dump) value(c *jsonwalk.Cursor, mark string, field *fact.Field, shown shows) {
	inner := "\n" + mark + strings.Repeat("  ", c.Depth+1)
	outer := "\n" + mark + strings.Repeat("  ", c.Depth)
	switch c.Peek() {
	case '{':
		d.list(c, '{', '}', inner, outer, func() {
			key := string(c.Name().Key())
			d.out.WriteString(strconv.Quote(unquoted(redact.Printable(key))) + ": ")
			d.value(c, mark, find(field, key), shown)
		})
	case '[':
		d.list(c, '[', ']', inner, outer, func() { d.value(c, mark, field, shown) })
	case '"':
		text, _ := c.Quoted().Unquote()
		if shown(field, string(text)) {
			d.out.WriteString(strconv.Quote(redact.OneLine(string(text))))
		} else {
			d.out.WriteString(hidden(string(text)))
		}
	default:
		text := string(c.Scalar())
		if isNumber(text) && !numeric(field) {
			text = "…(number)"
		}
		d.out.WriteString(text)
	}
}

// list writes the elements of an object or array.
func (d *dump) list(c *jsonwalk.Cursor, begin, end byte, inner, outer string, element func()) {
	d.out.WriteByte(begin)
	n := 0
	for more := c.Enter(end); more; more = c.More(end) {
		if n++; n > 1 {
			d.out.WriteByte(',')
		}
		d.out.WriteString(inner)
		element()
	}
	if n > 0 {
		d.out.WriteString(outer)
	}
	d.out.WriteByte(end)
}

func find(parent *fact.Field, name string) *fact.Field {
	if parent != nil {
		for i := range parent.Fields {
			if f := &parent.Fields[i]; f.Named(name) {
				return f
			}
		}
	}
	return nil
}

// shown reports whether the dump may have the text of a field.
func (d *dump) shown(field *fact.Field, text string) bool {
	if field == nil || field.Cipher != fact.Plain || text == "" {
		return text == ""
	}
	if slices.Contains(field.Enum, any(text)) {
		return true
	}
	if field.Format == "rfc3339" {
		_, err := time.Parse(time.RFC3339, text)
		return err == nil
	}
	if strings.HasSuffix(field.Name, "currency") {
		return len(text) == 3 && strings.Trim(text, capitals) == ""
	}
	if isStateName(field.Name) && isConstant(text) {
		return true
	}
	return d.public(field.Name, text)
}

const (
	digits   = "0123456789"
	capitals = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
)

// isStateName reports whether a field tells how a thing is, and by its name nothing of a person. The
// documentation of many of them lists no constants, and a listed one may be older than the platform.
func isStateName(name string) bool {
	for _, kind := range []string{"state", "status", "type", "fail_reason", "close_reason"} {
		if before, ok := strings.CutSuffix(name, kind); ok && (before == "" || strings.HasSuffix(before, "_")) {
			return true
		}
	}
	return false
}

// isConstant reports whether a text has the form of the platform's constants: capital letters, _ and
// a few digits. No openid, phone or account number has. A name in capitals would, but stands in no
// field of a state.
func isConstant(text string) bool {
	few := 0
	for _, c := range text {
		if strings.ContainsRune(digits, c) {
			few++
		}
	}
	return len(text) >= 2 && len(text) <= 64 && few <= 4 &&
		strings.Trim(text[:1], capitals) == "" && strings.Trim(text, capitals+digits+"_") == ""
}

// public reports whether a field is the number of an object, a merchant or an app, and its text
// looks like one.
func (d *dump) public(name, text string) bool {
	const letters = capitals + "abcdefghijklmnopqrstuvwxyz"
	only := func(characters string) bool { return len(text) <= 64 && strings.Trim(text, characters) == "" }
	switch {
	case name == "mchid" || strings.HasSuffix(name, "_mchid"):
		return only(digits)
	case name == "appid" || strings.HasSuffix(name, "_appid"):
		return only(digits+letters) && strings.HasPrefix(text, "wx")
	}
	return d.numbers[name] && only(digits+letters+"_-|*@")
}

// numbersOf returns the names of the fields that identify the objects of an operation: its number,
// and what its response repeats. A user is no object.
func numbersOf(op *fact.Operation) map[string]bool {
	names := make(map[string]bool)
	add := func(place string) {
		if name, ok := fact.Placeholder(place); ok {
			place = name
		} else if name, ok := fact.QueryField(place); ok {
			place = name
		}
		name := place[strings.LastIndexByte(place, '.')+1:]
		if !strings.Contains(name, "openid") && !strings.Contains(name, "user") {
			names[name] = true
		}
	}
	add(op.Number.Field)
	for _, c := range op.Bind {
		add(c.To)
		add(c.From)
	}
	return names
}

func hidden(text string) string {
	return fmt.Sprintf("…(%d characters)", utf8.RuneCountInString(text))
}

// numeric reports whether a field is documented as a number. A number in any other field may be a
// telephone's.
func numeric(field *fact.Field) bool {
	if field == nil || field.Cipher != fact.Plain {
		return false
	}
	switch field.Type {
	case fact.Integer, fact.Number, fact.Integers, fact.Numbers:
		return true
	}
	return false
}

func isNumber(text string) bool {
	return text != "" && (text[0] == '-' || text[0] >= '0' && text[0] <= '9') && jsonwalk.Valid([]byte(text))
}
