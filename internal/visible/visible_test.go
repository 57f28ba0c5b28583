package visible_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wxpay-go/wxpay/internal/visible"
)

func TestCheck(t *testing.T) {
	for _, tt := range []struct{ name, text, word, line string }{
		{"nothing", "", "", ""},
		{"a word", "PUB_KEY_ID_01!~", "", ""},
		{"a blank before", " 19", "character 1 is a blank (U+0020)", "character 1 is a blank (U+0020)"},
		{"a blank behind", "19 ", "character 3 is a blank (U+0020)", "character 3 is a blank (U+0020)"},
		{"a blank inside", "1 9", "character 2 is a blank (U+0020)", ""},
		{"a line break", "19\n", "character 3 is a line break (U+000A)", "character 3 is a line break (U+000A)"},
		{"a line break inside", "1\n9", "character 2 is a line break (U+000A)", "character 2 is a line break (U+000A)"},
		{"a carriage return", "19\r\n", "character 3 is a carriage return (U+000D)", "character 3 is a carriage return (U+000D)"},
		{"a tab", "1\t9", "character 2 is a tab (U+0009)", "character 2 is a tab (U+0009)"},
		{"no break", "19\u00a0", "character 3 is a no-break space (U+00A0)", "character 3 is a no-break space (U+00A0)"},
		{"no width", "1\u200b9", "character 2 is a space of no width (U+200B)", "character 2 is a space of no width (U+200B)"},
		{"a byte order mark", "\ufeff19", "character 1 is a byte order mark (U+FEFF)", "character 1 is a byte order mark (U+FEFF)"},
		{"another width", "1\uff19", "character 2 is a full-width character (U+FF19)", ""},
		{"an ideographic space", "1\u30009", "character 2 is a space that is no blank (U+3000)", "character 2 is a space that is no blank (U+3000)"},
		{"right to left", "1\u202e9", "character 2 is an invisible character (U+202E)", "character 2 is an invisible character (U+202E)"},
		{"a null", "1\x009", "character 2 is a control character (U+0000)", "character 2 is a control character (U+0000)"},
		{"Chinese", "证书.pem", "character 1 is not ASCII (U+8BC1)", ""},
		{"half a character", "1\xe8\xaf", "character 2 is no UTF-8", "character 2 is no UTF-8"},
		{"the mark of such", "1\ufffd9", "character 2 is not ASCII (U+FFFD)", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for want, err := range map[string]error{"word " + tt.word: visible.Word(tt.text), "line " + tt.line: visible.Line(tt.text)} {
				if want == "word " || want == "line " {
					assert.NoError(t, err)
					continue
				}
				assert.EqualError(t, err, want[5:])
			}
		})
	}
}
