package vet

// checkQuery checks the query of a call against the documented fields.
var checkQuery = newCheck("wxquery", explanation{
	english: `check the queries of calls to WeChat Pay

This check finds query fields that the operation lacks or requires, and
constants that it does not take.`,
	chinese: `检查微信支付请求的查询参数

本检查找出接口没有的查询参数、缺少的必填参数，以及文档之外的取值。`,
}, func(k *check) {
	for _, c := range k.all {
		if c.operation == nil || len(c.operation.Also) > 0 {
			continue
		}
		v := value{kind: object, fields: c.chain.query, open: c.chain.anyQuery || pages[c.verb]}
		f := &fields{check: k, operation: c.operation, part: "query"}
		f.object(&v, c.operation.In.Query, "", c.expr)
	}
})

// pages are the verbs that set fields of the query themselves.
var pages = map[string]bool{"Each": true, "Pages": true}
