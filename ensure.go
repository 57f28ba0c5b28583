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
	"github.com/wxpay-go/wxpay/internal/redact"
)

// State is the state of an operation at the platform.
type State = fact.Meaning

// States of an operation.
const (
	Taken       = fact.Taken       // taken; its end is not known here
	Accepted    = fact.Accepted    // taken, not finished
	Succeeded   = fact.Succeeded   // has taken effect
	Partial     = fact.Partial     // some parts have taken effect, the others never will
	Failed      = fact.Failed      // ended without effect; this number will never succeed
	NeedsAction = fact.NeedsAction // waits for the merchant to act, such as an abnormal refund
)

// Verdict is what is known for certain about an operation.
type Verdict struct {
	// State is its state.
	State State
	// Inferred reports that the platform did not state the state: it said that the number is used,
	// after an unknown outcome of this very call. State is then Succeeded for a known operation
	// that moves no money, else Taken.
	Inferred bool
	// Response is the verified response with the state: that of the write, or of the query if the
	// write's was lost. It is nil for an inferred state.
	Response *Response
	// Unbound reports that nothing in Response shows that it belongs to this very call. By its
	// documentation it repeats no field of the call, such as the response with a prepay_id, or its
	// fields are not reviewed. Then only the connection vouches for it.
	Unbound bool
	// Missing lists fields that only the write returns, such as code_url, when a query found the
	// effect and the write got no second response. Make the same call again for them.
	Missing []string
	// Attempts is how many requests of the write were signed for the wire.
	Attempts int
	// History lists the attempts that did not simply succeed.
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

// ErrNumberConflict means that the merchant's number stands for something else at the platform: a
// query found it with other parameters than the call's. Find out who used the number; until then
// the outcome stays unknown, and the call must not be made under another number.
var ErrNumberConflict = ensure.ErrNumberConflict

// ErrMissing means that a query found nothing. That proves nothing yet: the request may still be
// under way.
var ErrMissing = ensure.ErrMissing

// UnknownPolicy tells Ensure what to do about an unknown outcome.
type UnknownPolicy uint8

// Policies for an unknown outcome.
const (
	Hold   = UnknownPolicy(ensure.Hold)   // never send again, only query
	Repeat = UnknownPolicy(ensure.Repeat) // send the same again without a query, after 5 s and growing pauses
)

// UntilFinal makes [Chain.Ensure] wait until the platform states an end, or until the deadline.
// Ensure fails before it sends anything if neither the response nor a reviewed query can tell the
// end.
func (c Chain) UntilFinal() Chain { return c.mark(settingUntilFinal) }

// Stepwise makes [Chain.Ensure] return a [NotYetError] instead of waiting for its next step, so that
// a program with very many calls can wait for all of them without a goroutine for each.
func (c Chain) Stepwise() Chain { return c.mark(settingStepwise) }

// NotYetError is in the error of an Ensure after [Chain.Stepwise] that has a further step, which is
// not due yet. [OutcomeOf] tells what is known of the call. To go on, wait for After, longer each
// time, and call Ensure on the same chain. After an unknown outcome do so with [Chain.SentBefore],
// which takes the time at which the last Ensure that sent the write returned.
type NotYetError struct {
	After   time.Duration // until the next step is due
	Verdict *Verdict      // the verdict so far: the caller wants more; nil for none
	Err     error         // why there is none; nil with a Verdict
}

func (e *NotYetError) Error() string {
	text := fmt.Sprintf("the next step is due in %v", e.After.Round(time.Millisecond))
	if e.Err == nil {
		return text + "; the platform has not finished it"
	}
	return text + "; " + e.Err.Error()
}

// Unwrap returns Err.
func (e *NotYetError) Unwrap() error { return e.Err }

// Format prints the error's text under every verb.
func (e NotYetError) Format(s fmt.State, verb rune) { redact.Format(s, verb, e.Error()) }

// MarshalText gives encodings the error's text.
func (e NotYetError) MarshalText() ([]byte, error) { return []byte(e.Error()), nil }

// OnUnknown overrides the policy of [Chain.Ensure] for an unknown outcome; see there for the
// default. Even Repeat never repeats an operation that is documented as never to be repeated.
func (c Chain) OnUnknown(policy UnknownPolicy) Chain {
	if policy != Hold && policy != Repeat {
		return c.fail(errors.New("OnUnknown takes Hold or Repeat"))
	}
	return c.with(setting{kind: settingOnUnknown, more: &more{policy: ensure.Policy(policy)}})
}

// SentBefore tells [Chain.Ensure] that the same call may have been made before, last at until: for
// example by a process that kept only the number and died before it read the response. Ensure then
// begins as after an unknown outcome of its own. If a query is known, it asks first, and sends no
// earlier than a minute after until. Without a query it repeats only an operation that it would
// repeat anyway, and a response that the number is used counts (Verdict.Inferred). Otherwise it
// sends nothing and the outcome stays unknown. A zero or future until means now.
func (c Chain) SentBefore(until time.Time) Chain {
	if now := time.Now(); until.IsZero() || until.After(now) {
		until = now
	}
	return c.with(setting{kind: settingSentBefore, more: &more{moment: until}})
}

// Ensure sends a POST, and after an unknown outcome finds out what became of it, as far as the
// reviewed facts of the catalogue allow:
//
//   - If a query is known, Ensure sends it, with growing pauses, to the host that took the write. A
//     found operation counts only if the fields that cannot have changed agree, else the error is
//     [ErrNumberConflict]. Not-found permits the same number and bytes again, and only a minute
//     after the last attempt. The number is never changed. If only the write returns a field that
//     the caller needs, such as prepay_id, Ensure repeats the write although the query found its
//     effect.
//   - Without a query it repeats the same request, after 5 s and growing pauses, if the operation is
//     documented as idempotent, or probably is and moves no money. A response that the number is
//     used then counts as success, marked Inferred. Nobody documents what becomes of a repeated
//     member feed, so it may be shown twice; after OnUnknown([Hold]) it is sent once.
//   - Otherwise it sends once and reports.
//
// A nil error means that the state is known, and not that the operation succeeded: read
// Verdict.State. It is Taken if the platform took the operation but no reviewed fact tells its end:
// for operations that no catalogue knows, and for operations that move money and have no reviewed
// state. Ensure waits for an end only after [Chain.UntilFinal]. docs/evidence.md lists the evidence
// that it accepts.
//
// It ends at the deadline of ctx, or at that of [Chain.Timeout] if the chain has one, or after ten
// minutes without either; [WithTimeout] bounds each of its requests. It ends at once after a signed
// rejection that excludes an effect, or that concerns the whole merchant, such as a missing
// permission. A rejection such as 401 SIGN_ERROR is unsigned: Ensure believes it after three
// queries within ten seconds are rejected alike. Then the error lists the attempts, and [OutcomeOf]
// returns what is known. Store the merchant's number before you call Ensure: it resolves an unknown
// outcome even after the process has ended. The outbox of contrib/sql does all of that.
func (c Chain) Ensure(ctx context.Context, body any) (*Verdict, error) {
	write, err := c.prepare(ctx, http.MethodPost, body)
	if err != nil {
		return nil, err
	}
	return newVerdict(ensure.Run(ctx, write, c.wanted()))
}

// wanted reads the chain's settings for Ensure.
func (c Chain) wanted() ensure.Wanted {
	wanted := ensure.Wanted{Queried: queried}
	for s := c.last; s != nil; s = s.before {
		switch {
		case s.kind == settingUntilFinal:
			wanted.UntilFinal = true
		case s.kind == settingStepwise:
			wanted.NotYet = notYet
		case s.kind == settingOnUnknown && wanted.Policy == ensure.ByFacts:
			wanted.Policy = s.more.policy
		case s.kind == settingSentBefore && wanted.SentBefore.IsZero():
			wanted.SentBefore = s.more.moment
		}
	}
	return wanted
}

func queried(err error) error { return &QueryError{err} }

func notYet(after time.Duration, found *ensure.Verdict, last error) error {
	later := &NotYetError{After: after, Err: last}
	if found != nil {
		later.Verdict, _ = newVerdict(found, nil)
	}
	return later
}

// Resolve queries once what became of a call with an unknown outcome; err is the call's error. It
// never repeats a write. If the query finds nothing, the error is [ErrMissing] and the outcome
// stays unknown. Ask again later, and repeat the same number no earlier than a minute after the
// last attempt, or leave both to [Chain.Ensure]. It cannot resolve an error with a known outcome,
// or of an operation without a reviewed query.
func (c *Client) Resolve(ctx context.Context, err error) (*Verdict, error) {
	write, outcome := callOf(err)
	switch {
	case err == nil:
		return nil, errors.New("wxpay: there is nothing to resolve: the call succeeded")
	case write == nil:
		return nil, fmt.Errorf("wxpay: there is nothing to resolve: %w", err)
	case outcome != Unknown:
		return nil, fmt.Errorf("wxpay: there is nothing to resolve, the outcome is known (%s): %w", outcome, err)
	case write.Line().Caller != c.Identity():
		return nil, errors.New("wxpay: the call to resolve is another merchant's: use that merchant's client")
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

// callOf returns the prepared call that err is from and its outcome, else nil.
func callOf(err error) (*call.Call, Outcome) {
	var failure *CallError
	var rejection *APIError
	switch {
	case errors.As(err, &failure) && failure.call != nil && failure.Stage != StageBuild:
		return failure.call, failure.Outcome
	case errors.As(err, &rejection):
		return rejection.call, rejection.Outcome
	}
	return nil, Unknown
}
