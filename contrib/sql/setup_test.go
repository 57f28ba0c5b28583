package wxsql_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"github.com/wxpay-go/wxpay"
	wxsql "github.com/wxpay-go/wxpay/contrib/sql"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/middleware"
	"github.com/wxpay-go/wxpay/sandbox"
)

// started is a server, or why there is none.
type started struct {
	*server
	err error
}

// servers has the servers that all tests share, by kind.
var servers = sync.OnceValue(func() map[string]*started {
	list := map[string]*started{"postgresql": {}, "mysql": {}}
	var starting sync.WaitGroup
	for kind, s := range list {
		starting.Go(func() { s.server, s.err = newServers[kind]() })
	}
	starting.Wait()
	return list
})

var roles = map[string]func(config string) error{}

func TestMain(m *testing.M) {
	if name := os.Getenv("SQL_TEST_ROLE"); name != "" {
		if err := roles[name](os.Getenv("SQL_TEST_CONFIG")); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
			os.Exit(1)
		}
		return
	}
	flag.Parse()
	// Many of these tests wait, for leases and servers. -parallel sets another number.
	if parallel := flag.Lookup("test.parallel"); parallel.Value.String() == parallel.DefValue {
		if err := parallel.Value.Set("8"); err != nil {
			panic(err)
		}
	}
	code := m.Run()
	for _, s := range servers() {
		if s.server != nil && s.err == nil {
			s.stop()
		}
	}
	os.Exit(code)
}

// reexec is this test program again, in a role.
func reexec(t testing.TB, role string, config any) *exec.Cmd {
	t.Helper()
	text, err := json.Marshal(config)
	require.NoError(t, err)
	self, err := os.Executable()
	require.NoError(t, err)
	c := exec.Command(self, "-test.run=^$")
	c.Env = append(os.Environ(), "SQL_TEST_ROLE="+role, "SQL_TEST_CONFIG="+string(text))
	c.Stderr = os.Stderr
	return c
}

// database is an empty database of one test.
type database struct {
	*sql.DB
	dialect wxsql.Dialect
	driver  string
	address string
}

// serverOf returns a server that runs. Without one the test is skipped, or fails where servers are
// promised.
func serverOf(t testing.TB, kind string) *server {
	t.Helper()
	s := servers()[kind]
	if s.err == nil {
		return s.server
	}
	text := fmt.Sprintf("no %s: %v (apt-get install -y postgresql mariadb-server)", kind, s.err)
	if os.Getenv("WXPAY_TEST_SERVERS") == "1" {
		t.Fatal(text)
	}
	t.Skip(text)
	return nil
}

// newDatabase makes a database of a kind: postgresql, mysql or sqlite.
func newDatabase(t testing.TB, kind string) *database {
	t.Helper()
	if kind == "sqlite" {
		return openDatabase(t, wxsql.SQLite, "sqlite", "file:"+filepath.ToSlash(filepath.Join(t.TempDir(), "shop.db"))+
			"?_pragma=busy_timeout(60000)&_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)")
	}
	return serverOf(t, kind).newDatabase(t)
}

func (s *server) newDatabase(t testing.TB) *database {
	t.Helper()
	system, err := sql.Open(s.driver, s.address(s, s.system()))
	require.NoError(t, err)
	defer system.Close()
	name := "shop_" + strings.ToLower(rand.Text())
	_, err = system.Exec("CREATE DATABASE " + name)
	require.NoError(t, err)
	return openDatabase(t, s.dialect, s.driver, s.address(s, name))
}

func openDatabase(t testing.TB, dialect wxsql.Dialect, driver, address string) *database {
	t.Helper()
	db, err := sql.Open(driver, address)
	require.NoError(t, err)
	db.SetMaxOpenConns(16)
	t.Cleanup(func() { _ = db.Close() })
	return &database{db, dialect, driver, address}
}

// again opens the same database a second time, as another process would.
func (db *database) again(t testing.TB) *database {
	return openDatabase(t, db.dialect, db.driver, db.address)
}

// migrated makes the tables.
func (db *database) migrated(t testing.TB) *database {
	t.Helper()
	require.NoError(t, wxsql.Migrate(t.Context(), db.DB, db.dialect))
	return db
}

// must executes a statement of the test's own.
func (db *database) must(t testing.TB, statement string, args ...any) {
	t.Helper()
	_, err := db.ExecContext(context.WithoutCancel(t.Context()), statement, args...)
	require.NoError(t, err)
}

// number reads a number.
func (db *database) number(t testing.TB, query string, args ...any) (n int64) {
	t.Helper()
	require.NoError(t, db.QueryRowContext(context.WithoutCancel(t.Context()), query, args...).Scan(&n))
	return n
}

// each runs a test with an empty database of each kind.
func each(t *testing.T, fn func(t *testing.T, db *database)) {
	for _, kind := range []string{"sqlite", "postgresql", "mysql"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			fn(t, newDatabase(t, kind))
		})
	}
}

// eventually waits until do succeeds.
func eventually(t testing.TB, do func() error) {
	t.Helper()
	var err error
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if err = do(); err == nil {
			return
		}
	}
	require.NoError(t, err)
}

var keys = [][]byte{[]byte("0123456789abcdef0123456789abcdef")}

// gateway is a sandbox, with a client for it.
type gateway struct {
	*sandbox.Sandbox
	client *wxpay.Client
}

func newGateway(t testing.TB, options ...wxpay.Option) *gateway {
	t.Helper()
	s, err := sandbox.New(sandbox.WithLenientCards(), sandbox.WithSeed(1))
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	require.NoError(t, s.Rules.Relax(sandbox.Rates))
	client, err := wxpay.FromLookupEnv(s.LookupEnv, append([]wxpay.Option{wxpay.WithTransport(s.Transport())}, options...)...)
	require.NoError(t, err)
	return &gateway{s, client}
}

func (g *gateway) outbox(t testing.TB, db *database) *wxsql.Outbox {
	t.Helper()
	o, err := wxsql.OpenOutbox(t.Context(), wxsql.OutboxConfig{DB: db.DB, Dialect: db.dialect, Client: g.client, Keys: keys})
	require.NoError(t, err)
	return o
}

const (
	refundsPath = "v3/refund/domestic/refunds"
	feedsPath   = "v3/brand/partner/card-member/user-feeds"
)

// refund is a job that refunds a paid order.
func (g *gateway) refund(t testing.TB, number string, amount int) wxsql.Job {
	t.Helper()
	_, err := g.Users.AddPaidOrder("order-"+number, 5000)
	require.NoError(t, err)
	return refundJob(number, amount)
}

func refundJob(number string, amount int) wxsql.Job {
	return wxsql.Job{Path: refundsPath, Body: wxpay.JSON{
		"out_trade_no": "order-" + number, "out_refund_no": number, "amount": wxpay.JSON{"refund": amount, "total": 5000, "currency": "CNY"},
	}}
}

// add adds jobs in one transaction.
func add(t testing.TB, db *database, o *wxsql.Outbox, jobs ...wxsql.Job) {
	t.Helper()
	tx, err := db.Begin()
	require.NoError(t, err)
	defer func() { _ = tx.Rollback() }()
	for _, job := range jobs {
		require.NoError(t, o.Add(t.Context(), tx, job))
	}
	require.NoError(t, tx.Commit())
}

// stalled is a limiter that lets nothing through. It closes the channel at its first request.
type stalled chan struct{}

func (s stalled) Acquire(ctx context.Context, _ middleware.LimitKey, _ fact.Rate) (func(), error) {
	close(s)
	<-ctx.Done()
	return nil, ctx.Err()
}

// counting counts what a limiter lets through.
type counting struct {
	middleware.Limiter
	n *atomic.Int64
}

func (c counting) Acquire(ctx context.Context, key middleware.LimitKey, documented fact.Rate) (func(), error) {
	c.n.Add(1)
	return c.Limiter.Acquire(ctx, key, documented)
}
