package gate

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// Character sets of the merchant's own numbers.
const (
	RequestChars = say.Alphanumeric + "_-"
	OrderChars   = say.Alphanumeric + "_-|*"
)

// Check reports why s is outside the limit. An empty text is outside only if there is a minimum.
func (l Limit) Check(s string) *say.Text {
	n := utf8.RuneCountInString(s)
	switch {
	case n < l.Min:
		text := say.Both(fmt.Sprintf("字符数 %d，小于最小值 %d", n, l.Min), fmt.Sprintf("it has %d characters, at least %d are needed", n, l.Min))
		return &text
	case l.Max > 0 && n > l.Max:
		text := say.Both(fmt.Sprintf("字符数 %d，大于最大值 %d", n, l.Max), fmt.Sprintf("it has %d characters, at most %d are allowed", n, l.Max))
		return &text
	case l.Charset != "" && strings.Trim(s, l.Charset) != "":
		text := say.Both("含有不允许的字符", "it has a character that is not allowed")
		return &text
	}
	return nil
}
