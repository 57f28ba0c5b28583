package relay_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/contrib/fleet"
	"github.com/wxpay-go/wxpay/contrib/fleet/internal/fleettest"
	"github.com/wxpay-go/wxpay/contrib/fleet/relay"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/webhook"
)

// relayKeys are made of one character, so that two of them are not equal.
func relayKeys(t testing.TB, digit string) *fleet.Keys {
	t.Helper()
	keys, err := fleet.ParseKeys(strings.Repeat(digit, 64))
	require.NoError(t, err)
	return keys
}

func open(t testing.TB, e *fleet.Engine, opts ...relay.Option) *relay.Relay {
	t.Helper()
	r, err := relay.New(t.Context(), e, relayKeys(t, "a"), opts...)
	require.NoError(t, err)
	return r
}

// receiver is a process that receives notifications and relays them.
func receiver(t testing.TB, s *sandbox.Sandbox, r *relay.Relay) http.Handler {
	t.Helper()
	set, err := apiv3.NewKeySet(apiv3.PlatformKey{Serial: s.Keys.PublicKeyID(), Key: s.Keys.PublicKey()})
	require.NoError(t, err)
	h, err := webhook.New(webhook.Merchant{ID: s.Merchant().ID, APIv3Key: s.Merchant().APIv3Key, Keys: webhook.Static(set)})
	require.NoError(t, err)
	h.OnDefault(r.Store)
	return h
}

func newSandbox(t testing.TB) *sandbox.Sandbox {
	t.Helper()
	s, err := sandbox.New()
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// deliver sends a notification and returns its id and how the last of so many attempts was answered.
func deliver(t testing.TB, s *sandbox.Sandbox, kind string, attempts int) (id string, status int) {
	t.Helper()
	id, err := s.Deliveries.Deliver("https://shop.example.com/notify", kind, nil)
	require.NoError(t, err)
	d, err := s.Deliveries.Await(t.Context(), id, attempts)
	require.NoError(t, err)
	return id, d.Attempts[len(d.Attempts)-1].Status
}

// consumed collects what a consumer got.
type consumed struct {
	mu     sync.Mutex
	events []relay.Event
}

func (c *consumed) book(_ context.Context, e *relay.Event) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.events = append(c.events, *e)
	return nil
}

func (c *consumed) ids() (list []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range c.events {
		list = append(list, e.ID)
	}
	return list
}

// consume runs a consumer for as long as the test, or until the function that it returns is called.
func consume(t testing.TB, r *relay.Relay, name string, fn func(context.Context, *relay.Event) error, types ...string) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Consume(ctx, name, fn, types...) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			assert.ErrorIs(t, <-ended, context.Canceled)
		})
	}
	t.Cleanup(stop)
	return stop
}

func (c *consumed) wait(t testing.TB, n int) {
	t.Helper()
	require.Eventually(t, func() bool { return len(c.ids()) >= n }, time.Minute, 5*time.Millisecond)
}

// What was stored reaches every consumer once, however often it is delivered, and to whatever process.
func TestRelay(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e, err := fleet.Embedded(dir)
	require.NoError(t, err)
	s := newSandbox(t)
	r := open(t, e)
	s.Deliveries.To(receiver(t, s, r))

	var want []string
	for _, kind := range []string{"TRANSACTION.SUCCESS", "REFUND.SUCCESS", "REFUND.CLOSED", "COUPON.USE"} {
		id, status := deliver(t, s, kind, 1)
		assert.Equal(t, http.StatusNoContent, status)
		want = append(want, id)
	}
	var books, refunds consumed
	stopBooks := consume(t, r, "books", books.book)
	stopRefunds := consume(t, r, "refunds", refunds.book, "REFUND.*")
	books.wait(t, 4)
	refunds.wait(t, 2)
	assert.Equal(t, want, books.ids(), "in the order in which they came")
	assert.Equal(t, want[1:3], refunds.ids())
	first := books.events[0]
	assert.Equal(t, "TRANSACTION.SUCCESS", first.Type)
	assert.Equal(t, s.Merchant().ID, first.Merchant)
	assert.EqualValues(t, 1, first.Sequence)
	assert.Equal(t, 1, first.Attempt)
	var payment struct {
		TradeState string `json:"trade_state"`
	}
	require.NoError(t, first.Decode(&payment))
	assert.Equal(t, "SUCCESS", payment.TradeState)
	var wrong struct {
		Amount struct {
			Total int8 `json:"total"`
		} `json:"amount"`
	}
	err = (&relay.Event{Type: "TRANSACTION.SUCCESS\n", Resource: []byte(`{"amount":{"total":987654321}}`)}).Decode(&wrong)
	assert.EqualError(t, err, `relay: decoding the resource of TRANSACTION.SUCCESS: field "amount.total" is a JSON number, which does not fit int8`)
	stopBooks()
	stopRefunds()
	require.NoError(t, e.Close())

	// A new process, which has no memory of its own.
	e, err = fleet.Embedded(dir)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, e.Close()) })
	r = open(t, e)
	s.Deliveries.To(receiver(t, s, r))
	for _, id := range want {
		require.NoError(t, s.Deliveries.Redeliver(id))
		d, err := s.Deliveries.Await(t.Context(), id, 2)
		require.NoError(t, err)
		assert.Equal(t, http.StatusNoContent, d.Attempts[1].Status)
	}
	deliver(t, s, "REFUND.SUCCESS", 1) // of the same refund, so it tells nothing new
	last, _ := deliver(t, s, "REFUND.ABNORMAL", 1)
	consume(t, r, "books", books.book)
	consume(t, r, "refunds", refunds.book, "REFUND.*")
	books.wait(t, 5)
	refunds.wait(t, 3)
	assert.Equal(t, append(want, last), books.ids(), "each once")
	assert.Equal(t, append(want[1:3:3], last), refunds.ids())

	var again consumed
	stop := consume(t, r, "again", again.book, "TRANSACTION.SUCCESS")
	again.wait(t, 1)
	stop()
	require.NoError(t, r.Forget(t.Context(), "again"))
	require.NoError(t, r.Forget(t.Context(), "again"), "nothing to forget")
	consume(t, r, "again", again.book, "TRANSACTION.SUCCESS")
	again.wait(t, 2)
	assert.Equal(t, []string{want[0], want[0]}, again.ids(), "replayed")
}

// While the store is away the platform is not told that all is well, and its repeats bring everything in.
func TestStoreAway(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	server := fleettest.Standalone(t)
	e, err := fleet.Connect(t.Context(), server.ClientURL())
	require.NoError(t, err)
	r := open(t, e)
	s.Deliveries.To(receiver(t, s, r))
	s.Deliveries.Plan(func(string, string) sandbox.Plan { return sandbox.Plan{Waits: []time.Duration{time.Hour}} })
	e.JetStream().Conn().Close()
	id, status := deliver(t, s, "REFUND.SUCCESS", 1)
	assert.Equal(t, http.StatusInternalServerError, status)

	e, err = fleet.Connect(t.Context(), server.ClientURL())
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, e.Close()) })
	r = open(t, e)
	s.Deliveries.To(receiver(t, s, r))
	require.NoError(t, s.Deliveries.Redeliver(id))
	d, err := s.Deliveries.Await(t.Context(), id, 2)
	require.NoError(t, err)
	assert.Equal(t, http.StatusNoContent, d.Attempts[1].Status)
	var got consumed
	consume(t, r, "c", got.book)
	got.wait(t, 1)
	assert.Equal(t, []string{id}, got.ids())
}

// An event whose function fails or panics comes again, and does not hold up the others.
func TestFailures(t *testing.T) {
	t.Parallel()
	e := fleettest.Embedded(t)
	s := newSandbox(t)
	r := open(t, e)
	s.Deliveries.To(receiver(t, s, r))
	bad, _ := deliver(t, s, "REFUND.SUCCESS", 1)
	worse, _ := deliver(t, s, "REFUND.CLOSED", 1)
	good, _ := deliver(t, s, "REFUND.ABNORMAL", 1)
	var got consumed
	consume(t, r, "c", func(ctx context.Context, e *relay.Event) error {
		switch {
		case e.Attempt == 1 && e.ID == bad:
			return errors.New("not now")
		case e.Attempt == 1 && e.ID == worse:
			panic("not ever")
		}
		return got.book(ctx, e)
	})
	got.wait(t, 3)
	assert.ElementsMatch(t, []string{bad, worse, good}, got.ids())
	for i, e := range got.events {
		if e.ID == good && e.Attempt == 1 { // else its first delivery did not arrive, and it came again after half a minute
			assert.Zero(t, i, "others go on meanwhile")
		}
	}
	assert.NotContains(t, fmt.Sprintf("%v %+v", &got.events[0], &got.events[0]), "refund_id")
}

// A store without room takes no event, and the platform, which hears so, delivers again.
func TestNoRoom(t *testing.T) {
	e := fleettest.Embedded(t)
	s := newSandbox(t)
	r := open(t, e)
	stream, err := e.JetStream().Stream(t.Context(), "wxpay-events")
	require.NoError(t, err)
	config := stream.CachedInfo().Config
	config.MaxBytes = 64
	_, err = e.JetStream().UpdateStream(t.Context(), config)
	require.NoError(t, err)
	s.Deliveries.To(receiver(t, s, r))
	_, status := deliver(t, s, "REFUND.SUCCESS", 1)
	assert.Equal(t, http.StatusInternalServerError, status)
}

func TestRefuses(t *testing.T) {
	e := fleettest.Embedded(t)
	_, err := relay.New(t.Context(), e, nil)
	assert.ErrorContains(t, err, "needs keys")
	_, err = relay.New(t.Context(), e, relayKeys(t, "a"), relay.WithRetention(time.Hour))
	assert.ErrorContains(t, err, "at least 72h")

	s := newSandbox(t)
	r := open(t, e)
	s.Deliveries.To(receiver(t, s, r))
	deliver(t, s, "REFUND.SUCCESS", 1)
	never := func(context.Context, *relay.Event) error { t.Error("nobody should be called"); return nil }
	other, err := relay.New(t.Context(), e, relayKeys(t, "b"))
	require.NoError(t, err)
	require.ErrorIs(t, other.Consume(t.Context(), "c", never), fleet.ErrSealed)
	for name, kind := range map[string]string{"a b": "X", "": "X", "ok": "a*", "ok2": ".*", "ok3": ""} {
		assert.Error(t, r.Consume(t.Context(), name, never, kind), "%q %q", name, kind)
	}
	assert.ErrorContains(t, r.Consume(t.Context(), "c", never, "REFUND.*"), "was made for other event types")

	e = fleettest.Embedded(t)
	_, err = e.JetStream().CreateStream(t.Context(), jetstream.StreamConfig{Name: "wxpay-events", Subjects: []string{"wxpay.events.>"}})
	require.NoError(t, err)
	_, err = relay.New(t.Context(), e, relayKeys(t, "a"))
	assert.ErrorContains(t, err, "made with other settings")
}

// Nothing of a notification can be read in the files of the store.
func TestSeals(t *testing.T) {
	e := fleettest.Embedded(t)
	s := newSandbox(t)
	s.Deliveries.To(receiver(t, s, open(t, e)))
	_, err := s.Deliveries.Deliver("https://shop.example.com/notify", "TRANSACTION.SUCCESS",
		map[string]any{"payer": map[string]any{"openid": "oSecretOfSomebody"}})
	require.NoError(t, err)
	stream, err := e.JetStream().Stream(t.Context(), "wxpay-events")
	require.NoError(t, err)
	var message *jetstream.RawStreamMsg
	require.Eventually(t, func() bool {
		message, err = stream.GetMsg(t.Context(), 1)
		return err == nil
	}, time.Minute, 5*time.Millisecond)
	assert.NotContains(t, string(message.Data), "oSecretOfSomebody")
	assert.Regexp(t, `^wxpay\.events\.1900000109\.TRANSACTION\.SUCCESS\.[0-9a-f]{32}$`, message.Subject)
}

// A cluster knows a redelivery, too.
func TestCluster(t *testing.T) {
	t.Parallel()
	if os.Getenv("WXPAY_TEST_LONG") == "" {
		t.Skip("set WXPAY_TEST_LONG=1")
	}
	c := fleettest.NewCluster(t, false)
	e := c.Connect(t)
	var r *relay.Relay
	fleettest.Eventually(t, func(ctx context.Context) (err error) {
		r, err = relay.New(ctx, e, relayKeys(t, "a"))
		return err
	})
	c.Healthy(t, e)
	s := newSandbox(t)
	s.Deliveries.To(receiver(t, s, r))
	id, status := deliver(t, s, "REFUND.SUCCESS", 1)
	require.Equal(t, http.StatusNoContent, status)
	s.Deliveries.To(receiver(t, s, r)) // without memory
	require.NoError(t, s.Deliveries.Redeliver(id))
	d, err := s.Deliveries.Await(t.Context(), id, 2)
	require.NoError(t, err)
	assert.Equal(t, http.StatusNoContent, d.Attempts[1].Status)
	var got consumed
	consume(t, r, "c", got.book)
	got.wait(t, 1)
	assert.Equal(t, []string{id}, got.ids())
}

// A leader that is cut off from the others says that it has what it has only heard of. An event is acknowledged to the platform
// when it is stored.
func TestOfALonelyLeader(t *testing.T) {
	t.Parallel()
	c := fleettest.NewCluster(t, false)
	e := c.Connect(t)
	fleettest.Eventually(t, func(ctx context.Context) error {
		_, err := relay.New(ctx, e, relayKeys(t, "a"))
		return err
	})
	c.Healthy(t, e)
	stream, err := e.JetStream().Stream(t.Context(), "wxpay-events")
	require.NoError(t, err)
	leader := slices.IndexFunc(c.Nodes[:], func(n *fleettest.Node) bool { return n.Config.Name == stream.CachedInfo().Cluster.Leader })
	near, err := fleet.Connect(t.Context(), "nats://"+c.Nodes[leader].Client.Address())
	require.NoError(t, err)
	defer near.Close()
	s := newSandbox(t)
	lonely := open(t, near)
	notification, err := s.Deliveries.Notify("REFUND.SUCCESS", nil)
	require.NoError(t, err)
	for _, p := range c.Nodes[leader].Routes {
		p.SetCut(true)
	}
	defer func() {
		for _, p := range c.Nodes[leader].Routes {
			p.SetCut(false)
		}
	}()
	for attempt := range 2 {
		again := notification.Clone(t.Context())
		again.Body, err = notification.GetBody()
		require.NoError(t, err)
		answer := httptest.NewRecorder()
		receiver(t, s, lonely).ServeHTTP(answer, again) // without memory
		assert.Equal(t, http.StatusInternalServerError, answer.Code, "attempt %d", attempt+1)
	}
}
