package middleware

import (
	"net/http"
	"strings"

	"github.com/wxpay-go/wxpay/fact"
)

// MovesMoney reports whether the call moves money, as far as is known: by the reviewed fact, and for an operation that no
// catalogue knows by the words of its path, which err on the careful side. A read moves nothing.
func (c *Call) MovesMoney() bool {
	switch {
	case c.read():
		return false
	case c.Operation != nil:
		return c.Operation.MovesMoney
	}
	for _, word := range moneyWords {
		if strings.Contains(c.Template, word) {
			return true
		}
	}
	return strings.HasSuffix(c.Template, "/pay")
}

// moneyWords stand in the paths of operations that move money. Every operation that the catalogue marks has one, and a
// few that move nothing have one too.
var moneyWords = []string{
	"refund", "transfer", "profitsharing", "profit-sharing", "withdraw", "subsid", "deduct", "codepay", "micropay", "reverse",
	"papay/", "/complete", "compensat", "redpacket", "batches", "oversea", "settle", "offlineface", "vehicle", "qrcode",
	"insurance-claim", "schedule", "eduschoolpay", "ebike", "direct-complete", "reservation", "charity", "reduction",
}

// CanRetry reports whether the same request may be sent again although an earlier one may have taken effect: a read, an
// operation that is documented to be repeatable and moves no money, and what the caller vouches for, unless the facts
// forbid it.
func (c *Call) CanRetry() bool {
	if c.read() {
		return true
	}
	var repeat fact.Repeat
	if c.Operation != nil {
		repeat = c.Operation.Repeat
	}
	return repeat != fact.Never && (c.Idempotent || repeat == fact.Documented && !c.MovesMoney())
}

func (c *Call) read() bool { return c.Method == http.MethodGet }
