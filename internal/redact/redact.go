// Package redact prints what holds a secret, and makes harmless what comes from outside before it stands in an error or a
// log line.
//
// A type that holds a key, a body, a signature or an identity prints a short text that names it and shows none of them.
// It has these methods, all with a value as their receiver unless the type must not be copied:
//
//   - Format, for every verb of package fmt;
//   - MarshalText, for encoding/json, encoding/xml, the handlers of log/slog and whatever else asks for it;
//   - LogValue, where a log is served better by single members;
//   - String, where the receiver is a pointer, because text/template does not look for Format.
//
// No method is called for what lies in an unexported field. Therefore [Hide] guards the unexported fields of a type.
// TestNothingPrintsSecrets of the module walks every exported type and holds all of this.
package redact

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Format prints text for a fmt.Formatter, quoted under %q and as it is under every other verb.
func Format(s fmt.State, verb rune, text string) {
	if verb == 'q' {
		text = strconv.Quote(text)
	}
	_, _ = s.Write([]byte(text))
}

// Hide returns a function that returns v. No printing and no encoding looks into a function, not even where it lies in an
// unexported field.
func Hide[T any](v T) func() T { return func() T { return v } }

// Quote shows a text that the caller wrote as code or configuration, never a value, so that blanks and invisible
// characters can be seen. It is cut short.
func Quote(s string) string { return strconv.Quote(cut(s, 80)) }

// OneLine shows a text of the platform: as it is if it is one line of visible characters, else quoted. It is cut short.
func OneLine(s string) string { return oneLine(s, 1024) }

// Pointer shows a JSON pointer, whose names come from the caller's data, as [OneLine] does.
func Pointer(pointer string) string { return oneLine(pointer, 200) }

func oneLine(s string, longest int) string {
	s = cut(s, longest)
	if !utf8.ValidString(s) || strings.ContainsFunc(s, unprintable) {
		return strconv.Quote(s)
	}
	return s
}

// Printable shows a short text that came from outside, such as an id: without its invisible characters, and cut short. It
// allocates nothing for a usual one.
func Printable(s string) string {
	s = cut(s, 64)
	if plain(s) {
		return s
	}
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "")
	}
	return strings.Map(func(r rune) rune {
		if unprintable(r) {
			return -1
		}
		return r
	}, s)
}

// plain reports whether s is visible ASCII.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) }

// cut shortens s to at most longest bytes, between two characters, and marks that.
func cut(s string, longest int) string {
	if len(s) <= longest {
		return s
	}
	for longest > 0 && !utf8.RuneStart(s[longest]) {
		longest--
	}
	return s[:longest] + "…"
}

// List writes the texts of a list in one line, the first five of them and the number of the others.
func List[T any](list []T, text func(T) string) string {
	const shown = 5
	var b strings.Builder
	for i, item := range list {
		if i == shown {
			fmt.Fprintf(&b, "; and %d more", len(list)-shown)
			break
		}
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(text(item))
	}
	return b.String()
}
