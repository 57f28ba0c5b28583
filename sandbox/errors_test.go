package sandbox_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/sandbox"
)

// TestErrorShapes holds refusals about fields against those that were seen: the detail has location and
// value only, and the message names the field as the documentation does. The texts of rows that end in
// "seen" are of real responses, with other fields and numbers.
func TestErrorShapes(t *testing.T) {
	s := newSandbox(t)
	mchid := s.Merchant().ID
	order := native(s)
	const orders = "/v3/pay/transactions/native"
	for name, test := range map[string]struct {
		method, target string
		body           any
		location       string
		value          any
		message        string
	}{
		"missing, seen": {
			"POST", orders, with(order, "amount", nil), "body", "",
			"输入源“/body/amount”映射到字段“订单金额”必填性规则校验失败，此字段为必填项",
		},
		"too short, seen": {
			"POST", orders, with(order, "out_trade_no", "123"), "body", 3.0,
			"输入源“/body/out_trade_no”映射到值字段“商户订单号”字符串规则校验失败，字节数 3，小于最小值 6",
		},
		"too long, seen": {
			"POST", orders, with(order, "attach", strings.Repeat("a", 203)), "body", 203.0,
			"输入源“/body/attach”映射到值字段“附加数据”字符串规则校验失败，字节数 203，大于最大值 128",
		},
		"too long in the path, seen": {
			"GET", "/v3/pay/transactions/out-trade-no/" + strings.Repeat("1", 35) + "?mchid=" + mchid, nil, "uri_template", 35.0,
			"输入源“/uri_template/out_trade_no”映射到值字段“商户订单号”字符串规则校验失败，字节数 35，大于最大值 32",
		},
		"a character, seen": {
			"POST", orders, with(order, "out_trade_no", "订单号"), "body", "订单号",
			`输入源“/body/out_trade_no”映射到值字段“商户订单号”字符串规则校验失败，字符串必须匹配正则表达式“^[0-9a-zA-Z_\-\|\*]+$”`,
		},
		"a fraction, seen": {
			"POST", orders, with(order, "amount", map[string]any{"total": 0.01}), "body", 0.01,
			"无法将 JSON 输入源“/body/amount/total”映射到目标字段“总金额”中，此字段需要一个合法的 64 位有符号整数",
		},
		"another type, seen": {
			"POST", orders, with(order, "description", 4), "body", 4.0,
			"无法将 JSON 输入源“/body/description”映射到目标字段“商品描述”中，此字段需要一个 string 类型的 Json 值",
		},
		"too little, seen": {
			"POST", orders, with(order, "amount", map[string]any{"total": 0}), "body", 0.0,
			"输入源“/body/amount/total”映射到数值字段“总金额”规则校验失败，值低于最小值 1",
		},
		"missing in the query": {
			"GET", "/v3/pay/transactions/out-trade-no/ORDER-1", nil, "query", "",
			"输入源“/query/mchid”映射到字段“直连商户号”必填性规则校验失败，此字段为必填项",
		},
		"a field that nobody knows": {
			"POST", orders, with(order, "nothing", "x"), "body", "x", "输入源“/body/nothing”校验失败：未知的参数",
		},
		"empty text, seen": {
			"POST", "/v3/profitsharing/receivers/add",
			map[string]any{"appid": "wx1", "type": "PERSONAL_OPENID", "account": "", "relation_type": "USER"}, "body", 0.0,
			"输入源“/body/account”映射到值字段“分账接收方帐号”字符串规则校验失败，字符数 0，小于最小值 1",
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := ask(t, s, test.method, test.target, test.body)
			require.Equal(t, 400, a.StatusCode, "%s", a.body)
			verify(t, s, time.Now(), a)
			assert.Equal(t, map[string]any{
				"code": "PARAM_ERROR", "message": test.message,
				"detail": map[string]any{"location": test.location, "value": test.value},
			}, a.json(t))
		})
	}
}

// TestClassicErrors: the documented form has the field and the issue too, and calls the path url.
func TestClassicErrors(t *testing.T) {
	s := newSandbox(t, sandbox.WithClassicErrors())
	a := ask(t, s, "GET", "/v3/pay/transactions/out-trade-no/12345?mchid="+s.Merchant().ID, nil)
	assert.Equal(t, map[string]any{
		"field": "out_trade_no", "value": "12345", "issue": "字节数 5，小于最小值 6", "location": "url",
	}, a.json(t)["detail"])
}
