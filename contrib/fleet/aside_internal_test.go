package fleet

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A worker in trouble does not take itself for the only one before others had time to say that
// they are at work: neither when it has just begun, nor when the engine was away. Nobody else can
// work beside an engine in the process.
func TestNotAloneAtOnce(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		embedded       bool
		stored, steady time.Duration // ago; zero for never
		pauses         bool
	}{
		"just begun":              {},
		"just begun, embedded":    {embedded: true, pauses: true},
		"the engine was away":     {stored: time.Hour, steady: 2 * time.Hour},
		"the engine goes away":    {stored: 31 * time.Second, steady: time.Hour},
		"the engine came back":    {stored: time.Second, steady: time.Second},
		"nobody else came either": {stored: time.Second, steady: time.Hour, pauses: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := openTest(t, "")
			r := &running{Queue: q, Worker: Worker{Name: "bad"}, id: "self", leases: openTestLeases(t, q)}
			if server := q.engine.server; !tt.embedded {
				q.engine.server = nil
				t.Cleanup(func() { q.engine.server = server })
			}
			if tt.stored != 0 {
				r.leases.stored, r.leases.steady = time.Now().Add(-tt.stored), time.Now().Add(-tt.steady)
			}
			require.True(t, r.blame(t.Context(), Pause{Reason: "the clock is off", Since: time.Now()}))
			p, err := q.Paused(t.Context())
			require.NoError(t, err)
			assert.Equal(t, tt.pauses, p != nil)
			why, _ := r.aside.state()
			assert.Equal(t, tt.pauses, why == nil)
		})
	}
}

// A lease that is renewed in time again and again shows an engine that others reach as well.
func TestSettled(t *testing.T) {
	t.Parallel()
	q := openTest(t, "")
	l := openTestLeases(t, q)
	assert.False(t, l.settled())
	l.renew(t.Context())
	assert.False(t, l.settled(), "once")
	l.steady = l.steady.Add(-q.lease)
	assert.True(t, l.settled())
	l.renew(t.Context())
	assert.True(t, l.settled(), "and again")
	l.stored = l.stored.Add(-q.lease)
	assert.False(t, l.settled(), "too late")
	l.renew(t.Context())
	assert.False(t, l.settled(), "it begins anew")
}
