package smoke

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/qrcode"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

// Figures of a run. They are choices.
const (
	askEvery     = 2 * time.Second // pause between two queries of the order
	orderWithin  = time.Minute     // until the order has to be placed
	closeWithin  = time.Minute     // until the order has to be closed
	refundWithin = 3 * time.Minute // until the refund has to be final
)

// keys tries each key of the platform. Without one that works no order is placed.
func (r *runner) keys(ctx context.Context) bool {
	r.transcript.begin(stepKeys)
	checks, err := r.client.VerifyKeys(ctx)
	works, closed := 0, 0
	for _, check := range checks {
		kind := shell.Say("public key %s", check.Serial)
		if check.Certificate {
			kind = shell.Say("certificate %s", check.Serial)
		}
		var rejection *wxpay.APIError
		switch {
		case check.Err == nil:
			works++
			r.add(stepKeys, done, shell.Say("%w: signing, encrypting, verifying and decrypting", kind))
		case errors.As(check.Err, &rejection) && (rejection.Status == 404 || rejection.Status == 403) && rejection.Verified:
			closed++
			r.add(stepKeys, skipped, shell.Say("%w: the platform's self-test is not open to this merchant, whose signature it accepts", kind))
		default:
			r.add(stepKeys, failed, shell.Say("%w: %s", kind, shell.Plainly(check.Err)))
		}
	}
	switch {
	case len(checks) == 0 && err != nil:
		r.unsent = ctx.Err() != nil || wxpay.OutcomeOf(err) == wxpay.NotSent
		r.add(stepKeys, failed, shell.Say(`%s; "wxpay keys check" tells more`, shell.Plainly(err)))
	case works+closed < len(checks):
		r.unsent = ctx.Err() != nil || wxpay.OutcomeOf(err) == wxpay.NotSent
		r.add(stepOrder, skipped, shell.Say(`a key does not work, so no order was sent; "wxpay keys check" tells more`))
	}
	return len(checks) > 0 && works+closed == len(checks)
}

// order places the order, and returns its code_url.
func (r *runner) order(ctx context.Context) (code string, placed bool) {
	r.transcript.begin(stepOrder)
	body := wxpay.JSON{
		"appid": r.appID, "mchid": r.client.MchID(), "description": r.description, "out_trade_no": r.number,
		"notify_url": cmp.Or(r.notifyURL, nowhere), "time_expire": r.expires.Format(time.RFC3339),
		"amount": wxpay.JSON{"total": total, "currency": "CNY"},
	}
	verdict, err := r.client.Chain(orderPath).Timeout(orderWithin).Ensure(ctx, body)
	if err == nil && verdict.Response != nil {
		code = verdict.Response.Get("code_url").String()
	}
	switch outcome := wxpay.OutcomeOf(err); {
	case err == nil && code == "":
		r.add(stepOrder, failed, shell.Say("the platform has it, but gave no code_url, so nobody can pay it"))
		r.close(context.WithoutCancel(ctx), false)
	case err == nil:
		r.add(stepOrder, done, shell.Say("%s, over %d fen", r.number, total))
		return code, true
	case outcome == wxpay.NotSent:
		r.unsent = true
		r.add(stepOrder, failed, shell.Say("it was not sent: %s", shell.Plainly(err)))
	case outcome == wxpay.Rejected:
		r.add(stepOrder, failed, shell.Say("the platform rejected it: %s", shell.Plainly(err)))
	default:
		r.add(stepOrder, unknown, shell.Say("it may be there, but nobody can pay it, since its code was not shown: %s", shell.Plainly(err)))
		r.close(context.WithoutCancel(ctx), false)
	}
	return "", false
}

// ask returns the state of the order.
func (r *runner) ask(ctx context.Context) (state string, err error) {
	res, err := r.client.Chain(queryPath, r.number).Query("mchid", r.client.MchID()).Get(ctx)
	if err != nil {
		return "", err
	}
	if state, err = res.Text("trade_state"); isPaid(state) {
		r.paidAt, r.paidOn = time.Now(), time.Now()
		if at, err := res.Time("success_time"); err == nil {
			r.paidOn = at
		}
	}
	return state, err
}

// isPaid reports whether an order in this state was paid. One in REFUND was refunded, by this run or by somebody else.
func isPaid(state string) bool { return state == "SUCCESS" || state == "REFUND" }

// payment shows the code and asks until the order is paid. It closes one that is not.
func (r *runner) payment(ctx context.Context, code string) (paid bool) {
	r.transcript.begin(stepPayment)
	picture, err := qrcode.New(code)
	if err != nil {
		r.add(stepPayment, failed, shell.Say("the code of the order cannot be drawn: %w", err))
		return r.close(context.WithoutCancel(ctx), false)
	}
	r.sh.Note("Scan this with WeChat, and pay 0.01 yuan:")
	fmt.Fprint(r.sh.Stderr, picture.Text(r.sh.Bars))
	if r.pay != nil {
		if err := r.pay(r.number); err != nil {
			r.sh.Note("the user of the sandbox does not pay: %w", err)
		}
	}
	until := time.Now().Add(r.wait)
	line, last := r.sh.Status(), error(nil)
	defer line.Clear()
	if !r.sh.Bars {
		r.sh.Note("Waiting for the payment until %s. An interrupt closes the order.", until.In(shell.China).Format(time.TimeOnly))
	}
	for ctx.Err() == nil && time.Now().Before(until) {
		line.Draw(fmt.Sprintf(r.sh.Words("waiting for the payment, %s left; Ctrl-C closes the order"), time.Until(until).Round(time.Second)))
		state, err := r.ask(ctx)
		if err != nil {
			last = err
		}
		switch {
		case isPaid(state):
			line.Clear()
			r.add(stepPayment, done, shell.Say("paid"))
			return true
		case state == "CLOSED":
			line.Clear()
			r.add(stepPayment, failed, shell.Say("the order was closed before anybody paid"))
			return false
		}
		select {
		case <-ctx.Done():
		case <-time.After(min(askEvery, time.Until(until))):
		}
	}
	line.Clear()
	switch {
	case ctx.Err() != nil:
		r.sh.Note("Interrupted: closing the order. A second interrupt leaves it open until %s.", r.expires.Format(time.DateTime))
	case last != nil:
		r.sh.Note("the last query that failed: %s", shell.Plainly(last))
	}
	return r.close(context.WithoutCancel(ctx), true)
}

// close closes the order, unless it was paid meanwhile. shown says whether somebody may have seen its code.
func (r *runner) close(ctx context.Context, shown bool) (paid bool) {
	r.transcript.begin(stepPayment)
	ctx, cancel := context.WithTimeout(ctx, closeWithin)
	defer cancel()
	var last error
	for ctx.Err() == nil {
		_, err := r.client.Chain(closePath, r.number).Post(ctx, wxpay.JSON{"mchid": r.client.MchID()})
		if err == nil {
			r.add(stepPayment, failed, shell.Say("nobody paid, and the order is closed"))
			return false
		}
		last = err
		state, _ := r.ask(ctx)
		switch {
		case isPaid(state):
			r.add(stepPayment, done, shell.Say("paid just before the order was closed"))
			return true
		case state == "CLOSED":
			r.add(stepPayment, failed, shell.Say("nobody paid, and the order is closed"))
			return false
		}
		select {
		case <-ctx.Done():
		case <-time.After(askEvery):
		}
	}
	if !shown {
		r.add(stepPayment, unknown, shell.Say("nobody can pay the order, but it could not be closed; it closes by itself at %s: %s",
			r.expires.Format(time.DateTime), shell.Plainly(last)))
		return false
	}
	r.money = uncertain
	r.add(stepPayment, unknown, shell.Say("the order could not be closed: %s", shell.Plainly(last)))
	r.urgent = append(r.urgent,
		shell.Say("It is not known whether order %s was paid. It closes by itself at %s, Beijing time.", r.number, r.expires.Format(time.DateTime)),
		shell.Say("To ask: wxpay resolve POST %s %s --get trade_state%s", orderPath, r.number, r.flags()),
		shell.Say("If that prints SUCCESS, give the fen back: %s", r.giveBack(false)))
	return false
}

// refund gives the fen back.
func (r *runner) refund(ctx context.Context) {
	r.transcript.begin(stepRefund)
	r.sh.Note("Refunding; do not interrupt this.")
	verdict, err := r.client.Chain(refundPath).UntilFinal().Timeout(refundWithin).Ensure(ctx, wxpay.JSON{
		"out_trade_no": r.number, "out_refund_no": r.refundNumber(),
		"amount": wxpay.JSON{"refund": total, "total": total, "currency": "CNY"},
	})
	resolve := shell.Say("To ask: wxpay resolve POST %s %s%s", refundPath, r.refundNumber(), r.flags())
	switch {
	case err == nil && verdict.State == wxpay.Succeeded:
		r.money = back
		r.add(stepRefund, done, shell.Say("%s succeeded", r.refundNumber()))
	case err == nil && verdict.State == wxpay.NeedsAction:
		r.money = outstanding
		r.add(stepRefund, failed, shell.Say("it stands still until you act"))
		r.urgent = append(r.urgent,
			shell.Say("One fen was taken for order %s, and its refund %s is abnormal.", r.number, r.refundNumber()),
			shell.Say("Deal with it in the merchant platform, or with: wxpay docs v3/refund/domestic/refunds/{refund_id}/apply-abnormal-refund"),
			resolve)
	case err == nil && verdict.State == wxpay.Failed:
		r.money = outstanding
		r.add(stepRefund, failed, shell.Say("it ended without effect"))
		r.urgent = append(r.urgent,
			shell.Say("One fen was taken for order %s, and its refund %s is closed.", r.number, r.refundNumber()),
			shell.Say("Look at the order in the merchant platform, and refund it there, under another number."),
			resolve)
	case err == nil:
		r.add(stepRefund, unknown, shell.Say("the platform has taken it, and has not finished it within %s", refundWithin))
		r.urgent = append(r.urgent,
			shell.Say("One fen was taken for order %s, and its refund %s is under way.", r.number, r.refundNumber()), resolve)
	case wxpay.OutcomeOf(err) == wxpay.Unknown:
		r.add(stepRefund, unknown, shell.Say("%s", shell.Plainly(err)))
		r.urgent = append(r.urgent,
			shell.Say("One fen was taken for order %s, and it is not known whether refund %s took effect.", r.number, r.refundNumber()),
			resolve, shell.Say("To give it back: %s", r.giveBack(true)))
	default: // rejected, or not sent
		r.money = outstanding
		r.add(stepRefund, failed, shell.Say("%s", shell.Plainly(err)))
		r.urgent = append(r.urgent,
			shell.Say("One fen was taken for order %s, and is not given back.", r.number),
			shell.Say("To give it back: %s", r.giveBack(false)))
	}
}
