package bill

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/wxpay-go/wxpay/internal/download"
)

const (
	bom      = "\ufeff" // the byte order mark that a file may begin with
	maxLine  = 1 << 20  // bytes of a line; the longest documented ones have a few thousand
	maxBlank = 100      // blank lines between the names above a summary and its values
)

// line is a row and where it stands.
type line struct {
	Row
	summary bool
	stray   bool // no row, and perhaps names
}

// readLines reads the CSV of bills: a line of column names, rows, a second line of names, and below
// it the summary. A further part begins with the same names again, or with a BOM.
//
// A back-tick begins a row and stands before each of its values, so that spreadsheets leave them
// alone; a comma inside a value does not end it. Every other line is names, if values for them
// follow: see below. In a bill that has no back-ticks (none is known, and no page rules it out)
// every other line is a row.
func readLines(r io.Reader) iter.Seq2[line, error] {
	return func(yield func(line, error) bool) {
		lines := scanner{Scanner: bufio.NewScanner(r)}
		lines.Buffer(make([]byte, 0, download.BufferSize), maxLine)
		var at line
		var first string     // the line of names that a part begins with
		var columns *columns // in it
		ticked := false      // there was a back-tick
		for lines.next() {
			text, marked := strings.CutPrefix(lines.text, bom)
			at.Line = lines.at
			begins := at.parse(text)
			names := !begins && !strings.Contains(text, separator)
			switch {
			case strings.TrimSpace(text) == "":
				continue
			case columns == nil && !names:
				yield(line{Row: Row{Line: at.Line}}, fmt.Errorf(
					"wxpay: line %d of the bill has values, and there are no names of columns above it", at.Line))
				return
			case columns != nil && text == first:
				at.columns, at.summary = columns, false
				continue
			case columns == nil, marked && names:
				first, columns = text, newColumns(at.All())
				at.columns, at.summary = columns, false
				continue
			case marked:
				at.columns, at.summary = columns, false
			case names && lines.below(at.Values, ticked):
				at.columns, at.summary = newColumns(at.All()), true
				continue
			}
			ticked = ticked || begins
			out := at
			var err error
			switch n := at.Len(); {
			case !begins && (ticked || !names):
				err = fmt.Errorf("wxpay: line %d of the bill is no row (it begins with no back-tick), "+
					"and no names with values below them", at.Line)
				out.stray, out.summary = names, false
			case n != len(at.columns.names):
				err = fmt.Errorf("wxpay: line %d of the bill has %d values for %d columns", at.Line, n, len(at.columns.names))
				out.stray, out.summary = !begins, at.summary && begins
			}
			if !yield(out, err) {
				return
			}
		}
		if err := lines.Err(); err != nil {
			if errors.Is(err, bufio.ErrTooLong) {
				err = fmt.Errorf("it is longer than %d bytes", maxLine)
			}
			yield(line{Row: Row{Line: lines.at + 1}}, fmt.Errorf("wxpay: line %d of the bill cannot be read: %w", lines.at+1, err))
		}
	}
}

// scanner reads lines, and looks at one before its turn.
type scanner struct {
	*bufio.Scanner
	text  string
	at    int      // number of the line
	ahead []string // lines after it
}

func (s *scanner) next() bool {
	if len(s.ahead) > 0 {
		s.text, s.ahead = s.ahead[0], s.ahead[1:]
	} else if s.Scan() {
		s.text = s.Text()
	} else {
		return false
	}
	s.at++
	return true
}

// below reports whether the next line that is not blank has values for these names. The piece of a
// value with a line break may have as many above a row. Names are told from it by their number, if
// that is not the one of the columns above, or by how they look; in a bill without back-ticks by
// both.
func (s *scanner) below(names Values, ticked bool) bool {
	for len(s.ahead) == 0 || strings.TrimSpace(s.ahead[len(s.ahead)-1]) == "" {
		if len(s.ahead) > maxBlank || !s.Scan() {
			return false
		}
		s.ahead = append(s.ahead, s.Text())
	}
	var values Values
	begins := values.parse(s.ahead[len(s.ahead)-1])
	other := names.Len() != len(names.columns.names)
	switch {
	case values.Len() != names.Len():
		return false
	case begins:
		return other || names.likeNames()
	}
	return !ticked && other && names.likeNames()
}

// joined reads parts one after another, with a line break between two where it is missing. (A part
// that begins with a BOM or with the names of the first begins a line. Any other may go on in the
// middle of one.)
func joined(parts []io.Reader) io.Reader {
	if len(parts) < 2 {
		return io.MultiReader(parts...)
	}
	var j joint
	for i, part := range parts {
		parts[i] = &jointPart{joint: &j, first: i == 0, part: part}
	}
	return io.MultiReader(parts...)
}

// joint is what parts of a bill know of those before them.
type joint struct {
	names string // the first line of the bill
	last  byte
}

type jointPart struct {
	*joint
	first bool
	part  io.Reader
	begun *bufio.Reader
}

func (p *jointPart) Read(b []byte) (int, error) {
	if p.begun == nil {
		p.begun = bufio.NewReader(p.part)
		head, _ := p.begun.Peek(p.begun.Size())
		text := strings.TrimPrefix(string(head), bom)
		switch {
		case p.first:
			names, _, whole := strings.Cut(text, "\n")
			if names = strings.TrimSuffix(names, "\r"); whole {
				p.names = names
			}
		case p.last != '\n' && p.last != 0 && (len(text) < len(head) || p.names != "" && strings.HasPrefix(text, p.names)):
			p.last = '\n'
			return copy(b, "\n"), nil
		}
	}
	n, err := p.begun.Read(b)
	if n > 0 {
		p.last = b[n-1]
	}
	return n, err
}
