package wxsql_test

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	wxsql "github.com/wxpay-go/wxpay/contrib/sql"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/webhook"
)

func openInbox(t testing.TB, db *database) *wxsql.Inbox {
	t.Helper()
	i, err := wxsql.OpenInbox(t.Context(), db.DB, db.dialect, time.Hour)
	require.NoError(t, err)
	return i
}

const lapse = "UPDATE wxpay_notification SET lapses = 1"

func TestInbox(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db *database) {
		i := openInbox(t, db.migrated(t))
		ctx := t.Context()
		claim := func(t *testing.T, key, owner string) webhook.State {
			t.Helper()
			state, err := i.Claim(ctx, key, owner)
			require.NoError(t, err)
			return state
		}
		for name, test := range map[string]func(t *testing.T, key string){
			"claimed, done": func(t *testing.T, key string) {
				assert.Equal(t, webhook.Claimed, claim(t, key, "a"))
				assert.Equal(t, webhook.Busy, claim(t, key, "b"))
				assert.Equal(t, webhook.Busy, claim(t, key, "a"), "an owner is one attempt")
				require.NoError(t, i.Done(ctx, key, "a"))
				assert.Equal(t, webhook.Processed, claim(t, key, "b"))
			},
			"released": func(t *testing.T, key string) {
				assert.Equal(t, webhook.Claimed, claim(t, key, "a"))
				require.NoError(t, i.Release(ctx, key, "a"))
				assert.Equal(t, webhook.Claimed, claim(t, key, "b"))
			},
			"only the owner ends a claim": func(t *testing.T, key string) {
				assert.Equal(t, webhook.Claimed, claim(t, key, "a"))
				require.NoError(t, i.Done(ctx, key, "b"))
				require.NoError(t, i.Release(ctx, key, "b"))
				assert.Equal(t, webhook.Busy, claim(t, key, "b"))
			},
			"a done event is not released": func(t *testing.T, key string) {
				assert.Equal(t, webhook.Claimed, claim(t, key, "a"))
				require.NoError(t, i.Done(ctx, key, "a"))
				require.NoError(t, i.Release(ctx, key, "a"))
				assert.Equal(t, webhook.Processed, claim(t, key, "b"))
			},
			"without a claim nothing ends": func(t *testing.T, key string) {
				require.NoError(t, i.Done(ctx, key, "a"))
				require.NoError(t, i.Release(ctx, key, "a"))
				assert.Equal(t, webhook.Claimed, claim(t, key, "b"))
			},
			"a lapsed claim is taken over": func(t *testing.T, key string) {
				assert.Equal(t, webhook.Claimed, claim(t, key, "a"))
				db.must(t, lapse)
				assert.Equal(t, webhook.Claimed, claim(t, key, "b"))
				require.NoError(t, i.Done(ctx, key, "a"))
				require.NoError(t, i.Release(ctx, key, "a"))
				assert.Equal(t, webhook.Busy, claim(t, key, "c"), "the first owner has lost it")
				require.NoError(t, i.Done(ctx, key, "b"))
				assert.Equal(t, webhook.Processed, claim(t, key, "c"))
			},
			"a lapsed claim that nobody took ends": func(t *testing.T, key string) {
				assert.Equal(t, webhook.Claimed, claim(t, key, "a"))
				db.must(t, lapse)
				require.NoError(t, i.Done(ctx, key, "a"))
				assert.Equal(t, webhook.Processed, claim(t, key, "b"))
			},
			"a done event is forgotten in the end": func(t *testing.T, key string) {
				assert.Equal(t, webhook.Claimed, claim(t, key, "a"))
				require.NoError(t, i.Done(ctx, key, "a"))
				left := time.Until(time.UnixMicro(db.number(t, "SELECT lapses FROM wxpay_notification")))
				assert.Greater(t, left, 24*time.Hour+4*time.Minute, "longer than the platform delivers")
				assert.Less(t, left, 26*time.Hour)
				db.must(t, lapse)
				assert.Equal(t, webhook.Claimed, claim(t, key, "b"))
			},
			"a name of any length and content": func(t *testing.T, key string) {
				long := strings.Repeat(key+"\x00\xff", 10_000)
				assert.Equal(t, webhook.Claimed, claim(t, long, "a"))
				assert.Equal(t, webhook.Claimed, claim(t, long+"x", "a"))
				assert.Equal(t, webhook.Busy, claim(t, long, "b"))
			},
			"pruned": func(t *testing.T, key string) {
				claim(t, key+" old", "a")
				claim(t, key+" old and done", "a")
				require.NoError(t, i.Done(ctx, key+" old and done", "a"))
				db.must(t, lapse)
				claim(t, key+" done", "a")
				require.NoError(t, i.Done(ctx, key+" done", "a"))
				claim(t, key+" claimed", "a")
				n, err := i.Prune(ctx)
				require.NoError(t, err)
				assert.EqualValues(t, 2, n)
				assert.Equal(t, webhook.Processed, claim(t, key+" done", "b"))
				assert.Equal(t, webhook.Busy, claim(t, key+" claimed", "b"))
			},
		} {
			t.Run(name, func(t *testing.T) {
				db.must(t, "DELETE FROM wxpay_notification")
				test(t, name)
			})
		}
	})
}

// levels are addresses of a database under each default isolation level of its connections.
func levels(db *database) map[string]string {
	switch db.dialect {
	case wxsql.PostgreSQL:
		option := db.address + " default_transaction_isolation="
		return map[string]string{"read committed": option + "'read committed'", "repeatable read": option + "'repeatable read'",
			"serializable": option + "serializable"}
	case wxsql.MySQL:
		option := db.address + "&tx_isolation="
		return map[string]string{"read committed": option + "%27READ-COMMITTED%27", "repeatable read": option + "%27REPEATABLE-READ%27",
			"serializable": option + "%27SERIALIZABLE%27", "found rows": db.address + "&clientFoundRows=true"}
	}
	return map[string]string{"serializable": db.address} // it has no other
}

// Of many that claim at once one gets the event, a new one and a lapsed one, under each isolation
// level. At some a claim may fail; then the event comes again.
func TestClaimByOneOfMany(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db *database) {
		db.migrated(t)
		for name, address := range levels(db) {
			t.Run(name, func(t *testing.T) {
				var inboxes []*wxsql.Inbox
				for range 2 {
					inboxes = append(inboxes, openInbox(t, openDatabase(t, db.dialect, db.driver, address)))
				}
				for round := range 6 {
					key := name + strconv.Itoa(round/2)
					if round%2 == 1 {
						db.must(t, lapse)
					}
					var claimed, failed atomic.Int32
					var wait sync.WaitGroup
					for n := range 16 {
						wait.Go(func() {
							switch state, err := inboxes[n%2].Claim(context.Background(), key, strconv.Itoa(round*100+n)); {
							case err != nil:
								failed.Add(1)
							case state == webhook.Claimed:
								claimed.Add(1)
							}
						})
					}
					wait.Wait()
					assert.LessOrEqual(t, claimed.Load(), int32(1), "round %d", round)
					if name == "read committed" || db.dialect == wxsql.SQLite {
						assert.Zero(t, failed.Load())
						assert.EqualValues(t, 1, claimed.Load(), "round %d", round)
					}
				}
			})
		}
	})
}

// shop is a database with a till, and a sandbox that notifies of payments.
type shop struct {
	*database
	sandbox *sandbox.Sandbox
}

func newShop(t testing.TB, db *database) *shop {
	t.Helper()
	s, err := sandbox.New()
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	db.migrated(t)
	db.must(t, "CREATE TABLE till (balance BIGINT NOT NULL)")
	db.must(t, "INSERT INTO till VALUES (0)")
	return &shop{db, s}
}

const (
	total = 12_50 // fen
	book  = "UPDATE till SET balance = balance + 1250"
)

func (s *shop) balance(t testing.TB) int64 { return s.number(t, "SELECT balance FROM till") }

// payment returns a notification, for any number of deliveries.
func (s *shop) payment(t testing.TB) func() *http.Request {
	t.Helper()
	r, err := s.sandbox.Deliveries.Notify(webhook.TransactionSuccess, nil)
	require.NoError(t, err)
	body, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	return func() *http.Request {
		again := r.Clone(context.Background())
		again.Body = io.NopCloser(bytes.NewReader(body))
		return again
	}
}

func newHandler(env func(string) (string, bool), options ...webhook.Option) (*webhook.Handler, error) {
	client, err := wxpay.FromLookupEnv(env)
	if err != nil {
		return nil, err
	}
	id, _ := env("WXPAY_MCHID")
	key, _ := env("WXPAY_APIV3_KEY")
	return webhook.New(webhook.Merchant{ID: id, APIv3Key: key, Keys: client}, options...)
}

// event returns the event of a notification.
func (s *shop) event(t testing.TB, r *http.Request) (event *webhook.Event) {
	t.Helper()
	handler, err := newHandler(s.sandbox.LookupEnv)
	require.NoError(t, err)
	handler.On(webhook.TransactionSuccess, func(_ context.Context, e *webhook.Event) error {
		event = e
		return nil
	})
	handler.ServeHTTP(httptest.NewRecorder(), r)
	require.NotNil(t, event)
	return event
}

// budget is how long a delivery may take.
const budget = 4500 * time.Millisecond

// delivery returns a function that delivers a notification and requires a response. On a slow machine a delivery may run out of
// time, and comes again then, as it does from the platform.
func delivery(t testing.TB, handler *webhook.Handler, payment func() *http.Request) func(want int, why string) {
	return func(want int, why string) {
		t.Helper()
		for {
			w, begin := httptest.NewRecorder(), time.Now()
			handler.ServeHTTP(w, payment())
			inTime := time.Since(begin) < budget
			require.NoError(t, handler.Wait(t.Context()))
			if inTime || w.Code == want {
				require.Equal(t, want, w.Code, why)
				return
			}
		}
	}
}

// The change and the note that it is done commit together, or neither does.
func TestInboxFunc(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db *database) {
		s := newShop(t, db)
		i := openInbox(t, db)
		handler, err := newHandler(s.sandbox.LookupEnv, webhook.WithDeduper(i))
		require.NoError(t, err)
		var fails error
		runs := 0
		handler.On(webhook.TransactionSuccess, i.Func(func(ctx context.Context, tx *sql.Tx, e *webhook.Event) error {
			runs++
			if _, err := tx.ExecContext(ctx, book); err != nil {
				return err
			}
			if runs == 2 {
				panic("of the shop")
			}
			return fails
		}))
		payment := s.payment(t)
		deliver := delivery(t, handler, payment)
		fails = errors.New("of the shop")
		deliver(http.StatusInternalServerError, "it fails")
		deliver(http.StatusInternalServerError, "it panics")
		assert.Zero(t, s.balance(t), "rolled back")
		fails = nil
		deliver(http.StatusNoContent, "booked")
		deliver(http.StatusNoContent, "known")
		assert.EqualValues(t, total, s.balance(t))
		assert.Equal(t, 3, runs)
	})
}

// However many run the function at once, with claims that have lapsed or without any, the change is
// made once, at each isolation level.
func TestInboxFuncAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db *database) {
		s := newShop(t, db)
		for name, address := range levels(db) {
			t.Run(name, func(t *testing.T) {
				db.must(t, "UPDATE till SET balance = 0")
				db.must(t, "DELETE FROM wxpay_notification") // all are of one order
				e := s.event(t, s.payment(t)())
				i := openInbox(t, openDatabase(t, db.dialect, db.driver, address))
				fn := i.Func(func(ctx context.Context, tx *sql.Tx, _ *webhook.Event) error {
					_, err := tx.ExecContext(ctx, book)
					return err
				})
				var wait sync.WaitGroup
				for range 12 {
					wait.Go(func() { assert.NoError(t, fn(context.Background(), e)) })
				}
				wait.Wait()
				assert.EqualValues(t, total, s.balance(t))
			})
		}
	})
}

// While the database is away the handler responds 503, and nothing is lost.
func TestInboxWithoutDatabase(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db *database) {
		s := newShop(t, db)
		own := db.again(t)
		i := openInbox(t, own)
		handler, err := newHandler(s.sandbox.LookupEnv, webhook.WithDeduper(i))
		require.NoError(t, err)
		handler.On(webhook.TransactionSuccess, func(context.Context, *webhook.Event) error {
			t.Error("the function has run")
			return nil
		})
		require.NoError(t, own.Close())
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, s.payment(t)())
		assert.Equal(t, http.StatusServiceUnavailable, w.Code)
		_, err = i.Claim(t.Context(), "key", "a")
		for _, err := range []error{err, i.Done(t.Context(), "key", "a"), i.Release(t.Context(), "key", "a")} {
			require.ErrorContains(t, err, "wxsql: sql: database is closed")
		}
		_, err = i.Prune(t.Context())
		require.Error(t, err)
	})
}

// instanceConfig is what an instance of the shop is started with. Dies is where it is killed, by itself so that no delivery runs out
// of time before: "inside" the transaction of its function, or before the "note" that it is done.
type instanceConfig struct {
	Env             []string
	Driver, Address string
	Dialect         wxsql.Dialect
	Dies            string
}

func init() { roles["instance"] = runInstance }

// runInstance is a process of the shop. It prints its address, and where it is killed.
func runInstance(text string) error {
	var c instanceConfig
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		return err
	}
	db, err := sql.Open(c.Driver, c.Address)
	if err != nil {
		return err
	}
	i, err := wxsql.OpenInbox(context.Background(), db, c.Dialect, time.Hour)
	if err != nil {
		return err
	}
	die := func(where string) {
		if c.Dies == where {
			fmt.Println(where)
			self, err := os.FindProcess(os.Getpid())
			if err == nil {
				err = self.Kill()
			}
			fmt.Fprintln(os.Stderr, err)
			select {}
		}
	}
	handler, err := newHandler(lookup(c.Env), webhook.WithDeduper(notedLater{i, die}), webhook.WithLogger(slog.New(slog.NewTextHandler(os.Stderr, nil))))
	if err != nil {
		return err
	}
	handler.On(webhook.TransactionSuccess, i.Func(func(ctx context.Context, tx *sql.Tx, _ *webhook.Event) error {
		_, err := tx.ExecContext(ctx, book)
		die("inside")
		return err
	}))
	server := httptest.NewServer(handler)
	fmt.Println(server.URL)
	_, _ = io.Copy(io.Discard, os.Stdin) // ends with the tests
	return nil
}

func lookup(env []string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for _, v := range env {
			if value, ok := strings.CutPrefix(v, name+"="); ok {
				return value, true
			}
		}
		return "", false
	}
}

// notedLater dies before the note that an event is done.
type notedLater struct {
	webhook.Deduper
	die func(string)
}

func (n notedLater) Done(ctx context.Context, key, owner string) error {
	n.die("note")
	return n.Deduper.Done(ctx, key, owner)
}

type instance struct {
	*exec.Cmd
	out *bufio.Reader
	url string
}

func (s *shop) start(t testing.TB, dies string) *instance {
	t.Helper()
	i := &instance{Cmd: reexec(t, "instance", instanceConfig{s.sandbox.Env(), s.driver, s.address, s.dialect, dies})}
	stdin, err := i.StdinPipe()
	require.NoError(t, err)
	stdout, err := i.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, i.Start())
	t.Cleanup(func() {
		_ = stdin.Close()
		_ = i.Process.Kill()
		_ = i.Wait()
	})
	i.out = bufio.NewReader(stdout)
	i.url = i.line(t)
	return i
}

func (i *instance) line(t testing.TB) string {
	t.Helper()
	line, err := i.out.ReadString('\n')
	require.NoError(t, err, "it has printed nothing")
	return strings.TrimSpace(line)
}

func (i *instance) deliver(r *http.Request) int {
	again, err := http.NewRequest(http.MethodPost, i.url, r.Body)
	if err != nil {
		return -1
	}
	again.Header = r.Header
	response, err := http.DefaultClient.Do(again)
	if err != nil {
		return 0
	}
	_ = response.Body.Close()
	return response.StatusCode
}

// An instance is killed within its transaction, of which nothing stays; another one is killed after
// its commit, and nothing is done again.
func TestInboxInstanceKilled(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db *database) {
		s := newShop(t, db)
		well := s.start(t, "")
		for place, kept := range map[string]int64{"inside": 0, "note": total} {
			t.Run(place, func(t *testing.T) {
				db.must(t, "UPDATE till SET balance = 0")
				db.must(t, "DELETE FROM wxpay_notification") // all are of one order
				payment := s.payment(t)
				dying := s.start(t, place)
				status := make(chan int, 1)
				go func() {
					status <- dying.deliver(payment())
					_ = dying.Process.Kill() // if it has responded, it will print nothing more
				}()
				require.Equal(t, place, dying.line(t))
				assert.Zero(t, <-status, "nobody has responded")
				eventually(t, func() error { // the server notices, and rolls back
					_, err := db.Exec("UPDATE till SET balance = balance")
					return err
				})
				assert.Equal(t, kept, s.balance(t))
				db.must(t, "UPDATE wxpay_notification SET lapses = 1 WHERE NOT done")
				acknowledged := func() int {
					for {
						begin := time.Now()
						if status := well.deliver(payment()); status == http.StatusNoContent || time.Since(begin) < budget {
							return status
						}
					}
				}
				assert.Equal(t, http.StatusNoContent, acknowledged())
				assert.Equal(t, http.StatusNoContent, acknowledged())
				assert.EqualValues(t, total, s.balance(t), "booked once")
			})
		}
	})
}

func TestKeyStore(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db *database) {
		store, err := wxsql.OpenKeyStore(t.Context(), db.migrated(t).DB, db.dialect)
		require.NoError(t, err)
		ctx := t.Context()
		content, err := store.Load(ctx, "1900000109")
		require.NoError(t, err)
		assert.Nil(t, content)
		large := bytes.Repeat([]byte{0, 0xff}, 100_000)
		require.NoError(t, store.Save(ctx, "1900000109", []byte("one")))
		require.NoError(t, store.Save(ctx, "1900000110", large))
		require.NoError(t, store.Save(ctx, "1900000109", []byte("two")))
		for name, want := range map[string][]byte{"1900000109": []byte("two"), "1900000110": large} {
			content, err = store.Load(ctx, name)
			require.NoError(t, err)
			assert.Equal(t, want, content)
		}
		require.ErrorContains(t, store.Save(ctx, strings.Repeat("x", 256), nil), "256 bytes")

		// A reader sees one copy or another, whole.
		var wait sync.WaitGroup
		for n := range 4 {
			wait.Go(func() {
				whole := bytes.Repeat([]byte{byte('a' + n)}, 64<<10)
				for range 5 {
					assert.NoError(t, store.Save(ctx, "many", whole))
					read, err := store.Load(ctx, "many")
					assert.NoError(t, err)
					assert.Len(t, read, len(whole))
					assert.Equal(t, len(read), bytes.Count(read, read[:1]))
				}
			})
		}
		wait.Wait()
	})
}

// A client that starts while the database has the list asks the platform for nothing, and without
// the database it reads the list from the platform.
func TestKeyStoreOfClient(t *testing.T) {
	t.Parallel()
	db := newDatabase(t, "sqlite").migrated(t)
	store, err := wxsql.OpenKeyStore(t.Context(), db.DB, db.dialect)
	require.NoError(t, err)
	s, err := sandbox.New(sandbox.WithKeyMode(sandbox.CertificatesOnly))
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	m := s.Merchant()
	reads := func() (n int) {
		for _, e := range s.Journal.All() {
			if strings.HasPrefix(e.Target, "/v3/certificates") {
				n++
			}
		}
		return n
	}
	start := func() {
		client, err := wxpay.New(wxpay.Merchant{ID: m.ID, Serial: m.Serial, PrivateKey: m.PrivateKey, APIv3Key: m.APIv3Key},
			wxpay.WithCertificates(wxpay.StoreIn(store)), wxpay.WithTransport(s.Transport()))
		require.NoError(t, err)
		_, err = client.Chain("v3/pay/transactions/out-trade-no/{out_trade_no}", "NONE").Query("mchid", m.ID).Get(t.Context())
		assert.Equal(t, wxpay.Rejected, wxpay.OutcomeOf(err), "%v", err)
		_ = client.Close()
	}
	start()
	assert.Equal(t, 1, reads())
	start()
	assert.Equal(t, 1, reads(), "the copy was used")
	require.NoError(t, db.Close())
	start()
	assert.Equal(t, 2, reads())
}
