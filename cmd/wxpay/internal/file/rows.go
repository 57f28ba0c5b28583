package file

import (
	"bufio"
	"io"
	"iter"
	"strings"
	"unicode/utf8"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/ordered"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

// writeBill writes a bill in a format. Rows that cannot be read are left out.
func writeBill(w io.Writer, bill *wxpay.Bill, format string, left *leftOut) error {
	if format == "csv" {
		_, err := bill.WriteTo(w)
		return err
	}
	out := bufio.NewWriter(w)
	table := billTable{out: out}
	write := func(row wxpay.Row) error { return writeObject(out, row) }
	if format == "table" {
		write = table.add
	}
	for row, err := range bill.Rows() {
		if err == nil {
			err = checkText(row)
		} else if row.Columns() == nil {
			return err // there is nothing behind it
		}
		if err != nil {
			left.add(err)
		} else if err := write(row); err != nil {
			return err
		}
	}
	if format == "table" {
		summary, err := bill.Summary()
		if err != nil && left.count == 0 { // else it is told already
			left.add(err)
		}
		for _, row := range summary {
			if err := checkText(row); err != nil {
				left.add(err)
			} else if err := table.add(row); err != nil {
				return err
			}
		}
		if err := table.flush(); err != nil {
			return err
		}
	}
	return out.Flush()
}

// checkText finds bytes that are not UTF-8. JSON and a terminal cannot carry them, and replaced they would pass for the
// platform's.
func checkText(row wxpay.Row) error {
	values := row.Values()
	for i, name := range row.Columns() {
		switch {
		case !utf8.ValidString(name):
			return shell.Say("line %d of the bill: the name of column %d has bytes that are not UTF-8", row.Line, i+1)
		case !utf8.ValidString(values[i]):
			return shell.Say("line %d of the bill: %s has bytes that are not UTF-8", row.Line, name)
		}
	}
	return nil
}

// leftOut tells, on stderr, which lines of a bill are left out.
type leftOut struct {
	sh    *shell.Shell
	count int
}

const mostLeftOut = 20

func (l *leftOut) add(err error) {
	if l.count++; l.count <= mostLeftOut {
		l.sh.Note("wxpay: %s", strings.TrimPrefix(l.sh.ErrorText(err), "wxpay: "))
	}
}

// result tells how many lines there were, and returns the error that ends the program then.
func (l *leftOut) result() error {
	if l.count == 0 {
		return nil
	}
	l.sh.Note("wxpay: lines of the bill left out: %d; --format csv has them as the platform made them", l.count)
	return shell.Exit(shell.ExitRejected)
}

// writeObject writes a row as one line of JSON, its fields in the order of the columns.
func writeObject(w *bufio.Writer, row wxpay.Row) error {
	line, err := ordered.Marshal(object{row})
	if err != nil {
		return err
	}
	_, err = w.Write(append(line, '\n'))
	return err
}

// object is a row as a JSON object.
type object struct{ wxpay.Row }

// All yields the columns, for package ordered.
func (o object) All() iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		values := o.Values()
		for i, name := range o.Columns() {
			if !yield(name, values[i]) {
				return
			}
		}
	}
}
