package fleet_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/contrib/fleet"
	"github.com/wxpay-go/wxpay/contrib/fleet/internal/fleettest"
	"github.com/wxpay-go/wxpay/sandbox"
)

// rejected submits what an NDJSON file says, and returns what was rejected.
func rejected(t testing.TB, q *fleet.Queue, sheet fleet.Sheet, text string) (fleet.Submission, []string) {
	t.Helper()
	var wrong []string
	s, err := q.Submit(t.Context(), sheet.NDJSON(strings.NewReader(text)), fleet.Intake{Reject: func(e *fleet.LineError) { wrong = append(wrong, e.Error()) }})
	require.NoError(t, err)
	return s, wrong
}

func feedLine(number, message string) string {
	return fmt.Sprintf(`{"brand_id":"1004","card_id":"pbLat","user_card_code":"4785","openid":"obLat","out_request_no":%q,"cell_message":%q}`,
		number, message) + "\n"
}

// A number that a spreadsheet program has spoilt is refused, whatever kind of file it comes from.
func TestSubmitRejectsSpoiltNumbers(t *testing.T) {
	t.Parallel()
	q := newQueue(t, fleettest.Embedded(t), newGateway(t).client)
	text := feedLine("4.78516E+11", "a") + feedLine("F1\u00a0", "a") + feedLine("4.78516e11", "4.7E+11")
	s, wrong := rejected(t, q, fleet.Sheet{File: "feeds.ndjson", Path: feedsPath}, text)
	assert.Equal(t, fleet.Submission{Queued: 1, Rejected: 2}, s)
	require.Len(t, wrong, 2)
	assert.Contains(t, wrong[0], "feeds.ndjson, line 1: the merchant's own number: a spreadsheet program has shortened this number")
	assert.Contains(t, wrong[1], "feeds.ndjson, line 2: the merchant's own number: it begins or ends with a space, or another character that cannot be seen")
}

// Bad lines are rejected with their numbers and reasons, in order, and the rest goes on. Nothing
// that they say is repeated.
func TestSubmitRejects(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	q := newQueue(t, fleettest.Embedded(t), g.client)
	text := feedLine("F1", "a") +
		"{\"broken\n" +
		feedLine("F2", "a") +
		strings.Replace(feedLine("F3", "a"), `"out_request_no":"F3",`, "", 1) +
		strings.Replace(feedLine("F4", "a"), `"1004"`, "1004", 1) +
		feedLine("F5", "\U0001F600") +
		feedLine("F1", "b") + // another body
		feedLine("F2", "a") + // the same
		feedLine("F6", "a")
	s, wrong := rejected(t, q, fleet.Sheet{File: "feeds.ndjson", Path: feedsPath}, text)
	assert.Equal(t, fleet.Submission{Queued: 3, Again: 1, Rejected: 5}, s)
	require.Len(t, wrong, 5)
	assert.Equal(t, "feeds.ndjson, line 2: it is not a JSON object", wrong[0])
	assert.Equal(t, "feeds.ndjson, line 4: the merchant's own number is missing: it is expected in out_request_no", wrong[1])
	assert.Contains(t, wrong[2], "feeds.ndjson, line 5: the checks before sending found body /brand_id (品牌ID): it is a number and documented as string")
	assert.Contains(t, wrong[3], "feeds.ndjson, line 6: the checks before sending found body /cell_message (会员动态内容): it has a character that the platform refuses")
	assert.Equal(t, "feeds.ndjson, line 7: the number stands for another request, submitted before as feeds.ndjson, line 1", wrong[4])
	for _, w := range wrong {
		assert.NotContains(t, w, "obLat")
	}
	work(t, &fleet.Worker{Queue: q})
	assert.Equal(t, map[string]int{"F1": 1, "F2": 1, "F6": 1}, shown(g.Sandbox))

	// Long after, when all is done, the same is known.
	s, wrong = rejected(t, q, fleet.Sheet{File: "later.ndjson", Path: feedsPath},
		feedLine("F1", "b")+feedLine("F1",
			"a")+`  {"brand_id" : "1004","card_id":"pbLat","user_card_code":"4785","openid":"obLat","out_request_no":"F2","cell_message":"a"}`)
	assert.Equal(t, fleet.Submission{Ended: 2, Rejected: 1}, s)
	assert.Equal(t, []string{"later.ndjson, line 1: the number stands for another request, submitted before as feeds.ndjson, line 1"}, wrong)
	assert.Len(t, shown(g.Sandbox), 3)
}

func TestSubmitRejectsByItself(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	q := newQueue(t, fleettest.Embedded(t), g.client)
	for name, c := range map[string]struct {
		job  fleet.Job
		says string
	}{
		"no path":  {fleet.Job{}, "the path is missing"},
		"not JSON": {fleet.Job{Path: feedsPath, Body: []byte("{")}, "the body is not JSON"},
		"a Secret": {fleet.Job{Path: feedsPath, Body: []byte(`{"out_request_no":"A","x":"` + secretToken(t) + `"}`)},
			"the body holds a Secret, which no other process can open"},
		"not UTF-8": {fleet.Job{Path: feedsPath, Body: []byte("{\"out_request_no\":\"A\",\"x\":\"\xe5\"}")}, "the body is not JSON in UTF-8"},
		"too long":  {fleet.Job{Path: feedsPath, Body: make([]byte, 600<<10)}, "the body has 614400 bytes, at most 524288 are taken"},
		"a number that stands twice": {fleet.Job{Path: feedsPath,
			Body: []byte(`{"brand_id":"1","card_id":"c","user_card_code":"u","openid":"o","out_request_no":"D1","out_request_no":"D2",` +
				`"cell_message":"m"}`)}, "stands twice"},
		"twice, deep inside": {fleet.Job{Path: "v3/x", Number: "1", Body: []byte(`{"a":[1,{"b":{"c":1,"d":2,"c":3}}]}`)}, "stands twice"},
		"a variable":         {fleet.Job{Method: "GET", Path: "v3/refund/domestic/refunds/{out_refund_no}", Number: "x"}, "out_refund_no"},
		"a method":           {fleet.Job{Method: "LIST", Path: feedsPath, Number: "x"}, "LIST"},
		"an absolute value": {fleet.Job{Path: pointsPath, Number: "x",
			Body: []byte(`{"out_request_no":"x","brand_id":"1","card_id":"c","openid":"o","user_card_code":"u","point_balance":1}`)}, "give an order"},
		"found, but not a scalar": {fleet.Job{Path: feedsPath, Body: []byte(`{"out_request_no":{}}`)}, "number is missing"},
	} {
		var got error
		s, err := q.Submit(t.Context(), list(c.job), fleet.Intake{Reject: func(e *fleet.LineError) { got = e }})
		require.NoError(t, err, name)
		assert.Equal(t, fleet.Submission{Rejected: 1}, s, name)
		assert.ErrorContains(t, got, c.says, name)
	}
	_, err := q.Submit(t.Context(), func(yield func(fleet.Job, error) bool) { yield(fleet.Job{}, errors.New("disk gone")) }, fleet.Intake{})
	assert.ErrorContains(t, err, "disk gone")
}

// What waits keeps its order; submitted again with another one it is rejected rather than left
// where it does not belong.
func TestOrderIsKept(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	q := newQueue(t, fleettest.Embedded(t), g.client)
	submit(t, q, feed("F1"))
	again := feed("F1")
	again.Order, again.Line = "card", 7
	var got error
	s, err := q.Submit(t.Context(), list(again), fleet.Intake{Reject: func(e *fleet.LineError) { got = e }})
	require.NoError(t, err)
	assert.Equal(t, fleet.Submission{Rejected: 1}, s)
	assert.EqualError(t, got, "line 7: it is queued already with another order, or without one, as line 1")
	work(t, &fleet.Worker{Queue: q})
	s, err = q.Submit(t.Context(), list(again), fleet.Intake{})
	require.NoError(t, err)
	assert.Equal(t, fleet.Submission{Ended: 1}, s, "it has ended, so its order does not matter")
}

// A body goes out as it was submitted, also with the characters that encoding/json rewrites, and is
// known again.
func TestBodyIsKept(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	q := newQueue(t, fleettest.Embedded(t), g.client)
	plain, ordered := feed("F1"), feed("F2")
	ordered.Order = "card"
	for _, job := range []*fleet.Job{&plain, &ordered} {
		job.Body = bytes.Replace(job.Body, []byte("15_1200_1"), []byte("a & b <c>"), 1)
	}
	submit(t, q, plain, ordered)
	work(t, &fleet.Worker{Queue: q})
	assert.Equal(t, map[fleet.State]int{fleet.Succeeded: 2}, states(results(t, q)))
	for _, entry := range g.Journal.All() {
		assert.Contains(t, string(entry.Body), "a & b <c>")
	}
	s, err := q.Submit(t.Context(), list(plain, ordered), fleet.Intake{})
	require.NoError(t, err)
	assert.Equal(t, fleet.Submission{Ended: 2}, s)
}

// The same number in another space, or of another merchant, is another job.
func TestNumbersHaveSpaces(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	_, err := g.Users.AddPaidOrder("ORDER1", 100)
	require.NoError(t, err)
	q := newQueue(t, fleettest.Embedded(t), g.client)
	read := fleet.Job{Method: "GET", Path: "v3/pay/transactions/out-trade-no/{out_trade_no}",
		Vars: map[string]string{"out_trade_no": "ORDER1"}, Query: map[string][]string{"mchid": {g.Merchant().ID}}, Number: "SAME01"}
	submit(t, q, feed("SAME01"), refund("ORDER1", "SAME01"), read)
	work(t, &fleet.Worker{Queue: q, Select: []string{"trade_state"}})
	counts, err := q.Summary(t.Context(), fleet.Filter{})
	require.NoError(t, err)
	total := 0
	for _, c := range counts {
		total += c.Jobs
		assert.Contains(t, []fleet.State{fleet.Succeeded, fleet.Accepted}, c.State)
	}
	assert.Equal(t, 3, total)
	r, ok, err := q.Lookup(t.Context(), "GET /v3/pay/transactions/out-trade-no/{out_trade_no}", "SAME01")
	require.NoError(t, err)
	require.True(t, ok)
	assert.Contains(t, []string{`"SUCCESS"`, `"REFUND"`}, string(r.Selected["trade_state"]))
}

// Files of any length need little room: Submit waits while many wait, but for the chunks that were
// on their way before, and goes on when a worker makes room.
func TestSubmitWaitsForRoom(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	q := newQueue(t, fleettest.Embedded(t), g.client)
	const ahead, onTheWay, n = 100, 10 * 128, 1600
	jobs := feeds(n)
	for i := range jobs {
		jobs[i].Expires = time.Now().Add(-time.Minute) // so that a worker need not send them
	}
	submitted := make(chan fleet.Submission, 1)
	go func() {
		s, err := q.Submit(t.Context(), list(jobs...), fleet.Intake{Ahead: ahead})
		assert.NoError(t, err)
		submitted <- s
	}()
	queued := func() uint64 {
		status, err := q.Status(t.Context())
		require.NoError(t, err)
		return status.Queued
	}
	require.Eventually(t, func() bool { return queued() >= ahead }, 30*time.Second, 10*time.Millisecond)
	for range 30 { // without the wait all of them would come now
		require.LessOrEqual(t, queued(), uint64(ahead+onTheWay))
		time.Sleep(20 * time.Millisecond)
	}
	stop := start(t, &fleet.Worker{Queue: q, Calls: 8})
	assert.Equal(t, fleet.Submission{Queued: n}, <-submitted)
	require.NoError(t, q.Idle(t.Context()))
	stop()
	assert.Equal(t, map[fleet.State]int{fleet.Expired: n}, states(results(t, q)))
}

// A submission that broke off between taking a number and queueing the job goes on when it is made
// again.
func TestSubmitGoesOn(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	e := fleettest.Embedded(t)
	q := newQueue(t, e, g.client)
	jobs := append(feeds(3), points("a", "A1", 1))
	submit(t, q, jobs...)
	for _, name := range []string{"wxpay-jobs", "wxpay-lanes"} {
		s, err := e.JetStream().Stream(t.Context(), name)
		require.NoError(t, err)
		require.NoError(t, s.Purge(t.Context()))
	}
	queued := 0
	require.Eventually(t, func() bool {
		s, err := q.Submit(t.Context(), list(jobs...), fleet.Intake{})
		assert.Equal(t, 4, s.Queued+s.Again)
		queued += s.Queued
		return err == nil && queued == 4
	}, 10*time.Second, 50*time.Millisecond, "JetStream knows what was published to it just now, in an embedded engine for a moment only")
	work(t, &fleet.Worker{Queue: q})
	assert.Equal(t, map[fleet.State]int{fleet.Succeeded: 4}, states(results(t, q)))
}

// A lane whose token is lost, with a process that died between two steps, is found when there is
// nothing else to do.
func TestLaneWithoutToken(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	e := fleettest.Embedded(t)
	q := newQueue(t, e, g.client)
	submit(t, q, points("a", "A1", 1), points("a", "A2", 2))
	s, err := e.JetStream().Stream(t.Context(), "wxpay-jobs")
	require.NoError(t, err)
	require.NoError(t, s.Purge(t.Context()))
	work(t, &fleet.Worker{Queue: q})
	assert.Equal(t, map[fleet.State]int{fleet.Succeeded: 2}, states(results(t, q)))
}

func TestDrain(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	q := newQueue(t, fleettest.Embedded(t), g.client)
	submit(t, q, feeds(50)...)
	stop := start(t, &fleet.Worker{Queue: q})
	require.NoError(t, q.Drain(t.Context()))
	stop()
	assert.Equal(t, map[fleet.State]int{fleet.Succeeded: 50}, states(results(t, q)))
	status, err := q.Status(t.Context())
	require.NoError(t, err)
	assert.True(t, status.Closed)
	_, err = q.Submit(t.Context(), list(feed("F99")), fleet.Intake{})
	require.ErrorIs(t, err, fleet.ErrClosed)
	require.NoError(t, q.Resume(t.Context()))
	submit(t, q, feed("F99"))
}

func TestPauseByHand(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	q := newQueue(t, fleettest.Embedded(t), g.client)
	require.NoError(t, q.Pause(t.Context(), "maintenance"))
	require.NoError(t, q.Pause(t.Context(), "another"), "the first reason stays")
	submit(t, q, feeds(5)...)
	stop := start(t, &fleet.Worker{Queue: q})
	err := q.Idle(t.Context())
	assert.ErrorContains(t, err, "maintenance")
	assert.Empty(t, g.Journal.All())
	require.NoError(t, q.Resume(t.Context()))
	require.NoError(t, q.Idle(t.Context()))
	stop()
	assert.Len(t, shown(g.Sandbox), 5)
}

// When there is no room nothing is lost: what was acknowledged is kept, and the same file goes on
// when there is.
func TestNoRoom(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	dir := t.TempDir()
	e, err := fleet.Embedded(dir, fleet.WithMaxStore(2<<20))
	require.NoError(t, err)
	q := newQueue(t, e, g.client)
	const n = 5000
	s, err := q.Submit(t.Context(), list(feeds(n)...), fleet.Intake{})
	require.ErrorIs(t, err, fleet.ErrNoSpace)
	assert.Less(t, s.Queued, n)
	require.NoError(t, e.Close())

	e, err = fleet.Embedded(dir)
	require.NoError(t, err)
	defer e.Close()
	q = newQueue(t, e, g.client)
	again, err := q.Submit(t.Context(), list(feeds(n)...), fleet.Intake{})
	require.NoError(t, err)
	assert.Equal(t, n, again.Queued+again.Again)
	assert.GreaterOrEqual(t, again.Again, s.Queued)
	status, err := q.Status(t.Context())
	require.NoError(t, err)
	assert.EqualValues(t, n, status.Queued)
}

// A limit that an operator has put on a stream is no room either: what it refuses is not in the
// queue already.
func TestNoRoomInAStream(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	e := fleettest.Embedded(t)
	q := newQueue(t, e, g.client)
	jobs, err := e.JetStream().Stream(t.Context(), "wxpay-jobs")
	require.NoError(t, err)
	config := jobs.CachedInfo().Config
	config.MaxBytes = 16 << 10
	_, err = e.JetStream().UpdateStream(t.Context(), config)
	require.NoError(t, err)
	const n = 500
	s, err := q.Submit(t.Context(), list(feeds(n)...), fleet.Intake{})
	require.ErrorIs(t, err, fleet.ErrNoSpace)
	assert.Zero(t, s.Again)
	assert.Less(t, s.Queued, n)
	config.MaxBytes = -1
	_, err = e.JetStream().UpdateStream(t.Context(), config)
	require.NoError(t, err)
	_, err = q.Submit(t.Context(), list(feeds(n)...), fleet.Intake{})
	require.NoError(t, err)
	status, err := q.Status(t.Context())
	require.NoError(t, err)
	assert.EqualValues(t, n, status.Queued)
}

func TestOpenQueueRefuses(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	e := fleettest.Embedded(t)
	ctx := t.Context()
	keys := testKeys(t, "a")
	_, err := e.JetStream().CreateStream(ctx, jetstream.StreamConfig{Name: "taken-jobs", Subjects: []string{"taken.job.>"}, MaxMsgsPerSubject: 1})
	require.NoError(t, err)
	_, err = fleet.OpenQueue(ctx, e, fleet.QueueConfig{Name: "taken", Client: g.client, Keys: keys})
	require.ErrorIs(t, err, fleet.ErrSettings)
	assert.ErrorContains(t, err, "the stream taken-jobs: retention is Limits instead of WorkQueue; discard is DiscardOld instead of "+
		"DiscardNew; discard new per subject is false instead of true")

	newQueue(t, e, g.client)
	other, err := sandbox.New(sandbox.WithMerchant("1900000110"))
	require.NoError(t, err)
	for says, c := range map[string]fleet.QueueConfig{
		"belongs to mchid 1900000109, the client is that of mchid 1900000110": {Client: clientOf(t, other, other.Transport()), Keys: keys},
		"sealed under another key": {Client: g.client, Keys: testKeys(t, "b")},
		"no keys":                  {Client: g.client},
		"letters, digits, - and _": {Client: g.client, Keys: keys, Name: "a.b"},
		"at least 1 is needed":     {Client: g.client, Keys: keys, InFlight: -1},
		"at least 2s are needed":   {Client: g.client, Keys: keys, Lease: time.Second},
	} {
		_, err := fleet.OpenQueue(ctx, e, c)
		assert.ErrorContains(t, err, says)
	}
}

// What a newer version of this program wrote is left as it is, for one that can read it; an older
// one's is read.
func TestVersions(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	e := fleettest.Embedded(t)
	q := newQueue(t, e, g.client)
	submit(t, q, feeds(2)...)
	jobs, err := e.JetStream().Stream(t.Context(), "wxpay-jobs")
	require.NoError(t, err)
	m, err := jobs.GetMsg(t.Context(), 1)
	require.NoError(t, err)
	require.NoError(t, jobs.DeleteMsg(t.Context(), 1))
	newer := nats.Header{}
	for name, values := range m.Header {
		newer[name] = values
	}
	newer.Del(nats.MsgIdHdr)
	newer.Set("Wxpay-Version", "2")
	_, err = e.JetStream().PublishMsg(t.Context(), &nats.Msg{Subject: m.Subject, Header: newer, Data: []byte("of another form")})
	require.NoError(t, err)

	troubles := make(chan error, 100)
	stop := start(t, &fleet.Worker{Queue: q, OnError: func(err error) { troubles <- err }})
	require.ErrorIs(t, <-troubles, fleet.ErrNewer)
	awaitStates(t, q, map[fleet.State]int{fleet.Waiting: 1, fleet.Succeeded: 1})
	stop()
	require.Eventually(t, func() bool { // what is acknowledged goes a moment later
		status, err := q.Status(t.Context())
		return err == nil && status.Queued == 1
	}, 30*time.Second, 10*time.Millisecond, "it is still there")

	records, err := e.JetStream().Stream(t.Context(), "wxpay-records")
	require.NoError(t, err)
	m, err = records.GetLastMsgForSubject(t.Context(), "wxpay.record."+m.Subject[strings.LastIndex(m.Subject, ".")+1:])
	require.NoError(t, err)
	_, err = e.JetStream().PublishMsg(t.Context(), &nats.Msg{Subject: m.Subject, Header: newer, Data: m.Data})
	require.NoError(t, err)
	var got error
	_, err = q.Submit(t.Context(), list(feeds(1)...), fleet.Intake{Reject: func(e *fleet.LineError) { got = e }})
	require.NoError(t, err)
	require.ErrorIs(t, got, fleet.ErrNewer)
	for _, err := range q.Results(t.Context(), fleet.Filter{}) {
		if err != nil {
			require.ErrorIs(t, err, fleet.ErrNewer)
		}
	}
}

// When the connection is gone, submitting ends with an error rather than waiting for good.
func TestSubmitWithoutEngine(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	e, err := fleet.Embedded(t.TempDir())
	require.NoError(t, err)
	q := newQueue(t, e, g.client)
	require.NoError(t, e.Close())
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, err = q.Submit(ctx, list(feeds(10)...), fleet.Intake{})
	require.Error(t, err)
	assert.NoError(t, ctx.Err())
}

// When the engine fails in the middle, nothing gets ahead of what comes before it in its order.
func TestOrderOutlivesTrouble(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	e := fleettest.Embedded(t)
	q := newQueue(t, e, g.client)
	jobs := []fleet.Job{points("a", "A1", 1), points("b", "B1", 1), points("a", "A2", 2), points("a", "A3", 3)}
	jobs[0].Body = bytes.Replace(jobs[0].Body, []byte(`"openid":"o"`), []byte(`"openid":"`+strings.Repeat("o", 4<<10)+`"`), 1)
	lanes, err := e.JetStream().Stream(t.Context(), "wxpay-lanes")
	require.NoError(t, err)
	config := lanes.CachedInfo().Config
	config.MaxMsgSize = 2 << 10 // the first is not taken, what is behind it would be
	_, err = e.JetStream().UpdateStream(t.Context(), config)
	require.NoError(t, err)
	_, err = q.Submit(t.Context(), list(jobs...), fleet.Intake{})
	require.Error(t, err)
	config.MaxMsgSize = -1
	_, err = e.JetStream().UpdateStream(t.Context(), config)
	require.NoError(t, err)

	_, err = q.Submit(t.Context(), list(jobs...), fleet.Intake{})
	require.NoError(t, err)
	work(t, &fleet.Worker{Queue: q})
	var balances []string
	for _, entry := range g.Journal.All() {
		if strings.Contains(string(entry.Body), `"user_card_code":"a"`) {
			balances = append(balances, between(string(entry.Body), `"point_balance":`, "}"))
		}
	}
	assert.Equal(t, []string{"1", "2", "3"}, balances)
}

// A submission goes on through an election, and so does who waits for the jobs.
func TestSubmitThroughElection(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	c := fleettest.NewCluster(t, true)
	e := c.Connect(t)
	var q *fleet.Queue
	fleettest.Eventually(t, func(ctx context.Context) (err error) {
		q, err = fleet.OpenQueue(ctx, e, fleet.QueueConfig{Client: g.client, Keys: testKeys(t, "a"), Lease: 4 * time.Second})
		return err
	})
	c.Healthy(t, e)
	const n = 3000
	var killing sync.Once
	killed, jobs := -1, feeds(n)
	for i := range jobs {
		jobs[i].Order = fmt.Sprint(i % 400) // some stand in one order
		if i%400 > 100 {
			jobs[i].Order = ""
		}
	}
	s, err := q.Submit(t.Context(), list(jobs...), fleet.Intake{Reject: func(e *fleet.LineError) { assert.NoError(t, e) }, Progress: func(s fleet.Submission) {
		if s.Read() < n/4 {
			return
		}
		killing.Do(func() {
			stream, err := e.JetStream().Stream(t.Context(), "wxpay-records")
			require.NoError(t, err)
			killed = slices.IndexFunc(c.Nodes[:], func(n *fleettest.Node) bool { return n.Config.Name == stream.CachedInfo().Cluster.Leader })
			c.Kill(killed)
		})
	}})
	require.NoError(t, err)
	assert.Equal(t, n, s.Queued+s.Again, "%+v", s)
	require.GreaterOrEqual(t, killed, 0)
	require.NoError(t, c.Start(killed))
	status, err := q.Status(t.Context())
	require.NoError(t, err)
	assert.EqualValues(t, n, status.Queued)
}

// What comes slowly through a pipe is queued as it comes, and a pipe that gives nothing keeps
// nobody.
func TestSubmitFromAPipe(t *testing.T) {
	t.Parallel()
	q := newQueue(t, fleettest.Embedded(t), newGateway(t).client)
	r, w := io.Pipe()
	defer w.Close()
	go func() { _, _ = io.WriteString(w, feedLine("F1", "a")) }()
	ctx, cancel := context.WithCancelCause(t.Context())
	ended := make(chan error, 1)
	var s fleet.Submission
	go func() {
		var err error
		s, err = q.Submit(ctx, fleet.Sheet{Path: feedsPath}.NDJSON(r), fleet.Intake{})
		ended <- err
	}()
	require.Eventually(t, func() bool {
		status, err := q.Status(t.Context())
		return err == nil && status.Queued == 1
	}, time.Minute, 20*time.Millisecond)
	enough := errors.New("enough")
	cancel(enough)
	select {
	case err := <-ended:
		assert.ErrorIs(t, err, enough)
		assert.Equal(t, 1, s.Queued)
	case <-time.After(time.Minute):
		t.Error("it waits for the pipe")
	}
}

// Code of the user's that panics, or ends its goroutine, ends the submission with an error, and
// nothing else.
func TestSubmitSurvivesTheUsersCode(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"panic", "Goexit"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			boom := func() {
				if how == "panic" {
					panic("boom")
				}
				runtime.Goexit()
			}
			g := newGateway(t)
			q := newQueue(t, fleettest.Embedded(t), g.client)
			_, err := q.Submit(t.Context(), func(yield func(fleet.Job, error) bool) {
				yield(feeds(1)[0], nil)
				boom()
			}, fleet.Intake{})
			require.ErrorContains(t, err, "fleet: the jobs given to Submit: it ")
			_, err = q.Submit(t.Context(), list(feeds(3)...), fleet.Intake{Progress: func(fleet.Submission) { boom() }})
			require.ErrorContains(t, err, "fleet: Reject or Progress: it ")
			s, err := q.Submit(t.Context(), list(feeds(3)...), fleet.Intake{})
			require.NoError(t, err)
			assert.EqualValues(t, 3, s.Queued+s.Again)
		})
	}
}
