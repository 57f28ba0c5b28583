package xlsx

import (
	"archive/zip"
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Format is how a cell that is written looks.
type Format uint8

// Formats. A text stays one when somebody edits it.
const (
	Plain  Format = iota // text
	Head                 // text of the first row
	Red                  // text that needs attention
	Yellow               // text that needs attention first
	Yuan                 // a number with two places
	Count                // a whole number
)

// Output is a cell to write. Text of a number is without an exponent.
type Output struct {
	Text   string
	Format Format
}

// ErrFull means that a sheet has all the rows that it can have.
var ErrFull = fmt.Errorf("a sheet has at most %d rows", MaxRows)

// Writer writes a workbook. The same cells give the same bytes.
type Writer struct {
	archive *zip.Writer
	out     *bufio.Writer // the current sheet
	names   []string
	rows    int
	err     error
}

// NewWriter returns a writer of a workbook, which begins with a sheet.
func NewWriter(w io.Writer, name string) *Writer {
	b := &Writer{archive: zip.NewWriter(w)}
	b.Sheet(name)
	return b
}

// Sheet ends the sheet and begins another one.
func (w *Writer) Sheet(name string) {
	w.end()
	w.names = append(w.names, name)
	w.rows = 0
	w.part(fmt.Sprintf("xl/worksheets/sheet%d.xml", len(w.names)), `<worksheet xmlns="`+main+`"><sheetViews><sheetView workbookViewId="0">`+
		`<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>`+
		`<sheetFormatPr defaultRowHeight="15"/><cols><col min="1" max="64" width="18" customWidth="1"/></cols><sheetData>`)
}

// Sheets is how many there are.
func (w *Writer) Sheets() int { return len(w.names) }

func (w *Writer) end() {
	if w.out != nil {
		w.write("</sheetData></worksheet>")
	}
}

// Row writes a row, and returns the first error there was.
func (w *Writer) Row(cells ...Output) error {
	if w.rows == MaxRows && w.err == nil {
		return ErrFull
	}
	w.rows++
	w.write("<row>")
	for _, c := range cells {
		switch {
		case c.Text == "":
			w.write("<c/>")
		case c.Format == Yuan || c.Format == Count:
			w.write(`<c s="` + strconv.Itoa(int(c.Format)) + `"><v>` + c.Text + `</v></c>`)
		default:
			w.write(`<c t="inlineStr" s="` + strconv.Itoa(int(c.Format)) + `"><is><t xml:space="preserve">`)
			w.write(escape(c.Text))
			w.write("</t></is></c>")
		}
	}
	w.write("</row>")
	return w.err
}

// Close writes what remains. It does not close what is below.
func (w *Writer) Close() error {
	w.end()
	const head = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"
	const office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
	var types, sheets, relations strings.Builder
	for i, name := range w.names {
		n := strconv.Itoa(i + 1)
		types.WriteString(`<Override PartName="/xl/worksheets/sheet` + n + `.xml" ContentType="` + content + `worksheet+xml"/>`)
		sheets.WriteString(`<sheet name="` + escape(name) + `" sheetId="` + n + `" r:id="rId` + n + `"/>`)
		relations.WriteString(`<Relationship Id="rId` + n + `" Type="` + office + `/worksheet" Target="worksheets/sheet` + n + `.xml"/>`)
	}
	w.part("xl/styles.xml", styles)
	w.part("xl/workbook.xml", head+`<workbook xmlns="`+main+`" xmlns:r="`+office+`"><sheets>`+sheets.String()+`</sheets></workbook>`)
	w.part("xl/_rels/workbook.xml.rels", head+`<Relationships xmlns="`+packaged+`relationships">`+relations.String()+
		`<Relationship Id="rId0" Type="`+office+`/styles" Target="styles.xml"/></Relationships>`)
	w.part("_rels/.rels", head+`<Relationships xmlns="`+packaged+`relationships"><Relationship Id="rId1" Type="`+office+
		`/officeDocument" Target="xl/workbook.xml"/></Relationships>`)
	w.part("[Content_Types].xml", head+`<Types xmlns="`+packaged+`content-types"><Default Extension="rels" ContentType="`+
		`application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>`+
		`<Override PartName="/xl/workbook.xml" ContentType="`+content+`sheet.main+xml"/>`+
		`<Override PartName="/xl/styles.xml" ContentType="`+content+`styles+xml"/>`+types.String()+`</Types>`)
	w.flush()
	return errors.Join(w.err, w.archive.Close())
}

const (
	main     = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
	packaged = "http://schemas.openxmlformats.org/package/2006/"
	content  = "application/vnd.openxmlformats-officedocument.spreadsheetml."
)

// styles has a cellXfs for each Format, in their order.
const styles = `<styleSheet xmlns="` + main + `"><fonts count="2"><font><sz val="11"/></font><font><b/><sz val="11"/></font></fonts>` +
	`<fills count="4"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>` +
	`<fill><patternFill patternType="solid"><fgColor rgb="FFFFC7CE"/></patternFill></fill>` +
	`<fill><patternFill patternType="solid"><fgColor rgb="FFFFEB9C"/></patternFill></fill></fills>` +
	`<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="6">` +
	`<xf numFmtId="49" applyNumberFormat="1"/><xf numFmtId="49" fontId="1" applyNumberFormat="1" applyFont="1"/>` +
	`<xf numFmtId="49" fillId="2" applyNumberFormat="1" applyFill="1"/><xf numFmtId="49" fillId="3" applyNumberFormat="1" applyFill="1"/>` +
	`<xf numFmtId="4" applyNumberFormat="1"/><xf numFmtId="3" applyNumberFormat="1"/></cellXfs></styleSheet>`

// part ends the part before, and begins one.
func (w *Writer) part(name, text string) {
	w.flush()
	if w.err != nil {
		return
	}
	part, err := w.archive.Create(name)
	if w.err = err; err == nil {
		w.out = bufio.NewWriterSize(part, 32<<10)
		w.write(text)
	}
}

func (w *Writer) flush() {
	if w.out != nil && w.err == nil {
		w.err = w.out.Flush()
	}
}

func (w *Writer) write(text string) {
	if w.err == nil {
		_, w.err = w.out.WriteString(text)
	}
}
