package jsonwalk

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/wxpay-go/wxpay/internal/redact"
)

// Place is where a cursor stands: the steps from the root of the JSON text.
type Place []Step

// Step is a field by its name, or an element by its index where Name is nil.
type Step struct {
	Name  []byte
	Index int
}

// Pointer returns the place as a JSON pointer (RFC 6901).
func (p Place) Pointer() string {
	var b []byte
	for _, step := range p {
		if b = append(b, '/'); step.Name == nil {
			b = strconv.AppendInt(b, int64(step.Index), 10)
		} else {
			b = append(b, escaper.Replace(string(step.Name))...)
		}
	}
	return string(b)
}

var (
	escaper   = strings.NewReplacer("~", "~0", "/", "~1")
	unescaper = strings.NewReplacer("~0", "~", "~1", "/")
)

// Below returns the pointer of a field or element of the value at pointer.
func Below(pointer, name string) string { return pointer + "/" + escaper.Replace(name) }

// ParsePointer splits a pointer that a caller wrote into its names. A pointer to the whole text is
// an error.
func ParsePointer(pointer string) (names []string, err error) {
	if pointer == "" || pointer[0] != '/' {
		return nil, fmt.Errorf("%s is not a JSON pointer to a field: it begins with a slash, as in /payer/identity/name", redact.Quote(pointer))
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
		names = append(names, unescaper.Replace(name))
	}
	return names, nil
}
