package vet

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"github.com/wxpay-go/wxpay/fact"
)

// checkRetry finds loops that give each attempt another number.
var checkRetry = newCheck("wxretry", explanation{
	english: `find retries under another number

The merchant's own number (out_refund_no, out_bill_no) makes two requests one.
A loop that repeats a call until it succeeds and makes another number for each
attempt pays once for each attempt that took effect without a response. Make
the number before the loop, and store it before the first call.`,
	chinese: `找出换单号的重试

商户单号（out_refund_no、out_bill_no）使多次请求成为同一笔。重试循环若每次都生成新单号，
那么每个已生效却没收到应答的请求都会付一次钱。请在循环之前生成单号，并在首次请求前保存。`,
}, func(k *check) {
	for _, file := range k.pass.Files {
		ast.Inspect(file, func(n ast.Node) bool {
			if body := retryLoop(n, k.info); body != nil {
				k.retry(body)
			}
			return true
		})
	}
})

// retryLoop returns the body of a loop that counts attempts, nil for one over things.
func retryLoop(n ast.Node, info *types.Info) *ast.BlockStmt {
	switch loop := n.(type) {
	case *ast.ForStmt:
		return loop.Body
	case *ast.RangeStmt:
		if basic, ok := info.TypeOf(loop.X).Underlying().(*types.Basic); ok && basic.Info()&types.IsInteger != 0 {
			return loop.Body
		}
	}
	return nil
}

func (k *check) retry(body *ast.BlockStmt) {
	for _, c := range k.all {
		if c.expr.Pos() < body.Pos() || c.expr.End() > body.End() || c.operation == nil || c.body == nil || isTest(k.pass, c.expr) {
			continue
		}
		name := c.operation.Number.Field
		_, placeholder := fact.Placeholder(name)
		if name == "" || placeholder || strings.Contains(name, ".") || !k.untilSuccess(body, c.expr) {
			continue
		}
		v := k.value(c.body, nil)
		given := v.field(func(n string) bool { return n == name })
		if given == nil || given.value.at == nil {
			continue
		}
		expr := given.value.at
		if source, _ := k.source(expr, nil); source != nil {
			expr = source
		}
		if expr.Pos() < body.Pos() || expr.End() > body.End() || !k.isNew(expr) {
			continue
		}
		k.certain(given.value.at, name+" is another one for each attempt: "+c.operation.Path+
			" takes effect once for each number; make it before the loop")
	}
}

// untilSuccess reports whether a loop ends when the call in it succeeds: its error is compared with nil, and the
// success leaves the loop.
func (k *check) untilSuccess(body *ast.BlockStmt, expr *ast.CallExpr) (found bool) {
	var failed types.Object
	for _, statement := range body.List {
		conditional, ok := statement.(*ast.IfStmt)
		if assignment, set := statement.(*ast.AssignStmt); set && len(assignment.Rhs) == 1 && ast.Unparen(assignment.Rhs[0]) == expr {
			failed = k.errorOf(assignment)
			continue
		}
		if ok && failed == nil {
			if assignment, set := conditional.Init.(*ast.AssignStmt); set && len(assignment.Rhs) == 1 && ast.Unparen(assignment.Rhs[0]) == expr {
				failed = k.errorOf(assignment)
			}
		}
		switch {
		case failed == nil:
			continue
		case ok && k.compares(conditional.Cond, failed, token.EQL) && leaves(conditional.Body):
			return true
		case ok && k.compares(conditional.Cond, failed, token.NEQ) && conditional.Else == nil && !leaves(conditional.Body) && leaves(body):
			return true // if err != nil { …; continue }; return nil
		}
	}
	return false
}

func (k *check) errorOf(assignment *ast.AssignStmt) types.Object {
	if name, ok := assignment.Lhs[len(assignment.Lhs)-1].(*ast.Ident); ok {
		return k.info.ObjectOf(name)
	}
	return nil
}

func (k *check) compares(condition ast.Expr, object types.Object, op token.Token) bool {
	binary, ok := ast.Unparen(condition).(*ast.BinaryExpr)
	if !ok || binary.Op != op {
		return false
	}
	name, ok := binary.X.(*ast.Ident)
	return ok && k.info.Uses[name] == object && k.info.Types[binary.Y].IsNil()
}

// leaves reports whether a block ends by leaving the loop.
func leaves(block *ast.BlockStmt) bool {
	if len(block.List) == 0 {
		return false
	}
	switch last := block.List[len(block.List)-1].(type) {
	case *ast.ReturnStmt:
		return true
	case *ast.BranchStmt:
		return last.Tok == token.BREAK || last.Tok == token.GOTO
	}
	return false
}

// isNew reports whether an expression has another value each time: it calls a clock, a source of chance, or a maker
// of identifiers.
func (k *check) isNew(expr ast.Expr) (found bool) {
	ast.Inspect(expr, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		var name *ast.Ident
		switch fun := ast.Unparen(call.Fun).(type) {
		case *ast.Ident:
			name = fun
		case *ast.SelectorExpr:
			name = fun.Sel
		default:
			return true
		}
		f, ok := k.info.Uses[name].(*types.Func)
		if !ok || f.Pkg() == nil {
			return true
		}
		switch path := f.Pkg().Path(); {
		case path == "time" && f.Name() == "Now", path == "math/rand", path == "math/rand/v2", path == "crypto/rand",
			strings.HasSuffix(path, "/uuid"), strings.HasSuffix(path, "/xid"), strings.HasSuffix(path, "/ulid"):
			found = true
		}
		if decl := k.functions[f]; decl != nil && decl.Body != nil && k.depth < maxDepth {
			k.depth++
			for _, statement := range decl.Body.List {
				if returned, ok := statement.(*ast.ReturnStmt); ok {
					for _, inner := range returned.Results {
						found = found || k.isNew(inner)
					}
				}
			}
			k.depth--
		}
		return !found
	})
	return found
}
