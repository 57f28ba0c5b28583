package sandbox_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"

	"github.com/wxpay-go/wxpay/sandbox"
)

func TestSnapshotAndRestore(t *testing.T) {
	s, r := newReceiver(t, 500, 500)
	defer s.Close()
	require.Equal(t, 200, ask(t, s, "POST", "/v3/pay/transactions/native",
		with(with(native(s), "notify_url", notifyURL), "amount", map[string]any{"total": 100})).StatusCode)
	_, err := s.Users.Pay("ORDER-0001")
	require.NoError(t, err)
	id := s.Deliveries.All()[0].ID
	_, err = s.Deliveries.Await(t.Context(), id, 1)
	require.NoError(t, err)
	s.Ledger.SetEnding(func(sandbox.EffectKind, string) sandbox.Ending { return sandbox.Ending{After: time.Hour} })
	require.Equal(t, 200, ask(t, s, "POST", refundPath, refund("R1", 1)).StatusCode)
	require.NoError(t, s.Clock.Freeze())
	ledger, now := s.Ledger.Effects(), s.Clock.Now()
	snapshot, err := s.Snapshot()
	require.NoError(t, err)
	assert.NotContains(t, string(snapshot), s.Merchant().APIv3Key)

	require.NoError(t, s.Clock.Jump(2*time.Hour))
	require.Equal(t, 200, ask(t, s, "POST", refundPath, refund("R2", 1)).StatusCode)
	other, err := s.AddMerchant("1900000110")
	require.NoError(t, err)
	_, err = other.Users.AddPaidOrder("OTHER-1", 1)
	require.NoError(t, err)
	require.Equal(t, "SUCCESS", refundStates(s)["R1"])

	require.NoError(t, s.Restore(snapshot))
	assert.True(t, now.Equal(s.Clock.Now()), "the clock is back, too")
	assert.True(t, s.Clock.Frozen())
	sameLedger(t, ledger, s.Ledger.Effects())
	assert.Empty(t, other.Ledger.Effects())
	heard := len(r.notices())
	require.NoError(t, s.Clock.Jump(2*time.Hour))
	assert.Equal(t, map[string]string{"R1": "SUCCESS"}, refundStates(s), "what was to come comes again")
	assert.Greater(t, len(r.notices()), heard)
	assert.Equal(t, sandbox.Delivered, s.Deliveries.All()[0].State)

	// Another sandbox has other keys, and everything else.
	elsewhere := newSandbox(t, sandbox.WithMerchant("1900000199"))
	defer elsewhere.Close()
	require.NoError(t, elsewhere.Restore(snapshot))
	require.Len(t, elsewhere.Merchants(), 2)
	there := elsewhere.Merchants()[1]
	sameLedger(t, ledger, there.Ledger.Effects())
	assert.Empty(t, elsewhere.Ledger.Effects())
	require.NoError(t, elsewhere.Restore(snapshot))
	a := newCall(there, time.Now(), "GET", refundPath+"/R1", nil).sign(there).send(t, elsewhere.Transport(), inProcess)
	assert.Equal(t, 200, a.StatusCode)
}

func TestRestoreMistakes(t *testing.T) {
	s := newSandbox(t)
	paid(t, s)
	good, err := s.Snapshot()
	require.NoError(t, err)
	ledger := s.Ledger.Effects()
	for name, text := range map[string]string{
		"no snapshot: ":                   "{}",
		"this is no snapshot":             "x",
		"the snapshot is in format 2":     strings.Replace(string(good), `"format":1`, `"format":2`, 1),
		`there is no table "ordersX"`:     strings.Replace(string(good), `"orders"`, `"ordersX"`, 1),
		`there is no table "keys"`:        strings.Replace(string(good), `"orders"`, `"keys"`, 1),
		`orders "`:                        strings.Replace(string(good), `"total":100`, `"total":"x"`, 1),
		"the snapshot has no time":        regexp.MustCompile(`"time":"[^"]*",`).ReplaceAllString(string(good), ""),
		"effects: record 0 is missing":    strings.Replace(string(good), `"effects":{"0"`, `"effects":{"7"`, 1),
		"a merchant number has 8 to 10 d": strings.Replace(string(good), `"1900000109":{`, `"19":{`, 1),
	} {
		require.NotEqual(t, string(good), text, name)
		err := s.Restore([]byte(text))
		if assert.Error(t, err, name) && name != "no snapshot: " {
			assert.ErrorContains(t, err, name)
		}
		assert.Equal(t, ledger, s.Ledger.Effects())
	}
}

func TestReset(t *testing.T) {
	s, _ := newReceiver(t)
	defer s.Close()
	paid(t, s)
	require.NoError(t, s.AddSubMerchant("1900000220"))
	_, err := s.Deliveries.Deliver(notifyURL, "TRANSACTION.SUCCESS", nil)
	require.NoError(t, err)
	require.NoError(t, s.Clock.Jump(24*time.Hour))
	require.NoError(t, s.Clock.Freeze())
	serial := s.Merchant().Serial
	require.NoError(t, s.Reset())
	assert.Empty(t, s.Ledger.Effects())
	assert.Empty(t, s.Deliveries.All())
	assert.False(t, s.Clock.Frozen())
	assert.WithinDuration(t, time.Now(), s.Clock.Now(), time.Minute)
	assert.Equal(t, serial, s.Merchant().Serial)
	assert.Equal(t, []string{"1900000220"}, s.SubMerchants())
	paid(t, s)
}

// TestNumbersNeverRepeat compares the numbers of the platform's own before and after a reset: a shop may keep each of them once.
func TestNumbersNeverRepeat(t *testing.T) {
	s, _ := newReceiver(t)
	defer s.Close()
	given := map[string]bool{}
	give := func(number string) {
		require.NotEmpty(t, number)
		assert.False(t, given[number], number)
		given[number] = true
	}
	for range 3 {
		give(paid(t, s))
		a := ask(t, s, "POST", refundPath, refund("R1", 1))
		require.Equal(t, 200, a.StatusCode)
		give(gjson.GetBytes(a.body, "refund_id").Str)
		id, err := s.Deliveries.Deliver(notifyURL, "TRANSACTION.SUCCESS", nil)
		require.NoError(t, err)
		give(id)
		require.NoError(t, s.Clock.Jump(24*time.Hour))
		other, err := s.Users.AddPaidOrder("ORDER-0002", 100)
		require.NoError(t, err)
		give(other)
		require.NoError(t, s.Reset())
	}

	snapshot, err := s.Snapshot()
	require.NoError(t, err)
	next := paid(t, s)
	require.NoError(t, s.Restore(snapshot))
	assert.Equal(t, next, paid(t, s), "a snapshot has its running numbers")
}

// TestAnotherStartRepeatsNoNumber starts a sandbox again on the same day, for a shop whose database has the numbers of the one
// before. A seed makes the numbers repeatable.
func TestAnotherStartRepeatsNoNumber(t *testing.T) {
	run := func(at time.Time, options ...sandbox.Option) (numbers []string) {
		s := newSandbox(t, append(options, fixed(at))...)
		for i := range 100 {
			number, err := s.Users.AddPaidOrder(fmt.Sprintf("ORDER-%04d", i), 100)
			require.NoError(t, err)
			numbers = append(numbers, number)
		}
		a := newCall(s, at, "POST", refundPath, map[string]any{
			"out_trade_no": "ORDER-0001", "out_refund_no": "R1", "amount": map[string]any{"refund": 1, "total": 100, "currency": "CNY"},
		}).sign(s).send(t, s.Transport(), inProcess)
		require.Equal(t, 200, a.StatusCode, "%s", a.body)
		return append(numbers, gjson.GetBytes(a.body, "refund_id").Str)
	}
	first := run(noon)
	again := run(noon.Add(time.Millisecond))
	for i, number := range first {
		assert.NotContains(t, again, number, i)
	}
	seven := run(noon, sandbox.WithSeed(7))
	assert.Equal(t, seven, run(noon.Add(time.Hour), sandbox.WithSeed(7)))
	assert.NotContains(t, first, seven[0])
}

// TestRestoredAlarmsHaveOneOrder restores refunds that are due at one time.
func TestRestoredAlarmsHaveOneOrder(t *testing.T) {
	s, r := newReceiver(t)
	defer s.Close()
	require.NoError(t, s.Clock.Freeze())
	require.NoError(t, s.Rules.Relax(sandbox.RefundPace))
	paid(t, s)
	s.Ledger.SetEnding(func(sandbox.EffectKind, string) sandbox.Ending { return sandbox.Ending{After: time.Hour} })
	for i := range 8 {
		require.Equal(t, 200, ask(t, s, "POST", refundPath, with(refund(fmt.Sprint("R", i), 1), "notify_url", fmt.Sprint(notifyURL, "/", i))).StatusCode)
	}
	snapshot, err := s.Snapshot()
	require.NoError(t, err)
	var first []string
	for range 3 {
		require.NoError(t, s.Restore(snapshot))
		require.NoError(t, s.Clock.Jump(time.Hour))
		var order []string
		for _, d := range s.Deliveries.All() {
			order = append(order, d.URL)
		}
		require.Len(t, order, 8)
		if first == nil {
			first = order
		}
		assert.Equal(t, first, order)
	}
	assert.Len(t, r.notices(), 24)
}
