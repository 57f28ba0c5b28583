package book

import (
	"fmt"
	"time"

	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// Numbers are the running numbers of the platform's own.
type Numbers struct {
	serials Table[uint64] // by what they count
	before  uint64        // that of the first
}

// OpenNumbers adds the running numbers to a book. The first is the one after before.
func OpenNumbers(b *Book, before uint64) Numbers {
	return Numbers{OpenTable[uint64](b, "", "serials"), before}
}

// BeforeFirst is the number before the first of a book that begins now: the time of the day in Beijing in units of ten
// microseconds. A book does not give numbers that fast for long, so that one that begins later on the same day repeats none.
// It has at most ten digits, which is the room in the shortest number.
func BeforeFirst(now time.Time) uint64 {
	now = now.In(say.Beijing)
	midnight := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, say.Beijing)
	return uint64(now.Sub(midnight) / (10 * time.Microsecond))
}

// Next returns the next number of what is counted. The book must be begun.
func (n Numbers) Next(counted string) uint64 {
	serial, known := n.serials.Get(counted)
	if !known {
		serial = n.before
	}
	serial++
	n.serials.Put(counted, serial)
	return serial
}

// Dated returns a number of the platform's own: prefix, day and a running number, size digits in
// all.
func (n Numbers) Dated(prefix string, size int, now time.Time) string {
	head := prefix + now.In(say.Beijing).Format("20060102")
	return head + fmt.Sprintf("%0*d", size-len(head), n.Next(""))
}
