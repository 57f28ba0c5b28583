package fleet_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/contrib/fleet"
	"github.com/wxpay-go/wxpay/contrib/fleet/internal/xlsx"
)

// workbook writes a worksheet; a cell that begins with "=" is a number.
func workbook(t testing.TB, rows ...[]string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := xlsx.NewWriter(&out, "sheet")
	for _, row := range rows {
		var cells []xlsx.Output
		for _, text := range row {
			cell := xlsx.Output{Text: text}
			if number, ok := strings.CutPrefix(text, "="); ok {
				cell = xlsx.Output{Text: number, Format: xlsx.Yuan}
			}
			cells = append(cells, cell)
		}
		require.NoError(t, w.Row(cells...))
	}
	require.NoError(t, w.Close())
	return out.Bytes()
}

const transferPath = "v3/fund-app/mch-transfer/transfer-bills"

func TestWorkbook(t *testing.T) {
	text := workbook(t,
		[]string{"商户退款单号", "微信支付订单号", "金额", "退款原因", "#内部备注"},
		[]string{"0012345", "420000", "=12.3", "质量问题"},
		[]string{},
		[]string{"R2", "420000", "=0.29", "", "x"},
		[]string{"R3", "420000", "=12.345"},
		[]string{"=12345678901234567", "420000", "=1"},
		[]string{"R5", "420000", "=1", "", "", "more"},
	)
	var told []fleet.Column
	sheet := fleet.Sheet{Path: refundPath, OnHeader: func(h fleet.Header) { told = h.Columns },
		Map: columns(t, "amount.refund=金额:yuan", "amount.total=金额:yuan", "amount.currency==CNY")}
	sheet.Map = append(sheet.Map, fleet.Column{From: "#内部备注"})
	got, err := gather(sheet.XLSX(bytes.NewReader(text), int64(len(text))))
	require.NoError(t, err)
	assert.Equal(t, []string{
		`2 {"out_refund_no":"0012345","transaction_id":"420000","amount":{"refund":1230,"total":1230,"currency":"CNY"},"reason":"质量问题"}`,
		`4 {"out_refund_no":"R2","transaction_id":"420000","amount":{"refund":29,"total":29,"currency":"CNY"}}`,
		"5: C5 (column 金额): it is not an amount in yuan of the form 1234.50",
		"6: A6 (column 商户退款单号): a spreadsheet program keeps 15 digits of a number, and the others of this one are lost: make the column text, and fill it in again",
		"7: F7 has a value, and its column has no name",
	}, got)
	assert.Equal(t, []fleet.Column{
		{From: "商户退款单号", To: "out_refund_no"}, {From: "微信支付订单号", To: "transaction_id"},
		{From: "金额", To: "amount.refund", Type: "yuan"}, {From: "金额", To: "amount.total", Type: "yuan"},
		{From: "退款原因", To: "reason"}, {From: "#内部备注"}, {To: "amount.currency", Value: "CNY"},
	}, told)
	sheet.Worksheet = "other"
	_, err = gather(sheet.XLSX(bytes.NewReader(text), int64(len(text))))
	require.ErrorIs(t, err, fleet.ErrColumns)
	assert.ErrorContains(t, err, `there is no worksheet "other" among "sheet"`)
	_, err = gather(sheet.XLSX(strings.NewReader("a,b"), 3))
	assert.ErrorContains(t, err, "it is no workbook of the form .xlsx")
	empty := workbook(t)
	_, err = gather(fleet.Sheet{Path: refundPath}.XLSX(bytes.NewReader(empty), int64(len(empty))))
	assert.ErrorContains(t, err, "the sheet is empty")
	_, err = gather(fleet.Sheet{}.XLSX(bytes.NewReader(text), int64(len(text))))
	assert.ErrorContains(t, err, "need a path")
}

// A row that was rejected is no right one when it is read again, whichever of its cells is mended
// first.
func TestEveryWrongCellIsMarked(t *testing.T) {
	text := workbook(t, []string{"out_refund_no", "transaction_id", "reason", "note"},
		[]string{"=12345678901234567", "=4200002547202500000000000000", "ok", "=12345678901234567"})
	for _, err := range (fleet.Sheet{Path: refundPath, Map: []fleet.Column{{From: "note"}}}).XLSX(bytes.NewReader(text), int64(len(text))) {
		var bad *fleet.LineError
		require.ErrorAs(t, err, &bad)
		assert.Equal(t, []string{"#VALUE! 12345678901234600", "#VALUE! 4200002547202500000000000000", "ok", "12345678901234600"}, bad.Source.Cells)
		for _, text := range []string{fmt.Sprintf("%v", bad), fmt.Sprintf("%+v", *bad)} {
			assert.NotContains(t, text, "4200002547")
		}
	}
}

// Where a column goes is told by its name, its label or the mapping; nothing is guessed about
// money.
func TestColumnsOfATable(t *testing.T) {
	for name, c := range map[string]struct {
		sheet      fleet.Sheet
		text, want string // of the second line; or the error of the first
	}{
		"a field":                    {fleet.Sheet{Path: refundPath}, "out_refund_no,amount.refund\nR1,5\n", `{"out_refund_no":"R1","amount":{"refund":5}}`},
		"a label":                    {fleet.Sheet{Path: refundPath}, "商户 退款单号\nR1\n", `{"out_refund_no":"R1"}`},
		"a label in capitals":        {fleet.Sheet{Path: transferPath}, "商户appid\nwx\n", `{"appid":"wx"}`},
		"a label of the path":        {fleet.Sheet{Path: "v3/pay/transactions/out-trade-no/{out_trade_no}/close", Number: "{out_trade_no}"}, "商户订单号,mchid\nT1,1\n", `{"mchid":"1"}`},
		"a label without a unit":     {fleet.Sheet{Path: refundPath}, "商户退款单号,退款金额\nR1,5\n", "column B (退款金额): it goes to amount.refund, an amount: name its unit, yuan or fen"},
		"a mapping without a unit":   {fleet.Sheet{Path: refundPath, Map: columns(t, "amount.refund=x")}, "x\n5\n", "column A (x): it goes to amount.refund, an amount: name its unit, yuan or fen"},
		"a mapping, misspelt":        {fleet.Sheet{Path: refundPath, Map: columns(t, "amount.refund=退款:yuan")}, "退款金额\n5\n", `there is no column "退款"`},
		"fen":                        {fleet.Sheet{Path: refundPath, Map: columns(t, "amount.refund=x:fen")}, "x\n5\n", `{"amount":{"refund":5}}`},
		"fen with a point":           {fleet.Sheet{Path: refundPath, Map: columns(t, "amount.refund=x:fen")}, "x\n5.00\n", "A2 (column x): it is not a whole number of fen"},
		"yuan":                       {fleet.Sheet{Path: refundPath, Map: columns(t, "amount.refund=x:yuan")}, "x\n1234567.89\n", `{"amount":{"refund":123456789}}`},
		"yuan, whole":                {fleet.Sheet{Path: refundPath, Map: columns(t, "amount.refund=x:yuan")}, "x\n7\n", `{"amount":{"refund":700}}`},
		"yuan with a comma":          {fleet.Sheet{Path: refundPath, Map: columns(t, "amount.refund=x:yuan")}, "x\n\"1,234.50\"\n", "A2 (column x): it is not an amount in yuan of the form 1234.50"},
		"yuan with a sign":           {fleet.Sheet{Path: refundPath, Map: columns(t, "amount.refund=x:yuan")}, "x\n¥5\n", "A2 (column x): it is not an amount in yuan of the form 1234.50"},
		"an amount of type number":   {fleet.Sheet{Path: transferPath}, "transfer_amount\n12.30\n", "A2 (column transfer_amount): it is not a whole number of fen"},
		"an unknown label":           {fleet.Sheet{Path: refundPath}, "商户退款单号,备注\nR1,x\n", "column B (备注): no field of the request has this name or label: name the field where it goes, or leave it out"},
		"an unknown field":           {fleet.Sheet{Path: refundPath}, "out_refund_no,brand_new\nR1,x\n", `{"out_refund_no":"R1","brand_new":"x"}`},
		"a note":                     {fleet.Sheet{Path: refundPath}, "out_refund_no,#reason\nR1,x\n", `{"out_refund_no":"R1"}`},
		"a constant":                 {fleet.Sheet{Path: refundPath, Map: columns(t, "amount.currency==CNY", "amount.total==100")}, "out_refund_no\nR1\n", `{"out_refund_no":"R1","amount":{"currency":"CNY","total":100}}`},
		"a constant with signs":      {fleet.Sheet{Path: refundPath, Map: columns(t, "notify_url==https://x.cn/?a=b:json")}, "out_refund_no\nR1\n", `{"out_refund_no":"R1","notify_url":"https://x.cn/?a=b:json"}`},
		"a constant of JSON":         {fleet.Sheet{Path: refundPath, Map: columns(t, `goods_detail==[{"a":1}]`)}, "out_refund_no\nR1\n", `{"out_refund_no":"R1","goods_detail":[{"a":1}]}`},
		"a constant that is wrong":   {fleet.Sheet{Path: refundPath, Map: columns(t, "amount.total==1.5")}, "out_refund_no\nR1\n", "the constant for amount.total: it is not a whole number of fen"},
		"a constant beside a column": {fleet.Sheet{Path: refundPath, Map: columns(t, "reason==x")}, "out_refund_no,reason\nR1,y\n", "the constant for reason: reason has a value already"},
		"a column with a colon":      {fleet.Sheet{Path: refundPath, Map: columns(t, "reason=a:b")}, "a:b\ny\n", `{"reason":"y"}`},
		"one column, two fields":     {fleet.Sheet{Path: refundPath, Map: columns(t, "amount.refund=x:yuan", "amount.total=x:yuan")}, "x\n0.01\n", `{"amount":{"refund":1,"total":1}}`},
		"no line of names":           {fleet.Sheet{Path: refundPath}, "R1,质量问题\nR2,x\n", "none of the names in its first line is a field that the operation documents: is the line with the names missing?"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := gather(c.sheet.CSV(strings.NewReader(c.text)))
			if err != nil {
				require.ErrorIs(t, err, fleet.ErrColumns)
				assert.Equal(t, "fleet: the list cannot be read: "+c.want, err.Error())
				return
			}
			require.Len(t, got, 1)
			assert.Equal(t, c.want, strings.TrimLeft(got[0], "2: "))
		})
	}
	for _, text := range []string{"amount.currency==CNY", "amount.refund=x:yuan"} {
		_, err := gather(fleet.Sheet{Path: "v3/x", Map: columns(t, text)}.NDJSON(strings.NewReader("{\"x\":1}\n")))
		assert.ErrorContains(t, err, "constants, types and units are for tables")
	}
}

// Zeros that a spreadsheet program has dropped are noticed where other rows have them.
func TestDroppedZeros(t *testing.T) {
	const dropped = "it has 5 digits, and those above have 7, some with zeros in front, which a spreadsheet program drops: " +
		"make the column text, and fill it in again"
	for name, c := range map[string]struct {
		values []string // = before one that is stored as a number
		want   string   // about the last one; empty if it is taken
	}{
		"a number below a text with zeros":    {[]string{"0012345", "=12346"}, dropped},
		"a short text below three":            {[]string{"0012345", "0012346", "1012347", "12348"}, dropped},
		"a short text below two":              {[]string{"0012345", "0012346", "12347"}, ""},
		"a short text below others without":   {[]string{"1012345", "1012346", "1012347", "12347"}, ""},
		"a short text below others, not even": {[]string{"007", "0815", "08", "9"}, ""},
		"a short text that is no number":      {[]string{"0012345", "0012346", "1012347", "A12"}, ""},
		"a number as long as the texts":       {[]string{"0012345", "=1012346"}, ""},
		"an amount, which is no text":         {nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			rows := [][]string{{"out_refund_no", "amount.refund"}}
			for _, v := range c.values {
				rows = append(rows, []string{v, "=1"})
			}
			if c.values == nil {
				rows = append(rows, []string{"R1", "0012"}, []string{"R2", "=5"})
			}
			text := workbook(t, rows...)
			got, err := gather(fleet.Sheet{Path: refundPath}.XLSX(bytes.NewReader(text), int64(len(text))))
			require.NoError(t, err)
			last := got[len(got)-1]
			if c.want == "" {
				assert.Contains(t, last, "out_refund_no")
				return
			}
			assert.Contains(t, last, c.want)
		})
	}
}
