package wxpay

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/wxpay-go/wxpay/internal/redact"
)

// place is where a cursor stands: the way from the root of the JSON text.
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
