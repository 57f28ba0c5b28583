// Package mistakes has one mistake in each of the files that are named m and a number.
package mistakes

import "github.com/wxpay-go/wxpay"

const (
	mchid  = "1900000109"
	appid  = "wxd678efh567hg6787"
	notify = "https://example.com/notify"
)

type order struct {
	ID, Total                                           int64
	Yuan                                                float64
	Number, Refund, Transaction, Title, OpenID, Day, IP string
	Receivers                                           []wxpay.JSON
	Body                                                any
	Merchant                                            wxpay.Merchant
}

func (o order) set(state string) error { return nil }

func (o order) pay(total int64) error { return nil }
