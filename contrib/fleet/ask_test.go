package fleet_test

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/contrib/fleet"
	"github.com/wxpay-go/wxpay/middleware"
	"github.com/wxpay-go/wxpay/sandbox"
)

// A server that dies with a record in hand gives no answer. The worker that waits for it gives the job back unsent, in
// seconds rather than at the end of its patience.
func TestAnswerThatNeverComes(t *testing.T) {
	t.Parallel()
	g := newGateway(t, wxpay.WithLimiter(fleet.Marking(middleware.NewLimits())))
	e := embedded(t)
	q := newQueue(t, e, g.client)
	submit(t, q, feed("F1"))

	// What takes the records now takes them and is silent.
	records, err := e.JetStream().Stream(t.Context(), "wxpay-records")
	require.NoError(t, err)
	config := records.CachedInfo().Config
	require.NoError(t, e.JetStream().DeleteStream(t.Context(), config.Name))
	asked := make(chan *nats.Msg, 100)
	silent, err := e.JetStream().Conn().ChanSubscribe("wxpay.record.>", asked)
	require.NoError(t, err)

	trouble := make(chan error, 100)
	stop := start(t, &fleet.Worker{Queue: q, Marked: true, Trouble: func(err error) { trouble <- err }})
	defer stop()
	<-asked
	require.ErrorContains(t, <-trouble, "record")
	assert.Empty(t, g.Ledger(sandbox.FeedEffect), "nothing is sent before it is written down")

	require.NoError(t, silent.Unsubscribe())
	_, err = e.JetStream().CreateStream(t.Context(), config)
	require.NoError(t, err)
	require.Eventually(t, func() bool { return results(t, q)["F1"].State == fleet.Succeeded }, 30*time.Second, 50*time.Millisecond)
}
