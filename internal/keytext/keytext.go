// Package keytext finds keys and certificates in the forms in which people have them: PEM text that
// was indented, quoted, escaped or put on one line on its way, the same in UTF-16 or in base64,
// base64 without the PEM lines, and DER.
//
// It looks only at the form. A character that no base64 has is a damaged text, never a guess.
package keytext

import (
	"bytes"
	"encoding/base64"
	"errors"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf16"
)

// Block is one key or certificate.
type Block struct {
	Kind string // of the PEM block, such as PRIVATE KEY; empty without PEM
	DER  []byte // may be empty if the kind is Encrypted
}

// Encrypted is the kind of every block of an encrypted private key.
const Encrypted = "ENCRYPTED PRIVATE KEY"

// sequence is the first byte of the DER of every key and certificate.
const sequence = 0x30

var (
	errEmpty  = errors.New("it is empty")
	errEnd    = errors.New("the PEM text is damaged: the end of a block is missing")
	errBase64 = errors.New("the PEM text is damaged: it has a character that does not belong there, or lacks some")
)

// Find returns the blocks in data; data itself if it is neither PEM nor base64. The errors repeat
// nothing of data.
func Find(data []byte) ([]Block, error) {
	text := strings.TrimSpace(plain(data))
	switch {
	case text == "":
		return nil, errEmpty
	case strings.Contains(text, begin):
		return blocks(text)
	case data[0] == sequence:
		return []Block{{DER: data}}, nil
	}
	if inner, ok := decoded(text); ok {
		if strings.Contains(plain(inner), begin) {
			return blocks(plain(inner))
		}
		return []Block{{DER: inner}}, nil
	}
	return []Block{{DER: data}}, nil
}

// IsEncoded reports whether text is PEM, or base64 of PEM or DER, and so not the path of a file.
func IsEncoded(text string) bool {
	if strings.Contains(text, begin) {
		return true
	}
	_, ok := decoded(text)
	return ok
}

const begin = "-----BEGIN "

// plain returns the text of data, which may be UTF-16, without a byte order mark.
func plain(data []byte) string {
	var order func(b []byte) uint16
	switch {
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}), bytes.HasPrefix(data, []byte("-\x00")):
		order = func(b []byte) uint16 { return uint16(b[0]) | uint16(b[1])<<8 }
	case bytes.HasPrefix(data, []byte{0xfe, 0xff}), bytes.HasPrefix(data, []byte("\x00-")):
		order = func(b []byte) uint16 { return uint16(b[0])<<8 | uint16(b[1]) }
	default:
		return strings.TrimPrefix(string(data), "\ufeff")
	}
	units := make([]uint16, 0, len(data)/2)
	for ; len(data) > 1; data = data[2:] {
		units = append(units, order(data))
	}
	return strings.TrimPrefix(string(utf16.Decode(units)), "\ufeff")
}

var (
	// escape is an escape of JSON, of a shell or of a configuration, however often it was escaped.
	escape = regexp.MustCompile(`\\+([nrt/"])`)
	block  = regexp.MustCompile(`-----BEGIN ([A-Z0-9 ]+)-----((?:[^-]|-[^-])*)-----END ([A-Z0-9 ]+)-----`)
	header = regexp.MustCompile(`(?m)^[ \t]*[A-Za-z-]+:.*$`)
)

// blocks reads PEM text.
func blocks(text string) (found []Block, err error) {
	text = escape.ReplaceAllStringFunc(text, func(s string) string {
		if s[len(s)-1] == '/' {
			return "/"
		}
		return "\n"
	})
	all := block.FindAllStringSubmatch(text, -1)
	if len(all) < strings.Count(text, begin) {
		return nil, errEnd
	}
	for _, match := range all {
		kind, body := match[1], match[2]
		switch {
		case kind != match[3]:
			return nil, errEnd
		case strings.HasSuffix(kind, " PARAMETERS"): // OpenSSL writes them before an EC key
			continue
		case strings.Contains(body, "Proc-Type"): // the older way, of PKCS#1 keys
			found = append(found, Block{Kind: Encrypted})
			continue
		}
		der, ok := undo(header.ReplaceAllString(body, ""))
		if !ok {
			return nil, errBase64
		}
		found = append(found, Block{kind, der})
	}
	return found, nil
}

// undo decodes base64 with whatever blanks, quotes and commas stand in it.
func undo(text string) ([]byte, bool) {
	text = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || strings.ContainsRune("\"'`,\u200b\ufeff", r) {
			return -1
		}
		return r
	}, text)
	der, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		der, err = base64.RawStdEncoding.DecodeString(text)
	}
	return der, err == nil && len(der) > 0
}

// decoded returns what a text of base64 holds, if that is a key: DER or PEM.
func decoded(text string) ([]byte, bool) {
	inner, ok := undo(text)
	return inner, ok && len(inner) > 32 && (inner[0] == sequence || strings.Contains(plain(inner), begin))
}
