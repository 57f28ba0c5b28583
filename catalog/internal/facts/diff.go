package facts

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wxpay-go/wxpay/catalog/internal/text"
	"github.com/wxpay-go/wxpay/fact"
)

// Change is one thing that turns one document into another.
type Change struct {
	Row  string // METHOD /path or event TYPE
	Name string // the official name of the row
	Kind byte   // '+' the row is new, '-' it is gone, '~' it is changed
	Text string // what is changed
}

// String is the change on one line.
func (c Change) String() string {
	s := string(c.Kind) + " " + c.Row
	if c.Text != "" {
		s += ": " + c.Text
	}
	return s
}

// Differences lists what turns one sorted document into another. It is empty if and only if both are written in the same way.
func Differences(from, to *text.Document) []Change {
	changes := rowDifferences(from.Operations, to.Operations, text.OperationKeys,
		func(o *fact.Operation) (id, name string) { return o.Method + " " + o.Path, o.Name })
	changes = append(changes, rowDifferences(from.Events, to.Events, text.EventKeys,
		func(e *fact.Event) (id, name string) { return "event " + e.Type, e.Name })...)
	return append(changes, rowDifferences(from.Codes, to.Codes, text.CodeKeys,
		func(c *fact.Code) (id, name string) { return "code " + c.Name, c.Label })...)
}

func rowDifferences[T any](from, to []*T, keys []text.Key[T], id func(*T) (id, name string)) []Change {
	old := map[string]*T{}
	for _, row := range from {
		key, _ := id(row)
		old[key] = row
	}
	var changes []Change
	for _, row := range to {
		key, name := id(row)
		before := old[key]
		if before == nil {
			changes = append(changes, Change{Row: key, Name: name, Kind: '+'})
			continue
		}
		delete(old, key)
		d := diff{row: key, name: name}
		for _, key := range keys {
			d.values(key.Name, key.Values(before), key.Values(row))
			if key.Fields != nil {
				d.fields(key.Name, key.Fields(before), key.Fields(row))
			}
		}
		changes = append(changes, d.changes...)
	}
	for _, row := range from {
		if key, name := id(row); old[key] != nil {
			changes = append(changes, Change{Row: key, Name: name, Kind: '-'})
		}
	}
	return changes
}

type diff struct {
	row, name string
	changes   []Change
}

func (d *diff) add(format string, args ...any) {
	d.changes = append(d.changes, Change{d.row, d.name, '~', fmt.Sprintf(format, args...)})
}

// values compares the lines of one key.
func (d *diff) values(name string, from, to []string) {
	if len(from) == 1 && len(to) == 1 && from[0] != to[0] {
		d.add("%s: %s -> %s", name, from[0], to[0])
		return
	}
	before := len(d.changes)
	for _, value := range from {
		if !slices.Contains(to, value) {
			d.add("- %s", strings.TrimSpace(name+" "+value))
		}
	}
	for _, value := range to {
		if !slices.Contains(from, value) {
			d.add("+ %s", strings.TrimSpace(name+" "+value))
		}
	}
	if len(d.changes) == before && !slices.Equal(from, to) {
		d.add("%s: another order", name)
	}
}

// fields compares the fields of one level and below.
func (d *diff) fields(where string, from, to []fact.Field) {
	var kept, now []string
	index := func(list []fact.Field, name string) int {
		return slices.IndexFunc(list, func(f fact.Field) bool { return f.Name == name })
	}
	for i := range from {
		field := &from[i]
		k := index(to, field.Name)
		if k < 0 {
			d.add("- %s.%s", where, text.FieldLine(field))
			continue
		}
		kept = append(kept, field.Name)
		if a, b := text.FieldLine(field), text.FieldLine(&to[k]); a != b {
			d.add("%s.%s -> %s", where, a, strings.TrimPrefix(b, field.Name+" "))
		}
		d.fields(where+"."+field.Name, field.Fields, to[k].Fields)
	}
	for i := range to {
		if index(from, to[i].Name) < 0 {
			d.add("+ %s.%s", where, text.FieldLine(&to[i]))
		} else {
			now = append(now, to[i].Name)
		}
	}
	if !slices.Equal(kept, now) {
		d.add("%s: another order of fields", where)
	}
}
