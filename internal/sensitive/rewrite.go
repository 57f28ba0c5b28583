package sensitive

import (
	"bytes"
	"errors"

	"github.com/wxpay-go/wxpay/internal/jsonwalk"
)

// rewriter replaces the strings at marked places of one JSON text; every other byte stays as it is.
// The marks are those of the catalogue, of the caller's rules, which win over it, and of Secrets in
// the text. One pass, linear in the text.
type rewriter struct {
	jsonwalk.Cursor
	place   jsonwalk.Place
	secrets bool // the text may hold a Secret
	// turn appends the JSON string that takes the place of value, or reports that value stays.
	turn func(dst, value []byte) (_ []byte, changed bool, err error)
	// keep makes a fault at one field leave that field as it is; otherwise it ends the rewriting.
	keep   bool
	faults []*jsonwalk.FieldError
	note   bool     // list the fields that are rewritten because the catalogue marks them
	noted  []string // their pointers

	edits []edit
	fresh []byte // the text that the edits put in
}

// ErrPlain means that a value is documented as encrypted and is not.
var ErrPlain = errors.New("it is documented as encrypted and is not")

// edit puts fresh[from:to] in the place of text[begin:end].
type edit struct{ begin, end, from, to int }

// rewrite rewrites the whole text. It returns the text itself if nothing changes.
func (r *rewriter) rewrite(root *Field, rules []*use) ([]byte, error) {
	r.value(root, root != nil && root.encrypted, rules, nil)
	r.End()
	if r.Err != nil || len(r.edits) == 0 {
		return r.Text, r.Err
	}
	size := len(r.Text)
	for _, e := range r.edits {
		size += e.to - e.from - (e.end - e.begin)
	}
	out, done := make([]byte, 0, size), 0
	for _, e := range r.edits {
		out = append(append(out, r.Text[done:e.begin]...), r.fresh[e.from:e.to]...)
		done = e.end
	}
	return append(out, r.Text[done:]...), nil
}

func (r *rewriter) fault(err error) {
	failure := &jsonwalk.FieldError{Pointer: r.place.Pointer(), Err: err}
	if r.keep {
		r.faults = append(r.faults, failure)
		return
	}
	if r.Err == nil {
		r.Err = failure
	}
	r.At = len(r.Text)
}

// value rewrites the value that comes next. f is the catalogue's knowledge of it, cipher says that
// it marks the value, rules are those that lead here, and ruled is the newest that covers a place
// above.
func (r *rewriter) value(f *Field, cipher bool, rules []*use, ruled *use) {
	if len(rules) > 0 {
		rules, ruled = r.settle(rules, ruled)
	}
	if ruled != nil {
		cipher = !ruled.Plain
	}
	if !cipher && len(rules) == 0 && !r.secrets && (ruled != nil || !f.encryptedInside()) {
		r.Skip()
		return
	}
	switch r.Peek() {
	case '{':
		if cipher {
			r.misfit("it is to be encrypted and is an object: name its fields instead")
			r.Skip()
			return
		}
		depth := len(r.place)
		for more := r.Enter('}'); more; more = r.More('}') {
			name := r.Name()
			key := name.Key()
			r.place = append(r.place[:depth], jsonwalk.Step{Name: key})
			if r.secrets && holdsToken(name.Raw) {
				r.fault(errors.New("a Secret is the name of a field, which cannot be encrypted"))
			}
			leading := rules
			if len(rules) > 0 {
				leading = alongName(rules, depth, string(key))
			}
			inner := f.Find(key)
			r.value(inner, inner != nil && inner.encrypted, leading, ruled)
		}
		r.place = r.place[:depth]
	case '[':
		if cipher && ruled == nil && f.Type.Element() == f.Type {
			r.misfit("it is to be encrypted and is an array where a string belongs")
			r.Skip()
			return
		}
		r.array(f, cipher, rules, ruled)
	case '"':
		begin := r.At
		if text := r.Quoted(); r.Err == nil {
			r.quoted(f, cipher, rules, ruled, begin, text)
		}
	default:
		if word := r.Scalar(); cipher && word != nil && word[0] != 'n' {
			r.misfit("it is to be encrypted and is no string: quote it")
		}
	}
}

func (r *rewriter) array(f *Field, cipher bool, rules []*use, ruled *use) {
	depth := len(r.place)
	index := 0
	for more := r.Enter(']'); more; more = r.More(']') {
		r.place = append(r.place[:depth], jsonwalk.Step{Index: index})
		leading := rules
		if len(rules) > 0 {
			leading = alongIndex(rules, depth, index)
		}
		r.value(f, cipher, leading, ruled)
		index++
	}
	r.place = r.place[:depth]
	if index > 0 {
		return
	}
	for _, rule := range rules { // each of no elements is none, which is no mistake
		rule.used = rule.used || rule.Names[depth] == Every
	}
}

// misfit reports a marked value that is no string: a mistake in a request; in a response it shows
// that the value was never encrypted.
func (r *rewriter) misfit(mistake string) {
	if r.keep {
		r.fault(ErrPlain)
		return
	}
	r.fault(errors.New(mistake))
}

// settle picks from rules the one that decides about this very place, if it is newer than ruled,
// and returns the rules that lead further.
func (r *rewriter) settle(rules []*use, ruled *use) (deeper []*use, _ *use) {
	for _, rule := range rules {
		if len(rule.Names) > len(r.place) {
			deeper = append(deeper, rule)
			continue
		}
		rule.used = true
		if ruled == nil || rule.age < ruled.age {
			ruled = rule
		}
	}
	return deeper, ruled
}

// quoted rewrites a string, which begins at text[begin].
func (r *rewriter) quoted(f *Field, cipher bool, rules []*use, ruled *use, begin int, text jsonwalk.Quoted) {
	secret := r.secrets && holdsToken(text.Raw)
	switch {
	case cipher || secret && IsToken(text.Raw):
		if secret && ruled != nil && ruled.Plain {
			r.fault(errors.New("it is a Secret, which never travels plain: pass the text itself, or drop Plain"))
			return
		}
		value, err := text.Unquote()
		if err != nil {
			r.fault(err)
			return
		}
		from := len(r.fresh)
		fresh, changed, err := r.turn(r.fresh, value)
		if err != nil {
			r.fault(err)
			return
		}
		if changed {
			if r.note && ruled == nil && !(secret && IsToken(text.Raw)) {
				r.noted = append(r.noted, r.place.Pointer())
			}
			r.fresh = fresh
			r.edits = append(r.edits, edit{begin, r.At, from, len(fresh)})
		}
	case secret, len(rules) > 0, ruled == nil && f.encryptedInside():
		r.nested(f, rules, ruled, begin, text)
	}
}

// nested rewrites a JSON text in a string.
func (r *rewriter) nested(f *Field, rules []*use, ruled *use, begin int, text jsonwalk.Quoted) {
	plain, err := text.Unquote()
	if err != nil {
		r.fault(err)
		return
	}
	if len(bytes.TrimSpace(plain)) == 0 {
		return
	}
	inner := rewriter{
		Cursor: jsonwalk.Cursor{Text: plain, Depth: r.Depth}, place: r.place, secrets: r.secrets, turn: r.turn, keep: r.keep,
		faults: r.faults, note: r.note, noted: r.noted, fresh: r.fresh,
	}
	inner.value(f, false, rules, ruled)
	inner.End()
	r.fresh, r.faults, r.noted = inner.fresh, inner.faults, inner.noted
	if inner.Err != nil {
		var failure *jsonwalk.FieldError
		switch {
		case errors.As(inner.Err, &failure): // r.keep is off
			r.Err, r.At = inner.Err, len(r.Text)
		case r.secrets && holdsToken(plain):
			r.fault(errors.New("a Secret stands amid other text, where it cannot be encrypted: make it a value of its own"))
		default:
			r.misfit("what is to be encrypted is inside, and it is a text that is not JSON")
		}
		return
	}
	// The edits of the plain text are made in the quoted one, so that its other escapes stay as
	// they are.
	raw, at := begin+1, jsonwalk.Offsets{Raw: text.Raw}
	for _, e := range inner.edits {
		from := len(r.fresh)
		r.fresh = jsonwalk.AppendQuote(r.fresh, string(r.fresh[e.from:e.to]))
		r.edits = append(r.edits, edit{raw + at.Of(e.begin), raw + at.Of(e.end), from + 1, len(r.fresh) - 1})
	}
}
