package fleet

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/wxpay-go/wxpay/contrib/fleet/internal/xlsx"
)

// XLSX reads a worksheet of a workbook in the form .xlsx; its first row that is not empty names the
// columns. An empty cell leaves its field out. A hidden row is rejected, since a reader of the list
// has not seen it. So is a row with a cell that nobody filled in like that: a number with lost
// digits, a date, an error. size is that of the file in bytes. The texts of a workbook are kept in
// memory; the rows are not.
func (s Sheet) XLSX(r io.ReaderAt, size int64) iter.Seq2[Job, error] {
	return func(yield func(Job, error) bool) {
		if err := s.worksheet(r, size, yield); err != nil {
			yield(Job{}, err)
		}
	}
}

// worksheet gives the jobs to yield, and returns why that ends too early.
func (s *Sheet) worksheet(r io.ReaderAt, size int64, yield func(Job, error) bool) error {
	if s.Path == "" {
		return errors.New("fleet: jobs from a workbook need a path")
	}
	book, err := xlsx.Open(r, size)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrColumns, err)
	}
	sheet, err := s.choose(book.Worksheets())
	if err != nil {
		return fmt.Errorf("%w: %w", ErrColumns, err)
	}
	var table *table
	for row, err := range book.Rows(sheet) {
		if err != nil {
			if table == nil {
				return fmt.Errorf("%w: %w", ErrColumns, err)
			}
			return fmt.Errorf("fleet: reading: %w", err)
		}
		if table == nil {
			names := make([]string, len(row.Cells))
			for i, c := range row.Cells {
				names[i] = c.Text
			}
			if table, err = s.header(names); err != nil {
				return fmt.Errorf("%w: %w", ErrColumns, err)
			}
			continue
		}
		var job Job
		err = table.job(&job, row.Number, row.Number, row.Cells)
		if row.Hidden {
			err = errors.New("the row is hidden, by hand or by a filter: show it, or delete it")
		}
		if err != nil {
			err = s.bad(row.Number, err, job.Source)
		}
		if !yield(job, err) {
			return nil
		}
	}
	if table == nil {
		return fmt.Errorf("%w: the sheet is empty", ErrColumns)
	}
	return nil
}

// choose returns the worksheet with the name, or the first that is not hidden.
func (s *Sheet) choose(sheets []xlsx.Worksheet) (xlsx.Worksheet, error) {
	var names []string
	for _, sheet := range sheets {
		if sheet.Name == s.Worksheet || s.Worksheet == "" && !sheet.Hidden {
			return sheet, nil
		}
		names = append(names, fmt.Sprintf("%q", sheet.Name))
	}
	return xlsx.Worksheet{}, fmt.Errorf("there is no worksheet %q among %s", s.Worksheet, strings.Join(names, ", "))
}
