package vet

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// checkOutcome finds errors of operations that move money and that nobody looks at.
var checkOutcome = newCheck("wxoutcome", explanation{
	english: `find unknown outcomes that are taken for failures

A refund or a transfer whose connection breaks may have taken effect. Its error
is then ErrOutcomeUnknown, not a failure: a program that marks it as failed and
makes another refund pays twice. This check finds an error of an operation that
moves money that is dropped, or only compared with nil. Ask
wxpay.OutcomeOf(err), return the error, or call Ensure, which finds the truth.`,
	chinese: `找出被当作失败的未知结果

退款或转账时连接中断，请求可能已经生效。此时的错误是 ErrOutcomeUnknown，不是失败：
若把退款标为失败并重新发起一笔，就会付两次钱。本检查找出动用资金的调用中被丢弃、或只与 nil
比较的错误。请用 wxpay.OutcomeOf(err) 判断、返回该错误，或改用 Ensure 查明结果。`,
}, func(k *check) {
	k.statements(func(n ast.Node, expr *ast.CallExpr) {
		c := k.byExpr[expr]
		if c == nil || c.operation == nil || !c.operation.MovesMoney || !sends[c.verb] || isTest(k.pass, expr) {
			return
		}
		const remedy = "; ask wxpay.OutcomeOf(err) before you do it again"
		switch n := n.(type) {
		case *ast.ExprStmt:
			k.certain(expr, "the error of "+c.operation.Path+" is dropped: the money may have moved, or not"+remedy)
		case *ast.AssignStmt:
			if len(n.Lhs) != 2 {
				return
			}
			name, ok := n.Lhs[1].(*ast.Ident)
			switch {
			case ok && name.Name == "_":
				k.certain(expr, "the error of "+c.operation.Path+" is dropped: the money may have moved, or not"+remedy)
			case ok && k.onlyNil(name, n):
				k.hint(expr, "the error of "+c.operation.Path+" is only compared with nil: it may say that the outcome is unknown"+remedy)
			}
		}
	})
})

// sends are the verbs that send and return an error.
var sends = map[string]bool{"Post": true, "Put": true, "Patch": true, "Delete": true, "Do": true}

// statements calls f with every statement that is nothing but a call, or assigns the results of one.
func (k *check) statements(f func(ast.Node, *ast.CallExpr)) {
	for _, file := range k.pass.Files {
		ast.Inspect(file, func(n ast.Node) bool {
			var expr ast.Expr
			switch n := n.(type) {
			case *ast.ExprStmt:
				expr = n.X
			case *ast.AssignStmt:
				if len(n.Rhs) != 1 {
					return true
				}
				expr = n.Rhs[0]
			default:
				return true
			}
			if call, ok := ast.Unparen(expr).(*ast.CallExpr); ok {
				f(n, call)
			}
			return true
		})
	}
}

// onlyNil reports whether an error is compared with nil, or logged, and never used otherwise.
func (k *check) onlyNil(name *ast.Ident, assignment *ast.AssignStmt) bool {
	object := k.info.ObjectOf(name)
	v := k.variables[object]
	if v == nil || v.escapes || object.Parent() == nil || isResult(object, k.pass.Files) {
		return false
	}
	compared := false
	for _, u := range v.uses {
		if slices.Contains(assignment.Lhs, ast.Expr(u.name)) { // this assignment
			continue
		}
		switch k.readsError(u) {
		case comparison:
			compared = true
		case assigned, logged:
		default:
			return false
		}
	}
	return compared
}

type errorUse uint8

const (
	elsewhere errorUse = iota
	comparison
	assigned
	logged
)

func (k *check) readsError(u use) errorUse {
	parent := u.parents[len(u.parents)-1]
	switch parent := parent.(type) {
	case *ast.BinaryExpr:
		if (parent.Op == token.NEQ || parent.Op == token.EQL) && (k.info.Types[parent.X].IsNil() || k.info.Types[parent.Y].IsNil()) {
			return comparison
		}
	case *ast.AssignStmt:
		if slices.Contains(parent.Lhs, ast.Expr(u.name)) {
			return assigned
		}
	case *ast.CallExpr:
		if len(u.parents) > 1 {
			if _, statement := u.parents[len(u.parents)-2].(*ast.ExprStmt); statement && k.isLog(parent) {
				return logged
			}
		}
	}
	return elsewhere
}

// isLog reports whether a call writes to a log that goes on: package log or log/slog, or a logger of these. A person may
// read what fmt prints.
func (k *check) isLog(expr *ast.CallExpr) bool {
	selector, ok := ast.Unparen(expr.Fun).(*ast.SelectorExpr)
	if !ok {
		return false
	}
	f, ok := k.info.Uses[selector.Sel].(*types.Func)
	if !ok || f.Pkg() == nil {
		return false
	}
	path := f.Pkg().Path()
	return path == "log/slog" || path == "log" && strings.HasPrefix(f.Name(), "Print")
}

// isResult reports whether a variable is a named result, which a bare return returns.
func isResult(object types.Object, files []*ast.File) (found bool) {
	for _, file := range files {
		if object.Pos() < file.FileStart || object.Pos() > file.FileEnd {
			continue
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if t, ok := n.(*ast.FuncType); ok && t.Results != nil && t.Results.Pos() <= object.Pos() && object.Pos() < t.Results.End() {
				found = true
			}
			return !found
		})
	}
	return found
}
