package vet

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
)

// checkBody checks the body of a call against the documented fields.
var checkBody = newCheck("wxbody", explanation{
	english: `check the bodies of calls to WeChat Pay

A map and a struct say nothing about the fields that an operation takes. This
check reads map literals, structs with json tags and JSON texts, through local
variables and simple helpers, and finds missing and unknown fields, other types
and constants, and amounts that are no whole fen. A field that only the
documentation requires is a hint: it may be conditional.`,
	chinese: `检查微信支付请求的请求体

map 和 struct 本身并不知道接口需要哪些字段。本检查读取 map 字面量、带 json 标签的
struct 和 JSON 文本（可经过局部变量与简单的辅助函数），找出缺少的字段、未知的字段、
错误的类型与取值，以及不是整数分的金额。仅文档要求的字段只作提示：它可能是条件必填。`,
}, func(k *check) {
	for _, c := range k.all {
		if c.operation != nil && c.body != nil && len(c.operation.Also) == 0 && len(c.operation.In.Form) == 0 {
			k.body(c)
		}
	}
})

func (k *check) body(c *call) {
	v := k.value(c.body, nil)
	f := &fields{check: k, operation: c.operation, part: "body"}
	if raw, verbatim := isVerbatim(k.info.TypeOf(c.body)); verbatim {
		if v.constant == nil || !raw {
			return
		}
		var decoded any
		decoder := json.NewDecoder(bytes.NewReader([]byte(constant.StringVal(v.constant))))
		decoder.UseNumber()
		if err := decoder.Decode(&decoded); err != nil {
			k.certain(c.body, "the body is not JSON: "+err.Error())
			return
		}
		v = fromJSON(decoded, c.body)
	}
	switch {
	case v.kind == unknown:
	case v.kind == null:
		required := value{at: c.body, kind: null}
		if len(c.operation.In.JSON) > 0 && c.method != "DELETE" {
			f.object(&required, c.operation.In.JSON, "", c.body)
		}
	case v.kind != object:
		k.certain(c.body, "the body is "+v.kind.String()+", not an object")
	case len(c.operation.In.JSON) == 0:
		if len(v.fields) > 0 && !c.operation.Inferred {
			k.hint(c.body, c.operation.Method+" "+c.operation.Path+" documents no body")
		}
	default:
		f.object(&v, c.operation.In.JSON, "", c.body)
	}
}

// isVerbatim reports whether a body travels as it is; raw says that a constant of the type is a text.
func isVerbatim(t types.Type) (raw, verbatim bool) {
	if namedOf(t) == "encoding/json.RawMessage" {
		return true, true
	}
	switch t := t.(type) {
	case *types.Basic:
		return t.Info()&types.IsString != 0, t.Info()&types.IsString != 0
	case *types.Slice:
		return true, types.Identical(t.Elem(), types.Typ[types.Byte])
	}
	return false, false
}

// fromJSON makes a value of a decoded JSON text.
func fromJSON(decoded any, at ast.Expr) value {
	v := value{at: at}
	switch decoded := decoded.(type) {
	case nil:
		v.kind = null
	case bool:
		v.kind, v.constant = boolean, constant.MakeBool(decoded)
	case string:
		v.kind, v.constant = text, constant.MakeString(decoded)
	case json.Number:
		v.kind, v.constant = number, constant.MakeFromLiteral(decoded.String(), token.FLOAT, 0)
		if v.constant.Kind() == constant.Unknown {
			v.constant = nil
		}
	case []any:
		v.kind = array
		for _, element := range decoded {
			v.elements = append(v.elements, fromJSON(element, at))
		}
	case map[string]any:
		v.kind = object
		for name, inner := range decoded {
			v.fields = append(v.fields, field{name: name, at: at, value: fromJSON(inner, at)})
		}
	}
	return v
}
