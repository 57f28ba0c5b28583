package fleet_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/contrib/fleet"
	"github.com/wxpay-go/wxpay/contrib/fleet/internal/fleettest"
	"github.com/wxpay-go/wxpay/middleware"
	"github.com/wxpay-go/wxpay/sandbox/fault"
)

// stuck passes a request on and keeps the response back until the call is given up.
type stuck struct {
	next    http.RoundTripper
	once    sync.Once
	reached chan struct{}
	left    chan time.Time // gets when the first one was given up, unless it is nil
}

func (s *stuck) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := s.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	res.Body.Close()
	s.once.Do(func() { close(s.reached) })
	<-req.Context().Done()
	select {
	case s.left <- time.Now():
	default:
	}
	return nil, context.Cause(req.Context())
}

// The jobs of one card run one after another, those of different cards side by side, however many
// workers there are.
func TestOrder(t *testing.T) {
	t.Parallel()
	const cards, each = 6, 15
	g := newGateway(t)
	var mu sync.Mutex
	running, most := 0, 0
	both := make(chan struct{}) // is closed when two calls run at the same time
	met := sync.OnceFunc(func() { close(both) })
	client := clientOf(t, g.Sandbox, g.Transport(), wxpay.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
		return middleware.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
			mu.Lock()
			running++
			if most = max(most, running); most > 1 {
				met()
			}
			mu.Unlock()
			defer func() {
				mu.Lock()
				running--
				mu.Unlock()
			}()
			select { // the first call waits for one beside it: cards that ran one after another would never get here
			case <-both:
			case <-time.After(30 * time.Second):
				t.Error("a second card's job did not start while the first one's ran")
			}
			return next.RoundTrip(req)
		})
	}))
	q := newQueue(t, fleettest.Embedded(t), client)
	var jobs []fleet.Job
	for i := range each {
		for card := range cards {
			jobs = append(jobs, points(fmt.Sprintf("card%d", card), fmt.Sprintf("P%d-%02d", card, i), i))
		}
	}
	submit(t, q, jobs...)
	status, err := q.Status(t.Context())
	require.NoError(t, err)
	assert.EqualValues(t, cards*each, status.Queued)
	work(t, &fleet.Worker{Queue: q}, &fleet.Worker{Queue: q}, &fleet.Worker{Queue: q})
	assert.Equal(t, map[fleet.State]int{fleet.Succeeded: cards * each}, states(results(t, q)))
	next := make(map[string]int)
	for _, entry := range g.Journal.All() {
		card := between(string(entry.Body), `"user_card_code":"`, `"`)
		assert.Contains(t, string(entry.Body), fmt.Sprintf(`"point_balance":%d}`, next[card]), card)
		next[card]++
	}
	assert.Len(t, next, cards)
	assert.LessOrEqual(t, most, cards)
}

func between(text, before, after string) string {
	_, text, _ = strings.Cut(text, before)
	text, _, _ = strings.Cut(text, after)
	return text
}

// A job whose outcome is unknown holds up those behind it, and nobody else; once it is resolved
// they go on, in their order.
func TestUnknownHoldsUpItsOrder(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	q := newQueue(t, fleettest.Embedded(t), g.client)
	require.NoError(t, g.Faults.Inject(fault.Rule{Kind: fault.ResetAfter, Count: 1}))
	submit(t, q, points("a", "A1", 1))
	work(t, &fleet.Worker{Queue: q, OnUnknown: wxpay.Hold})
	submit(t, q, points("a", "A2", 2), points("b", "B1", 1), points("a", "A3", 3))
	work(t, &fleet.Worker{Queue: q, OnUnknown: wxpay.Hold})
	all := results(t, q)
	assert.Equal(t, fleet.Unknown, all["A1"].State)
	assert.Equal(t, "a", all["A1"].Order)
	assert.Equal(t, fleet.Waiting, all["A2"].State)
	assert.Equal(t, fleet.Waiting, all["A3"].State)
	assert.Equal(t, fleet.Succeeded, all["B1"].State)
	status, err := q.Status(t.Context())
	require.NoError(t, err)
	assert.EqualValues(t, 3, status.Queued)

	n, err := q.Retry(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 1, n)
	work(t, &fleet.Worker{Queue: q, OnUnknown: wxpay.Repeat})
	assert.Equal(t, map[fleet.State]int{fleet.Succeeded: 4}, states(results(t, q)))
	var balances []string
	for _, entry := range g.Journal.All() {
		if strings.Contains(string(entry.Body), `"user_card_code":"a"`) {
			balances = append(balances, between(string(entry.Body), `"point_balance":`, "}"))
		}
	}
	assert.Equal(t, []string{"1", "1", "2", "3"}, balances, "an older value never follows a newer one")
}
