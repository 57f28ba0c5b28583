// Package jsonwalk reads and writes JSON texts (RFC 8259). A [Cursor] walks through a text from
// left to right and checks its grammar on the way; [Read] decides whether all readers read a text
// alike; [Unmarshal] and [Marshal] convert values.
//
// It has the shape of encoding/json/jsontext, which is to replace it once that package is stable: a
// Cursor is a Decoder (Peek is PeekKind, Skip is SkipValue, Quoted and Scalar are ReadToken, Place
// is StackPointer), AppendQuote has its name there too, and so has the error with a pointer.
// Nothing there finds the end of a string inside of another (Offsets).
package jsonwalk

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// Cursor reads one JSON text from left to right, once, and checks its grammar on the way. The first
// fault ends the reading: the rest reads as nothing, and Err has the fault.
//
// An object or array is read as
//
//	for more := c.Enter('}'); more; more = c.More('}') { name := c.Name(); … one value … }
type Cursor struct {
	// Text is the whole JSON text; At is how much of it is read.
	Text []byte
	At   int
	// Depth counts the objects and arrays around the cursor.
	Depth int
	// Err is the fault that ended the reading.
	Err error
}

func (c *Cursor) fail(what string) { c.Fail(&syntaxError{what, c.At}) }

// Fail ends the reading with an error, unless it has ended.
func (c *Cursor) Fail(err error) {
	if c.Err == nil {
		c.Err = err
	}
	c.At = len(c.Text)
}

// Peek skips white space and returns the first byte of the next value, 0 at the end.
func (c *Cursor) Peek() byte {
	for c.At < len(c.Text) {
		switch b := c.Text[c.At]; b {
		case ' ', '\t', '\n', '\r':
			c.At++
		default:
			return b
		}
	}
	return 0
}

// End checks that nothing follows the value.
func (c *Cursor) End() {
	if c.Peek(); c.At < len(c.Text) {
		c.fail("something follows the value")
	}
}

// Enter steps into the object or array that begins here and reports whether it has a field or
// element.
func (c *Cursor) Enter(end byte) bool {
	if c.Depth++; c.Depth > MaxDepth {
		c.Fail(errDeep)
		return false
	}
	c.At++
	if c.Peek() == end {
		c.At++
		c.Depth--
		return false
	}
	return c.Err == nil
}

// More steps to the next field or element, or out of the object or array.
func (c *Cursor) More(end byte) bool {
	switch b := c.Peek(); {
	case c.Err != nil:
	case b == ',':
		c.At++
		return true
	case b == end:
		c.At++
		c.Depth--
	default:
		c.fail("a comma or a closing bracket is missing")
	}
	return false
}

// Name reads a field's name and the colon.
func (c *Cursor) Name() Quoted {
	if c.Peek() != '"' {
		c.fail("a field's name is missing")
		return Quoted{}
	}
	name := c.Quoted()
	c.colon()
	return name
}

func (c *Cursor) colon() {
	if c.Peek() != ':' {
		c.fail("a colon is missing")
		return
	}
	c.At++
}

// Quoted is a JSON string as it stands between its quotes.
type Quoted struct {
	Raw []byte
	// Escaped says that Raw has a backslash; Astral that it has a character beyond the Basic
	// Multilingual Plane, or half of one; Wide that it has a byte beyond ASCII.
	Escaped, Astral, Wide bool
}

// Sorts of bytes inside a string.
const (
	plain = iota
	quote
	escape
	control
	wide   // beyond ASCII
	astral // begins four bytes of UTF-8
)

var sorts = func() (table [256]byte) {
	for b := range table {
		switch {
		case b == '"':
			table[b] = quote
		case b == '\\':
			table[b] = escape
		case b < 0x20:
			table[b] = control
		case b >= 0xf0 && b < 0xf5:
			table[b] = astral
		case b >= utf8.RuneSelf:
			table[b] = wide
		}
	}
	return table
}()

// Quoted reads the string that begins here.
func (c *Cursor) Quoted() (s Quoted) {
	begin, text := c.At+1, c.Text
	for i := begin; ; i++ {
		for i+8 <= len(text) {
			if n := plainBytes(binary.LittleEndian.Uint64(text[i:])); n < 8 {
				i += n
				break
			}
			i += 8
		}
		for i < len(text) && sorts[text[i]] == plain {
			i++
		}
		if i >= len(text) {
			break
		}
		switch sorts[text[i]] {
		case quote:
			c.At = i + 1
			s.Raw = text[begin:i]
			return s
		case escape:
			s.Escaped = true
			if i++; i == len(text) {
				continue
			}
			switch text[i] {
			case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			case 'u':
				r := unit(text[i+1:])
				if r < 0 {
					c.At = i
					c.fail("an escape is not complete")
					return Quoted{}
				}
				s.Astral = s.Astral || utf16.IsSurrogate(r)
				i += 4
			default:
				c.At = i
				c.fail("an escape is not known")
				return Quoted{}
			}
		case control:
			c.At = i
			c.fail("a string has a control character")
			return Quoted{}
		case wide, astral:
			s.Wide = true
			for ; i < len(text) && text[i] >= utf8.RuneSelf; i++ {
				s.Astral = s.Astral || sorts[text[i]] == astral
			}
			i--
		}
	}
	c.At = len(text)
	c.fail("a string does not end")
	return Quoted{}
}

// plainBytes counts the plain bytes at the beginning of eight bytes in little endian. It tries all
// of them at once: a subtraction sets the highest bit of a byte below 0x20, and of one that equals
// a quote or a backslash. It may carry into the bytes behind that one, which do not count any more.
func plainBytes(bytes uint64) int {
	const each, high = 0x0101010101010101, 0x8080808080808080
	special := (bytes | (bytes - 0x20*each) | (bytes ^ '"'*each - each) | (bytes ^ '\\'*each - each)) & high
	return bits.TrailingZeros64(special) / 8
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

func digit(b byte) bool { return '0' <= b && b <= '9' }

// char returns the first character of raw, which a Cursor has read as a string, and the number of
// its bytes there. A byte that is not UTF-8, and half a character, is U+FFFD, as for encoding/json,
// and sets err.
func char(raw []byte) (r rune, size int, err error) {
	if raw[0] != '\\' {
		if raw[0] < utf8.RuneSelf {
			return rune(raw[0]), 1, nil
		}
		if r, size = utf8.DecodeRune(raw); r == utf8.RuneError && size == 1 {
			err = ErrNotUTF8
		}
		return r, size, err
	}
	switch raw[1] {
	case 'b':
		return '\b', 2, nil
	case 'f':
		return '\f', 2, nil
	case 'n':
		return '\n', 2, nil
	case 'r':
		return '\r', 2, nil
	case 't':
		return '\t', 2, nil
	case 'u':
	default:
		return rune(raw[1]), 2, nil
	}
	if r = unit(raw[2:]); !utf16.IsSurrogate(r) {
		return r, 6, nil
	}
	if rest := raw[6:]; len(rest) >= 6 && rest[0] == '\\' && rest[1] == 'u' {
		if r = utf16.DecodeRune(r, unit(rest[2:])); r != utf8.RuneError {
			return r, 12, nil
		}
	}
	return utf8.RuneError, 6, ErrSurrogate
}

// Unquote returns the text that s stands for: s.Raw itself if nothing is escaped. A text that is
// not exact is ErrNotUTF8 or ErrSurrogate.
func (s Quoted) Unquote() ([]byte, error) {
	if !s.Escaped {
		if !utf8.Valid(s.Raw) {
			return nil, ErrNotUTF8
		}
		return s.Raw, nil
	}
	out := make([]byte, 0, len(s.Raw))
	for i := 0; i < len(s.Raw); {
		r, size, err := char(s.Raw[i:])
		if err != nil {
			return nil, err
		}
		out, i = utf8.AppendRune(out, r), i+size
	}
	return out, nil
}

// Key returns the text of a name for a lookup. A name without an exact text stays as it is, and
// matches nothing.
func (s Quoted) Key() []byte {
	if !s.Escaped {
		return s.Raw
	}
	key, err := s.Unquote()
	if err != nil {
		return s.Raw
	}
	return key
}

// Scalar reads a number, true, false or null and returns its bytes.
func (c *Cursor) Scalar() []byte {
	begin := c.At
	for _, word := range [...]string{"true", "false", "null"} {
		if end := begin + len(word); end <= len(c.Text) && string(c.Text[begin:end]) == word {
			c.At = end
			return c.Text[begin:end]
		}
	}
	if c.At < len(c.Text) && c.Text[c.At] == '-' {
		c.At++
	}
	if c.At < len(c.Text) && c.Text[c.At] == '0' {
		c.At++
	} else if !c.digits() {
		return nil
	}
	if c.At < len(c.Text) && c.Text[c.At] == '.' {
		if c.At++; !c.digits() {
			return nil
		}
	}
	if c.At < len(c.Text) && c.Text[c.At]|0x20 == 'e' {
		c.At++
		if c.At < len(c.Text) && (c.Text[c.At] == '+' || c.Text[c.At] == '-') {
			c.At++
		}
		if !c.digits() {
			return nil
		}
	}
	return c.Text[begin:c.At]
}

func (c *Cursor) digits() bool {
	begin := c.At
	for c.At < len(c.Text) && digit(c.Text[c.At]) {
		c.At++
	}
	if c.At == begin {
		c.fail("a value is missing or unknown")
		return false
	}
	return true
}

// Skip reads one value of any kind.
func (c *Cursor) Skip() {
	switch c.Peek() {
	case '{':
		for more := c.Enter('}'); more; more = c.More('}') {
			c.Name()
			c.Skip()
		}
	case '[':
		for more := c.Enter(']'); more; more = c.More(']') {
			c.Skip()
		}
	case '"':
		c.Quoted()
	default:
		c.Scalar()
	}
}

// Offsets finds the places of a text in its JSON string, in rising order.
type Offsets struct {
	Raw []byte // as Cursor.Quoted has read it, and without a fault

	raw, plain int
}

// Of returns the offset in the JSON string of the character at offset plain of the text.
func (o *Offsets) Of(plain int) int {
	for o.plain < plain {
		r, size, _ := char(o.Raw[o.raw:])
		o.raw, o.plain = o.raw+size, o.plain+utf8.RuneLen(r)
	}
	return o.raw
}
