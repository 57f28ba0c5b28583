// Package visible finds what nobody sees in a text that comes from configuration: blanks and line breaks at its ends, no-break
// spaces, marks of a byte order, digits of another width. Such a text looks right in every file and on every screen, and fails
// much later and far away.
//
// Its errors tell place and kind of the first such character, and nothing else of the text, which may be a secret.
package visible

import (
	"fmt"
	"unicode"
	"unicode/utf8"
)

// Word checks a text that has no blank anywhere and nothing but ASCII: an id, a serial, a number, a key, an address.
func Word(s string) error {
	return check(s, func(r rune, _ bool) bool { return r > ' ' && r <= '~' })
}

// Line checks a text of one line, which may have single characters of other scripts and blanks inside: the path of a file,
// the name of a product.
func Line(s string) error {
	return check(s, func(r rune, inside bool) bool { return unicode.IsPrint(r) && (inside || r != ' ') })
}

// check returns an error about the first character that is not good; inside says that it is neither the first nor the last.
func check(s string, good func(r rune, inside bool) bool) error {
	place := 0
	for i, r := range s {
		place++
		_, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 {
			return fmt.Errorf("character %d is no UTF-8", place)
		}
		if !good(r, i > 0 && i+size < len(s)) {
			return fmt.Errorf("character %d is %s (U+%04X)", place, kind(r), r)
		}
	}
	return nil
}

// kind names the sort of a character.
func kind(r rune) string {
	switch r {
	case ' ':
		return "a blank"
	case '\t':
		return "a tab"
	case '\n':
		return "a line break"
	case '\r':
		return "a carriage return"
	case '\u00a0', '\u2007', '\u202f':
		return "a no-break space"
	case '\u200b', '\u2060':
		return "a space of no width"
	case '\ufeff':
		return "a byte order mark"
	}
	switch {
	case r >= '\uff01' && r <= '\uff5e':
		return "a full-width character"
	case unicode.Is(unicode.Z, r):
		return "a space that is no blank"
	case unicode.IsControl(r):
		return "a control character"
	case unicode.Is(unicode.C, r):
		return "an invisible character"
	}
	return "not ASCII"
}
