package vet

import (
	"go/ast"
	"go/constant"
	"go/token"
	"slices"
	"strconv"

	"golang.org/x/tools/go/analysis"

	"github.com/wxpay-go/wxpay/fact"
)

// checkState checks the constants with which states are compared.
var checkState = newCheck("wxstate", explanation{
	english: `check the constants with which states are compared

A branch on a state with a typo never runs. This check compares the constants
with which the fields of responses and notifications are compared, in == and in
switch, with the documented ones. It reports only a constant with a near
documented one: the lists may be out of date.`,
	chinese: `检查与状态比较的常量

状态拼错的分支永远不会执行。本检查把 == 与 switch 中与应答、通知字段比较的常量，
与文档中的取值对照。只有文档里有相近的取值时才报告：文档的列表可能过时。`,
}, func(k *check) {
	r := &reading{check: k, events: k.eventsOf()}
	for _, file := range k.pass.Files {
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BinaryExpr:
				if n.Op == token.EQL || n.Op == token.NEQ {
					r.state(n.X, n.Y)
					r.state(n.Y, n.X)
				}
			case *ast.SwitchStmt:
				if n.Tag == nil {
					return true
				}
				for _, clause := range n.Body.List {
					for _, is := range clause.(*ast.CaseClause).List {
						r.state(n.Tag, is)
					}
				}
			}
			return true
		})
	}
})

// state reports a constant that is none of those that a field has.
func (r *reading) state(expr, is ast.Expr) {
	value := r.info.Types[is].Value
	if value == nil || value.Kind() != constant.String || constant.StringVal(value) == "" {
		return
	}
	name := constant.StringVal(value)
	path, documented := r.stated(expr)
	var all []string
	for _, d := range documented {
		if len(d.Enum) == 0 {
			return
		}
		for _, c := range d.Enum {
			if text, ok := c.(string); ok {
				all = append(all, text)
			}
		}
	}
	near := nearest(name, all)
	if near == "" || slices.Contains(all, name) {
		return
	}
	var fixes []analysis.SuggestedFix
	if isLiteral(is) {
		fixes = append(fixes, replace(is, "write "+near, strconv.Quote(near)))
	}
	r.hint(is, path+" is never documented to be "+name+"; did you mean "+near+"?", fixes...)
}

// stated returns the path and the documented fields of a text that is read from a response or an event.
func (r *reading) stated(expr ast.Expr) (path string, found []*fact.Field) {
	if source, _ := r.source(expr, nil); source != nil {
		expr = source
	}
	text, ok := ast.Unparen(expr).(*ast.CallExpr)
	if !ok {
		return "", nil
	}
	selector, ok := ast.Unparen(text.Fun).(*ast.SelectorExpr)
	if !ok || selector.Sel.Name != "String" {
		return "", nil
	}
	get, ok := ast.Unparen(selector.X).(*ast.CallExpr)
	if !ok || len(get.Args) != 1 {
		return "", nil
	}
	of, ok := ast.Unparen(get.Fun).(*ast.SelectorExpr)
	if !ok || of.Sel.Name != "Get" || !isReadable(r.info.TypeOf(of.X)) {
		return "", nil
	}
	if path, ok = r.textOf(get.Args[0], nil); !ok {
		return "", nil
	}
	for _, a := range r.answers(of.X, 0) {
		d, _, known := find(a.fields, path)
		if !known || d == nil || d.Type != fact.String {
			return "", nil
		}
		found = append(found, d)
	}
	return path, found
}
