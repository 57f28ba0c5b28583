// Package target builds the target of a request, its path and query, and checks the addresses of
// requests.
//
// Two rules hold everywhere: a caller's value never changes and never leaves its segment, and the
// signed text is the sent one, byte for byte.
package target

import "strings"

func digit(c byte) bool { return '0' <= c && c <= '9' }
func upper(c byte) bool { return 'A' <= c && c <= 'Z' }
func lower(c byte) bool { return 'a' <= c && c <= 'z' }

var unreserved = func() (table [256]bool) {
	for c := range table {
		b := byte(c)
		table[c] = digit(b) || upper(b) || lower(b) || strings.IndexByte("-._~", b) >= 0
	}
	return table
}()

// Unreserved reports whether c needs no escape in a path or query (RFC 3986, section 2.3).
func Unreserved(c byte) bool { return unreserved[c] }

// AppendEscaped appends a value as data: it percent-encodes all except the unreserved characters, a
// blank as %20.
func AppendEscaped(dst []byte, value string) []byte {
	const hex = "0123456789ABCDEF"
	for i := 0; i < len(value); i++ {
		if c := value[i]; unreserved[c] {
			dst = append(dst, c)
		} else {
			dst = append(dst, '%', hex[c>>4], hex[c&15])
		}
	}
	return dst
}
