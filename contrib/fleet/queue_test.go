package fleet_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/contrib/fleet"
	"github.com/wxpay-go/wxpay/contrib/fleet/internal/fleettest"
	"github.com/wxpay-go/wxpay/sandbox"
)

const (
	feedsPath  = "v3/brand/partner/card-member/user-feeds"
	pointsPath = "v3/brand/partner/card-member/user-points/sync"
	refundPath = "v3/refund/domestic/refunds"
)

// testKeys are operator's keys, one for each letter.
func testKeys(t testing.TB, letters string) *fleet.Keys {
	t.Helper()
	text := ""
	for _, letter := range []byte(letters) {
		key := make([]byte, 32)
		for i := range key {
			key[i] = letter
		}
		text += hex.EncodeToString(key) + "\n"
	}
	keys, err := fleet.ParseKeys(text)
	require.NoError(t, err)
	return keys
}

// gateway is a sandbox, in process, and a client of it.
type gateway struct {
	*sandbox.Sandbox
	client *wxpay.Client
}

func newGateway(t testing.TB, options ...wxpay.Option) gateway {
	t.Helper()
	s, err := sandbox.New(sandbox.WithLenientCards())
	require.NoError(t, err)
	require.NoError(t, s.Rules.Relax(sandbox.Rates))
	return gateway{s, clientOf(t, s, s.Transport(), options...)}
}

func clientOf(t testing.TB, s *sandbox.Sandbox, transport http.RoundTripper, options ...wxpay.Option) *wxpay.Client {
	t.Helper()
	client, err := wxpay.FromLookupEnv(s.LookupEnv, append([]wxpay.Option{
		wxpay.WithTransport(transport), wxpay.WithPreflight(wxpay.PreflightStrict),
	}, options...)...)
	require.NoError(t, err)
	return client
}

// shortLease is the shortest there is, for tests that wait for what happens within one.
func shortLease(c *fleet.QueueConfig) { c.Lease = 2 * time.Second }

// newQueue opens a queue whose lease outlasts a machine that stands still for a few seconds.
func newQueue(t testing.TB, e *fleet.Engine, client *wxpay.Client, change ...func(*fleet.QueueConfig)) *fleet.Queue {
	t.Helper()
	config := fleet.QueueConfig{Client: client, Keys: testKeys(t, "a"), Lease: 10 * time.Second}
	for _, c := range change {
		c(&config)
	}
	q, err := fleet.OpenQueue(t.Context(), e, config)
	require.NoError(t, err)
	return q
}

// feed is the job of a member feed.
func feed(number string) fleet.Job {
	return fleet.Job{Path: feedsPath, Body: fmt.Appendf(nil,
		`{"brand_id":"1004","card_id":"pbLat","user_card_code":"4785","openid":"obLat","out_request_no":%q,"cell_message":"15_1200_1"}`, number)}
}

func feeds(n int) []fleet.Job {
	var jobs []fleet.Job
	for i := range n {
		jobs = append(jobs, feed(fmt.Sprintf("F%05d", i)))
	}
	return jobs
}

// list makes what Submit takes of jobs.
func list(jobs ...fleet.Job) iter.Seq2[fleet.Job, error] {
	return func(yield func(fleet.Job, error) bool) {
		for _, j := range jobs {
			if !yield(j, nil) {
				return
			}
		}
	}
}

// submit submits jobs that are all to be queued.
func submit(t testing.TB, q *fleet.Queue, jobs ...fleet.Job) {
	t.Helper()
	s, err := q.Submit(t.Context(), list(jobs...), fleet.Intake{Reject: func(e *fleet.LineError) { assert.NoError(t, e) }})
	require.NoError(t, err)
	require.Equal(t, fleet.Submission{Queued: len(jobs)}, s)
}

// work runs workers until the queue is empty.
func work(t testing.TB, workers ...*fleet.Worker) {
	t.Helper()
	stop := start(t, workers...)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	err := workers[0].Queue.Idle(ctx)
	stop()
	require.NoError(t, err)
}

// start runs workers until stop is called.
func start(t testing.TB, workers ...*fleet.Worker) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, len(workers))
	for _, w := range workers {
		go func() { ended <- w.Run(ctx) }()
	}
	return func() {
		cancel()
		for range workers {
			assert.NoError(t, <-ended)
		}
	}
}

// results returns what is known of all jobs, by number.
func results(t testing.TB, q *fleet.Queue) map[string]fleet.Result {
	t.Helper()
	all := make(map[string]fleet.Result)
	for r, err := range q.Results(t.Context(), fleet.Filter{}) {
		require.NoError(t, err)
		require.NotContains(t, all, r.Number)
		all[r.Number] = r
	}
	return all
}

// states counts results by state.
func states(all map[string]fleet.Result) map[fleet.State]int {
	counts := make(map[fleet.State]int)
	for r := range maps.Values(all) {
		counts[r.State]++
	}
	return counts
}

// shown counts how often each number stands in the ledger of feeds.
func shown(s *sandbox.Sandbox) map[string]int {
	counts := make(map[string]int)
	for _, e := range s.Ledger.Effects(sandbox.FeedEffect) {
		counts[e.Number]++
	}
	return counts
}

func TestQueue(t *testing.T) {
	t.Parallel()
	const n = 300
	g := newGateway(t)
	e := fleettest.Embedded(t)
	q := newQueue(t, e, g.client)
	begin := time.Now()
	submit(t, q, feeds(n)...)
	status, err := q.Status(t.Context())
	require.NoError(t, err)
	assert.WithinRange(t, status.Oldest, begin, time.Now())
	status.Position = 0
	assert.Equal(t, fleet.Status{Queued: n, Known: n, Jobs: []fleet.Count{{State: fleet.Waiting, Jobs: n}}, Oldest: status.Oldest}, status)

	work(t, &fleet.Worker{Queue: q, Select: []string{"out_request_no", "card_id", "absent"}}, &fleet.Worker{Queue: q})
	all := results(t, q)
	assert.Equal(t, map[fleet.State]int{fleet.Succeeded: n}, states(all))
	for number, times := range shown(g.Sandbox) {
		assert.Equal(t, 1, times, number)
	}
	assert.Len(t, shown(g.Sandbox), n)
	r := all["F00007"]
	assert.Equal(t, 200, r.Status)
	assert.Equal(t, 1, r.Attempts)
	assert.Equal(t, 1, r.Deliveries)
	assert.Equal(t, 8, r.Line)
	assert.NotEmpty(t, r.RequestID)
	assert.False(t, r.Submitted.IsZero() || r.Begun.Before(r.Submitted) || r.Ended.Before(r.Begun), "%v %v %v", r.Submitted, r.Begun, r.Ended)

	status, err = q.Status(t.Context())
	require.NoError(t, err)
	status.Position = 0
	assert.Equal(t, fleet.Status{Known: n, Jobs: []fleet.Count{{State: fleet.Succeeded, Jobs: n}}}, status)
	summary, err := q.Summary(t.Context(), fleet.Filter{})
	require.NoError(t, err)
	assert.Equal(t, []fleet.Count{{State: fleet.Succeeded, Jobs: n}}, summary)
	found, ok, err := q.Lookup(t.Context(), "feed", "F00007")
	require.NoError(t, err)
	require.True(t, ok)
	assert.Equal(t, r, found)
	_, ok, err = q.Lookup(t.Context(), "feed", "none")
	require.NoError(t, err)
	assert.False(t, ok)

	// The same once more queues nothing, and sends nothing.
	before := len(g.Journal.All())
	s, err := q.Submit(t.Context(), list(feeds(n)...), fleet.Intake{})
	require.NoError(t, err)
	assert.Equal(t, fleet.Submission{Ended: n}, s)
	work(t, &fleet.Worker{Queue: q})
	assert.Len(t, g.Journal.All(), before)
}

// The jobs may share what they are made of, such as the buffer of a bufio.Scanner.
func TestSubmitKeepsItsJobs(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	q := newQueue(t, fleettest.Embedded(t), g.client)
	const n, closePath = 50, "v3/pay/transactions/out-trade-no/{out_trade_no}/close"
	body, vars, query := slices.Clone(feed("F00000").Body), map[string]string{}, map[string][]string{"n": {""}}
	submitted, err := q.Submit(t.Context(), func(yield func(fleet.Job, error) bool) {
		for _, next := range feeds(n) {
			copy(body, next.Body)
			if !yield(fleet.Job{Path: feedsPath, Body: body}, nil) {
				return
			}
		}
		for i := range n {
			name := fmt.Sprintf("T%05d", i)
			vars["out_trade_no"], query["n"][0] = name, name
			job := fleet.Job{Path: closePath, Vars: vars, Query: query, Body: []byte(`{"mchid":"1900000109"}`)}
			if !yield(job, nil) {
				return
			}
		}
	}, fleet.Intake{Reject: func(e *fleet.LineError) { t.Error(e) }})
	require.NoError(t, err)
	assert.Equal(t, fleet.Submission{Queued: 2 * n}, submitted)
	work(t, &fleet.Worker{Queue: q})
	assert.Len(t, shown(g.Sandbox), n)
	for _, r := range g.Journal.All() {
		if path, number, queried := strings.Cut(r.Target, "?n="); queried {
			assert.Equal(t, "/v3/pay/transactions/out-trade-no/"+number+"/close", path)
		}
	}
}

// A server that starts reads what was published to a stream in the time for which it knows repeats,
// and keeps an index of it: an embedded engine would do so for all that was just submitted.
func TestRepeatsAreKnownForAMoment(t *testing.T) {
	t.Parallel()
	windows := func(e *fleet.Engine) map[string]time.Duration {
		newQueue(t, e, newGateway(t).client)
		known := make(map[string]time.Duration)
		for _, name := range []string{"jobs", "lanes", "records", "dead", "runs"} {
			s, err := e.JetStream().Stream(t.Context(), "wxpay-"+name)
			require.NoError(t, err)
			known[name] = s.CachedInfo().Config.Duplicates
		}
		return known
	}
	const least, broken = 100 * time.Millisecond, 20 * time.Second // the latter is for a connection that breaks
	assert.Equal(t, map[string]time.Duration{"jobs": least, "lanes": least, "records": least, "dead": least, "runs": least}, windows(fleettest.Embedded(t)))
	e, err := fleet.Connect(t.Context(), fleettest.Standalone(t).ClientURL())
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, e.Close()) })
	assert.Equal(t, map[string]time.Duration{"jobs": broken, "lanes": broken, "records": least, "dead": least, "runs": least}, windows(e))
}

// Who only looks for a queue makes none.
func TestNoQueue(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	e := fleettest.Embedded(t)
	config := fleet.QueueConfig{Name: "sought", Existing: true, Client: g.client, Keys: testKeys(t, "a")}
	_, err := fleet.OpenQueue(t.Context(), e, config)
	require.ErrorIs(t, err, fleet.ErrNoQueue)
	assert.EqualError(t, err, `fleet: there is no such queue as "sought"`)
	for range e.JetStream().StreamNames(t.Context()).Name() {
		t.Error("something was made")
	}
	config.Existing = false
	made, err := fleet.OpenQueue(t.Context(), e, config)
	require.NoError(t, err)
	submit(t, made, feed("F1"))
	config.Existing = true
	found, err := fleet.OpenQueue(t.Context(), e, config)
	require.NoError(t, err)
	status, err := found.Status(t.Context())
	require.NoError(t, err)
	status.Position = 0
	assert.Equal(t, fleet.Status{Queued: 1, Known: 1, Jobs: []fleet.Count{{State: fleet.Waiting, Jobs: 1}}, Oldest: status.Oldest}, status)
}

// A cluster of three carries jobs as one server does, also those with an order, and when they are
// submitted again.
func TestQueueOnCluster(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	e := fleettest.NewCluster(t, false).Connect(t)
	var q *fleet.Queue
	fleettest.Eventually(t, func(ctx context.Context) (err error) {
		q, err = fleet.OpenQueue(ctx, e, fleet.QueueConfig{Client: g.client, Keys: testKeys(t, "a")})
		return err
	})
	jobs := feeds(60)
	for i := range 20 {
		jobs = append(jobs, points(fmt.Sprintf("card%d", i%3), fmt.Sprintf("P%02d", i), i))
	}
	submit(t, q, jobs...)
	other := jobs[0]
	other.Body = bytes.Replace(other.Body, []byte("15_1200_1"), []byte("other"), 1)
	s, err := q.Submit(t.Context(), list(append(jobs, other)...), fleet.Intake{})
	require.NoError(t, err)
	assert.Equal(t, fleet.Submission{Again: len(jobs), Rejected: 1}, s)
	work(t, &fleet.Worker{Queue: q}, &fleet.Worker{Queue: q})
	assert.Equal(t, map[fleet.State]int{fleet.Succeeded: len(jobs)}, states(results(t, q)))
	assert.Len(t, shown(g.Sandbox), 60)
	s, err = q.Submit(t.Context(), list(jobs...), fleet.Intake{})
	require.NoError(t, err)
	assert.Equal(t, fleet.Submission{Ended: len(jobs)}, s)

	// Whoever answers from a follower may not have heard of a pause yet, nor of its end.
	again := newQueue(t, e, g.client)
	for name := range e.JetStream().StreamNames(t.Context()).Name() {
		stream, err := e.JetStream().Stream(t.Context(), name)
		require.NoError(t, err)
		assert.False(t, stream.CachedInfo().Config.AllowDirect, name)
	}
	require.NoError(t, again.Pause(t.Context(), "for the night"))
	paused, err := q.Paused(t.Context())
	require.NoError(t, err)
	assert.NotNil(t, paused)
}

// When a pause began is told in the zone of who asks, whatever that of who paused is.
func TestPauseWhen(t *testing.T) {
	t.Parallel()
	since := time.Date(2026, 11, 25, 21, 43, 58, 0, time.FixedZone("", 5*3600+45*60))
	p := fleet.Pause{Reason: "for the night", Since: since}
	assert.Equal(t, since.Local().Format("2006-01-02 15:04:05 -07:00"), p.When())
	assert.ErrorContains(t, &fleet.PausedError{Pause: p}, "paused since "+p.When()+": for the night")
	p.By = "vm, process 7"
	assert.ErrorContains(t, &fleet.PausedError{Pause: p}, " by vm, process 7: for the night")
}

// What configuration holds and nobody sees is named by its place; a key is not shown, a name is
// quoted.
func TestConfigurationThatCannotBeSeen(t *testing.T) {
	t.Parallel()
	key := strings.Repeat("5a", 32)
	_, err := fleet.ParseKeys("\ufeff" + key + "\r\n")
	require.NoError(t, err, "an editor's own marks are no part of it")
	for text, says := range map[string]string{
		key + "\u200b":                    "line 1 of the keys is not 32 bytes in hex or base64 (openssl rand -hex 32 makes some); its character 65 is U+200B",
		"# mine\n" + key[:10] + "\uff15a": "line 2 of the keys is not 32 bytes in hex or base64 (openssl rand -hex 32 makes some); its character 11 is U+FF15",
	} {
		_, err := fleet.ParseKeys(text)
		require.ErrorContains(t, err, says)
		assert.NotContains(t, err.Error(), "5a5a")
	}
	for _, name := range []string{"wxpay ", "wxpay\n", "wx\u200bpay", "\ufeffwxpay"} {
		_, err := fleet.OpenQueue(t.Context(), nil, fleet.QueueConfig{Name: name})
		assert.ErrorContains(t, err, "the name of the queue is "+strconv.Quote(name))
	}
}
