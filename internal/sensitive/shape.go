package sensitive

import (
	"sync"

	"github.com/wxpay-go/wxpay/fact"
)

// Shape is the catalogue's knowledge of an object's fields, arranged for one pass over a JSON text.
type Shape struct {
	// Rows has each field once, as documented.
	Rows []*Field

	names     []named // every name under which a field is documented
	encrypted bool    // a field inside is encrypted
}

// named is a name of a field. An object has few of them, at most 48 in the catalogue, so looking
// through them takes less time than a map.
type named struct {
	name  string
	field *Field
}

// Field is one row of a Shape. The root of a text has a Field too, of which only Inner is set.
type Field struct {
	*fact.Field
	// Index is the place in Rows.
	Index int
	// Inner is the shape of the value; nil if nothing of interest is known of it.
	Inner *Shape

	encrypted bool // the value, or each element, is encrypted
}

// Encrypted reports whether the value, or a value inside, is encrypted.
func (f *Field) Encrypted() bool { return f.encryptedInside() || f != nil && f.encrypted }

func (f *Field) encryptedInside() bool { return f != nil && f.Inner != nil && f.Inner.encrypted }

// Find returns the field of a name inside; nil also when nothing is known of the whole object.
func (f *Field) Find(name []byte) *Field {
	if f == nil || f.Inner == nil {
		return nil
	}
	return f.Inner.find(name)
}

func (s *Shape) find(name []byte) *Field {
	for i := range s.names {
		if s.names[i].name == string(name) {
			return s.names[i].field
		}
	}
	return nil
}

// NewShape arranges fields: all of them, or only those that are encrypted or lead to such. It is
// nil when none is left.
func NewShape(fields []fact.Field, all bool) *Shape {
	if !all && !marked(fields) {
		return nil
	}
	s := new(Shape)
	for i := range fields {
		field := &fields[i]
		f := &Field{
			Field: field, Index: len(s.Rows), Inner: NewShape(field.Fields, all),
			encrypted: field.Cipher == fact.RSA && !fact.IsBillKey(field, fields),
		}
		if (all || f.Encrypted()) && s.find([]byte(field.Name)) == nil {
			s.names = append(s.names, named{field.Name, f})
			s.Rows = append(s.Rows, f)
			s.encrypted = s.encrypted || f.Encrypted()
		}
	}
	if len(s.Rows) == 0 {
		return nil
	}
	for _, f := range s.Rows {
		for _, name := range f.Alt {
			if s.find([]byte(name)) == nil {
				s.names = append(s.names, named{name, f})
			}
		}
	}
	return s
}

// marked reports whether a field, at any depth, is encrypted.
func marked(fields []fact.Field) bool {
	for i := range fields {
		if fields[i].Cipher == fact.RSA || marked(fields[i].Fields) {
			return true
		}
	}
	return false
}

// Plan has the roots of the texts of one operation.
type Plan struct{ Body, Query, Response Field }

// Plans makes the plan of an operation once.
type Plans struct {
	mu   sync.RWMutex
	made map[*fact.Operation]*Plan
}

// none is the plan of a call of which nothing is known.
var none Plan

// Of returns the plan of an operation, which may be nil.
func (p *Plans) Of(operation *fact.Operation) *Plan {
	if operation == nil {
		return &none
	}
	p.mu.RLock()
	plan := p.made[operation]
	p.mu.RUnlock()
	if plan != nil {
		return plan
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if plan = p.made[operation]; plan != nil {
		return plan
	}
	plan = &Plan{
		Body:     Field{Inner: NewShape(BodyFields(operation), true)},
		Query:    Field{Inner: NewShape(operation.In.Query, true)},
		Response: Field{Inner: NewShape(operation.Out, false)},
	}
	if p.made == nil {
		p.made = make(map[*fact.Operation]*Plan)
	}
	p.made[operation] = plan
	return plan
}

// BodyFields returns the fields of an operation's JSON text: the body, or the part of an upload
// that is signed.
func BodyFields(operation *fact.Operation) []fact.Field {
	for i := range operation.In.Form {
		if part := &operation.In.Form[i]; part.JSONText {
			return part.Fields
		}
	}
	return operation.In.JSON
}
