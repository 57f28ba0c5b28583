package manual

import (
	"iter"
	"slices"
	"strings"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/gocode"
	"github.com/wxpay-go/wxpay/fact"
)

// beneath reports whether a name with slashes between its levels is another one, or beneath it.
func beneath(name, other string) bool {
	rest, ok := strings.CutPrefix(name, other)
	return ok && (rest == "" || rest[0] == '/')
}

// eventsOf returns the events that a product family gets, those above and beneath it included.
func eventsOf(events iter.Seq[*fact.Event], tag string) iter.Seq[*fact.Event] {
	return func(yield func(*fact.Event) bool) {
		for event := range events {
			gets := func(of string) bool { return beneath(of, tag) || beneath(tag, of) }
			if slices.ContainsFunc(gocode.Families(event), gets) && !yield(event) {
				return
			}
		}
	}
}
