// Command official fetches a bill with package official; see package bill.
package main

import (
	"github.com/wxpay-go/wxpay/bench/peers/internal/bill"
	"github.com/wxpay-go/wxpay/bench/peers/official"
)

func main() { bill.Main("official", official.New) }
