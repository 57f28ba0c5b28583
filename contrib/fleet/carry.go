package fleet

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// take carries out one message.
func (r *running) take(ctx context.Context, msg *delivery) {
	ctx, h := r.leases.hold(ctx, msg)
	defer h.release() // also when code given to the client ends the goroutine
	end := r.carried(ctx, h)
	lane, name := r.isToken(msg.Subject()), lastToken(msg.Subject())
	if errors.Is(context.Cause(ctx), errLease) && !end.done || lane && h.check() != nil {
		end.left = true // to give it back, or take its token off the queue, would take it from the worker that has it now
	}
	h.release() // before it is given back, or it would be renewed after that
	switch {
	case end.left:
	case end.done && !lane:
		_ = msg.Ack()  // if that is lost it comes again, and its record says that it has ended
		r.observe(end) // not before: who retries the job meanwhile could not queue it again
	case end.done:
		r.trouble(r.leaveLane(ctx, msg, name))
	default:
		_ = msg.NakWithDelay(end.again)
	}
}

// carried is carryMessage, also where code given to the client panics. Then the message is given
// back: whether the job has begun stands in its record.
func (r *running) carried(ctx context.Context, h *hold) (end ending) {
	end.again = pauseAfter(h.msg.deliveries())
	defer r.caught("code given to the client")
	return r.carryMessage(ctx, h)
}

// carryMessage carries out what a message in hand stands for.
func (r *running) carryMessage(ctx context.Context, h *hold) ending {
	if h.check() != nil { // this process stood still while it came
		return ending{left: true}
	}
	if r.still() {
		return ending{}
	}
	deliveries := h.msg.deliveries()
	var end ending
	var err error
	if name := lastToken(h.msg.Subject()); r.isToken(h.msg.Subject()) {
		end, err = r.lane(ctx, h, name, deliveries)
	} else {
		end, err = r.carry(ctx, &claim{
			hold: h, key: name, sealed: h.msg.Data(), header: h.msg.Headers(), deliveries: deliveries,
			// An embedded engine that is opened again delivers everything for the first time.
			untouched: deliveries == 1 && h.msg.Headers().Get(headerRetry) == "" && r.engine.server == nil,
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

// leaveLane takes the token of a lane off the queue, and puts it back if the lane can go on.
// Something may have joined the lane after it was seen empty and before its token went, or somebody
// settled what held it up.
func (r *running) leaveLane(ctx context.Context, msg *delivery, lane string) error {
	if err := r.removeToken(ctx, msg); err != nil {
		return err
	}
	_, err := r.wakeLane(context.WithoutCancel(ctx), lane)
	return err
}

// removeToken takes the token of a lane off the queue, and waits until that is so. In a cluster
// that takes two leaders: that of the consumer knows that it is acknowledged before that of the
// stream has removed it, which refuses another one until then.
func (r *running) removeToken(ctx context.Context, msg *delivery) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.lease/2)
	defer cancel()
	err := msg.DoubleAck(ctx)
	var meta *jetstream.MsgMetadata
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
	return fmt.Errorf("fleet: taking a lane off the queue: %w", r.engine.Explain(err)) // it comes again, or is missed by sweep
}

// laneTurn is how many jobs of a lane one worker carries out before others get their turn.
const laneTurn = 100

// lane carries out the jobs of a lane, one after another.
func (r *running) lane(ctx context.Context, h *hold, lane string, deliveries int) (ending, error) {
	for turn := range laneTurn {
		if r.still() || ctx.Err() != nil {
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
			untouched: turn > 0, // an earlier holder of the token came no further than to the first
		})
		r.observe(end)
		if err != nil || !end.done || end.stuck {
			return end, err
		}
		if err := r.remove(ctx, r.lanes, m.Sequence); err != nil {
			return ending{}, fmt.Errorf("fleet: taking a job out of its lane: %w", r.engine.Explain(err))
		}
	}
	return ending{}, nil
}

// carry carries out one job and stores its result.
func (r *running) carry(ctx context.Context, c *claim) (ending, error) {
	if err := r.open(c); err != nil {
		return ending{}, err
	}
	now := time.Now()
	late := c.job.stale(now)
	if c.deliveries > 1 || late || c.lane || c.header.Get(headerRetry) != "" || r.mayBeOlder(c.rec.seq) || r.age > 0 && now.Sub(c.submitted) > r.age/2 {
		// Else nobody can have begun it, or storing that this worker has fails.
		c.looked = true
		switch have, err := r.record(ctx, c.key); {
		case err != nil:
			return ending{}, err
		case have == nil: // it was given up for its age, and with it what it told
			if !c.untouched || r.mayBeOlder(c.rec.seq) {
				c.doubt, c.rec.Held = now, true // the worker that began it may have been told to
			}
			c.rec.seq = 0
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
	if wait := c.rec.NotBefore.Sub(now); wait > 0 && wait <= waitMost { // else a clock is wrong
		return ending{again: wait}, nil // the server has forgotten how long it was to wait
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
	// If the store cannot record that the job has begun, waiting and trying again, as Chain.Ensure
	// would, is of no use.
	ctx, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	ctx = context.WithValue(ctx, claimKey{}, &admission{stopping: r.stopping, stop: func() { giveUp(errStopped) }, mark: func(ctx context.Context, method string) error {
		if !c.began && r.still() { // since it waits for the limit
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
	}})
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
		r.end(errStray)
	}
	return end, err
}

// waitMost is above the longest wait for a job's next step.
const waitMost = 2 * time.Minute

// errStray ends a worker that makes calls without writing that down before.
var errStray = errors.New("fleet: Worker.Marked is set, but calls go out past Marking: wrap the limiter of the queue's client (wxpay.WithLimiter(fleet.Marking(limiter))), or leave Marked out")

// moved is the end of a job that another process has changed, or that could not be begun. That
// process may be at work on it, so its message is left to come again when the lease ends. In an
// embedded engine that was just opened no other is: all that it delivered before seems to be
// delivered for the first time then, and its records were not looked at.
func (r *running) moved(c *claim, err error) (ending, error) {
	switch {
	case !errors.Is(err, ErrMoved):
		return ending{}, err
	case r.engine.server != nil && !c.looked:
		return ending{again: time.Second}, nil
	}
	return ending{left: true}, nil
}
