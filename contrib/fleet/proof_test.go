package fleet_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/contrib/fleet"
	"github.com/wxpay-go/wxpay/contrib/fleet/internal/fleettest"
	"github.com/wxpay-go/wxpay/middleware"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/sandbox/fault"
)

// trial is one run of the proof.
type trial struct {
	cluster   bool // three nodes, or one server
	jobs      int  // of all merchants together
	refunds   int  // of these, by the first one
	perSecond int  // for each merchant and operation
	patience  time.Duration
	unknown   wxpay.UnknownPolicy
	careless  bool // jobs are acknowledged as soon as a worker has them, before anything is done
	long      bool
	wrongHost bool // the clock of one host is ten minutes off at first
	disturb   func(f *field, ended <-chan struct{})
}

// merchant is one whose jobs are carried out, in a queue of its own.
type merchant struct {
	*sandbox.Sandbox
	way   sandbox.RepeatedFeed
	queue *fleet.Queue
	jobs  []fleet.Job
}

// field is where a trial happens.
type field struct {
	t         *testing.T
	trial     trial
	random    *rand.Rand
	cluster   *fleettest.Cluster
	engine    *fleet.Engine
	merchants []*merchant
	config    workerConfig
	traces    string // directory

	mu       sync.Mutex
	workers  []*worker
	arrivals map[string][]time.Time // by merchant and operation
}

type worker struct {
	process *exec.Cmd
	stdin   io.Closer
}

// workerConfig is what a worker process is started with.
type workerConfig struct {
	Servers   string
	Keys      string
	BaseURL   string
	Env       [][]string // of each merchant
	PerSecond int
	Patience  time.Duration
	OnUnknown wxpay.UnknownPolicy
	Trace     string        // file
	Name      string        // of its host
	ClockOff  time.Duration // of the clock by which its host signs and verifies
}

const proofKeys = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// TestFleet is the proof: four workers and a cluster of three nodes, each a process of its own, do
// money and feeds on a platform that fails one request in five. Workers are killed at random times,
// a node is killed and another one cut off; whatever happens, each number ends once, with the
// result that the platform's ledger shows.
//
// A proxy mixes up answers and refuses in its own name. At first the clock of one host is ten
// minutes off, so the platform refuses all that it signs: it steps aside, and the queues go on
// without it, until it is set right.
//
// The short form has 2,000 jobs at 200 a second, and each disturbance once or more. The pauses
// between blind repeats double up to a minute, so its workers have a patience of some seconds: what
// was refused begins anew, and what ended in doubt ends as unknown, which the controller retries as
// an operator would. And they repeat refunds without asking, since a query that finds nothing
// permits another attempt only after a minute. The long form has 20,000 jobs (or WXPAY_TEST_JOBS)
// at 400 a second and workers that are as by default: they ask. It disturbs until its jobs should
// be done.
func TestFleet(t *testing.T) {
	t.Parallel()
	c := trial{jobs: 2000, refunds: 100, perSecond: 67, patience: 8 * time.Second, unknown: wxpay.Repeat}
	if os.Getenv("WXPAY_TEST_LONG") != "" {
		c = trial{jobs: 20_000, perSecond: 133, long: true}
		if text := os.Getenv("WXPAY_TEST_JOBS"); text != "" {
			var err error
			c.jobs, err = strconv.Atoi(text)
			require.NoError(t, err)
		}
		c.refunds = c.jobs / 4
	}
	c.cluster, c.wrongHost, c.disturb = true, true, (*field).havoc
	for _, problem := range prove(t, c) {
		t.Error(problem)
	}
}

// TestFleetCareless shows that the proof finds out workers that acknowledge too soon.
func TestFleetCareless(t *testing.T) {
	t.Parallel()
	c := trial{jobs: 200, refunds: 10, perSecond: 10, careless: true, disturb: (*field).massacre}
	problems := strings.Join(prove(t, c), "\n")
	require.Contains(t, problems, "has no final result")
}

func prove(t *testing.T, c trial) []string {
	seed := uint64(1)
	if c.long { // it looks for what nobody has seen yet
		seed = uint64(time.Now().UnixNano())
	}
	if text := os.Getenv("WXPAY_TEST_SEED"); text != "" {
		var err error
		seed, err = strconv.ParseUint(text, 10, 64)
		require.NoError(t, err)
	}
	t.Logf("WXPAY_TEST_SEED=%d", seed)
	f := &field{t: t, trial: c, random: rand.New(rand.NewPCG(seed, 0)), traces: t.TempDir(), arrivals: map[string][]time.Time{}}
	if c.cluster {
		f.cluster = fleettest.NewCluster(t, true)
		f.engine = f.cluster.Connect(t)
		f.config.Servers = f.cluster.Addresses
	} else {
		f.config.Servers = fleettest.Standalone(t).ClientURL()
		var err error
		f.engine, err = fleet.Connect(t.Context(), f.config.Servers)
		require.NoError(t, err)
		t.Cleanup(func() { _ = f.engine.Close() })
	}
	f.platform(seed)
	f.queues()
	if c.cluster {
		f.cluster.Healthy(t, f.engine)
	}
	f.submit()

	if c.careless {
		// What a worker that took jobs off the queue too soon would do.
		conn := f.engine.JetStream().Conn()
		_, err := conn.Subscribe("_INBOX.>", func(m *nats.Msg) {
			if strings.HasPrefix(m.Reply, "$JS.ACK.") {
				_ = conn.Publish(m.Reply, []byte("+ACK"))
			}
		})
		require.NoError(t, err)
	}
	begin := time.Now()
	if c.wrongHost { // which must not be the first to work
		for _, m := range f.merchants {
			require.NoError(t, m.queue.Pause(t.Context(), "until all are there"))
		}
	}
	for i := range 4 {
		f.workers = append(f.workers, f.hire(i))
	}
	t.Cleanup(func() {
		for _, w := range f.workers {
			w.kill()
		}
	})
	if c.wrongHost {
		f.staff("they do not all begin", func(all []fleet.Member) bool { return len(all) == 4 })
		for _, m := range f.merchants {
			require.NoError(t, m.queue.Resume(t.Context()))
		}
		f.staff("the host whose clock is off does not step aside", func(all []fleet.Member) bool {
			return slices.ContainsFunc(all, func(m fleet.Member) bool { return m.Aside != nil })
		})
		f.trial.wrongHost = false // it is set right
		f.replace(wrongHost)
	}
	ended := make(chan struct{})
	var disturbing sync.WaitGroup
	disturbing.Go(func() { c.disturb(f, ended) })
	f.await()
	close(ended)
	disturbing.Wait()
	f.await() // what came up again by the last disturbance
	for _, w := range f.workers {
		if err := w.dismiss(); err != nil {
			t.Errorf("a worker ends with %v", err)
		}
	}
	t.Logf("%d jobs in %v, faults %v", c.jobs, time.Since(begin).Round(time.Millisecond), f.merchants[0].Faults.Counts())
	return f.audit()
}

// platform starts a sandbox with a merchant for each way to treat repeated feeds; the first one
// also gives refunds.
func (f *field) platform(seed uint64) {
	s, err := sandbox.New(sandbox.WithSeed(seed), sandbox.WithLenientCards())
	require.NoError(f.t, err)
	require.NoError(f.t, s.Rules.Relax(sandbox.Rates)) // the limit is the one that is shared
	// One request in five. After a doubt that left no trace at the platform a job waits for a
	// minute or more before it is tried again. So in the short form the faults bring few of them;
	// the killing brings enough.
	faults := []fault.Rule{
		{Kind: fault.Limited, Probability: 0.16, Path: "/" + feedsPath},
		{Kind: fault.ServerErrorAfter, Probability: 0.04, Path: "/" + refundPath},
		{Kind: fault.ResetAfter, Probability: 0.04, Path: "/" + refundPath},
		{Kind: fault.Truncate, Probability: 0.04, Path: "/" + refundPath},
		{Kind: fault.ServerErrorAfter, Probability: 0.01},
		{Kind: fault.ResetAfter, Probability: 0.01},
		{Kind: fault.Truncate, Probability: 0.01},
		{Kind: fault.WrongSignature, Probability: 0.01},
		// What a proxy does. It mixes up answers where they show whose they are; with the others
		// nobody could tell.
		{Kind: fault.Crossed, Probability: 0.03, Path: "/" + refundPath + "*"},
		{Kind: fault.CrossedPath, Probability: 0.03, Path: "/" + refundPath + "*"},
		{Kind: fault.Cached, Probability: 0.03, Path: "/" + refundPath + "*"},
		{Kind: fault.Late, Probability: 0.03, Path: "/" + refundPath},
		{Kind: fault.Duplicate, Probability: 0.03, Path: "/" + refundPath},
		{Kind: fault.SignErrorAfter, Probability: 0.005},
		{Kind: fault.SignError, Probability: 0.005},
		{Kind: fault.NoBodyAfter, Probability: 0.005},
		{Kind: fault.BadGatewayAfter, Probability: 0.005, Status: 403},
		{Kind: fault.ErrorAs200, Probability: 0.005},
		{Kind: fault.SuccessAs403, Probability: 0.005},
	}
	if f.trial.long {
		faults = append(faults,
			fault.Rule{Kind: fault.Limited, Probability: 0.03},
			fault.Rule{Kind: fault.ResetBefore, Probability: 0.03},
			fault.Rule{Kind: fault.BadGateway, Probability: 0.02},
			fault.Rule{Kind: fault.ServerError, Probability: 0.02},
		)
	}
	require.NoError(f.t, s.Faults.Inject(faults...))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.arrive(r)
		s.ServeHTTP(w, r)
	}))
	f.t.Cleanup(func() {
		server.Close()
		_ = s.Close()
	})
	f.config.Keys, f.config.BaseURL = proofKeys, server.URL
	f.config.PerSecond, f.config.Patience, f.config.OnUnknown = f.trial.perSecond, f.trial.patience, f.trial.unknown
	for i, way := range []sandbox.RepeatedFeed{sandbox.RepeatSame, sandbox.RepeatDuplicate, sandbox.RepeatExists} {
		view := s
		if i > 0 {
			view, err = s.AddMerchant(fmt.Sprintf("190000010%d", i))
			require.NoError(f.t, err)
		}
		view.OnRepeatedFeed(way)
		f.merchants = append(f.merchants, &merchant{Sandbox: view, way: way})
		f.config.Env = append(f.config.Env, view.Env())
	}
}

// arrive notes when a request arrived.
func (f *field) arrive(r *http.Request) {
	_, rest, _ := strings.Cut(r.Header.Get("Authorization"), `mchid="`)
	id, _, _ := strings.Cut(rest, `"`)
	operation := r.Method + " " + r.URL.Path
	if r.Method == http.MethodGet { // the number stands at the end
		operation = operation[:strings.LastIndexByte(operation, '/')]
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.arrivals[id+" "+operation] = append(f.arrivals[id+" "+operation], time.Now())
}

// client is a client of one merchant, in whatever process.
func proofClient(env []string, baseURL string, options ...wxpay.Option) (*wxpay.Client, error) {
	return wxpay.FromLookupEnv(func(name string) (string, bool) {
		if name == "WXPAY_BASE_URL" {
			return baseURL, true
		}
		for _, v := range env {
			if value, ok := strings.CutPrefix(v, name+"="); ok {
				return value, true
			}
		}
		return "", false
	}, options...)
}

// inHand is how many jobs of a merchant each of the four workers has in hand at once.
const inHand = 16

func openProofQueue(ctx context.Context, e *fleet.Engine, client *wxpay.Client, keys string) (*fleet.Queue, error) {
	k, err := fleet.ParseKeys(keys)
	if err != nil {
		return nil, err
	}
	return fleet.OpenQueue(ctx, e, fleet.QueueConfig{
		Name: "q" + strings.ReplaceAll(client.Identity(), " ", "-"), Client: client, Keys: k, Lease: 4 * time.Second,
	})
}

// queues opens a queue for each merchant.
func (f *field) queues() {
	for i, m := range f.merchants {
		client, err := proofClient(f.config.Env[i], f.config.BaseURL)
		require.NoError(f.t, err)
		fleettest.Eventually(f.t, func(ctx context.Context) (err error) {
			m.queue, err = openProofQueue(ctx, f.engine, client, proofKeys)
			return err
		})
	}
}

// submit puts all jobs into the queues: refunds, and feeds for each way.
func (f *field) submit() {
	add := func(m *merchant, path string, body map[string]any) {
		text, err := json.Marshal(body)
		require.NoError(f.t, err)
		m.jobs = append(m.jobs, fleet.Job{Path: path, Body: text})
	}
	for n := range f.trial.refunds {
		order := fmt.Sprintf("order-%d", n)
		_, err := f.merchants[0].Users.AddPaidOrder(order, 100)
		require.NoError(f.t, err)
		add(f.merchants[0], refundPath, map[string]any{
			"out_trade_no": order, "out_refund_no": fmt.Sprintf("refund-%d", n),
			"amount": map[string]any{"refund": 1 + n%100, "total": 100, "currency": "CNY"},
		})
	}
	for n := range f.trial.jobs - f.trial.refunds {
		add(f.merchants[n%len(f.merchants)], feedsPath, map[string]any{
			"brand_id": "1004", "card_id": "pbLatjvWOibDc5-TBnbUk1pD12o0", "user_card_code": fmt.Sprint(n),
			"openid": "obLatjnx9gnqzS4myYGmLZ7LgLBA", "out_request_no": fmt.Sprintf("feed-%d", n), "cell_message": "15_1200_1",
		})
	}
	for _, m := range f.merchants {
		var jobs iter.Seq2[fleet.Job, error] = func(yield func(fleet.Job, error) bool) {
			for _, j := range m.jobs {
				if !yield(j, nil) {
					return
				}
			}
		}
		done, err := m.queue.Submit(f.t.Context(), jobs, fleet.Intake{Reject: func(l *fleet.LineError) { f.t.Error(l) }})
		require.NoError(f.t, err)
		require.Equal(f.t, len(m.jobs), done.Queued)
	}
}

// staff waits until the workers of each queue are as they should be.
func (f *field) staff(or string, right func([]fleet.Member) bool) {
	f.t.Helper()
	for _, m := range f.merchants {
		require.Eventually(f.t, func() bool {
			s, err := m.queue.Status(f.t.Context())
			return err == nil && right(s.Workers)
		}, time.Minute, 20*time.Millisecond, or)
	}
}

// hire starts a worker process on a host.
func (f *field) hire(host int) *worker {
	c := f.config
	c.Name = fmt.Sprintf("host-%d", host)
	if f.trial.wrongHost && host == wrongHost {
		c.ClockOff = 10 * time.Minute
	}
	c.Trace = filepath.Join(f.traces, fmt.Sprint(f.random.Uint64()))
	text, err := json.Marshal(c)
	assert.NoError(f.t, err)
	w := &worker{process: fleettest.Reexec("worker", string(text))}
	w.stdin, err = w.process.StdinPipe()
	assert.NoError(f.t, err)
	assert.NoError(f.t, w.process.Start())
	return w
}

// wrongHost is the host whose clock is off, if one is.
const wrongHost = 3

func (w *worker) kill() {
	_ = w.process.Process.Kill()
	_ = w.process.Wait()
	_ = w.stdin.Close()
}

// dismiss tells a worker to end, and waits for that.
func (w *worker) dismiss() error {
	_ = w.stdin.Close()
	return w.process.Wait()
}

// replace kills a worker and hires another.
func (f *field) replace(i int) {
	f.workers[i].kill()
	f.workers[i] = f.hire(i)
}

// havoc kills workers and nodes and cuts nodes off, one after another and each at least once, until
// all jobs have ended.
func (f *field) havoc(ended <-chan struct{}) {
	// The last of them are left in peace: each time that a worker dies with a job, a minute begins
	// anew.
	peace := time.Now().Add(time.Duration(f.trial.jobs/f.trial.perSecond/len(f.merchants)) * time.Second)
	over := func() bool {
		if time.Now().After(peace) {
			return true
		}
		select {
		case <-ended:
			return true
		default:
			return false
		}
	}
	whole := func() {
		if err := fleettest.Until(func(ctx context.Context) error { return f.cluster.Whole(ctx, f.engine) }); err != nil {
			f.t.Errorf("the cluster does not come together again: %v", err)
		}
	}
	// A node that goes takes its leaders with it, and the others need some seconds to find new
	// ones.
	node := f.random.IntN(3)
	for round := 0; round == 0 || !over(); round++ {
		f.pause(1000, 2000)
		f.replace(f.random.IntN(4))
		f.cluster.Kill(node)
		f.pause(1000, 3000)
		f.replace(f.random.IntN(4))
		if err := f.cluster.Start(node); err != nil {
			f.t.Errorf("the node %d does not start again: %v", node, err)
			return
		}
		whole()
		f.pause(2000, 4000)

		node = (node + 1 + f.random.IntN(2)) % 3
		f.cluster.Isolate(node, true)
		f.pause(1000, 4000)
		f.replace(f.random.IntN(4))
		f.cluster.Isolate(node, false)
		whole()
		for quiet := f.random.IntN(20); quiet > 0 && !over(); quiet-- {
			f.pause(900, 1100)
		}
	}
}

// massacre kills all workers, once.
func (f *field) massacre(ended <-chan struct{}) {
	for begun := false; !begun; { // one that has nothing in hand loses nothing
		select {
		case <-ended:
			return
		case <-time.After(10 * time.Millisecond):
		}
		f.mu.Lock()
		begun = len(f.arrivals) > 0
		f.mu.Unlock()
	}
	f.pause(200, 700)
	for i := range f.workers {
		f.replace(i)
	}
}

// pause waits for a random time, in milliseconds.
func (f *field) pause(least, most int) {
	time.Sleep(time.Duration(least+f.random.IntN(most-least)) * time.Millisecond)
}

// await waits until no job is queued or in hand any more, and retries those whose outcome is
// unknown.
func (f *field) await() {
	limit := time.Now().Add(3*time.Minute + time.Duration(f.trial.jobs/f.trial.perSecond)*time.Second)
	for time.Now().Before(limit) {
		time.Sleep(200 * time.Millisecond)
		left := 0
		for _, m := range f.merchants {
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			s, err := m.queue.Status(ctx)
			if err == nil && s.Dead > 0 {
				var retried int
				if retried, err = m.queue.Retry(ctx); retried > 0 {
					left++
				}
			}
			cancel()
			if err != nil || s.Queued > 0 || s.Running > 0 {
				left++
			}
			if err == nil && s.Pause != nil {
				f.t.Errorf("the queue of %s is paused: %s", m.Merchant().ID, s.Pause.Reason)
				return
			}
		}
		if left == 0 {
			return
		}
	}
}

// runWorker is a process that works on the queues of all merchants until its standard input ends.
func runWorker(config string) error {
	var c workerConfig
	if err := json.Unmarshal([]byte(config), &c); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	file, err := os.Create(c.Trace)
	if err != nil {
		return err
	}
	var e *fleet.Engine
	var l *fleet.Limiter
	// The cluster may be in the middle of something.
	if err := fleettest.Until(func(try context.Context) (err error) {
		if e, err = fleet.Connect(try, c.Servers); err == nil {
			l, err = fleet.NewLimiter(try, e, fleet.WithRules(middleware.Rule{PerSecond: c.PerSecond}))
		}
		if err != nil && ctx.Err() != nil {
			return nil
		}
		return err
	}); err != nil || ctx.Err() != nil {
		return err
	}
	limiter := fleet.Marking(traced{l, new(sync.Mutex), file})
	var all sync.WaitGroup
	failures := make(chan error, len(c.Env))
	for _, env := range c.Env {
		client, err := proofClient(env, c.BaseURL, wxpay.WithLimiter(limiter), wxpay.WithClock(func() time.Time { return time.Now().Add(c.ClockOff) }))
		if err != nil {
			return err
		}
		var queue *fleet.Queue
		if err := fleettest.Until(func(try context.Context) (err error) {
			queue, err = openProofQueue(try, e, client, c.Keys)
			return err
		}); err != nil {
			return err
		}
		all.Go(func() {
			failures <- (&fleet.Worker{Queue: queue, Name: c.Name, Calls: inHand, Patience: c.Patience, OnUnknown: c.OnUnknown, Marked: true}).Run(ctx)
		})
	}
	all.Wait()
	close(failures)
	for failure := range failures {
		err = errors.Join(err, failure)
	}
	return errors.Join(err, e.Close())
}
