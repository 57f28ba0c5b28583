package target

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// Variable is the value of one placeholder.
type Variable struct {
	Name, Value string
	Raw         bool // the value is already percent-encoded
}

// check reports a value that would leave its segment, or that shows missing data of the caller.
func (v Variable) check() error {
	plain := v.Value
	if v.Raw {
		var err error
		if plain, err = url.PathUnescape(v.Value); err != nil {
			return fmt.Errorf("the value of {%s} is not percent-encoded text: use Var for plain values", v.Name)
		}
		for i := 0; i < len(v.Value); i++ {
			if c := v.Value[i]; !unreserved[c] && strings.IndexByte("%!$&'()*+,;=:@", c) < 0 {
				return fmt.Errorf("the value of {%s} has a character that must be percent-encoded: use Var for plain values", v.Name)
			}
		}
	}
	switch plain {
	case "":
		return fmt.Errorf("the value of {%s} is empty", v.Name)
	case ".", "..":
		return fmt.Errorf("the value of {%s} is %q, which would change the path", v.Name, plain)
	}
	return nil
}

// Expand fills the placeholders of a checked template with its leading slash. It returns the
// escaped path, and its decoded form if the template has placeholders.
func Expand(template string, variables []Variable) (escaped, decoded string, err error) {
	if len(variables) == 0 && strings.IndexByte(template, '{') < 0 {
		return template, "", nil
	}
	used := 0
	var outSpace, plainSpace [160]byte
	out, plain := outSpace[:0], plainSpace[:0]
	for rest := template[1:]; ; {
		out, plain = append(out, '/'), append(plain, '/')
		segment, after, more := strings.Cut(rest, "/")
		if segment == "" || segment[0] != '{' {
			out, plain = append(out, segment...), append(plain, segment...)
		} else {
			name := segment[1 : len(segment)-1]
			i := slices.IndexFunc(variables, func(v Variable) bool { return v.Name == name })
			if i < 0 {
				return "", "", fmt.Errorf("{%s} has no value: call Var(%q, …)", name, name)
			}
			v := &variables[i]
			if err := v.check(); err != nil {
				return "", "", err
			}
			if v.Raw {
				text, _ := url.PathUnescape(v.Value)
				out, plain = append(out, v.Value...), append(plain, text...)
			} else {
				out, plain = AppendEscaped(out, v.Value), append(plain, v.Value...)
			}
			used++
		}
		if !more {
			break
		}
		rest = after
	}
	if used < len(variables) {
		for _, v := range variables {
			if !strings.Contains(template, "{"+v.Name+"}") {
				return "", "", fmt.Errorf("the path has no {%s}, but the call has a value for it", v.Name)
			}
		}
	}
	if escaped = string(out); escaped == string(plain) {
		return escaped, escaped, nil
	}
	return escaped, string(plain), nil
}
