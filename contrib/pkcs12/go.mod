module github.com/wxpay-go/wxpay/contrib/pkcs12

go 1.26.0

require (
	github.com/stretchr/testify v1.12.1
	github.com/wxpay-go/wxpay v0.0.0
	golang.org/x/crypto v0.58.0
	software.sslmate.com/src/go-pkcs12 v0.7.4
)

require (
	github.com/tidwall/gjson v1.20.3 // indirect
	github.com/tidwall/match v1.1.1 // indirect
	github.com/tidwall/pretty v1.3.0 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
)

replace github.com/wxpay-go/wxpay => ../..
