package webhook

import (
	"context"
	"fmt"
	"strings"
)

// Func processes an event. A nil error means that the event is done: the handler responds 204, and
// does not call the function for further deliveries of it. After an error or a panic it responds
// 500, and the event comes again. ctx carries the request's values, but neither its end nor the
// budget: it ends after WithTimeout.
type Func func(ctx context.Context, e *Event) error

// InquiryFunc responds to an inquiry. Its result becomes the JSON body of a 200: a struct, a map,
// or []byte and json.RawMessage verbatim. Most inquiries expect a field code with SUCCESS or FAIL.
// After an error, a panic or a nil result the handler responds 500 with {"code":"FAIL",…}. ctx ends
// with the budget, for a late response is useless.
type InquiryFunc func(ctx context.Context, e *Event) (answer any, err error)

// asked is an inquiry and its function, nil without one.
type asked struct {
	inquiry
	fn InquiryFunc
}

type route struct {
	pattern      string
	eventType    string // whole, or the beginning through the last dot
	prefix       bool
	originalType string // empty: any that belongs to the family of the type
	fn           Func   // nil: the events are ignored
}

func parsePattern(pattern string) (route, error) {
	r := route{pattern: pattern}
	var divided bool
	r.eventType, r.originalType, divided = strings.Cut(pattern, "/")
	if divided && r.originalType == "" {
		return r, fmt.Errorf("%q has no original type after the slash", pattern)
	}
	r.eventType, r.prefix = strings.CutSuffix(r.eventType, "*")
	switch {
	case strings.ContainsAny(r.eventType, "* ") || strings.ContainsAny(r.originalType, "*/ "):
		return r, fmt.Errorf("%q has a star, slash or blank where none can be: the forms are A.B, A.*, A.B/kind, A.*/kind and */kind", pattern)
	case !r.prefix && r.eventType == "":
		return r, fmt.Errorf("%q has no event type", pattern)
	case r.prefix && r.eventType == "" && !divided:
		return r, fmt.Errorf("%q would take everything: use OnDefault", pattern)
	case r.prefix && r.eventType != "" && !strings.HasSuffix(r.eventType, "."):
		return r, fmt.Errorf("%q has a star that does not follow a dot", pattern)
	}
	return r, nil
}

// takes reports whether a type fits the pattern.
func (r *route) takes(eventType string) bool {
	return eventType == r.eventType || r.prefix && strings.HasPrefix(eventType, r.eventType)
}

func (r *route) matches(e *Event) bool {
	if !r.takes(e.Type) {
		return false
	}
	if r.originalType != "" {
		return e.OriginalType == r.originalType
	}
	return !foreign(e)
}

// moreSpecific orders routes: the first match is the right one.
func moreSpecific(a, b route) int {
	rank := func(r route) int {
		n := 4 * len(r.eventType)
		if !r.prefix {
			n += 2 // beyond its own beginning; another beginning of the same length cannot match, too
		}
		if r.originalType != "" {
			n++
		}
		return n
	}
	return rank(b) - rank(a)
}
