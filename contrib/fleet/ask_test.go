package fleet_test

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/contrib/fleet"
	"github.com/wxpay-go/wxpay/contrib/fleet/internal/fleettest"
	"github.com/wxpay-go/wxpay/middleware"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/sandbox/fault"
)

// A server that dies with a record in hand gives no response. The worker that waits for it gives the
// job back unsent, in seconds rather than at the end of its patience; so it does with a job that an
// earlier worker may have sent.
func TestAnswerThatNeverComes(t *testing.T) {
	t.Parallel()
	for name, doubted := range map[string]bool{"a fresh job": false, "a job in doubt": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t, wxpay.WithLimiter(fleet.Marking(middleware.NewLimits())))
			e := fleettest.Embedded(t)
			q := newQueue(t, e, g.client, shortLease)
			submit(t, q, feed("F1"))
			effects := 0
			if doubted {
				require.NoError(t, g.Faults.Inject(fault.Rule{Kind: fault.ResetAfter, Count: 1}))
				work(t, &fleet.Worker{Queue: q, OnUnknown: wxpay.Hold})
				n, err := q.Retry(t.Context())
				require.NoError(t, err)
				require.Equal(t, 1, n)
				effects = 1
			}

			// What takes the records now takes them and is silent. What reads them reads what was
			// there.
			records, err := e.JetStream().Stream(t.Context(), "wxpay-records")
			require.NoError(t, err)
			config := records.CachedInfo().Config
			spared := config
			spared.Subjects = []string{"spared.>"}
			_, err = e.JetStream().UpdateStream(t.Context(), spared)
			require.NoError(t, err)
			asked := make(chan *nats.Msg, 100)
			silent, err := e.JetStream().Conn().ChanSubscribe("wxpay.record.>", asked)
			require.NoError(t, err)

			trouble := make(chan error, 100)
			stop := start(t, &fleet.Worker{Queue: q, Marked: true, OnUnknown: wxpay.Repeat, OnError: func(err error) { trouble <- err }})
			defer stop()
			<-asked
			require.ErrorContains(t, <-trouble, "record")
			assert.Len(t, g.Ledger.Effects(sandbox.FeedEffect), effects, "nothing is sent before it is written down")

			require.NoError(t, silent.Unsubscribe())
			_, err = e.JetStream().UpdateStream(t.Context(), config)
			require.NoError(t, err)
			require.Eventually(t, func() bool { return results(t, q)["F1"].State == fleet.Succeeded }, 30*time.Second, 50*time.Millisecond)
		})
	}
}
