package fleet

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"

	"github.com/wxpay-go/wxpay/contrib/fleet/internal/xlsx"
)

// CSV reads a table whose first line names the columns. Fields may be quoted, with quotes doubled
// and line breaks inside. An empty cell leaves its field out.
func (s Sheet) CSV(r io.Reader) iter.Seq2[Job, error] {
	return func(yield func(Job, error) bool) {
		if s.Path == "" {
			yield(Job{}, errors.New("fleet: jobs from CSV need a path"))
			return
		}
		if s.Comma == 0 {
			s.Comma = ','
		}
		var table *table
		var fields []string
		var cells []xlsx.Cell
		width := func() int {
			if table == nil {
				return 0
			}
			return len(table.columns)
		}
		breaks := 0 // of lines inside of fields, so far: a spreadsheet program shows a record in one row
		for record, err := range records(r, s.Comma, width) {
			if err != nil {
				yield(Job{}, err)
				return
			}
			if record.err == nil {
				fields, record.err = splitRecord(fields[:0], record.text, s.Comma)
			}
			if table == nil {
				if record.err == nil {
					table, record.err = s.header(fields)
				}
				if record.err != nil {
					yield(Job{}, fmt.Errorf("%w: %w", ErrColumns, record.err))
					return
				}
				continue
			}
			var job Job
			if err = record.err; err != nil {
				job.Source = &Source{Text: string(record.text)}
			} else if len(fields) != len(table.columns) {
				job.Source = &Source{Cells: slices.Clone(fields)}
				err = fmt.Errorf("it has %d fields, the first line names %d columns", len(fields), len(table.columns))
			} else {
				cells = cells[:0]
				for _, text := range fields {
					cells = append(cells, xlsx.Cell{Text: text})
				}
				err = table.job(&job, record.number, record.number-breaks, cells)
			}
			breaks += bytes.Count(record.text, []byte("\n"))
			if err != nil {
				err = s.bad(record.number, err, job.Source)
			}
			if !yield(job, err) {
				return
			}
		}
		if table == nil {
			yield(Job{}, fmt.Errorf("%w: it is empty", ErrColumns))
		}
	}
}
