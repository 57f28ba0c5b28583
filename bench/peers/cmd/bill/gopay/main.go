// Command gopay fetches a bill with package gopay; see package bill.
package main

import (
	"github.com/wxpay-go/wxpay/bench/peers/gopay"
	"github.com/wxpay-go/wxpay/bench/peers/internal/bill"
)

func main() { bill.Main("gopay", gopay.New) }
