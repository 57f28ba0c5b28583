package wxpay

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/wxpay-go/wxpay/internal/redact"
)

// scanner reads one JSON text from left to right, once, and checks its grammar (RFC 8259) on the way. The first fault
// ends it: everything after that reads as nothing, and err tells.
//
// An object or array is read as
//
//	for more := s.enter('}'); more; more = s.more('}') { name := s.name(); … one value … }
type scanner struct {
	text  []byte
	at    int
	depth int
	err   error
}

func (s *scanner) fail(what string) {
	if s.err == nil {
		s.err = fmt.Errorf("it is not JSON: %s at byte %d", what, s.at)
	}
	s.at = len(s.text)
}

// peek skips white space and returns the byte that a value begins with, 0 at the end.
func (s *scanner) peek() byte {
	for s.at < len(s.text) {
		switch c := s.text[s.at]; c {
		case ' ', '\t', '\n', '\r':
			s.at++
		default:
			return c
		}
	}
	return 0
}

// end checks that nothing follows the value.
func (s *scanner) end() {
	if s.peek(); s.at < len(s.text) {
		s.fail("something follows the value")
	}
}

// enter steps into the object or array that begins here and reports whether it has a member or element.
func (s *scanner) enter(end byte) bool {
	if s.depth++; s.depth > maxDepth {
		if s.err == nil {
			s.err = fmt.Errorf("it is nested deeper than %d", maxDepth)
		}
		s.at = len(s.text)
		return false
	}
	s.at++
	if s.peek() == end {
		s.at++
		s.depth--
		return false
	}
	return s.err == nil
}

// more steps to the next member or element, or out of the object or array.
func (s *scanner) more(end byte) bool {
	switch c := s.peek(); {
	case s.err != nil:
	case c == ',':
		s.at++
		return true
	case c == end:
		s.at++
		s.depth--
	default:
		s.fail("a comma or a closing bracket is missing")
	}
	return false
}

// name reads a member's name and the colon.
func (s *scanner) name() jsonText {
	if s.peek() != '"' {
		s.fail("a member's name is missing")
		return jsonText{}
	}
	name := s.string()
	if s.peek() != ':' {
		s.fail("a colon is missing")
		return jsonText{}
	}
	s.at++
	return name
}

// jsonText is a JSON string as it stands between its quotes.
type jsonText struct {
	raw []byte
	// escaped says that raw has a backslash; astral that it has a character beyond the Basic Multilingual Plane, or half
	// of one.
	escaped, astral bool
}

// string reads the string that begins here.
func (s *scanner) string() (t jsonText) {
	begin := s.at + 1
	for i := begin; i < len(s.text); i++ {
		switch c := s.text[i]; {
		case c > '"' && c != '\\' && c < 0xf0: // nearly all of them
		case c == '"':
			s.at = i + 1
			t.raw = s.text[begin:i]
			return t
		case c == '\\':
			t.escaped = true
			if i++; i == len(s.text) {
				break
			}
			if s.text[i] != 'u' {
				if strings.IndexByte(`"\/bfnrt`, s.text[i]) < 0 {
					s.at = i
					s.fail("an escape is not known")
					return jsonText{}
				}
				continue
			}
			r := unit(s.text[i+1:])
			if r < 0 {
				s.at = i
				s.fail("an escape is not complete")
				return jsonText{}
			}
			t.astral = t.astral || utf16.IsSurrogate(r)
			i += 4
		case c < 0x20:
			s.at = i
			s.fail("a string has a control character")
			return jsonText{}
		case c >= 0xf0 && c < 0xf5: // begins four bytes of UTF-8
			t.astral = true
		}
	}
	s.at = len(s.text)
	s.fail("a string does not end")
	return jsonText{}
}

// unit returns the value of the four hex digits that b begins with, -1 if it does not.
func unit(b []byte) (r rune) {
	if len(b) < 4 {
		return -1
	}
	for _, c := range b[:4] {
		switch {
		case digit(c):
			c -= '0'
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return -1
		}
		r = r<<4 | rune(c)
	}
	return r
}

var (
	errNotUTF8   = errors.New("it is not UTF-8")
	errSurrogate = errors.New("it has half a character (a surrogate without its partner)")
)

// unquote returns the text that t stands for: t's own bytes if nothing is escaped. A text that cannot be told exactly is
// an error.
func (t jsonText) unquote() ([]byte, error) {
	if !t.escaped {
		if !utf8.Valid(t.raw) {
			return nil, errNotUTF8
		}
		return t.raw, nil
	}
	out := make([]byte, 0, len(t.raw))
	for i := 0; i < len(t.raw); i++ {
		c := t.raw[i]
		if c != '\\' {
			out = append(out, c)
			continue
		}
		i++
		switch c = t.raw[i]; c {
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		case 'u':
			r := unit(t.raw[i+1:])
			i += 4
			if utf16.IsSurrogate(r) {
				rest := t.raw[i+1:]
				if len(rest) < 6 || rest[0] != '\\' || rest[1] != 'u' {
					return nil, errSurrogate
				}
				if r = utf16.DecodeRune(r, unit(rest[2:])); r == utf8.RuneError {
					return nil, errSurrogate
				}
				i += 6
			}
			out = utf8.AppendRune(out, r)
			continue
		}
		out = append(out, c)
	}
	if !utf8.Valid(out) {
		return nil, errNotUTF8
	}
	return out, nil
}

// key returns the text of a name for looking it up; one that cannot be told stays as it stands, and matches nothing.
func (t jsonText) key() []byte {
	if !t.escaped {
		return t.raw
	}
	key, err := t.unquote()
	if err != nil {
		return t.raw
	}
	return key
}

// scalar reads a number, true, false or null and returns it as it stands.
func (s *scanner) scalar() []byte {
	begin := s.at
	for _, word := range [...]string{"true", "false", "null"} {
		if end := begin + len(word); end <= len(s.text) && string(s.text[begin:end]) == word {
			s.at = end
			return s.text[begin:end]
		}
	}
	if s.at < len(s.text) && s.text[s.at] == '-' {
		s.at++
	}
	if s.at < len(s.text) && s.text[s.at] == '0' {
		s.at++
	} else if !s.digits() {
		return nil
	}
	if s.at < len(s.text) && s.text[s.at] == '.' {
		if s.at++; !s.digits() {
			return nil
		}
	}
	if s.at < len(s.text) && s.text[s.at]|0x20 == 'e' {
		s.at++
		if s.at < len(s.text) && (s.text[s.at] == '+' || s.text[s.at] == '-') {
			s.at++
		}
		if !s.digits() {
			return nil
		}
	}
	return s.text[begin:s.at]
}

func (s *scanner) digits() bool {
	begin := s.at
	for s.at < len(s.text) && digit(s.text[s.at]) {
		s.at++
	}
	if s.at == begin {
		s.fail("a value is missing or unknown")
		return false
	}
	return true
}

// skip reads one value of any kind.
func (s *scanner) skip() {
	switch s.peek() {
	case '{':
		for more := s.enter('}'); more; more = s.more('}') {
			s.name()
			s.skip()
		}
	case '[':
		for more := s.enter(']'); more; more = s.more(']') {
			s.skip()
		}
	case '"':
		s.string()
	default:
		s.scalar()
	}
}

// place is where a scanner stands: the way from the root of the JSON text.
type place []step

// step is a member by its name as it stands in the text, or an element by its index where name is nil.
type step struct {
	name  []byte
	index int
}

// pointer returns the place as a JSON pointer (RFC 6901).
func (p place) pointer() string {
	var b []byte
	for _, step := range p {
		b = append(b, '/')
		if step.name == nil {
			b = strconv.AppendInt(b, int64(step.index), 10)
			continue
		}
		for _, c := range step.name {
			switch c {
			case '~':
				b = append(b, "~0"...)
			case '/':
				b = append(b, "~1"...)
			default:
				b = append(b, c)
			}
		}
	}
	return string(b)
}

// parsePointer splits a pointer that a caller wrote into its names.
func parsePointer(pointer string) (names []string, err error) {
	if pointer == "" || pointer[0] != '/' {
		return nil, fmt.Errorf("%s is not a JSON pointer to a member: it begins with a slash, as in /payer/identity/name", redact.Quote(pointer))
	}
	for name := range strings.SplitSeq(pointer[1:], "/") {
		for rest := name; ; {
			_, after, found := strings.Cut(rest, "~")
			if !found {
				break
			}
			if after == "" || after[0] != '0' && after[0] != '1' {
				return nil, fmt.Errorf("%s is not a JSON pointer: after ~ comes 0 (for ~) or 1 (for /)", redact.Quote(pointer))
			}
			rest = after
		}
		names = append(names, strings.ReplaceAll(strings.ReplaceAll(name, "~1", "/"), "~0", "~"))
	}
	return names, nil
}
