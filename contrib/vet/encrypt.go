package vet

import (
	"go/ast"
	"go/types"
	"slices"
	"strings"

	"github.com/wxpay-go/wxpay/fact"
)

// checkEncrypt finds identities that a client without a catalogue sends in clear.
var checkEncrypt = newCheck("wxencrypt", explanation{
	english: `find sensitive fields that travel in clear

A client encrypts the marked fields by its catalogue. WithCatalog(nil) takes the
catalogue away: then a name or an identity number travels as it is, and the
platform rejects it. This check finds these fields; write wxpay.Secret(…), or
name the field with Encrypt.`,
	chinese: `找出以明文发送的敏感信息字段

客户端按目录加密标记的字段。WithCatalog(nil) 去掉了目录，姓名或证件号就会以明文发送，
并被平台拒绝。本检查找出这些字段：请写 wxpay.Secret(…)，或用 Encrypt 指明字段。`,
}, func(k *check) {
	for _, c := range k.all {
		if c.operation == nil || c.body == nil || c.chain.marked || !k.withoutCatalog(c.chain.client) {
			continue
		}
		v := k.value(c.body, nil)
		k.inClear(c, &v, c.operation.In.JSON, "")
	}
})

func (k *check) inClear(c *call, v *value, documented []fact.Field, pointer string) {
	for i := range v.fields {
		f := &v.fields[i]
		for j := range documented {
			d := &documented[j]
			if !d.Named(f.name) {
				continue
			}
			at := pointer + "/" + f.name
			switch {
			case d.Cipher == fact.RSA && f.value.kind == text && !f.value.secret && !slices.Contains(c.chain.encrypted, at):
				if f.value.constant == nil && !isString(k.info.TypeOf(f.value.at)) {
					continue
				}
				k.certain(f.value.at, named(d)+" travels in clear, for the client has no catalogue: write wxpay.Secret(…), or Encrypt("+`"`+at+`"`+")")
			case f.value.kind == object && d.Type == fact.Object:
				k.inClear(c, &f.value, d.Fields, at)
			case f.value.kind == array && d.Type == fact.Objects:
				for e := range f.value.elements {
					if !slices.ContainsFunc(c.chain.encrypted, func(p string) bool { return strings.HasPrefix(p, at+"/") }) {
						k.inClear(c, &f.value.elements[e], d.Fields, at+"/*")
					}
				}
			}
		}
	}
}

// isString reports whether a type is string itself: another type may hold what is encrypted already.
func isString(t types.Type) bool { return t != nil && types.Identical(t, types.Typ[types.String]) }

// withoutCatalog reports whether a client was made here with WithCatalog(nil).
func (k *check) withoutCatalog(client ast.Expr) bool {
	name, ok := client.(*ast.Ident)
	if !ok {
		return false
	}
	v := k.variables[k.info.Uses[name]]
	if v == nil || v.escapes || len(v.sources) != 1 || v.sources[0].kind != result {
		return false
	}
	made, ok := ast.Unparen(v.sources[0].expr).(*ast.CallExpr)
	if !ok {
		return false
	}
	off := false
	for _, arg := range made.Args {
		option, ok := ast.Unparen(arg).(*ast.CallExpr)
		if !ok {
			continue
		}
		if selector, ok := ast.Unparen(option.Fun).(*ast.SelectorExpr); ok && selector.Sel.Name == "WithCatalog" && len(option.Args) == 1 {
			off = k.info.Types[option.Args[0]].IsNil()
		}
	}
	return off
}
