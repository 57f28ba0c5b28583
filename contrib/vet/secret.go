package vet

import (
	"go/ast"
	"strings"
)

// checkSecret finds keys in source.
var checkSecret = newCheck("wxsecret", explanation{
	english: `find keys in source

A private key or an APIv3 key in source is in every copy of the repository,
for good. Who has it moves the merchant's money, or reads its notifications.
Read it from a file or a secret store, and replace a key that was committed.`,
	chinese: `找出源代码里的密钥

写进源代码的私钥或 APIv3 密钥会永远留在每一份仓库副本里。拿到它的人可以动用商户的资金，
或读取通知。请从文件或密钥管理服务读取，并更换已提交过的密钥。`,
}, func(k *check) {
	for _, file := range k.pass.Files {
		if isTest(k.pass, file) {
			continue
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				if f := k.callee(n); f != nil && f.FullName() == module+".LoadPrivateKey" && len(n.Args) == 1 {
					if text, ok := k.textOf(n.Args[0], nil); ok && strings.Contains(text, "-----BEGIN") {
						k.certain(n.Args[0], "the private key stands in the source: read it from a file, and replace this one")
					}
				}
			case *ast.CompositeLit:
				k.merchant(n)
			}
			return true
		})
	}
})

// merchant looks at the APIv3 key of a wxpay.Merchant or webhook.Merchant.
func (k *check) merchant(literal *ast.CompositeLit) {
	if of := namedOf(k.info.TypeOf(literal)); of != module+".Merchant" && of != module+"/webhook.Merchant" {
		return
	}
	for _, element := range literal.Elts {
		pair, ok := element.(*ast.KeyValueExpr)
		if !ok {
			continue
		}
		if name, ok := pair.Key.(*ast.Ident); !ok || name.Name != "APIv3Key" {
			continue
		}
		if text, ok := k.textOf(pair.Value, nil); ok && len(text) == 32 && strings.Trim(text, text[:1]) != "" {
			k.certain(pair.Value, "the APIv3 key stands in the source: read it from the environment or a secret store, and replace this one")
		}
	}
}
