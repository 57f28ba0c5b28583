package bill

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// No text makes the reader panic, lose a line, or find an amount that is not the one written.
func FuzzRows(f *testing.F) {
	f.Add("\ufeffa,b\r\n`1,`2.30\r\nn\r\n`1\r\n")
	f.Add("a\n`1\n`2,`3\n")
	f.Add("`\n,\n")
	f.Fuzz(func(t *testing.T, text string) {
		last, rows, whole := 0, 0, true
		seen := map[int]bool{}
		for row, err := range readLines(strings.NewReader(text)) {
			require.Greater(t, row.Line, last)
			last = row.Line
			rows++
			seen[row.Line] = true
			whole = whole && row.columns != nil
			if err == nil {
				require.Len(t, row.All(), len(row.Columns()))
			}
			for _, name := range row.Columns() {
				if fen, err := ParseYuan(row.Get(name)); err == nil {
					value, err := strconv.ParseFloat(row.Get(name), 64)
					require.NoError(t, err)
					require.InDelta(t, value*100, float64(fen), math.Abs(value)/1e10+0.001)
				}
			}
		}
		for i, line := range strings.Split(text, "\n") {
			require.True(t, !whole || seen[i+1] || !strings.HasPrefix(line, "`") && !strings.Contains(line, ",`"), "line %d has vanished", i+1)
		}
		require.LessOrEqual(t, rows, strings.Count(text, "\n")+1)
	})
}
