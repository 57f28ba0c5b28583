package middleware

import (
	"net/http"
	"strings"

	"github.com/wxpay-go/wxpay/fact"
)

// MovesMoney reports whether the call moves money. The reviewed fact decides; for an operation that
// no catalogue knows, the words of its path decide, on the careful side. A read moves nothing.
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

// moneyWords are words in the paths of operations that move money. Every operation that the
// catalogue marks has one; so do a few that move nothing.
var moneyWords = []string{
	"refund", "transfer", "profitsharing", "profit-sharing", "withdraw", "subsid", "deduct", "codepay", "micropay", "reverse",
	"papay/", "/complete", "compensat", "redpacket", "batches", "oversea", "settle", "offlineface", "vehicle", "qrcode",
	"insurance-claim", "schedule", "eduschoolpay", "ebike", "direct-complete", "reservation", "charity", "reduction",
}

// CanRetry reports whether the same request may be sent again although an earlier one may have
// taken effect. It may for a read, for an operation that is documented as idempotent and moves no
// money, and if the caller vouches for it (Idempotent), unless the facts forbid it.
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
