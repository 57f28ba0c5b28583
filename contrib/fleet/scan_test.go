package fleet_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/contrib/fleet"
	"github.com/wxpay-go/wxpay/contrib/fleet/internal/fleettest"
)

// Reading goes on when the server dies whose memory knew how far it was: no other server says so,
// and nothing arrives any more.
func TestReadingOutlivesItsServer(t *testing.T) {
	t.Parallel()
	c := fleettest.NewCluster(t, false)
	e := c.Connect(t)
	var q *fleet.Queue
	fleettest.Eventually(t, func(ctx context.Context) (err error) {
		q, err = fleet.OpenQueue(ctx, e, fleet.QueueConfig{Client: newGateway(t).client, Keys: testKeys(t, "a")})
		return err
	})
	jobs := feeds(1200) // more than what is on its way at a time
	submit(t, q, jobs...)
	c.Healthy(t, e)
	seen := make(map[string]int)
	for r, err := range q.Results(t.Context(), fleet.Filter{}) {
		require.NoError(t, err)
		if seen[r.Number]++; len(seen) == 1 {
			c.Kill(reader(t, c, e))
		}
	}
	assert.Len(t, seen, len(jobs))
	for number, times := range seen {
		assert.Equal(t, 1, times, number)
	}
}

// reader returns the node that holds the one consumer of the records.
func reader(t *testing.T, c *fleettest.Cluster, e *fleet.Engine) int {
	t.Helper()
	for name := range e.JetStream().StreamNames(t.Context()).Name() {
		if !strings.HasSuffix(name, "-records") {
			continue
		}
		stream, err := e.JetStream().Stream(t.Context(), name)
		require.NoError(t, err)
		for info := range stream.ListConsumers(t.Context()).Info() {
			for i, node := range c.Nodes {
				if node.Server.Name() == info.Cluster.Leader {
					return i
				}
			}
		}
	}
	t.Fatal("nobody reads the records")
	return 0
}
