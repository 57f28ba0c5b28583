package fleet

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/contrib/fleet/internal/jserror"
)

// A chunk of jobs is prepared by one goroutine.
const (
	chunkJobs  = 128
	chunkBytes = 1 << 20
)

// submitting is one Submit. Chunks go through it in order: read, prepared in parallel, reserved,
// queued, counted.
type submitting struct {
	*Queue
	in     Intake
	ctx    context.Context
	cancel context.CancelCauseFunc
	count  Submission
	run    *Run
	keys   []byte // of jobs that are not stored as its own yet
	loss   *loss  // the last one that was accepted before it began
	// The last job of each lane among those that may not be stored yet, in two generations of
	// chunks. They are for queue.
	lanesNow, lanesBefore map[string]*item
	chunks                int
}

// laneChunks is after how many chunks a generation ends: more than there can be between queue and
// finish.
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
	corrects bool // what was refused
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

// broken ends the submission for a panic in code of the user's, or because it ended its goroutine,
// where there is none.
func (s *submitting) broken(where string, panicked any) {
	err := errors.New("it ended its goroutine (runtime.Goexit)")
	if panicked != nil {
		err = &wxpay.PanicError{Value: panicked, Stack: debug.Stack()}
	}
	s.cancel(fmt.Errorf("fleet: %s: %w", where, err))
}

// asFirst publishes a record only if there is none under its key.
var asFirst = jetstream.WithExpectLastSequencePerSubject(0)

// settle waits until a job that was queued is stored.
func (s *submitting) settle(it *item) error {
	it.settling.Do(func() {
		ack, err := s.wait(it.ack)
		known := jserror.SubjectFull(err) || err == nil && ack.Duplicate
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

// wait waits for the acknowledgement of a message. One that the engine does not give, because a
// server died or a leader is elected, is asked for by publishing the message again: that changes
// nothing when it is there already.
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
	if err == nil || jserror.WrongSequence(err) && !jserror.InProcess(err) || jserror.SubjectFull(err) {
		return ack, err
	}
	return nil, s.trouble(err)
}

func (s *submitting) trouble(err error) error {
	if s.ctx.Err() != nil {
		return context.Cause(s.ctx)
	}
	return fmt.Errorf("fleet: submitting: %w (what was counted is queued; submit all of it again to go on, nothing is queued twice)", s.engine.Explain(err))
}
