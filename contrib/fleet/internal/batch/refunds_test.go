package batch_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/contrib/fleet/internal/xlsx"
	"github.com/wxpay-go/wxpay/sandbox"
)

// sheets reads the texts of a workbook, by the names of its sheets.
func sheets(t testing.TB, path string) map[string][][]string {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	book, err := xlsx.Open(bytes.NewReader(text), int64(len(text)))
	require.NoError(t, err)
	all := make(map[string][][]string)
	for _, sheet := range book.Worksheets() {
		for row, err := range book.Rows(sheet) {
			require.NoError(t, err)
			var cells []string
			for _, c := range row.Cells {
				cells = append(cells, c.Text)
			}
			all[sheet.Name] = append(all[sheet.Name], cells)
		}
	}
	return all
}

// A list of refunds goes from a workbook to the platform in one command, and comes back as one with a summary to file.
func TestRefundsOfAWorkbook(t *testing.T) {
	t.Parallel()
	n := 100
	if os.Getenv("WXPAY_TEST_LONG") != "" {
		n = 1000
	}
	gateway := listen(t)
	s := newShell(t, gateway.Env()...)
	var list bytes.Buffer
	w := xlsx.NewWriter(&list, "退款")
	row := func(cells ...string) {
		var out []xlsx.Output
		for i, text := range cells {
			format := xlsx.Plain
			if i == 2 || i == 3 {
				format = xlsx.Yuan
			}
			out = append(out, xlsx.Output{Text: text, Format: format})
		}
		require.NoError(t, w.Row(out...))
	}
	require.NoError(t, w.Row(xlsx.Output{Text: "商户订单号"}, xlsx.Output{Text: "商户退款单号"}, xlsx.Output{Text: "退款金额"},
		xlsx.Output{Text: "订单金额"}, xlsx.Output{Text: "退款原因"}, xlsx.Output{Text: "#经办人"}))
	sum, total := int64(0), int64(0)
	for i := range n {
		order, fen := fmt.Sprintf("00042%023d", i), int64(1+i*7)
		if i%50 != 7 { // the others were never paid
			_, err := gateway.Users.AddPaidOrder(order, 10_000)
			require.NoError(t, err)
			sum += fen
		}
		total += fen
		row(order, fmt.Sprintf("000R%023d", i), fmt.Sprintf("%d.%02d", fen/100, fen%100), "100", "商品已售完", "张三")
	}
	row("00042999", "000R999", "0.001", "100", "少于一分", "")
	require.NoError(t, w.Close())

	flags := []string{refundsPath, "--map", "amount.refund=退款金额:yuan", "--map", "amount.total=订单金额:yuan", "--map", "amount.currency==CNY"}
	file := s.file("退款.xlsx", list.String())
	yuan := func(fen int64) string { return fmt.Sprintf("%d.%02d", fen/100, fen%100) }
	code, stdout, stderr := s.run(append([]string{file, "--dry-run"}, flags...)...)
	assert.Equal(t, 1, code, stderr)
	assert.Contains(t, strings.ReplaceAll(stdout, ",", ""), "Sum of amount.refund: "+yuan(total)+" yuan\n")
	assert.Empty(t, gateway.Ledger.Effects(sandbox.RefundEffect))

	store := []string{"--data", s.path("data")}
	code, _, stderr = s.run(append(append([]string{file, "--rate", "1000", "--select", "refund_id", "-o", s.path("结果.xlsx")}, flags...), store...)...)
	assert.Equal(t, 1, code, stderr)
	effects := gateway.Ledger.Effects(sandbox.RefundEffect)
	require.Len(t, effects, n-n/50)
	refunded := int64(0)
	for _, e := range effects {
		refunded += e.Amount
	}
	assert.Equal(t, sum, refunded, "to the fen")
	assert.Contains(t, stderr, fmt.Sprintf("退款.xlsx, line %d: C%[1]d (column 退款金额): it is not an amount in yuan", n+2))

	book := sheets(t, s.path("结果.xlsx"))
	results := book["results"]
	require.Len(t, results, n+1)
	assert.Equal(t, []string{"line", "number", "state", "attention", "amount.refund (yuan)", "amount.total (yuan)", "code", "message", "request_id",
		"refund_id", "attempts", "submitted (UTC+8)", "ended (UTC+8)", "file"}, results[0])
	for i, r := range results[1:] {
		if i < n/50 { // what needs somebody comes first
			assert.Equal(t, []string{"refused", "NOT DONE"}, r[2:4])
			assert.Equal(t, "RESOURCE_NOT_EXISTS", r[6])
			continue
		}
		line, err := strconv.Atoi(r[0])
		require.NoError(t, err)
		assert.Equal(t, fmt.Sprintf("000R%023d", line-2), r[1], "all digits")
		assert.Empty(t, r[3])
		assert.NotEmpty(t, r[9])
	}
	summary := book["summary"]
	require.Len(t, summary, 6)
	assert.Equal(t, []string{"state", "code", "meaning of the code", "attention", "jobs", "amount.refund (yuan)", "amount.total (yuan)"}, summary[0])
	assert.Equal(t, []string{"refused", "RESOURCE_NOT_EXISTS"}, summary[1][:2])
	assert.Equal(t, []string{"in all", "", "", "", strconv.Itoa(n), trimmed(yuan(total)), strconv.Itoa(100 * n)}, summary[3])
	assert.Equal(t, []string{"lists", "退款.xlsx"}, summary[4])
	assert.Equal(t, "written (UTC+8)", summary[5][0])
	assert.Equal(t, []string{strconv.Itoa(n - n/50), trimmed(yuan(sum))}, summary[2][4:6])

	code, stdout, stderr = s.run(append([]string{"results", "-o", s.path("results.csv")}, store...)...)
	assert.Equal(t, 1, code, stderr)
	assert.Empty(t, stdout)
	text, err := os.ReadFile(s.path("results.csv"))
	require.NoError(t, err)
	records, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff")))).ReadAll()
	require.NoError(t, err)
	require.Len(t, records, n+1)
	for i, r := range records[1:] {
		assert.Equal(t, results[i+1][1], r[1])
		assert.Equal(t, results[i+1][4], trimmed(r[4]))
	}
	assert.Contains(t, strings.ReplaceAll(stderr, ",", ""), "in all: amount.refund "+yuan(total)+" yuan amount.total "+strconv.Itoa(100*n)+".00 yuan")
}

// trimmed is a number as a workbook keeps it, without zeros at its end.
func trimmed(number string) string { return strings.TrimSuffix(strings.TrimRight(number, "0"), ".") }
