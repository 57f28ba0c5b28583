package shell

import (
	"io"
	"strings"

	"github.com/rivo/uniseg"
)

// Status is one line of stderr that is written again and again, if that is a terminal.
type Status struct {
	to    io.Writer // nil if nothing is shown
	width int       // of the line on the terminal, in cells
}

// Status returns a line. Clear it before anything else is written to stderr.
func (sh *Shell) Status() *Status {
	if !sh.Bars {
		return new(Status)
	}
	return &Status{to: sh.Stderr}
}

// Draw writes the line over the one before. A terminal that cannot be written to costs the line, nothing else.
func (s *Status) Draw(line string) {
	if s.to == nil {
		return
	}
	width := uniseg.StringWidth(line)
	_, _ = io.WriteString(s.to, "\r"+line+strings.Repeat(" ", max(s.width-width, 0)))
	s.width = width
}

// Clear takes the line away.
func (s *Status) Clear() {
	if s.width > 0 {
		s.Draw("")
		_, _ = io.WriteString(s.to, "\r")
	}
}
