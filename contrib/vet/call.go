package vet

import (
	"go/ast"
	"go/types"
	"reflect"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/passes/inspect"
	"golang.org/x/tools/go/ast/inspector"

	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/fact"
)

// page explains every check.
const page = "https://github.com/wxpay-go/wxpay/blob/main/docs/vet.md"

// call is one call that the source ends with a verb.
type call struct {
	expr      *ast.CallExpr
	verb      string // Post, Ensure, …
	method    string // empty if the source does not show it
	chain     chain
	body      ast.Expr // nil without one
	operation *fact.Operation
}

// calls is the calls of a package and what is needed to read it.
type calls struct {
	*evaluator
	all    []*call
	byExpr map[*ast.CallExpr]*call
}

// readCalls finds the calls of a package. Every check needs it, and it runs once.
var readCalls = &analysis.Analyzer{
	Name: "wxcalls", Doc: "reads the calls to WeChat Pay of a package", URL: page,
	Requires:   []*analysis.Analyzer{inspect.Analyzer},
	ResultType: reflect.TypeFor[*calls](),
	Run: func(pass *analysis.Pass) (any, error) {
		in := pass.ResultOf[inspect.Analyzer].(*inspector.Inspector)
		found := &calls{
			evaluator: &evaluator{info: pass.TypesInfo, functions: map[types.Object]*ast.FuncDecl{}},
			byExpr:    map[*ast.CallExpr]*call{},
		}
		if !concerned(pass.Pkg) {
			return found, nil
		}
		in.Preorder([]ast.Node{(*ast.FuncDecl)(nil)}, func(n ast.Node) {
			decl := n.(*ast.FuncDecl)
			found.functions[pass.TypesInfo.Defs[decl.Name]] = decl
		})
		found.variables = variablesOf(in, pass.TypesInfo, found.onlyReads)
		in.Preorder([]ast.Node{(*ast.CallExpr)(nil)}, func(n ast.Node) {
			if c := found.read(n.(*ast.CallExpr)); c != nil {
				found.all = append(found.all, c)
				found.byExpr[c.expr] = c
			}
		})
		return found, nil
	},
}

// concerned reports whether a package uses the module.
func concerned(p *types.Package) bool {
	for _, imported := range p.Imports() {
		if imported.Path() == module || strings.HasPrefix(imported.Path(), module+"/") {
			return true
		}
	}
	return false
}

// verbs has the method of each verb, and the place of the body among its arguments, 0 without one.
var verbs = map[string]struct {
	method string
	body   int
}{
	"Get": {"GET", 0}, "GetAsync": {"GET", 0}, "Each": {"GET", 0}, "Pages": {"GET", 0},
	"Download": {"GET", 0}, "Bill": {"GET", 0}, "BillTo": {"GET", 0},
	"Delete": {"DELETE", 1}, "DeleteAsync": {"DELETE", 1},
	"Post": {"POST", 1}, "PostAsync": {"POST", 1}, "Ensure": {"POST", 1},
	"Put": {"PUT", 1}, "PutAsync": {"PUT", 1}, "Patch": {"PATCH", 1}, "PatchAsync": {"PATCH", 1},
	"Do": {"", 2}, "DoAsync": {"", 2}, "Check": {"", 2}, "Request": {"", 2},
	"Upload": {"POST", 0}, "UploadAsync": {"POST", 0},
}

// read reads one call, nil if it is none to WeChat Pay.
func (s *calls) read(expr *ast.CallExpr) *call {
	selector, ok := ast.Unparen(expr.Fun).(*ast.SelectorExpr)
	if !ok {
		return nil
	}
	verb, known := verbs[selector.Sel.Name]
	receiver := s.info.TypeOf(selector.X)
	if !known || !isNode(receiver) && namedOf(receiver) != module+".Chain" {
		return nil
	}
	if !s.isVerb(selector) {
		return nil
	}
	c := &call{expr: expr, verb: selector.Sel.Name, method: verb.method, chain: s.chain(selector.X, nil)}
	if verb.body > 0 && verb.body < len(expr.Args) {
		c.body = expr.Args[verb.body]
	}
	if verb.method == "" && len(expr.Args) > 1 {
		c.method, _ = s.textOf(expr.Args[1], nil)
	}
	if c.method != "" && c.chain.known && c.chain.mistake == nil {
		c.operation, _ = facts().Lookup(c.method, c.chain.path)
	}
	return c
}

// isVerb tells the verb of a node from a segment with the same name: a verb takes a context first.
func (s *calls) isVerb(selector *ast.SelectorExpr) bool {
	f, ok := s.info.Uses[selector.Sel].(*types.Func)
	return ok && f.Signature().Params().Len() > 0 && namedOf(f.Signature().Params().At(0).Type()) == "context.Context"
}

// onlyReads reports whether a call leaves its receiver and arguments as they are.
func (s *calls) onlyReads(expr *ast.CallExpr) bool {
	switch fun := ast.Unparen(expr.Fun).(type) {
	case *ast.Ident:
		return fun.Name == "len"
	case *ast.SelectorExpr:
		f, ok := s.info.Uses[fun.Sel].(*types.Func)
		if !ok || f.Pkg() == nil {
			return false
		}
		path := f.Pkg().Path()
		return path == module || strings.HasPrefix(path, module+"/") || path == "fmt" || path == "log" || path == "log/slog" ||
			path == "encoding/json" && strings.HasPrefix(f.Name(), "Marshal")
	}
	return false
}

// facts is the catalogue, with labels.
func facts() *catalog.Catalog { return catalog.V3().Described() }

// callsOf returns the calls whose result an expression holds, nil if it may hold another one.
func (s *calls) callsOf(expr ast.Expr) (found []*call) {
	switch x := ast.Unparen(expr).(type) {
	case *ast.CallExpr:
		if c := s.byExpr[x]; c != nil {
			return []*call{c}
		}
	case *ast.Ident:
		v := s.variables[s.info.Uses[x]]
		if v == nil || v.escapes {
			return nil
		}
		for _, source := range v.sources {
			if source.kind == other && source.expr == nil { // var res *wxpay.Response
				continue
			}
			inner, ok := ast.Unparen(source.expr).(*ast.CallExpr)
			if !ok || s.byExpr[inner] == nil || source.kind == ranged {
				return nil
			}
			found = append(found, s.byExpr[inner])
		}
	}
	return found
}

// isTest reports whether a file is a test.
func isTest(pass *analysis.Pass, n ast.Node) bool {
	return strings.HasSuffix(pass.Fset.Position(n.Pos()).Filename, "_test.go")
}
