package checkup

import (
	"context"
	"encoding/json"
	"maps"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
	"github.com/wxpay-go/wxpay/sandbox"
)

// checkup plays days on a service.
type checkup struct {
	sandbox  *sandbox.Sandbox
	service  *service
	patience time.Duration // within which books have to be right
	slow     time.Duration // that the slow platform takes
}

// sale is one order of the service.
type sale struct {
	number string // out_trade_no
	id     string // transaction_id, once it is paid
	sub    string // the sub-merchant for whom the service ordered
	amount int64  // fen
	notify string // notify_url
	params map[string]any
}

// key names the order for the sandbox.
func (s *sale) key() string {
	if s.sub != "" {
		return s.sub + "/" + s.number
	}
	return s.number
}

// order lets the service place an order.
func (c *checkup) order(ctx context.Context) (*sale, error) {
	before := len(c.sandbox.Ledger.Effects(sandbox.OrderEffect))
	if _, err := c.service.do(ctx, c.service.order, values{}); err != nil {
		return nil, err
	}
	placed := c.sandbox.Ledger.Effects(sandbox.OrderEffect)[before:]
	if len(placed) == 0 {
		return nil, shell.Say("the service responded to %s %s, but the platform has no new order of it",
			c.service.order.method, c.service.order.path)
	}
	last := placed[len(placed)-1]
	s := &sale{number: last.Number, sub: last.Sub, amount: last.Amount}
	if err := json.Unmarshal([]byte(last.Params), &s.params); err != nil {
		return nil, err
	}
	s.notify, _ = s.params["notify_url"].(string)
	if s.notify == "" {
		return nil, shell.Say("the order has no notify_url, so nobody is told of its payment")
	}
	if s.amount < 2 {
		return nil, shell.Say("the order is over less than 2 fen, of which no part can be refunded")
	}
	return s, nil
}

// plan sets how the next notifications are delivered.
func (c *checkup) plan(p sandbox.Plan) {
	c.sandbox.Deliveries.Plan(func(string, string) sandbox.Plan { return p })
}

// pay lets the user pay. The first attempts of the notification, of which there are as many as said, have ended then.
func (c *checkup) pay(ctx context.Context, s *sale, attempts int) error {
	var err error
	if s.id, err = c.sandbox.Users.Pay(s.key()); err != nil {
		return shell.Say("the user cannot pay the order: %w", err)
	}
	log := c.sandbox.Deliveries.All()
	return c.delivered(ctx, log[len(log)-1].ID, attempts)
}

// delivered waits for attempts of a delivery.
func (c *checkup) delivered(ctx context.Context, id string, attempts int) error {
	d, err := c.sandbox.Deliveries.Await(ctx, id, attempts)
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if err == nil && d.State == sandbox.Unsent {
		err = shell.Say("the notification could not be sent: %s", d.Reason)
	}
	return err
}

// deliver delivers a notification once more.
func (c *checkup) deliver(ctx context.Context, d sandbox.Delivery) error {
	if err := c.sandbox.Deliveries.Redeliver(d.ID); err != nil {
		return err
	}
	return c.delivered(ctx, d.ID, len(d.Attempts)+1)
}

// redeliver delivers what waits, long before it is due. The clock is left alone: a certificate that is new by a clock
// ahead is not valid yet for the service.
func (c *checkup) redeliver(ctx context.Context) error {
	for _, d := range c.sandbox.Deliveries.All() {
		if d.State == sandbox.Waiting {
			if err := c.deliver(ctx, d); err != nil {
				return err
			}
		}
	}
	return nil
}

// sold is an order that is paid and booked.
func (c *checkup) sold(ctx context.Context) (*sale, error) {
	s, err := c.order(ctx)
	if err != nil {
		return nil, err
	}
	if err := c.pay(ctx, s, 1); err != nil {
		return nil, err
	}
	return s, c.agree(ctx, true, s)
}

// persist repeats a request that fails, as people do.
func (c *checkup) persist(ctx context.Context, r *request, v values) error {
	const times, pause = 4, 200 * time.Millisecond
	var err error
	for range times {
		if _, err = c.service.do(ctx, r, v); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pause):
		}
	}
	return shell.Say("%w, %d times", err, times)
}

// part is the amount of every refund, in fen.
func (s *sale) part() int64 { return max(s.amount*3/10, 1) }

// giveBack lets the service refund a part of an order.
func (c *checkup) giveBack(ctx context.Context, s *sale) error {
	return c.persist(ctx, c.service.refund, values{order: s.number, number: "R1", amount: s.part()})
}

// refunds returns what took effect for an order, without the refunds that were closed.
func (c *checkup) refunds(s *sale) (sum int64, numbers []string) {
	for _, e := range c.sandbox.Ledger.Effects(sandbox.RefundEffect) {
		if c.of(e, s) && e.State != "CLOSED" {
			sum += e.Amount
			numbers = append(numbers, e.Number)
		}
	}
	return sum, numbers
}

// of reports whether a refund is one of the order, which it names by either number.
func (c *checkup) of(e sandbox.Effect, s *sale) bool {
	var named struct {
		Number string `json:"out_trade_no"`
		ID     string `json:"transaction_id"`
	}
	if json.Unmarshal([]byte(e.Params), &named) != nil || e.Sub != s.sub {
		return false
	}
	return named.Number == s.number || named.Number == "" && named.ID == s.id
}

// refundedOnce compares the refunds of an order with the one that was asked for.
func (c *checkup) refundedOnce(s *sale) error {
	sum, numbers := c.refunds(s)
	if sum != s.part() {
		return shell.Say("of order %s %d fen were to be refunded once, and the platform refunded %d in all (%s)",
			s.number, s.part(), sum, strings.Join(numbers, ", "))
	}
	return nil
}

// took returns what really took effect for an order.
func (c *checkup) took(s *sale) booked {
	var b booked
	for _, e := range c.sandbox.Ledger.Effects(sandbox.PaymentEffect) {
		if e.Number == s.number && e.Sub == s.sub {
			b.paid += e.Amount
		}
	}
	for _, e := range c.sandbox.Ledger.Effects(sandbox.RefundEffect) {
		if c.of(e, s) && e.State == "SUCCESS" {
			b.refunded += e.Amount
		}
	}
	return b
}

// steady is how long books must stay right.
const steady = 500 * time.Millisecond

// agree waits until the books agree with the platform, and looks whether that lasts. With repeats the
// platform repeats the notifications that failed meanwhile.
func (c *checkup) agree(ctx context.Context, repeats bool, sales ...*sale) error {
	deadline := time.Now().Add(c.patience)
	halfway := time.Now().Add(c.patience / 2)
	var since time.Time // the books have been right
	for {
		wrong := c.compare(ctx, sales)
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		now := time.Now()
		switch {
		case wrong == nil && since.IsZero():
			since = now
		case wrong == nil && now.Sub(since) >= steady:
			return nil
		case wrong != nil && (now.After(deadline) || !since.IsZero()):
			return wrong
		case wrong != nil && repeats && now.After(halfway):
			repeats = false
			if err := c.redeliver(ctx); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(steady / 10):
		}
	}
}

// compare compares the books with the platform.
func (c *checkup) compare(ctx context.Context, sales []*sale) error {
	for _, s := range sales {
		books, err := c.service.read(ctx, s.number)
		if err != nil {
			return err
		}
		if took := c.took(s); books != took {
			return shell.Say("order %s: the service has booked %d fen paid and %d refunded, the platform %d and %d",
				s.number, books.paid, books.refunded, took.paid, took.refunded)
		}
	}
	return nil
}

// resource is that of a notification which says that an order is paid.
func (s *sale) resource(total int64) map[string]any {
	resource := maps.Clone(s.params)
	for _, only := range []string{"notify_url", "description", "settle_info", "detail", "scene_info", "time_expire", "goods_tag"} {
		delete(resource, only)
	}
	if resource["payer"] == nil {
		resource["payer"] = map[string]any{"openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"}
	}
	maps.Copy(resource, map[string]any{
		"transaction_id": "4200000000202501010000000001", "trade_type": "NATIVE", "bank_type": "OTHERS",
		"trade_state": "SUCCESS", "trade_state_desc": "支付成功", "success_time": time.Now().Format(time.RFC3339),
		"amount": map[string]any{"total": total, "payer_total": total, "currency": "CNY", "payer_currency": "CNY"},
	})
	return resource
}
