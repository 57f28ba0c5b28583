package webhook

import (
	"context"
	"crypto"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/headers"
	"github.com/wxpay-go/wxpay/internal/redact"
)

// delivery is one delivery on its way through a Handler.
type delivery struct {
	h         *Handler
	begin     time.Time // arrival
	arrived   Delivery
	signature apiv3.Signature
	merchant  *Merchant
	key       crypto.PublicKey
	event     *Event
}

// begin starts the clock of a delivery. The context ends with the budget.
func (h *Handler) begin(ctx context.Context, d Delivery) (*delivery, context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(ctx, h.budget)
	return &delivery{h: h, arrived: d, begin: time.Now()}, ctx, cancel
}

// untrusted returns the VerifyError of a delivery.
func (t *delivery) untrusted(reason error) error {
	return &VerifyError{
		Serial: strings.Clone(redact.Printable(t.arrived.Serial())), Reason: reason,
		Probe: apiv3.Signature{Value: headers.First(t.arrived.Header, apiv3.HeaderSignature)}.IsProbe(),
	}
}
