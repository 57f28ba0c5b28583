// Package code compares error codes.
package code

import (
	"errors"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/wxcode"
)

func compare(err error) bool {
	if wxpay.IsCode(err, wxcode.OrderNotExist, "ORDERNOTEXIST", "NOT_ENOUGH", "SOMETHING_OF_THEIR_OWN") {
		return true
	}
	if wxpay.IsCode(err, "NOT_ENOGH") { // want `no error code is documented as NOT_ENOGH; did you mean NOT_ENOUGH\?`
		return true
	}
	var failed *wxpay.APIError
	return errors.As(err, &failed) && failed.Code == "ORDER_PAYED" // want `no error code is documented as ORDER_PAYED; did you mean ORDER_PAID\?`
}
