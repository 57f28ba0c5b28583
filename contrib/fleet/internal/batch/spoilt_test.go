package batch_test

import (
	"archive/zip"
	"bytes"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/simplifiedchinese"
)

const refundsPath = "v3/refund/domestic/refunds"

// book makes a workbook with one sheet, from the XML of its rows.
func book(t testing.TB, rows string) string {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for name, text := range map[string]string{
		"_rels/.rels":            `<Relationships><Relationship Id="1" Type="/officeDocument" Target="xl/book.xml"/></Relationships>`,
		"xl/book.xml":            `<workbook><sheets><sheet name="one" id="1"/><sheet name="two" id="1"/></sheets></workbook>`,
		"xl/_rels/book.xml.rels": `<Relationships><Relationship Id="1" Type="/worksheet" Target="s.xml"/><Relationship Id="2" Type="/styles" Target="y.xml"/></Relationships>`,
		"xl/y.xml":               `<styleSheet><numFmts><numFmt numFmtId="200" formatCode="00000000"/></numFmts><cellXfs><xf/><xf numFmtId="14"/><xf numFmtId="200"/></cellXfs></styleSheet>`,
		"xl/s.xml":               `<worksheet><sheetData>` + rows + `</sheetData></worksheet>`,
	} {
		part, err := w.Create(name)
		require.NoError(t, err)
		_, err = io.WriteString(part, text)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return out.String()
}

// textCell is a cell with a text.
func textCell(text string) string { return `<c t="inlineStr"><is><t>` + text + `</t></is></c>` }

// Each file is spoilt in one way, as people and their programs do it. The message names the place and what to do; nothing is
// taken for what it is not.
func TestSpoiltFiles(t *testing.T) {
	t.Parallel()
	const head = "out_refund_no,transaction_id,amount.refund,amount.total,amount.currency\n"
	const good = "R1,4200000001,100,100,CNY\n"
	line := func(text string) string { return head + good + text + "\n" }
	names := ""
	for _, name := range strings.Split(strings.TrimSpace(head), ",") {
		names += textCell(name)
	}
	cells := func(number, order, refund, end string) string {
		return book(t, `<row r="1">`+names+`</row><row r="2">`+textCell("R1")+textCell("42")+`<c><v>100</v></c><c><v>100</v></c>`+textCell("CNY")+
			`</row><row r="7">`+number+order+refund+`<c><v>100</v></c>`+textCell("CNY")+end+`</row>`)
	}
	r2, order, fen := textCell("R2"), textCell("42"), `<c><v>100</v></c>`
	gbk, err := simplifiedchinese.GBK.NewEncoder().String("商户退款单号,退款金额\nR1,5\n")
	require.NoError(t, err)
	gateway := listen(t)
	for i, c := range []struct {
		name, text string
		code       int
		says       string
		flags      []string
	}{
		// Numbers and texts.
		{"a.csv", line("4.78516E+11,42,100,100,CNY"), 1, "a.csv, line 3: A3 (column out_refund_no): a spreadsheet program has shortened this number", nil},
		{"a.csv", line("R2,4.2E+27,100,100,CNY"), 1, "B3 (column transaction_id): a spreadsheet program has shortened this number", nil},
		{"a.csv", line("R2\u00a0,42,100,100,CNY"), 1, "A3 (column out_refund_no): it begins or ends with a space, or another character that cannot be seen", nil},
		{"a.csv", line("\u200bR2,42,100,100,CNY"), 1, "A3 (column out_refund_no): it begins or ends with a space, or another character that cannot be seen", nil},
		{"a.csv", line(" R2,42,100,100,CNY"), 1, "A3 (column out_refund_no): it begins or ends with a space", nil},
		{"a.csv", line("R2,42 ,100,100,CNY"), 1, "B3 (column transaction_id): it begins or ends with a space", nil},
		{"a.csv", line("R2,42, 100,100,CNY"), 1, "C3 (column amount.refund): it begins or ends with a space", nil},
		{"a.csv", line("R\u00a02,42,100,100,CNY"), 1, "A3 (column out_refund_no): it has a character that cannot be seen", nil},
		{"a.csv", line("R2,4\u200b2,100,100,CNY"), 1, "B3 (column transaction_id): it has a character that cannot be seen", nil},
		{"a.csv", line("`4200001,42,100,100,CNY"), 1, "it has a tab, a backquote or an apostrophe beside its digits", nil},
		{"a.csv", line("4200001\t,42,100,100,CNY"), 1, "it has a tab, a backquote or an apostrophe beside its digits", []string{"--comma", ","}},
		{"a.csv", line("R\ufffd,42,100,100,CNY"), 1, "A3 (column out_refund_no): a character of it was lost in a conversion", nil},
		{"a.csv", strings.Replace(line("R2,0042000001,100,100,CNY\nR3,0042000002,100,100,CNY\nR5,45,100,100,CNY"), "4200000001", "0042000003", 1), 1,
			"B5 (column transaction_id): it has 2 digits, and those above have 10, some with zeros in front", nil},
		// Amounts.
		{"a.csv", line("R2,42,1.00,100,CNY"), 1, "C3 (column amount.refund): it is not a whole number of fen", nil},
		{"a.csv", line("R2,42,¥100,100,CNY"), 1, "C3 (column amount.refund): it is not a whole number of fen", nil},
		{"a.csv", "out_refund_no,金额\nR1,0.005\n", 1, "B2 (column 金额): it is not an amount in yuan of the form 1234.50", []string{"--map", "amount.refund=金额:yuan"}},
		{"a.csv", "out_refund_no,金额\nR1,\"1,234.00\"\n", 1, "B2 (column 金额): it is not an amount in yuan of the form 1234.50", []string{"--map", "amount.refund=金额:yuan"}},
		{"a.csv", gbk, 2, "column B (退款金额): it goes to amount.refund, an amount: name its unit, yuan or fen", nil},
		// Lines.
		{"a.csv", line("R2,42,100,100,CNY,more"), 1, "line 3: it has 6 fields, the first line names 5 columns", nil},
		{"a.csv", line("R2,42"), 1, "line 3: it has 2 fields, the first line names 5 columns", nil},
		{"a.csv", line("\"R2,42,100,100,CNY"), 1, "line 3: a quote is not closed", nil},
		{"a.csv", line("合计,,200,200,"), 1, "line 3: ", nil},
		{"a.csv", line(",42,100,100,CNY"), 1, "line 3: the merchant's own number is missing: it is expected in out_refund_no", nil},
		{"a.csv", line("R1,4200000001,100,200,CNY"), 1, "line 3: the number stands for another request, in line 2", nil},
		{"a.csv", strings.Repeat("a,b\r1,2\r", 3), 2, "do the lines of the file end with CR alone?", nil},
		{"a.csv", good, 2, "is the line with the names missing?", nil},
		{"a.csv", strings.Replace(head, "amount.total", "amount.refund", 1) + good, 2, "column D: it goes to the same field as column C", nil},
		{"a.csv", "退款清单\n" + head + good, 2, "is the line with the names missing?", nil},
		{"a.csv", strings.Replace(head, "amount.currency", "备注", 1) + good, 2, "column E (备注): no field of the request has this name or label", nil},
		{"a.csv", "", 2, "the list cannot be read: it is empty\n", nil},
		// Workbooks.
		{"a.xlsx", cells(`<c><v>4785160000001234</v></c>`, order, fen, ""), 1, "a.xlsx, line 7: A7 (column out_refund_no): a spreadsheet program keeps 15 digits", nil},
		{"a.xlsx", cells(`<c s="2"><v>12345</v></c>`, order, fen, ""), 1, "A7 (column out_refund_no): it is a number that is only shown with zeros in front", nil},
		{"a.xlsx", cells(`<c s="1"><v>46000</v></c>`, order, fen, ""), 1, "A7 (column out_refund_no): it is a date of a spreadsheet program", nil},
		{"a.xlsx", cells(r2, `<c t="e"><v>#N/A</v></c>`, fen, ""), 1, "B7 (column transaction_id): it has the error #N/A", nil},
		{"a.xlsx", cells(r2, order, `<c><f>D7</f></c>`, ""), 1, "C7 (column amount.refund): its formula has no result yet", nil},
		{"a.xlsx", cells(r2, order, `<c><v>100.5</v></c>`, ""), 1, "C7 (column amount.refund): it is not a whole number of fen", nil},
		{"a.xlsx", cells(r2, order, fen, textCell("x")), 1, "F7 has a value, and its column has no name", nil},
		{"a.xlsx", cells(r2, order, fen, ""), 0, `the sheet is "one", the first of 2`, nil},
		{"a.xlsx", cells(r2, order, fen, "")[:300], 2, "it is no workbook of the form .xlsx", nil},
		{"a.xlsx", head + good, 2, "it is no workbook of the form .xlsx", nil},
		{"a.xlsx", book(t, `<row r="1">`+names+`</row><row r="2" hidden="1">`+r2+order+fen+fen+textCell("CNY")+`</row>`), 1, "line 2: the row is hidden, by hand or by a filter", nil},
		{"a.xlsx", book(t, ""), 2, "the sheet is empty", nil},
		{"a.xlsx", book(t, ""), 2, "wxpay-batch: the list cannot be read: there is no worksheet \"three\" among \"one\", \"two\"\nSee ", []string{"--sheet", "three"}},
		{"a.xls", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 2, "of the old form (.xls), or one with a password", nil},
	} {
		s := newShell(t, gateway.Env()...)
		code, stdout, stderr := s.run(append([]string{s.file(c.name, c.text), refundsPath, "--dry-run"}, c.flags...)...)
		assert.Equal(t, c.code, code, "%d: %s", i, stderr)
		assert.Contains(t, stderr, c.says, i)
		assert.NotContains(t, stderr, "panic")
		if c.code == 2 {
			assert.Empty(t, stdout)
		}
		files, err := os.ReadDir(s.dir)
		require.NoError(t, err)
		assert.LessOrEqual(t, len(files), 2, "the file and its rejects: %v", files)
	}
	assert.Empty(t, gateway.Journal.All())
}

// A dry run shows what would be sent, and sends nothing.
func TestDryRun(t *testing.T) {
	t.Parallel()
	gateway := listen(t)
	s := newShell(t, gateway.Env()...)
	file := s.file("refunds.csv", "商户退款单号,微信支付订单号,退款金额,原订单金额,退款币种\nR1,42,12.3,100,CNY\nR2,42,0.29,100,CNY\nR1,42,12.30,100,CNY\nR3,42,1000000,1000000,CNY\nR4,42,1,2,CNY\n")
	for _, command := range [][]string{nil, {"submit"}} {
		code, stdout, stderr := s.run(append(command, file, refundsPath, "--dry-run", "--map", "amount.refund=退款金额:yuan", "--map", "amount.total=原订单金额:yuan")...)
		assert.Equal(t, 0, code, stderr)
		assert.Equal(t, `refunds.csv, line 2:
POST /v3/refund/domestic/refunds
{
  "out_refund_no": "R1",
  "transaction_id": "42",
  "amount": {
    "refund": 1230,
    "total": 10000,
    "currency": "CNY"
  }
}
`, stdout[:strings.Index(stdout, "\nrefunds.csv, line 3:")])
		assert.Equal(t, 3, strings.Count(stdout, "POST "))
		assert.Contains(t, stdout, `Requests: 4, each with a number of its own; nothing was sent, and the queue was not asked.
Lines that repeat another one: 1; they are not sent again.
Sum of amount.refund: 1,000,013.59 yuan
Sum of amount.total: 1,000,202.00 yuan
`)
		assert.Contains(t, stderr, "by their labels, 商户退款单号 is out_refund_no, 微信支付订单号 is transaction_id, 退款币种 is amount.currency (else say --map or --skip).")
	}
	assert.Empty(t, gateway.Journal.All())
	assert.NoFileExists(t, s.path("refunds.rejects.csv"))
}
