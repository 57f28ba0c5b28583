package ensure

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/call"
	"github.com/wxpay-go/wxpay/internal/fault"
	"github.com/wxpay-go/wxpay/internal/wait"
	"github.com/wxpay-go/wxpay/middleware"
	"github.com/wxpay-go/wxpay/wxcode"
)

// Figures of Ensure. The minute is the platform's advice on the longest time of a request under
// way; the others are choices.
const (
	limit         = 10 * time.Minute // of a call without any deadline
	underWay      = time.Minute      // from the last attempt until not-found permits another
	queryFirst    = time.Second      // pause before the first query; each later one is up to twice as long
	queryMost     = 30 * time.Second
	blindFirst    = 5 * time.Second // pause before the first repeat without a query
	blindMost     = time.Minute
	unsignedMost  = 3               // queries about an unsigned rejection
	unsignedFirst = 2 * time.Second // mean pause before each of these
)

// Policy tells what to do about an unknown outcome.
type Policy uint8

// Policies.
const (
	ByFacts Policy = iota
	Hold           // never send again, only query
	Repeat         // send the same again without a query
)

// Wanted has the caller's settings for Ensure.
type Wanted struct {
	UntilFinal bool
	Policy     Policy
	SentBefore time.Time // the latest time at which an earlier process may have sent the write; zero for never
	// Queried wraps the error of a query, which says nothing about the write.
	Queried func(err error) error
	// NotYet, if not nil, makes Run return instead of wait: the cause of its error is that of NotYet,
	// which takes the time until the next step, and the verdict so far or the last error.
	NotYet func(after time.Duration, found *Verdict, last error) error
}

// Run makes a write and finds out what became of it.
func Run(ctx context.Context, write *call.Call, wanted Wanted) (*Verdict, error) {
	e := newEnsuring(write, wanted)
	if !wanted.SentBefore.IsZero() {
		e.resume(wanted.SentBefore)
	}
	if e.UntilFinal && e.question.link == nil && !endsAtOnce(write.Operation) {
		return nil, write.Failed(call.StageBuild, write.Outcome(), endless(write.Operation, e.question.lacks))
	}
	most := limit
	if write.Bounded {
		most = write.Limits.Total
	}
	if _, ok := ctx.Deadline(); !ok || write.Bounded {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, most, call.TimeLimit(most))
		defer cancel()
	}
	return e.run(ctx)
}

// Resolve queries once, on line, what became of a write. It never sends the write again. cause is
// the error of the write.
func Resolve(ctx context.Context, write *call.Call, line *call.Line, cause error, queried func(error) error) (*Verdict, error) {
	e := newEnsuring(write, Wanted{Queried: queried})
	if e.question.link == nil {
		return nil, e.failure(fmt.Errorf("no reviewed query tells what became of it: look for its number in the merchant platform: %w", cause))
	}
	res, err := e.question.ask(ctx, line)
	if err != nil {
		if !errors.Is(err, ErrMissing) {
			return nil, e.failure(fmt.Errorf("the query failed: %w", queried(err)))
		}
		return nil, e.failure(queried(err))
	}
	verdict, err := e.question.read(res)
	if err != nil {
		return nil, e.failure(err)
	}
	e.found, e.missing = verdict, e.onlyByWrite(verdict.State)
	return e.known(), nil
}

// ensuring is one running Ensure.
type ensuring struct {
	Wanted
	write    *call.Call
	question *question
	resumed  bool

	began   time.Time
	ended   time.Time // the end of the last write attempt
	last    error     // error of the last write
	asked   error     // error of the last query, if it told nothing
	found   *Verdict  // the verdict so far, while more is wanted
	only    []string  // fields that only the write returns, until it has returned them
	missing []string  // those that are wanted in the found state
	denied  bool      // the write, sent again for those, was finally rejected
	balked  unsigned  // an unsigned rejection during the queries about it
}

// unsigned is an unsigned rejection, and the count of queries that were rejected alike.
type unsigned struct {
	status int
	code   wxcode.Code
	times  int
}

func newEnsuring(write *call.Call, wanted Wanted) *ensuring {
	e := &ensuring{Wanted: wanted, write: write, question: newQuestion(write), began: time.Now()}
	if e.question.link != nil {
		e.only = e.question.link.Only
	}
	return e
}

// move is the next step.
type move uint8

const (
	moveSend  move = iota // send the write, again with the same bytes
	moveAsk               // send the query
	moveBlind             // pause, then send without a query
	moveEnd
)

var errEarlier = errors.New("an earlier process may have sent the call")

// resume continues the work of an earlier process.
func (e *ensuring) resume(until time.Time) {
	e.resumed, e.began, e.ended = true, until, until
	e.write.Doubt(until, errEarlier)
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
			if verdict, err, over := e.pause(ctx, mean/2, mean); over {
				return verdict, err
			}
			next, verdict, err = e.ask(ctx)
		case moveBlind:
			mean := blind
			if e.balked.status != 0 {
				mean = unsignedFirst
			} else {
				blind = min(2*blind, blindMost)
			}
			if verdict, err, over := e.pause(ctx, mean, mean/4); over {
				return verdict, err
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

// pause waits for least and a drawn part of more, or ends the run and returns its result. A caller
// that has waited for the time of a NotYet need not wait again, whatever is drawn.
func (e *ensuring) pause(ctx context.Context, least, more time.Duration) (_ *Verdict, _ error, over bool) {
	passed := e.passed()
	d := least + rand.N(more) - passed
	if e.NotYet != nil && least > passed && ctx.Err() == nil {
		return nil, e.notYet(d), true
	}
	if e.NotYet == nil && !wait.For(ctx, d) || ctx.Err() != nil {
		verdict, err := e.late(ctx)
		return verdict, err, true
	}
	return nil, nil, false
}

// notYet is the error of a run whose next step is due after d.
func (e *ensuring) notYet(d time.Duration) error {
	switch {
	case e.found != nil:
		return e.failure(e.NotYet(d, e.known(), nil))
	case e.asked != nil:
		return e.failure(e.NotYet(d, nil, e.asked))
	}
	return e.failure(e.NotYet(d, nil, &briefError{e.last, e.write.Line()}))
}

// passed returns the part of the first pause that is over if an earlier process made the last
// attempt.
func (e *ensuring) passed() time.Duration {
	if e.write.Attempts > 0 || e.question.times > 0 || !e.resumed {
		return 0
	}
	return time.Since(e.ended)
}

// rejection returns the rejection in err, nil if there is none.
func (e *ensuring) rejection(err error) *call.Rejection {
	if err == nil {
		return nil
	}
	return e.write.Line().Errors.Rejection(err)
}

// send sends the write and judges its result.
func (e *ensuring) send(ctx context.Context) (move, *Verdict, error) {
	res, err := e.write.Send(ctx)
	if err == nil && !res.Verified {
		err = e.write.Failed(call.StageSend, e.write.Outcome(), call.ErrMadeUp)
	}
	e.ended, e.last = time.Now(), err
	if err == nil {
		return e.answered(res)
	}
	if ctx.Err() != nil {
		verdict, err := e.late(ctx)
		return moveEnd, verdict, err
	}
	rejection := e.rejection(err)
	if rejection != nil && e.write.Stale() {
		e.last, rejection = e.failure(errStale), nil
	}
	switch {
	case rejection != nil && rejection.Unsigned() && !rejection.Passing():
		return e.unsigned(rejection, min(1, e.balked.status))
	case e.found != nil: // the write was sent again only for the fields of its response
		if rejection == nil || rejection.Passing() {
			return moveAsk, nil, nil
		}
		e.denied = true
		if e.UntilFinal && !settled(e.found.State) {
			return moveAsk, nil, nil
		}
		return moveEnd, e.known(), nil
	case rejection != nil && rejection.Info().Merchant:
		return moveEnd, nil, err
	}
	switch e.write.Line().Errors.Outcome(err) {
	case middleware.NotSent:
		if e.write.Reached { // it got no connection
			return moveBlind, nil, nil
		}
		return moveEnd, nil, err
	case middleware.Rejected:
		if rejection != nil && rejection.Passing() || rejection == nil && e.write.Reached {
			return moveBlind, nil, nil
		}
		return moveEnd, nil, err
	case middleware.Confirmed:
		if why := e.doubtful(); why != nil {
			return e.disbelieve(why)
		}
		return moveEnd, nil, err
	}
	return e.doubt(rejection)
}

// answered judges the write's own response.
func (e *ensuring) answered(res *call.Response) (move, *Verdict, error) {
	e.balked = unsigned{}
	if why := e.doubtful(); why != nil {
		return e.disbelieve(why)
	}
	e.only, e.missing = nil, nil
	e.found = &Verdict{State: ofWrite(e.write.Operation, e.question.sent, res), Response: res, Unbound: e.write.Binding != call.Bound}
	if e.write.Binding == call.Unbound {
		e.found.State = fact.Taken
	}
	switch {
	case !e.UntilFinal || settled(e.found.State):
		return moveEnd, e.known(), nil
	case e.question.link == nil:
		e.found = nil
		return moveEnd, nil, e.write.FailedWith(res, call.StageEnsure, e.outcome(), endless(e.write.Operation, e.question.lacks))
	}
	return moveAsk, nil, nil
}

// doubtful returns the reason why the last success may be another call's, nil if there is none.
func (e *ensuring) doubtful() error {
	switch {
	case e.write.Binding != call.Bound && e.write.Stale():
		return errStale
	case e.write.Binding == call.Unbound && e.question.link != nil && e.Policy != Repeat:
		return errUnbound
	}
	return nil
}

// disbelieve decides the step after a success that may be another call's.
func (e *ensuring) disbelieve(why error) (move, *Verdict, error) {
	e.write.Disbelieve(why)
	e.last = e.failure(why)
	if e.found != nil {
		return moveAsk, nil, nil
	}
	return e.doubt(nil)
}

// unsigned decides the step after an unsigned rejection of the write or of a query. A machine
// between may have made it after it had passed the request on; further queries tell. After three
// queries that are rejected alike, the rejection ends Ensure. times is 0 for the first rejection of
// the write.
func (e *ensuring) unsigned(rejection *call.Rejection, times int) (move, *Verdict, error) {
	if e.balked.status != rejection.Status || e.balked.code != rejection.Code {
		e.balked = unsigned{status: rejection.Status, code: rejection.Code}
	}
	e.balked.times += times
	ask := e.question.link != nil && e.Policy != Repeat
	switch {
	case e.balked.times < unsignedMost && ask:
		return moveAsk, nil, nil
	case e.balked.times < unsignedMost && !ask && e.Policy != Hold && e.mayRepeat():
		return moveBlind, nil, nil
	case e.found != nil:
		return moveEnd, e.known(), nil
	}
	if last := e.rejection(e.last); last != nil && last.Status == rejection.Status && last.Code == rejection.Code {
		return moveEnd, nil, e.last
	}
	return moveEnd, nil, e.failure(fmt.Errorf("the queries are rejected too: %w", e.asked))
}

// mayRepeat reports whether the write may be sent again without a query.
func (e *ensuring) mayRepeat() bool {
	repeat := fact.Unreviewed
	if e.write.Operation != nil {
		repeat = e.write.Operation.Repeat
	}
	if e.Policy == Repeat {
		return repeat != fact.Never
	}
	return repeat == fact.Documented || repeat == fact.Assumed && !e.write.MovesMoney()
}

// doubt decides the step after a write with an unknown outcome.
func (e *ensuring) doubt(rejection *call.Rejection) (move, *Verdict, error) {
	if e.question.link != nil && e.Policy != Repeat {
		return moveAsk, nil, nil
	}
	if rejection != nil && e.exists(rejection) {
		return e.infer()
	}
	// A rejection without a code is not from the platform.
	final := rejection != nil && rejection.Code != "" && rejection.Status < 500 && !rejection.Passing()
	if final || !e.mayRepeat() || e.Policy == Hold {
		return moveEnd, nil, e.last
	}
	return moveBlind, nil, nil
}

// infer decides the step after a rejection because the number is used.
func (e *ensuring) infer() (move, *Verdict, error) {
	state := fact.Taken
	if o := e.write.Operation; o != nil && !o.MovesMoney {
		state = fact.Succeeded
	}
	e.found, e.missing = &Verdict{State: state, Inferred: true}, e.onlyByWrite(state)
	if e.UntilFinal && !settled(state) && e.question.link != nil {
		return moveAsk, nil, nil
	}
	return moveEnd, e.known(), nil
}

// exists reports whether a rejection says that the number is used, and an earlier attempt of this
// very call may have used it.
func (e *ensuring) exists(rejection *call.Rejection) bool {
	if !rejection.Verified || !rejection.Info().Exists {
		return false
	}
	return slices.ContainsFunc(e.write.History, func(a middleware.Attempt) bool {
		return a.Outcome == middleware.Unknown && !wxcode.Of(a.Status, wxcode.Code(a.Code)).Exists
	})
}

// ask sends the query once.
func (e *ensuring) ask(ctx context.Context) (move, *Verdict, error) {
	res, err := e.question.ask(ctx, e.write.Line())
	if err == nil {
		return e.see(res)
	}
	if ctx.Err() != nil {
		verdict, err := e.late(ctx)
		return moveEnd, verdict, err
	}
	failure, rejection := e.write.Line().Errors.Failure(err), e.rejection(err)
	switch {
	case failure != nil && failure.Stage == call.StageBuild && e.found == nil:
		return moveEnd, nil, e.failure(fmt.Errorf("the query cannot be made: %w", e.Queried(err)))
	case rejection != nil && rejection.Unsigned() && !rejection.Passing():
		e.asked = e.Queried(err)
		return e.unsigned(rejection, 1)
	}
	e.balked = unsigned{}
	switch {
	case rejection != nil && rejection.Info().Merchant:
		if e.found != nil { // no more can be known for now
			return moveEnd, e.known(), nil
		}
		return moveEnd, nil, e.failure(fmt.Errorf("the platform rejected the query for a reason that concerns the whole merchant: %w", e.Queried(err)))
	case !errors.Is(err, ErrMissing):
		e.asked = e.Queried(err)
		return moveAsk, nil, nil
	}
	e.asked = ErrMissing
	return e.notFound()
}

// see judges the response of a query.
func (e *ensuring) see(res *call.Response) (move, *Verdict, error) {
	e.balked = unsigned{}
	verdict, err := e.question.read(res)
	switch {
	case errors.Is(err, ErrNumberConflict):
		return moveEnd, nil, e.failure(err)
	case err != nil:
		e.asked = err
		if err == errNoEffect && e.found == nil && e.write.Operation.Repeat == fact.Documented && e.Policy != Hold && e.lateEnough() && !e.final() {
			return moveSend, nil, nil
		}
		return moveAsk, nil, nil
	}
	e.found, e.missing = verdict, e.onlyByWrite(verdict.State)
	if len(e.missing) > 0 && !e.denied && e.Policy != Hold && e.write.Operation.Repeat != fact.Never {
		return moveSend, nil, nil
	}
	if !settled(verdict.State) && e.UntilFinal {
		return moveAsk, nil, nil
	}
	return moveEnd, e.known(), nil
}

// onlyByWrite returns the fields that only the write returns, in a state in which the caller needs
// them.
func (e *ensuring) onlyByWrite(state fact.Meaning) []string {
	if !settled(state) || state == fact.Succeeded && !e.write.MovesMoney() {
		return e.only
	}
	return nil
}

// notFound decides the step after a query that found nothing.
func (e *ensuring) notFound() (move, *Verdict, error) {
	repeat, lookBack := e.write.Operation.Repeat, time.Duration(e.question.link.LookBack)*24*time.Hour
	switch {
	case e.found != nil, !e.lateEnough():
		return moveAsk, nil, nil
	case e.final():
		return moveEnd, nil, e.write.Line().Errors.Unfound(e.last)
	case e.Policy == Hold, repeat == fact.Never:
		return moveAsk, nil, nil
	case lookBack > 0 && time.Since(e.began) > lookBack:
		return moveAsk, nil, nil
	}
	return moveSend, nil, nil
}

// lateEnough reports whether the last response of a query describes a moment at which no write can
// still have been under way.
func (e *ensuring) lateEnough() bool { return e.question.heard.Sub(e.ended) >= underWay }

// final reports whether the platform would reject the last write again.
func (e *ensuring) final() bool {
	rejection := e.rejection(e.last)
	if rejection == nil || !rejection.Verified || rejection.Status >= 500 {
		return false
	}
	info := rejection.Info()
	if e.write.MovesMoney() {
		return info.Money == wxcode.ClassFix
	}
	return info.Class == wxcode.ClassFix
}

// known returns the found verdict with the attempts made since.
func (e *ensuring) known() *Verdict {
	verdict := *e.found
	verdict.Attempts, verdict.History, verdict.Missing = e.write.Attempts, slices.Clone(e.write.History), slices.Clone(e.missing)
	return &verdict
}

// late returns the result at the deadline, or at the end of ctx: the verdict of a query, else an
// error with the last attempt.
func (e *ensuring) late(ctx context.Context) (*Verdict, error) {
	if e.found != nil {
		return e.known(), nil
	}
	cause := fault.Cause(ctx)
	if e.asked != nil {
		cause = fmt.Errorf("%w; %s: %w", cause, last(e.question.times, "query", "queries"), e.asked)
	}
	switch {
	case e.last == nil || errors.Is(e.last, cause):
	case e.write.Attempts == 0:
		cause = fmt.Errorf("%w; %w", cause, &briefError{e.last, e.write.Line()})
	default:
		cause = fmt.Errorf("%w; %s: %w", cause, last(e.write.Attempts, "request", "requests"), &briefError{e.last, e.write.Line()})
	}
	return nil, e.failure(cause)
}

// last names the last of n.
func last(n int, one, more string) string {
	if n == 1 {
		return "the only " + one
	}
	return fmt.Sprintf("the last of %d %s", n, more)
}

// failure makes the error of an Ensure without a verdict.
func (e *ensuring) failure(err error) error {
	return e.write.Failed(call.StageEnsure, e.outcome(), err)
}

// outcome returns the outcome of the write. A write that the platform has taken is not confirmed if
// the caller wants its end, or if a query then finds another operation under the same number.
func (e *ensuring) outcome() middleware.Outcome {
	if outcome := e.write.Outcome(); outcome != middleware.Confirmed {
		return outcome
	}
	return middleware.Unknown
}
