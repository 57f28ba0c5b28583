package webhook

import (
	"context"
	"fmt"
	"strings"
)

// Func processes an event. Returning nil says that the event is dealt with for good: it is answered 204, and further
// deliveries of it are answered without calling the function. An error (or a panic) is answered 500, and the event comes
// again. ctx carries the request's values, but neither its end nor the budget: it ends after WithTimeout.
type Func func(ctx context.Context, e *Event) error

// InquiryFunc answers a question. What it returns becomes the JSON body of a 200: a struct, a map, or []byte and
// json.RawMessage verbatim; most questions want a member code that is SUCCESS or FAIL. An error (or a panic, or a nil
// answer) is answered 500 with {"code":"FAIL",…}. ctx ends with the budget, for a late answer is none.
type InquiryFunc func(ctx context.Context, e *Event) (answer any, err error)

// asked is a question and who answers it, nil if nobody does.
type asked struct {
	inquiry
	fn InquiryFunc
}

type route struct {
	pattern      string
	eventType    string // whole, or the beginning up to and with the last dot
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

// takes reports whether a type is the one of the pattern, or begins as it says.
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

// moreSpecific orders routes so that the first that matches is the right one.
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
