// Package hex has ports and adapters: the domain knows no payment platform.
package hex

import (
	"context"
	"time"
)

// Fen is an amount.
type Fen int64

// Number names something of the merchant.
type Number string

// Status is the end of something, as far as it is known.
type Status int

// Statuses.
const (
	Pending Status = iota
	Done
	Refused
	Unclear
)

// PaymentPort is what the domain wants of a platform.
type PaymentPort interface {
	Prepay(ctx context.Context, p Purchase) (Prepaid, error)
	Look(ctx context.Context, n Number) (Looked, error)
	Close(ctx context.Context, n Number) error
}

// RefundPort gives money back.
type RefundPort interface {
	Refund(ctx context.Context, r Return) (Status, error)
	LookRefund(ctx context.Context, n Number) (Status, Fen, error)
}

// Purchase is what a user buys.
type Purchase struct {
	Number  Number
	Subject string
	Price   Fen
	OpenID  string
	Until   time.Time
	Tags    []string
}

// Prepaid is what the front end needs.
type Prepaid struct {
	ID     string
	Params map[string]string
}

// Looked is what a platform knows about a purchase.
type Looked struct {
	Status      Status
	Paid        Fen
	Transaction string
	At          time.Time
}

// Return is money on its way back.
type Return struct {
	Number   Number
	Purchase Number
	Amount   Fen
	Price    Fen
	Why      string
}
