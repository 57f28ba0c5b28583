//go:build unix

package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/webhook"
)

// server is the PostgreSQL server of all tests.
var server *postgres

// TestMain starts the server; without one the tests fail, for they would show nothing. With INSTANCE set the process is not
// the tests but one instance of the shop.
func TestMain(m *testing.M) {
	if kind, ok := os.LookupEnv("INSTANCE"); ok {
		os.Exit(instanceMain(kind))
	}
	var err error
	if server, err = startPostgres(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	server.stop()
	os.Exit(code)
}

// instanceMain runs an instance, as main does, until it is killed or the tests have ended.
func instanceMain(kind string) int {
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // ends with the tests
		cancel()
	}()
	options := []webhook.Option{webhook.WithLogger(slog.New(slog.NewTextHandler(os.Stderr, nil)))}
	switch kind {
	case "memory":
		options = append(options, webhook.WithDeduper(webhook.NewMemory(0, 0)))
	case "hasty":
		options = append(options, webhook.WithBudget(500*time.Millisecond))
	}
	if err := run(ctx, os.LookupEnv, os.Stdout, options...); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// instance is a process of the shop.
type instance struct {
	url string
	cmd *exec.Cmd
	log *bytes.Buffer
	end func() // stops it in order
}

// start starts an instance. Its kind is "" for one as it is, memory for one with a Deduper of its own, hasty for one that
// answers within half a second.
func start(t *testing.T, s *sandbox.Sandbox, database, kind string) *instance {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(self)
	cmd.Env = append(s.Env(), "INSTANCE="+kind, "DATABASE_URL="+database, "LISTEN=127.0.0.1:0")
	i := &instance{cmd: cmd, log: new(bytes.Buffer)}
	cmd.Stderr = i.log
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	i.end = sync.OnceFunc(func() {
		stdin.Close()
		_ = cmd.Wait() // some are killed
	})
	t.Cleanup(func() {
		i.end()
		if t.Failed() {
			t.Logf("instance %d (%s) said:\n%s", cmd.Process.Pid, kind, i.log)
		}
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err, "the instance has not started")
	i.url = strings.TrimSpace(line)
	return i
}

// crash ends the instance as a power failure would.
func (i *instance) crash(t *testing.T) {
	t.Helper()
	require.NoError(t, i.cmd.Process.Kill())
	i.end()
}

// payment is a notification, which can be delivered any number of times.
type payment struct {
	header http.Header
	body   []byte
}

const (
	orderNumber = "SHOP-0001"
	total       = 12_50 // fen
)

func newPayment(t *testing.T, s *sandbox.Sandbox) payment {
	t.Helper()
	resource, err := s.Deliveries.Sample("TRANSACTION.SUCCESS")
	require.NoError(t, err)
	resource["out_trade_no"] = orderNumber
	resource["amount"] = map[string]any{"total": total, "payer_total": total, "currency": "CNY", "payer_currency": "CNY"}
	request, err := s.Deliveries.Notify("TRANSACTION.SUCCESS", resource)
	require.NoError(t, err)
	body, err := io.ReadAll(request.Body)
	require.NoError(t, err)
	return payment{request.Header, body}
}

// deliver delivers the notification, and returns the status of the answer; 0 if there was none.
func (p payment) deliver(i *instance) int {
	request, err := http.NewRequest(http.MethodPost, i.url, bytes.NewReader(p.body))
	if err != nil {
		panic(err) // the address was printed by the instance
	}
	request.Header = p.header.Clone()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}
	response, err := client.Do(request)
	if err != nil {
		return 0
	}
	defer response.Body.Close()
	return response.StatusCode
}

// ledger is what the shop has done.
type ledger struct {
	Runs    int   // of the function
	Paid    int   // orders
	Balance int64 // of the till
}

func look(t *testing.T, db *pgxpool.Pool) (l ledger) {
	t.Helper()
	require.NoError(t, db.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM diary),
		(SELECT count(*) FROM shop_order WHERE transaction_id IS NOT NULL), (SELECT balance FROM till)`).Scan(&l.Runs, &l.Paid, &l.Balance))
	return l
}

// newShop returns a sandbox, and a database with one order that waits to be paid.
func newShop(t *testing.T) (s *sandbox.Sandbox, url string, db *pgxpool.Pool) {
	t.Helper()
	s, err := sandbox.New()
	require.NoError(t, err)
	url = database(t)
	db = connect(t, url)
	_, err = db.Exec(t.Context(), `INSERT INTO shop_order (out_trade_no, total) VALUES ($1, $2)`, orderNumber, total)
	require.NoError(t, err)
	return s, url, db
}

// hold keeps a table or a row from everybody else until release is called.
func hold(t *testing.T, db *pgxpool.Pool, sql string, args ...any) (release func()) {
	t.Helper()
	tx, err := db.Begin(t.Context())
	require.NoError(t, err)
	release = sync.OnceFunc(func() { _ = tx.Rollback(context.Background()) })
	t.Cleanup(release)
	_, err = tx.Exec(t.Context(), sql, args...)
	require.NoError(t, err)
	return release
}

// waiting waits until so many connections of instances wait for a lock, with a statement that begins so, and returns
// their process ids at the database.
func waiting(t *testing.T, db *pgxpool.Pool, statement string, count int) (pids []int32) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		rows, err := db.Query(context.Background(), `SELECT pid FROM pg_stat_activity
			WHERE datname = current_database() AND wait_event_type = 'Lock' AND ltrim(query, E' \t\n') LIKE $1 || '%'`, statement)
		require.NoError(c, err)
		pids, err = pgx.CollectRows(rows, pgx.RowTo[int32])
		require.NoError(c, err)
		assert.Len(c, pids, count)
	}, time.Minute, 20*time.Millisecond)
	return pids
}

// leaseEnds lets the time pass after which a claim lapses.
func leaseEnds(t *testing.T, db *pgxpool.Pool) {
	t.Helper()
	tag, err := db.Exec(t.Context(), `UPDATE notification SET lapses = lapses - $1::interval WHERE NOT done`, lease)
	require.NoError(t, err)
	require.EqualValues(t, 1, tag.RowsAffected(), "there is no claim")
}

// deliverAll delivers the notification to each instance, several times at once, and returns a function that waits for the
// answers and counts them by status.
func deliverAll(p payment, copies int, instances ...*instance) (answers func() map[int]int) {
	statuses := make(chan int, copies*len(instances))
	for range copies {
		for _, i := range instances {
			go func() { statuses <- p.deliver(i) }()
		}
	}
	return func() map[int]int {
		counts := make(map[int]int)
		for range cap(statuses) {
			counts[<-statuses]++
		}
		return counts
	}
}

// stall delivers the notification to an instance, whose function stands still in its transaction until release is called.
func stall(t *testing.T, db *pgxpool.Pool, p payment, i *instance) (answers func() map[int]int, release func()) {
	t.Helper()
	release = hold(t, db, `LOCK TABLE shop_order IN ACCESS EXCLUSIVE MODE`)
	answers = deliverAll(p, 1, i)
	waiting(t, db, "SELECT total", 1)
	return answers, release
}

func TestTwoInstancesRunItOnce(t *testing.T) {
	s, url, db := newShop(t)
	a, b := start(t, s, url, ""), start(t, s, url, "")
	p := newPayment(t, s)

	// Every delivery of the first wave stands before its claim when the table is let go.
	const copies = 8
	release := hold(t, db, `LOCK TABLE notification IN ACCESS EXCLUSIVE MODE`)
	answers := deliverAll(p, copies, a, b)
	waiting(t, db, "INSERT INTO notification", 2*copies)
	release()
	counts := answers()
	assert.Equal(t, 2*copies, counts[http.StatusNoContent]+counts[http.StatusServiceUnavailable], "%v", counts)
	assert.Equal(t, ledger{Runs: 1, Paid: 1, Balance: total}, look(t, db))

	// What comes later finds it done, on either instance.
	assert.Equal(t, map[int]int{http.StatusNoContent: 2 * copies}, deliverAll(p, copies, a, b)())
	assert.Equal(t, ledger{Runs: 1, Paid: 1, Balance: total}, look(t, db))

	// And so does a third instance, which was not there.
	assert.Equal(t, http.StatusNoContent, p.deliver(start(t, s, url, "")))
	assert.Equal(t, 1, look(t, db).Runs)
}

// Without a store that they share, each instance runs the function: it is the Store that prevents that.
func TestInstancesThatShareNothingRunItTwice(t *testing.T) {
	s, url, db := newShop(t)
	a, b := start(t, s, url, "memory"), start(t, s, url, "memory")
	p := newPayment(t, s)
	assert.Equal(t, map[int]int{http.StatusNoContent: 4}, deliverAll(p, 2, a, b)())
	assert.Equal(t, ledger{Runs: 2, Paid: 1, Balance: total}, look(t, db), "the transaction keeps the harm away")
}

// While one instance works, the other one does not, and says so.
func TestBusy(t *testing.T) {
	s, url, db := newShop(t)
	a, b := start(t, s, url, ""), start(t, s, url, "hasty")
	p := newPayment(t, s)
	answers, release := stall(t, db, p, a)
	assert.Equal(t, http.StatusServiceUnavailable, p.deliver(b), "not 204: the first may fail yet")
	release()
	answers()
	require.EventuallyWithT(t, func(c *assert.CollectT) { // a is late if the machine is slow, and works on
		assert.Equal(c, http.StatusNoContent, p.deliver(b))
	}, time.Minute, 20*time.Millisecond)
	assert.Equal(t, ledger{Runs: 1, Paid: 1, Balance: total}, look(t, db))
}

// An instance dies within its transaction, of which nothing stays. The next delivery after the lease does the work.
func TestCrashWithinTheFunction(t *testing.T) {
	s, url, db := newShop(t)
	a, b, patient := start(t, s, url, ""), start(t, s, url, "hasty"), start(t, s, url, "")
	p := newPayment(t, s)
	answers, release := stall(t, db, p, a)
	a.crash(t)
	assert.Equal(t, map[int]int{0: 1}, answers(), "nobody has answered")
	release()

	assert.Equal(t, http.StatusServiceUnavailable, p.deliver(b), "the claim of the dead is good until its lease ends")
	assert.Equal(t, ledger{Runs: 1}, look(t, db))
	leaseEnds(t, db)
	assert.Equal(t, http.StatusNoContent, p.deliver(patient))
	assert.Equal(t, ledger{Runs: 2, Paid: 1, Balance: total}, look(t, db))
	assert.Equal(t, http.StatusNoContent, p.deliver(patient))
	assert.Equal(t, ledger{Runs: 2, Paid: 1, Balance: total}, look(t, db))
}

// An instance dies between its commit and the note that it is done. The function runs again and finds its work done: no
// store can spare it that.
func TestCrashBeforeTheNote(t *testing.T) {
	s, url, db := newShop(t)
	a, b := start(t, s, url, ""), start(t, s, url, "")
	p := newPayment(t, s)
	answers, releaseOrders := stall(t, db, p, a)
	releaseClaim := hold(t, db, `SELECT FROM notification FOR UPDATE`)
	releaseOrders()
	note := waiting(t, db, "UPDATE notification", 1)
	assert.Equal(t, ledger{Runs: 1, Paid: 1, Balance: total}, look(t, db), "committed")
	a.crash(t)
	assert.Equal(t, map[int]int{0: 1}, answers())
	// Its statement dies as well, as it would with the network.
	_, err := db.Exec(t.Context(), `SELECT pg_terminate_backend($1)`, note[0])
	require.NoError(t, err)
	waiting(t, db, "UPDATE notification", 0)
	releaseClaim()

	leaseEnds(t, db)
	assert.Equal(t, http.StatusNoContent, p.deliver(b))
	assert.Equal(t, ledger{Runs: 2, Paid: 1, Balance: total}, look(t, db), "run again, and booked once")
	assert.Equal(t, http.StatusNoContent, p.deliver(b))
	assert.Equal(t, ledger{Runs: 2, Paid: 1, Balance: total}, look(t, db))
}

// A function that fails gives the event back at once, to either instance.
func TestFailureGivesTheEventBack(t *testing.T) {
	s, url, db := newShop(t)
	a, b := start(t, s, url, ""), start(t, s, url, "")
	p := newPayment(t, s)
	_, err := db.Exec(t.Context(), `UPDATE shop_order SET total = total + 1`)
	require.NoError(t, err)
	assert.Equal(t, http.StatusInternalServerError, p.deliver(a), "the amount is not the order's")
	assert.Equal(t, ledger{Runs: 1}, look(t, db))
	_, err = db.Exec(t.Context(), `UPDATE shop_order SET total = total - 1`)
	require.NoError(t, err)
	assert.Equal(t, http.StatusNoContent, p.deliver(b))
	assert.Equal(t, ledger{Runs: 2, Paid: 1, Balance: total}, look(t, db))
}

// An instance that is told to end answers what it has begun.
func TestShutdownInOrder(t *testing.T) {
	s, url, db := newShop(t)
	a := start(t, s, url, "")
	p := newPayment(t, s)
	answers, release := stall(t, db, p, a)
	ended := make(chan struct{})
	go func() { a.end(); close(ended) }()
	release()
	<-ended
	answers()
	assert.True(t, a.cmd.ProcessState.Success())
	assert.Equal(t, ledger{Runs: 1, Paid: 1, Balance: total}, look(t, db))
	var done bool
	require.NoError(t, db.QueryRow(t.Context(), `SELECT done FROM notification`).Scan(&done))
	assert.True(t, done)
}
