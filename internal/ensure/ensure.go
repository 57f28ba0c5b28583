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

// Figures of Ensure. The minute is the platform's advice on how long a request can be under way; the others are choices.
const (
	limit         = 10 * time.Minute // of a call without any deadline
	underWay      = time.Minute      // after the last attempt, before not-found permits another
	queryFirst    = time.Second      // pause before the first query after a doubt; each further one is up to twice as long
	queryMost     = 30 * time.Second
	blindFirst    = 5 * time.Second // pause before the first repeat without a query
	blindMost     = time.Minute
	unsignedMost  = 3               // how often a rejection that nobody signed is asked about
	unsignedFirst = 2 * time.Second // mean pause before each of these
)

// Policy says what to do about a doubt.
type Policy uint8

// Policies.
const (
	ByFacts Policy = iota
	Hold           // never send again, only ask
	Repeat         // send the same again without asking
)

// Wanted is what the caller wants of Ensure.
type Wanted struct {
	UntilFinal bool
	Policy     Policy
	SentBefore time.Time // until when an earlier process may have sent the write; zero for never
	// Queried puts an error into the error that a query ended with, which says nothing of the write.
	Queried func(err error) error
}

// Run makes a write happen once.
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

// Resolve asks once, on line, what became of a write. It never sends the write again. cause is the error of the write.
func Resolve(ctx context.Context, write *call.Call, line *call.Line, cause error, queried func(error) error) (*Verdict, error) {
	e := newEnsuring(write, Wanted{Queried: queried})
	if e.question.link == nil {
		return nil, e.failure(fmt.Errorf("no reviewed query tells what became of it: look for its number in the merchant platform: %w", cause))
	}
	res, err := e.question.ask(ctx, line)
	if err != nil {
		return nil, e.failure(queried(err))
	}
	verdict, err := e.question.read(res)
	if err != nil {
		return nil, e.failure(err)
	}
	e.found, e.missing = verdict, e.onlyByWrite(verdict.State)
	return e.known(), nil
}

// ensuring is one Ensure on its way.
type ensuring struct {
	Wanted
	write    *call.Call
	question *question
	resumed  bool

	began   time.Time
	ended   time.Time // when the last write attempt ended
	last    error     // what the last write ended with
	asked   error     // what the last query ended with, if it taught nothing
	found   *Verdict  // what is known already, while more is wanted
	only    []string  // what only the write answers, until it has
	missing []string  // of that, what is wanted in the state that was found
	denied  bool      // the write was rejected for good when it was sent again for that
	balked  unsigned  // the rejection that nobody signed, while it is being asked about
}

// unsigned is a rejection that nobody signed, and how often it came to what was asked about it.
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

// move is what to do next.
type move uint8

const (
	moveSend  move = iota // send the write, again with the same bytes
	moveAsk               // ask the query
	moveBlind             // pause, then send without asking
	moveEnd
)

var errEarlier = errors.New("an earlier process may have sent the call")

// resume goes on where an earlier process left off.
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
			if !wait.For(ctx, mean/2+rand.N(mean)-e.passed()) {
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
			if !wait.For(ctx, mean+rand.N(mean/4)-e.passed()) {
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
	if e.write.Attempts > 0 || e.question.times > 0 || !e.resumed {
		return 0
	}
	return time.Since(e.ended)
}

// rejection returns the rejection in an error, nil if there is none.
func (e *ensuring) rejection(err error) *call.Rejection {
	if err == nil {
		return nil
	}
	return e.write.Line().Errors.Rejection(err)
}

// send sends the write and judges what came of it.
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
	case e.found != nil: // the write was sent again only for what it answers
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
		if e.write.Reached { // no connection could be had
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

// doubtful tells why the last success may be another call's, nil if nothing speaks for that.
func (e *ensuring) doubtful() error {
	switch {
	case e.write.Binding != call.Bound && e.write.Stale():
		return errStale
	case e.write.Binding == call.Unbound && e.question.link != nil && e.Policy != Repeat:
		return errUnbound
	}
	return nil
}

// disbelieve goes on after a success that may be another call's.
func (e *ensuring) disbelieve(why error) (move, *Verdict, error) {
	e.write.Disbelieve(why)
	e.last = e.failure(why)
	if e.found != nil {
		return moveAsk, nil, nil
	}
	return e.doubt(nil)
}

// unsigned decides what follows a rejection that nobody signed, of the write or of a query. Something on the way may have
// made it after it passed the request on; further questions tell. Rejected alike three times, it is the reason to end. times
// is 0 for the first rejection of the write.
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
	return moveEnd, nil, e.failure(fmt.Errorf("queries are refused, and nobody signs that: %w", e.asked))
}

// mayRepeat reports whether the write may be sent again without asking.
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

// doubt decides what follows a write that ended in doubt.
func (e *ensuring) doubt(rejection *call.Rejection) (move, *Verdict, error) {
	if e.question.link != nil && e.Policy != Repeat {
		return moveAsk, nil, nil
	}
	if rejection != nil && e.exists(rejection) {
		return e.infer()
	}
	// A rejection without a code is none of the platform's.
	final := rejection != nil && rejection.Code != "" && rejection.Status < 500 && !rejection.Passing()
	if final || !e.mayRepeat() || e.Policy == Hold {
		return moveEnd, nil, e.last
	}
	return moveBlind, nil, nil
}

// infer judges that the number is taken.
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

// exists reports whether a rejection says that the number is taken, and an earlier attempt of this very call may have taken it.
func (e *ensuring) exists(rejection *call.Rejection) bool {
	if !rejection.Verified || !rejection.Info().Exists {
		return false
	}
	return slices.ContainsFunc(e.write.History, func(a middleware.Attempt) bool {
		return a.Outcome == middleware.Unknown && !wxcode.Of(a.Status, wxcode.Code(a.Code)).Exists
	})
}

// ask asks the query once.
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
		if e.found != nil { // what is known is all that can be known for now
			return moveEnd, e.known(), nil
		}
		return moveEnd, nil, e.failure(fmt.Errorf("the query was refused for a reason that concerns the merchant: %w", e.Queried(err)))
	case !errors.Is(err, ErrMissing):
		e.asked = e.Queried(err)
		return moveAsk, nil, nil
	}
	e.asked = ErrMissing
	return e.notFound()
}

// see judges what a query found.
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

// onlyByWrite is what only the write answers, in a state where somebody needs it.
func (e *ensuring) onlyByWrite(state fact.Meaning) []string {
	if !settled(state) || state == fact.Succeeded && !e.write.MovesMoney() {
		return e.only
	}
	return nil
}

// notFound decides what follows a query that found nothing.
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

// lateEnough reports whether the last response of a query speaks of a moment when no write can have been under way any more.
func (e *ensuring) lateEnough() bool { return e.question.heard.Sub(e.ended) >= underWay }

// final reports whether the last write was rejected in a way that a repeat would not change.
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

// known is what was found, brought up to date with what was sent since.
func (e *ensuring) known() *Verdict {
	verdict := *e.found
	verdict.Attempts, verdict.History, verdict.Missing = e.write.Attempts, slices.Clone(e.write.History), slices.Clone(e.missing)
	return &verdict
}

// late ends at the deadline, or when the caller gave up: with what a query found, else with what was tried.
func (e *ensuring) late(ctx context.Context) (*Verdict, error) {
	if e.found != nil {
		return e.known(), nil
	}
	cause := fault.Cause(ctx)
	if e.asked != nil {
		cause = fmt.Errorf("%w; the last of %d queries: %w", cause, e.question.times, e.asked)
	}
	switch {
	case e.last == nil || errors.Is(e.last, cause):
	case e.write.Attempts == 0:
		cause = fmt.Errorf("%w; %w", cause, &attemptError{e.last, e.write.Line()})
	default:
		cause = fmt.Errorf("%w; the last of %d requests: %w", cause, e.write.Attempts, &attemptError{e.last, e.write.Line()})
	}
	return nil, e.failure(cause)
}

// attemptError is how a request of an Ensure failed, told without its operation and the advice, which the error around it gives.
type attemptError struct {
	err  error
	line *call.Line
}

func (e *attemptError) Error() string {
	if failure := e.line.Errors.Failure(e.err); failure != nil {
		return call.CauseText(failure.Cause)
	}
	return e.err.Error()
}

// Unwrap returns the error of the request.
func (e *attemptError) Unwrap() error { return e.err }

// failure is the error of an Ensure that did not come to a verdict.
func (e *ensuring) failure(err error) error {
	return e.write.Failed(call.StageEnsure, e.outcome(), err)
}

// outcome is that of the write. That the platform has taken a write is no verdict where its end is wanted, or where a query
// then tells of another one under the same number.
func (e *ensuring) outcome() middleware.Outcome {
	if outcome := e.write.Outcome(); outcome != middleware.Confirmed {
		return outcome
	}
	return middleware.Unknown
}
