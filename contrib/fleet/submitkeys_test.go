package fleet_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/contrib/fleet"
	"github.com/wxpay-go/wxpay/contrib/fleet/internal/fleettest"
)

// What was done at a sandbox is not done at the platform.
func TestPlatformIsTheQueues(t *testing.T) {
	t.Parallel()
	e := fleettest.Embedded(t)
	g := newGateway(t)
	open := func(base string, moved bool) error {
		client := clientOf(t, g.Sandbox, g.Transport(), wxpay.WithBaseURL(base))
		_, err := fleet.OpenQueue(t.Context(), e, fleet.QueueConfig{Client: client, Keys: testKeys(t, "a"), Moved: moved})
		return err
	}
	require.NoError(t, open("https://apihk.mch.weixin.qq.com", false))
	require.NoError(t, open(wxpay.DefaultBaseURL, false), "it is the same platform")
	err := open("https://pay.example.com", false)
	require.ErrorIs(t, err, fleet.ErrSettings)
	assert.ErrorContains(t, err, "its jobs go to mch.weixin.qq.com, the client calls https://pay.example.com")
	require.ErrorIs(t, open("https://mch.weixin.qq.com.example.com", false), fleet.ErrSettings)
	require.NoError(t, open("https://pay.example.com", true))
	require.NoError(t, open("https://pay.example.com", false), "that is kept")
	require.ErrorIs(t, open(wxpay.DefaultBaseURL, false), fleet.ErrSettings)
}

// A new key is put before the old one; when all that the old one sealed is done, it can go.
func TestKeysAreReplaced(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	e := fleettest.Embedded(t)
	submit(t, newQueue(t, e, g.client), feeds(3)...)
	both := newQueue(t, e, g.client, func(c *fleet.QueueConfig) { c.Keys = testKeys(t, "ba") })
	s, err := both.Submit(t.Context(), list(feeds(5)...), fleet.Intake{})
	require.NoError(t, err)
	assert.Equal(t, fleet.Submission{Queued: 2, Again: 3}, s, "numbers are known under the new key, too")
	work(t, &fleet.Worker{Queue: both})
	last := newQueue(t, e, g.client, func(c *fleet.QueueConfig) { c.Keys = testKeys(t, "b") })
	assert.Equal(t, map[fleet.State]int{fleet.Succeeded: 5}, states(results(t, last)))
}

// A worker that lacks the key of a job leaves it to others, and tells what it would need.
func TestKeyIsMissing(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	e := fleettest.Embedded(t)
	submit(t, newQueue(t, e, g.client), feed("F1"))
	newQueue(t, e, g.client, func(c *fleet.QueueConfig) { c.Keys = testKeys(t, "ba") })
	lacking := newQueue(t, e, g.client, func(c *fleet.QueueConfig) { c.Keys = testKeys(t, "b") })
	told := make(chan error, 1)
	stop := start(t, &fleet.Worker{Queue: lacking, Calls: 1, OnError: func(err error) { told <- err }})
	err := <-told
	stop()
	require.ErrorIs(t, err, fleet.ErrSealed)
	assert.ErrorContains(t, err, "Keys takes several")
	assert.Empty(t, g.Journal.All())
}

// Nothing of what a job or its result says lies in the store in clear.
func TestNothingIsStoredInClear(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	dir := t.TempDir()
	e, err := fleet.Embedded(dir)
	require.NoError(t, err)
	q := newQueue(t, e, g.client)
	submit(t, q, feed("NUMBER-IN-CLEAR"), feed("ANOTHER-NUMBER"))
	work(t, &fleet.Worker{Queue: q, Select: []string{"openid"}})
	submit(t, q, points("CARD-IN-CLEAR", "THIRD-NUMBER", 1), feed("FOURTH-NUMBER"))
	require.NoError(t, q.Pause(t.Context(), "the openid obLat is not that of NUMBER"))
	require.NoError(t, e.Close())
	size := 0
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		size += len(text)
		for _, secret := range []string{"NUMBER", "CARD-IN-CLEAR", "obLat", "pbLat", "openid", "point_balance"} {
			assert.NotContains(t, string(text), secret, path)
		}
		return err
	}))
	assert.Greater(t, size, 2000)
}

// A worker without the key of most jobs leaves them to those who have it.
func TestKeysThatOthersHave(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	e := fleettest.Embedded(t)
	few := func(c *fleet.QueueConfig) { c.InFlight, c.Lease = 5, 5*time.Minute }
	old := newQueue(t, e, g.client, few)
	next := newQueue(t, e, g.client, few, func(c *fleet.QueueConfig) { c.Keys = testKeys(t, "ba") })
	submit(t, next, feeds(20)...)
	met := make(chan error, 100)
	defer start(t, &fleet.Worker{Queue: old, Calls: 1, OnError: func(err error) { met <- err }})()
	require.ErrorIs(t, <-met, fleet.ErrSealed)
	defer start(t, &fleet.Worker{Queue: next})()
	assert.Eventually(t, func() bool { return len(shown(g.Sandbox)) >= 18 }, time.Minute, 20*time.Millisecond)
	assert.LessOrEqual(t, len(met), 2, "what it has in hand nobody else has")
}

func secretToken(t *testing.T) string {
	t.Helper()
	token, err := wxpay.Secret("topsecret").MarshalText()
	require.NoError(t, err)
	return string(token)
}
