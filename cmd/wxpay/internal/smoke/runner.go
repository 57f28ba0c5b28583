package smoke

import (
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

type options struct {
	appID       string
	description string
	notifyURL   string
	listen      string // address on which notifications arrive; empty if another program receives them
	wait        time.Duration
	record      string // file of the transcript; empty for none
	yes         bool
	sandbox     bool
	credentials shell.CredentialFlags

	date   string // of the bill; empty on the first day
	number string // out_trade_no of the first day
}

// account is what the run needs of the credentials.
type account struct {
	client   *wxpay.Client
	apiv3Key string
	pay      func(number string) error // the user of the embedded sandbox; nil at the platform
}

// expiresAfter is the time from the end of --wait until the order closes by itself. It is a choice.
const expiresAfter = 2 * time.Minute

// total is the price of the order, in fen.
const total = 1

// The paths of the order and the refund.
const (
	orderPath  = "v3/pay/transactions/native"
	queryPath  = "v3/pay/transactions/out-trade-no/{out_trade_no}"
	closePath  = queryPath + "/close"
	refundPath = "v3/refund/domestic/refunds"
)

// nowhere is the notify_url of an order whose notification nobody expects. An order needs one by its documentation; no name
// ends in invalid (RFC 2606).
const nowhere = "https://wxpay-smoke.invalid/notify"

// runner makes one run.
type runner struct {
	options
	account
	report
	transcript *transcript
	receiver   *receiver // nil if no notification arrives here

	expires time.Time // when the order closes by itself
	paidAt  time.Time // when the payment was seen
	paidOn  time.Time // when the platform says that it was paid
}

func newRunner(sh *shell.Shell, a account, o options, t *transcript) *runner {
	r := &runner{options: o, account: a, report: report{sh: sh}, transcript: t}
	if r.number == "" {
		now := time.Now()
		r.number = "SMOKE" + now.In(shell.China).Format("20060102150405") + rand.Text()[:8]
		r.expires = now.Add(r.wait + expiresAfter).Truncate(time.Second).In(shell.China)
	}
	return r
}

// refundNumber is the out_refund_no of the run.
func (r *runner) refundNumber() string { return r.number + "-R" }

// flags are the flags of the credentials in a command that the user is told.
func (r *runner) flags() string {
	var b strings.Builder
	for _, flag := range [...]shell.Pair{
		{Name: "profile", Value: r.credentials.Profile}, {Name: "cert", Value: r.credentials.Cert},
		{Name: "p12", Value: r.credentials.P12}, {Name: "password-file", Value: r.credentials.Password},
	} {
		if flag.Value != "" {
			b.WriteString(" --" + flag.Name + " '" + strings.ReplaceAll(flag.Value, "'", `'\''`) + "'")
		}
	}
	return b.String()
}

// giveBack is the command that refunds the order. After a request whose outcome is unknown it asks first.
func (r *runner) giveBack(unknown bool) string {
	before := ""
	if unknown {
		before = " --sent-before"
	}
	return fmt.Sprintf("wxpay call %s --ensure --until-final%s -f out_trade_no=%s -f out_refund_no=%s "+
		"-F 'amount[refund]=%d' -F 'amount[total]=%d' -f 'amount[currency]=CNY'%s",
		refundPath, before, r.number, r.refundNumber(), total, total, r.flags())
}
