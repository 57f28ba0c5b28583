package vet

import "go/ast"

// checkVerdict finds verdicts of Ensure that nobody looks at.
var checkVerdict = newCheck("wxverdict", explanation{
	english: `find verdicts of Ensure that are ignored

Ensure returns without an error as soon as the truth is known, and the truth
may be that the refund failed, that a part of it did, or that it waits for you.
Only Verdict.State says so.`,
	chinese: `找出被忽略的 Ensure 结论

Ensure 查明结果后就不返回错误，而结果可能是：退款失败、部分成功，或等待商户处理。
只有 Verdict.State 会说明。`,
}, func(k *check) {
	k.statements(func(n ast.Node, expr *ast.CallExpr) {
		c := k.byExpr[expr]
		if c == nil || c.verb != "Ensure" || c.operation == nil || c.operation.Link == nil || isTest(k.pass, expr) {
			return
		}
		const text = "the verdict is ignored: without an error the operation may still have failed; look at Verdict.State"
		switch n := n.(type) {
		case *ast.ExprStmt:
			k.certain(expr, text)
		case *ast.AssignStmt:
			if name, ok := n.Lhs[0].(*ast.Ident); ok && name.Name == "_" {
				k.certain(expr, text)
			}
		}
	})
})
