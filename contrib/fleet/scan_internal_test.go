package fleet

import (
	"context"
	"strconv"
	"testing"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// lagging is a copy of a stream whose leader already has more.
type lagging struct {
	jetstream.Stream
	leader uint64 // its last sequence
}

func (s lagging) GetLastMsgForSubject(context.Context, string) (*jetstream.RawStreamMsg, error) {
	return &jetstream.RawStreamMsg{Sequence: s.leader}, nil
}

// What is read from a copy that is behind is waited for: else records that are there seem to be
// missing, or older than they were.
func TestReadingACopyThatIsBehind(t *testing.T) {
	t.Parallel()
	const there, all = 3, 5
	for name, how := range map[string]reading{"as it begins": {}, "to the end": {toEnd: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := openTest(t, "")
			s, err := q.engine.js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "copy", Subjects: []string{"copy.*"}})
			require.NoError(t, err)
			store := func(from, to int) {
				for i := from; i <= to; i++ {
					_, err := q.engine.js.Publish(t.Context(), "copy."+strconv.Itoa(i), nil)
					require.NoError(t, err)
				}
			}
			store(1, there)
			var seen []string
			require.NoError(t, q.read(t.Context(), lagging{s, all}, how, func(m jetstream.Msg) error {
				if seen = append(seen, m.Subject()); len(seen) == there {
					store(there+1, all) // it catches up
				}
				return nil
			}))
			assert.Equal(t, []string{"copy.1", "copy.2", "copy.3", "copy.4", "copy.5"}, seen)
		})
	}
}
