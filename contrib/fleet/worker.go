package fleet

import (
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/wxcode"
)

// Worker carries out the jobs of a queue. Any number of them, in any number of processes, work on
// one queue; what they do together is bounded by QueueConfig.InFlight and by the [Limiter] that
// their clients share. The zero value with a Queue is useful.
//
// A worker takes a job, writes down that it has begun, calls Chain.Ensure, writes down the result,
// and only then takes the job off the queue. So nothing is lost when it dies at any moment. A job
// that it had begun comes to another worker, which does not know whether it was sent, and goes on
// by Chain.SentBefore:
//
//   - Where the platform can be asked (orders, refunds, transfers, profit sharing), it is asked
//     first. The job is carried out once.
//   - Where a repeat is documented or assumed to be harmless (member feeds), it is repeated with the
//     same number: at least once, and once where the platform keeps numbers apart. OnUnknown =
//     wxpay.Hold makes it at most once: it is not repeated, and its outcome is unknown.
//   - Everything else is not repeated: at most once. Its outcome is unknown.
//
// A job counts as begun from before it waits for the limit, unless the client's limiter is wrapped
// by [Marking].
type Worker struct {
	// Queue is what it works on.
	Queue *Queue
	// Calls is how many jobs it has in hand at once; the default is 16. Those of all workers,
	// divided by the rate of the limit, have to be well below wxpay.WithTimeout (30 s by default).
	// At 5 a second 64 calls wait for 13 s, and some of them for three times that. A job that waits
	// longer than the time-out is given back unsent, and comes again.
	Calls int
	// Patience is how long it tries to find out what became of a job before the outcome is Unknown;
	// the default is 10 minutes.
	Patience time.Duration
	// Grace is how long jobs in hand may take to end after Run was told to stop; the default is 20
	// s. That is no more than one attempt, since a job waits for its next step in the engine. A job
	// that takes longer is broken off and comes to another worker, in doubt.
	Grace time.Duration
	// OnUnknown replaces what Chain.Ensure does about a doubt; see wxpay.Chain.OnUnknown. Zero
	// leaves it to the facts, except for jobs that a worker with wxpay.Hold has begun: those stay
	// held.
	OnUnknown wxpay.UnknownPolicy
	// UntilFinal makes it wait until the platform states an end; see wxpay.Chain.UntilFinal.
	UntilFinal bool
	// Select lists the fields of responses that go into results, by gjson path.
	Select []string
	// OwnCodes lists codes that concern the job although they are known to concern the merchant:
	// such a rejection is then the job's result, and pauses nothing. For example NO_AUTH, where one
	// queue serves brands of which some did not authorise.
	OwnCodes []wxcode.Code
	// Marked says that the client's limiter is wrapped by Marking. Then a job counts as begun, or
	// as no more than asked for, only when the limit has let that through. A worker that has lost
	// a job notices before each request then, and otherwise within a sixth of the lease.
	Marked bool
	// Name is what the worker is called where workers are listed, and where one steps aside; the
	// default is the name of the host. Workers with one name are taken for one host: of what one
	// met the others are no witnesses.
	Name string
	// OnResult is told of each result after it was stored, by several goroutines at once.
	OnResult func(Result)
	// OnError is told of what a worker met that is no result: the engine not reached, a job that
	// this version cannot read. It may be called often, by several goroutines at once. The worker
	// goes on by itself.
	OnError func(error)
	// OnNotice is told in words what concerns the queue as a whole, by several goroutines at once:
	// that it was paused or resumed and by whom, and that this worker steps aside or works again.
	OnNotice func(string)
}
