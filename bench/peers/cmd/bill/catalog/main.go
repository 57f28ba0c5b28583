// Command catalog fetches a bill with package own, with the catalogue and every stage on; see
// package bill.
package main

import (
	"github.com/wxpay-go/wxpay/bench/peers/internal/bill"
	"github.com/wxpay-go/wxpay/bench/peers/own"
)

func main() { bill.Main("wxpay-catalog", own.New) }
