// Command floor fetches a bill with package floor; see package bill.
package main

import (
	"github.com/wxpay-go/wxpay/bench/peers/floor"
	"github.com/wxpay-go/wxpay/bench/peers/internal/bill"
)

func main() { bill.Main("floor", floor.New) }
