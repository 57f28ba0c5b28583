package cli

import (
	"os"
	"strings"
)

// isTerminal reports whether a stream of the program is a terminal. The null device is a character device too, but not
// one that anybody reads.
func isTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, null)
}

// paint writes with the terminal's attributes, or plainly.
type paint bool

// colours reports whether stdout shows colours: not in a pipe, not on a dumb terminal, not where NO_COLOR is set
// (https://no-color.org).
func (p *program) colours() paint {
	no, _ := p.lookup("NO_COLOR")
	term, _ := p.lookup("TERM")
	return paint(p.terminal && no == "" && term != "dumb")
}

func (c paint) in(attribute, text string) string {
	if !c || text == "" {
		return text
	}
	return "\x1b[" + attribute + "m" + text + "\x1b[0m"
}

func (c paint) bold(text string) string  { return c.in("1", text) }
func (c paint) faint(text string) string { return c.in("2", text) }

// mark is a tick or a cross.
func (c paint) mark(ok bool) string {
	if ok {
		return c.in("32", "✓")
	}
	return c.in("1;31", "✗")
}

// printable takes out what could steer a terminal from a text that nobody vouches for.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0 {
			return -1
		}
		return r
	}, text)
}
