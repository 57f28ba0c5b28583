package wxpay_test

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
)

// billOf is a bill with this text.
func billOf(t testing.TB, text string) *wxpay.Bill {
	t.Helper()
	gateway := roundTrip(func(req *http.Request) (*http.Response, error) {
		if strings.HasSuffix(req.URL.Path, "/file") {
			return file([]byte(text)).RoundTrip(req)
		}
		return link("a", []byte(text)).RoundTrip(req)
	})
	client := newClient(t, wxpay.WithTransport(gateway))
	bill, err := tradeChain(client).Bill(context.Background())
	require.NoError(t, err)
	t.Cleanup(func() { _ = bill.Close() })
	return bill
}

// readBill writes each row as its line number and values, an error as !, and the summary after ==.
func readBill(t testing.TB, bill *wxpay.Bill) string {
	t.Helper()
	var b strings.Builder
	for row, err := range bill.Rows() {
		b.WriteString(strconv.Itoa(row.Line) + ":" + strings.Join(row.Values(), "|"))
		if err != nil {
			b.WriteString("! " + err.Error())
		}
		b.WriteString("\n")
	}
	summary, err := bill.Summary()
	for _, row := range summary {
		b.WriteString("== " + strings.Join(row.Columns(), "|") + " " + strings.Join(row.Values(), "|") + "\n")
	}
	if err != nil {
		b.WriteString("== ! " + err.Error() + "\n")
	}
	return b.String()
}

func TestRow(t *testing.T) {
	bill := billOf(t, "a,b,a\n`1,`2,`3\n")
	for row, err := range bill.Rows() {
		require.NoError(t, err)
		assert.Equal(t, "1", row.Get("a"), "the first of a name counts")
		assert.Empty(t, row.Get("c"))
		_, err = row.Fen("c")
		assert.ErrorContains(t, err, `line 2, column "c": there is no such column`)
	}
	var none wxpay.Row
	assert.Empty(t, none.Get("a"))
	assert.Empty(t, none.Columns())
}
