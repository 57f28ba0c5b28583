package batch

import (
	"maps"
	"math/big"
	"slices"
	"strings"
)

// sums are the sums of amounts in fen, by the names of their fields.
type sums map[string]*big.Int

func (s sums) add(amounts map[string]int64) {
	for member, fen := range amounts {
		s.addBig(member, big.NewInt(fen))
	}
}

func (s sums) addBig(member string, fen *big.Int) {
	if s[member] == nil {
		s[member] = new(big.Int)
	}
	s[member].Add(s[member], fen)
}

func (s sums) members() []string { return slices.Sorted(maps.Keys(s)) }

// inYuan writes an amount of fen in yuan, with two places. separator stands between thousands.
func inYuan(fen *big.Int, separator string) string {
	yuan, rest := new(big.Int).QuoRem(new(big.Int).Abs(fen), big.NewInt(100), new(big.Int))
	digits := yuan.String()
	var b strings.Builder
	if fen.Sign() < 0 {
		b.WriteByte('-')
	}
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteString(separator)
		}
		b.WriteRune(d)
	}
	cents := rest.String()
	return b.String() + "." + strings.Repeat("0", 2-len(cents)) + cents
}
