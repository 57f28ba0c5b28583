package vet

import (
	"go/ast"
	"path"
	"slices"
	"strings"

	"github.com/wxpay-go/wxpay/fact"
)

// checkUpload checks calls that send a file.
var checkUpload = newCheck("wxupload", explanation{
	english: `check uploads

This check finds Post to an operation that takes a file, Upload to one that
takes none, and a file whose suffix the operation does not document.`,
	chinese: `检查文件上传

本检查找出：对上传接口使用 Post、对非上传接口使用 Upload，以及文档不允许的文件后缀。`,
}, func(k *check) {
	for _, c := range k.all {
		if c.operation != nil {
			k.upload(c)
		}
	}
})

func (k *check) upload(c *call) {
	form := slices.ContainsFunc(c.operation.In.Form, func(f fact.Field) bool { return f.Type == fact.File })
	switch uploads := c.verb == "Upload" || c.verb == "UploadAsync"; {
	case form && (c.verb == "Post" || c.verb == "PostAsync" || c.verb == "Ensure"):
		k.certain(c.expr, c.operation.Path+" takes a file: call Upload(ctx, wxpay.FileAt(…))")
		return
	case uploads && !form && len(c.operation.In.JSON) > 0:
		k.certain(c.expr, c.operation.Path+" takes a JSON body, and no file: call Post")
		return
	case !uploads || len(c.expr.Args) != 2:
		return
	}
	limits := fact.UploadAt(c.operation.Path)
	made, ok := ast.Unparen(c.expr.Args[1]).(*ast.CallExpr)
	if limits == nil || limits.Suffixes == "" || !ok || len(made.Args) == 0 {
		return
	}
	name, ok := k.textOf(made.Args[0], nil)
	suffix := strings.ToLower(strings.TrimPrefix(path.Ext(name), "."))
	if ok && suffix != "" && !limits.Takes(suffix) {
		k.hint(made.Args[0], c.operation.Path+" documents files with the suffixes "+limits.Suffixes+" only, not "+suffix)
	}
}
