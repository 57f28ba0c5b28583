package file_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/clitest"
)

// A line that is no row costs no other row. It is told with its number, and the exit code tells that something is missing.
func TestBillWithBadLines(t *testing.T) {
	t.Parallel()
	const names, summary = "交易时间,商品名称,订单金额\n", "总交易单数,订单总金额\n`2,`3.00\n"
	gateway := clitest.NewGateway(t)
	// The response to the application for a statement is the file itself.
	for name, test := range map[string]struct {
		bill   string
		json   []string
		table  string
		stderr []string
		code   int
	}{
		"whole": {
			"`2026-11-22 10:00:00,`tea,`1.00\n", []string{`{"交易时间":"2026-11-22 10:00:00","商品名称":"tea","订单金额":"1.00"}`},
			"tea", nil, 0,
		},
		"a value too few": {
			"`a,`1.00\n`b,`tea,`2.00\n", []string{`{"交易时间":"b","商品名称":"tea","订单金额":"2.00"}`},
			"b", []string{"wxpay: line 2 of the bill has 2 values for 3 columns", "left out: 1;"}, 1,
		},
		"a value with a line break": {
			"`a,`tea\nwith milk,`1.00\n`b,`tea,`2.00\n", []string{`{"交易时间":"b","商品名称":"tea","订单金额":"2.00"}`},
			"b", []string{"line 2 of the bill", "line 3 of the bill", "left out: 2;"}, 1,
		},
		"another encoding": {
			"`a,`\xb2\xe8,`1.00\n`b,`tea,`2.00\n", []string{`{"交易时间":"b","商品名称":"tea","订单金额":"2.00"}`},
			"b", []string{"line 2 of the bill: 商品名称 has bytes that are not UTF-8", "--format csv"}, 1,
		},
		"every line": {
			strings.Repeat("`a\n", 30), []string{}, "总交易单数",
			[]string{"line 21 of the bill has", "left out: 30;"}, 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			gateway.Respond(names + test.bill + summary)
			bill := func(args ...string) (int, string, string) {
				return gateway.Run(append([]string{"bill", "statement", "-q", "mchid=1900000109", "--date", "2026-11-22"}, args...)...)
			}
			code, stdout, stderr := bill("--format", "json")
			assert.Equal(t, test.code, code, stderr)
			assert.Equal(t, test.json, strings.FieldsFunc(stdout, func(r rune) bool { return r == '\n' }))
			for _, text := range test.stderr {
				assert.Contains(t, stderr, text)
			}
			assert.NotContains(t, stderr, "line 22")

			path := t.TempDir() + "/bill.txt"
			code, _, stderr = bill("--format", "table", "-o", path)
			assert.Equal(t, test.code, code, stderr)
			table, err := os.ReadFile(path)
			require.NoError(t, err)
			assert.Contains(t, string(table), test.table)
			assert.Contains(t, string(table), "总交易单数")
			assert.NotContains(t, string(table), "\ufffd")

			code, stdout, _ = bill()
			assert.Zero(t, code)
			assert.Equal(t, names+test.bill+summary, stdout, "csv is what the platform made")
		})
	}
}
