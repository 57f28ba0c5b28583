package wxsql_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/webhook"
)

// A claim and its end, in memory and in each database.
func BenchmarkDeduper(b *testing.B) {
	for _, kind := range []string{"memory", "sqlite", "postgresql", "mysql"} {
		b.Run(kind, func(b *testing.B) {
			var d webhook.Deduper = webhook.NewMemory(0, 0)
			if kind != "memory" {
				d = openInbox(b, newDatabase(b, kind).migrated(b))
			}
			n := 0
			for b.Loop() {
				n++
				key := fmt.Sprint(n)
				state, err := d.Claim(b.Context(), key, "owner")
				require.NoError(b, err)
				require.Equal(b, webhook.Claimed, state)
				require.NoError(b, d.Done(b.Context(), key, "owner"))
			}
		})
	}
}

// A transaction that adds one job, and one that does nothing.
func BenchmarkAdd(b *testing.B) {
	for _, kind := range []string{"sqlite", "postgresql", "mysql"} {
		db := newDatabase(b, kind).migrated(b)
		o := newGateway(b).outbox(b, db)
		n := 0
		for name, jobs := range map[string]int{"empty": 0, "job": 1} {
			b.Run(kind+"/"+name, func(b *testing.B) {
				for b.Loop() {
					tx, err := db.Begin()
					require.NoError(b, err)
					for range jobs {
						n++
						require.NoError(b, o.Add(b.Context(), tx, refundJob(fmt.Sprint("R", n), 1)))
					}
					_, err = tx.Exec("UPDATE wxpay_schema SET applied = applied WHERE name = ''")
					require.NoError(b, err)
					require.NoError(b, tx.Commit())
				}
			})
		}
	}
}
