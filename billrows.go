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
)

// Row is one line of a bill.
type Row struct {
	// Line counts the lines of the file from 1.
	Line int

	columns *columns
	text    string // the values, divided by between
	between string
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

// Fen returns the amount of a column, which bills write in yuan, in fen; see [Fen].
func (r Row) Fen(column string) (int64, error) {
	fen, err := Fen(r.Get(column))
	if err != nil {
		return 0, fmt.Errorf("line %d, column %s: %w", r.Line, quote(column), err)
	}
	return fen, nil
}

// Fen converts an amount in yuan, as bills have it (12.30, -0.01, 0.00000), to fen, exactly. What is no amount, has a
// fraction of a fen, or does not fit is an error.
func Fen(yuan string) (int64, error) {
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
// A row that does not have one value for each column comes with an error, and the next follows it; an error that comes
// without a row ends the bill.
func (b *Bill) Rows() iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		text, err := b.text()
		if err != nil {
			yield(Row{}, err)
			return
		}
		var summary []Row
		whole := true
		for row, err := range readRows(text) {
			if row.summary && err == nil {
				summary = append(summary, row.Row)
				continue
			}
			whole = whole && !row.summary
			if !yield(row.Row, err) || err != nil && row.columns == nil {
				return
			}
		}
		if whole {
			b.keepSummary(summary)
		}
	}
}

// Summary returns the rows at the end of the bill that sum it up, each with columns of its own. It reads the bill, unless
// Rows has been at the end.
func (b *Bill) Summary() ([]Row, error) {
	b.mu.Lock()
	summary, known := b.summary, b.summed
	b.mu.Unlock()
	if known {
		return summary, nil
	}
	text, err := b.text()
	if err != nil {
		return nil, err
	}
	for row, err := range readRows(text) {
		switch {
		case row.summary && err != nil, row.columns == nil:
			return nil, err
		case row.summary:
			summary = append(summary, row.Row)
		}
	}
	b.keepSummary(summary)
	return summary, nil
}

func (b *Bill) keepSummary(summary []Row) {
	b.mu.Lock()
	b.summary, b.summed = summary, true
	b.mu.Unlock()
}

// maxLine bounds a line of a bill in bytes. The longest documented ones have a few thousand.
const maxLine = 1 << 20

// readRow is a row and where it stands.
type readRow struct {
	Row
	summary bool
}

// readRows reads the CSV of bills: a line of column names, rows, a second line of names, and under it the summary.
// A value has a back-tick before it, so that spreadsheets leave it alone, and commas inside a value are no end of it.
// Names have none, which is how the summary's names are known; in a bill without any back-ticks, they are known by their
// number.
func readRows(r io.Reader) iter.Seq2[readRow, error] {
	return func(yield func(readRow, error) bool) {
		lines := bufio.NewScanner(r)
		lines.Buffer(make([]byte, 0, copyBuffer), maxLine)
		var at readRow
		var first string
		ticked := false
		for lines.Scan() {
			at.Line++
			line := lines.Text()
			if at.Line == 1 {
				line = strings.TrimPrefix(line, "\ufeff")
				first = line
			}
			tick := at.set(line)
			switch {
			case strings.TrimSpace(line) == "" || at.Line > 1 && strings.TrimPrefix(line, "\ufeff") == first:
				continue // a further part of a bill may begin with the names again
			case at.columns == nil && tick:
				yield(readRow{Row: Row{Line: at.Line}}, fmt.Errorf("wxpay: line %d of the bill has values, and there are no names of columns above it", at.Line))
				return
			case at.columns == nil:
				at.columns = newColumns(at.Values())
				continue
			case !tick && !at.summary && (ticked || at.count() != len(at.columns.names)):
				at.columns, at.summary = newColumns(at.Values()), true
				continue
			}
			ticked = ticked || tick
			var err error
			if n := at.count(); n != len(at.columns.names) {
				err = fmt.Errorf("wxpay: line %d of the bill has %d values for %d columns", at.Line, n, len(at.columns.names))
			}
			if !yield(at, err) {
				return
			}
		}
		if err := lines.Err(); err != nil {
			if errors.Is(err, bufio.ErrTooLong) {
				err = fmt.Errorf("it is longer than %d bytes", maxLine)
			}
			yield(readRow{Row: Row{Line: at.Line + 1}}, fmt.Errorf("wxpay: line %d of the bill cannot be read: %w", at.Line+1, err))
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
