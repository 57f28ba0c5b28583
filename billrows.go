package wxpay

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"slices"
	"strings"

	"github.com/wxpay-go/wxpay/internal/redact"
)

// Row is one line of a bill.
type Row struct {
	// Line counts the lines of the file from 1.
	Line int

	columns *columns
	text    string // the values, divided by between
	between string
}

// Format prints the line and the number of values under every verb: values identify people.
func (r Row) Format(s fmt.State, verb rune) { redact.Format(s, verb, r.summary()) }

// MarshalText gives encodings what Format prints.
func (r Row) MarshalText() ([]byte, error) { return []byte(r.summary()), nil }

func (r *Row) summary() string {
	return fmt.Sprintf("wxpay.Row{line %d, %d values}", r.Line, len(r.Values()))
}

// columns are the names over a block of rows.
type columns struct {
	names []string
	index map[string]int
}

func newColumns(names []string) *columns {
	c := &columns{names: names, index: make(map[string]int, len(names))}
	for i, name := range slices.Backward(names) {
		c.index[name] = i // of a name that stands twice the first counts
	}
	return c
}

// Columns returns the names of the columns, as the bill has them. They must not be changed.
func (r Row) Columns() []string {
	if r.columns == nil {
		return nil
	}
	return r.columns.names
}

// Values returns the values in the order of Columns, without the back-tick that stands before each in the file.
func (r Row) Values() []string {
	if r.between == "" {
		return nil
	}
	return strings.Split(r.text, r.between)
}

// count returns the number of values.
func (r Row) count() int { return strings.Count(r.text, r.between) + 1 }

// Get returns the value of a column by its name, such as 微信订单号; "" if there is no such column.
func (r Row) Get(column string) string {
	if r.columns == nil {
		return ""
	}
	i, ok := r.columns.index[column]
	if !ok {
		return ""
	}
	value, rest, more := strings.Cut(r.text, r.between)
	for ; i > 0; i-- {
		if !more {
			return ""
		}
		value, rest, more = strings.Cut(rest, r.between)
	}
	return value
}

// Fen returns the amount of a column, which bills write in yuan, in fen; see [ParseYuan].
func (r Row) Fen(column string) (int64, error) {
	fen, err := ParseYuan(r.Get(column))
	if err != nil && !slices.Contains(r.Columns(), column) {
		err = errors.New("there is no such column")
	}
	if err != nil {
		return 0, fmt.Errorf("line %d, column %s: %w", r.Line, redact.Quote(column), err)
	}
	return fen, nil
}

// Fen converts an amount in yuan, as bills have it (12.30, -0.01, 0.00000), to fen, exactly. What is no amount, has a
// fraction of a fen, or does not fit is an error.
func ParseYuan(yuan string) (int64, error) {
	whole, fraction, point := strings.Cut(yuan, ".")
	negative := strings.HasPrefix(whole, "-")
	if negative || strings.HasPrefix(whole, "+") {
		whole = whole[1:]
	}
	if whole == "" || point && fraction == "" || strings.Trim(whole+fraction, "0123456789") != "" {
		return 0, errors.New("it is not an amount in yuan")
	}
	if len(fraction) > 2 {
		if strings.Trim(fraction[2:], "0") != "" {
			return 0, errors.New("it has a fraction of a fen")
		}
		fraction = fraction[:2]
	}
	var fen int64
	for _, digit := range []byte(whole + (fraction + "00")[:2]) {
		if fen > (math.MaxInt64-int64(digit-'0'))/10 {
			return 0, errors.New("the amount is too large")
		}
		fen = 10*fen + int64(digit-'0')
	}
	if negative {
		fen = -fen
	}
	return fen, nil
}

// Rows returns the rows of the bill, without its summary, which [Bill.Summary] returns. It holds one row in memory and can
// be ranged over several times.
//
// A row that does not have one value for each column comes with an error, and the next follows it: so does each line that is
// neither a row nor the names over a summary, such as the pieces of a value with a line break. No line is left out in silence.
// An error that comes without a row ends the bill.
//
// Of an encrypted bill of several parts each may have names and a summary of its own; the next begins on a line of its own.
func (b *Bill) Rows() iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		text, err := b.lines()
		if err != nil {
			yield(Row{}, err)
			return
		}
		var summary summing
		for row, err := range readRows(text) {
			if summary.take(row, err) {
				continue
			}
			if !yield(row.Row, err) || err != nil && row.columns == nil {
				return
			}
		}
		if summary.wrong() == nil {
			b.keepSummary(summary.rows)
		}
	}
}

// Summary returns the rows at the end of the bill that sum it up, each with columns of its own, and all there are in a bill of
// several parts. It reads the bill, unless Rows has been at the end.
func (b *Bill) Summary() ([]Row, error) {
	b.mu.Lock()
	rows, known := b.summary, b.summed
	b.mu.Unlock()
	if known {
		return rows, nil
	}
	text, err := b.lines()
	if err != nil {
		return nil, err
	}
	var summary summing
	for row, err := range readRows(text) {
		summary.take(row, err)
	}
	if err := summary.wrong(); err != nil {
		return nil, err
	}
	b.keepSummary(summary.rows)
	return summary.rows, nil
}

func (b *Bill) keepSummary(summary []Row) {
	b.mu.Lock()
	b.summary, b.summed = summary, true
	b.mu.Unlock()
}

// summing gathers the summary from what readRows reads.
type summing struct {
	rows  []Row
	err   error // the summary cannot be read
	doubt error // of a line that may be part of one; a summary after it shows that it is not
}

// take reports whether the row is one of the summary.
func (s *summing) take(row readRow, err error) bool {
	switch {
	case err == nil && row.summary:
		s.rows, s.doubt = append(s.rows, row.Row), nil
		return true
	case err != nil && (row.summary || row.columns == nil):
		s.err = err
	case row.stray:
		s.doubt = err
	}
	return false
}

func (s *summing) wrong() error {
	if s.err != nil {
		return s.err
	}
	return s.doubt
}

// lines reads the plain text for its rows: as text does, with a line break between two parts where it is missing. (A part
// that begins with a BOM or with the names begins a line. Any other may go on in the middle of one.)
func (b *Bill) lines() (io.Reader, error) {
	all, err := b.plainParts()
	if len(all) < 2 || err != nil {
		return io.MultiReader(all...), err
	}
	var j joint
	for i, part := range all {
		all[i] = &jointPart{joint: &j, first: i == 0, part: part}
	}
	return io.MultiReader(all...), nil
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
			line, _, whole := strings.Cut(text, "\n")
			if line = strings.TrimSuffix(line, "\r"); whole {
				p.names = line
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

// bom is the byte order mark that a file may begin with.
const bom = "\ufeff"

// maxLine bounds a line of a bill in bytes. The longest documented ones have a few thousand.
const maxLine = 1 << 20

// maxBlank is how many blank lines may stand between the names over a summary and its values.
const maxBlank = 100

// readRow is a row and where it stands.
type readRow struct {
	Row
	summary bool
	stray   bool // neither a row nor names
}

// readRows reads the CSV of bills: a line of column names, rows, a second line of names, and under it the summary. A further
// part begins with the same names again, or with a BOM.
//
// A value has a back-tick before it, so that spreadsheets leave it alone, and commas inside a value are no end of it. Names
// have none, and a line of values of the same number under them, which is how the names over a summary are known; in a bill
// without any back-ticks they are known by their number, too. Nothing else changes what a line is taken for.
func readRows(r io.Reader) iter.Seq2[readRow, error] {
	return func(yield func(readRow, error) bool) {
		lines := billLines{Scanner: bufio.NewScanner(r)}
		lines.Buffer(make([]byte, 0, copyBuffer), maxLine)
		var at readRow
		var names string     // the line of them that a part begins with
		var columns *columns // in it
		ticked := false
		for lines.next() {
			at.Line = lines.at
			line, marked := strings.CutPrefix(lines.line, bom)
			tick := at.set(line)
			mixed := !tick && strings.Contains(line, ",`")
			switch {
			case strings.TrimSpace(line) == "":
				continue
			case columns != nil && line == names:
				at.columns, at.summary = columns, false
				continue
			case (columns == nil || marked) && !tick && !mixed:
				names, columns = line, newColumns(at.Values())
				at.columns, at.summary = columns, false
				continue
			case columns == nil:
				yield(readRow{Row: Row{Line: at.Line}}, fmt.Errorf("wxpay: line %d of the bill has values, and there are no names of columns above it", at.Line))
				return
			case marked:
				at.columns, at.summary = columns, false
			case !tick && !mixed && lines.under(at.Row, ticked):
				at.columns, at.summary = newColumns(at.Values()), true
				continue
			}
			ticked = ticked || tick
			var err error
			at.stray = ticked && !tick && !mixed
			switch n := at.count(); {
			case at.stray:
				err = fmt.Errorf("wxpay: line %d of the bill is no row (its values have no back-ticks), and no names with values under them", at.Line)
			case mixed:
				err = fmt.Errorf("wxpay: line %d of the bill has back-ticks before some values, and none before its first", at.Line)
			case n != len(at.columns.names):
				err = fmt.Errorf("wxpay: line %d of the bill has %d values for %d columns", at.Line, n, len(at.columns.names))
				at.stray = !tick
			}
			row := at
			row.summary = at.summary && !at.stray && !mixed
			if !yield(row, err) {
				return
			}
		}
		if err := lines.Err(); err != nil {
			if errors.Is(err, bufio.ErrTooLong) {
				err = fmt.Errorf("it is longer than %d bytes", maxLine)
			}
			yield(readRow{Row: Row{Line: lines.at + 1}}, fmt.Errorf("wxpay: line %d of the bill cannot be read: %w", lines.at+1, err))
		}
	}
}

// set takes the values from a line, and reports whether they have back-ticks.
func (r *Row) set(line string) (ticked bool) {
	if r.text, ticked = strings.CutPrefix(line, "`"); ticked {
		r.between = ",`"
	} else {
		r.between = ","
	}
	return ticked
}

// likeNames reports whether the values look like names: there is something in each, and it begins with no digit or sign.
func (r Row) likeNames() bool {
	for name := range strings.SplitSeq(r.text, r.between) {
		if name == "" || strings.Contains("+-0123456789", name[:1]) {
			return false
		}
	}
	return true
}

// billLines are the lines of a bill, of which one may be looked at before its turn.
type billLines struct {
	*bufio.Scanner
	line  string
	at    int      // number of line
	ahead []string // lines after it
}

func (l *billLines) next() bool {
	if len(l.ahead) > 0 {
		l.line, l.ahead = l.ahead[0], l.ahead[1:]
	} else if l.Scan() {
		l.line = l.Text()
	} else {
		return false
	}
	l.at++
	return true
}

// under reports whether the next line has values for these names. Back-ticks and a number that is not that of the columns above
// both tell them from the names; where one is missing, the names have to look like names, and without back-ticks the number has
// to be another.
func (l *billLines) under(names Row, ticked bool) bool {
	for len(l.ahead) == 0 || strings.TrimSpace(l.ahead[len(l.ahead)-1]) == "" {
		if len(l.ahead) > maxBlank || !l.Scan() {
			return false
		}
		l.ahead = append(l.ahead, l.Text())
	}
	var values Row
	tick := values.set(l.ahead[len(l.ahead)-1])
	other := names.count() != len(names.columns.names)
	return values.count() == names.count() && (tick && other || (tick || !ticked && other) && names.likeNames())
}
