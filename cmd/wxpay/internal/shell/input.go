package shell

import (
	"io"
	"os"
	"strings"
)

// Input reads the files that arguments name. The name - stands for stdin, which can be read once.
type Input struct {
	stdin io.Reader
	spent bool
}

// NewInput returns the input of a command.
func NewInput(sh *Shell) *Input { return &Input{stdin: sh.Stdin} }

// Open returns the content of a file.
func (in *Input) Open(name string) ([]byte, error) {
	if name != "-" {
		return os.ReadFile(name)
	}
	if in.spent {
		return nil, Say("standard input can be used once")
	}
	in.spent = true
	return io.ReadAll(in.stdin)
}

// Text returns what TEXT, @FILE or - stands for.
func (in *Input) Text(text string) ([]byte, error) {
	switch {
	case text == "-":
		return in.Open("-")
	case strings.HasPrefix(text, "@"):
		return in.Open(text[1:])
	}
	return []byte(text), nil
}

// ReadLine asks on stderr, and reads a line of stdin and nothing behind it. The end of the input is io.EOF.
func (sh *Shell) ReadLine(prompt string) (string, error) {
	_, _ = io.WriteString(sh.Stderr, prompt)
	var text []byte
	for one := make([]byte, 1); ; {
		n, err := sh.Stdin.Read(one)
		switch {
		case n == 1 && one[0] == '\n':
			return string(text), nil
		case n == 1:
			text = append(text, one[0])
		case err != nil:
			return "", err
		}
	}
}
