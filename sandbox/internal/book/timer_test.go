//go:build go1.25

package book_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/sandbox/internal/book"
)

// Records become ripe by themselves, until the book is closed.
func TestTimer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, clock := book.New(time.Now)
		things := book.OpenTable[thing](b, "m", "things")
		things.OnDue(func(key string, row thing, _ time.Time) { things.Put(key, thing{Text: row.Text + " ripe"}) })
		text := func(key string) string {
			b.Lock() // so that nothing happens because of the question
			defer b.Unlock()
			row, _ := things.Get(key)
			return row.Text
		}
		began := time.Now()
		b.Begin(clock.Now())
		things.Put("late", thing{Text: "late", At: began.Add(3 * time.Hour)})
		things.Put("soon", thing{Text: "soon", At: began.Add(time.Hour)})
		require.NoError(t, b.End())
		time.Sleep(time.Hour - time.Second)
		synctest.Wait()
		assert.Equal(t, "soon", text("soon"))
		time.Sleep(time.Second)
		synctest.Wait()
		assert.Equal(t, "soon ripe", text("soon"))

		require.NoError(t, clock.Freeze())
		time.Sleep(5 * time.Hour)
		synctest.Wait()
		assert.Equal(t, "late", text("late"), "the clock stands still")
		require.NoError(t, clock.Unfreeze())
		b.Close()
		time.Sleep(5 * time.Hour)
		synctest.Wait()
		assert.Equal(t, "late", text("late"), "the book is closed")
		b.Begin(clock.Now()).Commit()
		assert.Equal(t, "late ripe", text("late"), "a change makes happen what is due")
	})
}
