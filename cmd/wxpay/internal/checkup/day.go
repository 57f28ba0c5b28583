package checkup

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/sandbox/fault"
)

// day is one day to play.
type day struct {
	name   string
	about  string // what happens
	remedy string // what a service does that is right
	refund bool   // the service has to refund
	cancel bool   // the service has to cancel
	play   func(*checkup, context.Context) error
}

// days are all days. The first is a good one, without which the others say nothing; the last changes the keys for good.
var days = []day{
	{
		name: "good", about: "an order, its payment, a refund of a part", play: (*checkup).good,
		remedy: shell.Text("book the payment when its notification is verified, and the refund when it has succeeded"),
	},
	{
		name: "lost-answer", about: "the platform refunds, and its answer is lost, a 502 or a 500", refund: true,
		play:   (*checkup).lostAnswer,
		remedy: shell.Text("store the number of a refund before it is sent, and send the same number again or query it; never make a new one"),
	},
	{
		name: "duplicate", about: "the notification of a payment comes three times at once, and once more later",
		play:   (*checkup).duplicate,
		remedy: shell.Text("book a payment once for each order, in one transaction with the state of the order"),
	},
	{
		name: "forged", about: "notifications with wrong signatures say that an unpaid order is paid", play: (*checkup).forged,
		remedy: shell.Text("verify Wechatpay-Signature over the raw body before anything is believed"),
	},
	{
		name: "wrong-amount", about: "a genuine notification tells another amount than the order's", play: (*checkup).wrongAmount,
		remedy: shell.Text("compare merchant, appid, number and amount with the order before it is booked"),
	},
	{
		name: "late", about: "the notification of a payment comes an hour late", play: (*checkup).late,
		remedy: shell.Text("query an unpaid order when somebody looks at it; the notification may come late or never"),
	},
	{
		name: "slow", about: "the platform takes long to refund, and the refund is asked for again meanwhile", refund: true,
		play:   (*checkup).slowly,
		remedy: shell.Text("a time-out says nothing about the refund: keep its number, and let two requests for one refund use the same"),
	},
	{
		name: "closed-refund", about: "the platform takes a refund, and closes it in the end", refund: true,
		play:   (*checkup).closedRefund,
		remedy: shell.Text("a refund that is PROCESSING is not made yet: book it when it is SUCCESS, and not when it is CLOSED"),
	},
	{
		name: "expiry", about: "an order is given up before its user pays, and another just after", cancel: true,
		play:   (*checkup).expiry,
		remedy: shell.Text("close the order at the platform; if that says ORDER_PAID, book the payment or refund it"),
	},
	{
		name: "keys", about: "a new platform certificate signs from now on", play: (*checkup).rotation,
		remedy: shell.Text("download the list of certificates when a serial is unknown; a service that reads the list only every few " +
			"hours needs --skip keys"),
	},
}

// cannot says why a day cannot be played, and is nil if it can.
func (c *checkup) cannot(d day) error {
	switch {
	case d.refund && c.service.refund == nil:
		return shell.Say("there is no --refund")
	case d.cancel && c.service.cancel == nil:
		return shell.Say("there is no --cancel")
	case d.name == "keys" && c.sandbox.Keys.Mode() == sandbox.PublicKeyOnly:
		return shell.Say("the merchant has no platform certificates")
	}
	return nil
}

// play plays a day, which leaves no faults, plans and endings behind.
func (c *checkup) play(ctx context.Context, d day) error {
	defer func() {
		c.sandbox.Faults.Clear()
		c.sandbox.Deliveries.Plan(nil)
		c.sandbox.Ledger.SetEnding(nil)
	}()
	return d.play(c, ctx)
}

func (c *checkup) good(ctx context.Context) error {
	s, err := c.sold(ctx)
	if err != nil || c.service.refund == nil {
		return err
	}
	if err := c.giveBack(ctx, s); err != nil {
		return err
	}
	if err := c.refundedOnce(s); err != nil {
		return err
	}
	return c.agree(ctx, true, s)
}

// refunding are the paths of requests for a refund.
var refunding = []string{"/v3/refund/domestic/refunds", "/v3/ecommerce/refunds/apply"}

// refundsMeet lets the next request for a refund meet a fault.
func (c *checkup) refundsMeet(f fault.Rule) error {
	c.sandbox.Faults.Clear()
	for _, path := range refunding {
		f.Method, f.Path, f.Count = "POST", path, 1
		if err := c.sandbox.Faults.Inject(f); err != nil {
			return err
		}
	}
	return nil
}

func (c *checkup) lostAnswer(ctx context.Context) error {
	var sales []*sale
	for _, kind := range []fault.Kind{fault.ResetAfter, fault.BadGatewayAfter, fault.ServerErrorAfter} {
		s, err := c.sold(ctx)
		if err != nil {
			return err
		}
		if err := c.refundsMeet(fault.Rule{Kind: kind}); err != nil {
			return err
		}
		if err := c.giveBack(ctx, s); err != nil {
			return err
		}
		if err := c.refundedOnce(s); err != nil {
			return err
		}
		sales = append(sales, s)
	}
	return c.agree(ctx, true, sales...)
}

func (c *checkup) duplicate(ctx context.Context) error {
	s, err := c.order(ctx)
	if err != nil {
		return err
	}
	const copies = 2
	c.plan(sandbox.Plan{Copies: copies})
	if err := c.pay(ctx, s, 1+copies); err != nil {
		return err
	}
	if err := c.agree(ctx, true, s); err != nil {
		return err
	}
	log := c.sandbox.Deliveries.All()
	if err := c.deliver(ctx, log[len(log)-1]); err != nil {
		return err
	}
	return c.agree(ctx, false, s)
}

// once is a notification that is not repeated.
var once = sandbox.Plan{Waits: []time.Duration{}}

// tell notifies the service that an order is paid.
func (c *checkup) tell(ctx context.Context, s *sale, total int64, faults ...fault.Kind) error {
	c.plan(once)
	id, err := c.sandbox.Deliveries.Deliver(s.notify, "TRANSACTION.SUCCESS", s.resource(total), faults...)
	if err != nil {
		return err
	}
	return c.delivered(ctx, id, 1)
}

func (c *checkup) forged(ctx context.Context) error {
	s, err := c.order(ctx)
	if err != nil {
		return err
	}
	for _, kind := range []fault.Kind{fault.WrongSignature, fault.UnknownSerial, fault.Probe, fault.MissingHeaders} {
		if err := c.tell(ctx, s, s.amount, kind); err != nil {
			return err
		}
	}
	return c.agree(ctx, false, s)
}

func (c *checkup) wrongAmount(ctx context.Context) error {
	s, err := c.order(ctx)
	if err != nil {
		return err
	}
	if err := c.tell(ctx, s, s.amount-1); err != nil {
		return err
	}
	return c.agree(ctx, false, s)
}

// lateness is how late a late notification is.
const lateness = time.Hour

func (c *checkup) late(ctx context.Context) error {
	s, err := c.order(ctx)
	if err != nil {
		return err
	}
	c.plan(sandbox.Plan{After: lateness})
	if err := c.pay(ctx, s, 0); err != nil {
		return err
	}
	if err := c.agree(ctx, false, s); err != nil {
		return err
	}
	if err := c.redeliver(ctx); err != nil {
		return err
	}
	return c.agree(ctx, false, s)
}

func (c *checkup) slowly(ctx context.Context) error {
	s, err := c.sold(ctx)
	if err != nil {
		return err
	}
	if err := c.refundsMeet(fault.Rule{Kind: fault.Delay, Delay: c.slow}); err != nil {
		return err
	}
	first := make(chan error, 1)
	go func() { first <- c.giveBack(ctx, s) }()
	select {
	case <-ctx.Done():
		return errors.Join(context.Cause(ctx), <-first)
	case <-time.After(c.slow / 2):
	}
	second := c.giveBack(ctx, s)
	if err := errors.Join(<-first, second); err != nil {
		return err
	}
	// A request whose sender has given up is carried out late.
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(c.slow / 2):
	}
	if err := c.refundedOnce(s); err != nil {
		return err
	}
	return c.agree(ctx, true, s)
}

func (c *checkup) closedRefund(ctx context.Context) error {
	s, err := c.sold(ctx)
	if err != nil {
		return err
	}
	c.sandbox.Ledger.SetEnding(func(kind sandbox.EffectKind, _ string) sandbox.Ending {
		if kind == sandbox.RefundEffect {
			return sandbox.Ending{After: -1}
		}
		return sandbox.Ending{}
	})
	responded := make(chan error, 1)
	go func() { responded <- c.giveBack(ctx, s) }() // some services respond only when the refund has ended
	if err := c.accepted(ctx, s); err != nil {
		return err
	}
	_, numbers := c.refunds(s)
	if s.sub != "" {
		numbers[0] = s.sub + "/" + numbers[0]
	}
	if err := c.sandbox.Ledger.Settle(sandbox.RefundEffect, numbers[0], "CLOSED"); err != nil {
		return err
	}
	<-responded // with whatever status: the refund has failed
	if sum, _ := c.refunds(s); sum != 0 {
		return shell.Say("a refund of order %s was closed, and the service made another by itself", s.number)
	}
	return c.agree(ctx, true, s)
}

// accepted waits until the platform has a refund of an order, for which the service may ask after it has responded.
func (c *checkup) accepted(ctx context.Context, s *sale) error {
	deadline := time.After(c.patience)
	for {
		if _, numbers := c.refunds(s); len(numbers) > 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-deadline:
			return shell.Say("the service asked the platform for no refund")
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func (c *checkup) expiry(ctx context.Context) error {
	unpaid, err := c.order(ctx)
	if err != nil {
		return err
	}
	if err := c.persist(ctx, c.service.cancel, values{order: unpaid.number}); err != nil {
		return err
	}
	if _, err := c.sandbox.Users.Pay(unpaid.key()); err == nil { // the service has not closed it
		err := c.agree(ctx, true, unpaid)
		if err != nil {
			return shell.Say("the user could pay an order that was given up; %w", err)
		}
	}
	paid, err := c.order(ctx)
	if err != nil {
		return err
	}
	c.plan(sandbox.Plan{After: lateness})
	if err := c.pay(ctx, paid, 0); err != nil {
		return err
	}
	// The service may say that it is too late, in any way.
	var refused *statusError
	if _, err := c.service.do(ctx, c.service.cancel, values{order: paid.number}); err != nil && !errors.As(err, &refused) {
		return err
	}
	if err := c.redeliver(ctx); err != nil {
		return err
	}
	return c.agree(ctx, true, unpaid, paid)
}

func (c *checkup) rotation(ctx context.Context) error {
	if _, err := c.sold(ctx); err != nil { // the service knows the keys of yesterday
		return err
	}
	const validity = 5 * 365 * 24 * time.Hour
	certificate, err := c.sandbox.Keys.AddCertificate(validity)
	if err != nil {
		return err
	}
	if err := c.sandbox.Keys.SignWith(fmt.Sprintf("%X", certificate.SerialNumber), 100); err != nil {
		return err
	}
	if err := c.sandbox.Keys.SetPublicKeyShare(0); err != nil {
		return err
	}
	return c.good(ctx)
}
