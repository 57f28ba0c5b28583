package fleet

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestDoubted(t *testing.T) {
	t.Parallel()
	begun, ended := time.Unix(1000, 0), time.Unix(2000, 0)
	for _, c := range []struct {
		name     string
		state    State
		attempts int
		doubt    time.Time
		want     time.Time
	}{
		{"sent, and nobody knows", Unknown, 1, time.Time{}, ended},
		{"sent again after a doubt", Unknown, 1, begun, ended},
		{"only asked after a doubt", Unknown, 0, begun, begun},
		{"nobody knows whether it was sent", Unknown, 0, time.Time{}, ended},
		{"refused", Refused, 1, time.Time{}, time.Time{}},
		{"refused after a doubt", Refused, 1, begun, begun},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := record{Result: Result{State: c.state, Attempts: c.attempts, Ended: ended}, Doubt: c.doubt}
			assert.Equal(t, c.want, r.doubted())
		})
	}
}
