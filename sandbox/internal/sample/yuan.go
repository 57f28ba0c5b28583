package sample

import (
	"strconv"
)

// Yuan writes fen as yuan with two decimals.
func Yuan(fen int64) string {
	b := make([]byte, 0, 24)
	if fen < 0 {
		b, fen = append(b, '-'), -fen
	}
	b = strconv.AppendInt(b, fen/100, 10)
	return string(append(b, '.', byte('0'+fen/10%10), byte('0'+fen%10)))
}
