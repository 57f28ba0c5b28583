package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/middleware"
	"github.com/wxpay-go/wxpay/wxcode"
)

// Worker carries out the jobs of a queue. Any number of them, in any number of processes, work on one queue; what they do
// together is bounded by QueueConfig.InFlight and by the [Limiter] that their clients share. The zero value with a Queue is
// useful.
//
// A worker takes a job, writes down that it has begun, has the call made by Chain.Ensure, writes down the result, and only
// then takes the job off the queue. So nothing is lost when it dies at any moment. What it had begun then comes to another
// worker, which does not know whether it was sent, and goes on by Chain.SentBefore:
//
//   - Where the platform can be asked (orders, refunds, transfers, profit sharing), it is asked first. The job is carried out
//     once.
//   - Where a repeat is documented or assumed to be harmless (member feeds), it is repeated with the same number: at least
//     once, and once where the platform keeps numbers apart. OnUnknown = wxpay.Hold makes it at most once: it is not
//     repeated, and its outcome is unknown.
//   - Everything else is not repeated: at most once. Its outcome is unknown.
//
// A job counts as begun from before it waits for the limit, unless the client's limiter is wrapped by [Marking].
type Worker struct {
	// Queue is what it works on.
	Queue *Queue
	// Calls is how many jobs it has in hand at once; the default is 16. Those of all workers, divided by the rate of the limit,
	// have to be well below wxpay.WithTimeout (30 s by default): 64 calls at 5 a second wait for 13 s, and some of them for
	// three times that. Who waits longer than the time-out is given back unsent, and comes again.
	Calls int
	// Patience is how long it tries to find out what became of a job before the outcome is Unknown; the default is 10
	// minutes.
	Patience time.Duration
	// Grace is how long jobs in hand may take to end after Run was told to stop; the default is 20 s. What takes longer is
	// broken off and comes to another worker, in doubt.
	Grace time.Duration
	// OnUnknown replaces what Chain.Ensure does about a doubt; see wxpay.Chain.OnUnknown. Zero leaves it to the facts, except for
	// jobs that a worker with wxpay.Hold has begun: those stay held.
	OnUnknown wxpay.UnknownPolicy
	// UntilFinal has it wait until the platform states an end; see wxpay.Chain.UntilFinal.
	UntilFinal bool
	// Select lists the members of answers that go into results, by gjson path.
	Select []string
	// OwnCodes lists codes that concern the job although they are known to concern the merchant: such a refusal is then the
	// job's result, and pauses nothing. For example NO_AUTH, where one queue serves brands of which some did not authorise.
	OwnCodes []wxcode.Code
	// Marked says that the client's limiter is wrapped by Marking. Then a job counts as begun, or as no more than asked for,
	// from when the limit has let that through, and a worker that has lost a job notices before each request rather than within
	// a sixth of the lease.
	Marked bool
	// OnResult is told of each result after it was stored, by several goroutines at once.
	OnResult func(Result)
	// OnError is told of what a worker met that is no result: the engine not reached, a job that this version cannot read.
	// It may be called often, by several goroutines at once. The worker goes on by itself.
	OnError func(error)
}

// Run works until ctx ends; then it finishes what it has in hand, within Grace, and returns nil. It returns an error when
// it cannot work at all.
func (w *Worker) Run(ctx context.Context) error {
	if w.Queue == nil {
		return errors.New("fleet: the worker has no queue")
	}
	r := &running{Worker: *w, Queue: w.Queue, wide: make(map[wxcode.Code]bool)}
	if r.Calls <= 0 {
		r.Calls = 16
	}
	if r.Patience <= 0 {
		r.Patience = 10 * time.Minute
	}
	if r.Grace <= 0 {
		r.Grace = 20 * time.Second
	}
	for _, c := range wxcode.All() {
		r.wide[c.Code] = c.Merchant && !slices.Contains(r.OwnCodes, c.Code)
	}
	return r.run(ctx)
}

// running is one Run.
type running struct {
	Worker
	*Queue
	wide map[wxcode.Code]bool // codes that concern the merchant

	paused   atomic.Pointer[Pause]
	idle     int          // requests for a message in a row that brought none
	failures atomic.Int64 // jobs that ended without a usable answer, since the last that had one
	unsigned atomic.Int64 // jobs that ended with a refusal that nobody signed, since the last usable answer
	unread   unread
	stray    atomic.Bool // a call was made that Marking knows nothing of
	leases   *leases
}

var errStopped = errors.New("fleet: the worker was stopped")

func (r *running) run(ctx context.Context) error {
	watch, err := r.watch(ctx)
	if ctx.Err() != nil && err != nil {
		return nil
	}
	if err != nil {
		return fmt.Errorf("fleet: watching the queue: %w", r.engine.explain(err))
	}
	defer func() { _ = watch.Stop() }()
	messages, err := pull(r.engine.js.Conn(), r.name+"-jobs", consumerName, r.lease)
	if err != nil {
		return fmt.Errorf("fleet: taking jobs: %w", r.engine.explain(err))
	}
	defer messages.stop()

	if r.leases, err = openLeases(r.engine.js.Conn(), r.control, r.lease); err != nil {
		return err
	}
	defer r.leases.close()
	working, breakOff := context.WithCancelCause(context.WithoutCancel(ctx))
	defer breakOff(nil)
	var side, hands sync.WaitGroup
	if !r.learn(ctx, watch) {
		return nil
	}
	side.Go(func() { r.follow(working, watch) })
	side.Go(func() { r.leases.keep(working) })
	side.Go(func() { r.sweep(working) })

	// The hands are kept: signing needs a deep stack, which a new goroutine would have to grow for every job.
	slots, given := make(chan struct{}, r.Calls), make(chan *delivery)
	var hand func()
	hand = func() {
		whole := false
		defer func() {
			if !whole { // code given to the client ended the goroutine
				r.trouble(errors.New("fleet: code given to the worker or its client ended its goroutine (runtime.Goexit); its job comes again as one in doubt"))
				hands.Go(hand)
			}
		}()
		for msg := range given {
			func() {
				defer func() { <-slots }()
				r.take(working, msg)
			}()
		}
		whole = true
	}
	for range r.Calls {
		hands.Go(hand)
	}
	var failed error
	for failed == nil && ctx.Err() == nil {
		if r.stray.Load() {
			failed = errStray
			continue
		}
		select {
		case slots <- struct{}{}:
		case <-r.engine.failed():
			failed = r.engine.failure()
			continue
		case <-ctx.Done():
			continue
		}
		msg, err := r.next(ctx, messages)
		if failed = err; msg == nil {
			<-slots
			continue
		}
		given <- msg
	}
	close(given)
	messages.stop()
	giveUp := time.AfterFunc(r.Grace, func() { breakOff(errStopped) })
	if failed != nil && !errors.Is(failed, errStray) { // calls that nobody wrote down are not to be broken off
		breakOff(errStopped)
	}
	hands.Wait()
	giveUp.Stop()
	breakOff(errStopped)
	side.Wait()
	return failed
}

// next returns the next message, or nil when there is none for now.
func (r *running) next(ctx context.Context, messages *puller) (*delivery, error) {
	for r.paused.Load() != nil {
		if !sleep(ctx, 50*time.Millisecond) {
			return nil, nil
		}
	}
	if rest := r.unread.pause(r.hands); rest > 0 && !sleep(ctx, rest) {
		return nil, nil
	}
	msg, err := messages.next(ctx)
	var status *pullStatus
	switch {
	case ctx.Err() != nil && err != nil:
		return nil, nil
	case err == nil && msg != nil || ctx.Err() != nil:
		r.idle = 0
		return msg, nil
	case err == nil, errors.As(err, &status) && status.none():
		if r.idle++; r.idle&(r.idle-1) == 0 { // less and less often
			if _, err := r.wake(ctx); err != nil {
				r.trouble(err)
			}
		}
		return nil, nil
	case status != nil && status.gone():
		return nil, fmt.Errorf("fleet: taking jobs: the consumer was deleted; open the queue again to make it")
	case errors.Is(err, nats.ErrConnectionClosed):
		return nil, fmt.Errorf("fleet: taking jobs: %w", err)
	}
	r.trouble(fmt.Errorf("fleet: taking jobs: %w", r.engine.explain(err)))
	sleep(ctx, time.Second)
	return nil, nil
}

func (r *running) observe(end ending) {
	if r.OnResult != nil && end.result != nil {
		defer r.caught("Worker.OnResult")
		r.OnResult(*end.result)
	}
}

func (r *running) trouble(err error) {
	if r.OnError != nil && err != nil {
		defer func() { _ = recover() }() // there is nobody left to tell
		r.OnError(err)
	}
}

// caught tells of a panic in code that was given to the worker or its client, so that it ends neither the process nor the worker.
// Defer it.
func (r *running) caught(where string) {
	if cause := recover(); cause != nil {
		r.trouble(fmt.Errorf("fleet: %s: %w", where, &wxpay.PanicError{Value: cause, Stack: debug.Stack()}))
	}
}

// learn waits until it is known whether the queue is paused, and reports whether ctx is still alive.
func (r *running) learn(ctx context.Context, watch jetstream.KeyWatcher) bool {
	for {
		select {
		case entry, ok := <-watch.Updates():
			if !ok || entry == nil { // what there was when it began has come
				return true
			}
			r.heed(entry)
		case <-ctx.Done():
			return false
		}
	}
}

// watch begins to watch whether the queue is paused.
func (r *running) watch(ctx context.Context) (watch jetstream.KeyWatcher, err error) {
	unending := context.WithoutCancel(ctx) // the watch ends with its context
	err = r.engine.ride(ctx, askMost, func(context.Context) (err error) {
		watch, err = r.control.Watch(unending, keyPause)
		return err
	})
	return watch, err
}

// follow keeps up with whether the queue is paused.
func (r *running) follow(ctx context.Context, watch jetstream.KeyWatcher) {
	for {
		select {
		case entry, ok := <-watch.Updates():
			if !ok { // it was given up, because what it reads with could not be made again on another server
				if watch = r.watchAgain(ctx); watch == nil {
					return
				}
				defer watch.Stop()
			} else if entry != nil {
				r.heed(entry)
			}
		case <-ctx.Done():
			return
		}
	}
}

// watchAgain tries to watch until it can. It returns nil when ctx ends before.
func (r *running) watchAgain(ctx context.Context) jetstream.KeyWatcher {
	for {
		watch, err := r.watch(ctx)
		if err == nil {
			return watch
		}
		r.trouble(fmt.Errorf("fleet: watching the queue: %w", r.engine.explain(err)))
		if !sleep(ctx, time.Second) {
			return nil
		}
	}
}

// heed takes over what the control bucket says.
func (r *running) heed(entry jetstream.KeyValueEntry) {
	if entry.Operation() == jetstream.KeyValuePut {
		r.paused.Store(r.readPause(entry.Value()))
		return
	}
	r.paused.Store(nil)
	r.usable()
}

// usable says that an answer came which is the platform's.
func (r *running) usable() {
	r.failures.Store(0)
	r.unsigned.Store(0)
}

// ending is what is to be done about a message.
type ending struct {
	done  bool          // take it off the queue
	again time.Duration // or: give it back, to come again after so long
	left  bool          // or: leave it, for somebody else has taken it over
	stuck bool          // of the head of a lane: its outcome is unknown

	result *Result // what was stored, for OnResult
}

// take carries out one message.
func (r *running) take(ctx context.Context, msg *delivery) {
	ctx, h := r.leases.hold(ctx, msg)
	defer h.release() // also when code given to the client ends the goroutine
	end := r.carried(ctx, h)
	lane, name := r.isToken(msg.Subject), lastToken(msg.Subject)
	if errors.Is(context.Cause(ctx), errLease) && !end.done || lane && h.check() != nil {
		end.left = true // to give it back, or a token off the queue, would take it from whoever has it now
	}
	h.release() // before it is given back, or it would be renewed after that
	switch {
	case end.left:
	case end.done && !lane:
		_ = msg.Ack()  // if that is lost it comes again, and its record says that it has ended
		r.observe(end) // not before: who retries the job meanwhile could not queue it again
	case end.done:
		// Something may have joined the lane after it was seen empty and before its token went, or what held it up was settled.
		if err := r.removeToken(ctx, msg.Msg); err != nil {
			r.trouble(err)
		} else if _, err := r.wakeLane(context.WithoutCancel(ctx), name); err != nil {
			r.trouble(err)
		}
	default:
		_ = msg.NakWithDelay(end.again)
	}
}

// isToken reports whether a message is the token of a lane.
func (r *running) isToken(subject string) bool { return subject == r.tokenSubject(lastToken(subject)) }

// carried is carryMessage, also where code given to the client panics. Then the message is given back: whether the job has begun
// stands in its record.
func (r *running) carried(ctx context.Context, h *hold) (end ending) {
	end.again = time.Second
	if meta, err := h.msg.Metadata(); err == nil {
		end.again = pauseAfter(int(meta.NumDelivered))
	}
	defer r.caught("code given to the client")
	return r.carryMessage(ctx, h)
}

// carryMessage carries out what a message in hand stands for.
func (r *running) carryMessage(ctx context.Context, h *hold) ending {
	if h.check() != nil { // this process stood still while it came
		return ending{left: true}
	}
	if r.paused.Load() != nil {
		return ending{}
	}
	deliveries := 1
	if meta, err := h.msg.Metadata(); err == nil {
		deliveries = int(meta.NumDelivered)
	}
	var end ending
	var err error
	if name := lastToken(h.msg.Subject); r.isToken(h.msg.Subject) {
		end, err = r.lane(ctx, h, name, deliveries)
	} else {
		end, err = r.carry(ctx, &claim{
			hold: h, key: name, sealed: h.msg.Data, header: h.msg.Header, deliveries: deliveries,
			// An embedded engine that is opened again delivers everything for the first time.
			untouched: deliveries == 1 && h.msg.Header.Get(headerRetry) == "" && r.engine.server == nil,
		})
	}
	if err == nil {
		return end
	}
	end = ending{again: time.Second} // the engine is in trouble, not the job
	sealed := errors.Is(err, ErrSealed)
	if sealed {
		err = fmt.Errorf("%w: a job waits for a worker that has the key it was sealed under (Keys takes several)", err)
	}
	if sealed || errors.Is(err, ErrNewer) { // nothing this process can do about it
		end.again = unreadable
		r.unread.met()
	}
	r.trouble(err)
	return end
}

// unreadable is how long a job waits that a worker cannot read. Meanwhile it counts as in hand.
const unreadable = time.Minute

// unread has a worker that meets jobs it cannot read, one after another, take fewer and fewer: each counts as in hand while it
// waits, and the hands of all workers are bounded, so those who can read them could take none.
type unread struct {
	mu           sync.Mutex
	inARow, rest int // jobs since the last that was read, or the last rest; and rests since then
}

func (u *unread) met() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.inARow++
}

func (u *unread) read() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.inARow, u.rest = 0, 0
}

// pause is how long to take nothing, where all workers together have so many jobs in hand.
func (u *unread) pause(hands int) time.Duration {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.inARow < max(1, hands/32) {
		return 0
	}
	u.inARow = 0
	u.rest++
	return min(unreadable/12<<min(u.rest, 4), unreadable)
}

// removeToken takes the token of a lane off the queue, and waits until that is so. In a cluster that takes two leaders: that of
// the consumer knows that it is acknowledged before that of the stream has removed it, which refuses another one until then.
func (r *running) removeToken(ctx context.Context, msg *nats.Msg) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.lease/2)
	defer cancel()
	err := msg.AckSync(nats.Context(ctx))
	var meta *nats.MsgMetadata
	if err == nil {
		meta, err = msg.Metadata()
	}
	for err == nil {
		if _, err = r.jobs.GetMsg(ctx, meta.Sequence.Stream); err == nil && !sleep(ctx, 5*time.Millisecond) {
			err = context.Cause(ctx)
		}
	}
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil
	}
	return fmt.Errorf("fleet: taking a lane off the queue: %w", r.engine.explain(err)) // it comes again, or is missed by sweep
}

// pauseAfter is how long a job that could not be sent waits, with its deliveries.
func pauseAfter(deliveries int) time.Duration {
	return min(time.Second<<min(max(deliveries-1, 0), 6), time.Minute)
}

// laneTurn is how many jobs of a lane one worker carries out before others get their turn.
const laneTurn = 100

// lane carries out the jobs of a lane, one after another.
func (r *running) lane(ctx context.Context, h *hold, lane string, deliveries int) (ending, error) {
	for turn := range laneTurn {
		if r.paused.Load() != nil || ctx.Err() != nil {
			return ending{}, nil
		}
		m, err := r.head(ctx, lane)
		if err != nil {
			return ending{}, err
		}
		if m == nil {
			return ending{done: true}, nil
		}
		end, err := r.carry(ctx, &claim{hold: h, key: lastToken(m.Subject), sealed: m.Data, header: m.Header, deliveries: deliveries, lane: true,
			untouched: turn > 0, // who had the token before came no further than to the first
		})
		r.observe(end)
		if err != nil || !end.done || end.stuck {
			return end, err
		}
		if err := r.remove(ctx, r.lanes, m.Sequence); err != nil {
			return ending{}, fmt.Errorf("fleet: taking a job out of its lane: %w", r.engine.explain(err))
		}
	}
	return ending{}, nil
}

// claim is one job in the hands of a worker.
type claim struct {
	hold       *hold
	key        string
	lane       bool
	untouched  bool // nobody else can have begun it
	job        *Job
	submitted  time.Time
	sealed     []byte
	header     nats.Header
	deliveries int // of the message that brought it

	rec   *record
	doubt time.Time // until when somebody else may have sent it, zero if nobody has
	began bool
	begun error // of writing down that it has begun
	tells bool  // its record tells why it waits, or why nobody knows what became of it
	// looked says that its record was read before it was begun.
	looked bool
}

// ErrKeptBack is what an observer of requests sees of one that was not sent although the limit let it through, because its
// job's time was over or the queue was paused meanwhile.
var ErrKeptBack = errors.New("fleet: the worker kept the request back")

var (
	errStale  = fmt.Errorf("%w: the job's time is over", ErrKeptBack)
	errPaused = fmt.Errorf("%w: the queue was paused", ErrKeptBack)
)

// open reads what a message holds.
func (r *running) open(c *claim) (err error) {
	if c.job, c.submitted, err = r.openJob(c.key, c.header, c.sealed); err != nil {
		return err
	}
	r.unread.read()
	seq, _ := strconv.ParseUint(c.header.Get(headerRecord), 10, 64)
	c.rec = r.newRecord(c.job, c.submitted)
	c.rec.seq = seq
	return nil
}

// begin writes down that the job has begun, before anything of it is sent; asking says that it is no more than a query for what
// became of it. The first error is the last, too: the job is not this worker's then.
func (r *running) begin(ctx context.Context, c *claim, asking bool) error {
	if c.begun != nil || c.began && (asking || !c.rec.Asking) {
		return c.begun
	}
	next := *c.rec
	next.Claim, next.Asking = r.claim(), asking
	next.Held = r.OnUnknown == wxpay.Hold || r.OnUnknown == 0 && next.Held
	if !c.began {
		next.State, next.Begun, next.Doubt = Begun, time.Now(), c.doubt
		next.Deliveries++
	}
	if c.begun = r.replace(ctx, c.key, &next); c.begun == nil {
		*c.rec, c.began = next, true
	}
	return c.begun
}

// adopt goes on from what the record of a job tells, which its worker is the only one to have in hand now.
func (c *claim) adopt(have *record, now time.Time) {
	c.rec, c.doubt = have, have.Doubt
	if have.State == Begun && !have.Asking { // who began it may have sent it until just now
		c.doubt = now
	}
}

// carry carries out one job and stores its result.
func (r *running) carry(ctx context.Context, c *claim) (ending, error) {
	if err := r.open(c); err != nil {
		return ending{}, err
	}
	now := time.Now()
	late := c.job.stale(now)
	if c.deliveries > 1 || late || c.lane || c.header.Get(headerRetry) != "" || r.age > 0 && now.Sub(c.submitted) > r.age/2 {
		// Else nobody can have begun it, or storing that this worker has fails.
		c.looked = true
		switch have, err := r.record(ctx, c.key); {
		case err != nil:
			return ending{}, err
		case have == nil: // it was given up for its age, and with it what it told
			if c.rec.seq = 0; !c.untouched {
				c.doubt, c.rec.Held = now, true // who began it may have been told to
			}
		case have.content != c.rec.content:
			return ending{}, fmt.Errorf("fleet: a job and its record differ: %w", ErrConflict)
		case have.State.Ended():
			return ending{done: true, stuck: have.State == Unknown}, nil
		case have.Claim == "" && have.seq != c.rec.seq: // the one before was given up, and what it told; then the job was submitted again
			if c.adopt(have, now); !c.untouched {
				c.doubt, c.rec.Held = now, true
			}
		default:
			c.adopt(have, now)
		}
	}
	if late && c.doubt.IsZero() {
		c.rec.State, c.rec.Ended = Expired, now
		return r.store(ctx, c)
	}
	if !r.Marked {
		if err := r.begin(ctx, c, false); err != nil {
			return r.moved(c, err)
		}
	}
	// Where it cannot be written down that it has begun there is no use in waiting and trying again, as Chain.Ensure would.
	ctx, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	ctx = context.WithValue(ctx, claimKey{}, func(ctx context.Context, method string) error {
		if !c.began && r.paused.Load() != nil { // since it waits for the limit
			giveUp(errPaused)
			return errPaused
		}
		if !c.began && c.doubt.IsZero() && c.job.stale(time.Now()) { // it waited for the limit until its time was over
			return errStale
		}
		if err := r.begin(ctx, c, method == http.MethodGet && c.job.Method != http.MethodGet); err != nil {
			giveUp(err)
			return err
		}
		return c.hold.check()
	})
	err := r.call(ctx, c, late)
	switch {
	case c.begun != nil:
		return r.moved(c, c.begun)
	case !c.began && errors.Is(context.Cause(ctx), errPaused):
		return ending{}, nil
	case errors.Is(err, errStale):
		c.rec.State, c.rec.Ended, c.rec.Attempts = Expired, time.Now(), 0
		return r.store(ctx, c)
	}
	end, err := r.judge(ctx, c, err)
	if r.Marked && !c.began && c.rec.Attempts > 0 {
		r.stray.Store(true)
	}
	return end, err
}

// errStray ends a worker that makes calls without writing that down before.
var errStray = errors.New("fleet: Worker.Marked is set, but calls go out past Marking: wrap the limiter of the queue's client (wxpay.WithLimiter(fleet.Marking(limiter))), or leave Marked out")

// moved is the end of a job that somebody else has changed, or that could not be begun. Whoever changed it may be at work on
// it, so its message is left to come again when the lease ends. Only in an embedded engine that was just opened is nobody: all
// that it delivered before seems to be delivered for the first time then, and its records were not looked at.
func (r *running) moved(c *claim, err error) (ending, error) {
	switch {
	case !errors.Is(err, ErrMoved):
		return ending{}, err
	case r.engine.server != nil && !c.looked:
		return ending{again: time.Second}, nil
	}
	return ending{left: true}, nil
}

// call makes the call and fills in what it brought.
func (r *running) call(ctx context.Context, c *claim, late bool) error {
	ctx, cancel := context.WithTimeout(ctx, r.Patience)
	defer cancel()
	chain := c.job.chain(r.client)
	if c.job.Method != http.MethodPost {
		if !c.doubt.IsZero() && c.job.Method != http.MethodGet {
			return errUnasked
		}
		res, err := chain.Do(ctx, c.job.Method, c.job.body())
		switch {
		case err != nil:
		case !res.Verified:
			err = errMadeUp
		case res.Stale() && c.job.Method != http.MethodGet:
			r.answered(c.rec, res)
			err = errStaleAnswer
		}
		if err == nil {
			r.answered(c.rec, res)
			c.rec.State = Succeeded
			if res.Status == http.StatusAccepted {
				c.rec.State = Accepted
			}
		}
		return err
	}
	if r.UntilFinal {
		chain = chain.UntilFinal()
	}
	switch {
	case late: // only what became of it is still of interest
		chain = chain.OnUnknown(wxpay.Hold)
	case r.OnUnknown != 0:
		chain = chain.OnUnknown(r.OnUnknown)
	case c.rec.Held:
		chain = chain.OnUnknown(wxpay.Hold)
	case c.lane && absolute(c.job.facts()):
		// The newer values wait behind it in its lane, so repeating this one undoes none of them.
		chain = chain.OnUnknown(wxpay.Repeat)
	}
	if !c.doubt.IsZero() {
		chain = chain.SentBefore(c.doubt)
	}
	verdict, err := chain.Ensure(ctx, c.job.body())
	if err != nil {
		return err
	}
	c.rec.Inferred, c.rec.Unbound, c.rec.Missing, c.rec.Attempts = verdict.Inferred, verdict.Unbound, verdict.Missing, verdict.Attempts
	c.rec.State = map[wxpay.State]State{
		wxpay.Succeeded: Succeeded, wxpay.Accepted: Accepted, wxpay.Taken: Taken, wxpay.Partial: Partial, wxpay.Failed: Failed, wxpay.NeedsAction: Action,
	}[verdict.State]
	c.rec.Status, c.rec.Code, c.rec.Message, c.rec.RequestID = 0, "", "", "" // those of an earlier time, if any
	if verdict.Response != nil {
		r.answered(c.rec, verdict.Response)
	}
	return nil
}

// errMadeUp is an answer that is not the platform's.
var errMadeUp = errors.New("the answer is not verified: a middleware of the client's made it up or changed it")

// errStaleAnswer is a success that is another call's.
var errStaleAnswer = errors.New("the answer was signed before its request was sent, so it answers another one")

// errUnasked is a doubt about a call that no query tells about and that must not be repeated.
var errUnasked = errors.New("an earlier worker may have sent it, and nothing tells what became of that")

// answered fills in what an answer brought.
func (r *running) answered(rec *record, res *wxpay.Response) {
	rec.Status, rec.RequestID, rec.Code, rec.Message = res.Status, res.RequestID, "", ""
	rec.Attempts = max(rec.Attempts, 1)
	for _, path := range r.Select {
		if value := res.Get(path); value.Exists() {
			if rec.Selected == nil {
				rec.Selected = make(map[string]json.RawMessage)
			}
			rec.Selected[path] = json.RawMessage(value.Raw)
		}
	}
}

// breakAfter is how many jobs may end one after another without a usable answer before the queue is paused.
const breakAfter = 20

// judge decides what a call's end means for the job, and stores that.
func (r *running) judge(ctx context.Context, c *claim, err error) (ending, error) {
	outcome := wxpay.OutcomeOf(err)
	var refusal *wxpay.APIError
	errors.As(err, &refusal)
	var failure *wxpay.CallError
	switch {
	case errors.As(err, &failure):
		c.rec.Attempts = failure.Attempts
	case refusal != nil:
		c.rec.Attempts = refusal.Attempts
	}
	if err != nil {
		if c.rec.Attempts > 0 || outcome != wxpay.Unknown { // else the last answer is the one of before
			c.rec.Status, c.rec.Code, c.rec.RequestID = 0, "", ""
		}
		if c.rec.Attempts > 0 || outcome != wxpay.Unknown || c.rec.Message == "" { // else it tells why nobody knows
			c.rec.Message = strings.TrimPrefix(err.Error(), "wxpay: ")
		}
		if refusal != nil {
			c.rec.Status, c.rec.Code, c.rec.RequestID = refusal.Status, string(refusal.Code), refusal.RequestID
			if refusal.Message != "" {
				c.rec.Message = refusal.Message
			}
		}
	}
	switch cause := context.Cause(ctx); {
	case err == nil || outcome == wxpay.Confirmed:
	case errors.Is(cause, errLease):
		return ending{left: true}, nil
	case errors.Is(cause, errStopped):
		return r.giveBack(ctx, c, outcome, 0)
	}
	if outcome != wxpay.Confirmed && r.concernsMerchant(err, refusal) {
		p := Pause{Reason: reason(err, refusal), Since: time.Now()}
		if refusal != nil {
			p.Code = string(refusal.Code)
		}
		if !r.halt(ctx, &p) {
			return r.giveBack(ctx, c, outcome, time.Second)
		}
		return r.giveBack(ctx, c, outcome, 0)
	}
	if made := unsigned(err, refusal); made != nil && c.rec.Deliveries < suspectAfter && !slices.Contains(r.OwnCodes, made.Code) {
		return r.suspect(ctx, c, made, outcome)
	}
	switch {
	case err == nil:
		r.usable()
	case outcome == wxpay.Confirmed:
		c.rec.State = Succeeded
		if failure != nil && failure.Response != nil {
			r.answered(c.rec, failure.Response)
		}
	case errors.Is(err, wxpay.StageBuild) && c.doubt.IsZero():
		c.rec.State = Refused
	case errors.Is(err, wxpay.StageBuild): // nothing was sent now, but perhaps before
		c.rec.State = Unknown
	case outcome == wxpay.NotSent:
		if !errors.Is(err, middleware.ErrLimited) {
			r.trouble(fmt.Errorf("fleet: a job waits because it could not be sent: %s", c.rec.Message))
		}
		return r.giveBack(ctx, c, outcome, pauseAfter(c.deliveries))
	case outcome == wxpay.Rejected:
		r.usable()
		if refusal == nil || refusal.Status == http.StatusTooManyRequests || refusal.Class() == wxcode.ClassWait || refusal.Class() == wxcode.ClassSame {
			return r.giveBack(ctx, c, outcome, pauseAfter(c.deliveries))
		}
		c.rec.State = Refused
	default:
		c.rec.State = Unknown
		if failure != nil && failure.Response != nil { // the platform took it, and how it ends cannot be told
			r.answered(c.rec, failure.Response)
		}
		if refusal != nil && refusal.Verified && refusal.Status < 500 {
			r.usable()
		} else if c.rec.Attempts == 0 { // an earlier doubt that stays: nothing was tried now
		} else if n := r.failures.Add(1); n >= breakAfter && r.paused.Load() == nil {
			p := Pause{Since: time.Now(), Reason: fmt.Sprintf("%d jobs in a row ended without an answer that can be used, the last: %s. Find out why, resume, then retry the unknown ones", n, c.rec.Message)}
			r.halt(ctx, &p)
		}
	}
	c.rec.Ended = time.Now()
	return r.store(ctx, c)
}

// suspectAfter is how many jobs one after another may end with a refusal that nobody signed before the queue is paused, and how
// often one job is begun that ends so.
const suspectAfter = 5

// suspect gives a job back that ended with a refusal that nobody signed. Something between here and the platform may have made
// it, before or after it passed the request on: so the job is in doubt. Or the platform itself refuses everybody's jobs alike, for
// their signature, say; then it repeats, and the queue pauses.
func (r *running) suspect(ctx context.Context, c *claim, made *wxpay.APIError, outcome wxpay.Outcome) (ending, error) {
	c.tells = true
	if n := r.unsigned.Add(1); n >= suspectAfter && r.paused.Load() == nil {
		p := Pause{Code: string(made.Code), Since: time.Now(), Reason: fmt.Sprintf("%s; %d jobs in a row were refused, and nobody signs that: before authentication, unless "+
			"something between here and the platform made the answers", reason(made, made), n)}
		r.halt(ctx, &p)
	}
	if r.paused.Load() != nil {
		return r.giveBack(ctx, c, outcome, 0)
	}
	return r.giveBack(ctx, c, outcome, pauseAfter(c.deliveries))
}

// unsigned is the refusal that a call ended with and that nobody signed, its own or that of its query; nil for none.
func unsigned(err error, refusal *wxpay.APIError) *wxpay.APIError {
	if refusal = ofQuery(err, refusal); refusal != nil && refusal.Unsigned() {
		return refusal
	}
	return nil
}

// ofQuery is the refusal that a call's query ended with, if it has none of its own.
func ofQuery(err error, refusal *wxpay.APIError) *wxpay.APIError {
	var query *wxpay.QueryError
	if refusal == nil && errors.As(err, &query) {
		errors.As(query.Err, &refusal)
	}
	return refusal
}

// halt pauses the queue, and this worker at once. It reports whether that could be stored.
func (r *running) halt(ctx context.Context, p *Pause) bool {
	// In this order, or a Resume in between would be missed. Where it cannot be stored nobody could end it.
	r.paused.Store(p)
	if err := r.pause(context.WithoutCancel(ctx), *p); err != nil {
		r.paused.CompareAndSwap(p, nil)
		r.trouble(err)
		return false
	}
	return true
}

// concernsMerchant reports whether every other job would fail alike. refusal is that of the call, nil for none. One that nobody
// signed says that only when it repeats.
func (r *running) concernsMerchant(err error, refusal *wxpay.APIError) bool {
	if err == nil {
		return false
	}
	if refusal = ofQuery(err, refusal); refusal != nil {
		return refusal.Verified && (r.wide[refusal.Code] || refusal.Status == http.StatusUnauthorized && !slices.Contains(r.OwnCodes, refusal.Code))
	}
	return errors.Is(err, wxpay.StageKeys) || errors.Is(err, wxpay.StageSign)
}

// reason tells why the queue is paused. What is known of the one job that met it is in its record.
func reason(err error, refusal *wxpay.APIError) string {
	if refusal == nil {
		return strings.TrimPrefix(err.Error(), "wxpay: ")
	}
	text := fmt.Sprintf("%s %s: %d %s: %s", refusal.Method, refusal.Template, refusal.Status, refusal.Code, refusal.Message)
	if refusal.Hint != "" {
		text += "; " + refusal.Hint
	}
	if refusal.RequestID != "" {
		text += " (request id " + refusal.RequestID + ")"
	}
	return strings.Map(func(r rune) rune { // nobody vouches for what an answer says that is not verified
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)
}

// giveBack makes a job wait again, as if it had never begun unless it may have been sent.
func (r *running) giveBack(ctx context.Context, c *claim, outcome wxpay.Outcome, again time.Duration) (ending, error) {
	if !c.began && !(outcome == wxpay.Unknown && c.rec.Attempts > 0) {
		return ending{again: again}, nil
	}
	next := *c.rec
	next.Result.State, next.Doubt, next.Asking = Waiting, c.doubt, false
	if next.Attempts > 0 && !c.tells { // else the last answer is the one of before
		next.Status, next.Code, next.RequestID = 0, "", ""
	}
	next.Attempts = 0
	if outcome != wxpay.NotSent && !c.tells {
		next.Message = ""
	}
	if outcome == wxpay.Unknown && (c.rec.Attempts > 0 || c.doubt.IsZero()) { // else it was not sent now, and the doubt is as old as it was
		next.Doubt = time.Now()
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.lease/3)
	defer cancel()
	switch err := r.replace(ctx, c.key, &next); {
	case errors.Is(err, ErrMoved):
		return ending{left: true}, nil
	case err != nil:
		return ending{}, err // it stays begun, which is the careful side
	}
	return ending{again: again}, nil
}

// store stores the end of a job. It keeps trying while the job is this worker's.
func (r *running) store(ctx context.Context, c *claim) (ending, error) {
	held := context.WithoutCancel(ctx)
	held, cancel := context.WithTimeout(held, r.lease/2)
	defer cancel()
	c.rec.Asking = false
	if !c.began {
		c.rec.Claim = r.claim()
	}
	stuck := c.lane && c.rec.State == Unknown
	dead := (c.rec.State == Refused || c.rec.State == Unknown) && !stuck
	for pause := 50 * time.Millisecond; ; pause *= 2 {
		var err error
		var buried uint64
		if dead {
			buried, err = r.bury(held, c)
		}
		if err == nil {
			err = r.replace(held, c.key, c.rec)
		}
		switch {
		case err == nil:
			if !dead && !c.doubt.IsZero() { // who had it before may have come as far as to bury it
				r.trouble(r.unbury(held, c.key))
			}
			return ending{done: true, stuck: stuck, result: &c.rec.Result}, nil
		case errors.Is(err, ErrMoved):
			if buried != 0 {
				r.trouble(r.unburyMoved(held, c, buried))
			}
			return ending{left: true}, nil
		case errors.Is(context.Cause(ctx), errLease), !sleep(held, pause):
			return ending{}, err // whoever has it next finds that it had begun
		}
	}
}

// bury keeps a job for Retry, and returns where.
func (r *running) bury(ctx context.Context, c *claim) (seq uint64, err error) {
	m := &nats.Msg{Subject: r.deadSubject(c.key), Data: c.sealed, Header: nats.Header{
		headerVersion: {recordVersion}, headerState: {string(c.rec.State)}, headerHeld: {strconv.FormatBool(c.rec.Held)},
	}}
	ack, err := r.publish(ctx, m)
	if err != nil {
		return 0, fmt.Errorf("fleet: keeping a job for a retry: %w", r.engine.explain(err))
	}
	return ack.Sequence, nil
}

// unburyMoved puts right what was kept for a retry of a job that somebody else has ended: who ended it without need for a retry
// may have looked for it before it was there, and who has kept it as well finds it by the state that it ended with.
func (r *running) unburyMoved(ctx context.Context, c *claim, seq uint64) error {
	have, err := r.record(ctx, c.key)
	switch {
	case err != nil || have == nil || !have.State.Ended():
		return err
	case have.State != Unknown && have.State != Refused:
		return r.deleteDead(ctx, seq)
	case have.State != c.rec.State || have.Held != c.rec.Held:
		c.rec = have
		_, err = r.bury(ctx, c)
	}
	return err
}

// sleep waits, and reports whether ctx is still alive.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
