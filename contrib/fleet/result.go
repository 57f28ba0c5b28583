package fleet

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Status is where a queue stands.
type Status struct {
	// Queued is how many jobs wait or run. Those with an order are in it one by one.
	Queued uint64
	// Running is how many messages workers have in hand: a job each, or jobs with one order.
	Running int
	// Known is how many jobs were ever submitted, as far as their records are kept.
	Known uint64
	// Dead is how many jobs were refused, or are of unknown outcome without an order.
	Dead uint64
	// Pause tells why the queue is paused, nil if it is not.
	Pause *Pause
	// Closed says that the queue takes no new jobs.
	Closed bool
}

// Status tells where the queue stands. It costs little.
func (q *Queue) Status(ctx context.Context) (s Status, err error) {
	err = q.engine.ride(ctx, rideSetup, func(ctx context.Context) (err error) {
		s, err = q.status(ctx)
		return err
	})
	if err != nil {
		return s, err
	}
	if s.Pause, err = q.Paused(ctx); err != nil {
		return s, err
	}
	s.Closed, err = q.closed(ctx)
	return s, err
}

// status fills in what the streams tell.
func (q *Queue) status(ctx context.Context) (s Status, err error) {
	jobs, err := q.jobs.Info(ctx, jetstream.WithSubjectFilter(q.tokenSubject("*")))
	if err != nil {
		return s, fmt.Errorf("fleet: reading the state of the queue: %w", q.engine.explain(err))
	}
	consumer, err := q.consumer.Info(ctx)
	if err != nil {
		return s, fmt.Errorf("fleet: reading the state of the workers: %w", q.engine.explain(err))
	}
	counts := make(map[*uint64]jetstream.Stream)
	var lanes uint64
	counts[&lanes], counts[&s.Known], counts[&s.Dead] = q.lanes, q.records, q.dead
	for to, stream := range counts {
		info, err := stream.Info(ctx)
		if err != nil {
			return s, fmt.Errorf("fleet: reading the state of the queue: %w", q.engine.explain(err))
		}
		*to = info.State.Msgs
	}
	s.Queued, s.Running = jobs.State.Msgs-uint64(len(jobs.State.Subjects))+lanes, consumer.NumAckPending
	return s, nil
}

// Count is how many jobs stand at a state with a code.
type Count struct {
	State State
	Code  string // of the platform, empty if there is none
	Jobs  int
}

// stateOrder is the order of states in summaries: what needs somebody's attention comes first.
var stateOrder = []State{Unknown, Refused, Failed, Partial, Action, Expired, Waiting, Begun, Taken, Accepted, Succeeded}

// Summary counts jobs by state and code; the unknown come first, then what needs attention. It needs to read the headers of
// all records, about a second for every 100,000.
func (q *Queue) Summary(ctx context.Context) ([]Count, error) {
	counts := make(map[Count]int)
	err := q.scan(ctx, true, func(m jetstream.Msg) error {
		counts[Count{State: State(m.Headers().Get(headerState)), Code: m.Headers().Get(headerCode)}]++
		return nil
	})
	if err != nil {
		return nil, err
	}
	list := make([]Count, 0, len(counts))
	for c, jobs := range counts {
		c.Jobs = jobs
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b Count) int {
		if a.State != b.State {
			return slices.Index(stateOrder, a.State) - slices.Index(stateOrder, b.State)
		}
		return b.Jobs - a.Jobs
	})
	return list, nil
}

// Results ranges over what is known of every job, except of those that move on while it reads: those whose outcome is unknown first, the others in the order in which
// they came to where they stand. States, if given, selects. The error, which comes last, is that of the engine or of a
// record that cannot be read.
func (q *Queue) Results(ctx context.Context, states ...State) iter.Seq2[Result, error] {
	return func(yield func(Result, error) bool) {
		stopped := errors.New("stopped")
		pass := func(want func(State) bool) error {
			return q.scan(ctx, false, func(m jetstream.Msg) error {
				if !want(State(m.Headers().Get(headerState))) {
					return nil
				}
				r, err := q.openRecord(lastToken(m.Subject()), m.Headers(), m.Data(), 0)
				if err != nil {
					return err
				}
				if !yield(r.Result, nil) {
					return stopped
				}
				return nil
			})
		}
		wanted := func(s State) bool { return len(states) == 0 || slices.Contains(states, s) }
		var err error
		if wanted(Unknown) {
			err = pass(func(s State) bool { return s == Unknown })
		}
		if err == nil {
			err = pass(func(s State) bool { return s != Unknown && wanted(s) })
		}
		if err != nil && !errors.Is(err, stopped) {
			yield(Result{}, err)
		}
	}
}

// Lookup returns what is known of the job with a number, in a space such as "refund" (fact.MerchantNumber), or "POST
// /v3/…" for an operation whose numbers the catalogue does not know. ok is false if it was never submitted.
func (q *Queue) Lookup(ctx context.Context, space, number string) (result Result, ok bool, err error) {
	r, err := q.record(ctx, q.digests.digest("job", q.client.Identity(), space, number))
	if r == nil {
		return Result{}, false, err
	}
	return r.Result, true, err
}

// scan reads the records that there are when it begins.
func (q *Queue) scan(ctx context.Context, headersOnly bool, each func(jetstream.Msg) error) error {
	return q.read(ctx, q.records, headersOnly, each)
}

// readWait is after how long without a message it is asked whether there are any left.
const readWait = 2 * time.Second

// read reads what there is in a stream when it begins.
func (q *Queue) read(ctx context.Context, s jetstream.Stream, headersOnly bool, each func(jetstream.Msg) error) error {
	var c jetstream.Consumer
	var last, pending uint64
	if err := q.engine.ride(ctx, rideSetup, func(ctx context.Context) error {
		stream, err := s.Info(ctx)
		if err != nil {
			return err
		}
		if c, err = s.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{HeadersOnly: headersOnly, InactiveThreshold: time.Minute}); err != nil {
			return err
		}
		consumer, err := c.Info(ctx)
		if errors.Is(err, jetstream.ErrConsumerNotFound) { // who made it is another server than who answers
			return nats.ErrTimeout
		}
		if err != nil {
			return err
		}
		last, pending = stream.State.LastSeq, consumer.NumPending
		return nil
	}); err != nil {
		return fmt.Errorf("fleet: reading records: %w", q.engine.explain(err))
	}
	// It would go by itself, after a minute of silence.
	defer func() {
		ctx, cancel := q.asking(context.WithoutCancel(ctx))
		defer cancel()
		_ = s.DeleteConsumer(ctx, c.CachedInfo().Name)
	}()
	if pending == 0 {
		return nil
	}
	messages, err := c.Messages()
	if err != nil {
		return fmt.Errorf("fleet: reading records: %w", q.engine.explain(err))
	}
	defer messages.Stop()
	for {
		one, cancel := context.WithTimeout(ctx, readWait)
		m, err := messages.Next(jetstream.NextContext(one))
		cancel()
		if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil { // what was still to come may have been removed meanwhile
			var left uint64
			if err = q.engine.ride(ctx, askMost, func(ctx context.Context) error {
				info, err := c.Info(ctx)
				switch {
				case err == nil:
					left = info.NumPending
				case errors.Is(err, jetstream.ErrConsumerNotFound): // it went with its server, and makes itself again
					return nats.ErrTimeout
				}
				return err
			}); err == nil && left == 0 {
				return nil
			}
			if err == nil {
				continue
			}
		}
		if err != nil {
			return fmt.Errorf("fleet: reading records: %w", q.engine.explain(err))
		}
		meta, err := m.Metadata()
		if err != nil {
			return err
		}
		if meta.Sequence.Stream <= last {
			if err := each(m); err != nil {
				return err
			}
		}
		if meta.Sequence.Stream >= last || meta.NumPending == 0 {
			return nil
		}
	}
}

// Retry queues again the jobs that stand at one of states, which are Unknown and Refused; without states it takes the
// unknown. It returns how many those are. A job whose outcome is unknown is resolved rather than sent: its worker goes on by
// Chain.SentBefore, as [Worker] tells. One that was refused is sent again as it was, which helps only if the reason is gone; but
// not if it has an order, because its turn has passed.
func (q *Queue) Retry(ctx context.Context, states ...State) (int, error) {
	if len(states) == 0 {
		states = []State{Unknown}
	}
	for _, s := range states {
		if s != Unknown && s != Refused {
			return 0, fmt.Errorf("fleet: jobs that are %s cannot be retried: only unknown and refused ones can", s)
		}
	}
	count := 0
	err := q.read(ctx, q.dead, false, func(m jetstream.Msg) error {
		if !slices.Contains(states, State(m.Headers().Get(headerState))) {
			return nil
		}
		meta, err := m.Metadata()
		if err != nil {
			return err
		}
		var done bool
		err = q.engine.insist(ctx, func() (err error) {
			done, err = q.revive(ctx, lastToken(m.Subject()), m, meta.Sequence.Stream)
			return err
		})
		if done {
			count++
		}
		return err
	})
	if err != nil || !slices.Contains(states, Unknown) {
		return count, err
	}
	err = q.engine.insist(ctx, func() error {
		lanes, err := q.unblock(ctx)
		count += lanes
		return err
	})
	return count, err
}

// again makes a record that has ended one that waits.
func (q *Queue) again(ctx context.Context, key string, r *record) error {
	next := *r
	next.Doubt = r.doubted()
	// What was answered stays until there is another answer: it is what support asks for.
	next.Result.State, next.Ended, next.Claim, next.Attempts = Waiting, time.Time{}, q.claim(), 0
	err := q.replace(ctx, key, &next)
	*r = next
	return err
}

// revive queues a dead job again.
func (q *Queue) revive(ctx context.Context, key string, m jetstream.Msg, seq uint64) (bool, error) {
	r, err := q.record(ctx, key)
	if err == nil && r == nil { // it was given up for its age
		r, err = q.exhumed(key, m)
	}
	if err != nil || r.Lane != "" {
		return false, err
	}
	switch {
	case r.State == Unknown || r.State == Refused:
		if err := q.again(ctx, key, r); errors.Is(err, ErrMoved) {
			return false, nil
		} else if err != nil {
			return false, err
		}
	case r.State == Waiting: // a retry that broke off here
	case r.State.Ended(): // kept by a worker that was broken off before it wrote that down; another one has ended the job
		return false, q.unbury(ctx, key)
	default:
		return false, nil
	}
	job := &nats.Msg{Subject: q.jobSubject(key), Data: m.Data(), Header: nats.Header{headerVersion: m.Headers()[headerVersion], headerRetry: {strconv.FormatUint(r.seq, 10)}}}
	for deadline := time.Now().Add(retryWait); ; {
		// By its id a leader tells what is stored from what is on its way to the other copies, and may be lost with it.
		_, err := q.publish(ctx, job, jetstream.WithMsgID(key+".retry."+job.Header.Get(headerRetry)))
		if err == nil {
			return true, q.deleteDead(ctx, seq)
		}
		if !subjectFull(err) {
			return false, fmt.Errorf("fleet: queueing a job again: %w", q.engine.explain(err))
		}
		// The message that is there is of this retry, which broke off here, or its worker is about to take it off the queue. If it has
		// died before that the message comes again, and the record says what to do. What is kept stays for a worker that is slow.
		have, err := q.jobMessage(ctx, key)
		if err != nil {
			return false, err
		}
		if have != nil && have.Header.Get(headerRetry) == job.Header.Get(headerRetry) {
			return true, q.deleteDead(ctx, seq)
		}
		if time.Now().After(deadline) || !sleep(ctx, 20*time.Millisecond) {
			return true, context.Cause(ctx)
		}
	}
}

// exhumed is the record of a dead job, as far as the job tells.
func (q *Queue) exhumed(key string, m jetstream.Msg) (*record, error) {
	job, submitted, err := q.openJob(key, m.Headers(), m.Data())
	if err != nil {
		return nil, err
	}
	r := q.newRecord(job, submitted)
	r.State, r.Ended = State(m.Headers().Get(headerState)), time.Now()
	r.Held, _ = strconv.ParseBool(m.Headers().Get(headerHeld))
	return r, nil
}

// retryWait is how long a retry waits for a worker that has stored how a job ended to take it off the queue.
const retryWait = 2 * time.Second

// jobMessage returns the message of a job, nil if there is none.
func (q *Queue) jobMessage(ctx context.Context, key string) (*jetstream.RawStreamMsg, error) {
	ctx, cancel := q.asking(ctx)
	defer cancel()
	m, err := q.jobs.GetLastMsgForSubject(ctx, q.jobSubject(key))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("fleet: reading a job: %w", q.engine.explain(err))
	}
	return m, nil
}

// remove removes a message, if it is there. Package jetstream passes on in words alone that it is not.
func (q *Queue) remove(ctx context.Context, s jetstream.Stream, seq uint64) error {
	err := s.DeleteMsg(ctx, seq)
	if err == nil {
		return nil
	}
	if _, missing := s.GetMsg(ctx, seq); errors.Is(missing, jetstream.ErrMsgNotFound) {
		return nil
	}
	return err
}

// deleteDead removes one message of those that are kept for a retry.
func (q *Queue) deleteDead(ctx context.Context, seq uint64) error {
	ctx, cancel := q.asking(ctx)
	defer cancel()
	if err := q.remove(ctx, q.dead, seq); err != nil {
		return fmt.Errorf("fleet: removing what was kept for a retry: %w", q.engine.explain(err))
	}
	return nil
}

// unbury removes what was kept for a retry of a job that needs none any more.
func (q *Queue) unbury(ctx context.Context, key string) error {
	ctx, cancel := q.asking(ctx)
	defer cancel()
	if err := q.dead.Purge(ctx, jetstream.WithPurgeSubject(q.deadSubject(key))); err != nil {
		return fmt.Errorf("fleet: removing what was kept for a retry: %w", q.engine.explain(err))
	}
	return nil
}

// unblock has the unknown heads of lanes resolved.
func (q *Queue) unblock(ctx context.Context) (int, error) {
	ask, answered := context.WithTimeout(ctx, rideSetup)
	defer answered()
	info, err := q.lanes.Info(ask, jetstream.WithSubjectFilter(q.laneSubject("*", "*")))
	if err != nil {
		return 0, fmt.Errorf("fleet: listing the lanes: %w", q.engine.explain(err))
	}
	count := 0
	seen := make(map[string]bool)
	for subject := range info.State.Subjects {
		parts := strings.Split(subject, ".")
		lane := parts[len(parts)-2]
		if seen[lane] {
			continue
		}
		seen[lane] = true
		m, err := q.head(ctx, lane)
		if err != nil {
			return count, err
		}
		if m == nil {
			continue
		}
		key := lastToken(m.Subject)
		r, err := q.record(ctx, key)
		if err != nil {
			return count, err
		}
		if r != nil && r.State == Unknown {
			if err := q.again(ctx, key, r); errors.Is(err, ErrMoved) {
				continue
			} else if err != nil {
				return count, err
			}
			count++
		}
		// Also one that waits: whoever changed it may have broken off here.
		if _, err := q.wakeLane(ctx, lane); err != nil {
			return count, err
		}
	}
	return count, nil
}

// Settle ends a job whose outcome is unknown by what somebody has found out about it elsewhere, such as on the platform's pages
// for merchants: it has Succeeded, or it has Failed and nothing of it took effect. What stands behind it in its order goes on.
// It returns [ErrMoved] for a job whose outcome is not unknown, or not any more: Retry may have queued it meanwhile. To settle a
// job again as it was changes nothing.
func (q *Queue) Settle(ctx context.Context, job Result, state State) error {
	if state != Succeeded && state != Failed {
		return fmt.Errorf("fleet: a job cannot be settled as %s: only as succeeded or failed", state)
	}
	key := (&Job{Method: job.Method, Path: job.Path, Number: job.Number}).key(q.digests, q.client.Identity())
	return q.engine.ride(ctx, rideSetup, func(ctx context.Context) error { return q.settleJob(ctx, key, state) })
}

// settleJob is one try of Settle. What an earlier one has begun it brings to its end.
func (q *Queue) settleJob(ctx context.Context, key string, state State) error {
	r, err := q.record(ctx, key)
	switch {
	case err != nil:
		return err
	case r == nil || r.State != Unknown && !(r.Settled && r.State == state):
		return fmt.Errorf("%w: its outcome is not unknown", ErrMoved)
	case r.State == Unknown:
		next := *r
		next.State, next.Settled, next.Ended, next.Claim = state, true, time.Now(), q.claim()
		if err := q.replace(ctx, key, &next); errors.Is(err, ErrMoved) {
			return ErrMoved
		} else if err != nil {
			return err
		}
	}
	if r.Lane == "" {
		return q.unbury(ctx, key)
	}
	_, err = q.wakeLane(ctx, r.Lane)
	return err
}
