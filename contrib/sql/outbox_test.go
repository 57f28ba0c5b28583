package wxsql_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
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

// work runs a worker until no job is due, and returns what it reported.
func work(t testing.TB, db *database, w *wxsql.Worker) (problems []string) {
	t.Helper()
	var mu sync.Mutex
	w.OnError = func(err error) {
		mu.Lock()
		defer mu.Unlock()
		problems = append(problems, err.Error())
	}
	if w.Poll == 0 {
		w.Poll = 5 * time.Millisecond
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- w.Run(ctx) }()
	eventually(t, func() error {
		// A pause is at least a second; what a worker has in hand is due later.
		if n := db.number(t, "SELECT count(*) FROM wxpay_outbox WHERE state = 'begun' OR due <= "+now[db.dialect]); n > 0 {
			return fmt.Errorf("%d jobs are left", n)
		}
		return nil
	})
	cancel()
	require.NoError(t, <-ended)
	mu.Lock()
	defer mu.Unlock()
	return problems
}

var now = map[wxsql.Dialect]string{
	wxsql.PostgreSQL: "extract(epoch FROM clock_timestamp()) * 1000000", wxsql.MySQL: "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))",
	wxsql.SQLite: "unixepoch('subsec') * 1000000",
}

const due = "UPDATE wxpay_outbox SET due = 1 WHERE due IS NOT NULL"

func result(t testing.TB, o *wxsql.Outbox, number string) wxsql.Result {
	t.Helper()
	r, err := o.Result(t.Context(), refundsPath, number)
	require.NoError(t, err)
	return r
}

// refunds counts how often the platform has made each refund.
func (g *gateway) refunds() map[string]int {
	counts := map[string]int{}
	for _, e := range g.Ledger.Effects(sandbox.RefundEffect) {
		counts[e.Number]++
	}
	return counts
}

// A job of a transaction that commits is carried out once, and its result is stored with the shop's
// own change. One of a transaction that rolls back never is.
func TestOutbox(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db *database) {
		db.migrated(t)
		db.must(t, "CREATE TABLE shop_refund (number VARCHAR(40) PRIMARY KEY, state VARCHAR(40))")
		g := newGateway(t)
		o := g.outbox(t, db)
		insert := func(tx *sql.Tx, number string) {
			_, err := tx.Exec("INSERT INTO shop_refund VALUES ('" + number + "', 'asked')")
			require.NoError(t, err)
			require.NoError(t, o.Add(t.Context(), tx, g.refund(t, number, 700)))
		}
		for number, end := range map[string]func(*sql.Tx) error{"R1": (*sql.Tx).Commit, "R2": (*sql.Tx).Rollback} {
			tx, err := db.Begin()
			require.NoError(t, err)
			insert(tx, number)
			require.NoError(t, end(tx))
		}
		assert.Equal(t, wxsql.Waiting, result(t, o, "R1").State)
		_, err := o.Result(t.Context(), refundsPath, "R2")
		require.ErrorIs(t, err, wxsql.ErrNoJob)
		before, err := o.Status(t.Context())
		require.NoError(t, err)
		assert.EqualValues(t, 1, before.Waiting)
		assert.WithinDuration(t, time.Now(), before.Oldest, time.Minute)

		fails := errors.New("of the shop")
		var told []wxsql.Result
		w := &wxsql.Worker{Outbox: o, OnResult: func(ctx context.Context, tx *sql.Tx, r wxsql.Result) error {
			told = append(told, r)
			_, err := tx.ExecContext(ctx, "UPDATE shop_refund SET state = '"+string(r.State)+"' WHERE number = '"+r.Number+"'")
			if len(told) == 1 {
				return errors.Join(err, fails)
			}
			if len(told) == 2 {
				panic("of the shop")
			}
			return err
		}}
		problems := work(t, db, w)
		assert.Empty(t, problems, "the third try has stored it")
		require.Len(t, told, 3)
		r := result(t, o, "R1")
		assert.Equal(t, told[2], r)
		assert.Equal(t, wxsql.Accepted, r.State)
		assert.Equal(t, http.StatusOK, r.Status)
		assert.Contains(t, string(r.Response), `"out_refund_no":"R1"`)
		assert.NotEmpty(t, r.RequestID)
		assert.False(t, r.Ended.IsZero())
		assert.EqualValues(t, 1, db.number(t, "SELECT count(*) FROM shop_refund WHERE state = 'accepted'"))
		assert.Equal(t, map[string]int{"R1": 1}, g.refunds())

		n, err := o.Prune(t.Context(), time.Hour)
		require.NoError(t, err)
		assert.Zero(t, n)
		n, err = o.Prune(t.Context(), 0)
		require.NoError(t, err)
		assert.EqualValues(t, 1, n)
		after, err := o.Status(t.Context())
		require.NoError(t, err)
		assert.Equal(t, wxsql.Status{}, after)
		_, err = o.Prune(t.Context(), -1)
		require.Error(t, err)
	})
}

// A number stands for one request, for ever.
func TestAddAgain(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db *database) {
		db.migrated(t)
		g := newGateway(t)
		o := g.outbox(t, db)
		add(t, db, o, g.refund(t, "R1", 700), refundJob("R1", 700))
		add(t, db, o, refundJob("R1", 700))
		other := func() error {
			tx, err := db.Begin()
			require.NoError(t, err)
			defer func() { _ = tx.Rollback() }()
			return o.Add(t.Context(), tx, refundJob("R1", 701))
		}
		require.ErrorIs(t, other(), wxsql.ErrConflict)
		work(t, db, &wxsql.Worker{Outbox: o})
		add(t, db, o, refundJob("R1", 700))
		require.ErrorIs(t, other(), wxsql.ErrConflict, "also after its end")
		work(t, db, &wxsql.Worker{Outbox: o})
		assert.Equal(t, map[string]int{"R1": 1}, g.refunds())
		assert.Equal(t, 1, result(t, o, "R1").Attempts)
	})
}

// Two transactions add the same number at once, at each isolation level: there is one job, and the
// second transaction finds it there or fails as a whole.
func TestAddAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db *database) {
		db.migrated(t)
		o := newGateway(t).outbox(t, db)
		levels := []sql.IsolationLevel{sql.LevelDefault}
		if db.dialect != wxsql.SQLite { // it has one level and one writer
			levels = append(levels, sql.LevelReadCommitted, sql.LevelRepeatableRead, sql.LevelSerializable)
		}
		for _, level := range levels {
			number := fmt.Sprint("R", int(level))
			addOne := func() error {
				tx, err := db.BeginTx(t.Context(), &sql.TxOptions{Isolation: level})
				if err != nil {
					return err
				}
				defer func() { _ = tx.Rollback() }()
				if err := o.Add(t.Context(), tx, refundJob(number, 700)); err != nil {
					return err
				}
				return tx.Commit()
			}
			var added atomic.Int32
			var wait sync.WaitGroup
			for range 4 {
				wait.Go(func() {
					if addOne() == nil {
						added.Add(1)
					}
				})
			}
			wait.Wait()
			assert.NotZero(t, added.Load(), level)
			require.NoError(t, addOne(), "whoever failed repeats it")
			assert.EqualValues(t, 1, db.number(t, "SELECT count(*) FROM wxpay_outbox WHERE number = '"+number+"'"), level)
		}
	})
}

func TestAddRejects(t *testing.T) {
	t.Parallel()
	db := newDatabase(t, "sqlite").migrated(t)
	g := newGateway(t, wxpay.WithPreflight(wxpay.PreflightStrict))
	o := g.outbox(t, db)
	tx, err := db.Begin()
	require.NoError(t, err)
	defer func() { _ = tx.Rollback() }()
	const body = `{"out_refund_no":"R1","out_trade_no":"T1","amount":{"refund":1,"total":2,"currency":"CNY"}}`
	require.NoError(t, o.Add(t.Context(), tx, wxsql.Job{Path: "/" + refundsPath, Body: body}))
	require.NoError(t, o.Add(t.Context(), tx, wxsql.Job{Path: refundsPath, Body: []byte(body)}), "the same")
	for text, job := range map[string]wxsql.Job{
		"it is expected in out_refund_no": {Path: refundsPath, Body: wxpay.JSON{"out_trade_no": "private"}},
		"set Job.Number":                  {Path: "v3/of/tomorrow", Body: wxpay.JSON{"number": "private"}},
		"no JSON":                         {Path: refundsPath, Body: "{private"},
		"stands twice":                    {Path: refundsPath, Body: `{"a":[{"out_refund_no":"R2","out_refund_no":"private"}]}`},
		"a wxpay.Secret":                  {Path: refundsPath, Body: wxpay.JSON{"out_refund_no": "R2", "reason": wxpay.Secret("private")}},
		"UTF-8":                           {Path: refundsPath, Body: "{\"out_refund_no\":\"private\xff\"}"},
		"more than 255 bytes":             {Path: refundsPath, Body: wxpay.JSON{"out_refund_no": strings.Repeat("private", 50)}},
		"the request has":                 {Path: "v3/of/tomorrow", Body: wxpay.JSON{"reason": strings.Repeat("private", 200_000)}, Number: "R2"},
		"body /amount":                    {Path: refundsPath, Body: strings.Replace(body, `"total":2`, `"total":"private"`, 1)},
		"has no value":                    {Path: "v3/pay/transactions/out-trade-no/{out_trade_no}/close", Body: wxpay.JSON{"mchid": "1900000109"}, Number: "private"},
	} {
		err := o.Add(t.Context(), tx, job)
		if assert.ErrorContains(t, err, text) {
			assert.NotContains(t, err.Error(), "private", text)
		}
	}
	assert.Equal(t, "wxsql.Job{v3/x}", fmt.Sprintf("%+v", wxsql.Job{Path: "v3/x", Body: "private", Number: "private"}))
	assert.NotContains(t, fmt.Sprintf("%+v %+v %+v", wxsql.Result{Number: "private"}, wxsql.Details{Message: "private"}, *o), "private")
	assert.Equal(t, "wxsql.OutboxConfig{sqlite}", fmt.Sprintf("%#v", wxsql.OutboxConfig{Dialect: wxsql.SQLite, Keys: keys}))
}

// Nothing in the tables names people, and nothing can be moved from one job to another.
func TestSealed(t *testing.T) {
	t.Parallel()
	db := newDatabase(t, "sqlite").migrated(t)
	g := newGateway(t)
	o := g.outbox(t, db)
	add(t, db, o, feed("F1"), feed("F2"))
	work(t, db, &wxsql.Worker{Outbox: o})
	rows, err := db.Query("SELECT request, result FROM wxpay_outbox")
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		var request, result []byte
		require.NoError(t, rows.Scan(&request, &result))
		require.NotEmpty(t, result)
		for _, sealed := range [][]byte{request, result} {
			for _, private := range []string{"openid", "obLatjnx9gnqzS4myYGmLZ7LgLBA", "card"} {
				assert.False(t, bytes.Contains(sealed, []byte(private)), private)
			}
		}
	}
	require.NoError(t, rows.Close())

	open := func(keys ...[]byte) *wxsql.Outbox {
		o, err := wxsql.OpenOutbox(t.Context(), wxsql.OutboxConfig{DB: db.DB, Dialect: db.dialect, Client: g.client, Keys: keys})
		require.NoError(t, err)
		return o
	}
	newer := []byte(strings.Repeat("n", 32))
	rotated := open(newer, keys[0])
	r, err := rotated.Result(t.Context(), feedsPath, "F1")
	require.NoError(t, err)
	assert.Equal(t, wxsql.Succeeded, r.State)
	add(t, db, rotated, feed("F3"))
	_, err = o.Result(t.Context(), feedsPath, "F3")
	require.NoError(t, err, "it has no result yet")

	// A worker without the key leaves the job as it is.
	problems := work(t, db, &wxsql.Worker{Outbox: o})
	assert.Contains(t, strings.Join(problems, "\n"), wxsql.ErrSealed.Error())
	r, err = rotated.Result(t.Context(), feedsPath, "F3")
	require.NoError(t, err)
	assert.Equal(t, wxsql.Waiting, r.State)
	db.must(t, due)
	work(t, db, &wxsql.Worker{Outbox: open(newer)})
	_, err = open(newer).Result(t.Context(), feedsPath, "F1")
	require.ErrorIs(t, err, wxsql.ErrSealed)
	tx, err := db.Begin()
	require.NoError(t, err)
	require.ErrorIs(t, open(newer).Add(t.Context(), tx, feed("F1")), wxsql.ErrSealed)
	require.NoError(t, tx.Rollback())

	add(t, db, o, feed("F4"))
	db.must(t, "UPDATE wxpay_outbox SET request = (SELECT o.request FROM wxpay_outbox o WHERE o.number = 'F2') WHERE number = 'F4'")
	problems = work(t, db, &wxsql.Worker{Outbox: o})
	assert.Contains(t, strings.Join(problems, "\n"), wxsql.ErrSealed.Error())
	for _, e := range g.Ledger.Effects(sandbox.FeedEffect) {
		assert.NotEqual(t, "F4", e.Number)
	}
	assert.Len(t, g.Ledger.Effects(sandbox.FeedEffect), 3)
}

func feed(number string) wxsql.Job {
	return wxsql.Job{Path: feedsPath, Body: wxpay.JSON{
		"brand_id": "1004", "card_id": "pbLatjvWOibDc5-TBnbUk1pD12o0", "user_card_code": "4785",
		"openid": "obLatjnx9gnqzS4myYGmLZ7LgLBA", "out_request_no": number, "cell_message": "15_1200_1",
	}}
}

// Of many workers one has a job at a time, and jobs that nobody has are due to any of them.
func TestManyWorkers(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db *database) {
		db.migrated(t)
		g := newGateway(t)
		g.OnRepeatedFeed(sandbox.RepeatDuplicate)
		o := g.outbox(t, db)
		const jobs = 60
		for n := range jobs {
			add(t, db, o, feed(fmt.Sprint("F", n)))
		}
		for name, address := range levels(db) {
			other := g.outbox(t, openDatabase(t, db.dialect, db.driver, address))
			if name == "serializable" && db.dialect != wxsql.SQLite {
				continue // one more follows at the end
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			go func() { _ = (&wxsql.Worker{Outbox: other, Poll: 5 * time.Millisecond}).Run(ctx) }()
		}
		work(t, db, &wxsql.Worker{Outbox: o})
		counts := map[string]int{}
		for _, e := range g.Ledger.Effects(sandbox.FeedEffect) {
			counts[e.Number]++
		}
		assert.Len(t, counts, jobs)
		for number, count := range counts {
			assert.Equal(t, 1, count, number)
		}
		assert.EqualValues(t, jobs, db.number(t, "SELECT count(*) FROM wxpay_outbox WHERE state = 'succeeded' AND begun = 1"))
	})
}

// A worker that has lost its lease stores nothing, and says so.
func TestLeaseLost(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db *database) {
		db.migrated(t)
		g := newGateway(t)
		o := g.outbox(t, db)
		add(t, db, o, g.refund(t, "R1", 700))
		arrived := make(chan struct{})
		client, err := wxpay.FromLookupEnv(g.LookupEnv, wxpay.WithTransport(middleware.RoundTripFunc(func(r *http.Request) (*http.Response, error) {
			res, err := g.Transport().RoundTrip(r)
			close(arrived)
			<-r.Context().Done() // until the lease is lost
			return res, err
		})))
		require.NoError(t, err)
		slow := (&gateway{g.Sandbox, client}).outbox(t, db)
		ctx, cancel := context.WithCancel(t.Context())
		reported, ended := make(chan error, 1000), make(chan error)
		go func() {
			ended <- (&wxsql.Worker{Outbox: slow, Lease: 3 * time.Second, OnError: func(err error) { reported <- err }}).Run(ctx)
		}()
		<-arrived
		db.must(t, "UPDATE wxpay_outbox SET owner = 'another', due = 9000000000000000")
		await(t, reported, "the lease of the job ended")
		cancel()
		require.NoError(t, <-ended)
		assert.EqualValues(t, 1, db.number(t, "SELECT count(*) FROM wxpay_outbox WHERE owner = 'another' AND state = 'begun'"))
		db.must(t, due)
		assert.Empty(t, work(t, db, &wxsql.Worker{Outbox: o}))
		assert.Equal(t, wxsql.Succeeded, result(t, o, "R1").State)
		assert.Equal(t, map[string]int{"R1": 1}, g.refunds())
	})
}

// A lease is renewed for as long as a call takes.
func TestLeaseIsRenewed(t *testing.T) {
	t.Parallel()
	virtual(t, func(t *testing.T, open func() *database) {
		db := open().migrated(t)
		g := newGateway(t)
		o := g.outbox(t, db)
		add(t, db, o, g.refund(t, "R1", 700))
		require.NoError(t, g.Faults.Inject(fault.Rule{Kind: fault.Delay, Delay: 5 * time.Second, Count: 1}))
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- (&wxsql.Worker{Outbox: g.outbox(t, open()), Lease: time.Second}).Run(ctx) }()
		assert.Empty(t, work(t, db, &wxsql.Worker{Outbox: o, Lease: time.Second, Poll: time.Second}))
		cancel()
		require.NoError(t, <-ended)
		assert.Equal(t, 1, result(t, o, "R1").Attempts)
	})
}

// A worker that is stopped ends its calls; what it breaks off after its grace is in doubt, and a job
// that it has not sent waits.
func TestWorkerStops(t *testing.T) {
	t.Parallel()
	for name, sent := range map[string]bool{"sent": true, "not sent": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := newDatabase(t, "sqlite").migrated(t)
			g := newGateway(t)
			arrived := make(chan struct{})
			hang := middleware.RoundTripFunc(func(r *http.Request) (*http.Response, error) {
				close(arrived)
				<-r.Context().Done()
				return nil, r.Context().Err()
			})
			options := []wxpay.Option{wxpay.WithTransport(hang)}
			if !sent {
				options = []wxpay.Option{wxpay.WithTransport(g.Transport()), wxpay.WithLimiter(stalled(arrived))}
			}
			client, err := wxpay.FromLookupEnv(g.LookupEnv, options...)
			require.NoError(t, err)
			o := (&gateway{g.Sandbox, client}).outbox(t, db)
			add(t, db, o, g.refund(t, "R1", 700))
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error)
			go func() { ended <- (&wxsql.Worker{Outbox: o, Grace: time.Millisecond}).Run(ctx) }()
			<-arrived
			cancel()
			require.NoError(t, <-ended)
			if sent {
				assert.Equal(t, wxsql.Unknown, result(t, o, "R1").State)
				assert.EqualValues(t, 1, db.number(t, "SELECT count(*) FROM wxpay_outbox WHERE doubt IS NOT NULL"))
			} else {
				assert.Equal(t, wxsql.Waiting, result(t, o, "R1").State)
				assert.Zero(t, db.number(t, "SELECT count(*) FROM wxpay_outbox WHERE doubt IS NOT NULL"))
			}
			assert.Empty(t, g.refunds())
		})
	}
}

// The pace is that of the client's limiter.
func TestPaced(t *testing.T) {
	t.Parallel()
	db := newDatabase(t, "sqlite").migrated(t)
	var acquired atomic.Int64
	g := newGateway(t, wxpay.WithLimiter(counting{middleware.NewLimits(), &acquired}))
	o := g.outbox(t, db)
	for n := range 5 {
		add(t, db, o, g.refund(t, fmt.Sprint("R", n), 700))
	}
	assert.Empty(t, work(t, db, &wxsql.Worker{Outbox: o}))
	assert.EqualValues(t, 5, acquired.Load())
	assert.Len(t, g.refunds(), 5)
}

// await waits until an error is reported.
func await(t testing.TB, reported <-chan error, text string) {
	t.Helper()
	for limit := time.After(time.Minute); ; {
		select {
		case err := <-reported:
			if strings.Contains(err.Error(), text) {
				return
			}
		case <-limit:
			t.Fatal("not reported: " + text)
		}
	}
}

// The database goes away while a worker has a job, and comes back: nothing is lost or done twice.
func TestWorkerWithoutDatabase(t *testing.T) {
	t.Parallel()
	virtual(t, func(t *testing.T, open func() *database) {
		db := open().migrated(t)
		g := newGateway(t)
		own := open()
		var once sync.Once
		client, err := wxpay.FromLookupEnv(g.LookupEnv, wxpay.WithTransport(middleware.RoundTripFunc(func(r *http.Request) (*http.Response, error) {
			res, err := g.Transport().RoundTrip(r)
			once.Do(func() { _ = own.Close() })
			return res, err
		})))
		require.NoError(t, err)
		add(t, db, g.outbox(t, db), g.refund(t, "R1", 700))
		o := (&gateway{g.Sandbox, client}).outbox(t, own)
		reported := make(chan error, 1000)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() {
			ended <- (&wxsql.Worker{Outbox: o, Lease: time.Second, Poll: 50 * time.Millisecond, OnError: func(err error) { reported <- err }}).Run(ctx)
		}()
		await(t, reported, "wxsql: taking jobs: sql: database is closed")
		await(t, reported, "another worker") // will ask, or has the job
		cancel()
		require.NoError(t, <-ended)
		assert.Equal(t, wxsql.Begun, result(t, g.outbox(t, db), "R1").State)
		db.must(t, due)
		work(t, db, &wxsql.Worker{Outbox: g.outbox(t, db), Poll: time.Second})
		assert.Equal(t, wxsql.Succeeded, result(t, g.outbox(t, db), "R1").State)
		assert.Equal(t, map[string]int{"R1": 1}, g.refunds())
	})
}

// A limiter or transport of the shop that panics ends neither the worker nor the job.
func TestClientPanics(t *testing.T) {
	t.Parallel()
	virtual(t, func(t *testing.T, open func() *database) {
		db := open().migrated(t)
		panics := true
		g := newGateway(t)
		client, err := wxpay.FromLookupEnv(g.LookupEnv, wxpay.WithTransport(middleware.RoundTripFunc(func(r *http.Request) (*http.Response, error) {
			if panics {
				panic("of the shop")
			}
			return g.Transport().RoundTrip(r)
		})))
		require.NoError(t, err)
		o := (&gateway{g.Sandbox, client}).outbox(t, db)
		add(t, db, o, feed("F1"))
		work(t, db, &wxsql.Worker{Outbox: o, Poll: time.Second, Patience: 100 * time.Millisecond})
		r, err := o.Result(t.Context(), feedsPath, "F1")
		require.NoError(t, err)
		assert.Equal(t, wxsql.Unknown, r.State)
		panics = false
		db.must(t, due)
		work(t, db, &wxsql.Worker{Outbox: o, Poll: time.Second, OnUnknown: wxpay.Repeat})
		assert.Len(t, g.Ledger.Effects(sandbox.FeedEffect), 1)
	})
}

// Another merchant's outbox in the same table is another one.
func TestMerchantsApart(t *testing.T) {
	t.Parallel()
	db := newDatabase(t, "sqlite").migrated(t)
	g := newGateway(t)
	second, err := g.AddMerchant("1900000110")
	require.NoError(t, err)
	client, err := wxpay.FromLookupEnv(second.LookupEnv, wxpay.WithTransport(second.Transport()))
	require.NoError(t, err)
	other := &gateway{second, client}
	add(t, db, g.outbox(t, db), g.refund(t, "R1", 700))
	add(t, db, other.outbox(t, db), other.refund(t, "R1", 900))
	ctx, cancel := context.WithCancel(t.Context())
	w := &wxsql.Worker{Outbox: g.outbox(t, db), Poll: time.Millisecond, OnResult: func(context.Context, *sql.Tx, wxsql.Result) error {
		time.AfterFunc(50*time.Millisecond, cancel)
		return nil
	}}
	require.NoError(t, w.Run(ctx))
	assert.Equal(t, wxsql.Accepted, result(t, g.outbox(t, db), "R1").State)
	assert.Equal(t, wxsql.Waiting, result(t, other.outbox(t, db), "R1").State)
}
