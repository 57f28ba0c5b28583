// Package ensure finds out what became of a write: it sends the write, sends the reviewed query
// after an unknown outcome, and repeats the same write only if that does no harm.
package ensure

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/call"
	"github.com/wxpay-go/wxpay/middleware"
)

// Verdict is what is known for certain about an operation.
type Verdict struct {
	State    fact.Meaning
	Inferred bool           // not stated by the platform: the number is used, after an unknown outcome of this very call
	Response *call.Response // nil for an inferred state
	Unbound  bool           // nothing in Response shows that it belongs to this very call
	Missing  []string       // fields that only the write returns
	Attempts int
	History  []middleware.Attempt
}

// ofWrite reads the state of the write from its own response.
func ofWrite(o *fact.Operation, sent call.Sent, res *call.Response) fact.Meaning {
	switch {
	case o == nil:
		return fact.Taken
	case o.Link != nil && o.Link.State != "":
		if document := call.Read(res.Raw); document.Text(o.Link.State) != "" {
			return stateOf(o.Link, sent, document)
		}
	}
	switch {
	case o.MovesMoney:
		return fact.Taken
	case res.Status == http.StatusAccepted:
		return fact.Accepted
	}
	return fact.Succeeded
}

// ofQuery reads the state of the write from a query's response. The state is not proven if only a
// reviewed one would prove it.
func ofQuery(l *fact.Link, sent call.Sent, found call.Document) (state fact.Meaning, proven bool) {
	if l.State == "" {
		return fact.Succeeded, true
	}
	value := found.Text(l.State)
	known := slices.ContainsFunc(l.Means, func(m fact.Means) bool { return m.Value == value })
	return stateOf(l, sent, found), known || !l.Acts
}

// stateOf returns the meaning of the state in a response.
func stateOf(l *fact.Link, sent call.Sent, found call.Document) fact.Meaning {
	state := l.Meaning(found.Text(l.State))
	if state == fact.Succeeded && l.Parts != nil {
		state = ofParts(l.Parts, sent, found)
	}
	return state
}

// ofParts refines Succeeded by the ends of the parts that were sent. The response may list others:
// profit sharing lists what goes back to the merchant. The ends of parts that it lacks are unknown.
func ofParts(p *fact.Parts, sent call.Sent, found call.Document) fact.Meaning {
	mine := sent.Body().Each(p.List)
	list := slices.DeleteFunc(found.Each(p.List), func(part call.Document) bool {
		return len(mine) > 0 && !slices.ContainsFunc(mine, func(own call.Document) bool { return own.Agrees(part) })
	})
	if len(list) < len(mine) {
		return fact.Taken
	}
	succeeded, failed := 0, 0
	for _, part := range list {
		switch part.Text(p.State) {
		case p.Succeeded:
			succeeded++
		case p.Failed:
			failed++
		default:
			return fact.Accepted
		}
	}
	switch {
	case failed == 0:
		return fact.Succeeded
	case succeeded == 0:
		return fact.Failed
	}
	return fact.Partial
}

// settled reports whether a state will not change by itself.
func settled(s fact.Meaning) bool { return s != fact.Taken && s != fact.Accepted }

// endsAtOnce reports whether the response itself is the end: the documentation says 200 or 204, and
// no money moves.
func endsAtOnce(o *fact.Operation) bool {
	return o != nil && !o.MovesMoney && o.Success != http.StatusAccepted
}

// endless returns the error of an UntilFinal that cannot be kept; it says what to call instead.
// lacks is the reason why a reviewed query cannot be used; empty without a reviewed query.
func endless(o *fact.Operation, lacks string) error {
	why := "the catalogue does not know the operation"
	switch {
	case o == nil:
	case lacks != "":
		why = lacks
	default:
		why = "no reviewed query tells its end"
	}
	instead := "call Ensure without UntilFinal, and read the end from the operation's own query or notification"
	if o != nil && len(o.Docs) > 0 {
		instead += " (" + fact.DocURL(o.Docs[0]) + ")"
	}
	return fmt.Errorf("UntilFinal cannot find its end: %s; %s", why, instead)
}
