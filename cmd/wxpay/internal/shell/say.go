package shell

import (
	"errors"
	"fmt"
	"strings"

	"github.com/wxpay-go/wxpay/apiv3"
)

// said is an error in the program's own words, which can be said in Chinese as well.
type said struct {
	error
	format string
	args   []any
}

func (s *said) Unwrap() error { return s.error }

// MarshalText returns the English, on one line: documents for machines are the same in every language.
func (s *said) MarshalText() ([]byte, error) { return []byte(OneLine(s.Error())), nil }

// Say returns an error, formatted as by fmt.Errorf, or a text that is no error. The user reads it in the language of the
// shell; the format has to be in the table of package zh.
func Say(format string, a ...any) error { return &said{fmt.Errorf(format, a...), format, a} }

// Marked returns a text that [Text] marks, as [Say] does a format.
func Marked(text string) error { return &said{errors.New(text), text, nil} }

// plain is an error in the words of the command line.
type plain struct{ error }

func (p plain) Error() string { return plainly(p.error.Error()) }

func (p plain) Unwrap() error { return p.error }

// MarshalText returns the English.
func (p plain) MarshalText() ([]byte, error) { return []byte(OneLine(p.Error())), nil }

// Plainly returns an error whose text is on one line, without the name of the program, in the words of the command line.
func Plainly(err error) error { return plain{err} }

func plainly(text string) string {
	text = strings.TrimPrefix(text, "wxpay: ")
	text = strings.TrimPrefix(text, apiv3.ErrKey.Error()+": ")
	return Printable(strings.ReplaceAll(InFlags(text), "\n", "; "))
}

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
