package wxpay

import (
	"sync"

	"github.com/wxpay-go/wxpay/fact"
)

// shape is what the catalogue knows of an object's members, arranged for one pass over a JSON text.
type shape struct {
	members map[string]*member // by every name under which one is documented
	rows    []*member          // each once, as documented
	seals   bool               // something inside is encrypted
}

// member is one row of a shape.
type member struct {
	*fact.Field
	index  int    // among the members of its shape
	inner  *shape // what is known inside; nil if nothing, or nothing of interest
	cipher bool   // the value, or each element, is encrypted
}

// seals reports whether the value, or something inside, is encrypted.
func (m *member) seals() bool { return m.sealsInside() || m != nil && m.cipher }

func (m *member) sealsInside() bool { return m != nil && m.inner != nil && m.inner.seals }

// find returns what is known of a member; nil also when nothing is known of the whole object.
func (m *member) find(name []byte) *member {
	if m == nil || m.inner == nil {
		return nil
	}
	return m.inner.members[string(name)]
}

// newShape arranges fields: all of them, or only those that are encrypted or lead to such. It is nil when none is left.
func newShape(fields []fact.Field, all bool) *shape {
	s := &shape{members: make(map[string]*member, len(fields))}
	for i := range fields {
		field := &fields[i]
		m := &member{
			Field: field, index: len(s.rows), inner: newShape(field.Fields, all),
			cipher: field.Cipher == fact.RSA && !fact.IsBillKey(field, fields),
		}
		if (all || m.seals()) && s.members[field.Name] == nil {
			s.members[field.Name] = m
			s.rows = append(s.rows, m)
			s.seals = s.seals || m.seals()
		}
	}
	if len(s.rows) == 0 {
		return nil
	}
	for _, m := range s.rows {
		for _, name := range m.Alt {
			if s.members[name] == nil {
				s.members[name] = m
			}
		}
	}
	return s
}

// plan is what a call of one operation has to do beyond signing.
type plan struct {
	body, query, answer member // roots: only their inner is set
}

// plans makes the plan of an operation once.
type plans struct {
	all bool // checks before sending want every member
	m   sync.Map
}

// lightPlans and fullPlans are those of the embedded catalogue. Clients share them, since they are bounded by it.
var lightPlans, fullPlans = plans{}, plans{all: true}

func newPlans(embedded, all bool) *plans {
	switch {
	case !embedded:
		return &plans{all: all}
	case all:
		return &fullPlans
	}
	return &lightPlans
}

// noPlan is the plan of a call of which nothing is known.
var noPlan plan

// of returns the plan of an operation, which may be nil.
func (p *plans) of(operation *fact.Operation) *plan {
	if operation == nil {
		return &noPlan
	}
	if made, ok := p.m.Load(operation); ok {
		return made.(*plan)
	}
	made, _ := p.m.LoadOrStore(operation, &plan{
		body:   member{inner: newShape(bodyFields(operation), p.all)},
		query:  member{inner: newShape(operation.In.Query, p.all)},
		answer: member{inner: newShape(operation.Out, false)},
	})
	return made.(*plan)
}

// bodyFields returns the members of an operation's JSON text: the body, or the part of an upload that is signed.
func bodyFields(operation *fact.Operation) []fact.Field {
	for i := range operation.In.Form {
		if part := &operation.In.Form[i]; part.JSONText {
			return part.Fields
		}
	}
	return operation.In.JSON
}
