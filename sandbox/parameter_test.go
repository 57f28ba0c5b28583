package sandbox_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/sandbox"
)

func TestFeedParameters(t *testing.T) {
	s := unpaced(t, sandbox.WithClassicErrors())
	s.OnRepeatedFeed(sandbox.RepeatDuplicate) // the cases share one number
	with := func(name string, value any) map[string]any { f := feed(); f[name] = value; return f }
	without := func(name string) map[string]any { f := feed(); delete(f, name); return f }
	cell := func(value any) map[string]any { f := without("cell_message"); f["cell"] = value; return f }

	nullFirst := cell("x")
	nullFirst["cell_message"] = nil

	type refusal struct {
		field  string
		value  any
		issue  string
		number string
	}
	const parameter, unknown = "268435461", "270924358"
	for name, test := range map[string]struct {
		body   any
		refuse *refusal       // nil: it is echoed
		echo   map[string]any // nil: the body
	}{
		"sample":              {body: feed()},
		"cell instead":        {body: cell("15_1200_1")},
		"cell at its limit":   {body: cell(strings.Repeat("员", 42) + "ab")},
		"cell over its limit": {body: cell(strings.Repeat("员", 43)), refuse: &refusal{"/cell", strings.Repeat("员", 43), "字节数 129，大于最大值 128", parameter}},
		"cell empty":          {body: cell(""), refuse: &refusal{"/cell", "", "字节数 0，小于最小值 1", parameter}},
		"cell not text":       {body: cell(1), refuse: &refusal{"/cell", 1.0, "此字段需要一个 string 类型的 Json 值", parameter}},
		"both names":          {body: with("cell", "x"), refuse: &refusal{"/cell", "x", "与cell_message重复", unknown}},
		"neither name":        {body: without("cell_message"), refuse: &refusal{"/cell_message", "", "此字段为必填项", parameter}},
		"other name null":     {body: with("cell", nil), echo: feed()},
		"first name null":     {body: nullFirst, echo: cell("x")},
		"number of one":       {body: with("out_request_no", "_")},
		"number of 64":        {body: with("out_request_no", strings.Repeat("aZ0-", 16))},
		"number of 65": {body: with("out_request_no", strings.Repeat("a", 65)),
			refuse: &refusal{"/out_request_no", strings.Repeat("a", 65), "字节数 65，大于最大值 64", parameter}},
		"number with |":          {body: with("out_request_no", "a|b"), refuse: &refusal{"/out_request_no", "a|b", `字符串必须匹配正则表达式“^[0-9a-zA-Z_\-]+$”`, parameter}},
		"number with blank":      {body: with("out_request_no", "a b"), refuse: &refusal{"/out_request_no", "a b", `字符串必须匹配正则表达式“^[0-9a-zA-Z_\-]+$”`, parameter}},
		"number in Chinese":      {body: with("out_request_no", "单号"), refuse: &refusal{"/out_request_no", "单号", `字符串必须匹配正则表达式“^[0-9a-zA-Z_\-]+$”`, parameter}},
		"null is absent":         {body: with("openid", nil), refuse: &refusal{"/openid", "", "此字段为必填项", parameter}},
		"object":                 {body: with("openid", map[string]any{"a": "b"}), refuse: &refusal{"/openid", map[string]any{"a": "b"}, "此字段需要一个 string 类型的 Json 值", parameter}},
		"array":                  {body: with("openid", []string{"a"}), refuse: &refusal{"/openid", []any{"a"}, "此字段需要一个 string 类型的 Json 值", parameter}},
		"bool":                   {body: with("openid", true), refuse: &refusal{"/openid", true, "此字段需要一个 string 类型的 Json 值", parameter}},
		"unknown member":         {body: with("extra", "x"), refuse: &refusal{"/extra", "x", "未知的参数", unknown}},
		"unknown null":           {body: with("extra", nil), refuse: &refusal{"/extra", nil, "未知的参数", unknown}},
		"unknown, to be escaped": {body: with("a/b~c", "x"), refuse: &refusal{"/a~1b~0c", "x", "未知的参数", unknown}},
		"another case":           {body: with("OpenID", "x"), refuse: &refusal{"/OpenID", "x", "未知的参数", unknown}},
		"emoji":                  {body: with("cell_message", "😀"), refuse: &refusal{"", "", "仅支持一至三个字节的UTF-8字符", parameter}},
		"escaped emoji":          {body: `{"brand_id":"\ud83d\ude00"}`, refuse: &refusal{"/brand_id", "😀", "仅支持一至三个字节的UTF-8字符", parameter}},
		"last of the plane":      {body: with("cell_message", "\uffff")},
		"white space":            {body: " {\n} \n", refuse: &refusal{"/brand_id", "", "此字段为必填项", parameter}},
		"not UTF-8":              {body: "{\"brand_id\":\"\xff\"}", refuse: &refusal{"", "", "请求体不是UTF-8编码", parameter}},
		"no JSON":                {body: "brand_id=1004", refuse: &refusal{"", "", "请求体不是JSON对象", parameter}},
		"JSON array":             {body: "[]", refuse: &refusal{"", "", "请求体不是JSON对象", parameter}},
		"JSON text":              {body: `"x"`, refuse: &refusal{"", "", "请求体不是JSON对象", parameter}},
		"JSON null":              {body: "null", refuse: &refusal{"", "", "请求体不是JSON对象", parameter}},
		"cut JSON":               {body: `{"brand_id":"1"`, refuse: &refusal{"", "", "请求体不是JSON对象", parameter}},
		"two objects":            {body: `{}{}`, refuse: &refusal{"", "", "请求体在JSON对象之后还有内容", parameter}},
		"trailing text":          {body: `{}x`, refuse: &refusal{"", "", "请求体在JSON对象之后还有内容", parameter}},
	} {
		t.Run(name, func(t *testing.T) {
			a := ask(t, s, "POST", feedPath, test.body)
			verify(t, s, time.Now(), a)
			if test.refuse == nil {
				require.Equal(t, 200, a.StatusCode, "%s", a.body)
				if test.echo == nil {
					test.echo = test.body.(map[string]any)
				}
				assert.Equal(t, test.echo, a.json(t))
				return
			}
			require.Equal(t, 400, a.StatusCode, "%s", a.body)
			detail := map[string]any{"value": test.refuse.value, "issue": test.refuse.issue, "location": "body"}
			if test.refuse.field != "" {
				detail["field"] = test.refuse.field
			}
			assert.Equal(t, "PARAM_ERROR", a.json(t)["code"])
			assert.Equal(t, detail, a.json(t)["detail"])
			assert.Contains(t, a.json(t)["message"], "输入源“/body"+test.refuse.field+"”")
			assert.True(t, strings.HasSuffix(a.json(t)["message"].(string), test.refuse.issue), a.json(t)["message"])
			assert.Regexp(t, `^[0-9A-F]{32}-`+test.refuse.number+`$`, a.Header.Get("Request-ID"))
		})
	}
	for _, name := range []string{"brand_id", "card_id", "user_card_code", "openid", "out_request_no", "cell_message"} {
		for fault, body := range map[string]map[string]any{"missing": without(name), "empty": with(name, ""), "number": with(name, 1004)} {
			t.Run(name+" "+fault, func(t *testing.T) {
				a := ask(t, s, "POST", feedPath, body)
				require.Equal(t, 400, a.StatusCode)
				detail := a.json(t)["detail"].(map[string]any)
				assert.Equal(t, "PARAM_ERROR", a.json(t)["code"])
				assert.Equal(t, "/"+name, detail["field"])
				if fault == "number" {
					assert.Equal(t, 1004.0, detail["value"])
				} else {
					assert.Equal(t, "", detail["value"])
				}
			})
		}
	}
}

func TestContentTypes(t *testing.T) {
	s := unpaced(t)
	for value, good := range map[string]bool{
		"application/json": true, "application/json; charset=utf-8": true, "application/json;charset=UTF-8": true, "Application/JSON": true,
		"": false, "text/plain": false, "application/x-www-form-urlencoded": false, "application/json; charset=gbk": false, "application/json+x": false, ";": false,
	} {
		c := newCall(s, time.Now(), "POST", feedPath, feed())
		c.header.Set("Content-Type", value)
		a := c.sign(s).send(t, s.Transport(), inProcess)
		if good {
			assert.Equal(t, 200, a.StatusCode, value)
			continue
		}
		assert.Equal(t, 400, a.StatusCode, value)
		assert.Equal(t, map[string]any{"code": "INVALID_REQUEST", "message": "Http头Content-Type必须为application/json"}, a.json(t), value)
	}
}

func TestBodySize(t *testing.T) {
	s := newSandbox(t)
	const most = 16 << 20
	for size, status := range map[int]int{most: 400, most + 1: 413} {
		a := newCall(s, time.Now(), "POST", feedPath, `{"brand_id":"`+strings.Repeat("1", size-15)+`"}`).sign(s).send(t, s.Transport(), inProcess)
		assert.Equal(t, status, a.StatusCode, "%d bytes", size)
		if status == 413 {
			assert.Empty(t, a.body)
			unsigned(t, a)
		}
	}
	for _, entry := range s.Journal.All() {
		assert.Len(t, entry.Body, 64<<10)
	}
}
