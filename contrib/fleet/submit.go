package fleet

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxpay-go/wxpay"
)

// LineError is one job, or line of a file, that was not queued. Nothing of what the line says is in it.
type LineError struct {
	File string
	Line int
	Err  error
}

func (e *LineError) Error() string {
	if e.File == "" {
		return fmt.Sprintf("line %d: %v", e.Line, e.Err)
	}
	return fmt.Sprintf("%s, line %d: %v", e.File, e.Line, e.Err)
}

// Unwrap returns what is wrong.
func (e *LineError) Unwrap() error { return e.Err }

// Intake changes what [Queue.Submit] does. The zero value is useful.
type Intake struct {
	// Reject is told of each job that was not queued, in the order of the file, by one goroutine.
	Reject func(*LineError)
	// Progress is told how far it is, after every few jobs, by the same goroutine.
	Progress func(Submission)
	// Ahead, if it is not 0, has Submit wait while more jobs than that are in the queue, so that a file of any length needs
	// little room. Some worker has to be at work then.
	Ahead int
}

// Submission counts what became of jobs that were submitted.
type Submission struct {
	Queued   int // queued now
	Again    int // in the queue already, with the same request
	Ended    int // were carried out, or have ended, before
	Rejected int // not queued; Intake.Reject was told why
}

// Read is how many jobs there were.
func (s Submission) Read() int { return s.Queued + s.Again + s.Ended + s.Rejected }

// A chunk of jobs is prepared by one goroutine.
const (
	chunkJobs  = 128
	chunkBytes = 1 << 20
)

// Submit checks jobs and queues them, without sending anything to the platform. It returns when all that it accepted is
// stored. A job that was submitted before, with the same request, is not queued again, however long ago that was; with
// another request it is rejected with [ErrConflict], and with another order as long as it has not ended. So the same file can be submitted as often as it takes.
//
// An error of jobs that is a *[LineError] rejects that line, any other ends the submission, and so does trouble with the
// engine, such as [ErrNoSpace], or a cluster that elects no leader within half a minute. What was queued until then is queued;
// submit all of it again to go on. What jobs gives is queued a second later at the latest, so they may come from a pipe that never
// ends. When ctx ends or something fails Submit returns although jobs may still be about to give its next.
func (q *Queue) Submit(ctx context.Context, jobs iter.Seq2[Job, error], in Intake) (Submission, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s := &submitting{Queue: q, in: in, ctx: ctx, cancel: cancel}
	s.run(jobs)
	if err := context.Cause(ctx); err != nil {
		return s.count, err
	}
	return s.count, nil
}

// submitting is one Submit. Chunks go through it in order: read, prepared in parallel, reserved, queued, counted.
type submitting struct {
	*Queue
	in     Intake
	ctx    context.Context
	cancel context.CancelCauseFunc
	count  Submission
	// The last job of each lane among those that may not be stored yet, in two generations of chunks. They are for queue.
	lanesNow, lanesBefore map[string]*item
	chunks                int
}

// laneChunks is after how many chunks a generation ends: more than there can be between queue and finish.
const laneChunks = 16

type chunk struct {
	items []*item
	ready chan struct{}
}

// item is one job on its way into the queue.
type item struct {
	job      Job
	err      error // why it is not queued
	key      string
	lane     string
	record   *record
	reserve  *nats.Msg
	message  *nats.Msg
	ack      jetstream.PubAckFuture
	standing standing
	fresh    bool // its number was never known before
	settling sync.Once
	again    bool  // once it is settled: it was in the queue already
	failed   error // once it is settled: why it was not stored
}

// standing is what became of an item.
type standing uint8

const (
	standsQueued standing = iota
	standsAgain
	standsEnded
)

func (s *submitting) run(jobs iter.Seq2[Job, error]) {
	prepare := make(chan *chunk, runtime.GOMAXPROCS(0))
	read := make(chan *chunk, 8)
	reserved := make(chan *chunk, 8)
	queued := make(chan *chunk, 8)
	var all sync.WaitGroup
	arrived := make(chan given, 16)
	go s.follow(jobs, arrived) // nobody waits for it: a pipe may give nothing for long
	all.Go(func() { s.read(arrived, prepare, read) })
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for c := range prepare {
				for _, it := range c.items {
					s.prepare(it)
				}
				close(c.ready)
			}
		})
	}
	var step func(from <-chan *chunk, to chan<- *chunk, do func(*chunk) error) func()
	step = func(from <-chan *chunk, to chan<- *chunk, do func(*chunk) error) func() {
		return func() {
			whole := false
			defer func() {
				if !whole { // Reject or Progress panicked or ended the goroutine; the others must not wait for it
					s.broken("Reject or Progress", recover())
					all.Go(step(from, to, do))
				}
			}()
			for c := range from {
				if s.ctx.Err() == nil {
					if err := do(c); err != nil {
						s.cancel(err)
					}
				}
				if to != nil && s.ctx.Err() == nil {
					to <- c
				}
			}
			if to != nil {
				close(to)
			}
			whole = true
		}
	}
	all.Go(step(read, reserved, s.reserve))
	all.Go(step(reserved, queued, s.queue))
	all.Go(step(queued, nil, s.finish))
	all.Wait()
}

// given is what jobs give: a job or an error.
type given struct {
	job Job
	err error
}

// follow hands on what jobs gives until it has no more, or nobody wants it.
func (s *submitting) follow(jobs iter.Seq2[Job, error], to chan<- given) {
	whole := false
	defer func() {
		if !whole { // what came until then is not all
			s.broken("the jobs given to Submit", recover())
		}
		close(to)
	}()
	for job, err := range jobs {
		select {
		case to <- given{job, err}:
		case <-s.ctx.Done():
			whole = true
			return
		}
	}
	whole = true
}

// broken ends the submission for a panic in code of the user's, or because it ended its goroutine, where there is none.
func (s *submitting) broken(where string, panicked any) {
	err := errors.New("it ended its goroutine (runtime.Goexit)")
	if panicked != nil {
		err = &wxpay.PanicError{Value: panicked, Stack: debug.Stack()}
	}
	s.cancel(fmt.Errorf("fleet: %s: %w", where, err))
}

// chunkWait is how long a job waits for others to fill its chunk, where they come slowly.
const chunkWait = time.Second

// read divides the jobs into chunks.
func (s *submitting) read(jobs <-chan given, prepare, read chan<- *chunk) {
	defer close(read)
	defer close(prepare)
	late := time.NewTimer(chunkWait)
	defer late.Stop()
	c, size := &chunk{ready: make(chan struct{})}, 0
	pass := func() {
		if len(c.items) > 0 {
			prepare <- c
			read <- c
		}
		c, size = &chunk{ready: make(chan struct{})}, 0
	}
	line := 0
	for s.ctx.Err() == nil {
		var next given
		var more bool
		select {
		case next, more = <-jobs:
		case <-late.C:
			pass()
			continue
		case <-s.ctx.Done():
			continue
		}
		if !more {
			pass()
			return
		}
		line++
		it := &item{job: next.job}
		var bad *LineError
		switch {
		case errors.As(next.err, &bad):
			it.job.File, it.job.Line, it.err = bad.File, bad.Line, bad.Err
		case next.err != nil:
			pass()
			s.cancel(next.err)
			return
		case it.job.Line == 0:
			it.job.Line = line
		}
		if len(c.items) == 0 {
			late.Reset(chunkWait)
		}
		c.items = append(c.items, it)
		if size += len(it.job.Body); len(c.items) == chunkJobs || size > chunkBytes {
			pass()
		}
	}
}

// prepare does what needs no engine.
func (s *submitting) prepare(it *item) {
	if it.err != nil {
		return
	}
	job := &it.job
	if it.err = job.complete(); it.err != nil {
		if job.facts() == nil && job.Path != "" && job.Number == "" { // that nobody knows the operation is the better reason
			if err := job.check(s.ctx, s.client); err != nil {
				it.err = err
			}
		}
		return
	}
	if it.err = job.check(s.ctx, s.client); it.err != nil {
		return
	}
	it.key = job.key(s.digests, s.client.Identity())
	it.record = s.newRecord(job, time.Now())
	it.lane = it.record.Lane
	if it.message, it.err = s.sealJob(job, it.key); it.err == nil {
		it.reserve, it.err = s.sealRecord(it.record, it.key)
	}
	it.job.Body = nil // it is in the message
}

// asFirst publishes a record only if there is none under its key.
var asFirst = jetstream.WithExpectLastSequencePerSubject(0)

// reserve makes the records of a chunk, which take the numbers.
func (s *submitting) reserve(c *chunk) error {
	select {
	case <-c.ready:
	case <-s.ctx.Done():
		return nil
	}
	if err := s.admit(); err != nil {
		return err
	}
	for _, it := range c.items {
		if it.err != nil {
			continue
		}
		var err error
		if it.ack, err = s.send(it.reserve, asFirst); err != nil {
			return err
		}
	}
	return nil
}

// admit waits for room, and refuses where the queue is closed.
func (s *submitting) admit() error {
	for {
		closed, err := s.closed(s.ctx)
		switch {
		case err != nil:
			return s.trouble(err)
		case closed:
			return ErrClosed
		case s.in.Ahead == 0:
			return nil
		}
		var jobs, lanes *jetstream.StreamInfo
		if err := s.engine.ride(s.ctx, 2*askMost, func(ctx context.Context) (err error) {
			if jobs, err = s.jobs.Info(ctx); err == nil {
				lanes, err = s.lanes.Info(ctx)
			}
			return err
		}); err != nil {
			return s.trouble(err)
		}
		// Where no job and no lane is awake, those that are left are held up, and room will not come of waiting.
		if jobs.State.Msgs == 0 || jobs.State.Msgs+lanes.State.Msgs < uint64(s.in.Ahead) {
			return nil
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-s.ctx.Done():
			return nil
		}
	}
}

// queue queues the jobs of a chunk whose numbers are theirs.
func (s *submitting) queue(c *chunk) error {
	var known []*item
	for _, it := range c.items {
		if it.err != nil {
			continue
		}
		ack, err := s.wait(it.ack, asFirst)
		switch {
		case err == nil:
			it.record.seq, it.fresh = ack.Sequence, true
		case wrongSequence(err):
			known = append(known, it)
		default:
			return err
		}
	}
	if err := s.compare(known); err != nil {
		return err
	}
	if s.chunks%laneChunks == 0 {
		s.lanesBefore, s.lanesNow = s.lanesNow, make(map[string]*item)
	}
	s.chunks++
	for _, it := range c.items {
		if it.err != nil || it.standing != standsQueued {
			continue
		}
		if it.message.Subject = s.jobSubject(it.key); it.lane != "" {
			it.message.Subject = s.laneSubject(it.lane, it.key)
			// It must not be stored without the one before it, which would come behind it when all is submitted again.
			if err := s.settleLane(it.lane); err != nil {
				return err
			}
			s.lanesNow[it.lane] = it
		}
		seq := strconv.FormatUint(it.record.seq, 10)
		it.message.Header.Set(headerRecord, seq)
		var err error
		if it.ack, err = s.send(it.message, jetstream.WithMsgID(it.key+"."+seq)); err != nil {
			return err
		}
	}
	return nil
}

// compare looks at what is known of numbers that were taken before.
func (s *submitting) compare(items []*item) error {
	const atOnce = 16
	var all sync.WaitGroup
	errs := make([]error, atOnce)
	for n := range min(atOnce, len(items)) {
		all.Go(func() {
			for i := n; i < len(items) && errs[n] == nil; i += atOnce {
				errs[n] = s.compareOne(items[i])
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

func (s *submitting) compareOne(it *item) error {
	return s.engine.ride(s.ctx, rideSetup, func(ctx context.Context) error { return s.compareOnce(ctx, it) })
}

// compareOnce is one try of compareOne.
func (s *submitting) compareOnce(ctx context.Context, it *item) error {
	have, err := s.Queue.record(ctx, it.key)
	switch {
	case errors.Is(err, ErrNewer), errors.Is(err, ErrSealed):
		it.err = err
		return nil
	case err != nil:
		return err
	case have != nil && have.content == it.record.content && have.State == Expired && have.Lane == "" && it.lane == "" && !it.job.stale(time.Now()):
		// It was never sent, and has more time now. (One with an order has lost its turn.)
		m, err := s.jobMessage(ctx, it.key)
		if err == nil && m == nil { // else its worker has not taken it off the queue yet
			err = s.again(ctx, it.key, have)
		}
		if errors.Is(err, ErrMoved) { // by somebody else, or by an earlier try whose answer got lost
			return s.compareOnce(ctx, it)
		}
		if err != nil {
			return err
		}
	}
	switch {
	case have == nil:
		it.err = errors.New("its record vanished while it was submitted: submit it again")
	case have.content != it.record.content:
		it.err = fmt.Errorf("%w, submitted before as %s", ErrConflict, origin(have.File, have.Line))
	case have.State.Ended():
		it.standing = standsEnded
	case have.Lane != it.lane: // its place among the others is given, and cannot be changed by submitting it again
		it.err = fmt.Errorf("it is queued already with another order, or without one, as %s", origin(have.File, have.Line))
	case have.State == Begun:
		it.standing = standsAgain
	default: // queued, unless an earlier submission or retry broke off between the two
		it.record.seq, it.lane = have.seq, have.Lane
		it.message.Header.Set(headerRetry, "1")
	}
	return nil
}

func origin(file string, line int) string {
	if file == "" {
		return "line " + strconv.Itoa(line)
	}
	return file + ", line " + strconv.Itoa(line)
}

// finish waits until the jobs of a chunk are stored, and counts them.
func (s *submitting) finish(c *chunk) error {
	var tokens []jetstream.PubAckFuture
	for _, it := range c.items {
		if it.err == nil && it.standing == standsQueued {
			if err := s.settle(it); err != nil {
				return err
			}
			if it.lane != "" {
				token, err := s.send(s.token(it.lane))
				if err != nil {
					return err
				}
				tokens = append(tokens, token)
			}
		}
	}
	for _, token := range tokens {
		if _, err := s.wait(token); err != nil && !subjectFull(err) {
			return err
		}
	}
	for _, it := range c.items {
		switch {
		case it.err != nil:
			s.count.Rejected++
			if s.in.Reject != nil {
				s.in.Reject(&LineError{File: it.job.File, Line: it.job.Line, Err: it.err})
			}
		case it.standing == standsEnded:
			s.count.Ended++
		case it.standing == standsAgain || it.again:
			s.count.Again++
		default:
			s.count.Queued++
		}
	}
	if s.in.Progress != nil {
		s.in.Progress(s.count)
	}
	return nil
}

// settle waits until a job that was queued is stored.
func (s *submitting) settle(it *item) error {
	it.settling.Do(func() {
		ack, err := s.wait(it.ack)
		known := subjectFull(err) || err == nil && ack.Duplicate
		if !known {
			it.failed = err
		}
		it.again = known && !it.fresh // else it is this one, published again after a lost answer
	})
	return it.failed
}

// settleLane waits until what was queued last for a lane is stored.
func (s *submitting) settleLane(lane string) error {
	for _, generation := range []map[string]*item{s.lanesNow, s.lanesBefore} {
		if last := generation[lane]; last != nil {
			return s.settle(last)
		}
	}
	return nil
}

// send publishes a message whose acknowledgement is waited for later.
func (s *submitting) send(m *nats.Msg, opts ...jetstream.PublishOpt) (f jetstream.PubAckFuture, err error) {
	err = s.engine.insist(s.ctx, func() (err error) {
		f, err = s.sendOnce(m, opts...)
		return err
	})
	if err != nil {
		return nil, s.trouble(err)
	}
	return f, nil
}

func (s *submitting) sendOnce(m *nats.Msg, opts ...jetstream.PublishOpt) (jetstream.PubAckFuture, error) {
	return s.async.PublishMsgAsync(m, append(opts, jetstream.WithStallWait(ackWait))...)
}

// wait waits for the acknowledgement of a message. One that the engine does not give, because a server died or a leader is
// elected, is asked for by publishing the message again: that changes nothing when it is there already.
func (s *submitting) wait(f jetstream.PubAckFuture, opts ...jetstream.PublishOpt) (ack *jetstream.PubAck, err error) {
	m := f.Msg()
	answer := func() (err error) {
		select {
		case ack = <-f.Ok():
			return nil
		case err = <-f.Err():
			return err
		case <-s.engine.failed():
			return s.engine.failure()
		case <-s.ctx.Done():
			return context.Cause(s.ctx)
		}
	}
	if err = answer(); err != nil && s.engine.passing(err) {
		err = s.engine.insist(s.ctx, func() (err error) {
			if f, err = s.sendOnce(m, opts...); err != nil {
				return err
			}
			return answer()
		})
	}
	if err == nil || wrongSequence(err) && !inProcess(err) || subjectFull(err) {
		return ack, err
	}
	return nil, s.trouble(err)
}

func (s *submitting) trouble(err error) error {
	if s.ctx.Err() != nil {
		return context.Cause(s.ctx)
	}
	return fmt.Errorf("fleet: submitting: %w (what was counted is queued; submit all of it again to go on, nothing is queued twice)", s.engine.explain(err))
}

// token is the message that has a worker look after a lane.
func (q *Queue) token(lane string) *nats.Msg {
	return &nats.Msg{Subject: q.tokenSubject(lane), Header: nats.Header{headerVersion: {recordVersion}}}
}
