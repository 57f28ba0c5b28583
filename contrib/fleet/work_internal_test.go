package fleet

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/wxcode"
)

// openTest opens a queue on an engine of its own, with a job in it.
func openTest(t *testing.T, order string) *Queue {
	t.Helper()
	s, err := sandbox.New(sandbox.WithLenientCards())
	require.NoError(t, err)
	client, err := wxpay.FromLookupEnv(s.LookupEnv, wxpay.WithTransport(s.Transport()))
	require.NoError(t, err)
	e, err := Embedded(t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, e.Close()) })
	keys, err := ParseKeys(hex.EncodeToString(make([]byte, keySize)))
	require.NoError(t, err)
	q, err := OpenQueue(t.Context(), e, QueueConfig{Client: client, Keys: keys})
	require.NoError(t, err)
	job := Job{Path: "v3/refund/domestic/refunds", Order: order,
		Body: []byte(`{"out_trade_no":"O","out_refund_no":"R","amount":{"refund":1,"total":1,"currency":"CNY"}}`)}
	_, err = q.Submit(t.Context(), func(yield func(Job, error) bool) { yield(job, nil) }, Intake{})
	require.NoError(t, err)
	return q
}

func openTestLeases(t *testing.T, q *Queue) *leases {
	t.Helper()
	l, err := openLeases(q.engine.js.Conn(), (&running{Queue: q, id: "test"}).announceSelf, q.lease)
	require.NoError(t, err)
	t.Cleanup(l.close)
	return l
}

// takeTest takes the one job of a queue.
func takeTest(t *testing.T, q *Queue) *delivery {
	t.Helper()
	msg, err := (&running{Queue: q}).next(t.Context(), true)
	require.NoError(t, err)
	require.NotNil(t, msg)
	return msg
}

// claimTest is the one job of a queue in the hands of a worker, whoever else has it.
func claimTest(t *testing.T, r *running) *claim {
	t.Helper()
	m, err := r.jobs.GetLastMsgForSubject(t.Context(), r.name+".job.one.*")
	require.NoError(t, err)
	c := &claim{key: lastToken(m.Subject), sealed: m.Data, header: m.Header}
	require.NoError(t, r.open(c))
	return c
}

// A lease is kept by answers of the leader and by what the engine stores; when either stops, or the
// process did, it is over in time.
func TestLease(t *testing.T) {
	t.Parallel()
	q := openTest(t, "")
	l := openTestLeases(t, q)
	msg := takeTest(t, q)
	begin := func(ago time.Duration) (context.Context, *hold) {
		ctx, h := l.hold(t.Context(), msg)
		t.Cleanup(h.release)
		h.since, h.heard = h.since.Add(-ago), h.heard.Add(-ago)
		return ctx, h
	}
	ctx, kept := begin(q.lease / 3)
	require.NoError(t, kept.check())
	l.renew(t.Context())
	require.Eventually(t, func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return time.Since(kept.heard) < q.lease/4
	}, 5*time.Second, time.Millisecond, "the consumer answers")
	require.NoError(t, kept.check())
	require.NoError(t, context.Cause(ctx))

	stood, late := begin(q.lease/2 + time.Second)
	require.ErrorIs(t, late.check(), errLease, "the process stood still")
	require.ErrorIs(t, context.Cause(stood), errLease)

	_, nobody := begin(0)
	nobody.reply = "nobody.listens"
	heard := nobody.heard
	l.renew(t.Context())
	require.NoError(t, q.engine.js.Conn().Flush())
	time.Sleep(100 * time.Millisecond) // for a response that must not count
	l.mu.Lock()
	require.Equal(t, heard, nobody.heard, "the server says that nobody is there")
	l.mu.Unlock()

	require.NoError(t, q.engine.js.DeleteKeyValue(t.Context(), q.name+"-control"))
	_, unstored := begin(0)
	l.mu.Lock()
	unstored.since = unstored.since.Add(-q.lease)
	l.stored = l.stored.Add(-q.lease)
	before := l.stored
	l.mu.Unlock()
	l.renew(t.Context())
	l.mu.Lock()
	require.Equal(t, before, l.stored, "nothing is stored")
	l.mu.Unlock()
	require.ErrorIs(t, unstored.check(), errLease)
}

// A worker that has lost its lease says nothing more about the message: by then it may be
// another's, and to give it back would have a third begin while that one works. So it is with a
// message that came while the process stood still.
func TestLostLeaseIsLeftAlone(t *testing.T) {
	t.Parallel()
	for name, order := range map[string]string{"a job": "", "a lane": "card"} {
		for _, late := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, late %t", name, late), func(t *testing.T) {
				t.Parallel()
				q := openTest(t, order)
				msg := takeTest(t, q)
				said, err := q.engine.js.Conn().SubscribeSync(msg.Reply())
				require.NoError(t, err)
				r := &running{Queue: q, Worker: Worker{Patience: time.Minute}, leases: openTestLeases(t, q)}
				ctx, lose := context.WithCancelCause(t.Context())
				defer lose(nil)
				if late {
					msg.since = msg.since.Add(-q.lease)
				} else {
					lose(errLease)
				}
				r.take(ctx, msg)
				require.NoError(t, q.engine.js.Conn().Flush())
				pending, _, err := said.Pending()
				require.NoError(t, err)
				assert.Zero(t, pending)
				counts, err := q.Summary(t.Context(), Filter{})
				require.NoError(t, err)
				if late {
					assert.Equal(t, []Count{{State: Waiting, Jobs: 1}}, counts, "nothing was begun")
				}
			})
		}
	}
}

// What somebody else has written meanwhile is left as it is, and so is the message.
func TestMovedResultIsLeftAlone(t *testing.T) {
	t.Parallel()
	q := openTest(t, "")
	r := &running{Queue: q}
	first, second := claimTest(t, r), claimTest(t, r)
	require.NoError(t, r.begin(t.Context(), first, false))
	require.ErrorIs(t, r.begin(t.Context(), second, false), ErrMoved)

	have, err := q.record(t.Context(), first.key)
	require.NoError(t, err)
	next := *have
	next.State, next.Claim = Unknown, q.claim()
	require.NoError(t, q.replace(t.Context(), first.key, &next))
	first.rec.State = Succeeded
	end, err := r.store(t.Context(), first)
	require.NoError(t, err)
	assert.Equal(t, ending{left: true}, end)
	end, err = r.giveBack(t.Context(), first, wxpay.Unknown, time.Second)
	require.NoError(t, err)
	assert.Equal(t, ending{left: true}, end)
	have, err = q.record(t.Context(), first.key)
	require.NoError(t, err)
	assert.Equal(t, Unknown, have.State)

	dead := func() uint64 {
		info, err := q.dead.Info(t.Context())
		require.NoError(t, err)
		return info.State.Msgs
	}
	first.rec.State = Refused
	end, err = r.store(t.Context(), first)
	require.NoError(t, err)
	assert.Equal(t, ending{left: true}, end)
	assert.EqualValues(t, 1, dead(), "the other one's unknown job has to be there for a retry")
	n, err := q.Retry(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 1, n, "and a retry of the unknown has to find it")
	have, err = q.record(t.Context(), first.key)
	require.NoError(t, err)

	have.State, have.Claim = Succeeded, q.claim()
	require.NoError(t, q.replace(t.Context(), first.key, have))
	first.rec.State = Refused // which is kept for a retry before it is found that somebody else has the job
	end, err = r.store(t.Context(), first)
	require.NoError(t, err)
	assert.Equal(t, ending{left: true}, end)
	assert.Zero(t, dead(), "nothing is left to be retried")
	_, err = q.Retry(t.Context())
	require.NoError(t, err)
	_, err = q.Summary(t.Context(), Filter{})
	require.NoError(t, err)
	for _, s := range []jetstream.Stream{q.dead, q.records} {
		for range s.ConsumerNames(t.Context()).Name() {
			t.Error("reading leaves a consumer")
		}
	}
}

// A worker that dies while it only asks does not make a doubt younger. A job may be sent again after
// a minute, so it would wait for ever where workers die more often than that.
func TestDoubtAges(t *testing.T) {
	t.Parallel()
	q := openTest(t, "")
	r := &running{Queue: q}
	next := func(now time.Time) *claim { // the next worker, after the one before is gone
		c := claimTest(t, r)
		have, err := q.record(t.Context(), c.key)
		require.NoError(t, err)
		c.adopt(have, now)
		return c
	}
	begin := time.Now().UTC().Truncate(time.Second)
	first := next(begin)
	assert.Zero(t, first.doubt)
	require.NoError(t, r.begin(t.Context(), first, false))
	second := next(begin.Add(time.Second))
	assert.Equal(t, begin.Add(time.Second), second.doubt)
	require.NoError(t, r.begin(t.Context(), second, true))
	require.NoError(t, r.begin(t.Context(), second, true))
	assert.Equal(t, 2, second.rec.Deliveries)
	third := next(begin.Add(2 * time.Second))
	assert.Equal(t, begin.Add(time.Second), third.doubt, "the second has only asked")
	require.NoError(t, r.begin(t.Context(), third, true))
	require.NoError(t, r.begin(t.Context(), third, false), "it sends, after all")
	assert.Equal(t, 3, third.rec.Deliveries)
	assert.Equal(t, begin.Add(3*time.Second), next(begin.Add(3*time.Second)).doubt)
}

// A worker that finds a job in doubt too young for the next step writes down since when it is,
// before it lets the job wait: else every one would find it as young.
func TestWaitIsWrittenDown(t *testing.T) {
	t.Parallel()
	q := openTest(t, "")
	r := &running{Queue: q, Worker: Worker{Patience: time.Hour}}
	next := func(now time.Time) *claim {
		c := claimTest(t, r)
		have, err := q.record(t.Context(), c.key)
		require.NoError(t, err)
		c.adopt(have, now)
		return c
	}
	begin := time.Now().UTC().Truncate(time.Second)
	require.NoError(t, r.begin(t.Context(), next(begin), false))
	second := next(begin)
	end, over, err := r.later(t.Context(), second, &wxpay.NotYetError{After: time.Minute, Err: io.ErrUnexpectedEOF}, nil)
	require.NoError(t, err)
	assert.False(t, over)
	assert.Equal(t, ending{again: time.Minute}, end)
	third := next(begin.Add(time.Second))
	assert.Equal(t, begin, third.doubt)
	assert.Equal(t, Waiting, third.rec.State)
	assert.WithinRange(t, third.rec.NotBefore, begin.Add(time.Minute), time.Now().Add(time.Minute))
	_, over, err = (&running{Queue: q, Worker: Worker{Patience: time.Second}}).later(t.Context(), third, &wxpay.NotYetError{After: time.Minute}, nil)
	require.NoError(t, err)
	assert.True(t, over, "its patience is over")
}

// A rejection of the query after a job in doubt concerns the merchant as that of the job itself does,
// and is not the job's.
func TestRefusedQueryConcernsTheMerchant(t *testing.T) {
	t.Parallel()
	r := &running{wide: map[wxcode.Code]bool{wxcode.NoAuth: true}}
	refused := func(code wxcode.Code) error {
		return &wxpay.CallError{Stage: wxpay.StageEnsure, Outcome: wxpay.Unknown,
			Err: fmt.Errorf("asking: %w", &wxpay.QueryError{Err: &wxpay.APIError{Status: 403, Code: code, Verified: true}})}
	}
	assert.True(t, r.concernsMerchant(refused(wxcode.NoAuth), nil))
	assert.False(t, r.concernsMerchant(refused(wxcode.ParamError), nil))
}

// A pause that cannot be stored holds nobody up for good.
func TestPauseThatCannotBeStored(t *testing.T) {
	t.Parallel()
	q := openTest(t, "")
	r := &running{Queue: q, Worker: Worker{}, wide: map[wxcode.Code]bool{wxcode.SignError: true}}
	c := &claim{rec: &record{}, job: &Job{Method: http.MethodPost}}
	require.NoError(t, q.engine.js.DeleteKeyValue(t.Context(), q.name+"-control"))
	end, err := r.judge(t.Context(), c, &wxpay.APIError{Status: http.StatusUnauthorized, Code: wxcode.SignError, Verified: true})
	require.NoError(t, err)
	assert.Equal(t, ending{again: time.Second}, end)
	assert.Nil(t, r.paused.Load())
}

// An outage whose pause cannot be stored at first is one all the same.
func TestOutagePausesLater(t *testing.T) {
	t.Parallel()
	q := openTest(t, "")
	r := &running{Queue: q}
	r.failures.Store(breakAfter + 3)
	c := claimTest(t, r)
	require.NoError(t, r.begin(t.Context(), c, false))
	_, err := r.judge(t.Context(), c, &wxpay.CallError{Outcome: wxpay.Unknown, Method: http.MethodPost, Attempts: 1, Err: io.ErrUnexpectedEOF})
	require.NoError(t, err)
	p, err := q.Paused(t.Context())
	require.NoError(t, err)
	require.NotNil(t, p)
}

// lapsed is a watch that was given up.
type lapsed struct{ updates chan jetstream.KeyValueEntry }

func (l lapsed) Updates() <-chan jetstream.KeyValueEntry { return l.updates }
func (l lapsed) Stop() error                             { return nil }
func (l lapsed) Error() <-chan error                     { return nil }

// A worker whose watch ends watches anew, or it would hear of no pause any more.
func TestWatchThatEnds(t *testing.T) {
	t.Parallel()
	q := openTest(t, "")
	r := &running{Queue: q}
	watch := lapsed{make(chan jetstream.KeyValueEntry)}
	close(watch.updates)
	ctx, stop := context.WithCancel(t.Context())
	var following sync.WaitGroup
	following.Go(func() { r.follow(ctx, watch) })
	for range 2 {
		require.NoError(t, q.Pause(t.Context(), "for the night"))
		require.Eventually(t, func() bool { return r.paused.Load() != nil }, 30*time.Second, time.Millisecond)
		require.NoError(t, q.Resume(t.Context()))
		require.Eventually(t, func() bool { return r.paused.Load() == nil }, 30*time.Second, time.Millisecond)
	}
	stop()
	following.Wait()
}

// A disk that stands still for some seconds ends nothing, also not beside an embedded engine. One
// that is full does.
func TestSlowDisk(t *testing.T) {
	t.Parallel()
	q := openTest(t, "")
	for name, tt := range map[string]struct {
		err   error
		calls int
	}{
		"slow":    {context.DeadlineExceeded, 3},
		"full":    {fmt.Errorf("%w (%w)", ErrNoSpace, context.DeadlineExceeded), 1},
		"refused": {jetstream.ErrStreamNotFound, 1},
	} {
		calls := 0
		err := q.engine.insist(t.Context(), func() error {
			if calls++; calls == 3 {
				return nil
			}
			return tt.err
		})
		require.Equal(t, tt.calls, calls, name)
		require.Equal(t, tt.calls == 3, err == nil, name)
	}
}
