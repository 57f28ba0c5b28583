package batch_test

import (
	"bytes"
	"encoding/csv"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/wxpay-go/wxpay/contrib/fleet/internal/xlsx"
	"github.com/wxpay-go/wxpay/sandbox"
)

const feedColumns = "brand_id,card_id,user_card_code,openid,out_request_no,cell_message"

// feedRow is a row of a table with the columns of feedColumns.
func feedRow(card, number string) string { return "1004,c," + card + ",o," + number + ",积分" }

// A file of rejects has the lines themselves. Read again as it is nothing of it is sent; mended, all of it.
func TestRejectsAreMended(t *testing.T) {
	t.Parallel()
	table := strings.Join([]string{feedColumns, feedRow("0007", "N1"), feedRow("0008", "N2"), feedRow("0009", "N3"),
		feedRow("9", "N4"), feedRow("0010", "4.7E+11"), feedRow("0011", "N6") + ",more", feedRow("0012", `"N7`), feedRow("0013", "N1")}, "\n") + "\n"
	gbk, err := simplifiedchinese.GBK.NewEncoder().String(strings.ReplaceAll(table, ",", "\t"))
	require.NoError(t, err)
	cells := func(table string) string {
		var out bytes.Buffer
		w := xlsx.NewWriter(&out, "one")
		in := csv.NewReader(strings.NewReader(table))
		in.FieldsPerRecord = -1
		records, err := in.ReadAll()
		require.NoError(t, err)
		for _, record := range records {
			var row []xlsx.Output
			for _, text := range record {
				row = append(row, xlsx.Output{Text: text})
			}
			require.NoError(t, w.Row(row...))
		}
		require.NoError(t, w.Close())
		return out.String()
	}
	// row returns a line of the rejects of a workbook.
	rows := func(path string) (text string) {
		file, err := os.Open(path)
		require.NoError(t, err)
		defer file.Close()
		info, err := file.Stat()
		require.NoError(t, err)
		book, err := xlsx.Open(file, info.Size())
		require.NoError(t, err)
		for row, err := range book.Rows(book.Worksheets()[0]) {
			require.NoError(t, err)
			for i, c := range row.Cells {
				if assert.False(t, c.Number); i > 0 {
					text += ","
				}
				if text += c.Text; strings.Contains(c.Text, ",") {
					text = strings.TrimSuffix(text, c.Text) + `"` + c.Text + `"`
				}
			}
			text += "\r\n"
		}
		return text
	}
	const shortened = "a spreadsheet program has shortened this number (as in 4.78516E+11), and its digits are lost: make the column text, and fill it in again"
	const zeros = "it has 1 digits, and those above have 4, some with zeros in front, which a spreadsheet program drops: make the column text, and fill it in again"
	mend := strings.NewReplacer("#VALUE! 9", "0099", "4.7E+11", "N5", ",more", "", "\tmore", "", `"N7`, "N7", "0013,o,N1", "0013,o,N8", "0013\to\tN1", "0013\to\tN8")
	for name, c := range map[string]struct {
		file, text, rejects string
		want                string
		read, mended        func(string) string
	}{
		"CSV": {"a.csv", table, "a.rejects.csv", "\ufeff#line,#reason," + feedColumns + "\r\n" +
			`5,"C5 (column user_card_code): ` + zeros + `",1004,c,#VALUE! 9,o,N4,积分` + "\r\n" +
			`6,"E6 (column out_request_no): ` + shortened + `",1004,c,0010,o,4.7E+11,积分` + "\r\n" +
			`7,"it has 7 fields, the first line names 6 columns",` + feedRow("0011", "N6") + ",more\r\n" +
			`8,a quote is not closed,` + feedRow("0012", `"N7`) + "\r\n" +
			`9,"the number stands for another request, submitted before as a.csv, line 2",` + feedRow("0013", "N1") + "\r\n", nil, mend.Replace},
		"GBK with tabs": {"a.tsv", gbk, "a.rejects.csv", "\ufeff#line\t#reason\t" + strings.ReplaceAll(feedColumns, ",", "\t") + "\r\n" +
			"5\tC5 (column user_card_code): " + zeros + "\t1004\tc\t#VALUE! 9\to\tN4\t积分\r\n" +
			"6\tE6 (column out_request_no): " + shortened + "\t1004\tc\t0010\to\t4.7E+11\t积分\r\n" +
			"7\tit has 7 fields, the first line names 6 columns\t1004\tc\t0011\to\tN6\t积分\tmore\r\n" +
			"8\ta quote is not closed\t1004\tc\t0012\to\t\"N7\t积分\r\n" +
			"9\tthe number stands for another request, submitted before as a.tsv, line 2\t1004\tc\t0013\to\tN1\t积分\r\n", nil, mend.Replace},
		"workbook": {"a.xlsx", cells(strings.ReplaceAll(table, `"`, "")), "a.rejects.xlsx", "#line,#reason," + feedColumns + "\r\n" +
			`5,"C5 (column user_card_code): ` + zeros + `",1004,c,#VALUE! 9,o,N4,积分` + "\r\n" +
			`6,"E6 (column out_request_no): ` + shortened + `",1004,c,0010,o,4.7E+11,积分` + "\r\n" +
			`7,"G7 has a value, and its column has no name",` + feedRow("0011", "N6") + ",more\r\n" +
			`9,"the number stands for another request, submitted before as a.xlsx, line 2",` + feedRow("0013", "N1") + "\r\n", rows,
			func(text string) string { return cells(mend.Replace(text)) }},
		"NDJSON": {"a.ndjson", feedLine(1) + "\n{\"broken\n" + strings.Replace(feedLine(1), "15_1200_1", "<other>", 1) + "\n", "a.rejects.ndjson",
			`{"rejected":{"file":"a.ndjson","line":2,"reason":"it is not a JSON object"},"text":"{\"broken"}` + "\n" +
				`{"rejected":{"file":"a.ndjson","line":3,"reason":"the number stands for another request, submitted before as a.ndjson, line 1"},"line":` +
				strings.Replace(feedLine(1), "15_1200_1", "<other>", 1) + "}\n", nil,
			strings.NewReplacer(`{\"broken`, strings.ReplaceAll(feedLine(2), `"`, `\"`), "F00001", "F00003").Replace},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gateway := listen(t)
			s := newShell(t, gateway.Env()...)
			read := c.read
			if read == nil {
				read = func(path string) string {
					text, err := os.ReadFile(path)
					require.NoError(t, err)
					return string(text)
				}
			}
			flags := []string{feedsPath, "--data", s.path("data"), "--rate", "1000"}
			if name == "GBK with tabs" {
				flags = append(flags, "--encoding", "gbk", "--comma", "tab")
			}
			code, _, stderr := s.run(append([]string{s.file(c.file, c.text)}, flags...)...)
			require.Equal(t, 1, code, stderr)
			assert.Equal(t, c.want, read(s.path(c.rejects)))
			sent := len(gateway.Ledger.Effects(sandbox.FeedEffect))

			again := s.path("again" + c.rejects[strings.LastIndexByte(c.rejects, '.'):])
			require.NoError(t, os.Rename(s.path(c.rejects), again))
			_, _, stderr = s.run(append([]string{again}, flags...)...)
			assert.Len(t, gateway.Ledger.Effects(sandbox.FeedEffect), sent, stderr)
			assert.Contains(t, stderr, "Lines: 0 queued")

			require.NoError(t, os.WriteFile(again, []byte(c.mended(read(again))), 0o600))
			code, _, stderr = s.run(append([]string{again}, flags...)...)
			assert.Equal(t, 0, code, stderr)
			assert.Contains(t, stderr, " 0 rejected")
			assert.Len(t, gateway.Ledger.Effects(sandbox.FeedEffect), sent+strings.Count(c.want, "\n")-map[bool]int{true: 0, false: 1}[name == "NDJSON"])
			assert.Contains(t, stderr, "No line was rejected; "+s.path("again"+strings.TrimPrefix(c.rejects, "a"))+" is of an earlier run.")
		})
	}
}
