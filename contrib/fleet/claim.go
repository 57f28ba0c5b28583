package fleet

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/wxpay-go/wxpay"
)

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

// ErrKeptBack is the error that an observer sees of a request that was not sent although the limit
// let it through: its job's time was over, or the queue was paused meanwhile.
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
	r.unread.clear()
	seq, _ := strconv.ParseUint(c.header.Get(headerRecord), 10, 64)
	c.rec = r.newRecord(c.job, c.submitted, c.header.Get(headerRun))
	c.rec.seq = seq
	return nil
}

// begin writes down that the job has begun, before anything of it is sent; asking says that it is
// no more than a query for what became of it. The first error is the last, too: the job is not this
// worker's then.
func (r *running) begin(ctx context.Context, c *claim, asking bool) error {
	if c.begun != nil || c.began && (asking || !c.rec.Asking) {
		return c.begun
	}
	next := *c.rec
	next.Claim, next.Asking = r.claim(), asking
	next.Held = r.OnUnknown == wxpay.Hold || r.OnUnknown == 0 && next.Held
	if !c.began {
		next.State, next.Begun, next.Doubt, next.NotBefore = Begun, time.Now(), c.doubt, time.Time{}
		next.Deliveries++
	}
	if c.begun = r.replace(ctx, c.key, &next); c.begun == nil {
		*c.rec, c.began = next, true
	}
	return c.begun
}

// adopt goes on from what the record of a job tells, which its worker is the only one to have in
// hand now.
func (c *claim) adopt(have *record, now time.Time) {
	c.rec, c.doubt = have, have.Doubt
	if have.State == Begun && !have.Asking { // the worker that began it may have sent it until just now
		c.doubt = now
	}
}
