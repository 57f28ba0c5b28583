package vet

import (
	"go/ast"
	"go/types"
	"maps"
	"reflect"
	"strings"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/api"
)

// chain is the part of a wxpay.Chain that the source shows. Paths and names are read by the library
// itself, so both agree.
type chain struct {
	known   bool // path is the template
	path    string
	mistake error    // the library refuses this chain
	at      ast.Expr // the argument with the path, or the mistake

	filled    map[string]ast.Expr // placeholders with a value
	anyFilled bool                // others may have one, too
	query     []field
	anyQuery  bool
	headers   map[string]bool // nil if others may be set, too
	encrypted []string        // pointers
	marked    bool            // Encrypt or Plain with a pointer that the source does not show
	client    ast.Expr
	pure      reflect.Value // the node of package api at which the chain stands
}

// noClient is the client of the chains that are built here. It makes no call.
var noClient *wxpay.Client

// chain reads an expression of type wxpay.Chain, wxpay.Client or of a node of package api.
func (e *evaluator) chain(expr ast.Expr, in scope) chain {
	expr = ast.Unparen(expr)
	none := chain{anyFilled: true, anyQuery: true}
	if e.depth > maxDepth {
		return none
	}
	e.depth++
	defer func() { e.depth-- }()
	if isClient(e.info.TypeOf(expr)) {
		return chain{known: true, client: expr, filled: map[string]ast.Expr{}, headers: map[string]bool{}}
	}
	switch x := expr.(type) {
	case *ast.Ident:
		return e.chainVariable(x, in)
	case *ast.CallExpr:
		if e.info.Types[x.Fun].IsType() && len(x.Args) == 1 {
			return e.chain(x.Args[0], in)
		}
		if result, inner := e.returned(x, in); result != nil {
			return e.chain(result, inner)
		}
		if c, ok := e.pureStep(x, in); ok {
			return c
		}
		if selector, ok := ast.Unparen(x.Fun).(*ast.SelectorExpr); ok && isChainOrClient(e.info.TypeOf(selector.X)) {
			return e.step(e.chain(selector.X, in), selector.Sel.Name, x, in)
		}
	}
	return none
}

// chainVariable reads a variable that holds a chain. One that is set again by its own steps, as in
// q = q.Query(…), keeps its path.
func (e *evaluator) chainVariable(name *ast.Ident, in scope) chain {
	if source, inner := e.source(name, in); source != nil {
		return e.chain(source, inner)
	}
	v := e.variables[e.info.Uses[name]]
	none := chain{anyFilled: true, anyQuery: true}
	if v == nil || v.escapes || len(v.sources) == 0 || v.sources[0].kind != whole {
		return none
	}
	for _, s := range v.sources[1:] {
		for next := s.expr; ; {
			call, ok := ast.Unparen(next).(*ast.CallExpr)
			if s.kind != whole || !ok {
				return none
			}
			selector, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
			if !ok || selector.Sel.Name == "Chain" || selector.Sel.Name == "At" || !isChainOrClient(e.info.TypeOf(selector.X)) {
				return none
			}
			if root, ok := ast.Unparen(selector.X).(*ast.Ident); ok && e.info.Uses[root] == e.info.Uses[name] {
				break
			}
			next = selector.X
		}
	}
	c := e.chain(v.sources[0].expr, in)
	c.anyFilled, c.anyQuery, c.headers, c.marked = true, true, nil, true
	return c
}

// step reads one method of a chain.
func (e *evaluator) step(c chain, method string, call *ast.CallExpr, in scope) chain {
	args := call.Args
	c.filled, c.headers = maps.Clone(c.filled), maps.Clone(c.headers)
	c.query = c.query[:len(c.query):len(c.query)]
	arg := func(i int) (string, bool) {
		if i >= len(args) {
			return "", false
		}
		return e.textOf(args[i], in)
	}
	switch method {
	case "Chain":
		path, ok := arg(0)
		if !ok {
			return chain{anyFilled: true, anyQuery: true, client: c.client}
		}
		c.at = args[0]
		c.extend(path, args[1:], call.Ellipsis.IsValid())
	case "At":
		names := make([]string, len(args))
		for i := range args {
			name, ok := arg(i)
			if !ok || call.Ellipsis.IsValid() {
				return chain{anyFilled: true, anyQuery: true, client: c.client}
			}
			names[i] = name
		}
		if len(args) > 0 {
			c.at = args[0]
		}
		c.follow(c.start().At(names...))
	case "Var", "RawVar":
		if name, ok := arg(0); ok && c.filled != nil {
			c.filled[name] = args[0]
		} else {
			c.anyFilled = true
		}
	case "Vars":
		v := e.value(args[0], in)
		c.anyFilled = c.anyFilled || v.open || v.kind != object
		for _, f := range v.fields {
			if c.filled != nil {
				c.filled[f.name] = nil
			}
		}
	case "Query":
		if name, ok := arg(0); ok && len(args) == 2 {
			c.query = append(c.query, field{name: name, at: args[0], value: e.value(args[1], in)})
		} else {
			c.anyQuery = true
		}
	case "Queries":
		v := e.value(args[0], in)
		if _, structure := e.info.TypeOf(args[0]).Underlying().(*types.Map); !structure || v.open {
			c.anyQuery = true // a struct names its fields by the tag url, too
		} else {
			c.query = append(c.query, v.fields...)
		}
	case "Header":
		if name, ok := arg(0); ok && c.headers != nil {
			c.headers[strings.ToLower(name)] = true
		} else {
			c.headers = nil
		}
	case "Encrypt", "Plain":
		if pointer, ok := arg(0); ok {
			c.encrypted = append(c.encrypted[:len(c.encrypted):len(c.encrypted)], pointer)
		} else {
			c.marked = true
		}
	}
	return c
}

func (c *chain) start() wxpay.Chain {
	var start wxpay.Chain
	if c.path != "" {
		start = noClient.Chain(c.path)
	}
	return start
}

// extend appends a path with the values of its placeholders.
func (c *chain) extend(path string, values []ast.Expr, spread bool) {
	filler := make([]any, len(values))
	for i := range filler {
		filler[i] = "1"
	}
	if spread {
		filler, c.anyFilled = nil, true
	}
	c.follow(c.start().Chain(path, filler...))
	if i := 0; c.mistake == nil && len(filler) > 0 && c.filled != nil {
		for _, name := range placeholders(path) {
			c.filled[name] = values[i]
			i++
		}
	}
}

func (c *chain) follow(next wxpay.Chain) {
	if !c.known || c.mistake != nil {
		return
	}
	if c.mistake = next.Err(); c.mistake != nil {
		return
	}
	c.path = next.String()
}

// placeholders returns the names in a template, in their order.
func placeholders(path string) (names []string) {
	for segment := range strings.SplitSeq(path, "/") {
		if strings.HasPrefix(segment, "{") && strings.HasSuffix(segment, "}") {
			names = append(names, segment[1:len(segment)-1])
		}
	}
	return names
}

// doors are the functions with which a chain of package api begins.
var doors = map[string]any{
	"V3": api.V3, "HK": api.HK, "Global": api.Global, "Invoicing": api.Invoicing, "Brand": api.Brand,
}

// pureStep reads a call of package api, by making it.
func (e *evaluator) pureStep(call *ast.CallExpr, in scope) (chain, bool) {
	selector, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !ok {
		return chain{}, false
	}
	function, _ := e.info.Uses[selector.Sel].(*types.Func)
	if function == nil || function.Pkg() == nil || function.Pkg().Path() != module+"/api" {
		return chain{}, false
	}
	if door := doors[function.Name()]; door != nil && function.Signature().Recv() == nil && len(call.Args) == 1 {
		node := reflect.ValueOf(door).Call([]reflect.Value{reflect.ValueOf(noClient)})[0]
		return chain{client: call.Args[0], pure: node, anyFilled: true, headers: map[string]bool{}, filled: map[string]ast.Expr{}}, true
	}
	c := e.chain(selector.X, in)
	if !c.pure.IsValid() {
		return chain{anyFilled: true, anyQuery: true}, true
	}
	name := selector.Sel.Name
	if isStep[name] {
		return e.step(c, name, call, in), true
	}
	if name == "Chain" {
		c.pure = reflect.Value{}
		return c, true
	}
	method := c.pure.MethodByName(name)
	if !method.IsValid() || method.Type().NumOut() != 1 || method.Type().NumIn() > len(call.Args) {
		return chain{anyFilled: true, anyQuery: true}, true
	}
	values := make([]reflect.Value, method.Type().NumIn())
	for i := range values {
		t := method.Type().In(i)
		if values[i] = reflect.Zero(t); t.Kind() == reflect.String {
			values[i] = reflect.ValueOf("1").Convert(t)
		}
	}
	node := method.Call(values)[0]
	c.pure, c.anyFilled = node, true
	if text, ok := node.Interface().(interface{ Chain() wxpay.Chain }); ok {
		c.known, c.path, c.at = true, text.Chain().String(), call
	} else if node.CanConvert(reflect.TypeFor[wxpay.Chain]()) {
		c.known, c.path, c.at = true, node.Convert(reflect.TypeFor[wxpay.Chain]()).Interface().(wxpay.Chain).String(), call
	}
	return c, true
}

// isStep has the methods of a node that leave its path as it is.
var isStep = map[string]bool{
	"Query": true, "Queries": true, "Header": true, "Timeout": true, "AttemptTimeout": true, "Encrypt": true, "Plain": true,
	"Idempotent": true, "Unbind": true, "UntilFinal": true, "Stepwise": true, "OnUnknown": true, "SentBefore": true, "Paging": true,
}

func isClient(t types.Type) bool { return t != nil && (namedOf(t) == module+".Client" || embeds(t)) }

// embeds reports whether a struct has its Chain method from an embedded wxpay.Client.
func embeds(t types.Type) bool {
	if namedOf(t) == module+".Chain" {
		return false
	}
	found, _, _ := types.LookupFieldOrMethod(t, true, nil, "Chain")
	f, ok := found.(*types.Func)
	return ok && f.Pkg() != nil && f.Pkg().Path() == module && f.Signature().Recv() != nil &&
		namedOf(f.Signature().Recv().Type()) == module+".Client"
}

func isChainOrClient(t types.Type) bool { return isClient(t) || namedOf(t) == module+".Chain" }

// isNode reports whether a type is one of package api.
func isNode(t types.Type) bool { return strings.HasPrefix(namedOf(t), module+"/api.") }
