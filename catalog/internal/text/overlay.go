package text

import (
	"slices"

	"github.com/wxpay-go/wxpay/fact"
)

// OverOperation returns base with what over says of it: a line takes the place of those with its key, a field that of
// the field of its name, below which the same holds. base stays as it is; without one over is all there is. The result
// marks the facts that come from over.
func OverOperation(base, over *fact.Operation) *fact.Operation {
	merged := &fact.Operation{Method: over.Method, Path: over.Path, Overlay: true}
	below := fact.Operation{}
	if base != nil {
		below = *base
	}
	if over.Link != nil { // it brings the lines that belong to it along
		below.Link = nil
	}
	overlay(merged, &below, over, OperationKeys)
	if base == nil {
		GuessPaging(merged)
	}
	return merged
}

// OverEvent is OverOperation for events.
func OverEvent(base, over *fact.Event) *fact.Event {
	merged := &fact.Event{Type: over.Type, Overlay: true}
	below := fact.Event{}
	if base != nil {
		below = *base
	}
	overlay(merged, &below, over, EventKeys)
	return merged
}

// overlay fills merged, which is empty, from both. Set takes everything that Values prints, so no error can come.
func overlay[T any](merged, base, over *T, keys []Key[T]) {
	for _, key := range keys {
		from := base
		if len(key.Values(over)) > 0 {
			from = over
		}
		for _, value := range key.Values(from) {
			_ = key.Set(merged, value)
		}
		if key.Fields == nil {
			continue
		}
		if list := overFields(key.Fields(base), key.Fields(over)); len(list) > 0 {
			key.SetFields(merged, list)
		}
	}
}

func overFields(base, over []fact.Field) []fact.Field {
	merged := slices.Clone(base)
	for _, field := range over {
		field.Overlay = true
		i := slices.IndexFunc(merged, func(m fact.Field) bool { return m.Name == field.Name })
		if i < 0 {
			field.Fields = overFields(nil, field.Fields)
			merged = append(merged, field)
			continue
		}
		field.Fields = overFields(merged[i].Fields, field.Fields)
		if field.Label == "" {
			field.Label = merged[i].Label
		}
		if field.Sample == nil && field.Type == merged[i].Type && field.Cipher == fact.Plain {
			field.Sample = merged[i].Sample
		}
		merged[i] = field
	}
	return merged
}
