package smoke

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
	"github.com/wxpay-go/wxpay/webhook"
)

// notifyWithin is how long a notification may take. It is a choice.
const notifyWithin = 30 * time.Second

// receiver receives the notifications of the run, and lets those of others fail, so that the platform repeats them.
type receiver struct {
	*webhook.Handler
	echoed, paid chan error // the first notification of each: nil if it is right

	mu   sync.Mutex
	last error // why the last delivery was rejected; nil if none was
}

var errOfAnother = webhook.Fail("this receiver is for one order alone")

// newReceiver returns the receiver of an order of one fen.
func newReceiver(merchant webhook.Merchant, order webhook.Payment, t *transcript) (*receiver, error) {
	if merchant.APIv3Key == "" {
		return nil, shell.Usage("--listen needs the APIv3 key, which decrypts notifications: set WXPAY_APIV3_KEY")
	}
	c := &receiver{echoed: make(chan error, 1), paid: make(chan error, 1)}
	var err error
	c.Handler, err = webhook.New(merchant, webhook.WithLogger(slog.New(slog.DiscardHandler)), webhook.WithObserver(c.observe))
	if err != nil {
		return nil, shell.Usage("--listen: %w", err)
	}
	c.On(webhook.SecurityEchoSuccess, func(ctx context.Context, e *webhook.Event) error {
		if e.Get("echo_message").String() != order.OutTradeNo {
			return errOfAnother
		}
		t.notified(ctx, e)
		tell(c.echoed, nil)
		return nil
	})
	c.On(webhook.TransactionSuccess, func(ctx context.Context, e *webhook.Event) error {
		if e.Get("out_trade_no").String() != order.OutTradeNo {
			return errOfAnother
		}
		t.notified(ctx, e)
		tell(c.paid, order.Check(e))
		return nil
	})
	c.OnDefault(func(context.Context, *webhook.Event) error { return errOfAnother })
	return c, nil
}

// tell sends the first of several results.
func tell(to chan error, err error) {
	select {
	case to <- err:
	default:
	}
}

// observe keeps the reason of a rejection. The platform's signature tests are meant to be rejected.
func (c *receiver) observe(_ context.Context, o webhook.Observation) {
	if o.Probe || o.Err == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last = o.Err
	if errors.Is(o.Err, errOfAnother) {
		c.last = shell.Say("the last one to arrive was that of another order")
	}
}

// ServeHTTP receives a notification.
func (c *receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.Handler.ServeHTTP(w, r.WithContext(withHeader(r.Context(), r.Header)))
}

// await waits for a notification.
func (c *receiver) await(ctx context.Context, arrived chan error, until time.Time) (err error, came bool) {
	select {
	case err := <-arrived:
		return err, true
	case <-ctx.Done():
		return shell.Say("interrupted before it arrived"), false
	case <-time.After(time.Until(until)):
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last != nil {
		return c.last, false
	}
	return shell.Say("nothing arrived: look at the name, the certificate and the port of the address, and at the proxy before it"), false
}
