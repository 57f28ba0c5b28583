//go:build go1.25

package wxpay_test

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/wxcode"
)

// audit compares what every caller was told with what took effect. effects leaves out those from before the calls; owners tells
// which order a code_url is of.
func (r *report) audit(intents []*intent, effects []sandbox.Effect, owners map[string]string) {
	byNumber := map[string][]sandbox.Effect{}
	for _, e := range effects {
		byNumber[e.Number] = append(byNumber[e.Number], e)
	}
	for _, in := range intents {
		done := byNumber[in.number]
		delete(byNumber, in.number)
		if len(done) > 1 || in.foreign && len(done) > 0 {
			r.doubles++
		}
		var effect *sandbox.Effect
		if len(done) > 0 {
			effect = &done[0]
		}
		lie := r.check(in, effect, owners)
		if lie == "" {
			continue
		}
		lie = fmt.Sprintf("%s %s (foreign %t): %s; effects %d, error %v", in.kind, in.number, in.foreign, lie, len(done), in.err)
		var refusal *wxpay.APIError
		switch {
		case r.mixing && in.err == nil && in.verdict.Unbound && (in.kind == "order" || in.kind == "feed"): // whose answers repeat nothing
			r.misled = append(r.misled, lie)
		case r.mixing && wxpay.OutcomeOf(in.err) == wxpay.Rejected && errors.As(in.err, &refusal) && refusal.Verified:
			r.misread = append(r.misread, lie)
		default:
			r.lies = append(r.lies, lie)
		}
	}
	r.doubles += len(byNumber) // effects under numbers that nobody chose
}

// settled are the platform's words for a state that a call can end in; Taken says nothing of how it ends.
var settled = map[wxpay.State][]string{
	wxpay.Failed: {"CLOSED", "FAIL", "CANCELLED"}, wxpay.NeedsAction: {"ABNORMAL"}, wxpay.Succeeded: {"SUCCESS", "NOTPAY"},
}

// check returns what is untrue about what the caller was told.
func (r *report) check(in *intent, effect *sandbox.Effect, owners map[string]string) string {
	if in.err == nil {
		return r.checkVerdict(in, effect, owners)
	}
	if r.within > 0 && in.took > r.within {
		return "to be refused took " + in.took.String()
	}
	if in.cause != nil && in.late {
		r.cancelled++
		if !errors.Is(in.err, context.Canceled) {
			return "the call was cancelled, and its error does not say so"
		}
	}
	if wxpay.IsCode(in.err, wxcode.ParamError) && in.cause != nil {
		return "the call has the code of the error that cancelled it"
	}
	switch outcome := wxpay.OutcomeOf(in.err); {
	case errors.Is(in.err, wxpay.ErrNumberConflict):
		r.conflicts++
		if !in.foreign {
			return "a conflict is claimed where there is none"
		}
	case outcome == wxpay.NotSent, outcome == wxpay.Rejected:
		if outcome == wxpay.NotSent {
			r.notSent++
		} else {
			r.rejected++
		}
		if effect != nil {
			return outcome.String() + " is claimed, and there is an effect"
		}
		if outcome == wxpay.Rejected && !in.foreign && !in.late {
			return "the call was given up although nothing was wrong with it"
		}
	case outcome == wxpay.Confirmed:
		return "a local step failed"
	default:
		r.unknowns++
		if !in.late && !r.hold && !r.refused(in.err) {
			return "the call was given up before its deadline"
		}
	}
	return ""
}

// refused reports whether a rejection may end a call that nobody knows the end of: one that nobody signs and that comes again and
// again, and through a proxy also a signed one, which may be another call's.
func (r *report) refused(err error) bool {
	var refusal *wxpay.APIError
	var query *wxpay.QueryError
	if !errors.As(err, &refusal) && errors.As(err, &query) {
		errors.As(query.Err, &refusal)
	}
	return refusal != nil && (refusal.Unsigned() || r.mixing && refusal.Verified)
}

func (r *report) checkVerdict(in *intent, effect *sandbox.Effect, owners map[string]string) string {
	v := in.verdict
	r.states[v.State]++
	if v.Inferred {
		r.inferred++
	}
	if v.Unbound {
		r.unbound++
	}
	switch words := settled[v.State]; {
	case effect == nil:
		return string(v.State) + " is claimed without an effect"
	case words != nil && !slices.Contains(words, effect.State):
		return fmt.Sprintf("%s is claimed, the ledger says %s", v.State, effect.State)
	case v.State == wxpay.Accepted && in.final && !in.late && r.mixing:
		r.ended++ // queries that are refused three times in a row by what nobody signs end a call with what is known
		return ""
	case v.State == wxpay.Accepted && in.final && !in.late:
		return "the call did not wait for the end"
	case in.kind != "order":
		return ""
	}
	switch code := v.Response.Get("code_url").String(); {
	case code == "" && !slices.Contains(v.Missing, "code_url"):
		return "the order's code_url is missing, and nothing says so"
	case code == "" && !in.late && !r.mixing: // there the repeat for it may be refused, by another call's answer
		return "the order's code_url is missing"
	case code != "" && owners[code] != in.number:
		return "the code_url is that of " + owners[code]
	}
	return ""
}
