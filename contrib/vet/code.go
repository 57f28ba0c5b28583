package vet

import (
	"cmp"
	"go/ast"
	"go/constant"
	"strconv"
	"sync"

	"github.com/wxpay-go/wxpay/wxcode"
)

// checkCode checks error codes.
var checkCode = newCheck("wxcode", explanation{
	english: `check error codes

A branch on a code with a typo never runs. This check compares the constants of
IsCode, and those compared with APIError.Code, with the documented codes. It
reports only a code with a near documented one: the lists are never complete.`,
	chinese: `检查错误码

错误码拼错的分支永远不会执行。本检查把 IsCode 的常量，以及与 APIError.Code 比较的
常量，与文档中的错误码对照。只有文档里有相近的错误码时才报告：错误码列表总不完整。`,
}, func(k *check) {
	for _, file := range k.pass.Files {
		ast.Inspect(file, func(n ast.Node) bool {
			if literal, ok := n.(*ast.BasicLit); ok {
				k.code(literal)
			}
			return true
		})
	}
})

func (k *check) code(literal *ast.BasicLit) {
	is := k.info.Types[literal]
	if is.Value == nil || is.Value.Kind() != constant.String || namedOf(is.Type) != module+"/wxcode.Code" {
		return
	}
	name := constant.StringVal(is.Value)
	known := knownCodes()
	if known.has[name] {
		return
	}
	near := cmp.Or(nearest(name, known.usual), nearest(name, known.list))
	if near == "" {
		return
	}
	k.hint(literal, "no error code is documented as "+name+"; did you mean "+near+"?",
		replace(literal, "write "+near, strconv.Quote(near)))
}

type codes struct {
	has   map[string]bool
	list  []string
	usual []string // those of package wxcode, without other spellings
}

// knownCodes returns every documented code.
var knownCodes = sync.OnceValue(func() codes {
	c := codes{has: map[string]bool{}}
	add := func(name string) {
		if !c.has[name] {
			c.has[name] = true
			c.list = append(c.list, name)
		}
	}
	for _, info := range wxcode.All() {
		add(string(info.Code))
		if info.Spelling == "" {
			c.usual = append(c.usual, string(info.Code))
		}
	}
	for code := range facts().Codes() {
		add(code.Name)
	}
	for operation := range facts().All() {
		for _, code := range operation.Codes {
			add(code.Name)
		}
	}
	return c
})
