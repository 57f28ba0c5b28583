package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wxpay-go/wxpay/catalog/internal/text"
	"github.com/wxpay-go/wxpay/fact"
)

// differences lists what turns one sorted document into another, a line each: "+" added, "-" removed, "~" changed. It is
// empty if and only if both are written in the same way.
func differences(from, to *text.Document) []string {
	lines := rowDifferences(from.Operations, to.Operations, text.OperationKeys,
		func(o *fact.Operation) string { return o.Method + " " + o.Path })
	return append(lines, rowDifferences(from.Events, to.Events, text.EventKeys,
		func(e *fact.Event) string { return "event " + e.Type })...)
}

func rowDifferences[T any](from, to []*T, keys []text.Key[T], id func(*T) string) []string {
	old := map[string]*T{}
	for _, row := range from {
		old[id(row)] = row
	}
	var lines []string
	for _, row := range to {
		before := old[id(row)]
		if before == nil {
			lines = append(lines, "+ "+id(row))
			continue
		}
		delete(old, id(row))
		for _, key := range keys {
			d := diff{where: id(row) + ": "}
			d.values(key.Name, key.Values(before), key.Values(row))
			if key.Fields != nil {
				d.fields(key.Name, key.Fields(before), key.Fields(row))
			}
			lines = append(lines, d.lines...)
		}
	}
	for _, row := range from {
		if old[id(row)] != nil {
			lines = append(lines, "- "+id(row))
		}
	}
	return lines
}

type diff struct {
	where string
	lines []string
}

func (d *diff) add(format string, args ...any) {
	d.lines = append(d.lines, "~ "+d.where+fmt.Sprintf(format, args...))
}

// values compares the lines of one key.
func (d *diff) values(name string, from, to []string) {
	if len(from) == 1 && len(to) == 1 && from[0] != to[0] {
		d.add("%s: %s -> %s", name, from[0], to[0])
		return
	}
	before := len(d.lines)
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
	if len(d.lines) == before && !slices.Equal(from, to) {
		d.add("%s: another order", name)
	}
}

// fields compares the members of one level and below.
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
		d.add("%s: another order of members", where)
	}
}
