// Package state compares states.
package state

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

func paid(ctx context.Context, client *wxpay.Client, number string) (bool, error) {
	res, err := client.Chain("v3/pay/transactions/out-trade-no/{out_trade_no}", number).Get(ctx)
	if err != nil {
		return false, err
	}
	state := res.Get("trade_state").String()
	switch state {
	case "SUCCESS", "REFUND", "SOMETHING_NEW":
		return true, nil
	case "NOT_PAY": // want `trade_state is never documented to be NOT_PAY; did you mean NOTPAY\?`
		return false, nil
	}
	if res.Get("trade_type").String() == "JSAPI" || state == "" || res.Get("attach").String() == "SUCESS" {
		return false, nil
	}
	return res.Get("trade_state").String() == "SUCESS", nil // want `trade_state is never documented to be SUCESS; did you mean SUCCESS\?`
}
