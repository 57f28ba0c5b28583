package main

import (
	"slices"

	"github.com/wxpay-go/wxpay/catalog/internal/text"
	"github.com/wxpay-go/wxpay/fact"
)

// merge returns what the catalogue is after an import: the facts, and what was added by hand. Kinds that the facts do not
// hold at all stay as they are. Neither argument is changed.
func merge(have, facts *text.Document) *text.Document {
	next := &text.Document{Operations: have.Operations, Events: have.Events}
	if len(facts.Operations) > 0 {
		next.Operations = mergeRows(have.Operations, facts.Operations, text.OperationKeys,
			func(o *fact.Operation) string { return o.Method + " " + o.Path },
			func(o *fact.Operation) bool { return o.ByHand })
	}
	if len(facts.Events) > 0 {
		next.Events = mergeRows(have.Events, facts.Events, text.EventKeys,
			func(e *fact.Event) string { return e.Type },
			func(e *fact.Event) bool { return e.ByHand })
	}
	sortDocument(next)
	return next
}

func mergeRows[T any](have, facts []*T, keys []text.Key[T], id func(*T) string, byHand func(*T) bool) []*T {
	documented := map[string]bool{}
	for _, row := range facts {
		documented[id(row)] = true
	}
	var next []*T
	old := map[string]*T{}
	for _, row := range have {
		old[id(row)] = row
		if byHand(row) && !documented[id(row)] {
			next = append(next, row)
		}
	}
	for _, row := range facts {
		if before := old[id(row)]; before != nil {
			row = mergeRow(before, row, keys)
		}
		next = append(next, row)
	}
	return next
}

// mergeRow returns the documented row with the members and lines that old has by hand, except the mark that the row as a
// whole was added by hand.
func mergeRow[T any](old, documented *T, keys []text.Key[T]) *T {
	next := new(T)
	*next = *documented
	for _, key := range keys {
		if key.ByHand && key.Name != "hand" && !slices.Equal(key.Values(old), key.Values(documented)) {
			for _, value := range key.Values(old) {
				if err := key.Set(next, value); err != nil {
					panic(err) // the line was read from a text, so it can be set
				}
			}
		}
		if key.SetFields == nil {
			continue
		}
		if key.ByHand {
			key.SetFields(next, key.Fields(old))
		} else if list := mergeFields(key.Fields(old), key.Fields(documented)); len(list) > 0 {
			key.SetFields(next, list)
		}
	}
	return next
}

// mergeFields returns the documented members and those of old that were added by hand, each behind the one it stood
// behind. A list of constants that was reviewed stays reviewed as long as it is the same.
func mergeFields(old, documented []fact.Field) []fact.Field {
	next := slices.Clone(documented)
	at := func(name string) int {
		return slices.IndexFunc(next, func(f fact.Field) bool { return f.Name == name })
	}
	for i, field := range old {
		if k := at(field.Name); k >= 0 {
			next[k].Fields = mergeFields(field.Fields, next[k].Fields)
			next[k].Reviewed = field.Reviewed && slices.Equal(field.Enum, next[k].Enum)
			continue
		}
		if !field.ByHand {
			continue
		}
		place := 0
		for b := i - 1; b >= 0 && place == 0; b-- {
			place = at(old[b].Name) + 1
		}
		next = slices.Insert(next, place, field)
	}
	return next
}
