package wxsql_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	wxsql "github.com/wxpay-go/wxpay/contrib/sql"
	"github.com/wxpay-go/wxpay/middleware"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/sandbox/fault"
)

// It stands in the table that a job has begun before the first byte of its call is sent.
func TestDoubtIsStoredFirst(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db *database) {
		db.migrated(t)
		var states []string
		s := newGateway(t)
		client, err := wxpay.FromLookupEnv(s.LookupEnv, wxpay.WithTransport(middleware.RoundTripFunc(func(r *http.Request) (*http.Response, error) {
			var state string
			if err := db.QueryRow("SELECT state FROM wxpay_outbox").Scan(&state); err != nil {
				return nil, err
			}
			states = append(states, state)
			return s.Transport().RoundTrip(r)
		})))
		require.NoError(t, err)
		g := &gateway{s.Sandbox, client}
		o := g.outbox(t, db)
		add(t, db, o, g.refund(t, "R1", 700))
		assert.Empty(t, work(t, db, &wxsql.Worker{Outbox: o}))
		assert.Equal(t, []string{"begun"}, states)
	})
}

// A worker dies with a job that was sent, and another one with a job that was not: the next one asks
// before it sends, and neither refund is made twice.
func TestWorkerDied(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db *database) {
		db.migrated(t)
		g := newGateway(t)
		o := g.outbox(t, db)
		add(t, db, o, g.refund(t, "R1", 700))
		job := refundJob("R1", 700)
		_, err := g.client.Chain(job.Path).Post(t.Context(), job.Body)
		require.NoError(t, err)
		db.must(t, "UPDATE wxpay_outbox SET state = 'begun', owner = 'the dead', due = 1, begun = 1")
		assert.Empty(t, work(t, db, &wxsql.Worker{Outbox: o}))
		r := result(t, o, "R1")
		assert.Equal(t, wxsql.Succeeded, r.State, "by the query")
		assert.Equal(t, 2, r.Attempts)
		assert.Equal(t, map[string]int{"R1": 1}, g.refunds())
		posts := 0
		for _, e := range g.Journal.All() {
			if e.Method == http.MethodPost {
				posts++
			}
		}
		assert.Equal(t, 1, posts, "the worker has only asked")
	})
}

// A job whose outcome nobody knows is held, and asked about again until it is known. Meanwhile
// nothing is sent under another number. The time is virtual: on a slow machine the worker's patience
// could end before the refund is made.
func TestUnknownIsHeld(t *testing.T) {
	t.Parallel()
	virtual(t, func(t *testing.T, open func() *database) {
		db := open().migrated(t)
		g := newGateway(t)
		o := g.outbox(t, db)
		add(t, db, o, g.refund(t, "R1", 700))
		require.NoError(t, g.Faults.Inject(fault.Rule{Kind: fault.ServerErrorAfter, Method: "POST"}, fault.Rule{Kind: fault.ServerError, Method: "GET"}))
		w := &wxsql.Worker{Outbox: o, Poll: time.Second, Patience: 200 * time.Millisecond}
		for attempt := 1; attempt <= 2; attempt++ {
			work(t, db, w)
			r := result(t, o, "R1")
			assert.Equal(t, wxsql.Unknown, r.State)
			assert.Equal(t, attempt, r.Attempts)
			assert.NotEmpty(t, r.Message)
			s, err := o.Status(t.Context())
			require.NoError(t, err)
			assert.EqualValues(t, 1, s.Unknown)
			left := time.Until(time.UnixMicro(db.number(t, "SELECT due FROM wxpay_outbox")))
			assert.InDelta(t, (time.Duration(attempt) * time.Minute).Seconds(), left.Seconds(), 1)
			db.must(t, due)
		}
		require.ErrorIs(t, o.Retry(t.Context(), refundsPath, "R1"), wxsql.ErrNoJob, "it was not refused")
		g.Faults.Clear()
		work(t, db, &wxsql.Worker{Outbox: o, Poll: time.Second})
		assert.Equal(t, wxsql.Succeeded, result(t, o, "R1").State)
		assert.Equal(t, map[string]int{"R1": 1}, g.refunds())
	})
}

// An operation without a query is not sent twice if it is held. Somebody finds out what became of it, and says so.
func TestSettle(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db *database) {
		db.migrated(t)
		g := newGateway(t)
		o := g.outbox(t, db)
		g.OnRepeatedFeed(sandbox.RepeatDuplicate)
		add(t, db, o, feed("F1"))
		require.NoError(t, g.Faults.Inject(fault.Rule{Kind: fault.ResetAfter, Count: 1}))
		w := &wxsql.Worker{Outbox: o, OnUnknown: wxpay.Hold}
		for attempt := 1; attempt <= 2; attempt++ {
			work(t, db, w)
			r, err := o.Result(t.Context(), feedsPath, "F1")
			require.NoError(t, err)
			assert.Equal(t, wxsql.Unknown, r.State)
			assert.Equal(t, attempt, r.Attempts)
			left := time.Until(time.UnixMicro(db.number(t, "SELECT due FROM wxpay_outbox")))
			assert.InDelta(t, (time.Duration(attempt) * time.Minute).Seconds(), left.Seconds(), 40)
			db.must(t, due)
		}
		settle := func(number string, state wxsql.State) error {
			tx, err := db.Begin()
			require.NoError(t, err)
			defer func() { _ = tx.Rollback() }()
			if err := o.Settle(t.Context(), tx, feedsPath, number, state); err != nil {
				return err
			}
			return tx.Commit()
		}
		require.ErrorContains(t, settle("F1", wxsql.Refused), "cannot be settled")
		require.ErrorIs(t, settle("F2", wxsql.Failed), wxsql.ErrNoJob)
		require.NoError(t, settle("F1", wxsql.Succeeded))
		require.ErrorIs(t, settle("F1", wxsql.Failed), wxsql.ErrNoJob, "it is settled")
		r, err := o.Result(t.Context(), feedsPath, "F1")
		require.NoError(t, err)
		assert.True(t, r.Settled)
		assert.Equal(t, wxsql.Succeeded, r.State)
		assert.Len(t, g.Ledger.Effects(sandbox.FeedEffect), 1)
	})
}

// A rejection without effect ends a job until somebody retries it, one that passes lets it wait, and
// one that concerns the merchant lets all wait.
func TestRejections(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, code string
		status     int
		state      wxsql.State
		reported   string
	}{
		{"for good", "NOT_ENOUGH", 403, wxsql.Refused, ""},
		{"passing", "FREQUENCY_LIMITED", 429, wxsql.Unknown, ""}, // of an operation that moves money it is no proof
		{"of the merchant", "NO_AUTH", 403, wxsql.Waiting, "and so will the others"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			virtual(t, func(t *testing.T, open func() *database) {
				db := open().migrated(t)
				g := newGateway(t)
				o := g.outbox(t, db)
				add(t, db, o, g.refund(t, "R1", 700))
				require.NoError(t, g.Faults.Inject(fault.Rule{Kind: fault.ServerError, Status: tt.status, Code: tt.code}))
				problems := work(t, db, &wxsql.Worker{Outbox: o, Poll: time.Second, Patience: 300 * time.Millisecond})
				r := result(t, o, "R1")
				assert.Equal(t, tt.state, r.State, "%v %+v", problems, r.Message)
				assert.Equal(t, tt.code, r.Code)
				assert.Contains(t, strings.Join(problems, "\n"), tt.reported)
				g.Faults.Clear()
				if r.State == wxsql.Refused {
					assert.Empty(t, work(t, db, &wxsql.Worker{Outbox: o, Poll: time.Second}))
					assert.Empty(t, g.refunds(), "it has ended")
					s, err := o.Status(t.Context())
					require.NoError(t, err)
					assert.Equal(t, wxsql.Status{Refused: 1}, s)
					require.NoError(t, o.Retry(t.Context(), refundsPath, "R1"))
					work(t, db, &wxsql.Worker{Outbox: o, Poll: time.Second})
					assert.Equal(t, map[string]int{"R1": 1}, g.refunds())
				}
			})
		})
	}
}
