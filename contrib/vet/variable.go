package vet

import (
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"
)

// variable is what a package does with one variable.
type variable struct {
	sources []source
	writes  []write
	uses    []use
	escapes bool // its address is taken: anything may set it
	leaks   bool // a map or a pointer: others hold it, too, and may write to it
	removes bool // a map that loses keys
}

// sourceKind says which part of an expression a variable gets.
type sourceKind uint8

const (
	whole  sourceKind = iota // the value itself
	result                   // one of several results
	ranged                   // an element of a range
	other                    // none of these
)

// source is one place that sets a variable.
type source struct {
	kind  sourceKind
	expr  ast.Expr
	index int // of the result, or 0 for the key and 1 for the value of a range
}

// write sets one field of a variable: v[key] = value, or v.name = value.
type write struct {
	key   ast.Expr
	name  string
	value ast.Expr
}

// use is one place that reads a variable.
type use struct {
	name    *ast.Ident
	parents []ast.Node // the nodes around it, the outermost first
}

// variablesOf finds the variables of a package. harmless reports whether a call only reads its
// arguments.
func variablesOf(in *inspector.Inspector, info *types.Info, harmless func(*ast.CallExpr) bool) map[types.Object]*variable {
	found := map[types.Object]*variable{}
	of := func(name *ast.Ident) *variable {
		object := info.ObjectOf(name)
		v, ok := object.(*types.Var)
		if !ok || v.IsField() {
			return nil
		}
		if found[object] == nil {
			found[object] = new(variable)
		}
		return found[object]
	}
	set := func(target ast.Expr, s source) {
		switch target := ast.Unparen(target).(type) {
		case *ast.Ident:
			if v := of(target); v != nil {
				v.sources = append(v.sources, s)
			}
		case *ast.IndexExpr:
			if name, ok := ast.Unparen(target.X).(*ast.Ident); ok {
				if v := of(name); v != nil {
					v.writes = append(v.writes, write{key: target.Index, value: s.expr})
				}
			}
		case *ast.SelectorExpr:
			if name, ok := ast.Unparen(target.X).(*ast.Ident); ok {
				if v := of(name); v != nil {
					v.writes = append(v.writes, write{name: target.Sel.Name, value: s.expr})
				}
			} else if root := rootOf(target); root != nil { // v.A.B = …
				if v := of(root); v != nil {
					v.leaks = true
				}
			}
		}
	}
	in.WithStack(nil, func(n ast.Node, push bool, stack []ast.Node) bool {
		if !push {
			return true
		}
		switch n := n.(type) {
		case *ast.AssignStmt:
			for i, target := range n.Lhs {
				switch {
				case n.Tok != token.ASSIGN && n.Tok != token.DEFINE:
					set(target, source{kind: other, expr: n.Rhs[0]})
				case len(n.Lhs) == len(n.Rhs):
					set(target, source{expr: n.Rhs[i]})
				default:
					set(target, source{kind: result, expr: n.Rhs[0], index: i})
				}
			}
		case *ast.ValueSpec:
			for i, name := range n.Names {
				switch {
				case len(n.Values) == len(n.Names):
					set(name, source{expr: n.Values[i]})
				case len(n.Values) == 1:
					set(name, source{kind: result, expr: n.Values[0], index: i})
				default:
					set(name, source{kind: other})
				}
			}
		case *ast.RangeStmt:
			for i, target := range []ast.Expr{n.Key, n.Value} {
				if target != nil {
					set(target, source{kind: ranged, expr: n.X, index: i})
				}
			}
		case *ast.IncDecStmt:
			set(n.X, source{kind: other, expr: n.X})
		case *ast.Ident:
			if _, reads := info.Uses[n].(*types.Var); reads {
				if v := of(n); v != nil {
					v.use(n, stack, harmless)
				}
			}
		}
		return true
	})
	return found
}

// rootOf returns the name at the beginning of a selector or index, nil if there is none.
func rootOf(expr ast.Expr) *ast.Ident {
	for {
		switch x := ast.Unparen(expr).(type) {
		case *ast.Ident:
			return x
		case *ast.SelectorExpr:
			expr = x.X
		case *ast.IndexExpr:
			expr = x.X
		case *ast.StarExpr:
			expr = x.X
		default:
			return nil
		}
	}
}

// use notes one place that names the variable.
func (v *variable) use(name *ast.Ident, stack []ast.Node, harmless func(*ast.CallExpr) bool) {
	parents := append([]ast.Node(nil), stack[:len(stack)-1]...)
	v.uses = append(v.uses, use{name, parents})
	var child ast.Node = name
	for i := len(parents) - 1; i >= 0; i-- {
		switch parent := parents[i].(type) {
		case *ast.ParenExpr:
			child = parent
			continue
		case *ast.UnaryExpr:
			v.escapes = v.escapes || parent.Op == token.AND
		case *ast.SelectorExpr:
			if parent.X == child && i > 0 {
				if call, ok := parents[i-1].(*ast.CallExpr); ok && call.Fun == parent && !harmless(call) {
					v.leaks = true // a method may write to it
				}
				if address, ok := parents[i-1].(*ast.UnaryExpr); ok && address.Op == token.AND {
					v.leaks = true
				}
			}
		case *ast.IndexExpr:
			if parent.X == child && i > 0 {
				if _, deeper := parents[i-1].(*ast.IndexExpr); deeper {
					v.leaks = true // v["a"]["b"] = …
				}
				if _, asserted := parents[i-1].(*ast.TypeAssertExpr); asserted {
					v.leaks = true
				}
			}
		case *ast.CallExpr:
			if !harmless(parent) {
				v.leaks = true
			}
			if builtin, ok := parent.Fun.(*ast.Ident); ok && (builtin.Name == "delete" || builtin.Name == "clear") {
				v.removes = true
			}
		case *ast.AssignStmt:
			for _, target := range parent.Rhs {
				if target == child {
					v.leaks = true // another name for it
				}
			}
		case *ast.KeyValueExpr, *ast.CompositeLit, *ast.ReturnStmt, *ast.SendStmt, *ast.ValueSpec:
			v.leaks = v.leaks || !reads(parent)
		}
		return
	}
}

// reads reports whether a node around a variable only reads it: a literal or a return.
func reads(n ast.Node) bool {
	switch n.(type) {
	case *ast.KeyValueExpr, *ast.CompositeLit, *ast.ReturnStmt:
		return true
	}
	return false
}
