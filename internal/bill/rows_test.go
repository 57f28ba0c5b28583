package bill_test

import (
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/internal/bill"
	"github.com/wxpay-go/wxpay/internal/download"
)

// statement is the client of a bill that the application answers with. Nothing but that is asked of
// it.
type statement struct {
	bill.Client
	text string
}

func (s statement) Statement() download.Call        { return call{s.text} }
func (s statement) Rejection(error) *bill.Rejection { return nil }

// call is a call whose response has this text.
type call struct{ text string }

func (c call) Verified() bool                   { return true }
func (c call) Attempts() int                    { return 1 }
func (c call) Failed(f *download.Failure) error { return f }

func (c call) Open(context.Context) (*http.Response, func(), error) {
	return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(c.text))}, func() {}, nil
}

// keep returns a bill with this text.
func keep(t testing.TB, text string) *bill.Content {
	t.Helper()
	content := new(bill.Content)
	getting := &bill.Getting{Client: statement{text: text}, Plan: &download.Plan{MaxSize: download.MaxSize}, Direct: true}
	got, err := getting.Keep(context.Background(), content)
	require.NoError(t, err)
	require.Equal(t, int64(len(text)), got.Size)
	t.Cleanup(func() { assert.NoError(t, content.Close()) })
	return content
}

// read writes each row as its line number and values, an error as !, and the summary after ==.
func read(content *bill.Content) string {
	var b strings.Builder
	for row, err := range content.Rows() {
		b.WriteString(strconv.Itoa(row.Line) + ":" + strings.Join(row.All(), "|"))
		if err != nil {
			b.WriteString("! " + err.Error())
		}
		b.WriteString("\n")
	}
	summary, err := content.Summary()
	for _, row := range summary {
		b.WriteString("== " + strings.Join(row.Columns(), "|") + " " + strings.Join(row.All(), "|") + "\n")
	}
	if err != nil {
		b.WriteString("== ! " + err.Error() + "\n")
	}
	return b.String()
}

func TestRows(t *testing.T) {
	for name, tt := range map[string]struct{ text, want string }{
		"a bill":                     {"\ufeffa,b\r\n`1,`2\r\n`3,`4\r\nn,m\r\n`2,`6\r\n", "2:1|2\n3:3|4\n== n|m 2|6\n"},
		"LF, no BOM, no end":         {"a,b\n`1,`2\nn\n`2", "2:1|2\n== n 2\n"},
		"nothing happened":           {"a,b\n总笔数,总额,费\n`0,`0.00,`0.00\n", "== 总笔数|总额|费 0|0.00|0.00\n"},
		"no summary":                 {"a,b\n`1,`2\n", "2:1|2\n"},
		"commas inside":              {"a,b\n`x, y,`2,3\n", "2:x, y|2,3\n"},
		"empty values":               {"a,b,c\n`,`,`\n", "2:||\n"},
		"several summary lines":      {"a\n`1\nn,m\n`1,`2\n`3,`4\n", "2:1\n== n|m 1|2\n== n|m 3|4\n"},
		"a summary of equal width":   {"a,b\n`1,`2\nn,m\n`1,`2\n", "2:1|2\n== n|m 1|2\n"},
		"no back-ticks":              {"a,b\n1,2\n3,4\nn,m,o\n1,2,3\n", "2:1|2\n3:3|4\n== n|m|o 1|2|3\n"},
		"blank lines":                {"a,b\n\n`1,`2\n \n", "3:1|2\n"},
		"names again, in a new part": {"\ufeffa,b\n`1,`2\n\ufeffa,b\n`3,`4\na,b\n`5,`6\n", "2:1|2\n4:3|4\n6:5|6\n"},
		"too few values":             {"a,b\n`1\n`3,`4\n", "2:1! wxpay: line 2 of the bill has 1 values for 2 columns\n3:3|4\n"},
		"too many values":            {"a,b\n`1,`2,`3\n`3,`4\n", "2:1|2|3! wxpay: line 2 of the bill has 3 values for 2 columns\n3:3|4\n"},
		"too few in the summary":     {"a\n`1\nn,m\n`1\n", "2:1\n3:n|m! " + stray(3) + "\n4:1\n== ! " + stray(3) + "\n"},
		"too few further down": {"a\n`1\nn,m\n`1,`2\n`3\n",
			"2:1\n5:3! wxpay: line 5 of the bill has 1 values for 2 columns\n== ! wxpay: line 5 of the bill has 1 values for 2 columns\n"},
		"the first has no back-tick": {"a,b,c\n`1,`2,`3\n4,`5,`6\n`7,`8,`9\nn\n`3\n", "2:1|2|3\n3:4|`5|`6! " + stray(3) + "\n4:7|8|9\n== n 3\n"},
		"as many as there are":       {"a,b\n`1,`2\n4,`5\n`7,`8\n", "2:1|2\n3:4|`5! " + stray(3) + "\n4:7|8\n"},
		"the very first has none":    {"a,b\n4,`5\n`7,`8\n", "2:4|`5! " + stray(2) + "\n3:7|8\n"},
		"a line break in a value": {"a,b,c\n`1,`te\nx,`3\n`4,`5,`6\nn\n`2\n",
			"2:1|te! wxpay: line 2 of the bill has 2 values for 3 columns\n3:x|`3! " + stray(3) + "\n4:4|5|6\n== n 2\n"},
		"a line break in the last": {"a,b\n`1,`te\nx\n`4,`5\nn,m\n`2,`9\n", "2:1|te\n3:x! " + stray(3) + "\n4:4|5\n== n|m 2|9\n"},
		"names with nothing below": {"a,b\n`1,`2\nn,m\n", "2:1|2\n3:n|m! " + stray(3) + "\n== ! " + stray(3) + "\n"},
		"plain, a comma in a value": {"a,b\n1,x\n2,y,z\n3,u\n",
			"2:1|x\n3:2|y|z! wxpay: line 3 of the bill has 3 values for 2 columns\n4:3|u\n== ! wxpay: line 3 of the bill has 3 values for 2 columns\n"},
		"plain, commas in two": {"a,b\n1,x\n2,y,z\n3,u,v\nn\n3\n",
			"2:1|x\n3:2|y|z! wxpay: line 3 of the bill has 3 values for 2 columns\n4:3|u|v! wxpay: line 4 of the bill has 3 values for 2 columns\n== n 3\n"},
		"names with digits":         {"a,b\n`1,`2\n7日内,,30日内\n`1,`2,`3\n", "2:1|2\n== 7日内||30日内 1|2|3\n"},
		"a break, as many as above": {"a,b\n`1,`te\n2,x\n`4,`5\n", "2:1|te\n3:2|x! " + stray(3) + "\n4:4|5\n== ! " + stray(3) + "\n"},
		"nothing, of equal width":   {"a,b\nn,m\n`0,`0.00\n", "== n|m 0|0.00\n"},
		"blank above the summary":   {"a\n`1\nn,m\n\n`1,`2\n", "2:1\n== n|m 1|2\n"},
		"two parts, two summaries":  {"a,b\n`1,`2\nn\n`1\na,b\n`3,`4\nn\n`5\n", "2:1|2\n6:3|4\n== n 1\n== n 5\n"},
		"two parts, of equal width": {"a,b\n`1,`2\nn,m\n`1,`9\n\ufeffa,b\n`3,`4\nn,m\n`5,`9\n", "2:1|2\n6:3|4\n== n|m 1|9\n== n|m 5|9\n"},
		"a part with other names":   {"a,b\n`1,`2\nn\n`1\n\ufeffc,d\n`3,`4\nn\n`5\n", "2:1|2\n6:3|4\n== n 1\n== n 5\n"},
		"a part without names":      {"a,b\n`1,`2\nn,m\n`1,`9\n\ufeff`3,`4\n", "2:1|2\n5:3|4\n== n|m 1|9\n"},
		"values without names": {"`1,`2\n",
			"1:! wxpay: line 1 of the bill has values, and there are no names of columns above it\n== ! wxpay: line 1 of the bill has values, and " +
				"there are no names of columns above it\n"},
		"a line without end": {"a\n`" + strings.Repeat("x", 1<<20) + "\n",
			"2:! wxpay: line 2 of the bill cannot be read: it is longer than 1048576 bytes\n== ! wxpay: line 2 of the bill cannot be read: it is " +
				"longer than 1048576 bytes\n"},
		"an empty file": {"", ""},
		"a BOM":         {"\ufeff", ""},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, tt.want, read(keep(t, tt.text)))
			content := keep(t, tt.text)
			_, firstErr := content.Summary() // before the rows
			_, secondErr := content.Summary()
			assert.Equal(t, firstErr, secondErr)
			assert.Equal(t, tt.want, read(content))
		})
	}
}

func stray(line int) string {
	return fmt.Sprintf("wxpay: line %d of the bill is no row (it begins with no back-tick), and no names with values below them", line)
}

func TestParseYuan(t *testing.T) {
	for yuan, fen := range map[string]int64{
		"0": 0, "0.00": 0, "0.00000": 0, "1": 100, "1.5": 150, "12.30": 1230, "-0.01": -1, "+0.01": 1, "0.29": 29, "1.10000": 110,
		"92233720368547758.07": math.MaxInt64, "-92233720368547758.07": -math.MaxInt64, "007.00": 700,
	} {
		got, err := bill.ParseYuan(yuan)
		require.NoError(t, err, yuan)
		assert.Equal(t, fen, got, yuan)
	}
	for yuan, says := range map[string]string{
		"": "not an amount", ".": "not an amount", "1.": "not an amount", ".5": "not an amount", "-": "not an amount", "--1": "not an amount",
		"1,000.00": "not an amount", "1e2": "not an amount", "0x1": "not an amount", " 1": "not an amount", "1.0.0": "not an amount", "¥1": "not an amount",
		"0.001": "fraction of a fen", "0.00600": "fraction of a fen",
		"92233720368547758.08": "too large", "99999999999999999999": "too large",
	} {
		_, err := bill.ParseYuan(yuan)
		assert.ErrorContains(t, err, says, yuan)
	}
}
