package fact_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wxpay-go/wxpay/fact"
)

func TestDocURL(t *testing.T) {
	for id, want := range map[string]string{
		"v2/institution/4011941011":         "https://pay.weixin.qq.com/doc/v2/institution/4011941011",
		"v3/merchant/4012791858":            "https://pay.weixin.qq.com/doc/v3/merchant/4012791858",
		"global/v3/zh/4013013913":           "https://pay.weixin.qq.com/doc/global/v3/zh/4013013913",
		"brand/4016797130":                  "https://pay.weixin.qq.com/doc/brand/4016797130",
		"docs/merchant/apis/a.html":         "https://pay.weixin.qq.com/docs/merchant/apis/a.html",
		"wiki/doc/api/chapter3_3.shtml":     "https://pay.weixin.qq.com/wiki/doc/api/chapter3_3.shtml",
		"docs.qq.com/doc/DTkZ4ZnlyWHZtR0d4": "https://docs.qq.com/doc/DTkZ4ZnlyWHZtR0d4",
		"github.com/a/1-品牌/b.go":            "https://github.com/a/1-%E5%93%81%E7%89%8C/b.go",
	} {
		assert.Equal(t, want, fact.DocURL(id))
	}
}

func TestElement(t *testing.T) {
	for kind, want := range map[fact.Type]fact.Type{
		fact.String: fact.String, fact.Strings: fact.String, fact.Integers: fact.Integer, fact.Numbers: fact.Number,
		fact.Booleans: fact.Boolean, fact.Objects: fact.Object, fact.Object: fact.Object, fact.File: fact.File,
	} {
		assert.Equal(t, want, kind.Element())
	}
}
