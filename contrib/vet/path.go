package vet

import (
	"go/ast"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/tools/go/analysis"

	"github.com/wxpay-go/wxpay/fact"
)

// checkPath checks the path, the verb and the placeholders of a chain.
var checkPath = newCheck("wxpath", explanation{
	english: `check the paths of calls to WeChat Pay

A chain is a text, so a typo in it compiles, and the platform says 404 when the
program runs. This check compares the path with the documentation, names the
nearest one, and finds a verb that the operation does not have, a placeholder
without a value, a value without a placeholder, and an operation that was shut
down or replaced. An unknown path is a hint: an operation may be new.`,
	chinese: `检查微信支付请求的路径

链式路径只是文本，拼错也能编译，运行时才会得到 404。本检查把路径与文档对照，
给出最接近的路径，并找出：该接口没有的请求方法、没有值的路径参数、没有对应路径参数的值、
已下线或已被替代的接口。未知路径只作提示：它可能是新接口。`,
}, func(k *check) {
	for _, c := range k.all {
		k.path(c)
	}
})

func (k *check) path(c *call) {
	switch {
	case !c.chain.known || c.chain.at == nil:
		return
	case c.chain.mistake != nil:
		k.certain(c.chain.at, "the chain is refused: "+lastCause(c.chain.mistake))
		return
	case c.operation != nil:
		k.status(c)
	case c.method != "":
		k.unknownPath(c)
	}
	if c.chain.anyFilled {
		return
	}
	names := placeholders(c.chain.path)
	for _, name := range names {
		if _, filled := c.chain.filled[name]; !filled {
			k.certain(c.expr, "the placeholder {"+name+"} of "+c.chain.path+" has no value: nothing would be sent")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.chain.filled)) {
		if at := c.chain.filled[name]; at != nil && !slices.Contains(names, name) {
			var fixes []analysis.SuggestedFix
			text := "the path " + c.chain.path + " has no placeholder {" + name + "}: nothing would be sent"
			if near := nearest(name, names); near != "" && isLiteral(at) {
				text += "; did you mean " + near + "?"
				fixes = append(fixes, replace(at, "write "+near, strconv.Quote(near)))
			}
			k.certain(at, text, fixes...)
		}
	}
}

// lastCause returns the text of the innermost error.
func lastCause(err error) string {
	for {
		inner, ok := err.(interface{ Unwrap() error })
		if !ok || inner.Unwrap() == nil {
			return err.Error()
		}
		err = inner.Unwrap()
	}
}

func (k *check) unknownPath(c *call) {
	if methods := facts().Methods(c.chain.path); len(methods) > 0 {
		var fixes []analysis.SuggestedFix
		if verb := verbFor(c, methods); verb != "" {
			selector := ast.Unparen(c.expr.Fun).(*ast.SelectorExpr)
			fixes = append(fixes, replace(selector.Sel, "call "+verb, verb))
		}
		k.hint(c.expr, c.chain.path+" is documented with "+strings.Join(methods, ", ")+" only, not "+c.method, fixes...)
		return
	}
	if leadsToSome(c.method, c.chain.path) {
		return
	}
	text := "the documentation has no operation " + c.method + " " + c.chain.path
	near := facts().Nearest(c.chain.path, 1)
	if len(near) == 0 {
		k.hint(c.chain.at, text)
		return
	}
	var fixes []analysis.SuggestedFix
	if isLiteral(c.chain.at) && slices.Equal(placeholders(near[0]), placeholders(c.chain.path)) && k.wholePath(c) {
		fixes = append(fixes, replace(c.chain.at, "write "+near[0], strconv.Quote(strings.TrimPrefix(near[0], "/"))))
	}
	k.hint(c.chain.at, text+"; did you mean "+strings.Join(facts().Methods(near[0]), "|")+" "+near[0]+"?", fixes...)
}

// leadsToSome reports whether the values of its placeholders can make a path that of a documented operation, as in
// v3/pay/transactions/{kind} with jsapi or native. Only the running program knows them.
func leadsToSome(method, path string) bool {
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		if _, chosen := fact.Placeholder(segment); chosen {
			segments[i] = anySegment
		}
	}
	for o := range alike(segments) {
		if o.Method == method {
			return true
		}
	}
	return false
}

// anySegment stands for a value that only the running program knows.
const anySegment = "\x01"

// alike returns the documented operations whose paths may be this one, with the segments of each.
func alike(segments []string) iter.Seq2[*fact.Operation, []string] {
	return func(yield func(*fact.Operation, []string) bool) {
		for o := range facts().All() {
			documented := strings.Split(o.Path, "/")
			matches := len(documented) == len(segments)
			for i := 0; matches && i < len(segments); i++ {
				_, open := fact.Placeholder(documented[i])
				matches = open || segments[i] == anySegment || segments[i] == documented[i]
			}
			if matches && !yield(o, documented) {
				return
			}
		}
	}
}

// wholePath reports whether the argument at which the chain stands is its whole path.
func (k *check) wholePath(c *call) bool {
	text, _ := k.textOf(c.chain.at, nil)
	return strings.TrimPrefix(text, "/") == strings.TrimPrefix(c.chain.path, "/")
}

// verbFor returns the verb to write, empty if it would need other arguments.
func verbFor(c *call, methods []string) string {
	body := map[string]bool{"POST": true, "PUT": true, "PATCH": true}
	if len(methods) != 1 || body[c.method] != body[methods[0]] || !slices.Contains([]string{"Post", "Put", "Patch", "Get", "Delete"}, c.verb) {
		return ""
	}
	return methods[0][:1] + strings.ToLower(methods[0][1:])
}

func (k *check) status(c *call) {
	var text string
	switch c.operation.Status {
	case fact.Offline:
		text = "is shut down"
	case fact.Superseded:
		text = "is superseded"
	default:
		return
	}
	text = c.operation.Method + " " + c.operation.Path + " " + text
	if len(c.operation.ReplacedBy) > 0 {
		text += "; instead: " + strings.Join(c.operation.ReplacedBy, ", ")
	}
	k.hint(c.chain.at, text)
}
