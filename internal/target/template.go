package target

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/wxpay-go/wxpay/internal/redact"
)

// CheckPath checks literal segments joined by "/", each of unreserved characters or a {name}, and
// returns the path without its leading slash. A trailing slash belongs to the path: two operations
// of the API have one.
func CheckPath(path string) (string, error) {
	rest := strings.TrimPrefix(path, "/")
	if rest == "" {
		return "", fmt.Errorf("the path is empty: write it as the manual prints it, for example v3/certificates")
	}
	if i := strings.Index(rest, "://"); i > 0 {
		return "", fmt.Errorf("%s is a URL: pass only the path, WithBaseURL sets the host", redact.Quote(path))
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
				return fmt.Errorf("the segment %s is a format, and paths are not formatted: write a {name} for the value", redact.Quote(segment))
			}
			return fmt.Errorf("the segment %s is percent-encoded: write a {name} and fill it with RawVar", redact.Quote(segment))
		case '{', '}':
			return fmt.Errorf("the placeholder in %s is not a whole segment", redact.Quote(segment))
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

// Placeholders returns the names in a checked path for that many values: each name once, in the
// order of the path.
func Placeholders(path string, values int) (names []string, err error) {
	for segment := range strings.SplitSeq(path, "/") {
		if segment != "" && segment[0] == '{' {
			if name := segment[1 : len(segment)-1]; !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	switch len(names) {
	case values:
		return names, nil
	case 0:
		return nil, fmt.Errorf("path %s: it has no placeholder: write a {name} for the value", redact.Quote(path))
	}
	return nil, fmt.Errorf("path %s: it needs values for {%s}, in this order, and got %d (pass none to fill them with Var)",
		redact.Quote(path), strings.Join(names, "}, {"), values)
}

// AppendName appends one argument of At: a name or a path, each segment rewritten by the rules for
// names. known reports whether the API has a literal segment.
func AppendName(dst []byte, name string, known func(segment string) bool) ([]byte, error) {
	trimmed := strings.TrimPrefix(name, "/")
	if trimmed == "" {
		return dst, fmt.Errorf("a name passed to At is empty")
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
		if dst, err = appendSegment(dst, segment, known); err != nil {
			if strings.Contains(name, "://") {
				return dst, fmt.Errorf("%s is a URL: pass only the path, WithBaseURL sets the host", redact.Quote(name))
			}
			return dst, fmt.Errorf("At(%s): %w", redact.Quote(name), err)
		}
		if !more {
			return dst, nil
		}
		trimmed = rest
	}
}

// appendSegment appends one segment of the attribute style: camelCase and PascalCase become
// kebab-case, and _name_ becomes {name}. A segment that looks like a value is an error, because
// rewriting corrupts a value.
func appendSegment(dst []byte, segment string, known func(segment string) bool) ([]byte, error) {
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
	if odd && !known(string(dst[start:])) {
		return dst, looksLikeValue(segment)
	}
	return dst, nil
}

func looksLikeValue(segment string) error {
	return fmt.Errorf("%s looks like a value, and At rewrites names: write a {name} and fill it with Var, or use Chain for a literal path", redact.Quote(segment))
}

// Label returns the path of a template in its form for logs and metrics. It leaves out a literal
// segment that looks like a value, which belongs in a variable.
func Label(template string) string {
	if template == "" {
		return ""
	}
	if !Suspicious(template) {
		return "/" + template
	}
	segments := strings.Split(template, "/")
	for i := range segments {
		if Suspicious(segments[i]) {
			segments[i] = "{…}"
		}
	}
	return "/" + strings.Join(segments, "/")
}

// Suspicious reports whether a literal segment begins with a digit or has a capital: no segment of
// the API does.
func Suspicious(template string) bool {
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
