package main

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/redis/go-redis/v9"
	_ "modernc.org/sqlite"

	wxredis "github.com/wxpay-go/wxpay/contrib/redis"
	wxsql "github.com/wxpay-go/wxpay/contrib/sql"
	"github.com/wxpay-go/wxpay/webhook"
)

const (
	notificationCount = 1500 // at most
	enough            = 4 * time.Second
)

// notifications measures whole deliveries: verified, decrypted, claimed, given to a function that
// does nothing, and noted as done.
func notifications(ctx context.Context, dir string, write func(measurement)) {
	for _, d := range []struct {
		name string
		open func(ctx context.Context, dir string) (webhook.Deduper, func(), error)
	}{
		{"memory", func(context.Context, string) (webhook.Deduper, func(), error) {
			return webhook.NewMemory(0, 0), func() {}, nil
		}},
		{"Redis", redisDeduper},
		{"PostgreSQL", inbox(postgreSQL)},
		{"SQLite", inbox(sqlite)},
	} {
		for _, callers := range []int{1, 64} {
			m := measurement{Kind: "notifications", Name: d.name, Callers: callers}
			values, err := deliver(ctx, dir, callers, d.open)
			if m.Values = values; err != nil {
				m.Failed = err.Error()
			}
			write(m)
		}
	}
}

func deliver(
	ctx context.Context, dir string, callers int, open func(ctx context.Context, dir string) (webhook.Deduper, func(), error),
) (map[string]float64, error) {
	p, err := newPlatform()
	if err != nil {
		return nil, err
	}
	d, end, err := open(ctx, dir)
	if err != nil {
		return nil, err
	}
	defer end()
	handler, err := p.handler(d)
	if err != nil {
		return nil, err
	}
	var processed atomic.Int64
	handler.On(webhook.TransactionSuccess, func(context.Context, *webhook.Event) error { processed.Add(1); return nil })
	received, err := p.notifications(notificationCount, fmt.Sprint("N", callers, "-"))
	if err != nil {
		return nil, err
	}
	var rejected atomic.Int64
	n, took, cpu := spread(callers, notificationCount, func(i int) {
		req := httptest.NewRequestWithContext(ctx, http.MethodPost, "/wxpay/notify", bytes.NewReader(received[i].body))
		req.Header = received[i].header
		res := httptest.NewRecorder()
		if handler.ServeHTTP(res, req); res.Code != http.StatusNoContent {
			rejected.Add(1)
		}
	})
	if rejected.Load() > 0 {
		return nil, fmt.Errorf("%d of %d got no 204 within the time of a delivery", rejected.Load(), n)
	}
	if processed.Load() != int64(n) {
		return nil, fmt.Errorf("%d of %d were processed", processed.Load(), n)
	}
	values := map[string]float64{}
	each(values, "", n, took, cpu)
	return values, nil
}

// spread does pieces of work with some callers at once: most of them, or as many as are begun in
// the time that is enough.
func spread(callers, most int, do func(i int)) (n int, took, cpu time.Duration) {
	var next, done atomic.Int64
	var all sync.WaitGroup
	began, before := time.Now(), used()
	for range callers {
		all.Go(func() {
			for time.Since(began) < enough {
				i := int(next.Add(1)) - 1
				if i >= most {
					return
				}
				do(i)
				done.Add(1)
			}
		})
	}
	all.Wait()
	return int(done.Load()), time.Since(began), used() - before
}

func redisDeduper(ctx context.Context, dir string) (webhook.Deduper, func(), error) {
	socket, stop, err := startRedis(ctx, dir)
	if err != nil {
		return nil, nil, err
	}
	client := redis.NewClient(&redis.Options{Network: "unix", Addr: socket, PoolSize: 64})
	store, err := wxredis.New(client)
	if err != nil {
		stop()
		return nil, nil, err
	}
	return store, func() { _ = client.Close(); stop() }, nil
}

// database is one that has the tables of the module.
type database func(ctx context.Context, dir string) (*sql.DB, wxsql.Dialect, func(), error)

func inbox(open database) func(ctx context.Context, dir string) (webhook.Deduper, func(), error) {
	return func(ctx context.Context, dir string) (webhook.Deduper, func(), error) {
		db, dialect, end, err := open(ctx, dir)
		if err != nil {
			return nil, nil, err
		}
		i, err := wxsql.OpenInbox(ctx, db, dialect, 0)
		if err != nil {
			end()
			return nil, nil, err
		}
		return i, end, nil
	}
}
