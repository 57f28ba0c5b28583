package wxpay_test

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/wxcode"
)

// The tables and lists of docs/errors.md and of its Chinese twin are made of the data that the code uses.
// go test -run TestErrorsPage -update . brings them up to date.
func TestErrorsPage(t *testing.T) {
	chinese := errorsInChinese(t)
	for name, say := range map[string]func(english string) string{
		"docs/errors.md": func(english string) string { return english },
		"docs/zh/errors.md": func(english string) string {
			assert.NotEmpty(t, chinese[english], "errorsInChinese lacks %q", english)
			return chinese[english]
		},
	} {
		raw, err := os.ReadFile(name)
		require.NoError(t, err)
		page := string(raw)
		for part, text := range errorsPage(say) {
			head, rest, ok := strings.Cut(page, "<!-- generated: "+part+" -->\n")
			require.True(t, ok, "%s lacks %s", name, part)
			_, tail, ok := strings.Cut(rest, "<!-- end -->\n")
			require.True(t, ok, "%s lacks the end of %s", name, part)
			page = head + "<!-- generated: " + part + " -->\n" + text + "<!-- end -->\n" + tail
		}
		if *update {
			require.NoError(t, os.WriteFile(name, []byte(page), 0o644))
			continue
		}
		assert.True(t, string(raw) == page, "%s is stale: go test -run TestErrorsPage -update .", name)
	}
}

const markedByHand = "%d operations are marked by hand. %d of them are direct deductions: they charge at once under the\nmerchant's order number."

// errorsPage returns the parts of the page, in the language of say.
func errorsPage(say func(english string) string) map[string]string {
	money, deductions := moneyOperations()
	others := slices.DeleteFunc(slices.Clone(money), func(o *fact.Operation) bool { return slices.Contains(deductions, o) })
	var excludes, queries strings.Builder
	for o := range catalog.V3().All() {
		if len(o.Excludes) > 0 {
			var codes []string
			for _, e := range o.Excludes {
				codes = append(codes, e.Code)
			}
			fmt.Fprintf(&excludes, "| `%s %s` | %s | %s |\n", o.Method, o.Path, strings.Join(codes, ", "), fact.DocURL(o.Excludes[0].Doc))
		}
		if o.Link != nil {
			repeat := map[fact.Repeat]string{fact.Documented: "idempotent by the documentation", fact.Assumed: "probably idempotent", fact.Never: "never"}[o.Repeat]
			fmt.Fprintf(&queries, "| `%s %s` | `GET %s` | %s |\n", o.Method, o.Path, o.Link.Query, say(repeat))
		}
	}
	return map[string]string{
		"codes":                      tableHead(say, "code", "status", "meaning", "class", "money") + codeRows(say),
		"operations that move money": fmt.Sprintf(say(markedByHand)+"\n", len(money), len(deductions)),
		"direct deductions":          list(deductions),
		"the others":                 list(others),
		"excluding codes":            tableHead(say, "operation", "codes", "page") + excludes.String(),
		"queries":                    tableHead(say, "operation", "query of the outcome", "the same request again") + queries.String(),
	}
}

func tableHead(say func(english string) string, titles ...string) string {
	for i, title := range titles {
		titles[i] = say(title)
	}
	return "| " + strings.Join(titles, " | ") + " |\n|" + strings.Repeat(" --- |", len(titles)) + "\n"
}

func codeRows(say func(english string) string) string {
	var b strings.Builder
	for _, c := range wxcode.All() {
		var statuses []string
		for _, status := range c.Statuses {
			statuses = append(statuses, strconv.Itoa(status))
		}
		meaning := say(c.Meaning)
		for _, more := range []string{c.Note, map[bool]string{true: "whole merchant"}[c.Merchant]} {
			if more != "" {
				meaning += say("; ") + say(more)
			}
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", c.Code, strings.Join(statuses, ", "), meaning, say(string(c.Class)), say(string(c.Money)))
	}
	for _, row := range [][]string{
		{"any other, 401", "401", "whole merchant", "fix", "fix"},
		{"any other, 429", "429", "too many calls", "wait", "query"},
		{"any other, 4xx", "4xx", "", "fix", "fix"},
		{"any other, 5xx", "5xx", "result unknown", "query", "query"},
	} {
		for i, cell := range row {
			if i != 1 && cell != "" {
				row[i] = say(cell)
			}
		}
		b.WriteString("| " + strings.ReplaceAll(strings.Join(row, " | "), "|  |", "| |") + " |\n")
	}
	return b.String()
}

func list(operations []*fact.Operation) string {
	var b strings.Builder
	for _, o := range operations {
		fmt.Fprintf(&b, "- `%s %s` %s\n", o.Method, o.Path, o.Name)
	}
	return b.String()
}

// moneyOperations returns what moves money, and of that the direct deductions.
func moneyOperations() (money, deductions []*fact.Operation) {
	for o := range catalog.V3().All() {
		if o.MovesMoney {
			money = append(money, o)
			if o.Number.Space == "order" && !strings.Contains(o.Number.Field, "{") {
				deductions = append(deductions, o)
			}
		}
	}
	return money, deductions
}

// The marks are counted, so that none is lost unnoticed.
func TestMoneyIsMarked(t *testing.T) {
	money, deductions := moneyOperations()
	assert.Len(t, money, 110)
	assert.Len(t, deductions, 18)
	for _, o := range money {
		assert.NotEqual(t, "GET", o.Method)
	}
	for _, path := range []string{
		"/v3/pay/transactions/codepay", "/v3/pay/partner/transactions/codepay", "/v3/papay/pay/transactions/apply", "/v3/papay/pay/partner/transactions/apply",
		"/v3/vehicle/transactions/parking", "/v3/vehicle/etc/transactions/highway", "/v3/offlineface/transactions", "/v3/eduschoolpay/transactions",
		"/v3/edu-papay/transactions", "/v3/qrcode/transactions",
	} {
		assert.True(t, slices.ContainsFunc(deductions, func(o *fact.Operation) bool { return o.Path == path }), path)
	}
	for _, path := range []string{"/v3/pay/transactions/jsapi", "/v3/combine-transactions/native",
		"/v3/pay/transactions/out-trade-no/{out_trade_no}/close", "/" + feedsPath} {
		o, ok := catalog.V3().Lookup("POST", path)
		require.True(t, ok, path)
		assert.False(t, o.MovesMoney, path)
	}
}

// Every class that the code knows is one of the five, every code stands once, and every named code has a class.
func TestClasses(t *testing.T) {
	seen := map[wxcode.Code]bool{}
	spellings := 0
	known := []wxcode.Class{wxcode.ClassSame, wxcode.ClassWait, wxcode.ClassQuery, wxcode.ClassFix, wxcode.ClassDone}
	for _, c := range wxcode.All() {
		assert.False(t, seen[c.Code], c.Code)
		seen[c.Code] = true
		assert.Contains(t, known, c.Class, c.Code)
		assert.Contains(t, known, c.Money, c.Code)
		assert.NotEmpty(t, c.Meaning, c.Code)
		if c.Spelling != "" {
			spellings++
			assert.True(t, seen[c.Spelling], "%s comes before %s", c.Spelling, c.Code)
			assert.True(t, c.Code.Same(c.Spelling) && c.Spelling.Same(c.Code), c.Code)
		}
	}
	source, err := os.ReadFile("wxcode/wxcode.go")
	require.NoError(t, err)
	named := 0
	for line := range strings.SplitSeq(string(source), "\n") {
		if _, value, ok := strings.Cut(line, ` Code = "`); ok {
			named++
			code, _, _ := strings.Cut(value, `"`)
			assert.True(t, seen[wxcode.Code(code)], "%s has no class", code)
		}
	}
	assert.Equal(t, len(seen), named+spellings)
	for code := range catalog.V3().Codes() {
		assert.True(t, seen[wxcode.Code(code.Name)], "the facts know %s, and Classes does not", code.Name)
	}
	for _, tt := range []struct {
		status int
		code   wxcode.Code
		want   wxcode.Class
	}{
		{500, "SYSTEM_ERROR", wxcode.ClassSame}, {429, "NEW_LIMIT", wxcode.ClassWait}, {429, "", wxcode.ClassWait}, {400, "NEW", wxcode.ClassFix},
		{502, "", wxcode.ClassQuery}, {400, "ORDER_CLOSED", wxcode.ClassDone}, {404, "RESOURCE_NOT_EXISTS", wxcode.ClassFix},
	} {
		assert.Equal(t, tt.want, (&wxpay.APIError{Status: tt.status, Code: tt.code}).Class(), tt.code)
	}
}

// errorsInChinese returns the Chinese texts of the page's parts, by the English ones. The command line has those of the codes.
func errorsInChinese(t *testing.T) map[string]string {
	texts := map[string]string{
		"; ": "；", "whole merchant": "整个商户", "result unknown": "结果未知",
		"code": "错误码", "status": "状态码", "meaning": "含义", "class": "类别", "money": "动用资金时",
		"same": "原样重发", "wait": "稍后重发", "query": "先查询", "fix": "先改正", "done": "已完成",
		"any other, 401": "其他，401", "any other, 429": "其他，429", "any other, 4xx": "其他，4xx", "any other, 5xx": "其他，5xx",
		"operation": "接口", "codes": "错误码", "page": "文档", "query of the outcome": "查询结果的接口", "the same request again": "原样重发",
		"idempotent by the documentation": "文档承诺幂等", "probably idempotent": "很可能幂等", "never": "不可重发",
		markedByHand: "下列 %d 个接口由人工逐一标记，其中 %d 个是直接扣款：凭商户订单号立即扣款。",
	}
	file, err := os.ReadFile("cmd/wxpay/internal/zh/codes.txt")
	require.NoError(t, err)
	for text := range strings.SplitSeq(string(file), "\n\n") {
		english, chinese, ok := strings.Cut(text, "\n=\n")
		require.True(t, ok, text)
		texts[english] = strings.TrimSpace(chinese)
	}
	return texts
}
