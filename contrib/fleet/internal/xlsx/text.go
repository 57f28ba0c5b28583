package xlsx

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// MaxText is what a cell holds, in UTF-16 units.
const MaxText = 32_767

// Fits reports whether a text fits into a cell.
func Fits(text string) bool {
	n := 0
	for _, r := range text {
		if n++; r > 0xffff {
			n++
		}
	}
	return n <= MaxText && utf8.ValidString(text)
}

// escape writes a text as XML, as spreadsheet programs do where XML cannot have a character.
func escape(text string) string {
	var b strings.Builder
	for i, r := range text {
		switch {
		case r == '&':
			b.WriteString("&amp;")
		case r == '<':
			b.WriteString("&lt;")
		case r == '>':
			b.WriteString("&gt;")
		case r == '"':
			b.WriteString("&quot;")
		case r < ' ' && r != '\t' && r != '\n', r == 0xfffe, r == 0xffff, r == '_' && beginsEscape(text[i:]):
			fmt.Fprintf(&b, "_x%04X_", r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func isEscape(text string) bool { return len(text) >= 7 && text[6] == '_' && beginsEscape(text) }

// beginsEscape reports whether text is an escape but for the _ at its end, which may be the first
// one of the next character's escape.
func beginsEscape(text string) bool {
	if len(text) < 6 || text[1] != 'x' {
		return false
	}
	_, err := strconv.ParseUint(text[2:6], 16, 16)
	return err == nil
}

// unescaped resolves what stands for characters that XML cannot have, such as _x000D_.
func unescaped(text string) string {
	if !strings.Contains(text, "_x") {
		return text
	}
	var b strings.Builder
	for len(text) > 0 {
		if text[0] == '_' && isEscape(text) {
			r, _ := strconv.ParseUint(text[2:6], 16, 16)
			b.WriteRune(rune(r))
			text = text[7:]
			continue
		}
		b.WriteByte(text[0])
		text = text[1:]
	}
	return b.String()
}
