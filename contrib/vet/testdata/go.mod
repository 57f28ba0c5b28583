module example.com/shop

go 1.25.0

require (
	github.com/tidwall/gjson v1.20.3
	github.com/wxpay-go/wxpay v0.0.0
)

require (
	github.com/tidwall/match v1.1.1 // indirect
	github.com/tidwall/pretty v1.3.0 // indirect
)

replace github.com/wxpay-go/wxpay => ../../..
