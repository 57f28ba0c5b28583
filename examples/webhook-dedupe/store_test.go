//go:build unix

package main

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/webhook"
)

func TestStore(t *testing.T) {
	db := connect(t, database(t))
	s := NewStore(db, time.Hour)
	ctx := t.Context()
	claim := func(t *testing.T, key, owner string) webhook.State {
		t.Helper()
		state, err := s.Claim(ctx, key, owner)
		require.NoError(t, err)
		return state
	}
	lapse := func(t *testing.T) {
		t.Helper()
		_, err := db.Exec(ctx, `UPDATE notification SET lapses = clock_timestamp()`)
		require.NoError(t, err)
	}
	for name, test := range map[string]func(t *testing.T, key string){
		"claimed, done": func(t *testing.T, key string) {
			assert.Equal(t, webhook.Claimed, claim(t, key, "a"))
			assert.Equal(t, webhook.Busy, claim(t, key, "b"))
			assert.Equal(t, webhook.Busy, claim(t, key, "a"), "an owner is one attempt")
			require.NoError(t, s.Done(ctx, key, "a"))
			assert.Equal(t, webhook.Processed, claim(t, key, "b"))
		},
		"released": func(t *testing.T, key string) {
			assert.Equal(t, webhook.Claimed, claim(t, key, "a"))
			require.NoError(t, s.Release(ctx, key, "a"))
			assert.Equal(t, webhook.Claimed, claim(t, key, "b"))
		},
		"only the owner ends a claim": func(t *testing.T, key string) {
			assert.Equal(t, webhook.Claimed, claim(t, key, "a"))
			require.NoError(t, s.Done(ctx, key, "b"))
			require.NoError(t, s.Release(ctx, key, "b"))
			assert.Equal(t, webhook.Busy, claim(t, key, "b"))
		},
		"what is done is not given back": func(t *testing.T, key string) {
			assert.Equal(t, webhook.Claimed, claim(t, key, "a"))
			require.NoError(t, s.Done(ctx, key, "a"))
			require.NoError(t, s.Release(ctx, key, "a"))
			assert.Equal(t, webhook.Processed, claim(t, key, "b"))
		},
		"without a claim nothing is ended": func(t *testing.T, key string) {
			require.NoError(t, s.Done(ctx, key, "a"))
			require.NoError(t, s.Release(ctx, key, "a"))
			assert.Equal(t, webhook.Claimed, claim(t, key, "b"))
		},
		"a lapsed claim can be taken": func(t *testing.T, key string) {
			assert.Equal(t, webhook.Claimed, claim(t, key, "a"))
			lapse(t)
			assert.Equal(t, webhook.Claimed, claim(t, key, "b"))
			require.NoError(t, s.Done(ctx, key, "a"))
			require.NoError(t, s.Release(ctx, key, "a"))
			assert.Equal(t, webhook.Busy, claim(t, key, "c"), "the first owner has lost it")
			require.NoError(t, s.Done(ctx, key, "b"))
			assert.Equal(t, webhook.Processed, claim(t, key, "c"))
		},
		"a lapsed claim that nobody took can be ended": func(t *testing.T, key string) {
			assert.Equal(t, webhook.Claimed, claim(t, key, "a"))
			lapse(t)
			require.NoError(t, s.Done(ctx, key, "a"))
			assert.Equal(t, webhook.Processed, claim(t, key, "b"))
		},
		"what is done is forgotten in the end": func(t *testing.T, key string) {
			assert.Equal(t, webhook.Claimed, claim(t, key, "a"))
			require.NoError(t, s.Done(ctx, key, "a"))
			var left time.Duration
			require.NoError(t, db.QueryRow(ctx, `SELECT lapses - clock_timestamp() FROM notification WHERE done`).Scan(&left))
			assert.Greater(t, left, 24*time.Hour+4*time.Minute, "longer than the platform delivers")
			lapse(t)
			assert.Equal(t, webhook.Claimed, claim(t, key, "b"))
		},
		"a name of any length and content": func(t *testing.T, key string) {
			long := strings.Repeat(key+"\x00\xff", 10_000)
			assert.Equal(t, webhook.Claimed, claim(t, long, "a"))
			assert.Equal(t, webhook.Claimed, claim(t, long+"x", "a"))
			assert.Equal(t, webhook.Busy, claim(t, long, "b"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := db.Exec(ctx, `DELETE FROM notification`)
			require.NoError(t, err)
			test(t, name)
		})
	}
}

// Of many that claim at once, through pools of their own, one gets it: a new name, and one whose claim has lapsed.
func TestStoreOneOfMany(t *testing.T) {
	url := database(t)
	stores := []*Store{NewStore(connect(t, url), time.Hour), NewStore(connect(t, url), time.Hour)}
	for round := range 20 {
		if round%2 == 1 {
			_, err := stores[0].db.Exec(t.Context(), `UPDATE notification SET lapses = clock_timestamp()`)
			require.NoError(t, err)
		}
		key := strconv.Itoa(round / 2)
		var claimed atomic.Int32
		var wg sync.WaitGroup
		for i := range 40 {
			wg.Go(func() {
				state, err := stores[i%2].Claim(context.Background(), key, strconv.Itoa(round*100+i))
				assert.NoError(t, err)
				if state == webhook.Claimed {
					claimed.Add(1)
				}
			})
		}
		wg.Wait()
		assert.EqualValues(t, 1, claimed.Load(), "round %d", round)
	}
}

func TestStorePrune(t *testing.T) {
	db := connect(t, database(t))
	s := NewStore(db, time.Hour)
	for _, key := range []string{"claimed", "done", "old claim", "old"} {
		_, err := s.Claim(t.Context(), key, "a")
		require.NoError(t, err)
		if strings.Contains(key, "done") || key == "old" {
			require.NoError(t, s.Done(t.Context(), key, "a"))
		}
		if key == "done" { // what was claimed and done so far stays
			_, err = db.Exec(t.Context(), `UPDATE notification SET owner = 'kept'`)
			require.NoError(t, err)
		}
	}
	_, err := db.Exec(t.Context(), `UPDATE notification SET lapses = clock_timestamp() WHERE owner = 'a'`)
	require.NoError(t, err)
	n, err := s.Prune(t.Context())
	require.NoError(t, err)
	assert.EqualValues(t, 2, n)
	n, err = s.Prune(t.Context())
	require.NoError(t, err)
	assert.Zero(t, n)
	state, err := s.Claim(t.Context(), "done", "b")
	require.NoError(t, err)
	assert.Equal(t, webhook.Processed, state)
}

// A database that is gone is an error, which a handler answers with 503.
func TestStoreWithoutDatabase(t *testing.T) {
	db := connect(t, database(t))
	s := NewStore(db, time.Hour)
	db.Close()
	_, err := s.Claim(t.Context(), "key", "a")
	require.Error(t, err)
	require.Error(t, s.Done(t.Context(), "key", "a"))
	require.Error(t, s.Release(t.Context(), "key", "a"))
}

// Instances that start at once make the tables without an error.
func TestMigrateAtOnce(t *testing.T) {
	url := database(t)
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			db, err := pgxpool.New(context.Background(), url)
			if assert.NoError(t, err) {
				defer db.Close()
				assert.NoError(t, migrate(context.Background(), db))
			}
		})
	}
	wg.Wait()
}
