package book

import (
	"fmt"
	"time"

	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// Numbers are the running numbers of the platform's own.
type Numbers struct{ serials Table[uint64] } // by what they count

// OpenNumbers adds the running numbers to a book.
func OpenNumbers(b *Book) Numbers { return Numbers{OpenTable[uint64](b, "", "serials")} }

// Next returns the next number of what is counted, from 1. The book must be begun.
func (n Numbers) Next(counted string) uint64 {
	serial, _ := n.serials.Get(counted)
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
