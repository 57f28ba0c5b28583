package webhook

import (
	"context"
	"crypto"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/redact"
)

// turn is one delivery on its way through a Handler.
type turn struct {
	h         *Handler
	begin     time.Time // when the delivery arrived
	delivery  *Delivery
	signature apiv3.Signature
	merchant  *Merchant
	key       crypto.PublicKey
	event     *Event
}

// begin starts the clock of a delivery. The context ends with the budget.
func (h *Handler) begin(ctx context.Context, d *Delivery) (*turn, context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(ctx, h.budget)
	return &turn{h: h, delivery: d, begin: time.Now()}, ctx, cancel
}

// untrusted makes the error of a delivery that is not proven to come from the platform.
func (t *turn) untrusted(reason error) error {
	return &VerifyError{
		Serial: redact.Printable(t.delivery.Serial()), Reason: reason,
		Probe: apiv3.Signature{Value: first(t.delivery.Header, apiv3.HeaderSignature)}.IsProbe(),
	}
}
