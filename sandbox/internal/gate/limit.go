package gate

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// Character sets of the merchant's own numbers.
const (
	RequestChars = say.Alphanumeric + "_-"
	OrderChars   = say.Alphanumeric + "_-|*"
)

// limitAt returns the limit of a field of the body; fields of a list's elements share theirs.
func (o *Operation) limitAt(pointer string) Limit {
	if len(o.Limits) == 0 {
		return Limit{}
	}
	if limit, ok := o.Limits[pointer]; ok {
		return limit
	}
	return o.Limits[element.ReplaceAllString(pointer, "")]
}

// element is the number of an element in a JSON Pointer.
var element = regexp.MustCompile(`/[0-9]+`)

// Check reports why s is outside the limit. An empty text is outside only if there is a minimum.
func (l Limit) Check(s string) *say.Issue {
	n, zh, en := len(s), "字节", "bytes"
	if l.Characters {
		n, zh, en = utf8.RuneCountInString(s), "字符", "characters"
	}
	var issue say.Issue
	switch {
	case n < l.Min:
		issue = say.Unfitting(fmt.Sprintf("%s数 %d，小于最小值 %d", zh, n, l.Min), fmt.Sprintf("it has %d %s, at least %d are needed", n, en, l.Min))
		issue.Measured, issue.Size = true, n
	case l.Max > 0 && n > l.Max:
		issue = say.Unfitting(fmt.Sprintf("%s数 %d，大于最大值 %d", zh, n, l.Max), fmt.Sprintf("it has %d %s, at most %d are allowed", n, en, l.Max))
		issue.Measured, issue.Size = true, n
	case l.Charset != "" && strings.Trim(s, l.Charset) != "":
		issue = say.Unfitting("字符串必须匹配正则表达式“^["+expression(l.Charset)+"]+$”", "it has a character that is not allowed")
	default:
		return nil
	}
	return &issue
}

// expression is a character set as the inside of brackets in a regular expression.
func expression(charset string) string {
	return strings.NewReplacer(say.Alphanumeric, "0-9a-zA-Z", "-", `\-`, "|", `\|`, "*", `\*`).Replace(charset)
}
