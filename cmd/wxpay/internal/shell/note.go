package shell

import (
	"errors"
	"fmt"
	"strings"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/zh"
)

// Words returns a text of the program in the language of the shell, formatted as by fmt.Sprintf if it has arguments.
// Errors among them are in that language too.
func (sh *Shell) Words(english string, a ...any) string {
	format := english
	if sh.Chinese {
		if chinese, ok := zh.Text(english); ok {
			format = chinese
		}
	}
	if len(a) == 0 {
		return format
	}
	args := make([]any, len(a))
	for i, arg := range a {
		args[i] = arg
		if err, ok := arg.(error); ok {
			args[i] = sh.ErrorText(err)
		}
	}
	return fmt.Sprintf(strings.ReplaceAll(format, "%w", "%v"), args...)
}

// ErrorText returns the text of an error in the language of the shell. Errors of the client stay English, so that they can
// be searched for, but for those about keys and settings, which a newcomer meets first.
func (sh *Shell) ErrorText(err error) string {
	switch e := err.(type) {
	case *said:
		if sh.Chinese {
			return sh.Words(e.format, e.args...)
		}
	case plain:
		return plainly(sh.ErrorText(e.error))
	case renamed:
		return e.of(sh.ErrorText(e.error))
	case *ExitError:
		if e.Err != nil {
			return sh.ErrorText(e.Err)
		}
	case interface{ Unwrap() []error }:
		return sh.joined(err, e.Unwrap())
	}
	return sh.ofClient(err)
}

// ofClient returns the text of an error that the client has made.
func (sh *Shell) ofClient(err error) string {
	if sh.Chinese {
		if chinese, ok := zh.Key(InFlags(strings.TrimPrefix(err.Error(), "wxpay: "))); ok {
			return chinese
		}
	}
	return err.Error()
}

// joined returns the texts of errors that errors.Join has joined.
func (sh *Shell) joined(err error, parts []error) string {
	english, texts := make([]string, len(parts)), make([]string, len(parts))
	for i, part := range parts {
		english[i], texts[i] = part.Error(), sh.ErrorText(part)
	}
	if err.Error() != strings.Join(english, "\n") {
		return sh.ofClient(err) // of another form
	}
	return strings.Join(texts, "\n")
}

// Note writes a line to stderr, in the language of the shell and without what could steer a terminal.
func (sh *Shell) Note(format string, a ...any) {
	fmt.Fprintln(sh.Stderr, Printable(sh.Words(format, a...)))
}

// Report prints an error of a command, and returns the exit code.
func (sh *Shell) Report(command string, err error) int {
	code := ExitCode(err)
	var exit *ExitError
	if code == ExitOK || errors.As(err, &exit) && exit.Err == nil {
		return code
	}
	sh.Note("wxpay: %s", sh.describe(err))
	if code == ExitUsage {
		sh.Note("See %q.", command+" --help")
	}
	return code
}

// Finding returns the text of a finding of the checks before sending, in flags and in the language of the shell.
func (sh *Shell) Finding(place, pointer, label, text, certainty string) string {
	text = InFlags(text)
	form := [...]string{"%s: %s", " (%s)"}
	if sh.Chinese {
		place, text, certainty = zh.Finding(place), zh.Finding(text), zh.Finding(certainty)
		form = [...]string{"%s：%s", "（%s）"}
	}
	if pointer != "" {
		place += " " + pointer
	}
	if label != "" {
		place += fmt.Sprintf(form[1], label)
	}
	if place != "" {
		text = fmt.Sprintf(form[0], place, text)
	}
	if certainty != "" {
		text += fmt.Sprintf(form[1], certainty)
	}
	return text
}

// describe returns the text of an error of a command for a person.
func (sh *Shell) describe(err error) string {
	var rejected *wxpay.PreflightError
	if !errors.As(err, &rejected) {
		return InFlags(strings.TrimPrefix(sh.ErrorText(err), "wxpay: "))
	}
	var b strings.Builder
	b.WriteString(sh.Words("the checks before sending found:"))
	for _, finding := range rejected.Findings {
		b.WriteString("\n  ")
		if finding.Warning {
			b.WriteString(sh.Words("warning: %s", ""))
		}
		label := finding.Label
		if label != "" && finding.Unit != "" {
			label += ", " + string(finding.Unit)
		}
		b.WriteString(sh.Finding(finding.Place, finding.Pointer, label, finding.Text, finding.Certainty))
	}
	b.WriteString("\n" + sh.Words("Nothing was sent. Without --strict these are warnings."))
	return b.String()
}
