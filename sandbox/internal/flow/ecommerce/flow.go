// Package ecommerce is what an e-commerce platform does for its sub-merchants: it refunds and shares
// their orders.
package ecommerce

import (
	"github.com/wxpay-go/wxpay/sandbox/internal/flow/refund"
	"github.com/wxpay-go/wxpay/sandbox/internal/flow/share"
	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
)

// Open adds the flow to a merchant. It keeps no records: those flows have them.
func Open(m *gate.Merchant, refunds *refund.Flow, shares *share.Flow) {
	m.Serve(refundOperations(refunds)...)
	m.Serve(shareOperations(shares)...)
}
