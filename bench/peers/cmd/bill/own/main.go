// Command own fetches a bill with package own, as it is by itself; see package bill.
package main

import (
	"github.com/wxpay-go/wxpay/bench/peers/internal/bill"
	"github.com/wxpay-go/wxpay/bench/peers/own"
)

func main() { bill.Main("wxpay", own.Plain) }
