package shell

import (
	"os"
	"strings"
	"time"
	"unicode"

	"github.com/rivo/uniseg"
	"golang.org/x/term"
)

// IsTerminal reports whether a stream of the program is a terminal.
func IsTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// Paint gives text the attributes of a terminal if it is true, and returns it as it is otherwise.
type Paint bool

func (c Paint) in(attribute, text string) string {
	if !c || text == "" {
		return text
	}
	return "\x1b[" + attribute + "m" + text + "\x1b[0m"
}

// Bold returns text for headings.
func (c Paint) Bold(text string) string { return c.in("1", text) }

// Faint returns text that is beside the point.
func (c Paint) Faint(text string) string { return c.in("2", text) }

// Mark returns a green tick or a red cross.
func (c Paint) Mark(ok bool) string {
	if ok {
		return c.in("32", "✓")
	}
	return c.in("1;31", "✗")
}

// Dash returns the mark of a line that is neither good nor bad.
func (c Paint) Dash() string { return c.Faint("–") }

// Printable removes what could steer a terminal from a text of unknown origin: control characters (C0 and C1), and the
// characters that change the direction of writing. Line feeds and tabs stay.
func Printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0 || unicode.Is(unicode.Bidi_Control, r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "\ufffd")) // a lone byte of 0x80 to 0x9f is a control to some terminals
}

// OneLine is [Printable] without line breaks.
func OneLine(text string) string { return strings.Join(strings.Fields(Printable(text)), " ") }

// Bounded is [OneLine], cut after 64 characters.
func Bounded(text string) string {
	const longest = 64
	text = OneLine(text)
	if runes := []rune(text); len(runes) > longest {
		return string(runes[:longest]) + "…"
	}
	return text
}

// Pad adds blanks to a text until it is so many cells wide on a terminal, where a Chinese character takes two.
func Pad(text string, cells int) string {
	return text + strings.Repeat(" ", max(cells-uniseg.StringWidth(text), 0))
}

// China is the time zone of the platform.
var China = time.FixedZone("", 8*60*60)
