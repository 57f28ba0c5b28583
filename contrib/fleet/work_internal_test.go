package fleet

import (
	"context"
	"encoding/hex"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/sandbox"
)

// openTest opens a queue on an engine of its own, with a job in it.
func openTest(t *testing.T, order string) *Queue {
	t.Helper()
	s, err := sandbox.New(sandbox.WithLenientCards())
	require.NoError(t, err)
	client, err := wxpay.FromLookup(s.LookupEnv, wxpay.WithCatalog(catalog.V3()), wxpay.WithTransport(s.Transport()))
	require.NoError(t, err)
	e, err := Embedded(t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, e.Close()) })
	keys, err := ParseKeys(hex.EncodeToString(make([]byte, keySize)))
	require.NoError(t, err)
	q, err := OpenQueue(t.Context(), e, QueueConfig{Client: client, Keys: keys})
	require.NoError(t, err)
	job := Job{Path: "v3/refund/domestic/refunds", Order: order, Body: []byte(`{"out_trade_no":"O","out_refund_no":"R","amount":{"refund":1,"total":1,"currency":"CNY"}}`)}
	_, err = q.Submit(t.Context(), func(yield func(Job, error) bool) { yield(job, nil) }, Intake{})
	require.NoError(t, err)
	return q
}

// A worker that has lost its lease says nothing more about the message: by then it may be another's, and to give it back
// would have a third begin while that one works.
func TestLostLeaseIsLeftAlone(t *testing.T) {
	for name, order := range map[string]string{"a job": "", "a lane": "card"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := openTest(t, order)
			messages, err := pull(q.engine.js.Conn(), q.name+"-jobs", consumerName)
			require.NoError(t, err)
			defer messages.stop()
			msg, err := messages.next(t.Context())
			require.NoError(t, err)
			require.NotNil(t, msg)
			said, err := q.engine.js.Conn().SubscribeSync(msg.Reply)
			require.NoError(t, err)
			r := &running{Queue: q, Worker: Worker{Patience: time.Minute}, held: make(map[*hold]struct{})}
			ctx, lose := context.WithCancelCause(t.Context())
			lose(errLease)
			r.take(ctx, msg)
			require.NoError(t, q.engine.js.Conn().Flush())
			pending, _, err := said.Pending()
			require.NoError(t, err)
			assert.Zero(t, pending)
		})
	}
}

// What somebody else has written meanwhile is left as it is, and so is the message.
func TestMovedResultIsLeftAlone(t *testing.T) {
	t.Parallel()
	q := openTest(t, "")
	m, err := q.jobs.GetLastMsgForSubject(t.Context(), q.name+".job.one.*")
	require.NoError(t, err)
	r := &running{Queue: q}
	take := func() *claim {
		c := &claim{key: lastToken(m.Subject), sealed: m.Data, header: m.Header}
		require.NoError(t, r.open(c))
		return c
	}
	first, second := take(), take()
	require.NoError(t, r.begin(t.Context(), first))
	require.ErrorIs(t, r.begin(t.Context(), second), errMoved)

	have, err := q.record(t.Context(), first.key)
	require.NoError(t, err)
	next := *have
	next.State, next.Claim = Unknown, q.claim()
	require.NoError(t, q.replace(t.Context(), first.key, &next))
	first.rec.State = Succeeded
	end, err := r.store(t.Context(), first)
	require.NoError(t, err)
	assert.Equal(t, ending{left: true}, end)
	end, err = r.giveBack(t.Context(), first, wxpay.Unknown, time.Second)
	require.NoError(t, err)
	assert.Equal(t, ending{left: true}, end)
	have, err = q.record(t.Context(), first.key)
	require.NoError(t, err)
	assert.Equal(t, Unknown, have.State)
}

// A pause that cannot be stored holds nobody up for good.
func TestPauseThatCannotBeStored(t *testing.T) {
	t.Parallel()
	q := openTest(t, "")
	r := &running{Queue: q, Worker: Worker{}, wide: map[wxpay.Code]bool{wxpay.CodeSignError: true}}
	c := &claim{rec: &record{}, job: &Job{Method: http.MethodPost}}
	require.NoError(t, q.engine.js.DeleteKeyValue(t.Context(), q.name+"-control"))
	end, err := r.judge(t.Context(), c, &wxpay.APIError{Status: http.StatusUnauthorized, Code: wxpay.CodeSignError})
	require.NoError(t, err)
	assert.Equal(t, ending{again: time.Second}, end)
	assert.Nil(t, r.paused.Load())
}
