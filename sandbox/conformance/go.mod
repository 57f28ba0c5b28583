module github.com/wxpay-go/wxpay/sandbox/conformance

go 1.25

require (
	github.com/stretchr/testify v1.12.1
	github.com/wechatpay-apiv3/wechatpay-go v0.2.21
	github.com/wxpay-go/wxpay v0.0.0
)

require go.yaml.in/yaml/v3 v3.0.5 // indirect

replace github.com/wxpay-go/wxpay => ../..
