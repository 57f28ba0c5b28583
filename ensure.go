package wxpay

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/call"
	"github.com/wxpay-go/wxpay/internal/ensure"
)

// State is where an operation stands at the platform.
type State = fact.Meaning

// States of an operation.
const (
	Taken       = fact.Taken       // taken; how it ends is not known here
	Accepted    = fact.Accepted    // taken, not finished
	Succeeded   = fact.Succeeded   // has taken effect
	Partial     = fact.Partial     // some parts have taken effect, the others never will
	Failed      = fact.Failed      // ended without effect, for good: this number will never succeed
	NeedsAction = fact.NeedsAction // stands still until the merchant does something, such as an abnormal refund
)

// Verdict is what is known for certain about an operation.
type Verdict struct {
	// State is where it stands.
	State State
	// Inferred says that nobody stated the state: the platform said that the number is taken, after a doubt about this very
	// call. That is Succeeded for a known operation that moves no money, else Taken.
	Inferred bool
	// Response is the verified answer that says so: the write's own, or the query's when the write's was lost. It is nil
	// for an inferred state.
	Response *Response
	// Unbound says that nothing in Response shows that it answers this very call: by its documentation it repeats nothing of
	// it, as that of an order with its prepay_id, or nobody reviewed what it repeats. Then the connection alone vouches for it.
	Unbound bool
	// Missing lists members that only the write answers, such as code_url, where a query found its effect and the write was
	// not answered again. Make the same call again for them.
	Missing []string
	// Attempts is how many requests of the write were signed for the wire.
	Attempts int
	// History lists those that did not simply succeed.
	History []Attempt
}

func newVerdict(v *ensure.Verdict, err error) (*Verdict, error) {
	if err != nil {
		return nil, err
	}
	verdict := &Verdict{
		State: v.State, Inferred: v.Inferred, Unbound: v.Unbound, Missing: v.Missing, Attempts: v.Attempts, History: v.History,
	}
	if v.Response != nil {
		verdict.Response = newResponse(v.Response)
	}
	return verdict, nil
}

// ErrNumberConflict means that the merchant's number stands for something else at the platform: a query found it with
// other parameters than the call's. Find out who used the number; until then the outcome stays unknown, and the call must
// not be made under another one.
var ErrNumberConflict = ensure.ErrNumberConflict

// ErrMissing means that a query found nothing. That proves nothing yet: the request may still be under way.
var ErrMissing = ensure.ErrMissing

// UnknownPolicy tells Ensure what to do about a doubt.
type UnknownPolicy uint8

// Policies for a doubt.
const (
	Hold   = UnknownPolicy(ensure.Hold)   // never send again, only ask
	Repeat = UnknownPolicy(ensure.Repeat) // send the same again without asking, after 5 s and growing pauses
)

// UntilFinal makes [Chain.Ensure] wait until the platform states an end, or the deadline comes. Ensure fails before it sends
// anything where neither the answer nor a reviewed query would tell the end.
func (c Chain) UntilFinal() Chain { return c.mark(settingUntilFinal) }

// OnUnknown overrides what [Chain.Ensure] does about a doubt; see there for the default. What is documented as never to be
// repeated is not repeated under Repeat either.
func (c Chain) OnUnknown(policy UnknownPolicy) Chain {
	if policy != Hold && policy != Repeat {
		return c.fail(errors.New("OnUnknown takes Hold or Repeat"))
	}
	return c.with(setting{kind: settingOnUnknown, more: &more{policy: ensure.Policy(policy)}})
}

// SentBefore tells [Chain.Ensure] that the same call may have been made before, last at until: by a process that died before it
// knew the answer, say, and kept nothing but the number. Ensure then begins as it goes on after a doubt of its own. Where a
// query is known it asks first, and sends no earlier than a minute after until. Without one it repeats only what it would
// repeat anyway, and an answer that the number is taken counts (Verdict.Inferred). Else it sends nothing and the outcome stays
// unknown.
// An until that is zero or lies ahead is now.
func (c Chain) SentBefore(until time.Time) Chain {
	if now := time.Now(); until.IsZero() || until.After(now) {
		until = now
	}
	return c.with(setting{kind: settingSentBefore, more: &more{moment: until}})
}

// Ensure makes a POST happen once, and tells the truth about it. It sends body, and when nobody knows what became of that,
// it finds out, by the reviewed facts of the catalogue:
//
//   - Where a query is known, it asks, with growing pauses, the host that took the write. A found answer counts only if
//     what cannot have changed agrees, else the error is [ErrNumberConflict]. Not-found permits the same number and bytes
//     again, and only a minute after the last attempt. The number is never changed. Where only the write answers what the
//     caller needs, such as prepay_id, the write is repeated although the query found its effect.
//   - Without a query it repeats the same request, after 5 s and growing pauses, if that is documented to be harmless, or
//     likely so and no money moves (member feeds); that the number is taken then counts as success, marked Inferred.
//   - Otherwise it sends once and reports.
//
// A nil error means that the truth is known, not that it is pleasant: read Verdict.State. It is Taken where the platform took
// the operation and nobody reviewed how to read its end: for operations that no catalogue knows, and for those that move money
// and have no reviewed state. Ensure waits for an end only after [Chain.UntilFinal]. docs/evidence.md lists what it takes for
// proof.
//
// It ends at the deadline of ctx, or at that of [Chain.Timeout] if the chain has one, or after ten minutes if there is neither;
// [WithTimeout] bounds each of its requests. It ends at once at a signed refusal that rules out an effect, or that concerns the
// merchant rather than the call, such as a missing permission. Nobody signs a refusal such as 401 SIGN_ERROR: Ensure believes
// it when three queries within ten seconds are refused alike. Then the error tells what was tried, and [OutcomeOf] what is
// known. Keep the merchant's number before you call it: it resolves a doubt that outlives the process.
func (c Chain) Ensure(ctx context.Context, body any) (*Verdict, error) {
	write, err := c.prepare(ctx, http.MethodPost, body)
	if err != nil {
		return nil, err
	}
	return newVerdict(ensure.Run(ctx, write, c.wanted()))
}

// wanted reads what the chain says of Ensure.
func (c Chain) wanted() ensure.Wanted {
	wanted := ensure.Wanted{Queried: queried}
	for s := c.last; s != nil; s = s.before {
		switch {
		case s.kind == settingUntilFinal:
			wanted.UntilFinal = true
		case s.kind == settingOnUnknown && wanted.Policy == ensure.ByFacts:
			wanted.Policy = s.more.policy
		case s.kind == settingSentBefore && wanted.SentBefore.IsZero():
			wanted.SentBefore = s.more.moment
		}
	}
	return wanted
}

func queried(err error) error { return &QueryError{err} }

// Resolve asks once what became of a call that ended in doubt: err is its error. It never repeats a write. When the query
// finds nothing, the error is [ErrMissing] and the outcome stays unknown: ask again later, and repeat the same number
// no earlier than a minute after the last attempt, or leave both to [Chain.Ensure]. An error whose outcome is known, or
// whose operation has no reviewed query, cannot be resolved.
func (c *Client) Resolve(ctx context.Context, err error) (*Verdict, error) {
	write := callOf(err)
	switch {
	case err == nil:
		return nil, errors.New("wxpay: there is nothing to resolve: the call succeeded")
	case write == nil:
		return nil, fmt.Errorf("wxpay: there is nothing to resolve: %w", err)
	case OutcomeOf(err) != Unknown:
		return nil, fmt.Errorf("wxpay: there is nothing to resolve, the outcome is known (%s): %w", OutcomeOf(err), err)
	case write.Line().Caller != c.Identity():
		return nil, errors.New("wxpay: the call to resolve was another merchant's: ask that one's client")
	}
	return newVerdict(ensure.Resolve(ctx, write, c.line, err, queried))
}

// Resolve is [Client.Resolve] for an error of this chain.
func (c Chain) Resolve(ctx context.Context, err error) (*Verdict, error) {
	if c.client == nil {
		return nil, errors.New("wxpay: the chain has no client: start it with Client.Chain or Client.At")
	}
	return c.client.Resolve(ctx, err)
}

// callOf returns the call that err is from, nil if it is from none that was prepared.
func callOf(err error) *call.Call {
	var failure *CallError
	var rejection *APIError
	switch {
	case errors.As(err, &failure) && failure.call != nil && failure.Stage != StageBuild:
		return failure.call
	case errors.As(err, &rejection):
		return rejection.call
	}
	return nil
}
