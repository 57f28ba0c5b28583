package webhook

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/wxpay-go/wxpay/fact"
)

// listing is an optional interface of a [Lookup]: all events, and the nearest to an unknown one.
type listing interface {
	Events() iter.Seq[*fact.Event]
	NearestEvents(eventType string, n int) []string
}

// WithEvents names event types, or types with an original type (TRANSACTION.SUCCESS/kind), that are
// newer than the catalogue. [Handler.On], [Handler.OnInquiry] and [Handler.Ignore] then accept
// them. Known ones may be among them.
func WithEvents(types ...string) Option {
	return func(c *config) error {
		for _, eventType := range types {
			r, err := parsePattern(eventType)
			if err == nil && r.prefix {
				err = fmt.Errorf("%q is no event type but a pattern", eventType)
			}
			if err != nil {
				return fmt.Errorf("WithEvents: %w", err)
			}
			c.newer = append(c.newer, r)
		}
		return nil
	}
}

// unknown returns an error for a pattern that fits no known event. Without a catalogue it returns
// nil.
func (c *config) unknown(r route) error {
	facts := c.facts()
	if facts == nil || slices.ContainsFunc(c.newer, func(n route) bool {
		return r.takes(n.eventType) && (r.originalType == n.originalType || r.originalType == "" || n.originalType == "" && r.eventType != "")
	}) {
		return nil
	}
	all, lists := facts.(listing)
	var known []*fact.Event
	switch e, ok := facts.Event(r.eventType); {
	case r.prefix && !lists:
		return nil
	case r.prefix:
		for e := range all.Events() {
			if r.takes(e.Type) {
				known = append(known, e)
			}
		}
	case ok:
		known = append(known, e)
	}
	var kinds []string
	for _, e := range known {
		undocumented := len(e.OriginalTypes) == 0 && r.eventType != ""
		if r.originalType == "" || undocumented || slices.Contains(e.OriginalTypes, r.originalType) {
			return nil
		}
		kinds = append(kinds, e.OriginalTypes...)
	}
	const remedy = " (WithEvents names what is newer than the catalogue)"
	switch {
	case len(known) > 0 && r.eventType == "":
		return fmt.Errorf("%q: no event is known to have that original type%s", r.pattern, remedy)
	case len(known) > 0:
		slices.Sort(kinds)
		return fmt.Errorf("%q: the original type is documented to be %s%s", r.pattern, strings.Join(slices.Compact(kinds), " or "), remedy)
	case lists:
		if near := all.NearestEvents(r.eventType, 1); len(near) > 0 {
			name := near[0]
			if r.prefix {
				name += "*"
			}
			return fmt.Errorf("%q fits no event that is known: did you mean %q?%s", r.pattern, name, remedy)
		}
	}
	return fmt.Errorf("%q fits no event that is known%s", r.pattern, remedy)
}

// inquiryOf reports whether an event is an inquiry, by review or by the catalogue.
func (c *config) inquiryOf(eventType string) (inquiry, bool) {
	if q, known := inquiries[eventType]; known {
		return q, true
	}
	known := c.facts()
	if known == nil {
		return inquiry{}, false
	}
	facts, ok := known.Event(eventType)
	if !ok || facts.Reply == nil {
		return inquiry{}, false
	}
	return inquiry{budget: usualInquiry, signed: slices.ContainsFunc(facts.Reply.Header, isAuthorization)}, true
}

func isAuthorization(field fact.Field) bool { return strings.EqualFold(field.Name, "Authorization") }
