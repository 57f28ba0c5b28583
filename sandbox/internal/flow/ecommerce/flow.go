// Package ecommerce is what an e-commerce platform does for its sub-merchants: refunds of their
// orders.
package ecommerce

import (
	"github.com/wxpay-go/wxpay/sandbox/internal/flow/refund"
	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
)

// Open adds the flow to a merchant. It keeps no records: refunds has them.
func Open(m *gate.Merchant, refunds *refund.Flow) {
	m.Serve(refundOperations(refunds)...)
}
