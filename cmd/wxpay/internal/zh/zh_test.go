package zh_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/zh"
	"github.com/wxpay-go/wxpay/wxcode"
)

// Every error code is told in Chinese, and every kind of a finding.
func TestCodes(t *testing.T) {
	for _, info := range wxcode.All() {
		for _, text := range []string{info.Meaning, info.Note} {
			assert.True(t, text == "" || zh.Finding(text) != text, "add it to codes.txt: %s", text)
		}
	}
	constants, err := os.ReadFile("../../../../internal/preflight/finding.go")
	require.NoError(t, err)
	kinds := regexp.MustCompile(`(?m)^\t[A-Z]\w+ += "(.+)"$`).FindAllStringSubmatch(string(constants), -1)
	require.Greater(t, len(kinds), 10)
	for _, kind := range kinds {
		assert.NotEqual(t, kind[1], zh.Finding(kind[1]), "add it to codes.txt")
	}
}

func TestFinding(t *testing.T) {
	for english, want := range map[string]string{
		"it is a string and documented as integer: send an integer without quotes": "是字符串，而文档里是整数：请写不带引号的整数",
		"it is a number and documented as string: quote it":                        "是数字，而文档里是字符串：请加引号",
		"it is missing and documented as required: give -q mchid=…":                "缺少，而文档标为必填：请用 -q mchid=…",
		"its length is 1, and 6 to 32 characters are documented":                   "长度是 1，而文档里是 6 到 32 个字符",
		"it is documented as at least 1":                                           "文档里最小为 1",
		"it is documented as integer":                                              "文档里是整数",
		"something new":                                                            "something new",
	} {
		assert.Equal(t, want, zh.Finding(english))
	}
}

// What a newcomer reads after a wrong setting is whole in Chinese, also if several are wrong.
func TestWrongSettings(t *testing.T) {
	page, err := os.ReadFile("../../../../testdata/mistakes.txt")
	require.NoError(t, err)
	settings := regexp.MustCompile(`(?m)^# configuration: .+\nwxpay: (.+)$`).FindAllStringSubmatch(string(page), -1)
	require.Greater(t, len(settings), 20)
	english := regexp.MustCompile(`[a-z]+ [a-z]+ [a-z]+`)
	var all, wants []string
	for _, setting := range settings {
		text := shell.InFlags(strings.Replace(setting[1], "in the configuration", "in the environment", 1))
		chinese, known := zh.Key(text)
		assert.True(t, known && !english.MatchString(chinese), "add its form to keys.txt: %s: %s", text, chinese)
		if one, ok := strings.CutPrefix(text, "the client is not usable: "); ok {
			all, wants = append(all, one), append(wants, strings.TrimPrefix(chinese, "客户端不可用："))
		}
	}
	chinese, known := zh.Key("the client is not usable: " + strings.Join(all, "; "))
	assert.True(t, known)
	assert.Equal(t, "客户端不可用："+strings.Join(wants, "；"), chinese)

	for text, want := range map[string]string{
		`WXPAY_SERIAL is "a b": character 2 is a blank (U+0020); WXPAY_P12: the file "x": it is empty`: `WXPAY_SERIAL 是 "a b"：第 2 个字符是空格（U+0020）；WXPAY_P12：文件 "x"：内容为空`,
		`the file "x" cannot be read: input/output error`:                                              `无法读取文件 "x"：input/output error`,
	} {
		chinese, known := zh.Key(text)
		assert.True(t, known)
		assert.Equal(t, want, chinese)
	}
	for _, other := range []string{"", "something new", "it is empty; something new", "POST /v3/x: not sent: it is empty", strings.Repeat("not ASCII; ", 300) + "new"} {
		chinese, known := zh.Key(other)
		assert.False(t, known, other)
		if !strings.Contains(other, "; ") {
			assert.Equal(t, other, chinese)
		}
	}
}

// No file that reads keys has a text whose form is not in the table.
func TestEveryKeyErrorHasAForm(t *testing.T) {
	forms, err := os.ReadFile("keys.txt")
	require.NoError(t, err)
	found := 0
	for _, name := range []string{"apiv3/keys.go", "internal/keytext/*.go", "internal/environ/load.go", "internal/visible/visible.go"} {
		files, err := filepath.Glob("../../../../" + name)
		require.NoError(t, err)
		require.NotEmpty(t, files)
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
			require.NoError(t, err)
			ast.Inspect(file, func(n ast.Node) bool {
				literal, ok := n.(*ast.BasicLit)
				if !ok || literal.Kind != token.STRING {
					return true
				}
				text, err := strconv.Unquote(literal.Value)
				require.NoError(t, err)
				for part := range strings.SplitSeq(verbs.ReplaceAllString(text, "%"), "%") {
					if part = strings.Trim(part, " :;,.()"); strings.Contains(part, " ") && part == strings.ToLower(part) {
						found++
						assert.True(t, strings.Contains(string(forms), shell.InFlags(part)), "add its form to keys.txt: %s: %s", name, text)
					}
				}
				return true
			})
		}
	}
	assert.Greater(t, found, 20)
}

// The clinic of the sandbox has no text whose form is not in the table.
func TestEveryExplanationHasAForm(t *testing.T) {
	forms, err := os.ReadFile("clinic.txt")
	require.NoError(t, err)
	files, err := filepath.Glob("../../../../sandbox/internal/clinic/*.go")
	require.NoError(t, err)
	found := 0
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		require.NoError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			literal, ok := n.(*ast.BasicLit)
			if !ok || literal.Kind != token.STRING || strings.Count(literal.Value, " ") < 3 {
				return true
			}
			text, err := strconv.Unquote(literal.Value)
			require.NoError(t, err)
			for part := range strings.SplitSeq(verbs.ReplaceAllString(text, "%"), "%") {
				if part = strings.Trim(part, " :;,.\n"); strings.Count(part, " ") > 1 && !strings.Contains(part, "=") && !aside[part] {
					found++
					assert.True(t, strings.Contains(string(forms), part), "add its form to clinic.txt: %s: %s", name, text)
				}
			}
			return true
		})
	}
	assert.Greater(t, found, 100)
}

// No order of the sandbox or its console is refused with a text whose form is not in the table.
func TestEveryRefusalHasAForm(t *testing.T) {
	forms, err := os.ReadFile("orders.txt")
	require.NoError(t, err)
	found := 0
	for _, pattern := range []string{
		"control", "fault/*", "internal/book/clock", "internal/book/snapshot", "internal/book/store", "internal/console/*", "internal/flow/*/*",
		"internal/gate/rule", "internal/journal/*", "internal/keyring/mode", "internal/keyring/ring", "internal/ledger/ledger",
		"internal/post/*", "internal/say/say", "internal/trouble/*", "sandbox", "../cmd/wxpay/internal/console/explorer/*", "../cmd/wxpay/internal/console/objects/*",
		"../cmd/wxpay/internal/console/phone/*", "../cmd/wxpay/internal/console/platform/*", "../cmd/wxpay/internal/console/send/*",
	} {
		files, err := filepath.Glob("../../../../sandbox/" + pattern + ".go")
		require.NoError(t, err)
		require.NotEmpty(t, files, pattern)
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
			require.NoError(t, err)
			ast.Inspect(file, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok || len(call.Args) == 0 || !makesErrors[nameOf(call.Fun)] {
					return true
				}
				ast.Inspect(call.Args[0], func(n ast.Node) bool {
					if inner, ok := n.(*ast.CallExpr); ok && nameOf(inner.Fun) == "Say" {
						return false // in the language of the page
					}
					literal, ok := n.(*ast.BasicLit)
					if !ok || literal.Kind != token.STRING {
						return true
					}
					text, err := strconv.Unquote(literal.Value)
					require.NoError(t, err)
					for part := range strings.SplitSeq(verbs.ReplaceAllString(strings.TrimPrefix(text, "sandbox: "), "%"), "%") {
						if part = strings.Trim(part, " :;,."); strings.Contains(part, " ") && !said[text] {
							found++
							assert.True(t, strings.Contains(string(forms), part), "add its form to orders.txt: %s: %s", name, text)
						}
					}
					return true
				})
				return true
			})
		}
	}
	assert.Greater(t, found, 80)
}

// makesErrors are the functions that make errors of texts.
var makesErrors = map[string]bool{"New": true, "Errorf": true, "bad": true}

// said are the errors that reach no reader of the console.
var said = map[string]bool{
	"sandbox: the connection was refused by a fault": true, "sandbox: the connection was reset by a fault": true,
}

func nameOf(function ast.Expr) string {
	switch f := function.(type) {
	case *ast.SelectorExpr:
		return f.Sel.Name
	case *ast.Ident:
		return f.Name
	}
	return ""
}

func TestOrders(t *testing.T) {
	for english, want := range map[string]string{
		"fault 429: p=2x is not a probability above 0 and up to 1":                                        "故障 429：p=2x 不是大于 0、不超过 1 的概率",
		`AddMerchant: of the merchant number "1\t2", character 2 is a tab (U+0009)`:                       `AddMerchant：商户号 "1\t2" 中，第 2 个字符是制表符（U+0009）`,
		`pay: the order "A" is paid`:                                                                      `支付：订单 "A" 已支付`,
		`redeliver: there is no notification "x" among the last 1000`:                                     `重发：最近 1000 条通知中没有 "x"`,
		"redeliver: the notification 1 was never sent: its name leads to an address that is not loopback": "重发：通知 1 从未发出：主机名指向的地址不是本机",
		"pay: something new": "支付：something new",
	} {
		assert.Equal(t, want, zh.Finding(english))
	}
}

var verbs = regexp.MustCompile(`%[+#-]?\d*[a-zA-Z]`)

// aside are texts of the clinic's table, which have their Chinese in clinic.go, and such as nobody reads.
var aside = map[string]bool{"bytes before": true, "bytes after": true}

func TestExplanation(t *testing.T) {
	for english, want := range map[string]string{
		"likely cause: the query parameter body was added after signing":                                                                          "可能原因：查询参数 body 是签名之后才加上的",
		"how sure: certain; the signature opens with the key of the certificate 5157F0, and the digest in it is that of the client's lines below": "把握：确定；签名能用证书 5157F0 的公钥解开，其中的摘要与下面客户端的各行一致",
		"2 target     platform  \"/v3/a\\n\"":                                                      "2 目标    平台    \"/v3/a\\n\"",
		"             client    (12 bytes before) \"b\"":                                           "          客户端  （前面还有 12 字节） \"b\"",
		"5 body       both      nothing":                                                           "5 请求体  相同    空",
		"GET /v3/a?b=1 401: the signature does not verify: the query was signed as the body":       "GET /v3/a?b=1 401：验签不通过：把查询串当请求体签了名",
		"first difference: line 2, byte 3: the platform has \"a\", the client signed nothing more": "第一处不同：第 2 行第 3 字节：平台是 \"a\"，客户端签的是 到此为止",
		"Request-ID: 1-2": "Request-ID: 1-2",
	} {
		assert.Equal(t, want, zh.Explanation(english))
	}
}

func TestRejection(t *testing.T) {
	for _, test := range [][3]string{
		{"the caller's certificates are 5157F0: the serial belongs to no certificate of the caller; the sandbox makes new ones each time it starts", "x",
			"调用方的证书是 5157F0：序列号不是调用方任何证书的；沙箱每次启动都生成新证书"},
		{"body: this field is required", "缺少参数", "缺少参数"},
		{"body: this field is required", "it is missing", "请求体：this field is required"},
		{"", "成功", ""},
	} {
		assert.Equal(t, test[2], zh.Rejection(test[0], test[1]))
	}
}

// The checks before sending have no text whose form is not in the table: every constant part of one in their source is
// there.
func TestEveryFindingHasAForm(t *testing.T) {
	forms, err := os.ReadFile("findings.txt")
	require.NoError(t, err)
	texts := regexp.MustCompile(`"((?:it|its|the|only|confirmed|inferred|your) [^"\\]*[^"\\ :;])`)
	found := 0
	for _, name := range []string{"body", "check", "finding", "report", "request"} {
		source, err := os.ReadFile("../../../../internal/preflight/" + name + ".go")
		require.NoError(t, err)
		for line := range strings.SplitSeq(string(source), "\n") {
			if strings.HasPrefix(strings.TrimSpace(line), "//") {
				continue
			}
			for _, m := range texts.FindAllStringSubmatch(line, -1) {
				text, _, _ := strings.Cut(m[1], "%")
				text, _, _ = strings.Cut(text, "Plain(") // which is a flag here
				if text == "inferred encryption" || strings.HasPrefix(text, "the checks before sending") {
					continue // a kind, and the sum of all, which is an error of the client
				}
				found++
				assert.True(t, strings.Contains(string(forms), strings.TrimRight(text, " :;(")), "add its form to findings.txt: %s.go: %s", name, m[1])
			}
		}
	}
	assert.Greater(t, found, 15)
}
