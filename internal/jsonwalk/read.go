package jsonwalk

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"unicode"
	"unicode/utf8"
)

// Read returns raw if encoding/json and every other reader of JSON read the same in it; otherwise
// the error is ErrNotJSON or ErrAmbiguous. In the result each byte of a string that is not UTF-8 is
// U+FFFD, as for encoding/json.
//
// It is one pass. It allocates only for such bytes, for objects of many fields and for errors.
func Read(raw []byte) (text []byte, err error) {
	if len(raw) == 0 {
		return nil, ErrNotJSON
	}
	r := reader{Cursor: Cursor{Text: raw}}
	r.value()
	r.End()
	switch {
	case r.Err != nil:
		return nil, r.Err
	case r.twist != nil:
		return nil, r.twist
	case r.broken:
		return toUTF8(raw), nil
	}
	return raw, nil
}

// toUTF8 returns text with U+FFFD in the place of each byte that is not UTF-8.
func toUTF8(text []byte) []byte {
	out := make([]byte, 0, len(text)+len(text)/8)
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		out, i = utf8.AppendRune(out, r), i+size
	}
	return out
}

// reader finds the first place that two readers of a text would read differently.
type reader struct {
	Cursor
	few    [few]name // of the objects that the cursor is in, as far as it has come
	many   []name    // in the place of few, once that is full
	named  int       // how many there are
	broken bool      // a string is not UTF-8
	twist  error     // the first place where they part
}

// name is the name of a field as it stands in the text, with a mark that tells it from most others.
type name struct {
	mark uint32
	raw  []byte
}

// few is the number of fields up to which an object's names are compared one by one.
const few = 32

func (r *reader) value() {
	switch r.Peek() {
	case '{':
		r.object()
	case '[':
		for more := r.Enter(']'); more; more = r.More(']') {
			r.value()
		}
	case '"':
		r.text(r.Quoted())
	default:
		if word := r.Scalar(); len(word) > 0 && word[0] <= '9' {
			r.number(word)
		}
	}
}

// text notes a string that is not UTF-8.
func (r *reader) text(s Quoted) {
	if s.Wide && !utf8.Valid(s.Raw) {
		r.broken = true
	}
}

func (r *reader) object() {
	outer, seen := r.named, uint64(0) // a bit for each mark
	for more := r.Enter('}'); more; more = r.More('}') {
		quoted := r.Name()
		r.text(quoted)
		n := name{mark(quoted), quoted.Raw}
		bit := uint64(1) << (n.mark * 0x9e3779b1 >> 26)
		if siblings := r.siblings(outer); seen&bit != 0 && len(siblings) < few {
			for i := range siblings {
				if siblings[i].mark == n.mark {
					r.compare(siblings[i], n)
				}
			}
		}
		seen |= bit
		if r.many == nil && r.named < few {
			r.few[r.named] = n
		} else {
			if r.many == nil {
				r.many = append(make([]name, 0, 4*few), r.few[:]...)
			}
			r.many = append(r.many[:r.named], n)
		}
		r.named++
		r.value()
	}
	if siblings := r.siblings(outer); len(siblings) > few && r.Err == nil {
		slices.SortFunc(siblings, order)
		for i := range siblings[1:] {
			r.compare(siblings[i], siblings[i+1])
		}
	}
	r.named = outer
}

// siblings returns the names in the innermost object. The objects around it have the first outer
// names.
func (r *reader) siblings(outer int) []name {
	if r.many != nil {
		return r.many[outer:r.named]
	}
	return r.few[outer:r.named]
}

// compare notes two fields of one object that have the same name for a reader that ignores case.
func (r *reader) compare(a, b name) {
	if r.twist != nil || r.Err != nil || compareFolded(a.raw, b.raw) != 0 {
		return
	}
	if one, other := printable(a.raw), printable(b.raw); one != other {
		r.twist = ambiguity("the fields " + one + " and " + other + " differ in case alone")
	} else {
		r.twist = ambiguity("the field " + one + " stands twice")
	}
}

// order sorts names so that those that differ in case alone are neighbours.
func order(a, b name) int {
	if a.mark != b.mark {
		return cmp.Compare(a.mark, b.mark)
	}
	return compareFolded(a.raw, b.raw)
}

// number notes a number that fits no type: encoding/json rejects it, and others make another number
// of it.
func (r *reader) number(word []byte) {
	whole, large := true, len(word) > 300
	for _, b := range word {
		switch b {
		case '.':
			whole = false
		case 'e', 'E':
			whole, large = false, true
		}
	}
	var err error
	switch {
	case whole && len(word) > len("999999999999999999"):
		_, err = strconv.ParseInt(string(word), 10, 64)
	case large:
		_, err = strconv.ParseFloat(string(word), 64)
	}
	if err != nil && r.twist == nil {
		r.twist = ambiguity(fmt.Sprintf("the number before byte %d fits no type", r.At))
	}
}

// mark returns a number made of the length and three characters of a name. It is the same for all
// names that compareFolded finds equal.
func mark(name Quoted) uint32 {
	raw := name.Raw
	if name.Escaped || name.Wide {
		raw = nil
		for i := 0; i < len(name.Raw); {
			r, size, _ := char(name.Raw[i:])
			raw, i = append(raw, byte(fold(r))), i+size
		}
	}
	if len(raw) == 0 {
		return 0
	}
	return uint32(len(raw))<<24 | capital(raw[0])<<16 | capital(raw[len(raw)/2])<<8 | capital(raw[len(raw)-1])
}

func capital(b byte) uint32 {
	if 'a' <= b && b <= 'z' {
		b -= 'a' - 'A'
	}
	return uint32(b)
}

// compareFolded orders two names as they stand in a text. It ignores case as encoding/json does.
func compareFolded(a, b []byte) int {
	for len(a) > 0 && len(b) > 0 {
		one, size, _ := char(a)
		a = a[size:]
		other, size, _ := char(b)
		b = b[size:]
		if order := cmp.Compare(fold(one), fold(other)); order != 0 {
			return order
		}
	}
	return cmp.Compare(len(a), len(b))
}

// fold returns the least of the characters that differ from r in case alone.
func fold(r rune) rune {
	switch {
	case 'a' <= r && r <= 'z':
		return r - ('a' - 'A')
	case r < utf8.RuneSelf:
		return r
	}
	for {
		next := unicode.SimpleFold(r)
		if next <= r {
			return next
		}
		r = next
	}
}

// printable returns a name, which comes from outside, so that it can stand in an error.
func printable(raw []byte) string {
	const longest = 64
	var out []rune
	for i := 0; i < len(raw); {
		if len(out) == longest {
			return strconv.Quote(string(out) + "…")
		}
		r, size, _ := char(raw[i:])
		out, i = append(out, r), i+size
	}
	return strconv.Quote(string(out))
}
