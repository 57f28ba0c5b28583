module github.com/wxpay-go/wxpay/cmd/wxpay/browser

go 1.26.0

require (
	github.com/chromedp/cdproto v0.159.0
	github.com/chromedp/chromedp v0.23.0
	github.com/stretchr/testify v1.12.1
	github.com/wxpay-go/wxpay v0.0.0
	github.com/wxpay-go/wxpay/cmd/wxpay v0.0.0
)

require (
	github.com/go-json-experiment/json v0.0.0-20260213210345-44df1a37e875 // indirect
	github.com/tidwall/gjson v1.20.3 // indirect
	github.com/tidwall/match v1.1.1 // indirect
	github.com/tidwall/pretty v1.3.0 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
)

replace github.com/wxpay-go/wxpay => ../../..

replace github.com/wxpay-go/wxpay/cmd/wxpay => ..

replace github.com/wxpay-go/wxpay/contrib/pkcs12 => ../../../contrib/pkcs12

replace github.com/wxpay-go/wxpay/contrib/sm => ../../../contrib/sm
