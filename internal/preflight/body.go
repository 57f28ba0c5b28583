package preflight

import (
	"bytes"
	"strconv"
	"unicode/utf8"

	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/jsonwalk"
	"github.com/wxpay-go/wxpay/internal/sensitive"
)

// object checks the object that comes next; nothing may be known of it.
func (k *check) object(m *sensitive.Field) {
	var few [4]uint64
	seen := few[:]
	var known *sensitive.Shape
	if m != nil && m.Inner != nil {
		known = m.Inner
		if words := (len(known.Rows) + 63) / 64; words > len(few) {
			seen = make([]uint64, words)
		}
	}
	depth := len(k.place)
	for more := k.Enter('}'); more; more = k.More('}') {
		name := k.Name()
		k.place = append(k.place[:depth], jsonwalk.Step{Name: name.Key()})
		if name.Astral {
			k.report(SupplementaryCharacter, unsendable)
		}
		inner := m.Find(k.place[depth].Name)
		switch {
		case inner == nil && known != nil && k.Err == nil:
			k.report(UnknownField, "the operation documents no such field")
		case inner != nil && k.Peek() != 'n': // null says the same as leaving it out
			seen[inner.Index/64] |= 1 << (inner.Index % 64)
		}
		k.value(inner, false)
	}
	if known == nil || k.Err != nil {
		k.place = k.place[:depth]
		return
	}
	for _, row := range known.Rows {
		if seen[row.Index/64]&(1<<(row.Index%64)) == 0 && row.Required {
			k.place = append(k.place[:depth], jsonwalk.Step{Name: []byte(row.Name)})
			k.missing(row.Field, "")
		}
	}
	k.place = k.place[:depth]
}

// value checks the value that comes next. element says that it is one of the array that m is.
func (k *check) value(m *sensitive.Field, element bool) {
	var want fact.Type
	if m != nil {
		if want = m.Type; element {
			want = want.Element()
		}
	}
	array := want != want.Element()
	switch c := k.Peek(); c {
	case '{':
		if want != fact.Object && m != nil {
			k.mismatch(m.Field, "an object", want)
			m = nil
		}
		k.object(m)
	case '[':
		if m != nil && !array {
			k.mismatch(m.Field, "an array", want)
			m = nil
		}
		depth, index := len(k.place), 0
		for more := k.Enter(']'); more; more = k.More(']') {
			k.place = append(k.place[:depth], jsonwalk.Step{Index: index})
			k.value(m, true)
			index++
		}
		k.place = k.place[:depth]
	case '"':
		text := k.Quoted()
		if text.Astral {
			k.report(SupplementaryCharacter, unsendable)
		}
		if m == nil || k.Err != nil || sensitive.IsToken(text.Raw) {
			return
		}
		if want != fact.String {
			k.mismatch(m.Field, "a string", want)
			return
		}
		if !m.JSONText && len(m.Enum) == 0 && fits(m.Field, text.Raw) {
			return
		}
		plain, err := text.Unquote()
		if err != nil {
			return // the platform will say so
		}
		k.bounds(m.Field, int64(utf8.RuneCount(plain)), true)
		if m.JSONText {
			k.nested(m, plain)
			return
		}
		k.constant(m.Field, func(constant any) bool { text, ok := constant.(string); return ok && text == string(plain) })
	default:
		word := k.Scalar()
		if len(word) == 0 || word[0] == 'n' || m == nil {
			return
		}
		k.word(m.Field, want, word)
	}
}

// fits reports whether the bytes of a string show, uncounted, that its characters keep the bounds:
// there are at most as many, and at least one if there is a byte.
func fits(m *fact.Field, raw []byte) bool {
	return (m.Max == 0 || int64(len(raw)) <= m.Max) && (m.Min == 0 || m.Min == 1 && len(raw) > 0)
}

// word checks a number, true or false.
func (k *check) word(m *fact.Field, want fact.Type, word []byte) {
	switch {
	case word[0] == 't' || word[0] == 'f':
		if want != fact.Boolean {
			k.mismatch(m, "a boolean", want)
			return
		}
		k.constant(m, func(constant any) bool { return constant == (word[0] == 't') })
	case want == fact.Integer && bytes.ContainsAny(word, ".eE"):
		k.mismatch(m, "a number with a fraction or an exponent", want)
	case want != fact.Integer && want != fact.Number:
		k.mismatch(m, "a number", want)
	case len(m.Enum) > 0 || m.Min > 0 || m.Max > 0:
		number, _ := strconv.ParseFloat(string(word), 64)
		k.bounds(m, int64(number), false)
		k.constant(m, func(constant any) bool { return equalNumber(constant, number) })
	}
}

// nested checks a JSON text that travels in a string.
func (k *check) nested(m *sensitive.Field, text []byte) {
	if len(bytes.TrimSpace(text)) == 0 {
		return
	}
	outer := k.Cursor
	k.Cursor = jsonwalk.Cursor{Text: text, Depth: outer.Depth}
	if k.Peek() == '{' {
		k.object(m)
	} else {
		k.Skip()
	}
	k.End()
	failed := k.Err != nil
	k.Cursor = outer
	if failed {
		k.mistyped(m.Field, "it is documented as a JSON text in a string, and is a text that is not JSON")
	}
}
