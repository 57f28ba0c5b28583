package openssl_test

import (
	"context"
	"crypto"
	"fmt"
	"log"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/contrib/openssl"
	"github.com/wxpay-go/wxpay/sandbox"
)

// A client that signs with libcrypto. Nothing else changes.
func ExampleNew() {
	sb, err := sandbox.New() // in production: nothing
	if err != nil {
		log.Fatal(err)
	}
	key := sb.Merchant().PrivateKey // in production: wxpay.LoadPrivateKey("apiclient_key.pem")
	signer, err := openssl.New(key)
	if err != nil {
		log.Fatal(err)
	}
	client, err := wxpay.New(wxpay.Merchant{ID: sb.Merchant().ID, Certificate: sb.Merchant().Certificate, PrivateKey: signer},
		wxpay.WithPublicKey(sb.Keys.PublicKeyID(), sb.Keys.PublicKey()),
		wxpay.WithTransport(sb.Transport()), // in production: nothing
	)
	if err != nil {
		log.Fatal(err)
	}
	res, err := client.Chain("v3/pay/transactions/native").Post(context.Background(), wxpay.JSON{
		"appid": "wxd678efh567hg6787", "mchid": sb.Merchant().ID, "description": "a mug", "out_trade_no": "ABC-001",
		"notify_url": "https://www.example.com/notify", "amount": wxpay.JSON{"total": 100},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(res.Status, res.Verified)
	// Output: 200 true
}

// A program that also runs where there is no libcrypto.
func ExampleNew_fallback() {
	var key crypto.Signer = testKey() // in production: wxpay.LoadPrivateKey("apiclient_key.pem")
	if signer, err := openssl.New(key); err == nil {
		key = signer
	} else {
		log.Print("signing with crypto/rsa: ", err)
	}
	_ = wxpay.Merchant{PrivateKey: key}
}
