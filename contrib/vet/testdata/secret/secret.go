// Package secret reads keys.
package secret

import (
	"os"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/webhook"
)

const pem = `-----BEGIN PRIVATE` + ` KEY-----
nothing
-----END`

func keys() {
	wxpay.LoadPrivateKey("apiclient_key.pem")
	wxpay.LoadPrivateKey(os.Getenv("WXPAY_PRIVATE_KEY"))
	wxpay.LoadPrivateKey(pem) // want `the private key stands in the source`
	_ = wxpay.Merchant{ID: "1900000109", APIv3Key: os.Getenv("WXPAY_APIV3_KEY")}
	_ = wxpay.Merchant{ID: "1900000109", APIv3Key: "00000000000000000000000000000000"}
	_ = wxpay.Merchant{ID: "1900000109", APIv3Key: "0123456789abcdef0123456789abcdef"}   // want `the APIv3 key stands in the source`
	_ = webhook.Merchant{ID: "1900000109", APIv3Key: "ThisIsAMerchantKeyOf32Characters"} // want `the APIv3 key stands in the source`
}
