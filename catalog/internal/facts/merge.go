package facts

import (
	"slices"

	"github.com/wxpay-go/wxpay/catalog/internal/text"
	"github.com/wxpay-go/wxpay/fact"
)

// Merge returns what the catalogue is after an import: the facts, corrected, with the rows and lines of have that are kept
// by hand. Kinds that the facts do not hold at all stay as they are. It also returns the corrections that the facts have
// learnt, and an error about those that could not be made, without which the rest is as it should be. No argument is changed.
func Merge(have *text.Document, facts *Said, corrections []text.Correction) (*text.Document, []text.Correction, error) {
	next := &text.Document{Operations: slices.Clone(have.Operations), Events: slices.Clone(have.Events), Codes: have.Codes}
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
	if len(facts.Codes) > 0 {
		next.Codes = slices.Clone(facts.Codes)
	}
	guessPaging(have.Operations, next.Operations)
	for i, operation := range next.Operations {
		next.Operations[i] = withCodes(operation, facts.OperationCodes[operation.Method+" "+operation.Path])
	}
	Sort(next)
	learnt, err := text.Apply(next, corrections)
	return next, learnt, err
}

// guessPaging fills in the paging of the operations that have lacks. That of the others stays as it was reviewed.
func guessPaging(have, next []*fact.Operation) {
	known := map[string]bool{}
	for _, operation := range have {
		known[operation.Method+" "+operation.Path] = true
	}
	for _, operation := range next {
		if !known[operation.Method+" "+operation.Path] {
			text.GuessPaging(operation)
		}
	}
}

// withCodes returns an operation with the codes that it lacks. It keeps the codes that the operation has.
func withCodes(operation *fact.Operation, codes []fact.OperationCode) *fact.Operation {
	o := *operation
	o.Codes = slices.Clone(o.Codes)
	for _, code := range codes {
		if !slices.ContainsFunc(o.Codes, func(c fact.OperationCode) bool { return c.Name == code.Name }) {
			o.Codes = append(o.Codes, code)
		}
	}
	if len(o.Codes) == len(operation.Codes) {
		return operation
	}
	return &o
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

// mergeRow returns the documented row with the lines that old has by hand, except the mark that the row as a whole was
// added by hand.
func mergeRow[T any](old, documented *T, keys []text.Key[T]) *T {
	next := new(T)
	*next = *documented
	for _, key := range keys {
		if !key.ByHand || key.Name == "hand" || slices.Equal(key.Values(old), key.Values(documented)) {
			continue
		}
		for _, value := range key.Values(old) {
			if err := key.Set(next, value); err != nil {
				panic(err) // the line was read from a text, so it can be set
			}
		}
	}
	return next
}
