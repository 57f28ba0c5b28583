package shell

import (
	"fmt"
	"strings"
)

// said is an error in the program's own words, which can be said in Chinese as well.
type said struct {
	error
	format string
	args   []any
}

func (s *said) Unwrap() error { return s.error }

// Say returns an error, formatted as by fmt.Errorf. The user reads it in the language of the shell; the format has to be
// in the table of package zh.
func Say(format string, a ...any) error { return &said{fmt.Errorf(format, a...), format, a} }

// speaksChinese reports whether an environment asks for Chinese: WXPAY_LANG does, or else the locale.
func speaksChinese(getenv func(string) string) bool {
	for _, name := range []string{"WXPAY_LANG", "LC_ALL", "LC_MESSAGES", "LANG"} {
		if value := getenv(name); value != "" {
			return strings.HasPrefix(strings.ToLower(value), "zh")
		}
	}
	return false
}

// Text marks a text for [Shell.Words] where it stands in a table.
func Text(english string) string { return english }
