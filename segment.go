package wxpay

import (
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/wxpay-go/wxpay/internal/redact"
)

// This file builds paths. Two rules hold everywhere: what the caller wrote as a value never changes and never leaves its
// segment, and what is signed is byte for byte what is sent.

// checkPath checks literal segments joined by "/", each made of unreserved characters or a {name}, and returns the path
// without its leading slash. A trailing slash belongs to the path: two operations of the API have one.
func checkPath(path string) (string, error) {
	rest := strings.TrimPrefix(path, "/")
	if rest == "" {
		return "", fmt.Errorf("the path is empty: give it as the manual prints it, for example v3/certificates")
	}
	if i := strings.Index(rest, "://"); i > 0 {
		return "", fmt.Errorf("%s is a URL: give the path alone, the host is set with WithBaseURL", redact.Quote(path))
	}
	for i, start := 0, 0; i <= len(rest); i++ {
		if i < len(rest) && rest[i] != '/' {
			continue
		}
		segment := rest[start:i]
		if segment == "" && i == len(rest) {
			break
		}
		if err := checkSegment(segment); err != nil {
			return "", fmt.Errorf("path %s: %w", redact.Quote(path), err)
		}
		start = i + 1
	}
	return rest, nil
}

func checkSegment(segment string) error {
	if segment == "" {
		return fmt.Errorf("it has an empty segment (two slashes in a row)")
	}
	if segment == "." || segment == ".." {
		return fmt.Errorf("the segment %q would change the path", segment)
	}
	if segment[0] == '{' {
		_, err := placeholder(segment)
		return err
	}
	for i := 0; i < len(segment); i++ {
		if unreserved[segment[i]] {
			continue
		}
		switch segment[i] {
		case '?', '#':
			return fmt.Errorf("it has a query or fragment: use Query(name, value)")
		case '%':
			if _, err := hex.DecodeString(segment[i+1 : min(i+3, len(segment))]); err != nil || i+2 >= len(segment) {
				return fmt.Errorf("the segment %s is no text to format: write a {name} where the value belongs", redact.Quote(segment))
			}
			return fmt.Errorf("the segment %s is percent-encoded: write a {name} and fill it with RawVar", redact.Quote(segment))
		case '{', '}':
			return fmt.Errorf("the placeholder in %s does not fill its segment", redact.Quote(segment))
		}
		return fmt.Errorf("the segment %s has a character that no segment of the API has: write a {name} and fill it with Var", redact.Quote(segment))
	}
	return nil
}

// placeholder returns the name in {name}.
func placeholder(segment string) (string, error) {
	name, ok := strings.CutSuffix(segment[1:], "}")
	if !ok || name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
		return "", fmt.Errorf("the placeholder %s is not {name} with lower-case letters, digits and _", redact.Quote(segment))
	}
	return name, nil
}

// placeholders returns the names in a checked path, each once, in their order.
func placeholders(path string) (names []string) {
	for segment := range strings.SplitSeq(path, "/") {
		if segment != "" && segment[0] == '{' {
			if name := segment[1 : len(segment)-1]; !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// wrongNumber says that values do not fit the placeholders of a path.
func wrongNumber(path string, names []string, values int) error {
	if len(names) == 0 {
		return fmt.Errorf("path %s: it has no placeholder: write a {name} where the value belongs", redact.Quote(path))
	}
	return fmt.Errorf("path %s: values needed for {%s}, in this order; given: %d (give none to fill them with Var)",
		redact.Quote(path), strings.Join(names, "}, {"), values)
}

// appendName appends one argument of At: a name or a path, each segment rewritten by the attribute style's rules. client
// may be nil.
func appendName(dst []byte, name string, client *Client) ([]byte, error) {
	trimmed := strings.TrimPrefix(name, "/")
	if trimmed == "" {
		return dst, fmt.Errorf("a name given to At is empty")
	}
	for first := true; ; first = false {
		segment, rest, more := strings.Cut(trimmed, "/")
		if segment == "" && !more && !first {
			return append(dst, '/'), nil
		}
		if !first || len(dst) > 0 && dst[len(dst)-1] != '/' {
			dst = append(dst, '/')
		}
		var err error
		if dst, err = appendSegment(dst, segment, client); err != nil {
			if strings.Contains(name, "://") {
				return dst, fmt.Errorf("%s is a URL: give the path alone, the host is set with WithBaseURL", redact.Quote(name))
			}
			return dst, fmt.Errorf("At(%s): %w", redact.Quote(name), err)
		}
		if !more {
			return dst, nil
		}
		trimmed = rest
	}
}

// appendSegment appends one segment of the attribute style: camelCase and PascalCase become kebab-case, _name_ becomes
// {name}, and what looks like a value is refused, because rewriting it would corrupt it.
func appendSegment(dst []byte, segment string, client *Client) ([]byte, error) {
	if n := len(segment); n > 2 && segment[0] == '_' && segment[n-1] == '_' {
		braced := "{" + segment[1:n-1] + "}"
		if _, err := placeholder(braced); err != nil {
			return dst, err
		}
		return append(dst, braced...), nil
	}
	if segment == "" || segment[0] == '{' || segment[0] == '.' {
		if err := checkSegment(segment); err != nil {
			return dst, err
		}
		if segment[0] == '{' {
			return append(dst, segment...), nil
		}
	}
	start, odd := len(dst), digit(segment[0])
	for i := 0; i < len(segment); i++ {
		c := segment[i]
		switch {
		case !unreserved[c]:
			return dst, checkSegment(segment)
		case !upper(c):
			dst = append(dst, c)
			continue
		case i > 0:
			odd = odd || !lower(segment[i-1])
			dst = append(dst, '-')
		}
		dst = append(dst, c|0x20)
	}
	if odd && !client.knowsSegment(dst[start:]) {
		return dst, looksLikeValue(segment)
	}
	return dst, nil
}

// oddSegments are the segments of the API that look like values where they are written as properties: h5Presign.
var oddSegments = []string{"h5-pre-entrust-sign", "h5-presign", "n-qualifications"}

// segmenter is what a catalogue may offer beyond Lookup, so that At knows its segments.
type segmenter interface {
	HasSegment(segment string) bool
}

// knowsSegment reports whether a path of the API has this literal segment. c may be nil.
func (c *Client) knowsSegment(segment []byte) bool {
	if slices.Contains(oddSegments, string(segment)) {
		return true
	}
	if c == nil {
		return false
	}
	facts, ok := c.facts().(segmenter)
	return ok && facts.HasSegment(string(segment))
}

func looksLikeValue(segment string) error {
	return fmt.Errorf("%s looks like a value, and names are rewritten: write a {name} and fill it with Var, or use Chain for a literal path", redact.Quote(segment))
}

func digit(c byte) bool { return '0' <= c && c <= '9' }
func upper(c byte) bool { return 'A' <= c && c <= 'Z' }
func lower(c byte) bool { return 'a' <= c && c <= 'z' }

// unreserved marks the characters that stand for themselves in a path or query (RFC 3986, section 2.3).
var unreserved = func() (table [256]bool) {
	for c := range table {
		b := byte(c)
		table[c] = digit(b) || upper(b) || lower(b) || strings.IndexByte("-._~", b) >= 0
	}
	return table
}()

// appendEscaped appends a value as data: everything but unreserved characters is percent-encoded, a blank as %20.
func appendEscaped(dst []byte, value string) []byte {
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

// variable is the value of one placeholder.
type variable struct {
	name, value string
	raw         bool // the value is percent-encoded already
}

// check reports a value that would leave its segment, or that says the caller's data is missing.
func (v variable) check() error {
	plain := v.value
	if v.raw {
		var err error
		if plain, err = url.PathUnescape(v.value); err != nil {
			return fmt.Errorf("the value of {%s} is not percent-encoded text: use Var for plain values", v.name)
		}
		for i := 0; i < len(v.value); i++ {
			if c := v.value[i]; !unreserved[c] && strings.IndexByte("%!$&'()*+,;=:@", c) < 0 {
				return fmt.Errorf("the value of {%s} has a character that must be percent-encoded: use Var for plain values", v.name)
			}
		}
	}
	switch plain {
	case "":
		return fmt.Errorf("the value of {%s} is empty", v.name)
	case ".", "..":
		return fmt.Errorf("the value of {%s} is %q, which would change the path", v.name, plain)
	}
	return nil
}

// expand fills the placeholders of a checked template, which has its leading slash, and returns the escaped path, and its
// decoded form when that differs.
func expand(template string, variables []variable) (escaped, decoded string, err error) {
	if len(variables) == 0 && strings.IndexByte(template, '{') < 0 {
		return template, "", nil
	}
	used := 0
	out := make([]byte, 0, len(template)+64)
	plain := make([]byte, 0, len(template)+64)
	for rest := template[1:]; ; {
		out, plain = append(out, '/'), append(plain, '/')
		segment, after, more := strings.Cut(rest, "/")
		if segment == "" || segment[0] != '{' {
			out, plain = append(out, segment...), append(plain, segment...)
		} else {
			name := segment[1 : len(segment)-1]
			found := false
			for i := range variables {
				v := &variables[i]
				if v.name != name {
					continue
				}
				if err := v.check(); err != nil {
					return "", "", err
				}
				found = true
				if v.raw {
					text, _ := url.PathUnescape(v.value)
					out, plain = append(out, v.value...), append(plain, text...)
				} else {
					out, plain = appendEscaped(out, v.value), append(plain, v.value...)
				}
				used++
				break
			}
			if !found {
				return "", "", fmt.Errorf("{%s} has no value: call Var(%q, …)", name, name)
			}
		}
		if !more {
			break
		}
		rest = after
	}
	if used < len(variables) {
		for _, v := range variables {
			if !strings.Contains(template, "{"+v.name+"}") {
				return "", "", fmt.Errorf("the path has no {%s}, but a value for it was given", v.name)
			}
		}
	}
	return string(out), string(plain), nil
}

// label returns the path of a template as logs and metrics may show it: a literal segment that looks like a value, which
// the caller should have put into a variable, is left out.
func label(template string) string {
	if template == "" {
		return ""
	}
	if !suspicious(template) {
		return "/" + template
	}
	segments := strings.Split(template, "/")
	for i := range segments {
		if suspicious(segments[i]) {
			segments[i] = "{…}"
		}
	}
	return "/" + strings.Join(segments, "/")
}

// suspicious reports whether a literal segment begins with a digit or has a capital: no segment of the API does.
func suspicious(template string) bool {
	before := byte('/')
	for i := 0; i < len(template); i++ {
		c := template[i]
		if upper(c) || before == '/' && digit(c) {
			return true
		}
		before = c
	}
	return false
}
