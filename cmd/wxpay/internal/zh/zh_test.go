package zh_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/zh"
)

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
