package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/contrib/fleet"
	wxsql "github.com/wxpay-go/wxpay/contrib/sql"
)

const (
	jobCount = 1000
	jobCalls = 16 // at once
)

// jobs measures member feeds: called directly, through the outbox in a database, and through the
// fleet.
func jobs(ctx context.Context, dir string, write func(measurement)) {
	for _, way := range []struct {
		name string
		do   func(ctx context.Context, dir string, client *wxpay.Client) (map[string]float64, error)
	}{
		{"no queue: `Ensure` alone", direct},
		{"outbox, SQLite", outbox(sqlite)},
		{"outbox, PostgreSQL", outbox(postgreSQL)},
		{"fleet, embedded", queued},
	} {
		m := measurement{Kind: "jobs", Name: way.name, Callers: jobCalls}
		p, err := newPlatform()
		var client *wxpay.Client
		if err == nil {
			client, err = p.client()
		}
		if err == nil {
			m.Values, err = way.do(ctx, dir, client)
		}
		if err != nil {
			m.Failed = err.Error()
		}
		write(m)
	}
}

// each are the figures of one of n pieces.
func each(values map[string]float64, what string, n int, took, cpu time.Duration) {
	values[what+" pieces"] = float64(n)
	values[what+" a second"] = float64(n) / took.Seconds()
	values[what+" microseconds"] = float64(cpu.Nanoseconds()) / 1e3 / float64(n)
}

func direct(ctx context.Context, _ string, client *wxpay.Client) (map[string]float64, error) {
	var failed atomic.Pointer[error]
	n, took, cpu := spread(jobCalls, jobCount, func(i int) {
		if _, err := client.Chain(feedsPath).Ensure(ctx, feed(fmt.Sprintf("F%07d", i))); err != nil {
			failed.Store(&err)
		}
	})
	if err := failed.Load(); err != nil {
		return nil, *err
	}
	values := map[string]float64{}
	each(values, "carry", n, took, cpu)
	return values, nil
}

func outbox(open database) func(ctx context.Context, dir string, client *wxpay.Client) (map[string]float64, error) {
	return func(ctx context.Context, dir string, client *wxpay.Client) (map[string]float64, error) {
		db, dialect, end, err := open(ctx, dir)
		if err != nil {
			return nil, err
		}
		defer end()
		box, err := wxsql.OpenOutbox(ctx, wxsql.OutboxConfig{DB: db, Dialect: dialect, Client: client, Keys: [][]byte{make([]byte, 32)}})
		if err != nil {
			return nil, err
		}
		var failed error
		values := map[string]float64{}
		n, took, cpu := spread(1, jobCount, func(i int) { // a transaction for each, as a shop's own changes come
			failed = errors.Join(failed, addOne(ctx, db, box, fmt.Sprintf("F%07d", i)))
		})
		if failed != nil {
			return nil, failed
		}
		each(values, "add", n, took, cpu)
		return values, carriedOut(ctx, n, values, func(ctx context.Context, ended func(good bool)) error {
			return (&wxsql.Worker{Outbox: box, Calls: jobCalls, OnResult: func(_ context.Context, _ *sql.Tx, result wxsql.Result) error {
				ended(result.State == wxsql.Succeeded)
				return nil
			}}).Run(ctx)
		})
	}
}

func addOne(ctx context.Context, db *sql.DB, box *wxsql.Outbox, number string) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := box.Add(ctx, tx, wxsql.Job{Path: feedsPath, Body: feed(number)}); err != nil {
		return err
	}
	return tx.Commit()
}

func queued(ctx context.Context, dir string, client *wxpay.Client) (map[string]float64, error) {
	own, err := os.MkdirTemp(dir, "fleet")
	if err != nil {
		return nil, err
	}
	engine, err := fleet.Embedded(own)
	if err != nil {
		return nil, err
	}
	defer engine.Close()
	keys, err := fleet.ParseKeys(fmt.Sprintf("%064d", 1))
	if err != nil {
		return nil, err
	}
	queue, err := fleet.OpenQueue(ctx, engine, fleet.QueueConfig{Client: client, Keys: keys})
	if err != nil {
		return nil, err
	}
	var lines bytes.Buffer
	for i := range jobCount {
		if err := json.NewEncoder(&lines).Encode(feed(fmt.Sprintf("F%07d", i))); err != nil {
			return nil, err
		}
	}
	values := map[string]float64{}
	began, before := time.Now(), used()
	submitted, err := queue.Submit(ctx, fleet.Sheet{Path: feedsPath}.NDJSON(&lines), fleet.Intake{})
	if err == nil && submitted.Queued != jobCount {
		err = fmt.Errorf("%d of %d were queued", submitted.Queued, jobCount)
	}
	if err != nil {
		return nil, err
	}
	each(values, "add", jobCount, time.Since(began), used()-before)
	return values, carriedOut(ctx, jobCount, values, func(ctx context.Context, ended func(good bool)) error {
		return (&fleet.Worker{Queue: queue, Calls: jobCalls, OnResult: func(r fleet.Result) { ended(r.State == fleet.Succeeded) }}).Run(ctx)
	})
}

// carriedOut measures a worker until every job has ended.
func carriedOut(ctx context.Context, n int, values map[string]float64, work func(ctx context.Context, ended func(good bool)) error) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	var left, bad atomic.Int64
	left.Store(int64(n))
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	began, before := time.Now(), used()
	err := work(ctx, func(good bool) {
		if !good {
			bad.Add(1)
		}
		if left.Add(-1) == 0 {
			each(values, "carry", n, time.Since(began), used()-before)
			stop()
		}
	})
	switch {
	case err != nil:
		return err
	case left.Load() > 0 || bad.Load() > 0:
		return fmt.Errorf("%d jobs did not end, %d did not succeed", left.Load(), bad.Load())
	}
	return nil
}
