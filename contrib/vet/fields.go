package vet

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/tools/go/analysis"

	"github.com/wxpay-go/wxpay/fact"
)

// fields compares values with documented fields, in a body or a query.
type fields struct {
	*check
	operation *fact.Operation
	part      string // "body" or "query"
}

// object compares the fields of an object with the documented ones. place is the dotted path of the
// object, empty for the whole body.
func (f *fields) object(v *value, documented []fact.Field, place string, at ast.Node) {
	var missing, doubtful []*fact.Field
	for i := range documented {
		d := &documented[i]
		given := v.field(d.Named)
		switch {
		case given != nil:
			f.value(&given.value, d, join(place, d.Name), f.place(&given.value, given.at))
		case !d.Required || v.open || f.caller(d, documented, place):
		case d.Sure() && !f.operation.Inferred:
			missing = append(missing, d)
		default:
			doubtful = append(doubtful, d)
		}
	}
	if len(missing) > 0 {
		f.certain(at, f.missing(missing, place), f.insertion(v, missing)...)
	}
	if len(doubtful) > 0 && f.settled(v) {
		f.hint(at, f.missing(doubtful, place), f.insertion(v, doubtful)...)
	}
	for i := range v.fields {
		f.unknown(&v.fields[i], documented, v, place)
	}
}

// settled reports whether an object is a literal, or a bare nil, so that a person left out what it lacks.
func (f *fields) settled(v *value) bool {
	switch v.at.(type) {
	case *ast.CompositeLit, *ast.BasicLit:
		return true
	}
	return v.kind == null
}

// place returns the node to report: the value if it stands in the source by itself, else what names it.
func (f *fields) place(v *value, at ast.Node) ast.Node {
	if v.at != nil {
		return v.at
	}
	return at
}

// caller reports whether the client may fill a field in (wxpay.WithDefaults), or a partner writes
// another one in its place.
func (f *fields) caller(d *fact.Field, siblings []fact.Field, place string) bool {
	if place != "" || slices.Contains(f.operation.NotCaller, d.Name) {
		return false
	}
	return slices.Contains([]string{"mchid", "sp_mchid", "appid", "sp_appid"}, d.Name)
}

func (f *fields) missing(missing []*fact.Field, place string) string {
	names := make([]string, len(missing))
	for i, d := range missing {
		names[i] = named(d)
	}
	where := f.part
	if place != "" {
		where = place
	}
	noun := "fields"
	if len(missing) == 1 {
		noun = "field"
	}
	return fmt.Sprintf("%s of %s %s lacks the required %s %s", where, f.operation.Method, f.operation.Path, noun, strings.Join(names, ", "))
}

// named returns the name of a field with its label.
func named(d *fact.Field) string {
	if d.Label == "" {
		return d.Name
	}
	return d.Name + " (" + d.Label + ")"
}

// insertion is the fix that writes missing fields into the literal of a map.
func (f *fields) insertion(v *value, missing []*fact.Field) []analysis.SuggestedFix {
	literal, ok := v.at.(*ast.CompositeLit)
	if !ok || f.part != "body" {
		return nil
	}
	if _, isMap := literal.Type.(*ast.SelectorExpr); !isMap { // wxpay.JSON; a nil would not fit another map
		return nil
	}
	lines := f.pass.Fset.Position(literal.Lbrace).Line != f.pass.Fset.Position(literal.Rbrace).Line
	var text strings.Builder
	for i, d := range missing {
		switch {
		case lines:
			fmt.Fprintf(&text, "\t%q: %s, // %s\n", d.Name, zero(d), comment(d))
		default:
			if i > 0 || len(literal.Elts) > 0 {
				text.WriteString(", ")
			}
			fmt.Fprintf(&text, "%q: %s /* %s */", d.Name, zero(d), comment(d))
		}
	}
	return []analysis.SuggestedFix{insert(literal.Rbrace, "add the missing fields", text.String())}
}

// zero is a value of the documented type, to be replaced.
func zero(d *fact.Field) string {
	switch d.Type {
	case fact.Integer, fact.Number:
		return "0"
	case fact.Boolean:
		return "false"
	case fact.Object:
		return "wxpay.JSON{}"
	case fact.String:
		if len(d.Enum) == 1 {
			return strconv.Quote(fmt.Sprint(d.Enum[0]))
		}
		return `""`
	}
	return "[]any{}"
}

func comment(d *fact.Field) string {
	text := d.Label
	if d.Unit != "" {
		text = strings.TrimSpace(text + " (" + string(d.Unit) + ")")
	}
	if text == "" {
		return string(d.Type)
	}
	return text
}

// unknown reports a field that the documentation does not have.
func (f *fields) unknown(given *field, documented []fact.Field, v *value, place string) {
	var free []string
	for i := range documented {
		if documented[i].Named(given.name) {
			return
		}
		if v.field(documented[i].Named) == nil {
			free = append(free, documented[i].Name)
		}
	}
	if f.operation.Inferred {
		return
	}
	at := given.at
	text := "the " + f.part + " of " + f.operation.Method + " " + f.operation.Path + " has no documented field " + join(place, given.name)
	near := nearest(given.name, free)
	if near == "" {
		f.hint(at, text)
		return
	}
	var fixes []analysis.SuggestedFix
	if isLiteral(at) {
		fixes = append(fixes, replace(at, "write "+near, strconv.Quote(near)))
	}
	f.hint(at, text+"; did you mean "+near+"?", fixes...)
}

// value compares one value with its documented field.
func (f *fields) value(v *value, d *fact.Field, place string, at ast.Node) {
	f.typed(v, d, d.Type, place, at)
}

func (f *fields) typed(v *value, d *fact.Field, want fact.Type, place string, at ast.Node) {
	if v.kind == unknown || v.kind == null {
		return
	}
	if want != want.Element() {
		if v.kind != array {
			f.mismatch(v, want, place, at)
			return
		}
		for i := range v.elements {
			f.typed(&v.elements[i], d, want.Element(), place, f.place(&v.elements[i], at))
		}
		return
	}
	switch want {
	case fact.String:
		if v.kind != text {
			f.mismatch(v, want, place, at)
			return
		}
		f.text(v, d, place, at)
	case fact.Integer, fact.Number:
		if v.kind != number {
			f.mismatch(v, want, place, at)
			return
		}
		f.number(v, d, want, place, at)
	case fact.Boolean:
		if v.kind != boolean {
			f.mismatch(v, want, place, at)
		}
	case fact.Object:
		if v.kind != object {
			f.mismatch(v, want, place, at)
			return
		}
		if len(d.Fields) > 0 {
			f.object(v, d.Fields, place, at)
		}
	}
}

func (f *fields) mismatch(v *value, want fact.Type, place string, at ast.Node) {
	if f.part == "query" {
		return // every type is written as a text there
	}
	message := place + " is " + v.kind.String() + " and documented as " + string(want)
	var fixes []analysis.SuggestedFix
	if literal, ok := at.(*ast.BasicLit); ok {
		if _, err := strconv.ParseInt(strings.Trim(literal.Value, "\"`"), 10, 64); err == nil {
			switch {
			case literal.Kind == token.INT && want == fact.String:
				fixes = append(fixes, replace(at, "quote it", strconv.Quote(literal.Value)))
			case literal.Kind == token.STRING && (want == fact.Integer || want == fact.Number):
				fixes = append(fixes, replace(at, "leave the quotes out", strings.Trim(literal.Value, "\"`")))
			}
		}
	}
	if f.operation.Inferred {
		f.hint(at, message, fixes...)
		return
	}
	f.certain(at, message, fixes...)
}

func (f *fields) number(v *value, d *fact.Field, want fact.Type, place string, at ast.Node) {
	whole := want == fact.Integer || d.Unit == fact.Fen || d.Unit == fact.Minor
	if v.constant == nil {
		if v.float && whole {
			f.hint(at, place+" is documented as "+string(want)+unit(d)+": a floating-point number may have a fraction, and rounds; use int64")
		}
		return
	}
	is, _ := constant.Float64Val(constant.ToFloat(v.constant))
	switch {
	case whole && is != math.Trunc(is):
		f.certain(at, place+" is documented as "+string(want)+unit(d)+", and has a fraction")
		return
	case d.Min != 0 && is < float64(d.Min), d.Max != 0 && is > float64(d.Max):
		f.hint(at, place+" is documented as "+bounds(d)+unit(d))
	}
	f.constant(d, place, at, func(c any) bool {
		switch c := c.(type) {
		case int64:
			return float64(c) == is
		case float64:
			return c == is
		}
		return false
	}, "")
}

func unit(d *fact.Field) string {
	if d.Unit == "" {
		return ""
	}
	return " (" + string(d.Unit) + ")"
}

func bounds(d *fact.Field) string {
	switch {
	case d.Max == 0:
		return fmt.Sprintf("at least %d", d.Min)
	case d.Min == 0:
		return fmt.Sprintf("at most %d", d.Max)
	}
	return fmt.Sprintf("%d to %d", d.Min, d.Max)
}

// formats has the layouts of the documented forms of a text that means a time.
var formats = map[string]struct{ layout, sample, use string }{
	"rfc3339": {time.RFC3339, "2018-06-08T10:34:56+08:00", "time.RFC3339"},
	"date":    {time.DateOnly, "2018-06-08", "time.DateOnly"},
}

// time reports a text that has another form than the documented one: the platform rejects it.
func (f *fields) time(v *value, d *fact.Field, place string, at ast.Node) {
	form, ok := formats[d.Format]
	is := ""
	switch {
	case !ok:
		return
	case v.layout != "":
		is = time.Date(2018, 6, 8, 10, 34, 56, 0, time.FixedZone("", 8*3600)).Format(v.layout)
	case v.constant != nil && v.constant.Kind() == constant.String:
		is = constant.StringVal(v.constant)
	}
	if is == "" {
		return
	}
	if _, err := time.Parse(form.layout, is); err != nil {
		f.hint(at, place+" is documented in the form "+form.sample+", and is written like "+strconv.Quote(is)+": use "+form.use)
	}
}

func (f *fields) text(v *value, d *fact.Field, place string, at ast.Node) {
	if !v.secret && d.Cipher == fact.Plain {
		f.time(v, d, place, at)
	}
	if v.constant == nil || v.constant.Kind() != constant.String || d.JSONText || v.secret {
		return
	}
	is := constant.StringVal(v.constant)
	if strings.ContainsFunc(is, func(r rune) bool { return r > 0xffff }) {
		f.certain(at, place+" has a character that the platform rejects: leave emoji out")
	}
	if length := int64(len([]rune(is))); is != "" && d.Cipher == fact.Plain && (d.Max != 0 && length > d.Max || length < d.Min) {
		f.hint(at, fmt.Sprintf("%s has %d characters; %s are documented", place, length, bounds(d)))
	}
	f.constant(d, place, at, func(c any) bool { return c == is }, is)
}

// constant compares a constant with the documented ones.
func (f *fields) constant(d *fact.Field, place string, at ast.Node, same func(any) bool, is string) {
	if len(d.Enum) == 0 || slices.ContainsFunc(d.Enum, same) {
		return
	}
	all := make([]string, len(d.Enum))
	for i, c := range d.Enum {
		all[i] = fmt.Sprint(c)
	}
	var fixes []analysis.SuggestedFix
	text := place + " is none of the documented constants "
	shown := strings.Join(all[:min(8, len(all))], ", ")
	if len(all) > 8 {
		shown += " …"
	}
	text += shown
	if near := nearest(is, all); is != "" && near != "" {
		text += "; did you mean " + near + "?"
		if isLiteral(at) {
			fixes = append(fixes, replace(at, "write "+near, strconv.Quote(near)))
		}
	}
	if d.Reviewed && !f.operation.Inferred {
		f.certain(at, text, fixes...)
		return
	}
	f.hint(at, text, fixes...)
}

func join(place, name string) string {
	if place == "" {
		return name
	}
	return place + "." + name
}
