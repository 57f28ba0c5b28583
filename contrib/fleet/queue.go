package fleet

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxpay-go/wxpay"
)

// Errors of a queue.
var (
	// ErrSettings means that a stream, bucket or consumer of the queue's name exists with other
	// settings, or that the queue belongs to another merchant or another platform. Nothing was
	// changed.
	ErrSettings = errors.New("fleet: the queue exists with other settings")
	// ErrConflict means that a number was submitted before with another request. The one in hand
	// was not queued.
	ErrConflict = errors.New("the number stands for another request")
	// ErrMoved means that a job does not stand any more where it did when it was read: somebody
	// else was faster. Nothing was changed.
	ErrMoved = errors.New("fleet: the job does not stand there any more")
	// ErrNoQueue means that there is no queue of the name, or that a process died while it made it,
	// and that it is not to be made: see QueueConfig.Existing and QueueConfig.Client. Nothing was
	// made.
	ErrNoQueue = errors.New("fleet: there is no such queue")
	// ErrNoClient means that the queue was opened without a client, and cannot take or carry out
	// jobs.
	ErrNoClient = errors.New("fleet: the queue was opened without a client: set QueueConfig.Client")
)

// Queue is a queue of jobs with their results, kept in JetStream: five streams and a bucket.
//
//	NAME-jobs      work queue: one message for each job that waits or runs, removed when it has
//	               ended; and one for each order with jobs in NAME-lanes
//	NAME-lanes     the jobs that have an order, until they have ended
//	NAME-records   what is known of each job, its result in the end
//	NAME-dead      jobs that were refused, and those whose outcome is unknown, with all that is
//	               needed to retry them
//	NAME-runs      which jobs were given to each submission
//	NAME-control   settings, and whether the queue is paused or closed
//
// Bodies, numbers and fields of responses are sealed under the operator's keys ([Keys]); states and
// codes are not. The records in NAME-records keep a job from being carried out twice, however late
// it is submitted again. Give the stream a MaxAge only if no older file can come back, and a longer
// one than any job waits or has an unknown outcome. A job without its record counts as one that may
// have been sent. A queue is safe for concurrent use.
type Queue struct {
	engine *Engine
	client *wxpay.Client // nil if it is only looked at and steered

	identity string // whose it is
	keys     *Keys
	name     string
	by       string // this process, where others read who did something
	lease    time.Duration
	hands    int
	digests  digester

	async                jetstream.JetStream // its publishes are bounded
	jobs, lanes, records jetstream.Stream
	dead, runs           jetstream.Stream
	consumer             jetstream.Consumer
	control              jetstream.KeyValue
	ledger               ledger
	untold               untold
	loss                 atomic.Pointer[loss] // the last one that was accepted
	age                  time.Duration        // after which records are given up, zero for never
}

// InFlight is how many jobs, or sequences of jobs with one order, all workers together have in
// hand, or wait for their next step, at once: what QueueConfig.InFlight said when the queue was
// made.
func (q *Queue) InFlight() int { return q.hands }

// Subjects of the queue.
func (q *Queue) jobSubject(key string) string { return q.name + ".job.one." + key }

func (q *Queue) tokenSubject(lane string) string { return q.name + ".job.lane." + lane }

func (q *Queue) laneSubject(lane, key string) string { return q.name + ".lane." + lane + "." + key }

func (q *Queue) recordSubject(key string) string { return q.name + ".record." + key }

func (q *Queue) deadSubject(key string) string { return q.name + ".dead." + key }

// lastToken is the part of a subject behind its last dot.
func lastToken(subject string) string { return subject[strings.LastIndexByte(subject, '.')+1:] }

// claim names one undertaking of this process, for telling its records from others'.
func (q *Queue) claim() string { return fmt.Sprintf("%s-%d", processID, claims.Add(1)) }

// A process may open a queue more than once.
var (
	processID = rand.Text()
	claims    atomic.Uint64
)

// asking returns the context of one question. If it can be, several fit into the time that a worker
// has before its lease ends.
func (q *Queue) asking(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, min(max(q.lease/8, askLeast), askMost))
}

// publish stores a message, in one try.
func (q *Queue) publish(ctx context.Context, m *nats.Msg, opts ...jetstream.PublishOpt) (*jetstream.PubAck, error) {
	ctx, cancel := q.asking(ctx)
	defer cancel()
	return q.engine.js.PublishMsg(ctx, m, opts...)
}
