package wxpay

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/fact"
)

// Figures of Ensure. The minute is the platform's advice on how long a request can be under way; the others are choices.
const (
	ensureLimit = 10 * time.Minute // of a call without any deadline
	underWay    = time.Minute      // after the last attempt, before not-found permits another
	queryFirst  = time.Second      // pause before the first query after a doubt; each further one is up to twice as long
	queryMost   = 30 * time.Second
	blindFirst  = 5 * time.Second // pause before the first repeat without a query
	blindMost   = time.Minute
	wantedTries = 3 // how often a write is repeated for what only it answers, once a query found its effect
)

// State is where an operation stands at the platform.
type State = fact.Meaning

// States of an operation.
const (
	Accepted    = fact.Accepted    // taken, not finished
	Succeeded   = fact.Succeeded   // has taken effect
	Partial     = fact.Partial     // some parts have taken effect, the others never will
	FailedFinal = fact.FailedFinal // ended without effect, for good: this number will never succeed
	NeedsAction = fact.NeedsAction // stands still until the merchant does something, such as an abnormal refund
)

// Verdict is what is known for certain about an operation.
type Verdict struct {
	// State is where it stands.
	State State
	// Inferred says that nobody stated the success: the platform said that the number is taken, after a doubt about this
	// very call.
	Inferred bool
	// Response is the verified answer that says so: the write's own, or the query's when the write's was lost. It is nil
	// for an inferred success.
	Response *Response
	// Attempts is how many requests of the write were signed for the wire.
	Attempts int
	// History lists those that did not simply succeed.
	History []Attempt
}

// ErrNumberConflict means that the merchant's number stands for something else at the platform: a query found it with
// other parameters than the call's. Find out who used the number; until then the outcome stays unknown, and the call must
// not be made under another one.
var ErrNumberConflict = errors.New("the number stands for something else at the platform")

// ErrMissing means that a query found nothing. That proves nothing yet: the request may still be under way.
var ErrMissing = errors.New("the platform knows of no such thing yet")

// StageEnsure is the work of Ensure and Resolve after a doubt.
const StageEnsure Stage = "finding out what became of it"

// UnknownPolicy tells Ensure what to do about a doubt.
type UnknownPolicy uint8

// Policies for a doubt.
const (
	Hold   UnknownPolicy = iota + 1 // never send again, only ask
	Repeat                          // send the same again without asking, after 5 s and growing pauses
)

// UntilFinal has [Chain.Ensure] wait beyond Accepted, until the platform states an end or the deadline comes.
func (c Chain) UntilFinal() Chain { return c.with(setting{kind: settingUntilFinal}) }

// OnUnknown overrides what [Chain.Ensure] does about a doubt; see there for the default. What is documented as never to be
// repeated is not repeated under Repeat either.
func (c Chain) OnUnknown(policy UnknownPolicy) Chain {
	if policy != Hold && policy != Repeat {
		return c.fail(errors.New("OnUnknown takes Hold or Repeat"))
	}
	return c.with(setting{kind: settingOnUnknown, name: string('0' + rune(policy))})
}

// InDoubt tells [Chain.Ensure] that the same call may have been made before, last at until: by a process that died before it
// knew the answer, say, and kept nothing but the number. Ensure then begins as it goes on after a doubt of its own. Where a
// query is known it asks first, and sends no earlier than a minute after until. Without one it repeats only what it would
// repeat anyway, and an answer that the number is taken counts as success. Else it sends nothing and the outcome stays unknown.
// An until that is zero or lies ahead is now.
func (c Chain) InDoubt(until time.Time) Chain {
	if now := time.Now(); until.IsZero() || until.After(now) {
		until = now
	}
	return c.with(setting{kind: settingInDoubt, limit: time.Duration(until.UnixNano())})
}

var errEarlier = errors.New("an earlier process may have sent the call")

// Ensure makes a POST happen once, and tells the truth about it. It sends body, and when nobody knows what became of that,
// it finds out, by the reviewed facts of the catalogue ([WithCatalog]):
//
//   - Where a query is known, it asks, with growing pauses, the host that took the write. A found answer counts only if
//     what cannot have changed agrees, else the error is [ErrNumberConflict]. Not-found permits the same number and bytes
//     again, and only a minute after the last attempt. The number is never changed. Where only the write answers what the
//     caller needs, such as prepay_id, the write is repeated although the query found its effect.
//   - Without a query it repeats the same request, after 5 s and growing pauses, if that is documented to be harmless, or
//     likely so and no money moves (member feeds); that the number is taken then counts as success, marked Inferred.
//   - Otherwise it sends once and reports.
//
// A nil error means that the truth is known, not that it is pleasant: read Verdict.State. Ensure waits beyond Accepted only
// after [Chain.UntilFinal]. It ends at the deadline of ctx, or at that of [Chain.Timeout] if the chain has one, or after ten
// minutes if there is neither; [WithTimeout] bounds each of its requests. It ends at once at a refusal that concerns the
// merchant rather than the call, such as a wrong signature or a missing permission. Then the error tells what was tried, and
// [OutcomeOf] what is known. Keep the merchant's number before you call it: it is what resolves a doubt that outlives the
// process.
func (c Chain) Ensure(ctx context.Context, body any) (*Verdict, error) {
	f, err := c.prepare(ctx, http.MethodPost, body)
	if err != nil {
		return nil, err
	}
	e := newEnsuring(f)
	for s := c.last; s != nil; s = s.before {
		switch {
		case s.kind == settingUntilFinal:
			e.untilFinal = true
		case s.kind == settingOnUnknown && e.policy == 0:
			e.policy = UnknownPolicy(s.name[0] - '0')
		case s.kind == settingInDoubt && !e.resumed:
			e.resume(time.Unix(0, int64(s.limit)))
		}
	}
	limit := ensureLimit
	if f.bounded {
		limit = f.Limits.Total
	}
	if _, ok := ctx.Deadline(); !ok || f.bounded {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, limit, timeLimit(limit))
		defer cancel()
	}
	return e.run(ctx)
}

// ensuring is one Ensure on its way.
type ensuring struct {
	f          *flight
	sent       document // the body
	link       *fact.Link
	untilFinal bool
	policy     UnknownPolicy
	resumed    bool // an earlier process may have sent the write

	began   time.Time
	ended   time.Time // when the last write attempt ended
	last    error     // what the last write ended with
	queries int
	put     time.Time // when the last query was sent
	asked   error     // what the last query ended with, if it taught nothing
	found   *Verdict  // what a query found, while more is wanted
	wanted  int       // repeats of the write for what only it answers
}

func newEnsuring(f *flight) *ensuring {
	e := &ensuring{f: f, sent: readDocument(f.body), began: time.Now()}
	if o := f.Operation; o != nil && o.Link != nil {
		e.link = o.Link
		for _, pair := range o.Link.Copy {
			if !pair.Optional && text(f.carried(e.sent, pair.From)) == "" {
				e.link = nil // the query could not carry the write's identities
				break
			}
		}
	}
	return e
}

// move is what to do next.
type move uint8

const (
	moveSend  move = iota // send the write, again with the same bytes
	moveAsk               // ask the query
	moveBlind             // pause, then send without asking
	moveEnd
)

// resume goes on where an earlier process left off.
func (e *ensuring) resume(until time.Time) {
	e.resumed, e.began, e.ended = true, until, until
	e.f.Doubt(until, errEarlier)
	e.last = e.failure(errEarlier)
}

func (e *ensuring) run(ctx context.Context) (*Verdict, error) {
	next, pause, blind := moveSend, queryFirst, blindFirst
	if e.resumed {
		var err error
		if next, _, err = e.doubt(nil); next == moveEnd {
			return nil, err
		}
	}
	for {
		var verdict *Verdict
		var err error
		switch next {
		case moveSend:
			next, verdict, err = e.send(ctx)
		case moveAsk:
			if !wait(ctx, pause/2+rand.N(pause)-e.passed()) {
				return e.late(ctx)
			}
			pause = min(2*pause, queryMost)
			next, verdict, err = e.ask(ctx)
		case moveBlind:
			if !wait(ctx, blind+rand.N(blind/4)-e.passed()) {
				return e.late(ctx)
			}
			blind = min(2*blind, blindMost)
			next = moveSend
		}
		if next == moveEnd {
			return verdict, err
		}
		if ctx.Err() != nil {
			return e.late(ctx)
		}
	}
}

// passed is how much of the first pause has passed when an earlier process made the last attempt.
func (e *ensuring) passed() time.Duration {
	if e.f.Attempts > 0 || e.queries > 0 || !e.resumed {
		return 0
	}
	return time.Since(e.ended)
}

// send sends the write and judges what came of it.
func (e *ensuring) send(ctx context.Context) (move, *Verdict, error) {
	res, err := e.f.send(ctx)
	e.ended, e.last = time.Now(), err
	if err == nil {
		state := e.answered(res)
		verdict := e.verdict(state, res)
		if state != Accepted || !e.untilFinal || e.link == nil {
			return moveEnd, verdict, nil
		}
		e.found, e.link = verdict, withoutOnly(e.link) // the write has answered; what is wanted now is its end
		return moveAsk, nil, nil
	}
	if ctx.Err() != nil {
		verdict, err := e.late(ctx)
		return moveEnd, verdict, err
	}
	var refusal *APIError
	if errors.As(err, &refusal) && classify(refusal.Status, refusal.Code).Merchant {
		return moveEnd, nil, err
	}
	switch OutcomeOf(err) {
	case NotSent:
		if e.f.Reached { // no connection could be had
			return moveBlind, nil, nil
		}
		return moveEnd, nil, err
	case Rejected:
		if refusal != nil && passing(refusal.Status, string(refusal.Code)) || refusal == nil && e.f.Reached {
			return moveBlind, nil, nil
		}
		return moveEnd, nil, err
	case Confirmed:
		return moveEnd, nil, err
	}
	return e.doubt(refusal)
}

// doubt decides what follows a write that ended in doubt.
func (e *ensuring) doubt(refusal *APIError) (move, *Verdict, error) {
	if e.found != nil {
		// A query has found the effect; the write was repeated only for what it answers.
		if e.wanted >= wantedTries || refusal != nil && !passing(refusal.Status, string(refusal.Code)) {
			if e.found.State != Accepted || !e.untilFinal {
				return moveEnd, e.known(), nil
			}
			e.link = withoutOnly(e.link)
		}
		return moveAsk, nil, nil
	}
	repeat := fact.Unreviewed
	if e.f.Operation != nil {
		repeat = e.f.Operation.Repeat
	}
	if e.link != nil && e.policy != Repeat {
		return moveAsk, nil, nil
	}
	if refusal != nil && e.exists(refusal) {
		return moveEnd, &Verdict{State: Succeeded, Inferred: true, Attempts: e.f.Attempts, History: slices.Clone(e.f.History)}, nil
	}
	final := refusal != nil && refusal.Status < 500 && !passing(refusal.Status, string(refusal.Code))
	blind := repeat == fact.Documented || repeat == fact.Assumed && !e.f.MovesMoney()
	if e.policy == Repeat {
		blind = repeat != fact.Never
	}
	if final || !blind || e.policy == Hold {
		return moveEnd, nil, e.last
	}
	return moveBlind, nil, nil
}

// exists reports whether a refusal says that the number is taken, and an earlier attempt of this very call may have taken it.
func (e *ensuring) exists(refusal *APIError) bool {
	if !refusal.Verified || !classify(refusal.Status, refusal.Code).Exists {
		return false
	}
	return slices.ContainsFunc(e.f.History, func(a Attempt) bool {
		return a.Outcome == Unknown && !classify(a.Status, Code(a.Code)).Exists
	})
}

// ask asks the query once.
func (e *ensuring) ask(ctx context.Context) (move, *Verdict, error) {
	res, err := e.query(ctx, e.f.client)
	var refusal *APIError
	switch {
	case err == nil:
		return e.see(res)
	case ctx.Err() != nil:
		verdict, err := e.late(ctx)
		return moveEnd, verdict, err
	case errors.As(err, &refusal) && classify(refusal.Status, refusal.Code).Merchant:
		if e.found != nil { // what is known is all that can be known for now
			return moveEnd, e.known(), nil
		}
		return moveEnd, nil, e.failure(fmt.Errorf("the query was refused for a reason that concerns the merchant: %w", &QueryError{err}))
	case !errors.Is(err, ErrMissing):
		e.asked = &QueryError{err}
		return moveAsk, nil, nil
	}
	e.asked = ErrMissing
	return e.missing()
}

// see judges what a query found.
func (e *ensuring) see(res *Response) (move, *Verdict, error) {
	document := readDocument(res.raw)
	if err := e.compare(document); err != nil {
		return moveEnd, nil, e.failure(err)
	}
	state, proven := e.state(document)
	if !proven {
		e.asked = errors.New("the query's answer does not show the effect")
		if e.found == nil && e.f.Operation.Repeat == fact.Documented && e.policy != Hold && e.lateEnough() && !e.final() {
			return moveSend, nil, nil
		}
		return moveAsk, nil, nil
	}
	verdict := e.verdict(state, res)
	e.found = verdict
	wanted := len(e.link.Only) > 0 && e.wanted < wantedTries && (state == Accepted || state == Succeeded && !e.f.MovesMoney())
	if wanted && e.policy != Hold && e.f.Operation.Repeat != fact.Never {
		e.wanted++
		return moveSend, nil, nil
	}
	if state == Accepted && e.untilFinal {
		return moveAsk, nil, nil
	}
	return moveEnd, verdict, nil
}

// missing decides what follows a query that found nothing.
func (e *ensuring) missing() (move, *Verdict, error) {
	repeat := e.f.Operation.Repeat
	switch {
	case e.found != nil, !e.lateEnough():
		return moveAsk, nil, nil
	case e.final():
		return moveEnd, nil, e.refused()
	case e.policy == Hold, repeat == fact.Never:
		return moveAsk, nil, nil
	case e.link.LookBack > 0 && time.Since(e.began) > time.Duration(e.link.LookBack)*24*time.Hour:
		return moveAsk, nil, nil
	}
	return moveSend, nil, nil
}

// lateEnough reports whether the last query was sent so late that no write can have been under way any more.
func (e *ensuring) lateEnough() bool { return e.put.Sub(e.ended) >= underWay }

// final reports whether the last write was refused in a way that a repeat would not change.
func (e *ensuring) final() bool {
	var refusal *APIError
	return errors.As(e.last, &refusal) && refusal.Verified && refusal.Status < 500 && refusal.Class() == ClassFix
}

// refused is the write's refusal, after the platform, asked late enough, knew nothing of the number. It would be refused again,
// and where no attempt ended otherwise nothing came of it. Where one did, it stays unknown: that nothing is found permits to send
// a number once more, which does no harm if it is wrong, and to say that nothing took effect would.
func (e *ensuring) refused() error {
	if e.resumed || slices.ContainsFunc(e.f.History, func(a Attempt) bool {
		return a.Outcome == Unknown && (a.Err != nil || a.Code == "" || a.Status < 400 || a.Status > 499)
	}) {
		return e.last
	}
	var refusal *APIError
	errors.As(e.last, &refusal)
	known, outcome := *refusal, Rejected
	known.outcome = &outcome
	if known.Hint != "" {
		known.Hint += "; "
	}
	known.Hint += "asked for the number a minute later the platform knew nothing of it, so nothing took effect"
	return &known
}

// query asks the link's query with the write's identities, at the host that took the write. Nothing found is ErrMissing.
func (e *ensuring) query(ctx context.Context, client *Client) (*Response, error) {
	e.queries++
	e.put = time.Now()
	chain := client.Chain(e.link.Query)
	for _, pair := range e.link.Copy {
		value := text(e.f.carried(e.sent, pair.From))
		switch {
		case strings.Contains(e.link.Query, "{"+pair.To+"}"):
			chain = chain.Var(pair.To, value)
		case value != "":
			chain = chain.Query(pair.To, value)
		}
	}
	q, err := chain.prepare(ctx, http.MethodGet, nil)
	if err != nil {
		return nil, err
	}
	host := e.took()
	q.Host = host
	res, err := q.send(ctx)
	var refusal *APIError
	if errors.As(err, &refusal) && refusal.Verified && refusal.Status == http.StatusNotFound && slices.Contains(e.link.Missing, string(refusal.Code)) {
		if host != "" && q.Took != host {
			return nil, fmt.Errorf("%s, which did not take the write, knows nothing of it", q.Took)
		}
		return nil, fmt.Errorf("%w: %w", ErrMissing, err)
	}
	return res, err
}

// took returns the host that may have taken the write last, empty if there is none.
func (e *ensuring) took() string {
	for _, a := range slices.Backward(e.f.History) {
		if a.Outcome == Unknown {
			return a.Host
		}
	}
	return ""
}

// compare checks that what a query found is what the call wanted.
func (e *ensuring) compare(found document) error {
	for _, pair := range e.link.Same {
		if !agree(e.f.carried(e.sent, pair.From), found.member(pair.To)) {
			return fmt.Errorf("%w: %s differs", ErrNumberConflict, pair.To)
		}
	}
	return nil
}

// state reads where the write stands from a query's answer. It is not proven where only a reviewed state would prove it.
func (e *ensuring) state(found document) (state State, proven bool) {
	if e.link.State == "" {
		return Succeeded, true
	}
	value := text(found.member(e.link.State))
	known := slices.ContainsFunc(e.link.Means, func(m fact.Means) bool { return m.Value == value })
	state = e.link.Meaning(value)
	if state == Succeeded && e.link.Parts != nil {
		state = parts(e.link.Parts, found)
	}
	return state, known || !e.link.Acts
}

// parts refines Succeeded by how the parts ended.
func parts(p *fact.Parts, found document) State {
	list, _ := found.member(p.List).([]any)
	succeeded, failed := 0, 0
	for _, part := range list {
		switch text(document{part}.member(p.State)) {
		case p.Succeeded:
			succeeded++
		case p.Failed:
			failed++
		default:
			return Accepted
		}
	}
	switch {
	case failed == 0:
		return Succeeded
	case succeeded == 0:
		return FailedFinal
	}
	return Partial
}

// answered reads where the write stands from its own answer.
func (e *ensuring) answered(res *Response) State {
	if res.Status == http.StatusAccepted {
		return Accepted
	}
	if o := e.f.Operation; o != nil && o.Link != nil && o.Link.State != "" {
		document := readDocument(res.raw)
		if text(document.member(o.Link.State)) != "" {
			state, _ := (&ensuring{link: o.Link}).state(document)
			return state
		}
		if e.f.MovesMoney() {
			return Accepted
		}
	}
	return Succeeded
}

func (e *ensuring) verdict(state State, res *Response) *Verdict {
	return &Verdict{State: state, Response: res, Attempts: e.f.Attempts, History: slices.Clone(e.f.History)}
}

// known is what a query found, brought up to date with what was sent since.
func (e *ensuring) known() *Verdict { return e.verdict(e.found.State, e.found.Response) }

// late ends at the deadline, or when the caller gave up: with what a query found, else with what was tried.
func (e *ensuring) late(ctx context.Context) (*Verdict, error) {
	if e.found != nil {
		return e.known(), nil
	}
	cause := context.Cause(ctx)
	if e.asked != nil {
		cause = fmt.Errorf("%w; the last of %d queries: %w", cause, e.queries, e.asked)
	}
	if e.last != nil && !errors.Is(e.last, cause) {
		cause = fmt.Errorf("%w; the last of %d requests: %w", cause, e.f.Attempts, attemptError{e.last})
	}
	return nil, e.failure(cause)
}

// attemptError is how a request of an Ensure failed, told without its operation and the advice, which the error around it gives.
type attemptError struct{ err error }

func (e attemptError) Error() string {
	if call, ok := e.err.(*CallError); ok {
		return causeText(call.Err)
	}
	return e.err.Error()
}

func (e attemptError) Unwrap() error { return e.err }

// failure is the error of an Ensure that did not come to a verdict. That the platform has taken a write is no verdict where
// its end is wanted, or where a query then tells of another one under the same number.
func (e *ensuring) failure(err error) error {
	outcome := e.f.Outcome()
	if outcome == Confirmed {
		outcome = Unknown
	}
	return e.f.error(StageEnsure, outcome, err)
}

// Resolve asks once what became of a call that ended in doubt: err is its error. It never repeats a write. When the query
// finds nothing, the error is [ErrMissing] and the outcome stays unknown: ask again later, and repeat the same number
// no earlier than a minute after the last attempt, or leave both to [Chain.Ensure]. An error whose outcome is known, or
// whose operation has no reviewed query, cannot be resolved.
func (c *Client) Resolve(ctx context.Context, err error) (*Verdict, error) {
	f := flightOf(err)
	switch {
	case err == nil:
		return nil, errors.New("wxpay: there is nothing to resolve: the call succeeded")
	case f == nil:
		return nil, fmt.Errorf("wxpay: there is nothing to resolve: %w", err)
	case OutcomeOf(err) != Unknown:
		return nil, fmt.Errorf("wxpay: there is nothing to resolve, the outcome is known (%s): %w", OutcomeOf(err), err)
	case f.client.merchant.ID != c.merchant.ID:
		return nil, errors.New("wxpay: the call to resolve was another merchant's: ask that one's client")
	}
	e := newEnsuring(f)
	if e.link == nil {
		return nil, e.failure(fmt.Errorf("no reviewed query tells what became of it: look for its number in the merchant platform: %w", err))
	}
	res, queryErr := e.query(ctx, c)
	if queryErr != nil {
		return nil, e.failure(&QueryError{queryErr})
	}
	document := readDocument(res.raw)
	if err := e.compare(document); err != nil {
		return nil, e.failure(err)
	}
	state, proven := e.state(document)
	if !proven {
		return nil, e.failure(errors.New("the query's answer does not show the effect"))
	}
	return e.verdict(state, res), nil
}

// flightOf returns the call that err is from, nil if it is from none that was prepared.
func flightOf(err error) *flight {
	var call *CallError
	var refusal *APIError
	switch {
	case errors.As(err, &call) && call.flight != nil && call.Stage != StageBuild:
		return call.flight
	case errors.As(err, &refusal):
		return refusal.flight
	}
	return nil
}

// withoutOnly returns a link that wants nothing of the write's answer any more.
func withoutOnly(l *fact.Link) *fact.Link {
	next := *l
	next.Only = nil
	return &next
}

// wait waits, and reports whether ctx is still alive afterwards.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
