package fleet

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxpay-go/wxpay/contrib/fleet/internal/jserror"
)

// Submit checks jobs and queues them, without sending anything to the platform. It returns when all
// that it accepted is stored. A job that was submitted before, with the same request, is not queued
// again, however long ago that was. With another request it is rejected with [ErrConflict], and
// with another order as long as it has not ended. So the same file can be submitted as often as it
// takes. Only of a job that was refused, and of which nobody ever doubted whether it took effect,
// another request replaces the one of before.
//
// An error of jobs that is a *[LineError] rejects that line, and any other ends the submission. So
// does trouble with the engine, such as [ErrNoSpace], or a cluster that elects no leader within
// half a minute. The jobs that were queued until then stay queued; submit all of it again to go on.
// The jobs that come are queued a second later at the latest, so they may come from a pipe that
// never ends. Submit copies the body and the maps of each job, so the next one may reuse them. When
// ctx ends or something fails Submit returns although jobs may still be about to give its next.
func (q *Queue) Submit(ctx context.Context, jobs iter.Seq2[Job, error], in Intake) (Submission, error) {
	if q.client == nil {
		return Submission{}, ErrNoClient
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s := &submitting{Queue: q, in: in, ctx: ctx, cancel: cancel}
	if err := q.learnLoss(ctx); err != nil {
		return s.count, err
	}
	s.loss = q.loss.Load()
	if s.run = in.Run; s.run == nil {
		s.run = new(Run)
	}
	q.newRun(s.run)
	if err := q.putRun(ctx, s.run); err != nil {
		return s.count, err
	}
	s.pass(jobs)
	err := context.Cause(ctx)
	s.run.Count, s.run.Complete = s.count, err == nil
	last, cancelLast := context.WithTimeout(context.WithoutCancel(ctx), rideTime)
	defer cancelLast()
	for _, do := range []func(context.Context) error{
		func(ctx context.Context) error { return q.post(ctx, true) },
		func(ctx context.Context) error { return q.putRunKeys(ctx, s.run.ID, s.keys) },
		func(ctx context.Context) error { return q.putRun(ctx, s.run) },
	} {
		if failed := do(last); err == nil && failed != nil {
			err = s.trouble(failed)
		}
	}
	return s.count, err
}

func (s *submitting) pass(jobs iter.Seq2[Job, error]) {
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
		case to <- given{job.own(), err}:
		case <-s.ctx.Done():
			whole = true
			return
		}
	}
	whole = true
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
			it.job.File, it.job.Line, it.job.Source, it.err = bad.File, bad.Line, bad.Source, bad.Err
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
	if it.err = job.Check(s.ctx, s.client); it.err != nil {
		return
	}
	it.key = job.key(s.digests, s.identity)
	it.record = s.newRecord(job, time.Now(), s.run.ID)
	it.lane = it.record.Lane
	if s.loss != nil { // it may be one whose record is missing
		it.record.Doubt = s.loss.Since
	}
	if it.message, it.err = s.sealJob(job, it.key); it.err == nil {
		it.reserve, it.err = s.sealRecord(it.record, it.key)
	}
	it.job.Body = nil // it is in the message
}

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
		if err == nil {
			err = s.learnLoss(s.ctx)
		}
		switch {
		case err != nil:
			return s.trouble(err)
		case closed:
			return ErrClosed
		case !s.loss.same(s.Queue.loss.Load()):
			return fmt.Errorf("%w: that was accepted while jobs were submitted. Submit all of it again, nothing is queued twice", ErrLost)
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
		// If no job and no lane is awake, the others are held up, and waiting makes no room.
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
			it.fresh = true
			s.stored(it.record, ack.Sequence, account{Known: 1})
		case jserror.WrongSequence(err):
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
			// It must not be stored without the one before it, which would come behind it when all
			// is submitted again.
			if err := s.settleLane(it.lane); err != nil {
				return err
			}
			s.lanesNow[it.lane] = it
		}
		seq := strconv.FormatUint(it.record.seq, 10)
		it.message.Header.Set(headerRecord, seq)
		it.message.Header.Set(headerRun, it.record.run)
		if !it.record.Doubt.IsZero() {
			it.message.Header.Set(headerRetry, "1")
		}
		var err error
		if it.ack, err = s.send(it.message, jetstream.WithMsgID(it.key+"."+seq)); err != nil {
			return err
		}
	}
	return nil
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
		if _, err := s.wait(token); err != nil && !jserror.SubjectFull(err) {
			return err
		}
	}
	for _, it := range c.items {
		if it.err == nil {
			s.keys = appendRunKey(s.keys, it.key)
		}
		switch {
		case it.err != nil:
			s.count.Rejected++
			if s.in.Reject != nil {
				s.in.Reject(&LineError{it.job.File, it.job.Line, it.err, it.job.Source})
			}
		case it.standing == standsEnded:
			s.count.Ended++
		case it.corrects && !it.again:
			s.count.Corrected++
		case it.standing == standsAgain || it.again:
			s.count.Again++
		default:
			s.count.Queued++
		}
	}
	if s.in.Progress != nil {
		s.in.Progress(s.count)
	}
	if len(s.keys) >= runKeys*runKeySize {
		if err := s.putRunKeys(s.ctx, s.run.ID, s.keys); err != nil {
			return s.trouble(err)
		}
		s.keys = s.keys[:0]
	}
	if err := s.post(s.ctx, false); err != nil {
		return s.trouble(err)
	}
	return nil
}
