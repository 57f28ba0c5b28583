package textfile

import "bytes"

// Commas are the separators that Comma recognises.
const Commas = ",\t;"

// Comma returns the separator of the fields in the first line of a table: the only one of Commas outside quotes. A line with
// none of them has one field, and any separator is right. ok is false if there are several: names may contain them, so nobody
// can tell.
func Comma(line []byte) (comma byte, ok bool) {
	comma = Commas[0]
	quoted, found := false, false
	for _, b := range line {
		switch {
		case b == '"':
			quoted = !quoted
		case quoted || bytes.IndexByte([]byte(Commas), b) < 0 || found && b == comma:
		case found:
			return comma, false
		default:
			comma, found = b, true
		}
	}
	return comma, true
}
