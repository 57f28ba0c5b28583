package file

import (
	"bufio"
	"slices"
	"strings"

	"github.com/rivo/uniseg"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

// tableRows is how many rows share their column widths.
const tableRows = 1000

// billTable aligns rows in columns, [tableRows] at a time, so that memory stays bounded.
type billTable struct {
	out  *bufio.Writer
	rows [][]string
	over []string // the names over the rows
}

func (t *billTable) add(row wxpay.Row) error {
	if !slices.Equal(t.over, row.Columns()) {
		if t.over != nil {
			if err := t.flush(); err != nil {
				return err
			}
			_ = t.out.WriteByte('\n')
		}
		t.over = row.Columns()
		t.rows = append(t.rows, t.over)
	}
	if t.rows = append(t.rows, row.Values()); len(t.rows) > tableRows {
		return t.flush()
	}
	return nil
}

func (t *billTable) flush() error {
	var widths []int
	for _, row := range t.rows {
		for i, value := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], uniseg.StringWidth(shell.Printable(value)))
		}
	}
	for _, row := range t.rows {
		for i, value := range row {
			value = shell.Printable(value)
			_, _ = t.out.WriteString(value)
			if i < len(row)-1 {
				_, _ = t.out.WriteString(strings.Repeat(" ", widths[i]-uniseg.StringWidth(value)+2))
			}
		}
		if err := t.out.WriteByte('\n'); err != nil {
			return err
		}
	}
	t.rows = t.rows[:0]
	return nil
}
