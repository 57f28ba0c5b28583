package bill

import (
	"errors"
	"math"
	"strings"
)

// ParseYuan converts an amount in yuan (12.30, -0.01, 0.00000) to fen, exactly. Anything else, a
// fraction of a fen and an amount that does not fit are errors.
func ParseYuan(yuan string) (int64, error) {
	whole, fraction, point := strings.Cut(yuan, ".")
	negative := strings.HasPrefix(whole, "-")
	if negative || strings.HasPrefix(whole, "+") {
		whole = whole[1:]
	}
	if whole == "" || point && fraction == "" || strings.ContainsFunc(whole, notDigit) || strings.ContainsFunc(fraction, notDigit) {
		return 0, errors.New("it is not an amount in yuan")
	}
	if len(fraction) > 2 {
		if strings.Trim(fraction[2:], "0") != "" {
			return 0, errors.New("it has a fraction of a fen")
		}
		fraction = fraction[:2]
	}
	var fen int64
	for _, digit := range []byte(whole + (fraction + "00")[:2]) {
		if fen > (math.MaxInt64-int64(digit-'0'))/10 {
			return 0, errors.New("the amount is too large")
		}
		fen = 10*fen + int64(digit-'0')
	}
	if negative {
		fen = -fen
	}
	return fen, nil
}

func notDigit(r rune) bool { return r < '0' || r > '9' }
