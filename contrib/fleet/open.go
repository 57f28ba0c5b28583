package fleet

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/contrib/fleet/internal/jserror"
	"github.com/wxpay-go/wxpay/fact"
)

// QueueConfig says what a queue is.
type QueueConfig struct {
	// Name divides the queues of one engine: letters, digits, - and _, at most 32. The default is
	// "wxpay".
	Name string
	// Existing keeps OpenQueue from making a queue that is not there: see [ErrNoQueue].
	Existing bool
	// Client is who calls. A queue belongs to one merchant or brand; jobs are checked by its client
	// before they are queued, as strictly as wxpay.WithPreflight says. Without a client the queue,
	// which has to be there, is opened as it stands, and nothing is made or changed. It can be
	// looked at and steered, and needs no key of the merchant for that. Submit and Worker.Run
	// return [ErrNoClient] then.
	Client *wxpay.Client
	// Moved lets the queue go on at another address than before (Client.BaseURL), which must lead
	// to the same platform. Without it that is ErrSettings: what a rehearsal did at a sandbox is
	// not done, and the queue would say that it is. The addresses of the platform itself count as
	// one.
	Moved bool
	// Keys seal what is stored.
	Keys *Keys
	// InFlight is how many jobs all workers together have in hand, or hold until their next step, at
	// once; a sequence of jobs with one order counts as one (the consumer's MaxAckPending). Each takes
	// 0.4 kB of the server's memory. It is taken when the queue is made, and in an embedded engine
	// whenever it is opened first; the default is 100,000.
	InFlight int
	// Lease is how long a worker that is silent keeps its jobs, at least 2 s. A worker that cannot
	// reach the engine stops its calls before that is over. It is taken as InFlight is; the default
	// is a minute.
	Lease time.Duration
}

var queueName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,32}$`)

// publishAhead bounds the publishes whose acknowledgement has not come yet.
const publishAhead = 4096

// The wait for the acknowledgement of a publish. A cluster that does not give it may have lost the
// message with a leader, so it is published again; an embedded engine needs long when thousands
// wait for a slow disk.
const (
	ackWait        = 30 * time.Second
	ackWaitCluster = 5 * time.Second
)

// duplicateWindow is how long JetStream itself knows a job that was queued again. It is for repeats
// of one publish, on a broken connection; beyond it the records know. It costs the server some 150
// bytes for each job of that time. A server that starts reads all messages of that time, and keeps
// an index of them for minutes. So the window is the shortest there is where no message needs it,
// and in an embedded engine, whose connection does not break.
const (
	duplicateWindow = 20 * time.Second
	noWindow        = 100 * time.Millisecond
)

// settings is what the control bucket keeps of a queue.
type settings struct {
	Version  string `json:"version"`
	Identity string `json:"identity"`
	Secret   []byte `json:"secret"` // of the digests, sealed
	Platform string `json:"platform"`
}

// OpenQueue opens a queue, and makes it if there is none, unless c.Existing is set. e must stay
// open while it is used.
func OpenQueue(ctx context.Context, e *Engine, c QueueConfig) (*Queue, error) {
	if c.Name == "" {
		c.Name = "wxpay"
	}
	if c.InFlight == 0 {
		c.InFlight = 100_000
	}
	if c.Lease == 0 {
		c.Lease = time.Minute
	}
	switch {
	case !queueName.MatchString(c.Name):
		return nil, fmt.Errorf("fleet: the name of the queue is %q, not of letters, digits, - and _, at most 32", c.Name)
	case c.Keys == nil:
		return nil, errors.New("fleet: the queue has no keys: set QueueConfig.Keys (ParseKeys reads them)")
	case c.InFlight < 1:
		return nil, fmt.Errorf("fleet: %d jobs in flight: at least 1 is needed", c.InFlight)
	case c.Lease < 2*time.Second:
		return nil, fmt.Errorf("fleet: the lease is %v, at least 2s are needed", c.Lease)
	}
	q := &Queue{engine: e, client: c.Client, keys: c.Keys, name: c.Name, lease: c.Lease, by: process()}
	if c.Client == nil {
		c.Existing = true
	} else {
		q.identity = c.Client.Identity()
	}
	if err := e.ride(ctx, rideSetup, func(ctx context.Context) error { return q.open(ctx, c) }); err != nil {
		return nil, e.Explain(err)
	}
	if err := q.learnLoss(ctx); err != nil {
		return nil, err
	}
	if e.server != nil {
		if err := q.reconcileOnce(ctx); err != nil {
			return nil, err
		}
		e.resting.Store(q.name, q.rest)
	}
	return q, nil
}

// process names this process to people.
func process() string {
	host, _ := os.Hostname()
	return fmt.Sprintf("%s, process %d", host, os.Getpid())
}

func (q *Queue) open(ctx context.Context, c QueueConfig) (err error) {
	wait, window := ackWait, noWindow
	if q.engine.server == nil {
		wait, window = ackWaitCluster, duplicateWindow
	}
	if q.async, err = jetstream.New(q.engine.js.Conn(), jetstream.WithPublishAsyncMaxPending(publishAhead), jetstream.WithPublishAsyncTimeout(wait)); err != nil {
		return err
	}
	if err := q.openControl(ctx, c.Existing); err != nil {
		return err
	}
	if err := q.settle(ctx, c.Moved); err != nil {
		return err
	}
	for _, s := range []struct {
		to     *jetstream.Stream
		config jetstream.StreamConfig
	}{
		{&q.jobs, jetstream.StreamConfig{
			Name: q.name + "-jobs", Subjects: []string{q.name + ".job.>"}, Retention: jetstream.WorkQueuePolicy,
			Discard: jetstream.DiscardNew, DiscardNewPerSubject: true, Duplicates: window,
		}},
		{&q.lanes, jetstream.StreamConfig{
			Name: q.name + "-lanes", Subjects: []string{q.name + ".lane.>"}, Retention: jetstream.LimitsPolicy,
			Discard: jetstream.DiscardNew, DiscardNewPerSubject: true, Duplicates: window,
		}},
		{&q.records, jetstream.StreamConfig{
			Name: q.name + "-records", Subjects: []string{q.name + ".record.>"}, Retention: jetstream.LimitsPolicy,
			Discard: jetstream.DiscardOld, AllowDirect: q.engine.replicas == 1, // from a follower a record could be an old one
		}},
		{&q.dead, jetstream.StreamConfig{
			Name: q.name + "-dead", Subjects: []string{q.name + ".dead.>"}, Retention: jetstream.LimitsPolicy, Discard: jetstream.DiscardOld,
		}},
		{&q.runs, jetstream.StreamConfig{
			Name: q.name + "-runs", Subjects: []string{q.name + ".run.>"}, Retention: jetstream.LimitsPolicy, Discard: jetstream.DiscardOld,
			MaxMsgsPerSubject: -1,
		}},
	} {
		s.config.MaxMsgsPerSubject = cmp.Or(s.config.MaxMsgsPerSubject, 1)
		s.config.Duplicates = cmp.Or(s.config.Duplicates, noWindow)
		s.config.Storage, s.config.Replicas = jetstream.FileStorage, q.engine.replicas
		if *s.to, err = q.stream(ctx, s.config); err != nil {
			return err
		}
	}
	q.age = q.records.CachedInfo().Config.MaxAge
	return q.consume(ctx, c)
}

// incomplete is the error for a queue that is to be left as it is, and that a process died making.
func (q *Queue) incomplete() error {
	return fmt.Errorf("%w that is complete as %q", ErrNoQueue, q.name)
}

// openControl opens the bucket of settings.
func (q *Queue) openControl(ctx context.Context, existing bool) (err error) {
	bucket := jetstream.KeyValueConfig{Bucket: q.name + "-control", Description: "settings of a queue of wxpay", Replicas: q.engine.replicas}
	q.control, err = q.engine.js.KeyValue(ctx, bucket.Bucket)
	if errors.Is(err, jetstream.ErrBucketNotFound) && !existing {
		q.control, err = q.engine.js.CreateKeyValue(ctx, bucket)
		if errors.Is(err, jetstream.ErrBucketExists) { // another process was first
			q.control, err = q.engine.js.KeyValue(ctx, bucket.Bucket)
		}
	}
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		return fmt.Errorf("%w as %q", ErrNoQueue, q.name)
	}
	if err == nil && q.client != nil {
		err = q.readFromLeader(ctx, bucket.Bucket)
	}
	if err != nil {
		return fmt.Errorf("fleet: the bucket %s-control: %w", q.name, err)
	}
	return nil
}

// readFromLeader reads the bucket of settings from its leader alone: a follower may not have
// heard yet that the queue is paused, or is no longer.
func (q *Queue) readFromLeader(ctx context.Context, bucket string) error {
	s, err := q.engine.js.Stream(ctx, "KV_"+bucket)
	if err != nil {
		return err
	}
	config := s.CachedInfo().Config
	if config.Replicas == 1 || !config.AllowDirect {
		return nil
	}
	config.AllowDirect = false
	if _, err = q.engine.js.UpdateStream(ctx, config); err == nil {
		q.control, err = q.engine.js.KeyValue(ctx, bucket) // which looks where to read
	}
	return err
}

// stream returns a stream, which is made if there is none; one that would not do is an error.
func (q *Queue) stream(ctx context.Context, want jetstream.StreamConfig) (jetstream.Stream, error) {
	s, err := q.engine.js.Stream(ctx, want.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) && q.client == nil {
		return nil, q.incomplete()
	}
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		s, err = q.engine.js.CreateStream(ctx, want)
		if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) { // another process was first
			s, err = q.engine.js.Stream(ctx, want.Name)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("fleet: the stream %s: %w", want.Name, err)
	}
	have := s.CachedInfo().Config
	var differs []string
	add := func(what string, have, want any) {
		if have != want {
			differs = append(differs, fmt.Sprintf("%s is %v instead of %v", what, have, want))
		}
	}
	add("subjects", strings.Join(have.Subjects, " "), strings.Join(want.Subjects, " "))
	add("retention", have.Retention, want.Retention)
	add("storage", have.Storage, want.Storage)
	add("discard", have.Discard, want.Discard)
	add("discard new per subject", have.DiscardNewPerSubject, want.DiscardNewPerSubject)
	add("messages per subject", have.MaxMsgsPerSubject, want.MaxMsgsPerSubject)
	if want.Name != q.name+"-records" { // of which old ones may be given up
		add("age limit", have.MaxAge, time.Duration(0))
	}
	if len(differs) > 0 {
		return nil, fmt.Errorf("%w: the stream %s: %s. Take another name for the queue, or remove the stream if it is not in use", ErrSettings, want.Name, strings.Join(differs, "; "))
	}
	return s, nil
}

// platformOf names the platform behind a base URL. Hosts of WeChat Pay are one platform.
func platformOf(base string) string {
	if u, err := url.Parse(base); err == nil && fact.IsPlatformHost(strings.ToLower(u.Hostname())) {
		return "mch.weixin.qq.com"
	}
	return base
}

// keySettings is where the control bucket keeps the settings.
const keySettings = "settings"

// settingsPlace is what their secret is sealed for.
func (q *Queue) settingsPlace() string { return q.name + " settings" }

// settle reads the settings, or makes them.
func (q *Queue) settle(ctx context.Context, moved bool) error {
	place, platform := q.settingsPlace(), ""
	if q.client != nil {
		platform = platformOf(q.client.BaseURL())
	}
	for {
		entry, err := q.control.Get(ctx, keySettings)
		if errors.Is(err, jetstream.ErrKeyNotFound) && q.client == nil {
			return q.incomplete()
		}
		if errors.Is(err, jetstream.ErrKeyNotFound) {
			if err := q.mustBeNew(ctx); err != nil {
				return err
			}
			secret := make([]byte, 32)
			rand.Read(secret)
			text, err := json.Marshal(settings{Version: recordVersion, Identity: q.identity, Secret: q.keys.Seal(place, secret), Platform: platform})
			if err != nil {
				return err
			}
			if _, err = q.control.Create(ctx, keySettings, text); err != nil && !errors.Is(err, jetstream.ErrKeyExists) {
				return fmt.Errorf("fleet: storing the settings of the queue: %w", err)
			}
			continue
		}
		if err != nil {
			return fmt.Errorf("fleet: reading the settings of the queue: %w", err)
		}
		var have settings
		if err := json.Unmarshal(entry.Value(), &have); err != nil {
			return fmt.Errorf("%w: the bucket %s-control holds something else", ErrSettings, q.name)
		}
		if err := checkVersion(nats.Header{headerVersion: {have.Version}}); err != nil {
			return err
		}
		switch {
		case q.client == nil:
			q.identity = have.Identity
		case have.Identity != q.identity:
			return fmt.Errorf("%w: it belongs to %s, the client is that of %s. Take another name for the queue", ErrSettings, have.Identity, q.identity)
		case have.Platform != platform && !moved:
			return fmt.Errorf("%w: its jobs go to %s, the client calls %s. Take another name for the queue, or another directory; only if both lead to the same platform set QueueConfig.Moved", ErrSettings, have.Platform, platform)
		}
		secret, current, err := q.keys.Open(place, have.Secret)
		if err != nil {
			return fmt.Errorf("the settings of the queue: %w", err)
		}
		q.digests.secret = secret
		if q.client != nil && (!current || have.Platform != platform) { // a new key was put first: what keeps the names of all jobs moves to it
			have.Secret, have.Platform = q.keys.Seal(place, secret), platform
			text, err := json.Marshal(have)
			if err != nil {
				return err
			}
			if _, err := q.control.Update(ctx, keySettings, text, entry.Revision()); err != nil && !jserror.WrongSequence(err) {
				return fmt.Errorf("fleet: storing the settings of the queue: %w", err)
			}
		}
		return nil
	}
}

// mustBeNew returns an error if there are records without settings: without the secret in those
// nobody can tell which numbers it knows.
func (q *Queue) mustBeNew(ctx context.Context) error {
	s, err := q.engine.js.Stream(ctx, q.name+"-records")
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound), err == nil && s.CachedInfo().State.Msgs == 0:
		return nil
	case err != nil:
		return fmt.Errorf("fleet: the stream %s-records: %w", q.name, err)
	}
	return fmt.Errorf("%w: its settings are gone (the bucket %s-control), and without them nobody can tell which numbers were sent. Restore a complete copy of the queue", ErrLost, q.name)
}

// waitingMost is how many requests for a job may wait at the server: the idle hands of all workers.
const waitingMost = 16_384

// consumerName is the consumer of the work queue that all workers share.
const consumerName = "workers"

// consume opens the consumer that all workers share.
func (q *Queue) consume(ctx context.Context, c QueueConfig) error {
	if q.client == nil {
		return q.adoptConsumer(q.jobs.Consumer(ctx, consumerName))
	}
	_, opened := q.engine.queues.LoadOrStore(q.name, true)
	if q.engine.server != nil && !opened {
		// Nobody else can have the directory open, so every worker that had jobs in hand is gone:
		// those need not wait for the lease to end.
		if err := q.jobs.DeleteConsumer(ctx, consumerName); err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) {
			return fmt.Errorf("fleet: the consumer of %s-jobs: %w", q.name, err)
		}
	}
	var err error
	q.consumer, err = q.jobs.Consumer(ctx, consumerName)
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		q.consumer, err = q.jobs.CreateConsumer(ctx, jetstream.ConsumerConfig{
			Durable: consumerName, AckPolicy: jetstream.AckExplicitPolicy, AckWait: c.Lease, MaxAckPending: c.InFlight, MaxDeliver: -1,
			MaxWaiting: waitingMost,
		})
		if errors.Is(err, jetstream.ErrConsumerExists) {
			q.consumer, err = q.jobs.Consumer(ctx, consumerName)
		}
	}
	return q.adoptConsumer(q.consumer, err)
}

// adoptConsumer takes the consumer that there is.
func (q *Queue) adoptConsumer(consumer jetstream.Consumer, err error) error {
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		return q.incomplete()
	}
	if err != nil {
		return fmt.Errorf("fleet: the consumer of %s-jobs: %w", q.name, err)
	}
	q.consumer = consumer
	have := consumer.CachedInfo().Config
	if have.AckPolicy != jetstream.AckExplicitPolicy || have.MaxDeliver > 0 || have.FilterSubject != "" && have.FilterSubject != ">" {
		return fmt.Errorf("%w: the consumer %s of %s-jobs is not one of this program", ErrSettings, consumerName, q.name)
	}
	q.lease, q.hands = have.AckWait, have.MaxAckPending
	return nil
}
