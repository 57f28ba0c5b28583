package xlsx_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/contrib/fleet/internal/xlsx"
)

func open(t testing.TB, text []byte) *xlsx.Book {
	t.Helper()
	book, err := xlsx.Open(bytes.NewReader(text), int64(len(text)))
	require.NoError(t, err)
	return book
}

// rows reads a sheet; each cell is its text, with what there is to say about it.
func rows(t testing.TB, book *xlsx.Book, sheet int) (list [][]string, numbers []int) {
	t.Helper()
	for row, err := range book.Rows(book.Worksheets()[sheet]) {
		require.NoError(t, err)
		var cells []string
		for _, c := range row.Cells {
			text := c.Text
			if c.Number {
				text += " number"
			}
			if c.Padded {
				text += " padded"
			}
			if c.Wrong != "" {
				text += " wrong: " + c.Wrong
			}
			cells = append(cells, text)
		}
		if row.Hidden {
			cells = append(cells, "hidden")
		}
		list, numbers = append(list, cells), append(numbers, row.Number)
	}
	return list, numbers
}

func TestWriterAndReader(t *testing.T) {
	var text bytes.Buffer
	w := xlsx.NewWriter(&text, "results")
	require.NoError(t, w.Row(xlsx.Output{Text: "单号", Format: xlsx.Head}, xlsx.Output{Text: "amount", Format: xlsx.Head}))
	odd := "\x01 <a>&\"b\" \r\n_x0041_ =1+1 𠮷 "
	require.NoError(t, w.Row(xlsx.Output{Text: "0012345678901234567890"}, xlsx.Output{Text: "12.30", Format: xlsx.Yuan}, xlsx.Output{}, xlsx.Output{Text: odd, Format: xlsx.Red}))
	w.Sheet("a & b")
	require.NoError(t, w.Row(xlsx.Output{Text: "12", Format: xlsx.Count}))
	require.NoError(t, w.Close())

	book := open(t, text.Bytes())
	require.Len(t, book.Worksheets(), 2)
	assert.Equal(t, "a & b", book.Worksheets()[1].Name)
	list, numbers := rows(t, book, 0)
	assert.Equal(t, [][]string{{"单号", "amount"}, {"0012345678901234567890", "12.3 number", "", odd}}, list)
	assert.Equal(t, []int{1, 2}, numbers)
	list, _ = rows(t, book, 1)
	assert.Equal(t, [][]string{{"12 number"}}, list)
	assert.True(t, xlsx.Fits(strings.Repeat("字", xlsx.MaxText)))
	assert.False(t, xlsx.Fits(strings.Repeat("𠮷", xlsx.MaxText/2+1)))
}

// archive packs the parts of a workbook with one sheet.
func archive(t testing.TB, sheet string, parts map[string]string) []byte {
	t.Helper()
	all := map[string]string{
		"_rels/.rels":            `<Relationships><Relationship Id="1" Type="x/officeDocument" Target="/xl/book.xml"/></Relationships>`,
		"xl/book.xml":            `<x:workbook><x:sheets><x:sheet name="chart" r:id="3"/><x:sheet name="hidden" state="hidden" r:id="2"/><x:sheet name="one" r:id="1"/></x:sheets></x:workbook>`,
		"xl/_rels/book.xml.rels": `<Relationships><Relationship Id="1" Type="x/worksheet" Target="a/../s.xml"/><Relationship Id="2" Type="x/worksheet" Target="/xl/s.xml"/><Relationship Id="3" Type="x/chartsheet" Target="c.xml"/><Relationship Id="4" Type="x/sharedStrings" Target="t.xml"/><Relationship Id="5" Type="x/styles" Target="y.xml"/></Relationships>`,
		"xl/s.xml":               `<x:worksheet><x:sheetData>` + sheet + `</x:sheetData><mergeCells/></x:worksheet>`,
		"xl/t.xml":               `<sst><si><t>plain</t></si><si><r><t>two </t></r><r><t>runs</t></r><rPh><t>spoken</t></rPh></si></sst>`,
		"xl/y.xml":               `<styleSheet><numFmts><numFmt numFmtId="200" formatCode="00000000"/><numFmt numFmtId="201" formatCode="yyyy&quot;年&quot;m"/><numFmt numFmtId="202" formatCode="[$-804]#,##0.00&quot;days&quot;"/><numFmt numFmtId="203" formatCode="0!.0,&quot;万&quot;"/></numFmts><cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="200"/><xf numFmtId="201"/><xf numFmtId="202"/><xf numFmtId="10"/><xf numFmtId="203"/></cellXfs></styleSheet>`,
	}
	for name, text := range parts {
		all[name] = text
	}
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for name, text := range all {
		part, err := w.Create(name)
		require.NoError(t, err)
		_, err = io.WriteString(part, text)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return out.Bytes()
}

const (
	lost = " wrong: a spreadsheet program keeps 15 digits of a number, and the others of this one are lost: make the column text, and fill it in again"
	date = " wrong: it is a date of a spreadsheet program, which keeps no time zone: make the column text, and write dates as the request has them, such as 2026-01-31T23:59:59+08:00"

	scaled = " wrong: it is shown as a percentage, or in thousands, so people see another number: make the column text, and fill it in again"
)

func TestCells(t *testing.T) {
	for name, c := range map[string]struct{ cell, want string }{
		"shared text":            {`<c r="A1" t="s"><v>0</v></c>`, "plain"},
		"shared text with runs":  {`<c r="A1" t="s"><v>1</v></c>`, "two runs"},
		"shared text, missing":   {`<c r="A1" t="s"><v>2</v></c>`, " wrong: its text is missing in the file"},
		"inline text":            {`<c r="A1" t="inlineStr"><is><t>a_x000D_</t></is></c>`, "a\r"},
		"result of a formula":    {`<c r="A1" t="str"><f>A2</f><v>x</v></c>`, "x"},
		"no result of a formula": {`<c r="A1"><f>A2</f></c>`, " wrong: its formula has no result yet: open the file in a spreadsheet program and save it"},
		"an error":               {`<c r="A1" t="e"><v>#N/A</v></c>`, "#N/A wrong: it has the error #N/A"},
		"a boolean":              {`<c r="A1" t="b"><v>1</v></c>`, "true"},
		"a number":               {`<c r="A1"><v>12.3</v></c>`, "12.3 number"},
		"a computed number":      {`<c r="A1"><v>12.300000000000001</v></c>`, "12.3 number"},
		"with an exponent":       {`<c r="A1"><v>4.78516E+11</v></c>`, "478516000000 number"},
		"15 digits":              {`<c r="A1"><v>123456789012345</v></c>`, "123456789012345 number"},
		"16 digits":              {`<c r="A1"><v>1234567890123456</v></c>`, "1234567890123460 number" + lost},
		"28 digits":              {`<c r="A1"><v>4.2000025472025E+27</v></c>`, "4200002547202500000000000000 number" + lost},
		"negative":               {`<c r="A1"><v>-0.01</v></c>`, "-0.01 number"},
		"a date":                 {`<c r="A1" s="1"><v>46000</v></c>`, "46000 number" + date},
		"a date by its format":   {`<c r="A1" s="3"><v>46000</v></c>`, "46000 number" + date},
		"a date of the ISO form": {`<c r="A1" t="d"><v>2026-01-31</v></c>`, "2026-01-31" + date},
		"zeros that are shown":   {`<c r="A1" s="2"><v>12345</v></c>`, "12345 number padded"},
		"no zeros to show":       {`<c r="A1" s="2"><v>12345678</v></c>`, "12345678 number"},
		"a unit that is shown":   {`<c r="A1" s="4"><v>5</v></c>`, "5 number"},
		"a percentage":           {`<c r="A1" s="5"><v>0.05</v></c>`, "0.05 number" + scaled},
		"in thousands":           {`<c r="A1" s="6"><v>12300</v></c>`, "12300 number" + scaled},
		"no number":              {`<c r="A1"><v>x</v></c>`, "x number" + lost},
	} {
		t.Run(name, func(t *testing.T) {
			book := open(t, archive(t, `<x:row r="7">`+c.cell+`<c/></x:row>`, nil))
			list, numbers := rows(t, book, 1)
			assert.Equal(t, [][]string{{c.want}}, list)
			assert.Equal(t, []int{7}, numbers)
		})
	}
}

func TestRows(t *testing.T) {
	book := open(t, archive(t, `<row r="2"><c r="B2"><v>1</v></c><c r="AA2"><v>2</v></c><c r="AB2" s="1"/></row><row r="3"/>`+
		`<row r="4" hidden="1"><c><v>3</v></c></row><row><c/><c t="b"><v>0</v></c></row>`, nil))
	assert.Equal(t, []string{"hidden", "one"}, []string{book.Worksheets()[0].Name, book.Worksheets()[1].Name})
	assert.True(t, book.Worksheets()[0].Hidden)
	list, numbers := rows(t, book, 1)
	assert.Equal(t, []int{2, 4, 5}, numbers)
	assert.Len(t, list[0], 27)
	assert.Equal(t, "2 number", list[0][26])
	assert.Equal(t, [][]string{{"3 number", "hidden"}, {"", "false"}}, list[1:])
	assert.Equal(t, "B7", xlsx.Name(1, 7))
	assert.Equal(t, "AA1", xlsx.Name(26, 1))
	assert.Equal(t, "XFD1048576", xlsx.Name(16_383, 1<<20))
}

// A file that is damaged, or no workbook, is refused with a reason.
func TestNoBook(t *testing.T) {
	for name, c := range map[string]struct {
		text []byte
		says string
	}{
		"empty":           {nil, "it is no workbook of the form .xlsx"},
		"a CSV file":      {[]byte("a,b\n1,2\n"), "it is no workbook of the form .xlsx"},
		"the old form":    {[]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1...."), "of the old form (.xls), or one with a password"},
		"another archive": {archive(t, "", map[string]string{"_rels/.rels": "<Relationships/>"}), "it is no workbook"},
		"cut off":         {archive(t, "", nil)[:500], "it is no workbook"},
		"binary": {archive(t, "", map[string]string{"xl/book.bin": "\x83\x01",
			"_rels/.rels": `<Relationships><Relationship Type="x/officeDocument" Target="xl/book.bin"/></Relationships>`}), "it is no workbook"},
		"no sheet":    {archive(t, "", map[string]string{"xl/book.xml": "<workbook/>"}), "it is no workbook"},
		"a lost part": {archive(t, "", map[string]string{"xl/y.xml": "<styleSheet"}), "xl/y.xml"},
	} {
		_, err := xlsx.Open(bytes.NewReader(c.text), int64(len(c.text)))
		assert.ErrorContains(t, err, c.says, name)
	}
	book := open(t, archive(t, "", map[string]string{"xl/t.xml": "<sst><si><t>"}))
	for _, err := range book.Rows(book.Worksheets()[0]) {
		assert.ErrorContains(t, err, "xl/t.xml")
	}
	book = open(t, archive(t, "", map[string]string{"xl/s.xml": "<worksheet><sheetData><row><c><v>1</v></c></row>"}))
	n := 0
	for _, err := range book.Rows(book.Worksheets()[0]) {
		if n++; n == 2 {
			assert.ErrorContains(t, err, "unexpected EOF", "what is missing was not read as the end")
		}
	}
	assert.Equal(t, 2, n)
	for sheet, says := range map[string]string{
		`<row r="2"/><row r="1"/>`:                                    "after row 2 of the sheet there is no right one",
		`<row r="1"><c r="B1"/><c r="A1"/></row>`:                     "row 1 of the sheet: a cell has no right name",
		`<row r="1"><c r="XFE1"/></row>`:                              "a cell has no right name",
		`<row r="1"><c r="?1"/></row>`:                                "a cell has no right name",
		`<row><c><v>` + strings.Repeat("1", 3<<20) + `</v></c></row>`: "an element of it is too long",
		`<row><c></row`:                                               "syntax error",
	} {
		book := open(t, archive(t, sheet, nil))
		var last error
		for _, err := range book.Rows(book.Worksheets()[1]) {
			last = err
		}
		assert.ErrorContains(t, last, says)
	}
}

// A workbook of another program: excelize v2.11.1 made it.
func TestOtherProgram(t *testing.T) {
	files, err := filepath.Glob("testdata/*.xlsx")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		book := open(t, text)
		assert.Equal(t, "退款", book.Worksheets()[0].Name, file)
		list, numbers := rows(t, book, 0)
		assert.Equal(t, [][]string{
			{"商户退款单号", "退款金额", "日期", "备注"},
			{"0012345", "12.3 number", "46053 number" + date, "<a> & \"b\""},
			{"4200002547202500000000000000 number" + lost, "100 number", "", "两行\n文字"},
			{"12345 number padded", "0.3 number", "", "true"},
			{"R5", "5 number", "hidden"},
		}, list, file)
		assert.Equal(t, []int{1, 2, 3, 4, 6}, numbers, file)
	}
}

func FuzzOpen(f *testing.F) {
	f.Add(archive(f, `<row r="7"><c r="A7" t="s"><v>0</v></c></row>`, nil))
	f.Fuzz(func(t *testing.T, text []byte) {
		book, err := xlsx.Open(bytes.NewReader(text), int64(len(text)))
		if err != nil {
			return
		}
		for _, sheet := range book.Worksheets() {
			for _, err := range book.Rows(sheet) {
				_ = err
			}
		}
	})
}

// Text that is written is read as it was.
func FuzzText(f *testing.F) {
	f.Add("a_x000D_\x00\ufffe")
	f.Add("a_x00D8\x0e\x17")
	f.Fuzz(func(t *testing.T, text string) {
		if !xlsx.Fits(text) || text == "" {
			t.Skip()
		}
		var out bytes.Buffer
		w := xlsx.NewWriter(&out, "x")
		require.NoError(t, w.Row(xlsx.Output{Text: text}, xlsx.Output{Text: "end"}))
		require.NoError(t, w.Close())
		list, _ := rows(t, open(t, out.Bytes()), 0)
		require.Equal(t, [][]string{{text, "end"}}, list)
	})
}

// Reading a long sheet takes little memory: a row is gone when the next one comes.
func BenchmarkRows(b *testing.B) {
	var sheet strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&sheet, `<row r="%d"><c r="A%[1]d" t="s"><v>0</v></c><c r="B%[1]d"><v>%[1]d</v></c><c r="C%[1]d" t="inlineStr"><is><t>%[1]d</t></is></c></row>`, i+1)
	}
	text := archive(b, sheet.String(), nil)
	for b.Loop() {
		book := open(b, text)
		n := 0
		for _, err := range book.Rows(book.Worksheets()[1]) {
			require.NoError(b, err)
			n++
		}
		require.Equal(b, 10_000, n)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/10_000, "ns/row")
}
