package vet

import (
	"go/ast"
	"go/token"
	"go/types"
	"strconv"
	"strings"

	"golang.org/x/tools/go/analysis"

	"github.com/wxpay-go/wxpay/fact"
)

// checkConcat finds values inside of the text of a path.
var checkConcat = newCheck("wxconcat", explanation{
	english: `find values inside of the text of a path

A number that comes from outside may hold a slash or a question mark. In the
text of a path it then leads to another operation, for instance to close in
place of a query. A value in a placeholder stays one segment.`,
	chinese: `找出拼接到路径里的值

来自外部的单号可能含有斜杠或问号。拼进路径后会指向另一个接口，例如把查询变成关单。
作为路径参数传入的值永远只是一个路径段。`,
}, func(k *check) {
	k.each(func(expr *ast.CallExpr) {
		selector, ok := ast.Unparen(expr.Fun).(*ast.SelectorExpr)
		if !ok || selector.Sel.Name != "Chain" && selector.Sel.Name != "At" || !isChainOrClient(k.info.TypeOf(selector.X)) {
			return
		}
		for i, arg := range expr.Args {
			if i > 0 && selector.Sel.Name == "Chain" { // the values
				return
			}
			if parts, ok := k.parts(arg); ok {
				k.concat(expr, arg, selector.Sel.Name, parts, i == 0 && len(expr.Args) == 1)
			}
		}
	})
})

// part is a piece of a text: a constant, or an expression.
type part struct {
	text string
	expr ast.Expr
}

// parts divides a path that is put together of constants and other expressions.
func (k *check) parts(arg ast.Expr) (found []part, mixed bool) {
	arg = ast.Unparen(arg)
	if k.info.Types[arg].Value != nil {
		return nil, false
	}
	switch x := arg.(type) {
	case *ast.BinaryExpr:
		if x.Op != token.ADD {
			return nil, false
		}
		for _, side := range []ast.Expr{x.X, x.Y} {
			if text, ok := k.textOf(side, nil); ok {
				found = append(found, part{text: text})
			} else if inner, ok := k.parts(side); ok {
				found = append(found, inner...)
			} else {
				found = append(found, part{expr: side})
			}
		}
	case *ast.CallExpr:
		selector, ok := ast.Unparen(x.Fun).(*ast.SelectorExpr)
		if !ok || len(x.Args) < 2 {
			return nil, false
		}
		f, ok := k.info.Uses[selector.Sel].(*types.Func)
		if !ok || f.FullName() != "fmt.Sprintf" {
			return nil, false
		}
		format, ok := k.textOf(x.Args[0], nil)
		if !ok {
			return nil, false
		}
		pieces := strings.FieldsFunc(strings.NewReplacer("%s", "\x00%\x00", "%v", "\x00%\x00", "%d", "\x00%\x00").Replace(format),
			func(r rune) bool { return r == 0 })
		next := 1
		for _, piece := range pieces {
			switch {
			case piece != "%":
				found = append(found, part{text: piece})
			case next < len(x.Args):
				found = append(found, part{expr: x.Args[next]})
				next++
			}
		}
	default:
		return nil, false
	}
	for _, p := range found {
		mixed = mixed || strings.Contains(p.text, "/")
	}
	return found, mixed
}

func (k *check) concat(expr *ast.CallExpr, arg ast.Expr, method string, parts []part, alone bool) {
	text := "a value is put into the text of a path: a slash in it leads to another operation; use a placeholder"
	concrete, segments := "", true
	var values []string
	for i, p := range parts {
		if p.expr == nil {
			concrete += p.text
			continue
		}
		segments = segments && strings.HasSuffix(concrete, "/") &&
			(i == len(parts)-1 || strings.HasPrefix(parts[i+1].text, "/") || strings.HasPrefix(parts[i+1].text, "?"))
		concrete += anySegment
		values = append(values, types.ExprString(p.expr))
	}
	path, _, query := strings.Cut(concrete, "?")
	if segments && !query && chooses(path) {
		return
	}
	if query {
		text = "a query is put into the text of a path, where it is refused; use Query"
	}
	var fixes []analysis.SuggestedFix
	if template := templateOf(path); segments && !query && alone && method == "Chain" && template != "" {
		fixes = append(fixes, replace(arg, "use "+template, strconv.Quote(template)+", "+strings.Join(values, ", ")))
		text += ", as in Chain(" + strconv.Quote(template) + ", …)"
	}
	k.certain(arg, text, fixes...)
}

// chooses reports whether the values of a path choose an operation, as in v3/pay/transactions/ and then jsapi or native: no
// documented path has a placeholder there, and some have a word.
func chooses(path string) (found bool) {
	segments := strings.Split("/"+strings.TrimPrefix(path, "/"), "/")
	for _, documented := range alike(segments) {
		for i, segment := range segments {
			if _, data := fact.Placeholder(documented[i]); data && segment == anySegment {
				return false
			}
		}
		found = true
	}
	return found
}

// templateOf returns the documented template that a path with values (anySegment) means, empty if there is none.
func templateOf(path string) string {
	for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
		o, ok := facts().Lookup(method, strings.ReplaceAll(path, anySegment, "x-1"))
		if !ok {
			continue
		}
		given, documented := strings.Split(strings.Trim(path, "/"), "/"), strings.Split(strings.Trim(o.Path, "/"), "/")
		if len(given) != len(documented) {
			continue
		}
		for i := range given {
			if (given[i] == anySegment) != strings.HasPrefix(documented[i], "{") {
				return ""
			}
		}
		return strings.Join(documented, "/")
	}
	return ""
}
