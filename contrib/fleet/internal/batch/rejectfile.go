package batch

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/wxpay-go/wxpay/contrib/fleet"
	"github.com/wxpay-go/wxpay/contrib/fleet/internal/xlsx"
)

// rejectWriter writes lines that are no jobs into a file of the form of that which is read, so that they can be mended there
// and read again.
type rejectWriter interface {
	add(*fleet.LineError) error
	close() error
}

// The columns before those of the table, which are not read.
const (
	lineColumn   = "#line"
	reasonColumn = "#reason"
)

func (o *sourceOptions) rejectWriter(w io.Writer) rejectWriter {
	switch o.format {
	case "csv":
		return newCSVRejects(w, o)
	case "xlsx":
		return newXLSXRejects(w, o)
	}
	return ndjsonRejects{bufio.NewWriter(w)}
}

// cells returns those of a row without what an earlier file of rejects has put before them.
func (o *sourceOptions) cells(source *fleet.Source) []string {
	if source == nil {
		return nil
	}
	if names := o.header.Source.Cells; len(names) > 1 && names[0] == lineColumn && names[1] == reasonColumn {
		return source.Cells[min(2, len(source.Cells)):]
	}
	return source.Cells
}

// ndjsonRejects writes what fleet.Sheet.NDJSON knows as a line that was rejected.
type ndjsonRejects struct{ out *bufio.Writer }

func (r ndjsonRejects) add(e *fleet.LineError) error {
	type origin struct {
		File   string `json:"file"`
		Line   int    `json:"line"`
		Reason string `json:"reason"`
	}
	line := struct {
		Rejected origin          `json:"rejected"`
		Line     json.RawMessage `json:"line,omitempty"`
		Text     string          `json:"text,omitempty"`
	}{Rejected: origin{e.File, e.Line, e.Err.Error()}}
	if e.Source != nil {
		if text := e.Source.Text; strings.HasPrefix(text, "{") && json.Valid([]byte(text)) {
			line.Line = json.RawMessage(text)
		} else {
			line.Text = text
		}
	}
	encoder := json.NewEncoder(r.out)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(line)
}

func (r ndjsonRejects) close() error { return r.out.Flush() }

// csvRejects writes UTF-8 with a byte order mark, by which spreadsheet programs know it.
type csvRejects struct {
	o   *sourceOptions
	out *bufio.Writer
}

func newCSVRejects(w io.Writer, o *sourceOptions) csvRejects {
	r := csvRejects{o, bufio.NewWriter(w)}
	_, _ = r.out.WriteString("\ufeff")
	r.line([]string{lineColumn, reasonColumn}, o.header.Source)
	return r
}

func (r csvRejects) add(e *fleet.LineError) error {
	r.line([]string{strconv.Itoa(e.Line), e.Err.Error()}, e.Source)
	_, err := r.out.Write(nil) // which returns the first error there was
	return err
}

// line writes a record. A line that has no fields stays as it is, so that it is no right one either when it is read again.
func (r csvRejects) line(before []string, source *fleet.Source) {
	cells := append(before, r.o.cells(source)...)
	for i, text := range cells {
		if i > 0 {
			_ = r.out.WriteByte(r.o.sheet.Comma)
		}
		writeField(r.out, text, r.o.sheet.Comma)
	}
	if source != nil && source.Cells == nil {
		_ = r.out.WriteByte(r.o.sheet.Comma)
		_, _ = r.out.WriteString(source.Text)
	}
	_, _ = r.out.WriteString("\r\n")
}

// writeField writes a field of a CSV file, in quotes if it needs them.
func writeField(out *bufio.Writer, text string, comma byte) {
	if strings.ContainsAny(text, "\"\r\n"+string(comma)) {
		text = `"` + strings.ReplaceAll(text, `"`, `""`) + `"`
	}
	_, _ = out.WriteString(text)
}

func (r csvRejects) close() error { return r.out.Flush() }

// rejectSheet is the name of the sheet of rejects.
const rejectSheet = "rejects"

// xlsxRejects writes a workbook of texts, so that no number is shortened while the lines are mended.
type xlsxRejects struct {
	o   *sourceOptions
	out *xlsx.Writer
}

func newXLSXRejects(w io.Writer, o *sourceOptions) xlsxRejects {
	r := xlsxRejects{o, xlsx.NewWriter(w, rejectSheet)}
	_ = r.row(xlsx.Head, xlsx.Output{Text: lineColumn, Format: xlsx.Head}, xlsx.Output{Text: reasonColumn, Format: xlsx.Head}, o.header.Source)
	return r
}

func (r xlsxRejects) add(e *fleet.LineError) error {
	return r.row(xlsx.Plain, xlsx.Output{Text: strconv.Itoa(e.Line)}, xlsx.Output{Text: e.Err.Error(), Format: xlsx.Red}, e.Source)
}

// row returns the first error there was.
func (r xlsxRejects) row(format xlsx.Format, line, reason xlsx.Output, source *fleet.Source) error {
	row := []xlsx.Output{line, reason}
	for _, text := range r.o.cells(source) {
		row = append(row, xlsx.Output{Text: text, Format: format})
	}
	return r.out.Row(row...)
}

func (r xlsxRejects) close() error { return r.out.Close() }

// isRejects reports whether a file is one that rejects has written.
func isRejects(path string) bool {
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	file, err := os.Open(path)
	if err != nil {
		return false
	}
	defer file.Close()
	head := make([]byte, 64)
	n, _ := io.ReadFull(file, head)
	switch head = head[:n]; {
	case xlsx.Like(head):
		book, err := xlsx.Open(file, info.Size())
		return err == nil && book.Worksheets()[0].Name == rejectSheet
	case bytes.HasPrefix(head, []byte("\ufeff"+lineColumn)):
		return bytes.Contains(head, []byte(reasonColumn))
	}
	return bytes.HasPrefix(head, []byte(`{"rejected":{"file":`))
}
