package vet

import (
	"go/ast"
	"go/types"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/tools/go/analysis"

	"github.com/wxpay-go/wxpay/fact"
)

// checkResponse checks the paths at which responses and notifications are read.
var checkResponse = newCheck("wxresponse", explanation{
	english: `check the paths at which responses and notifications are read

Get returns nothing at a path that does not exist, which looks like an empty
text. This check compares constant paths of Get, Fen, Int, Text, Bool, Time,
Need and Each, and the fields of Into and Decode, with the documented response
or event, and finds Fen on a text and Text on a number.`,
	chinese: `检查读取应答与通知的路径

路径不存在时 Get 什么也得不到，看起来就像空文本。本检查把 Get、Fen、Int、Text、
Bool、Time、Need、Each 的常量路径，以及 Into 与 Decode 的字段，与文档中的应答或
通知对照，并找出对文本用 Fen、对数字用 Text 的代码。`,
}, func(k *check) {
	events := k.eventsOf()
	k.each(func(expr *ast.CallExpr) {
		r := &reading{check: k, events: events}
		if into, ok := k.into(expr); ok {
			r.into(expr, into)
			return
		}
		selector, ok := ast.Unparen(expr.Fun).(*ast.SelectorExpr)
		if !ok || len(expr.Args) == 0 || !isRead[selector.Sel.Name] {
			return
		}
		if selector.Sel.Name == "Each" {
			if c := k.byExpr[expr]; c != nil && c.operation != nil && len(expr.Args) == 2 {
				if path, ok := k.textOf(expr.Args[1], nil); ok {
					r.path([]answer{answerOf(c.operation)}, path, expr.Args[1], "Each")
				}
			}
			return
		}
		if !isReadable(k.info.TypeOf(selector.X)) {
			return
		}
		answers := r.answers(selector.X, 0)
		if len(answers) == 0 {
			return
		}
		if selector.Sel.Name == "Decode" {
			r.decoded(expr, answers, k.info.TypeOf(expr.Args[0]))
			return
		}
		for _, arg := range expr.Args {
			if path, ok := k.textOf(arg, nil); ok {
				r.path(answers, path, arg, selector.Sel.Name)
			}
		}
	})
})

var isRead = map[string]bool{
	"Get": true, "Fen": true, "Int": true, "Text": true, "Bool": true, "Time": true, "Need": true, "Decode": true, "Each": true,
}

func isReadable(t types.Type) bool {
	switch namedOf(t) {
	case module + ".Response", module + "/webhook.Event", "github.com/tidwall/gjson.Result":
		return true
	}
	return false
}

// answer is what is documented of a value that is read.
type answer struct {
	of     string // the operation or event
	fields []fact.Field
}

func answerOf(o *fact.Operation) answer { return answer{o.Method + " " + o.Path, o.Out} }

// reading finds what is documented of the values of a package.
type reading struct {
	*check
	events map[types.Object][]*fact.Event
}

// answers returns what is documented of a value, nil if it may be another one.
func (r *reading) answers(expr ast.Expr, depth int) (found []answer) {
	if depth > maxDepth {
		return nil
	}
	expr = ast.Unparen(expr)
	switch namedOf(r.info.TypeOf(expr)) {
	case module + ".Response":
		return r.responses(expr, depth)
	case module + "/webhook.Event":
		if name, ok := expr.(*ast.Ident); ok {
			for _, e := range r.events[r.info.Uses[name]] {
				if e.Inferred || len(e.Resource) == 0 {
					return nil
				}
				found = append(found, answer{e.Type, e.Resource})
			}
		}
		return found
	}
	switch x := expr.(type) {
	case *ast.CallExpr: // res.Get("a").Get("b")
		selector, ok := ast.Unparen(x.Fun).(*ast.SelectorExpr)
		if !ok || selector.Sel.Name != "Get" || len(x.Args) != 1 {
			return nil
		}
		if path, ok := r.textOf(x.Args[0], nil); ok {
			return below(r.answers(selector.X, depth+1), path)
		}
	case *ast.Ident:
		v := r.variables[r.info.Uses[x]]
		if v == nil || v.escapes || len(v.sources) != 1 {
			return nil
		}
		s := v.sources[0]
		switch inner, ok := ast.Unparen(s.expr).(*ast.CallExpr); {
		case s.kind == whole:
			return r.answers(s.expr, depth+1)
		case s.kind == ranged && s.index == 0 && ok: // range chain.Each(ctx, path)
			c := r.byExpr[inner]
			if c == nil || c.verb != "Each" || c.operation == nil || c.operation.Inferred || len(inner.Args) != 2 {
				return nil
			}
			if path, ok := r.textOf(inner.Args[1], nil); ok {
				return below([]answer{answerOf(c.operation)}, path)
			}
		case s.kind == ranged && s.index == 1 && ok: // range res.Get(path).Array()
			if selector, ok := ast.Unparen(inner.Fun).(*ast.SelectorExpr); ok && selector.Sel.Name == "Array" {
				return r.answers(selector.X, depth+1)
			}
		}
	}
	return nil
}

func (r *reading) responses(expr ast.Expr, depth int) (found []answer) {
	if name, ok := expr.(*ast.Ident); ok {
		if v := r.variables[r.info.Uses[name]]; v != nil && len(v.sources) == 1 && v.sources[0].kind == ranged && v.sources[0].index == 0 {
			inner, _ := ast.Unparen(v.sources[0].expr).(*ast.CallExpr)
			if c := r.byExpr[inner]; c != nil && c.verb == "Pages" {
				return operations(c)
			}
			return nil
		}
	}
	return operations(r.callsOf(expr)...)
}

func operations(all ...*call) (found []answer) {
	for _, c := range all {
		if o := c.operation; o == nil || o.Inferred || len(o.Out) == 0 || len(o.Also) > 0 || o.Response != fact.JSONResponse {
			return nil
		}
		found = append(found, answerOf(c.operation))
	}
	return found
}

// plain is a gjson path of names and indexes alone.
var plain = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.([A-Za-z0-9_-]+|#))*$`)

// find returns the field at a path. known is false if the documentation cannot tell. A miss names
// the fields among which the name was looked for.
func find(documented []fact.Field, path string) (at *fact.Field, siblings []fact.Field, known bool) {
	if !plain.MatchString(path) {
		return nil, nil, false
	}
	for step := range strings.SplitSeq(path, ".") {
		if _, err := strconv.Atoi(step); step == "#" || err == nil {
			if at == nil || at.Type == at.Type.Element() {
				return nil, nil, false
			}
			continue
		}
		if len(documented) == 0 || at != nil && at.JSONText {
			return nil, nil, false
		}
		found := false
		for i := range documented {
			if documented[i].Named(step) {
				at, found = &documented[i], true
				break
			}
		}
		if !found {
			return nil, documented, true
		}
		documented = at.Fields
	}
	return at, nil, true
}

// below returns the responses below a path.
func below(answers []answer, path string) (found []answer) {
	for _, a := range answers {
		at, _, known := find(a.fields, path)
		if !known || at == nil || len(at.Fields) == 0 || at.JSONText {
			return nil
		}
		found = append(found, answer{a.of + " " + path, at.Fields})
	}
	return found
}

// path reports a path that none of the responses has.
func (r *reading) path(answers []answer, path string, at ast.Expr, method string) {
	near := ""
	for _, a := range answers {
		if len(a.fields) == 0 {
			return
		}
		field, siblings, known := find(a.fields, path)
		if !known {
			return
		}
		if field != nil {
			r.kind(a, field, path, at, method)
			return
		}
		last := path[strings.LastIndex(path, ".")+1:]
		if candidate := nearest(last, names(siblings)); candidate != "" {
			if whole := strings.TrimSuffix(path, last) + candidate; near == "" {
				if f, _, _ := find(a.fields, whole); f != nil {
					near = whole
				}
			}
		}
		if inner := deeper(a.fields, last); near == "" && inner != "" {
			near = inner
		}
	}
	text := answers[0].of + " documents no " + path
	if near == "" {
		r.hint(at, text)
		return
	}
	var fixes []analysis.SuggestedFix
	if isLiteral(at) {
		fixes = append(fixes, replace(at, "write "+near, strconv.Quote(near)))
	}
	r.hint(at, text+"; did you mean "+near+"?", fixes...)
}

func names(all []fact.Field) (names []string) {
	for i := range all {
		names = append(names, all[i].Name)
	}
	return names
}

// deeper returns the path of a field with this name inside of an object of the response.
func deeper(documented []fact.Field, name string) string {
	for i := range documented {
		d := &documented[i]
		if d.Type != fact.Object {
			continue
		}
		for j := range d.Fields {
			if d.Fields[j].Name == name {
				return d.Name + "." + name
			}
		}
	}
	return ""
}

// kind reports a method that cannot read the documented type.
func (r *reading) kind(a answer, d *fact.Field, path string, at ast.Expr, method string) {
	want := map[string][]fact.Type{
		"Fen": {fact.Integer, fact.Number}, "Int": {fact.Integer, fact.Number}, "Text": {fact.String}, "Time": {fact.String}, "Bool": {fact.Boolean},
	}[method]
	if want == nil || strings.Contains(path, "#") {
		return
	}
	is := d.Type
	if last := path[strings.LastIndex(path, ".")+1:]; last != d.Name {
		is = is.Element()
	}
	for _, t := range want {
		if t == is {
			return
		}
	}
	r.hint(at, path+" of "+a.of+" is documented as "+string(is)+", and "+method+" does not read that")
}

// into returns the type argument of wxpay.Into.
func (k *check) into(expr *ast.CallExpr) (types.Type, bool) {
	var name *ast.Ident
	fun := ast.Unparen(expr.Fun)
	if index, ok := fun.(*ast.IndexExpr); ok {
		fun = index.X
	}
	switch fun := fun.(type) {
	case *ast.SelectorExpr:
		name = fun.Sel
	case *ast.Ident:
		name = fun
	default:
		return nil, false
	}
	f, ok := k.info.Uses[name].(*types.Func)
	if !ok || f.Pkg() == nil || f.Pkg().Path() != module || f.Name() != "Into" {
		return nil, false
	}
	instance := k.info.Instances[name]
	if instance.TypeArgs == nil || instance.TypeArgs.Len() != 1 {
		return nil, false
	}
	return instance.TypeArgs.At(0), true
}

func (r *reading) into(expr *ast.CallExpr, t types.Type) {
	if len(expr.Args) != 1 {
		return
	}
	if inner, ok := ast.Unparen(expr.Args[0]).(*ast.CallExpr); ok {
		if c := r.byExpr[inner]; c != nil {
			r.decoded(expr, operations(c), t)
		}
	}
}

// decoded compares the fields of a struct with a response. A struct may serve several operations,
// so a field is reported only if its name has a near one in the response that the struct lacks.
func (r *reading) decoded(expr *ast.CallExpr, answers []answer, t types.Type) {
	if len(answers) != 1 || t == nil {
		return
	}
	v := r.shape(t, expr)
	if v.kind != object || v.open {
		return
	}
	r.structure(&v, answers[0].fields, answers[0].of, "", expr)
}

func (r *reading) structure(v *value, documented []fact.Field, of, place string, at ast.Node) {
	var free []string
	for i := range documented {
		if v.field(documented[i].Named) == nil {
			free = append(free, documented[i].Name)
		}
	}
	for i := range v.fields {
		f := &v.fields[i]
		given := f.name
		var d *fact.Field
		for j := range documented {
			if documented[j].Named(given) || strings.EqualFold(documented[j].Name, given) {
				d = &documented[j]
			}
		}
		path := join(place, given)
		switch {
		case d == nil:
			if near := nearest(given, free); near != "" {
				r.hint(at, of+" documents no "+path+"; did you mean "+join(place, near)+"?")
			}
		case f.value.kind == object && d.Type == fact.Object && len(d.Fields) > 0 && !f.value.open:
			r.structure(&f.value, d.Fields, of, path, at)
		case clashes(f.value.kind, d.Type):
			r.hint(at, path+" of "+of+" is documented as "+string(d.Type)+", and the struct takes "+f.value.kind.String())
		}
	}
}

// clashes reports whether encoding/json fails on a value of a documented type.
func clashes(k kind, t fact.Type) bool {
	switch k {
	case text:
		return t != fact.String
	case number:
		return t != fact.Integer && t != fact.Number
	case boolean:
		return t != fact.Boolean
	case object:
		return t != fact.Object
	case array:
		return t == t.Element()
	}
	return false
}
