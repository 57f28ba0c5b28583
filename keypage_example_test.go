package wxpay_test

import (
	"context"
	"fmt"
	"log"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/webhook"
)

// docs/keys.md shows the code of the examples here.

// The two kinds of key with which the platform signs.
func Example_keyKinds() {
	gateway, merchant, _ := exampleGateway()
	publicKeyID, publicKey := gateway.Keys.PublicKeyID(), gateway.Keys.PublicKey()
	publicKeyOnly := func() {
		client, err := wxpay.New(merchant, wxpay.WithPublicKey(publicKeyID, publicKey))
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(len(client.KeyStatus().Keys))
	}
	certificates := func() {
		client, err := wxpay.New(merchant, wxpay.WithCertificates()) // merchant.APIv3Key is needed
		if err != nil {
			log.Fatal(err)
		}
		defer client.Close()
		fmt.Println(len(client.KeyStatus().Keys)) // none: nothing is fetched before the first call
	}
	publicKeyOnly()
	certificates()
	// Output:
	// 1
	// 0
}

// The merchant's certificate is replaced while the client is in use.
func Example_ownCertificate() {
	gateway, merchant, _ := exampleGateway()
	old, oldKey, apiv3Key := merchant.Certificate, merchant.PrivateKey, merchant.APIv3Key
	issued, err := gateway.Keys.AddMerchantCertificate()
	check(err)
	renewed, renewedKey := issued.Certificate, issued.PrivateKey

	ring, err := wxpay.NewKeyRing(wxpay.APICertificate{Certificate: old, PrivateKey: oldKey})
	if err != nil {
		log.Fatal(err)
	}
	client, err := wxpay.New(wxpay.Merchant{ID: "1900000109", KeyRing: ring, APIv3Key: apiv3Key}, wxpay.WithCertificates())
	if err != nil {
		log.Fatal(err)
	}

	// They are checked: the two belong together, and to this merchant.
	if err := ring.Add(wxpay.APICertificate{Certificate: renewed, PrivateKey: renewedKey}); err != nil {
		log.Fatal(err)
	}
	// Requests are signed with it from now on.
	if err := ring.Switch(apiv3.Serial(renewed)); err != nil {
		log.Fatal(err)
	}
	// When nothing that was encrypted for the old one is awaited:
	if err := ring.Remove(apiv3.Serial(old)); err != nil {
		log.Fatal(err)
	}
	fmt.Println(client.Serial() == apiv3.Serial(renewed), len(ring.Serials()))
	// Output: true 1
}

// Another merchant over the same connections.
func Example_manyMerchants() {
	gateway, merchant, transport := exampleGateway()
	client, err := wxpay.New(merchant, wxpay.WithCertificates(), transport)
	check(err)
	other, err := gateway.AddMerchant("1900000110")
	check(err)
	m := other.Merchant()
	theirs := wxpay.Merchant{ID: m.ID, Certificate: m.Certificate, PrivateKey: m.PrivateKey, APIv3Key: m.APIv3Key}
	theirKeyID, theirPublicKey := other.Keys.PublicKeyID(), other.Keys.PublicKey()

	another, err := client.As(theirs) // their certificates are fetched, or
	if err != nil {
		log.Fatal(err)
	}
	another, err = client.As(theirs, wxpay.WithPublicKey(theirKeyID, theirPublicKey)) // their own public key
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(another.MchID())
	// Output: 1900000110
}

// A brand that calls for itself, and its notifications.
func Example_brand() {
	gateway, err := sandbox.New()
	check(err)
	brand, err := gateway.Brand()
	check(err)
	certificate, key, brandKey := brand.Certificate, brand.PrivateKey, brand.Key
	publicKeyID, publicKey := brand.PublicKeyID, brand.PublicKey
	onCard := func(context.Context, *webhook.Event) error { return nil }

	client, err := wxpay.New(wxpay.Merchant{ID: "1004", Certificate: certificate, PrivateKey: key},
		wxpay.WithScheme(apiv3.Brand()), wxpay.WithPublicKey(publicKeyID, publicKey))
	if err != nil {
		log.Fatal(err)
	}
	handler, err := webhook.New(webhook.Merchant{
		ID: "1004", APIv3Key: brandKey, Keys: client, Scheme: apiv3.Brand(), PrivateKey: key,
	})
	if err != nil {
		log.Fatal(err)
	}
	handler.On("BRAND_MEMBER_CARD.*", onCard)
	fmt.Println(client.Identity())
	// Output: brand_id 1004
}
