package fleet_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/contrib/fleet"
	"github.com/wxpay-go/wxpay/contrib/fleet/internal/fleettest"
	"github.com/wxpay-go/wxpay/sandbox/fault"
)

// What was never sent can be cancelled, and is never sent then. What may have been is not.
func TestCancel(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	q := newQueue(t, fleettest.Embedded(t), g.client)
	require.NoError(t, g.Faults.Inject(fault.Rule{Kind: fault.ResetAfter, Count: 1}))
	submit(t, q, feed("DOUBT"))
	work(t, &fleet.Worker{Queue: q, OnUnknown: wxpay.Hold})
	retried, err := q.Retry(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, retried)

	submit(t, q, append(feeds(20), points("card", "P1", 10), points("card", "P2", 20))...)
	count, err := q.Cancel(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 22, count)
	status, err := q.Status(t.Context())
	require.NoError(t, err)
	assert.EqualValues(t, 1, status.Queued, "the one that may have been sent")
	count, err = q.Cancel(t.Context())
	require.NoError(t, err)
	assert.Zero(t, count)
	work(t, &fleet.Worker{Queue: q, OnUnknown: wxpay.Repeat})
	assert.Equal(t, map[fleet.State]int{fleet.Succeeded: 1, fleet.Cancelled: 22}, states(results(t, q)))
	assert.Equal(t, map[string]int{"DOUBT": 1}, shown(g.Sandbox))
	for _, r := range g.Journal.All() {
		assert.Equal(t, http.MethodPost, r.Method)
	}

	// With an order its turn has passed, unless it is another request.
	s, err := q.Submit(t.Context(), list(feed("F00000"), altered(feed("F00001"), "15_1200_2"), points("card", "P1", 10), points("card", "P2", 30)), fleet.Intake{})
	require.NoError(t, err)
	assert.Equal(t, fleet.Submission{Queued: 1, Corrected: 2, Ended: 1}, s)
	work(t, &fleet.Worker{Queue: q})
	assert.Equal(t, map[fleet.State]int{fleet.Succeeded: 4, fleet.Cancelled: 19}, states(results(t, q)))
}

// A job goes to a worker or is cancelled, and never both.
func TestCancelBesideWorkers(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	server := fleettest.Standalone(t)
	e, err := fleet.Connect(t.Context(), server.ClientURL())
	require.NoError(t, err)
	defer e.Close()
	q := newQueue(t, e, g.client, shortLease)
	submit(t, q, feeds(400)...)
	stop := start(t, &fleet.Worker{Queue: q, Calls: 4})
	count, err := q.Cancel(t.Context())
	require.NoError(t, err)
	require.NoError(t, q.Idle(t.Context()))
	stop()
	have := states(results(t, q))
	assert.Equal(t, count, have[fleet.Cancelled])
	assert.Equal(t, 400-count, have[fleet.Succeeded])
	assert.Len(t, shown(g.Sandbox), 400-count)
}
