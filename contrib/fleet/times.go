package fleet

import "time"

// since is how long ago t was. The monotonic clock may stand still while the machine sleeps, the
// other one does not.
func since(t, now time.Time) time.Duration {
	return max(now.Sub(t), now.Round(0).Sub(t.Round(0)))
}

// later is the later of two times.
func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
