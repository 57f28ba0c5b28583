module github.com/wxpay-go/wxpay

go 1.25

require (
	github.com/stretchr/testify v1.12.1
	github.com/tidwall/gjson v1.20.1
)
