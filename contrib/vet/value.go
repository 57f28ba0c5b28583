package vet

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"reflect"
	"strings"
)

const module = "github.com/wxpay-go/wxpay"

// kind is the JSON type of a value.
type kind uint8

const (
	unknown kind = iota
	text
	number
	boolean
	null
	object
	array
)

func (k kind) String() string {
	return [...]string{"unknown", "a string", "a number", "a boolean", "null", "an object", "an array"}[k]
}

// value is the part of a Go value that the source shows, in the terms of JSON.
type value struct {
	at       ast.Expr
	kind     kind
	constant constant.Value // nil if the source does not show it
	float    bool           // of a floating-point type
	moment   bool           // a time.Time
	layout   string         // of a text that the method Format of a time makes; empty if the source does not show it
	secret   bool           // a wxpay.Secret, or a text that is encrypted already
	fields   []field        // of an object
	elements []value        // of an array
	open     bool           // the object may have other fields, the array other elements
}

// field is one field of an object.
type field struct {
	name  string
	at    ast.Node
	value value
	maybe bool // it may be absent
}

func (v *value) field(named func(string) bool) *field {
	for i := range v.fields {
		if named(v.fields[i].name) {
			return &v.fields[i]
		}
	}
	return nil
}

// scope holds the values of the parameters of a helper whose call is read.
type scope map[types.Object]bound

type bound struct {
	expr  ast.Expr
	scope scope
}

// evaluator reads expressions of one package.
type evaluator struct {
	info      *types.Info
	variables map[types.Object]*variable
	functions map[types.Object]*ast.FuncDecl
	depth     int
}

// maxDepth bounds nested reads: helpers may call themselves, and types contain themselves.
const maxDepth = 12

// constantOf returns the constant of an expression, through variables that are set once.
func (e *evaluator) constantOf(expr ast.Expr, in scope) constant.Value {
	if c := e.info.Types[expr].Value; c != nil {
		return c
	}
	if source, inner := e.source(expr, in); source != nil {
		e.depth++
		defer func() { e.depth-- }()
		return e.constantOf(source, inner)
	}
	return nil
}

// textOf returns the text of a constant expression.
func (e *evaluator) textOf(expr ast.Expr, in scope) (string, bool) {
	c := e.constantOf(expr, in)
	if c == nil || c.Kind() != constant.String {
		return "", false
	}
	return constant.StringVal(c), true
}

// source returns the expression whose value a name has, nil if there may be several.
func (e *evaluator) source(expr ast.Expr, in scope) (ast.Expr, scope) {
	name, ok := ast.Unparen(expr).(*ast.Ident)
	if !ok || e.depth > maxDepth {
		return nil, nil
	}
	object := e.info.Uses[name]
	if b, ok := in[object]; ok {
		return b.expr, b.scope
	}
	v := e.variables[object]
	if v == nil || v.escapes || len(v.sources) != 1 || v.sources[0].kind != whole {
		return nil, nil
	}
	return v.sources[0].expr, in
}

// returned returns the expression that a function of the package returns, and the scope in which to
// read it. The function has one return statement, the last one.
func (e *evaluator) returned(call *ast.CallExpr, in scope) (ast.Expr, scope) {
	var name *ast.Ident
	switch fun := ast.Unparen(call.Fun).(type) {
	case *ast.Ident:
		name = fun
	case *ast.SelectorExpr:
		name = fun.Sel
	default:
		return nil, nil
	}
	decl := e.functions[e.info.Uses[name]]
	if decl == nil || decl.Body == nil || len(decl.Body.List) == 0 || e.depth > maxDepth {
		return nil, nil
	}
	returns := 0
	ast.Inspect(decl.Body, func(n ast.Node) bool {
		switch n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.ReturnStmt:
			returns++
		}
		return true
	})
	last, ok := decl.Body.List[len(decl.Body.List)-1].(*ast.ReturnStmt)
	if !ok || returns != 1 || len(last.Results) != 1 {
		return nil, nil
	}
	inner, i := scope{}, 0
	for _, parameter := range decl.Type.Params.List {
		if _, variadic := parameter.Type.(*ast.Ellipsis); variadic {
			break
		}
		for _, name := range parameter.Names {
			object := e.info.Defs[name]
			if v := e.variables[object]; i < len(call.Args) && (v == nil || len(v.sources) == 0 && !v.escapes) {
				inner[object] = bound{call.Args[i], in}
			}
			i++
		}
	}
	return last.Results[0], inner
}

// value reads an expression.
func (e *evaluator) value(expr ast.Expr, in scope) value {
	expr = ast.Unparen(expr)
	if e.depth > maxDepth {
		return value{at: expr}
	}
	e.depth++
	defer func() { e.depth-- }()
	t := e.info.TypeOf(expr)
	if c := e.info.Types[expr].Value; c != nil {
		v := e.shape(t, expr)
		v.constant = c
		return v
	}
	switch x := expr.(type) {
	case *ast.Ident:
		if x.Name == "nil" && e.info.Types[expr].IsNil() {
			return value{at: expr, kind: null}
		}
		return e.named(x, in)
	case *ast.UnaryExpr:
		if inner, ok := ast.Unparen(x.X).(*ast.CompositeLit); ok && x.Op == token.AND {
			return e.value(inner, in)
		}
	case *ast.CompositeLit:
		return e.literal(x, t, in)
	case *ast.CallExpr:
		if e.info.Types[x.Fun].IsType() && len(x.Args) == 1 { // a conversion
			v := e.shape(t, expr)
			if inner := e.value(x.Args[0], in); v.kind == inner.kind && v.kind == object {
				return inner
			} else if v.kind == text && inner.kind == text {
				v.constant = inner.constant
			}
			return v
		}
		if result, inner := e.returned(x, in); result != nil {
			return e.value(result, inner).standingAt(expr)
		}
		if f := e.callee(x); f != nil && f.FullName() == "(time.Time).Format" {
			v := e.shape(t, expr)
			v.layout, _ = e.textOf(x.Args[0], in)
			return v
		}
	}
	return e.shape(t, expr)
}

// callee returns the function or method that a call names, nil for another one.
func (e *evaluator) callee(expr *ast.CallExpr) *types.Func {
	selector, ok := ast.Unparen(expr.Fun).(*ast.SelectorExpr)
	if !ok {
		return nil
	}
	f, _ := e.info.Uses[selector.Sel].(*types.Func)
	return f
}

// named reads a variable.
func (e *evaluator) named(name *ast.Ident, in scope) value {
	object := e.info.Uses[name]
	shape := e.shape(e.info.TypeOf(name), name)
	source, inner := e.source(name, in)
	if source == nil {
		return shape
	}
	v := e.value(source, inner).standingAt(name)
	if shape.kind != unknown && v.kind != shape.kind && v.kind != null {
		return shape
	}
	written := e.variables[object]
	switch {
	case written == nil:
		return v
	case written.removes: // which keys are left is not followed
		return shape
	}
	if v.kind == null && len(written.writes) > 0 {
		return shape
	}
	v.fields = append([]field(nil), v.fields...)
	for _, w := range written.writes {
		key, ok := w.name, w.name != ""
		if w.key != nil {
			key, ok = e.textOf(w.key, in)
		} else if ok {
			key, ok = fieldName(e.info.TypeOf(name), w.name)
		}
		if !ok {
			v.open = true
			continue
		}
		if old := v.field(func(n string) bool { return n == key }); old != nil {
			old.value = value{at: w.value} // either
			continue
		}
		v.fields = append(v.fields, field{name: key, at: w.value, value: e.value(w.value, in), maybe: true})
	}
	if written.leaks {
		v.unclose(0)
	}
	return v
}

// standingAt returns the value of a name or of a helper: an object and an array stand where they are written, since
// what they lack is missing there, and anything else where it is used.
func (v value) standingAt(at ast.Expr) value {
	if v.kind != object && v.kind != array {
		v.at = at
	}
	return v
}

// unclose says of every object in a value that it may have other fields.
func (v *value) unclose(depth int) {
	if v.open = true; depth > maxDepth {
		return
	}
	v.fields, v.elements = append([]field(nil), v.fields...), append([]value(nil), v.elements...)
	for i := range v.fields {
		v.fields[i].value.unclose(depth + 1)
	}
	for i := range v.elements {
		v.elements[i].unclose(depth + 1)
	}
}

// literal reads a composite literal.
func (e *evaluator) literal(x *ast.CompositeLit, t types.Type, in scope) value {
	v := e.shape(t, x)
	if v.kind == unknown || v.moment || v.kind == text {
		return v
	}
	switch under := t.Underlying().(type) {
	case *types.Map:
		v.fields, v.open = nil, false
		for _, element := range x.Elts {
			pair := element.(*ast.KeyValueExpr)
			name, ok := e.textOf(pair.Key, in)
			if !ok {
				v.open = true
				continue
			}
			v.fields = append(v.fields, field{name: name, at: pair.Key, value: e.value(pair.Value, in)})
		}
	case *types.Slice, *types.Array:
		v.elements, v.open = nil, false
		for _, element := range x.Elts {
			if pair, ok := element.(*ast.KeyValueExpr); ok {
				element = pair.Value
			}
			v.elements = append(v.elements, e.value(element, in))
		}
	case *types.Struct:
		e.structLiteral(&v, x, under, in)
	}
	return v
}

// structLiteral puts the values of a literal into the shape of its type, and removes the fields that
// are left out when they are empty.
func (e *evaluator) structLiteral(v *value, x *ast.CompositeLit, t *types.Struct, in scope) {
	given := map[string]value{}
	for i, element := range x.Elts {
		f, expr := t.Field(i), element
		if pair, ok := element.(*ast.KeyValueExpr); ok {
			name, _ := pair.Key.(*ast.Ident)
			f, _ = e.info.Uses[name].(*types.Var)
			expr = pair.Value
		}
		if f == nil {
			continue
		}
		if f.Embedded() {
			return // the shape of the type is all that is known
		}
		if name, ok := fieldName(t, f.Name()); ok {
			given[name] = e.value(expr, in)
		}
	}
	kept := v.fields[:0:0]
	for _, f := range v.fields {
		is, ok := given[f.name]
		switch {
		case ok:
			if is.kind == f.value.kind || is.kind == null || f.value.kind == unknown {
				f.value = is
			}
			f.at, f.maybe = is.at, false
		case f.maybe && hasOwn(t, f.name):
			continue
		}
		kept = append(kept, f)
	}
	v.fields = kept
}

// hasOwn reports whether a field stands in a struct itself, not in an embedded one.
func hasOwn(t *types.Struct, name string) bool {
	for i := range t.NumFields() {
		if own, ok := fieldName(t, t.Field(i).Name()); ok && own == name && !t.Field(i).Embedded() {
			return true
		}
	}
	return false
}

// fieldName returns the name in JSON of a field of a struct.
func fieldName(t types.Type, goName string) (string, bool) {
	if pointer, ok := t.Underlying().(*types.Pointer); ok {
		t = pointer.Elem()
	}
	s, ok := t.Underlying().(*types.Struct)
	if !ok {
		return "", false
	}
	for i := range s.NumFields() {
		if f := s.Field(i); f.Name() == goName && f.Exported() {
			name, _, _ := tag(s.Tag(i), goName)
			return name, name != ""
		}
	}
	return "", false
}

// tag reads the json tag of a field; the name is empty for a field that is left out.
func tag(tags, goName string) (name string, omit, quoted bool) {
	whole, _ := reflect.StructTag(tags).Lookup("json")
	if whole == "-" {
		return "", false, false
	}
	name, options, _ := strings.Cut(whole, ",")
	if name == "" {
		name = goName
	}
	for option := range strings.SplitSeq(options, ",") {
		omit = omit || option == "omitempty" || option == "omitzero"
		quoted = quoted || option == "string"
	}
	return name, omit, quoted
}

// shape returns the part of a value that its type shows.
func (e *evaluator) shape(t types.Type, at ast.Expr) value { return shapeOf(t, at, 0) }

func shapeOf(t types.Type, at ast.Expr, depth int) value {
	v := value{at: at, open: true}
	if t == nil || depth > maxDepth {
		return v
	}
	if named := namedOf(t); named != "" {
		switch named {
		case "time.Time":
			v.kind, v.moment = text, true
			return v
		case "encoding/json.Number":
			v.kind = number
			return v
		case module + ".Secret":
			v.kind, v.secret = text, true
			return v
		}
		switch {
		case hasMethod(t, "MarshalJSON"):
			return v
		case hasMethod(t, "MarshalText"):
			v.kind = text
			return v
		}
	}
	switch under := t.Underlying().(type) {
	case *types.Basic:
		switch info := under.Info(); {
		case info&types.IsString != 0:
			v.kind = text
		case info&types.IsInteger != 0:
			v.kind = number
		case info&types.IsFloat != 0:
			v.kind, v.float = number, true
		case info&types.IsBoolean != 0:
			v.kind = boolean
		}
	case *types.Pointer:
		return shapeOf(under.Elem(), at, depth+1)
	case *types.Map:
		v.kind = object
	case *types.Slice:
		if basic, ok := under.Elem().Underlying().(*types.Basic); ok && basic.Kind() == types.Uint8 {
			v.kind = text
			return v
		}
		v.kind, v.elements = array, []value{shapeOf(under.Elem(), at, depth+1)}
	case *types.Array:
		v.kind, v.elements = array, []value{shapeOf(under.Elem(), at, depth+1)}
	case *types.Struct:
		v.kind, v.open = object, false
		v.addFields(under, at, depth, false)
	}
	return v
}

// addFields adds the fields of a struct and of those embedded in it.
func (v *value) addFields(s *types.Struct, at ast.Expr, depth int, maybe bool) {
	for i := range s.NumFields() {
		f := s.Field(i)
		tags := s.Tag(i)
		if _, tagged := reflect.StructTag(tags).Lookup("json"); f.Embedded() && !tagged {
			inner, pointer := f.Type(), false
			if p, ok := inner.Underlying().(*types.Pointer); ok {
				inner, pointer = p.Elem(), true
			}
			if embedded, ok := inner.Underlying().(*types.Struct); ok && depth < maxDepth && !hasMethod(inner, "MarshalJSON") {
				v.addFields(embedded, at, depth+1, maybe || pointer)
			} else {
				v.open = true
			}
			continue
		}
		name, omit, quoted := tag(tags, f.Name())
		if name == "" || !f.Exported() {
			continue
		}
		_, nilable := f.Type().Underlying().(*types.Pointer)
		inner := shapeOf(f.Type(), at, depth+1)
		if quoted && (inner.kind == number || inner.kind == boolean) {
			inner = value{at: at, kind: text, open: true}
		}
		v.fields = append(v.fields, field{name: name, at: at, value: inner, maybe: maybe || omit || nilable})
	}
}

// namedOf returns the package path and name of a type, empty for a type without a name.
func namedOf(t types.Type) string {
	if t == nil {
		return ""
	}
	if pointer, ok := types.Unalias(t).(*types.Pointer); ok {
		t = pointer.Elem()
	}
	named, ok := types.Unalias(t).(*types.Named)
	if !ok || named.Obj().Pkg() == nil {
		return ""
	}
	return named.Obj().Pkg().Path() + "." + named.Obj().Name()
}

func hasMethod(t types.Type, name string) bool {
	if _, pointer := t.Underlying().(*types.Pointer); !pointer && !types.IsInterface(t) {
		t = types.NewPointer(t)
	}
	found, _, _ := types.LookupFieldOrMethod(t, true, nil, name)
	_, ok := found.(*types.Func)
	return ok
}
