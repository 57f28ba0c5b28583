package fleet_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/contrib/fleet"
)

// An engine that is closed leaves behind where its queues stand, unless somebody may change that.
func TestReadStanding(t *testing.T) {
	t.Parallel()
	dir, g := t.TempDir(), newGateway(t)
	_, ok := fleet.ReadStanding(dir, "wxpay", testKeys(t, "a"))
	assert.False(t, ok, "there is none")
	host, err := fleet.Embedded(dir, fleet.WithAttach())
	require.NoError(t, err)
	q := newQueue(t, host, g.client)
	submit(t, q, feeds(3)...)
	want, err := q.Standing(t.Context())
	require.NoError(t, err)
	_, ok = fleet.ReadStanding(dir, "wxpay", testKeys(t, "a"))
	assert.False(t, ok, "a process has it open")
	require.NoError(t, host.Close())
	got, ok := fleet.ReadStanding(dir, "wxpay", testKeys(t, "a"))
	require.True(t, ok)
	assert.Equal(t, []fleet.Count{{State: fleet.Waiting, Jobs: 3}}, got.Jobs)
	assert.Equal(t, want.ByRun, got.ByRun)
	assert.EqualExportedValues(t, want.Runs[0], got.Runs[0])
	_, ok = fleet.ReadStanding(dir, "wxpay", testKeys(t, "b"))
	assert.False(t, ok, "it is sealed")
	_, ok = fleet.ReadStanding(dir, "other", testKeys(t, "a"))
	assert.False(t, ok, "another queue")

	host, err = fleet.Embedded(dir, fleet.WithAttach())
	require.NoError(t, err)
	newQueue(t, host, g.client)
	guest, err := fleet.Attach(t.Context(), dir)
	require.NoError(t, err)
	defer guest.Close()
	require.NoError(t, host.Close())
	_, ok = fleet.ReadStanding(dir, "wxpay", testKeys(t, "a"))
	assert.False(t, ok, "somebody was attached to the last")
}
