package shell

import (
	"fmt"
	"strings"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/zh"
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

// Words returns a text of the program in the language of the shell.
func (sh *Shell) Words(english string) string {
	if sh.Chinese {
		if chinese, ok := zh.Text(english); ok {
			return chinese
		}
	}
	return english
}

// sprintf is fmt.Sprintf in the language of the shell, of the format and of errors among the arguments.
func (sh *Shell) sprintf(format string, a ...any) string {
	args := make([]any, len(a))
	for i, arg := range a {
		args[i] = arg
		if err, ok := arg.(error); ok {
			args[i] = sh.ErrorText(err)
		}
	}
	return fmt.Sprintf(strings.ReplaceAll(sh.Words(format), "%w", "%v"), args...)
}

// ErrorText returns the text of an error in the language of the shell. Errors of the client stay English, so that they can
// be searched for.
func (sh *Shell) ErrorText(err error) string {
	var own *said
	switch e := err.(type) {
	case *said:
		own = e
	case *ExitError:
		if e.Err != nil {
			return sh.ErrorText(e.Err)
		}
	}
	if own == nil || !sh.Chinese {
		return err.Error()
	}
	return sh.sprintf(own.format, own.args...)
}
