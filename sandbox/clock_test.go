//go:build go1.25

package sandbox_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/sandbox"
)

// refundsAfter has refunds take as long as their numbers say.
func refundsAfter(s *sandbox.Sandbox) {
	s.Ledger.SetEnding(func(_ sandbox.EffectKind, number string) sandbox.Ending {
		after, err := time.ParseDuration(number)
		if err != nil {
			panic(err)
		}
		return sandbox.Ending{After: after}
	})
}

// refundStates are the states of all refunds, by number.
func refundStates(s *sandbox.Sandbox) map[string]string {
	states := make(map[string]string)
	for _, e := range s.Ledger.Effects(sandbox.RefundEffect) {
		states[e.Number] = e.State
	}
	return states
}

func TestJumpMeetsWhatIsDueInOrder(t *testing.T) {
	s := newSandbox(t)
	defer s.Close()
	start := s.Clock.Now()
	var mu sync.Mutex
	var heard []string
	s.Deliveries.To(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		heard = append(heard, fmt.Sprint(s.Clock.Now().Sub(start).Round(time.Minute)))
	}))
	require.NoError(t, s.Rules.Relax(sandbox.RefundPace))
	paid(t, s)
	refundsAfter(s)
	for _, number := range []string{"3h", "1h", "2h", "25h"} {
		require.Equal(t, 200, ask(t, s, "POST", refundPath, with(refund(number, 1), "notify_url", notifyURL)).StatusCode)
	}
	require.NoError(t, s.Clock.Jump(24*time.Hour))
	assert.Equal(t, []string{"1h0m0s", "2h0m0s", "3h0m0s"}, heard, "each at its own time, and delivered when Jump returns")
	assert.Equal(t, map[string]string{"1h": "SUCCESS", "2h": "SUCCESS", "3h": "SUCCESS", "25h": "PROCESSING"}, refundStates(s))
	assert.InDelta(t, 24*time.Hour, s.Clock.Now().Sub(start), float64(time.Minute))

	// The wire is where it was: a client that knows nothing of the jump is understood.
	a := ask(t, s, "GET", refundPath+"/3h", nil)
	require.Equal(t, 200, a.StatusCode, "%s", a.body)
	verify(t, s, time.Now(), a)
	at, err := time.Parse(time.RFC3339, a.json(t)["success_time"].(string))
	require.NoError(t, err)
	assert.WithinDuration(t, start.Add(3*time.Hour), at, time.Minute)
}

// TestJumpOverRepeats: a day of repeats passes within one call.
func TestJumpOverRepeats(t *testing.T) {
	s, r := newReceiver(t)
	defer s.Close()
	r.answers = make([]int, 100)
	for i := range r.answers {
		r.answers[i] = 500
	}
	id, err := s.Deliveries.Deliver(notifyURL, "TRANSACTION.SUCCESS", nil)
	require.NoError(t, err)
	require.NoError(t, s.Clock.Jump(24*time.Hour))
	d := s.Deliveries.All()[0]
	assert.Equal(t, id, d.ID)
	assert.Equal(t, sandbox.Waiting, d.State, "the schedule is 24 h 4 min long")
	assert.Len(t, d.Attempts, 15)
	require.NoError(t, s.Clock.Jump(10*time.Minute))
	d = s.Deliveries.All()[0]
	assert.Equal(t, sandbox.GivenUp, d.State)
	require.Len(t, d.Attempts, 16)
	assert.WithinDuration(t, d.Attempts[0].Time.Add(24*time.Hour+4*time.Minute), d.Attempts[15].Time, time.Minute)
	for _, err := range r.verdicts() {
		assert.NoError(t, err, "each is signed for the time on the wire")
	}
}

func TestJumpMistakes(t *testing.T) {
	s := newSandbox(t)
	defer s.Close()
	require.EqualError(t, s.Clock.Jump(-time.Hour), "sandbox: the clock cannot go back by 1h0m0s; start another sandbox, or restore a snapshot")
	inside := make(chan error, 1)
	s.Deliveries.To(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { inside <- s.Clock.Jump(time.Second) }))
	s.Deliveries.Plan(func(string, string) sandbox.Plan { return sandbox.Plan{After: time.Hour} })
	_, err := s.Deliveries.Deliver(notifyURL, "TRANSACTION.SUCCESS", nil)
	require.NoError(t, err)
	require.NoError(t, s.Clock.Jump(time.Hour))
	assert.EqualError(t, <-inside, "sandbox: the clock is jumping already")
}

// TestFrozenClock: nothing happens by itself while the clock stands still, and the rest of every wait is kept.
func TestFrozenClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := newReceiver(t, 500)
		defer s.Close()
		paid(t, s)
		refundsAfter(s)
		require.Equal(t, 200, ask(t, s, "POST", refundPath, refund("1h", 1)).StatusCode)
		_, err := s.Deliveries.Deliver(notifyURL, "TRANSACTION.SUCCESS", nil)
		require.NoError(t, err)
		time.Sleep(10 * time.Second)
		require.Len(t, r.notices(), 1)

		clock := s.Clock
		require.NoError(t, clock.Freeze())
		require.NoError(t, clock.Freeze())
		require.True(t, clock.Frozen())
		stopped := clock.Now()
		time.Sleep(48 * time.Hour)
		assert.Equal(t, stopped, clock.Now())
		assert.Len(t, r.notices(), 1)
		assert.Equal(t, "PROCESSING", refundStates(s)["1h"])
		require.Equal(t, 200, ask(t, s, "GET", refundPath+"/1h", nil).StatusCode, "calls are answered all the same")

		require.NoError(t, clock.Jump(4*time.Second))
		assert.Len(t, r.notices(), 1)
		require.NoError(t, clock.Unfreeze())
		time.Sleep(time.Second - time.Nanosecond)
		synctest.Wait()
		assert.Len(t, r.notices(), 1)
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		assert.Len(t, r.notices(), 2, "15 s after the first attempt, of which 10 passed before and 4 were jumped over")
		time.Sleep(time.Hour - 15*time.Second - time.Nanosecond)
		assert.Equal(t, "PROCESSING", refundStates(s)["1h"])
		time.Sleep(time.Nanosecond)
		assert.Equal(t, "SUCCESS", refundStates(s)["1h"])

		require.NoError(t, clock.Freeze())
		require.Equal(t, 200, ask(t, s, "POST", refundPath, refund("2h", 1)).StatusCode)
		require.NoError(t, clock.Jump(2*time.Hour))
		assert.Equal(t, "SUCCESS", refundStates(s)["2h"], "a clock that stands still jumps as well")
		require.NoError(t, clock.Unfreeze())
		require.NoError(t, clock.Unfreeze())
		assert.False(t, clock.Frozen())
	})
}

// TestWaitsMoveAClockThatStandsStill: with a fixed clock of the user's, waits pass as package time tells.
func TestWaitsMoveAClockThatStandsStill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		s := newSandbox(t, sandbox.WithClock(func() time.Time { return now }))
		defer s.Close()
		r := &receiver{t: t, s: s, answers: []int{500, 500, 500, 500}}
		s.Deliveries.To(r)
		_, err := s.Deliveries.Deliver(notifyURL, "TRANSACTION.SUCCESS", nil)
		require.NoError(t, err)
		time.Sleep(time.Hour)
		assert.Equal(t, []time.Duration{15 * time.Second, 15 * time.Second, 30 * time.Second, 3 * time.Minute}, r.waits())
		assert.Equal(t, now.Add(4*time.Minute), s.Clock.Now())
		now = now.Add(time.Hour)
		assert.Equal(t, now.Add(4*time.Minute), s.Clock.Now())
	})
}

// TestCertificatesRotateInTime: the platform replaces its certificates before they end, and drops them when they do.
func TestCertificatesRotateInTime(t *testing.T) {
	s := newSandbox(t)
	defer s.Close()
	signer := func() string {
		c := newCall(s, time.Now(), "POST", "/v3/pay/transactions/native", with(native(s), "out_trade_no", fmt.Sprint("ORDER-", time.Now().UnixNano())))
		c.header.Del("Wechatpay-Serial")
		return c.sign(s).send(t, s.Transport(), inProcess).Header.Get("Wechatpay-Serial")
	}
	serials := func() (list []string) {
		for _, c := range s.Keys.Certificates() {
			list = append(list, apiv3.Serial(c))
		}
		return list
	}
	to := func(at time.Time) { require.NoError(t, s.Clock.Jump(at.Sub(s.Clock.Now()))) }
	first, second := s.Keys.Certificates()[0], s.Keys.Certificates()[1]
	require.Equal(t, apiv3.Serial(first), signer())

	to(first.NotAfter.Add(-10*24*time.Hour - time.Minute))
	assert.Equal(t, apiv3.Serial(first), signer())
	to(first.NotAfter.Add(-10 * 24 * time.Hour))
	assert.Equal(t, apiv3.Serial(second), signer(), "ten days before it ends it makes way")
	assert.Len(t, serials(), 2)
	to(first.NotAfter)
	assert.Equal(t, []string{apiv3.Serial(second)}, serials(), "it has ended")

	to(second.NotAfter.Add(-10 * 24 * time.Hour))
	require.Len(t, serials(), 2, "a new one was issued")
	assert.Equal(t, serials()[1], signer())
	to(second.NotAfter.AddDate(20, 0, 0))
	require.Len(t, serials(), 1)
	last := s.Keys.Certificates()[0]
	assert.True(t, last.NotAfter.After(s.Clock.Now()))
	assert.Equal(t, apiv3.Serial(last), signer())

	require.NoError(t, s.Keys.ExpireCertificate(apiv3.Serial(last)))
	to(s.Clock.Now().Add(time.Hour))
	assert.Equal(t, apiv3.Serial(last), signer(), "what was made to look expired signs on")
}

// TestJumpTooFar adds jumps up to more than a duration holds.
func TestJumpTooFar(t *testing.T) {
	s := newSandbox(t)
	defer s.Close()
	const years = 365 * 24 * time.Hour
	before := s.Clock.Now()
	assert.ErrorContains(t, s.Clock.Jump(290*years), "a hundred years")
	assert.Less(t, s.Clock.Now().Sub(before), time.Hour)
	require.NoError(t, s.Clock.Jump(60*years))
	assert.ErrorContains(t, s.Clock.Jump(60*years), "a hundred years")
	assert.ErrorContains(t, s.Clock.Jump(1<<63-1), "a hundred years")
	assert.InDelta(t, 60*years, s.Clock.Now().Sub(before), float64(time.Hour))
}

// TestPlannedWaitBeginsWithTheEvent has a notification wait that begins by itself, during a jump.
func TestPlannedWaitBeginsWithTheEvent(t *testing.T) {
	s, r := newReceiver(t)
	defer s.Close()
	require.NoError(t, s.Clock.Freeze())
	paid(t, s)
	refundsAfter(s)
	s.Deliveries.Plan(func(string, string) sandbox.Plan { return sandbox.Plan{After: 10 * time.Minute} })
	require.Equal(t, 200, ask(t, s, "POST", refundPath, with(refund("1h", 1), "notify_url", notifyURL)).StatusCode)
	due := s.Clock.Now().Add(time.Hour + 10*time.Minute)
	require.NoError(t, s.Clock.Jump(time.Hour+time.Minute))
	assert.Empty(t, r.notices(), "ten minutes after the refund, not after the request")
	require.Len(t, s.Deliveries.All(), 1)
	assert.True(t, due.Equal(s.Deliveries.All()[0].Next))
	require.NoError(t, s.Clock.Jump(10*time.Minute))
	assert.Len(t, r.notices(), 1)
}
