package profile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

// asker asks questions on stderr, and reads the answers from stdin.
type asker struct {
	sh  *shell.Shell
	ctx context.Context
}

var (
	errEnded       = shell.Usage("the input ended before the last answer: nothing was written")
	errInterrupted = &shell.ExitError{Code: shell.ExitNotSent, Err: shell.Say("interrupted: nothing was written")}
)

// ask asks until check takes the answer, which is usual if it is empty.
func (a *asker) ask(question, usual string, check func(answer string) error) (string, error) {
	return a.repeat(question, usual, check, a.line)
}

// askSecret is ask without an echo.
func (a *asker) askSecret(question string, check func(answer string) error) (string, error) {
	return a.repeat(question, "", check, a.hidden)
}

// confirm asks a question of yes or no.
func (a *asker) confirm(question string, usual bool) (bool, error) {
	if usual {
		question += " (Y/n)"
	} else {
		question += " (y/N)"
	}
	answer, err := a.ask(question, "", func(answer string) error {
		switch strings.ToLower(answer) {
		case "", "y", "yes", "n", "no":
			return nil
		}
		return shell.Say("answer y or n")
	})
	if answer == "" {
		return usual, err
	}
	return strings.HasPrefix(strings.ToLower(answer), "y"), err
}

func (a *asker) repeat(question, usual string, check func(string) error, read func(prompt string) (string, error)) (string, error) {
	if usual != "" {
		question += " [" + shell.OneLine(usual) + "]"
	}
	for {
		answer, err := a.await(func() (string, error) { return read(question + ": ") })
		if err != nil {
			fmt.Fprintln(a.sh.Stderr)
			return "", err
		}
		if answer = strings.TrimSpace(answer); answer == "" {
			answer = usual
		}
		if err = check(answer); err == nil {
			return answer, nil
		}
		a.sh.Note("  %s", shell.Plainly(err))
	}
}

// await reads an answer unless an interrupt comes first. A terminal without an echo gets it back.
func (a *asker) await(read func() (string, error)) (string, error) {
	type result struct {
		text string
		err  error
	}
	restore := func() {}
	if file, ok := a.sh.Stdin.(*os.File); ok && shell.IsTerminal(file) {
		if state, err := term.GetState(int(file.Fd())); err == nil {
			restore = func() { _ = term.Restore(int(file.Fd()), state) }
		}
	}
	done := make(chan result, 1)
	go func() {
		text, err := read()
		done <- result{text, err}
	}()
	select {
	case <-a.ctx.Done():
		restore()
		return "", errInterrupted
	case r := <-done:
		return r.text, r.err
	}
}

// line reads a line, and nothing behind it.
func (a *asker) line(prompt string) (string, error) {
	text, err := a.sh.ReadLine(prompt)
	if errors.Is(err, io.EOF) {
		err = errEnded
	}
	return text, err
}

// hidden reads a line that the terminal does not show, not even if it is typed before the question.
func (a *asker) hidden(prompt string) (string, error) {
	if !shell.IsTerminal(a.sh.Stdin) {
		return a.line(prompt)
	}
	fd := int(a.sh.Stdin.(*os.File).Fd())
	state, err := term.MakeRaw(fd)
	if err != nil {
		return "", err
	}
	defer func() { _ = term.Restore(fd, state) }()
	text, err := term.NewTerminal(terminal{a.sh.Stdin, a.sh.Stderr}, "").ReadPassword(prompt)
	if errors.Is(err, io.EOF) { // also of Ctrl-C
		err = errEnded
	}
	return text, err
}

// terminal is both sides of a terminal.
type terminal struct {
	io.Reader
	io.Writer
}
