package wxsql_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"modernc.org/sqlite"

	"github.com/wxpay-go/wxpay"
	wxsql "github.com/wxpay-go/wxpay/contrib/sql"
	"github.com/wxpay-go/wxpay/middleware"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/sandbox/fault"
	"github.com/wxpay-go/wxpay/webhook"
)

func long() bool { return os.Getenv("WXPAY_TEST_LONG") == "1" }

// troubles hit about a third of all requests, in every way that stands between a job and its result
// without a proxy that mixes up responses.
func troubles() []fault.Rule {
	list := []fault.Rule{
		{Kind: fault.LimitedAfter, Method: "POST", Path: "/" + refundsPath, Probability: 0.03},
		{Kind: fault.RefusedAfter, Method: "POST", Path: "/" + refundsPath, Code: "USER_ACCOUNT_ABNORMAL", Probability: 0.03},
		{Kind: fault.Delay, Delay: 15 * time.Second, Probability: 0.025}, // longer than an attempt may take
		{Kind: fault.SlowBody, Delay: 300 * time.Millisecond, Probability: 0.025},
		{Kind: fault.SignError, Probability: 0.01},
		{Kind: fault.NoBody, Probability: 0.01},
	}
	for _, kind := range []fault.Kind{
		fault.Refuse, fault.ResetBefore, fault.ResetAfter, fault.Truncate, fault.WrongSignature, fault.UnknownSerial,
		fault.StaleTimestamp, fault.Probe, fault.Limited, fault.ServerError, fault.ServerErrorAfter, fault.BadGateway,
	} {
		list = append(list, fault.Rule{Kind: kind, Probability: 0.025})
	}
	return append(list, fault.Rule{Kind: fault.NotFoundFor, Delay: 40 * time.Second, Probability: 0.3})
}

// job is one of the proof, with what is right about it.
type job struct {
	wxsql.Job
	number  string
	foreign bool // the number stands for something else at the platform
}

// proofJobs makes refunds, transfers, orders and feeds in turn. One refund in twenty has a number
// that stands for another refund.
func proofJobs(t *testing.T, g *gateway, n int) (jobs []job) {
	for i := range n {
		number := fmt.Sprintf("N%07d", i)
		switch amount := 1 + i%100; i % 4 {
		case 0:
			j := job{Job: g.refund(t, number, amount), number: number, foreign: i%80 == 0}
			if j.foreign {
				_, err := g.client.Chain(refundsPath).Post(t.Context(), refundJob(number, amount+1).Body)
				require.NoError(t, err)
			}
			jobs = append(jobs, j)
		case 1:
			jobs = append(jobs, job{Job: wxsql.Job{Path: "v3/fund-app/mch-transfer/transfer-bills", Body: wxpay.JSON{
				"appid": "wx8888888888888888", "out_bill_no": number, "transfer_scene_id": "1000", "openid": "o-MYE42l80oelYMDE34nYD456Xoy",
				"transfer_amount": amount, "transfer_remark": "bonus", "transfer_scene_report_infos": []any{
					wxpay.JSON{"info_type": "a", "info_content": "b"}, wxpay.JSON{"info_type": "c", "info_content": "d"}},
			}}, number: number})
		case 2:
			jobs = append(jobs, job{Job: wxsql.Job{Path: "v3/pay/transactions/native", Body: wxpay.JSON{
				"appid": "wx8888888888888888", "mchid": g.client.MchID(), "description": "tea", "out_trade_no": number,
				"notify_url": "https://example.com/n", "amount": wxpay.JSON{"total": amount, "currency": "CNY"},
			}}, number: number})
		default:
			jobs = append(jobs, job{Job: feed(number), number: number})
		}
	}
	return jobs
}

// audit compares the results with the ledger of the platform: nothing is done twice, and no result
// says what is not so.
func audit(t *testing.T, o *wxsql.Outbox, jobs []job, effects []sandbox.Effect) {
	t.Helper()
	done := map[string]int{}
	for _, e := range effects {
		done[e.Number]++
	}
	doubles, lies := 0, 0
	states := map[wxsql.State]int{}
	for _, j := range jobs {
		r, err := o.Result(t.Context(), j.Path, j.number)
		require.NoError(t, err)
		states[r.State]++
		count := done[j.number]
		delete(done, j.number)
		if count > 1 {
			doubles++
			t.Errorf("%s %s was done %d times", j.Path, j.number, count)
		}
		success := r.State == wxsql.Succeeded || r.State == wxsql.Accepted || r.State == wxsql.Taken
		honest := success && count == 1
		if j.foreign { // the platform rejects it, or its outcome stays unknown
			honest = (r.State == wxsql.Refused || r.State == wxsql.Unknown) && count == 0
		}
		if !honest {
			lies++
			t.Errorf("%s %s (foreign %t) is %s after %d attempts and was done %d times: %s %s", j.Path, j.number, j.foreign, r.State, r.Attempts,
				count, r.Code, r.Message)
		}
	}
	assert.Empty(t, done, "effects of numbers that nobody chose")
	t.Logf("%d jobs, states %v, doubles %d, lies %d", len(jobs), states, doubles, lies)
}

// virtualDriver is SQLite with the time of the goroutine that asks, for synctest.
var virtualDriver = sync.OnceValue(func() string {
	d := new(sqlite.Driver)
	d.MustRegisterScalarFunction("unixepoch", 1, func(*sqlite.FunctionContext, []driver.Value) (driver.Value, error) {
		return float64(time.Now().UnixMicro()) / 1e6, nil
	})
	sql.Register("sqlite-virtual", d)
	return "sqlite-virtual"
})

// virtual runs a test in virtual time, which is also that of the database that open opens.
func virtual(t *testing.T, test func(t *testing.T, open func() *database)) {
	file := filepath.ToSlash(filepath.Join(t.TempDir(), "shop.db"))
	name := virtualDriver()
	synctest.Test(t, func(t *testing.T) {
		test(t, func() *database {
			db := openDatabase(t, wxsql.SQLite, name, "file:"+file+"?_pragma=busy_timeout(60000)&_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)")
			db.SetMaxOpenConns(1)
			return db
		})
	})
}

// TestOutboxMoney is the promise of the outbox: whatever goes wrong on the way, and whenever workers
// die, each job is carried out once and its result is what the platform's ledger says. It runs in
// virtual time, against a sandbox that spoils a third of all requests. WXPAY_TEST_LONG=1 makes it
// 2,000 jobs.
func TestOutboxMoney(t *testing.T) {
	t.Parallel()
	n := 200
	if long() {
		n = 2000
	}
	virtual(t, func(t *testing.T, open func() *database) {
		db := open().migrated(t)
		g := newGateway(t)
		o := g.outbox(t, db)
		jobs := proofJobs(t, g, n)
		for _, j := range jobs {
			add(t, db, o, j.Job)
		}
		before := len(g.Ledger.Effects())
		require.NoError(t, g.Faults.Inject(troubles()...))

		random := rand.New(rand.NewPCG(1, 2))
		var workers sync.WaitGroup
		hire := func() (die func()) {
			own := open()
			wire := &mortal{next: g.Transport(), dead: make(chan struct{})}
			client, err := wxpay.FromLookupEnv(g.LookupEnv, wxpay.WithTransport(wire))
			require.NoError(t, err)
			mine := (&gateway{g.Sandbox, client}).outbox(t, own)
			ctx, cancel := context.WithCancel(t.Context())
			workers.Go(func() { _ = (&wxsql.Worker{Outbox: mine, Calls: 50, Grace: time.Millisecond}).Run(ctx) })
			return sync.OnceFunc(func() {
				close(wire.dead)
				_ = own.Close()
				cancel()
			})
		}
		staff := []func(){hire(), hire(), hire()}
		// unfinished counts the jobs that have not ended. Of a foreign number the outcome may stay unknown.
		foreign := ""
		for _, j := range jobs {
			if j.foreign {
				foreign += ", '" + j.number + "'"
			}
		}
		unfinished := func() int64 {
			return db.number(t, "SELECT count(*) FROM wxpay_outbox WHERE state IN ('waiting', 'begun') OR state = 'unknown' AND number NOT IN (''"+foreign+")")
		}
		const most = 10
		deaths := 0
		for begin := time.Now(); ; time.Sleep(time.Duration(1+random.IntN(20)) * time.Second) {
			left := unfinished()
			if left == 0 && deaths == most {
				for _, die := range staff {
					die()
				}
				workers.Wait()
				if unfinished() == 0 {
					break
				}
				for i := range staff { // one was just asking about an unknown job again
					staff[i] = hire()
				}
			}
			require.Less(t, time.Since(begin), 24*time.Hour, "%d jobs are left", left)
			if deaths < most {
				i := random.IntN(len(staff))
				staff[i]()
				staff[i] = hire()
				deaths++
			}
		}
		t.Logf("%d deaths, faults %v", deaths, g.Faults.Counts())
		audit(t, o, jobs, g.Ledger.Effects()[before:])
	})
}

// mortal is the network of a process: when that is dead, nothing is sent and no response arrives.
type mortal struct {
	next http.RoundTripper
	dead chan struct{}
}

var errDead = errors.New("the process is dead")

func (m *mortal) RoundTrip(r *http.Request) (*http.Response, error) {
	select {
	case <-m.dead:
		return nil, errDead
	default:
	}
	res, err := m.next.RoundTrip(r)
	select {
	case <-m.dead:
		if err == nil {
			_ = res.Body.Close()
		}
		return nil, errDead
	default:
	}
	return res, err
}

// workerConfig is what a worker process is started with.
type workerConfig struct {
	Env             []string
	BaseURL         string
	Driver, Address string
	Dialect         wxsql.Dialect
	OnUnknown       wxpay.UnknownPolicy
	PerSecond       int
}

func init() { roles["worker"] = runWorker }

// runWorker is a process that works until its standard input ends.
func runWorker(text string) error {
	var c workerConfig
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	client, err := wxpay.FromLookupEnv(func(name string) (string, bool) {
		if name == "WXPAY_BASE_URL" {
			return c.BaseURL, true
		}
		return lookup(c.Env)(name)
	}, wxpay.WithLimiter(middleware.NewLimits(middleware.Rule{PerSecond: c.PerSecond})))
	if err != nil {
		return err
	}
	db, err := sql.Open(c.Driver, c.Address)
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(16)
	for ctx.Err() == nil { // the server may be down
		o, err := wxsql.OpenOutbox(ctx, wxsql.OutboxConfig{DB: db, Dialect: c.Dialect, Client: client, Keys: keys})
		if err != nil {
			time.Sleep(50 * time.Millisecond)
			continue
		}
		return (&wxsql.Worker{Outbox: o, Calls: 12, Lease: 3 * time.Second, Poll: 50 * time.Millisecond, Grace: 5 * time.Second,
			OnUnknown: c.OnUnknown}).Run(ctx)
	}
	return nil
}

// TestKilled kills workers, each a process, and the database server, time and again, while they
// carry out jobs on a platform that fails one request in 25; and then the server within the
// transaction of a notification's function.
//
// The short form has 200 jobs, and workers that repeat without asking, because a query that finds
// nothing permits another attempt only after a minute. WXPAY_TEST_LONG=1 makes it 2,000 jobs and
// workers that ask.
func TestKilled(t *testing.T) {
	t.Parallel()
	for kind, start := range newServers {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			serverOf(t, kind) // or skip
			own, err := start()
			require.NoError(t, err)
			t.Cleanup(own.stop)
			proveKilled(t, own)
			killWithinFunction(t, own)
		})
	}
}

// killWithinFunction kills the server after the change of a function, before its commit. Nothing of
// it stays, and the next delivery does the work once.
func killWithinFunction(t *testing.T, server *server) {
	s := newShop(t, server.newDatabase(t))
	i := openInbox(t, s.database)
	handler, err := newHandler(s.sandbox.LookupEnv, webhook.WithDeduper(i))
	require.NoError(t, err)
	runs := 0
	handler.On(webhook.TransactionSuccess, i.Func(func(ctx context.Context, tx *sql.Tx, _ *webhook.Event) error {
		_, err := tx.ExecContext(ctx, book)
		if runs++; runs == 1 {
			server.kill()
			for wait := err; wait == nil; _, wait = tx.ExecContext(ctx, "SELECT 1") { // until its last process has noticed, which could commit
			}
		}
		return err
	}))
	payment := s.payment(t)
	deliver := delivery(t, handler, payment)
	deliver(http.StatusInternalServerError, "the commit fails")
	eventually(t, server.start)
	assert.Zero(t, s.balance(t))
	s.must(t, "UPDATE wxpay_notification SET lapses = 1 WHERE NOT done") // if the claim could not be released
	deliver(http.StatusNoContent, "booked")
	deliver(http.StatusNoContent, "known")
	assert.EqualValues(t, total, s.balance(t))
	assert.Equal(t, 2, runs)
}

func proveKilled(t *testing.T, server *server) {
	n, most, policy, perSecond, pause := 200, 6, wxpay.Repeat, 10, 100*time.Millisecond
	if long() { // each death begins the minute anew after which a job may be sent again
		n, most, policy, perSecond, pause = 2000, 15, 0, 5, 5*time.Second
	}
	db := server.newDatabase(t).migrated(t)
	g := newGateway(t)
	o := g.outbox(t, db)
	var jobs []job
	for i := range n {
		number := fmt.Sprintf("N%07d", i)
		if i%2 == 0 {
			jobs = append(jobs, job{Job: g.refund(t, number, 1+i%100), number: number})
		} else {
			jobs = append(jobs, job{Job: feed(number), number: number})
		}
		add(t, db, o, jobs[i].Job)
	}
	var rules []fault.Rule
	for _, kind := range []fault.Kind{fault.ServerErrorAfter, fault.ResetAfter, fault.Truncate, fault.WrongSignature} {
		rules = append(rules, fault.Rule{Kind: kind, Probability: 0.01})
	}
	require.NoError(t, g.Faults.Inject(rules...))
	platform := httptest.NewServer(g)
	t.Cleanup(platform.Close)

	config := workerConfig{g.Env(), platform.URL, server.driver, db.address, server.dialect, policy, perSecond}
	hire := func() *exec.Cmd {
		c := reexec(t, "worker", config)
		stdin, err := c.StdinPipe()
		require.NoError(t, err)
		require.NoError(t, c.Start())
		t.Cleanup(func() {
			_ = stdin.Close()
			_ = c.Process.Kill()
			_ = c.Wait()
		})
		return c
	}
	random := rand.New(rand.NewPCG(1, 2))
	staff := []*exec.Cmd{hire(), hire(), hire()}
	open := func() (left int64) { // -1 while the server is down
		s, err := o.Status(context.WithoutCancel(t.Context()))
		if err != nil {
			return -1
		}
		return s.Waiting + s.Begun + s.Unknown
	}
	kills, crashes := 0, 0
	next := time.Now()
	for deadline := time.Now().Add(10 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		left := open()
		if left == 0 {
			break
		}
		require.True(t, time.Now().Before(deadline), "%d jobs are left", left)
		if kills == most || left < 0 || left > int64(n*9/10) || time.Now().Before(next) {
			continue
		}
		i := random.IntN(len(staff))
		_ = staff[i].Process.Kill()
		kills++
		if kills%4 == 2 {
			server.kill()
			crashes++
			eventually(t, server.start) // PostgreSQL refuses while processes of the old server end
		}
		staff[i] = hire()
		if kills == most && !long() {
			g.Faults.Clear() // one more doubt is one more pause
		}
		next = time.Now().Add(pause + time.Duration(random.Int64N(int64(pause))))
	}
	assert.GreaterOrEqual(t, kills, 2)
	assert.NotZero(t, crashes)
	t.Logf("%d workers and %d servers were killed, faults %v", kills, crashes, g.Faults.Counts())
	audit(t, o, jobs, g.Ledger.Effects(sandbox.RefundEffect, sandbox.FeedEffect))
}
