// Package gosource has what programs that write Go have in common: the names of package api, and
// comments of a width.
package gosource

import (
	"strings"
	"unicode/utf8"
)

// initialisms are the words of the API's paths that Go writes in capitals. Only whole words count,
// so a name follows from its segment without a dictionary: sub_mchid is SubMchid.
var initialisms = map[string]bool{
	"api": true, "etc": true, "h5": true, "hk": true, "id": true, "jsapi": true, "qq": true, "sn": true, "url": true,
}

// Words returns the words of a name of the API, divided by - and _, each in the form of an exported
// Go name.
func Words(name string) []string {
	list := strings.FieldsFunc(name, func(r rune) bool { return r == '-' || r == '_' })
	for i, word := range list {
		if initialisms[word] {
			list[i] = strings.ToUpper(word)
		} else {
			list[i] = strings.ToUpper(word[:1]) + word[1:]
		}
	}
	return list
}

// Exported returns the exported Go name of a name of the API: OutTradeNo for out_trade_no.
func Exported(name string) string { return strings.Join(Words(name), "") }

// Fill breaks text at blanks into lines of at most columns characters. The first begins with first,
// the others with more; a long word stays whole.
func Fill(first, more, text string, columns int) (lines []string) {
	line := ""
	for i, word := range strings.Fields(text) {
		switch {
		case i == 0:
			line = first + word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > columns:
			lines = append(lines, line)
			line = more + word
		default:
			line += " " + word
		}
	}
	return append(lines, line)
}
