package xlsx

import (
	"regexp"
	"strings"
)

// style says how numbers are shown.
type style struct {
	date   bool
	scaled bool // a percentage, or divided by a thousand or more: the digits that are seen are of another number
	digits int  // at least, with zeros in front; 0 unless all are whole
}

var (
	aside  = regexp.MustCompile(`"[^"]*"|\\.|\[[^\]]*\]|_.|\*.`) // parts of a format that show no digit
	ofDate = regexp.MustCompile(`(?i)[ymdhs]`)
	padded = regexp.MustCompile(`^0{2,}$`)
	scaled = regexp.MustCompile(`%|[0#?],+\s*($|[^0#?,\s])`)
)

// styleOf returns the style of a format: the number of one that every program has, or its text.
func styleOf(number int, format string) style {
	if format == "" {
		return style{
			date: number >= 14 && number <= 22 || number >= 27 && number <= 36 ||
				number >= 45 && number <= 47 || number >= 50 && number <= 58,
			scaled: number == 9 || number == 10,
		}
	}
	format, _, _ = strings.Cut(aside.ReplaceAllString(format, ""), ";")
	if padded.MatchString(format) {
		return style{digits: len(format)}
	}
	return style{
		date:   ofDate.MatchString(strings.ReplaceAll(strings.ToLower(format), "general", "")),
		scaled: scaled.MatchString(format),
	}
}
