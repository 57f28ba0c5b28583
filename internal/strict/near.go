package strict

import (
	"slices"
	"strings"

	"github.com/wxpay-go/wxpay/fact"
)

// Undocumented reports whether a path leads to a field that the documentation, which is fields,
// does not have. near is the path that the caller probably means; empty when there is none. It
// judges names, indexes and # with dots between them. It says nothing of any other path, nor of the
// inside of a field of which nothing more is documented.
func Undocumented(fields []fact.Field, path string) (near string, undocumented bool) {
	at := 0
	for name := range strings.SplitSeq(path, ".") {
		above := path[:at]
		at += len(name) + 1
		switch {
		case strings.Trim(name, "0123456789") == "" && name != "", name == "#":
			continue
		case name == "" || strings.ContainsFunc(name, func(r rune) bool { return r != '_' && r != '-' && !alphanumeric(r) }), len(fields) == 0:
			return "", false
		}
		i := slices.IndexFunc(fields, func(f fact.Field) bool { return f.Named(name) })
		if i < 0 {
			if like := nearest(fields, name); like != "" {
				return above + like, true
			}
			return find(fields, name, above), true
		}
		fields = fields[i].Fields
	}
	return "", false
}

func alphanumeric(r rune) bool {
	return '0' <= r && r <= '9' || 'a' <= r|0x20 && r|0x20 <= 'z'
}

// nearest returns the name of the field that differs from name in a third of its letters at most.
func nearest(fields []fact.Field, name string) (like string) {
	least := len(name)/3 + 1
	for i := range fields {
		if d := distance(strings.ToLower(fields[i].Name), strings.ToLower(name)); d < least {
			like, least = fields[i].Name, d
		}
	}
	return like
}

// find returns the path of the first field of that name, at any depth; empty when there is none.
func find(fields []fact.Field, name, at string) string {
	for i := range fields {
		if fields[i].Name == name {
			return at + name
		}
		inside := at + fields[i].Name + "."
		if fields[i].Type.Element() != fields[i].Type {
			inside += "#."
		}
		if path := find(fields[i].Fields, name, inside); path != "" {
			return path
		}
	}
	return ""
}

// distance is the number of letters to put in, take out or change that makes b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for k := range row {
		row[k] = k
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for k := range len(b) {
			change := diagonal
			if a[i] != b[k] {
				change++
			}
			diagonal = row[k+1]
			row[k+1] = min(change, row[k]+1, row[k+1]+1)
		}
	}
	return row[len(b)]
}
