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
	"github.com/wxpay-go/wxpay/internal/fault"
	"github.com/wxpay-go/wxpay/wxcode"
)

// Figures of Ensure. The minute is the platform's advice on how long a request can be under way; the others are choices.
const (
	ensureLimit   = 10 * time.Minute // of a call without any deadline
	underWay      = time.Minute      // after the last attempt, before not-found permits another
	queryFirst    = time.Second      // pause before the first query after a doubt; each further one is up to twice as long
	queryMost     = 30 * time.Second
	blindFirst    = 5 * time.Second // pause before the first repeat without a query
	blindMost     = time.Minute
	unsignedMost  = 3               // how often a refusal that nobody signed is asked about
	unsignedFirst = 2 * time.Second // mean pause before each of these
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

// ErrNumberConflict means that the merchant's number stands for something else at the platform: a query found it with
// other parameters than the call's. Find out who used the number; until then the outcome stays unknown, and the call must
// not be made under another one.
var ErrNumberConflict = fault.New("the number stands for something else at the platform")

// ErrMissing means that a query found nothing. That proves nothing yet: the request may still be under way.
var ErrMissing = fault.New("the platform knows of no such thing yet")

// StageEnsure is the work of Ensure and Resolve after a doubt.
const StageEnsure Stage = "finding out what became of it"

// UnknownPolicy tells Ensure what to do about a doubt.
type UnknownPolicy uint8

// Policies for a doubt.
const (
	Hold   UnknownPolicy = iota + 1 // never send again, only ask
	Repeat                          // send the same again without asking, after 5 s and growing pauses
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
	return c.with(setting{kind: settingOnUnknown, more: &more{policy: policy}})
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

var errEarlier = errors.New("an earlier process may have sent the call")

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
	f, err := c.prepare(ctx, http.MethodPost, body)
	if err != nil {
		return nil, err
	}
	e := newEnsuring(f)
	if e.link == nil && f.Operation != nil && f.Operation.Link != nil {
		e.lacks = "its body lacks what the query takes"
	}
	for s := c.last; s != nil; s = s.before {
		switch {
		case s.kind == settingUntilFinal:
			e.untilFinal = true
		case s.kind == settingOnUnknown && e.policy == 0:
			e.policy = s.more.policy
		case s.kind == settingSentBefore && !e.resumed:
			e.resume(s.more.moment)
		}
	}
	if e.untilFinal && e.link == nil && !e.endsAtOnce() {
		return nil, f.error(StageBuild, f.Outcome(), e.endless())
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
	heard   time.Time // the moment that the last not-found speaks of
	asked   error     // what the last query ended with, if it taught nothing
	found   *Verdict  // what is known already, while more is wanted
	only    []string  // what only the write answers, until it has
	missing []string  // of that, what is wanted in the state that was found
	denied  bool      // the write was refused for good when it was repeated for that
	put     time.Time // when the last query was sent
	lacks   string    // why there is no query although one was reviewed
	balked  unsigned  // the refusal that nobody signed, while it is being asked about
}

// unsigned is a refusal that nobody signed, and how often it came to what was asked about it.
type unsigned struct {
	status int
	code   wxcode.Code
	times  int
}

func newEnsuring(f *flight) *ensuring {
	e := &ensuring{f: f, sent: readDocument(f.body), began: time.Now()}
	if o := f.Operation; o != nil && o.Link != nil {
		e.link, e.only = o.Link, o.Link.Only
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
			mean := pause
			if e.balked.status != 0 {
				mean = unsignedFirst
			} else {
				pause = min(2*pause, queryMost)
			}
			if !wait(ctx, mean/2+rand.N(mean)-e.passed()) {
				return e.late(ctx)
			}
			next, verdict, err = e.ask(ctx)
		case moveBlind:
			mean := blind
			if e.balked.status != 0 {
				mean = unsignedFirst
			} else {
				blind = min(2*blind, blindMost)
			}
			if !wait(ctx, mean+rand.N(mean/4)-e.passed()) {
				return e.late(ctx)
			}
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
	if err == nil && !res.Verified {
		err = e.f.error(StageSend, e.f.Outcome(), errMadeUp)
	}
	e.ended, e.last = time.Now(), err
	if err == nil {
		return e.answered(res)
	}
	if ctx.Err() != nil {
		verdict, err := e.late(ctx)
		return moveEnd, verdict, err
	}
	var refusal *APIError
	errors.As(err, &refusal)
	if refusal != nil && e.f.Stale() {
		e.last, refusal = e.failure(errStale), nil
	}
	switch {
	case refusal != nil && refusal.Unsigned() && !refusal.passing():
		return e.unsigned(refusal, min(1, e.balked.status))
	case e.found != nil: // the write was repeated only for what it answers
		if refusal == nil || refusal.passing() {
			return moveAsk, nil, nil
		}
		e.denied = true
		if e.untilFinal && !settled(e.found.State) {
			return moveAsk, nil, nil
		}
		return moveEnd, e.known(), nil
	case refusal != nil && wxcode.Of(refusal.Status, refusal.Code).Merchant:
		return moveEnd, nil, err
	}
	switch OutcomeOf(err) {
	case NotSent:
		if e.f.Reached { // no connection could be had
			return moveBlind, nil, nil
		}
		return moveEnd, nil, err
	case Rejected:
		if refusal != nil && refusal.passing() || refusal == nil && e.f.Reached {
			return moveBlind, nil, nil
		}
		return moveEnd, nil, err
	case Confirmed:
		if why := e.doubtful(); why != nil {
			return e.disbelieve(why)
		}
		return moveEnd, nil, err
	}
	return e.doubt(refusal)
}

// Answers of a write that settle nothing.
var (
	errUnbound = errors.New("the answer does not show the call's number, so it may be another call's")
	errStale   = errors.New("the answer was signed before its request was sent, so it may answer another one")
)

// answered judges the write's own answer.
func (e *ensuring) answered(res *Response) (move, *Verdict, error) {
	e.balked = unsigned{}
	if why := e.doubtful(); why != nil {
		return e.disbelieve(why)
	}
	e.only, e.missing = nil, nil
	verdict := e.verdict(e.own(res), res)
	if e.f.binding == unbound {
		verdict.State = Taken
	}
	verdict.Unbound = e.f.binding != bound
	switch {
	case !e.untilFinal || settled(verdict.State):
		return moveEnd, verdict, nil
	case e.link == nil:
		failure := e.failure(e.endless())
		failure.Response = res
		return moveEnd, nil, failure
	}
	e.found = verdict
	return moveAsk, nil, nil
}

// doubtful tells why the last success may be another call's, nil if nothing speaks for that.
func (e *ensuring) doubtful() error {
	switch {
	case e.f.binding != bound && e.f.Stale():
		return errStale
	case e.f.binding == unbound && e.link != nil && e.policy != Repeat:
		return errUnbound
	}
	return nil
}

// disbelieve goes on after a success that may be another call's.
func (e *ensuring) disbelieve(why error) (move, *Verdict, error) {
	e.f.Disbelieve(why)
	e.last = e.failure(why)
	if e.found != nil {
		return moveAsk, nil, nil
	}
	return e.doubt(nil)
}

// own reads where the write stands from its own answer.
func (e *ensuring) own(res *Response) State {
	o := e.f.Operation
	switch {
	case o == nil:
		return Taken
	case o.Link != nil && o.Link.State != "":
		document := readDocument(res.raw)
		if text(document.member(o.Link.State)) != "" {
			return e.stateOf(o.Link, document)
		}
	}
	switch {
	case o.MovesMoney:
		return Taken
	case res.Status == http.StatusAccepted:
		return Accepted
	}
	return Succeeded
}

// settled reports whether a state will not change by itself.
func settled(s State) bool { return s != Taken && s != Accepted }

// endsAtOnce reports whether the answer itself is the end: the documentation says 200 or 204, and no money moves.
func (e *ensuring) endsAtOnce() bool {
	o := e.f.Operation
	return o != nil && !o.MovesMoney && o.Success != http.StatusAccepted
}

// endless says why UntilFinal cannot be kept, and what to call instead.
func (e *ensuring) endless() error {
	why, o := "the catalogue does not know the operation", e.f.Operation
	switch {
	case o == nil:
	case e.lacks != "":
		why = e.lacks
	default:
		why = "no reviewed query tells it"
	}
	instead := "call Ensure without UntilFinal, and read the end from the operation's own query or notification"
	if o != nil && len(o.Docs) > 0 {
		instead += " (" + fact.DocURL(o.Docs[0]) + ")"
	}
	return fmt.Errorf("how it ends cannot be told: %s; %s", why, instead)
}

// unsigned decides what follows a refusal that nobody signed, of the write or of a query. Something on the way may have made
// it after it passed the request on; what else is asked tells. Refused alike three times, it is the reason to end. times is 0
// for the first refusal of the write.
func (e *ensuring) unsigned(refusal *APIError, times int) (move, *Verdict, error) {
	if e.balked.status != refusal.Status || e.balked.code != refusal.Code {
		e.balked = unsigned{status: refusal.Status, code: refusal.Code}
	}
	e.balked.times += times
	ask := e.link != nil && e.policy != Repeat
	switch {
	case e.balked.times < unsignedMost && ask:
		return moveAsk, nil, nil
	case e.balked.times < unsignedMost && !ask && e.policy != Hold && e.mayRepeat():
		return moveBlind, nil, nil
	case e.found != nil:
		return moveEnd, e.known(), nil
	}
	var last *APIError
	if errors.As(e.last, &last) && last.Status == refusal.Status && last.Code == refusal.Code {
		return moveEnd, nil, e.last
	}
	return moveEnd, nil, e.failure(fmt.Errorf("queries are refused, and nobody signs that: %w", &QueryError{refusal}))
}

// mayRepeat reports whether the write may be sent again without asking.
func (e *ensuring) mayRepeat() bool {
	repeat := fact.Unreviewed
	if e.f.Operation != nil {
		repeat = e.f.Operation.Repeat
	}
	if e.policy == Repeat {
		return repeat != fact.Never
	}
	return repeat == fact.Documented || repeat == fact.Assumed && !e.f.MovesMoney()
}

// doubt decides what follows a write that ended in doubt.
func (e *ensuring) doubt(refusal *APIError) (move, *Verdict, error) {
	if e.link != nil && e.policy != Repeat {
		return moveAsk, nil, nil
	}
	if refusal != nil && e.exists(refusal) {
		return e.infer()
	}
	// A refusal without a code is none of the platform's.
	final := refusal != nil && refusal.Code != "" && refusal.Status < 500 && !refusal.passing()
	if final || !e.mayRepeat() || e.policy == Hold {
		return moveEnd, nil, e.last
	}
	return moveBlind, nil, nil
}

// infer judges that the number is taken.
func (e *ensuring) infer() (move, *Verdict, error) {
	state := Taken
	if o := e.f.Operation; o != nil && !o.MovesMoney {
		state = Succeeded
	}
	e.found, e.missing = &Verdict{State: state, Inferred: true}, e.wanted(state)
	if e.untilFinal && !settled(state) && e.link != nil {
		return moveAsk, nil, nil
	}
	return moveEnd, e.known(), nil
}

// exists reports whether a refusal says that the number is taken, and an earlier attempt of this very call may have taken it.
func (e *ensuring) exists(refusal *APIError) bool {
	if !refusal.Verified || !wxcode.Of(refusal.Status, refusal.Code).Exists {
		return false
	}
	return slices.ContainsFunc(e.f.History, func(a Attempt) bool {
		return a.Outcome == Unknown && !wxcode.Of(a.Status, wxcode.Code(a.Code)).Exists
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
	case errors.Is(err, StageBuild) && e.found == nil:
		return moveEnd, nil, e.failure(fmt.Errorf("the query cannot be made: %w", &QueryError{err}))
	case errors.As(err, &refusal) && refusal.Unsigned() && !refusal.passing():
		e.asked = &QueryError{err}
		return e.unsigned(refusal, 1)
	}
	e.balked = unsigned{}
	switch {
	case refusal != nil && wxcode.Of(refusal.Status, refusal.Code).Merchant:
		if e.found != nil { // what is known is all that can be known for now
			return moveEnd, e.known(), nil
		}
		return moveEnd, nil, e.failure(fmt.Errorf("the query was refused for a reason that concerns the merchant: %w", &QueryError{err}))
	case !errors.Is(err, ErrMissing):
		e.asked = &QueryError{err}
		return moveAsk, nil, nil
	}
	e.asked = ErrMissing
	return e.notFound()
}

// see judges what a query found.
func (e *ensuring) see(res *Response) (move, *Verdict, error) {
	e.balked = unsigned{}
	verdict, err := e.read(res)
	switch {
	case errors.Is(err, ErrNumberConflict):
		return moveEnd, nil, e.failure(err)
	case err != nil:
		e.asked = err
		if err == errNoEffect && e.found == nil && e.f.Operation.Repeat == fact.Documented && e.policy != Hold && e.lateEnough() && !e.final() {
			return moveSend, nil, nil
		}
		return moveAsk, nil, nil
	}
	e.found, e.missing = verdict, e.wanted(verdict.State)
	if len(e.missing) > 0 && !e.denied && e.policy != Hold && e.f.Operation.Repeat != fact.Never {
		return moveSend, nil, nil
	}
	if !settled(verdict.State) && e.untilFinal {
		return moveAsk, nil, nil
	}
	return moveEnd, e.known(), nil
}

// wanted is what only the write answers, in a state where somebody needs it.
func (e *ensuring) wanted(state State) []string {
	if !settled(state) || state == Succeeded && !e.f.MovesMoney() {
		return e.only
	}
	return nil
}

var errNoEffect = errors.New("the query's answer does not show the effect")

// read reads a verdict from the answer of a query. What proves nothing is an error.
func (e *ensuring) read(res *Response) (*Verdict, error) {
	q := res.flight
	e.hear(q)
	if q.binding == unbound || q.binding == unbindable && q.Stale() {
		return nil, errors.New("the query's answer does not show that it is about this call")
	}
	document := readDocument(res.raw)
	if err := e.compare(document); err != nil {
		return nil, err
	}
	state, proven := e.state(document)
	if !proven {
		return nil, errNoEffect
	}
	verdict := e.verdict(state, res)
	verdict.Unbound = q.binding != bound
	return verdict, nil
}

// hear notes the moment that a query's answer speaks of: when it was asked, or earlier, when the answer was signed.
func (e *ensuring) hear(q *flight) { e.heard = e.put.Add(-q.Aged) }

// notFound decides what follows a query that found nothing.
func (e *ensuring) notFound() (move, *Verdict, error) {
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

// lateEnough reports whether the last answer of a query speaks of a moment when no write can have been under way any more.
func (e *ensuring) lateEnough() bool { return e.heard.Sub(e.ended) >= underWay }

// final reports whether the last write was refused in a way that a repeat would not change.
func (e *ensuring) final() bool {
	var refusal *APIError
	return errors.As(e.last, &refusal) && refusal.Verified && refusal.Status < 500 && refusal.Class() == wxcode.ClassFix
}

// refused is the write's refusal, after the platform, asked late enough, knew nothing of the number. It would be refused again.
// That nothing is found permits to send a number once more, which does no harm if it is wrong; it does not prove that nothing
// took effect, so the outcome stays what the refusal left.
func (e *ensuring) refused() error {
	var refusal *APIError
	errors.As(e.last, &refusal)
	known := *refusal
	if known.Hint != "" {
		known.Hint += "; "
	}
	known.Hint += "asked for the number a minute later, the platform did not know it"
	return &known
}

// query asks the link's query with the write's identities, at the host that took the write. Nothing found is ErrMissing.
func (e *ensuring) query(ctx context.Context, client *Client) (*Response, error) {
	e.queries++
	e.put = time.Now()
	chain := client.Chain(e.link.Query).Header("Cache-Control", "no-cache")
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
	if facts := e.f.client.facts(); facts != nil { // the write's, whoever asks
		q.Operation, _ = facts.Lookup(http.MethodGet, e.link.Query)
	}
	host := e.took()
	q.Host = host
	res, err := q.send(ctx)
	if err == nil && !res.Verified {
		return nil, q.error(StageSend, q.Outcome(), errMadeUp)
	}
	var refusal *APIError
	if errors.As(err, &refusal) && q.Stale() {
		e.hear(q)
		return nil, errStale
	}
	if refusal != nil && refusal.Verified && refusal.Status == http.StatusNotFound && slices.Contains(e.link.Missing, string(refusal.Code)) {
		e.hear(q)
		if host != "" && q.ServedBy != host {
			return nil, fmt.Errorf("%s, which did not take the write, knows nothing of it", q.ServedBy)
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
	if e.f.Answered != nil {
		return e.f.ServedBy
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
	return e.stateOf(e.link, found), known || !e.link.Acts
}

// stateOf returns the meaning of the state that an answer tells.
func (e *ensuring) stateOf(l *fact.Link, found document) State {
	state := l.Meaning(text(found.member(l.State)))
	if state == Succeeded && l.Parts != nil {
		state = parts(l.Parts, e.sent, found)
	}
	return state
}

// parts refines Succeeded by how the parts ended. Of parts that an answer lacks nobody knows that.
func parts(p *fact.Parts, sent, found document) State {
	list, _ := found.member(p.List).([]any)
	if wanted, _ := sent.member(p.List).([]any); len(list) < len(wanted) {
		return Taken
	}
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
		return Failed
	}
	return Partial
}

func (e *ensuring) verdict(state State, res *Response) *Verdict {
	return &Verdict{State: state, Response: res, Attempts: e.f.Attempts, History: slices.Clone(e.f.History)}
}

// known is what was found, brought up to date with what was sent since.
func (e *ensuring) known() *Verdict {
	verdict := e.verdict(e.found.State, e.found.Response)
	verdict.Inferred, verdict.Unbound, verdict.Missing = e.found.Inferred, e.found.Unbound, slices.Clone(e.missing)
	return verdict
}

// late ends at the deadline, or when the caller gave up: with what a query found, else with what was tried.
func (e *ensuring) late(ctx context.Context) (*Verdict, error) {
	if e.found != nil {
		return e.known(), nil
	}
	cause := fault.Cause(ctx)
	if e.asked != nil {
		cause = fmt.Errorf("%w; the last of %d queries: %w", cause, e.queries, e.asked)
	}
	switch {
	case e.last == nil || errors.Is(e.last, cause):
	case e.f.Attempts == 0:
		cause = fmt.Errorf("%w; %w", cause, attemptError{e.last})
	default:
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
func (e *ensuring) failure(err error) *CallError {
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
	case f.client.Identity() != c.Identity():
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
	verdict, readErr := e.read(res)
	if readErr != nil {
		return nil, e.failure(readErr)
	}
	verdict.Missing = slices.Clone(e.wanted(verdict.State))
	return verdict, nil
}

// Resolve is [Client.Resolve] for an error of this chain.
func (c Chain) Resolve(ctx context.Context, err error) (*Verdict, error) {
	if c.client == nil {
		return nil, errors.New("wxpay: the chain has no client: start it with Client.Chain or Client.At")
	}
	return c.client.Resolve(ctx, err)
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
