package batch

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"math/big"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/wxpay-go/wxpay/contrib/fleet"
	"github.com/wxpay-go/wxpay/contrib/fleet/internal/xlsx"
	"github.com/wxpay-go/wxpay/fact"
)

// resultFormat returns the form of a file of results, by its name.
func resultFormat(path string) string {
	switch ext := strings.ToLower(filepath.Ext(path)); ext {
	case ".csv", ".xlsx":
		return ext[1:]
	}
	return "ndjson"
}

// writeResults writes results in a form, and adds them up. results is read once for NDJSON, three times for a table: for its
// columns, for the jobs that need attention, and for the others.
func writeResults(w io.Writer, format string, results func() iter.Seq2[fleet.Result, error]) (tally, error) {
	if format != "ndjson" {
		return writeTable(w, format, results)
	}
	all := make(tally)
	out := bufio.NewWriter(w)
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	for r, err := range results() {
		if err != nil {
			return all, err
		}
		all.add(r)
		if err := encoder.Encode(r); err != nil {
			return all, fmt.Errorf("the results: %w", err)
		}
	}
	return all, out.Flush()
}

// resultTable is a table of results.
type resultTable struct {
	amounts, selected []string // the names of its columns for them
}

// errColumn means that a job that ended meanwhile has an amount or a selected field that no column is for.
var errColumn = errors.New("the results: jobs of another kind have ended while they were read: write the results again")

func writeTable(w io.Writer, format string, results func() iter.Seq2[fleet.Result, error]) (tally, error) {
	amounts, selected, files := make(map[string]bool), make(map[string]bool), make(map[string]bool)
	for r, err := range results() {
		if err != nil {
			return nil, err
		}
		if r.File != "" {
			files[r.File] = true
		}
		for name := range r.Amounts {
			amounts[name] = true
		}
		for name := range r.Selected {
			selected[name] = true
		}
	}
	t := &resultTable{slices.Sorted(maps.Keys(amounts)), slices.Sorted(maps.Keys(selected))}
	var out tableWriter = newCSVTable(w)
	if format == "xlsx" {
		out = xlsxTable{xlsx.NewWriter(w, "results")}
	}
	all := make(tally)
	if err := out.row(t.head()); err != nil {
		return nil, fmt.Errorf("the results: %w", err)
	}
	written := make(map[string]bool) // that need attention, by their number: one may be done before the others are read
	for _, first := range []bool{true, false} {
		for r, err := range results() {
			if err != nil {
				return nil, err
			}
			note, _ := attention(r.State)
			key := r.Method + " " + r.Path + " " + r.Number
			if (note != "") != first || written[key] {
				continue
			}
			if first {
				written[key] = true
			}
			all.add(r)
			row, err := t.row(r)
			if err != nil {
				return nil, err
			}
			if err := out.row(row, t.head()...); err != nil {
				return nil, fmt.Errorf("the results: %w", err)
			}
		}
	}
	notes := [][]xlsx.Output{{}, append(heads("lists"), xlsx.Output{Text: strings.Join(slices.Sorted(maps.Keys(files)), ", ")}),
		append(heads("written (UTC+8)"), xlsx.Output{Text: inBeijing(time.Now())})}
	if err := out.close(append(all.rows(), notes...)); err != nil {
		return nil, fmt.Errorf("the results: %w", err)
	}
	return all, nil
}

// tableWriter writes the rows of a table.
type tableWriter interface {
	row(cells []xlsx.Output, head ...xlsx.Output) error // head begins another sheet, where one is full
	close(summary [][]xlsx.Output) error
}

func (t *resultTable) head() []xlsx.Output {
	row := heads("line", "number", "state", "attention")
	for _, name := range t.amounts {
		row = append(row, heads(name+" (yuan)")...)
	}
	row = append(row, heads("code", "message", "request_id")...)
	row = append(row, heads(t.selected...)...)
	return append(row, heads("attempts", "submitted (UTC+8)", "ended (UTC+8)", "file")...)
}

func (t *resultTable) row(r fleet.Result) ([]xlsx.Output, error) {
	note, mark := attention(r.State)
	text := func(s string) xlsx.Output { return xlsx.Output{Text: s, Format: mark} }
	row := []xlsx.Output{{}, text(r.Number), text(string(r.State)), text(note)}
	if r.Line > 0 {
		row[0] = xlsx.Output{Text: strconv.Itoa(r.Line), Format: xlsx.Count}
	}
	found := 0
	for _, name := range t.amounts {
		cell := xlsx.Output{}
		if fen, ok := r.Amounts[name]; ok {
			found++
			cell = xlsx.Output{Text: inYuan(big.NewInt(fen), ""), Format: xlsx.Yuan}
		}
		row = append(row, cell)
	}
	row = append(row, text(r.Code), text(r.Message), text(r.RequestID))
	for _, name := range t.selected {
		cell := xlsx.Output{}
		if value, ok := r.Selected[name]; ok {
			found++
			cell.Text = string(value)
			if parsed := gjson.ParseBytes(value); parsed.Type == gjson.String {
				cell.Text = parsed.String()
			}
		}
		row = append(row, cell)
	}
	if found < len(r.Amounts)+len(r.Selected) {
		return nil, errColumn
	}
	return append(row, xlsx.Output{Text: strconv.Itoa(r.Attempts), Format: xlsx.Count}, xlsx.Output{Text: inBeijing(r.Submitted)},
		xlsx.Output{Text: inBeijing(r.Ended)}, xlsx.Output{Text: r.File}), nil
}

func inBeijing(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(fact.Beijing).Format(time.DateTime)
}

// csvTable writes UTF-8 with a byte order mark, by which spreadsheet programs know it.
type csvTable struct{ out *bufio.Writer }

func newCSVTable(w io.Writer) csvTable {
	t := csvTable{bufio.NewWriter(w)}
	_, _ = t.out.WriteString("\ufeff")
	return t
}

// row writes a record. Before a text that a spreadsheet program would take for a formula goes an apostrophe.
func (t csvTable) row(cells []xlsx.Output, _ ...xlsx.Output) error {
	for i, c := range cells {
		if i > 0 {
			_ = t.out.WriteByte(',')
		}
		text := c.Text
		if c.Format != xlsx.Yuan && c.Format != xlsx.Count && text != "" && strings.Contains("=+-@\t\r", text[:1]) {
			text = "'" + text
		}
		writeField(t.out, text, ',')
	}
	_, err := t.out.WriteString("\r\n")
	return err
}

func (t csvTable) close([][]xlsx.Output) error { return t.out.Flush() }

// xlsxTable writes a workbook: the results, and how they add up.
type xlsxTable struct{ out *xlsx.Writer }

func (t xlsxTable) row(cells []xlsx.Output, head ...xlsx.Output) error {
	for i := range cells {
		if !xlsx.Fits(cells[i].Text) {
			cells[i].Text = "(too long for a cell: see the results in NDJSON)"
		}
	}
	err := t.out.Row(cells...)
	if errors.Is(err, xlsx.ErrFull) {
		t.out.Sheet("more results " + strconv.Itoa(t.out.Sheets()))
		if err = t.out.Row(head...); err == nil {
			err = t.out.Row(cells...)
		}
	}
	return err
}

func (t xlsxTable) close(summary [][]xlsx.Output) error {
	t.out.Sheet("summary")
	for _, row := range summary {
		if err := t.out.Row(row...); err != nil {
			return err
		}
	}
	return t.out.Close()
}
