package fleet

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/middleware"
)

// limitBucket is the key-value bucket of the shared limits.
const limitBucket = "wxpay-limits"

// Limiter is a [middleware.Limiter] for all processes that use one engine: give it to
// wxpay.WithLimiter in each. As middleware.Limits does, it counts by operation and the number that
// signs, and keeps the documented rates unless a rule says otherwise. It does not hold back calls
// that have neither.
//
// A key-value bucket holds when the next token of each operation falls due (GCRA), and is changed
// by compare-and-set. Tokens are reserved up to a second ahead, at most a twentieth of the rate at
// once and no more than callers wait. They fall due one by one, 1.02 s divided by the rate apart;
// there is no burst. One that is not used within 100 ms is dropped, so that nothing is saved up. A
// process that dies wastes what it had reserved, a second's worth at most.
//
// Times are those of the server that leads the bucket; each process reads that clock every 30 s.
// Its own clock and its settings do not matter. A reading that takes longer than 100 ms is not good
// enough, and a limiter without a good one behaves as if the bucket could not be reached.
//
// So within any second, as seen when requests are let through, no more begin than the rate says
// while tokens are used on time. Late use and wrong clocks together can add 18 % and one request,
// at worst. When the bucket changes its leader to a machine whose clock is ahead by d, that may
// once add the tokens of d, a second's at most. Keep the servers' clocks together (NTP). When its
// clock goes back by more than a minute nothing is let through for a minute, until every process
// has read it.
//
// While the bucket cannot be reached, requests wait, for as long as their context lasts; see
// [WithFallback] for another way. It is safe for concurrent use, and remembers a few hundred bytes
// for each operation that was called.
type Limiter struct {
	store   paceStore
	clock   sharedClock
	rules   []middleware.Rule
	workers int

	mu    sync.Mutex
	paces map[middleware.LimitKey]*pace
}

var _ middleware.Limiter = (*Limiter)(nil)

// LimiterOption changes what [NewLimiter] does.
type LimiterOption func(*Limiter) error

// WithRules puts rules of your own before the documented rates; the first that fits an operation
// counts. Give the same to all processes. InFlight cannot be shared and is an error here.
func WithRules(rules ...middleware.Rule) LimiterOption {
	return func(l *Limiter) error {
		for _, r := range rules {
			if r.InFlight != 0 {
				return fmt.Errorf("fleet: the rule for %s %s limits requests in flight, which is not shared: MaxAckPending does that for a fleet, middleware.Limits for one process", r.Method, r.Template)
			}
			if r.PerSecond < 0 {
				return fmt.Errorf("fleet: the rule for %s %s has a negative rate", r.Method, r.Template)
			}
		}
		l.rules = append(l.rules, rules...)
		return nil
	}
}

// WithFallback lets requests through while the bucket cannot be reached, at the rate divided by
// workers, the largest number of processes that ever share it (at least 1). If all are cut off,
// they keep the rate together, on average. If only some are, the others do not know, and the sum
// can come near twice the rate, which the platform answers with 429. Without this option requests
// wait, which is right for the workers of a queue: it could not be reached either.
func WithFallback(workers int) LimiterOption {
	return func(l *Limiter) error {
		if workers < 1 {
			return fmt.Errorf("fleet: WithFallback(%d): at least one process is needed", workers)
		}
		l.workers = workers
		return nil
	}
}

// NewLimiter returns a limiter on the engine's bucket, which it makes if there is none. e must stay
// open while it is used.
func NewLimiter(ctx context.Context, e *Engine, opts ...LimiterOption) (*Limiter, error) {
	l := &Limiter{paces: map[middleware.LimitKey]*pace{}}
	for _, opt := range opts {
		if err := opt(l); err != nil {
			return nil, err
		}
	}
	var bucket jetstream.KeyValue
	if err := e.ride(ctx, rideSetup, func(ctx context.Context) (err error) {
		bucket, err = e.js.KeyValue(ctx, limitBucket)
		if errors.Is(err, jetstream.ErrBucketNotFound) {
			bucket, err = e.js.CreateKeyValue(ctx, jetstream.KeyValueConfig{
				Bucket: limitBucket, Description: "when the next request of each operation may begin", Replicas: e.replicas,
			})
			if errors.Is(err, jetstream.ErrBucketExists) { // another process was first
				bucket, err = e.js.KeyValue(ctx, limitBucket)
			}
		}
		return err
	}); err != nil {
		return nil, fmt.Errorf("fleet: the bucket of the shared limits: %w", e.Explain(err))
	}
	l.store = &bucketStore{conn: e.js.Conn(), bucket: bucket}
	l.clock.store = l.store
	return l, nil
}

// Acquire waits for a token; see [middleware.Limiter]. A caller that would have to wait past the
// deadline of ctx is refused as soon as that is known.
func (l *Limiter) Acquire(ctx context.Context, key middleware.LimitKey, documented fact.Rate) (func(), error) {
	if p := l.pace(key, documented); p != nil {
		if _, err := p.wait(ctx); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// pace returns the limit of key, nil for none.
func (l *Limiter) pace(key middleware.LimitKey, documented fact.Rate) *pace {
	l.mu.Lock()
	defer l.mu.Unlock()
	if p, ok := l.paces[key]; ok {
		return p
	}
	perSecond := documented.PerSecond
	for _, r := range l.rules {
		if (r.Method == "" || r.Method == key.Method) && (r.Template == "" || r.Template == key.Template) {
			perSecond = r.PerSecond
			break
		}
	}
	var p *pace
	if perSecond > 0 {
		p = newPace(limitKey(key), perSecond, l.workers, l.store, &l.clock)
	}
	l.paces[key] = p
	return p
}

// limitKey is the key in the bucket. Keys there know few characters and templates many.
func limitKey(key middleware.LimitKey) string {
	sum := sha256.Sum256([]byte(key.Identity + "\n" + key.Method + "\n" + key.Template))
	return hex.EncodeToString(sum[:16])
}

// bucketStore is a paceStore on a key-value bucket.
type bucketStore struct {
	conn   *nats.Conn
	bucket jetstream.KeyValue
}

// limitState is the value of a key.
type limitState struct {
	Next time.Time `json:"next"`
}

func (s *bucketStore) Load(ctx context.Context, key string) (time.Time, uint64, error) {
	if err := s.reachable(); err != nil {
		return time.Time{}, 0, err
	}
	entry, err := s.bucket.Get(ctx, key)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return time.Time{}, 0, nil
	}
	if err != nil {
		return time.Time{}, 0, err
	}
	var state limitState
	if err := json.Unmarshal(entry.Value(), &state); err != nil {
		return time.Time{}, 0, fmt.Errorf("the entry %s of the bucket %s is not one of a limit: %w", key, limitBucket, err)
	}
	return state.Next, entry.Revision(), nil
}

func (s *bucketStore) Save(ctx context.Context, key string, next time.Time, revision uint64) (uint64, error) {
	value, err := json.Marshal(limitState{next.UTC()})
	if err != nil {
		return 0, err
	}
	if revision == 0 { // there is none, or somebody has deleted it
		revision, err = s.bucket.Create(ctx, key, value)
	} else {
		revision, err = s.bucket.Update(ctx, key, value, revision)
	}
	if errors.Is(err, jetstream.ErrKeyRevisionMismatch) || errors.Is(err, jetstream.ErrKeyExists) {
		return 0, errPaceConflict
	}
	return revision, err
}

// Clock asks for the state of the bucket's stream, which the leader answers with its time.
func (s *bucketStore) Clock(ctx context.Context) (time.Time, error) {
	if err := s.reachable(); err != nil {
		return time.Time{}, err
	}
	status, err := s.bucket.Status(ctx)
	if err != nil {
		return time.Time{}, err
	}
	return status.(*jetstream.KeyValueBucketStatus).StreamInfo().TimeStamp, nil
}

// reachable spares a request that would only wait for its time to be over.
func (s *bucketStore) reachable() error {
	if !s.conn.IsConnected() {
		return fmt.Errorf("the connection is %s", s.conn.Status())
	}
	return nil
}
