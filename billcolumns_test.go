package wxpay_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/wxbill"
)

// The constants of package wxbill are the columns of the trade bills and of the fund bill: all of them, and no others.
func TestBillColumns(t *testing.T) {
	gateway := sandbox.Start(t, sandbox.WithBillRows(3))
	client, err := wxpay.FromLookupEnv(gateway.LookupEnv)
	require.NoError(t, err)
	columns := map[string]bool{}
	day := gateway.Clock.Now().AddDate(0, 0, -2)
	for _, chain := range []wxpay.Chain{
		client.Chain("v3/bill/tradebill").Query("bill_type", "ALL"), client.Chain("v3/bill/tradebill").Query("bill_type", "SUCCESS"),
		client.Chain("v3/bill/tradebill").Query("bill_type", "REFUND"), client.Chain("v3/bill/fundflowbill"),
	} {
		bill, err := chain.Query("bill_date", day).Bill(t.Context())
		require.NoError(t, err)
		rows := 0
		for row, err := range bill.Rows() {
			require.NoError(t, err)
			for _, column := range row.Columns() {
				columns[column] = true
			}
			if rows++; rows == 1 {
				_, err = row.Fen("订单总额")
				assert.ErrorContains(t, err, `column "订单总额": there is no such column; there are `)
			}
		}
		require.NotZero(t, rows)
		require.NoError(t, bill.Close())
	}
	constants := map[string]bool{}
	file, err := parser.ParseFile(token.NewFileSet(), "wxbill/wxbill.go", nil, 0)
	require.NoError(t, err)
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok {
			value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			require.NoError(t, err)
			assert.False(t, constants[value], "%s stands twice", value)
			constants[value] = true
		}
		return true
	})
	assert.Equal(t, columns, constants)
	assert.True(t, constants[wxbill.Amount])
}
