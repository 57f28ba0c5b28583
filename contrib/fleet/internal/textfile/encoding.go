// Package textfile recognises the encoding of a text file and the separator of its fields.
package textfile

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
)

// Encoding is the encoding of a text.
type Encoding string

// Encodings that can be read. GB18030 includes GBK and GB 2312.
const (
	UTF8    Encoding = "utf-8"
	UTF16LE Encoding = "utf-16le"
	UTF16BE Encoding = "utf-16be"
	GB18030 Encoding = "gb18030"
)

// Encodings returns all of them.
func Encodings() []Encoding { return []Encoding{UTF8, GB18030, UTF16LE, UTF16BE} }

// ParseEncoding returns the encoding with a name.
func ParseEncoding(name string) (Encoding, bool) {
	e := Encoding(strings.ToLower(name))
	switch e {
	case "gbk", "gb2312":
		return GB18030, true
	case "utf8":
		return UTF8, true
	}
	return e, slices.Contains(Encodings(), e)
}

// ErrEncoding means that a text has none of the encodings.
var ErrEncoding = errors.New("its text is neither UTF-8 nor GB18030 nor UTF-16")

// Recognize reads r to its end, or a part of a text, and returns its encoding. A text whose UTF-8 is damaged in a few places
// counts as UTF-8: as GB18030 nearly every text can be read, and few would be right.
func Recognize(r io.Reader) (Encoding, error) {
	head := make([]byte, 64<<10)
	n, err := io.ReadFull(r, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return "", err
	}
	head = head[:n]
	if e, ok := wide(head); ok {
		return e, nil
	}
	var count counts
	count.add(head)
	for err == nil {
		head = head[:cap(head)]
		n, err = r.Read(head)
		count.add(head[:n])
	}
	if err != io.EOF && err != io.ErrUnexpectedEOF {
		return "", err
	}
	switch {
	case count.invalid < 1+count.multiple/4:
		return UTF8, nil
	case count.gb.valid():
		return GB18030, nil
	}
	return "", ErrEncoding
}

// wide recognises UTF-16: by its byte order mark, or by the zero half of the digits and commas that every list has.
func wide(head []byte) (Encoding, bool) {
	switch {
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}):
		return UTF16LE, true
	case bytes.HasPrefix(head, []byte{0xfe, 0xff}):
		return UTF16BE, true
	}
	var zero [2]int
	for i, b := range head {
		if b == 0 {
			zero[i%2]++
		}
	}
	switch {
	case zero[1] > 2*zero[0]: // the other half of 一 (U+4E00) is zero
		return UTF16LE, true
	case zero[0] > 2*zero[1]:
		return UTF16BE, true
	}
	return "", false
}

// counts are of a text that is read as UTF-8.
type counts struct {
	multiple int // characters of several bytes
	invalid  int // bytes
	rest     []byte
	gb       gb18030
}

// add counts a part of the text. A character that the end of a part cuts off counts with the next part.
func (c *counts) add(part []byte) {
	c.gb.add(part)
	text := append(c.rest, part...)
	for len(text) > 0 {
		if text[0] < utf8.RuneSelf {
			text = text[1:]
			continue
		}
		if !utf8.FullRune(text) {
			break
		}
		r, size := utf8.DecodeRune(text)
		if r == utf8.RuneError && size == 1 {
			c.invalid++
		} else {
			c.multiple++
		}
		text = text[size:]
	}
	c.rest = append(c.rest[:0:0], text...)
}

// gb18030 follows the form of GB18030: characters of one, two or four bytes.
type gb18030 struct {
	at    int // bytes of the current character so far
	wrong bool
}

func (g *gb18030) add(part []byte) {
	for _, b := range part {
		lead, digit := b >= 0x81 && b <= 0xfe, b >= '0' && b <= '9'
		switch {
		case g.at == 0 && b < 0x80:
		case (g.at == 0 || g.at == 2) && lead, g.at == 1 && digit:
			g.at++
		case g.at == 1 && b >= 0x40 && b != 0x7f && b != 0xff, g.at == 3 && digit:
			g.at = 0
		default:
			g.wrong = true
		}
	}
}

// valid reports whether everything was GB18030. The end of a part may cut off the last character.
func (g *gb18030) valid() bool { return !g.wrong }

// Decode returns the text of r in UTF-8. U+FFFD stands for what cannot be decoded; UTF-8 is passed on as it is.
func Decode(r io.Reader, e Encoding) io.Reader {
	switch e {
	case GB18030:
		return simplifiedchinese.GB18030.NewDecoder().Reader(r)
	case UTF16LE:
		return unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder().Reader(r)
	case UTF16BE:
		return unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewDecoder().Reader(r)
	}
	return r
}
