package pkcs12_test

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	p12 "software.sslmate.com/src/go-pkcs12"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/contrib/pkcs12"
	"github.com/wxpay-go/wxpay/sandbox"
)

// A client from the file apiclient_cert.p12: the serial need not be typed.
func ExampleLoadFile() {
	gateway, err := sandbox.New()
	if err != nil {
		log.Fatal(err)
	}
	merchant := gateway.Merchant()
	path, remove := exampleFile(merchant)
	defer remove()

	own, err := pkcs12.LoadFile(path, merchant.ID) // the password is the merchant number, unless it was changed
	if err != nil {
		log.Fatal(err)
	}
	client, err := wxpay.New(wxpay.Merchant{ID: merchant.ID, PrivateKey: own.PrivateKey, Certificate: own.Certificate},
		wxpay.WithPublicKey(gateway.Keys.PublicKeyID(), gateway.Keys.PublicKey()),
		wxpay.WithTransport(gateway.Transport()), // in production: nothing
	)
	if err != nil {
		log.Fatal(err)
	}
	res, err := client.Chain("v3/certificates").Get(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(res.Status, res.Verified)
	// Output: 200 true
}

// Two files in one ring, while one certificate takes over from the other.
func ExampleCredentials() {
	gateway, err := sandbox.New()
	if err != nil {
		log.Fatal(err)
	}
	merchant := gateway.Merchant()
	path, remove := exampleFile(merchant)
	defer remove()
	own, err := pkcs12.LoadFile(path, merchant.ID)
	if err != nil {
		log.Fatal(err)
	}
	ring, err := wxpay.NewKeyRing(wxpay.APICertificate(own)) // and others: Add, Switch
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(ring.Serials()[0] == merchant.Serial)
	// Output: true
}

// A wrong password can be told from every other fault.
func ExampleLoad() {
	gateway, err := sandbox.New()
	if err != nil {
		log.Fatal(err)
	}
	path, remove := exampleFile(gateway.Merchant())
	defer remove()
	data, err := os.ReadFile(path)
	if err != nil {
		log.Fatal(err)
	}

	_, err = pkcs12.Load(data, "guess")
	fmt.Println(errors.Is(err, pkcs12.ErrPassword))
	fmt.Println(err)
	// Output:
	// true
	// unusable key: wrong password, or a damaged file (the password that WeChat Pay gives apiclient_cert.p12 is the merchant number, mchid)
}

// What cannot be read says what it is, and what reads it.
func ExampleParseEncryptedPKCS8() {
	text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte{}})
	_, err := pkcs12.ParseEncryptedPKCS8(text, "password")
	fmt.Println(err)
	// Output: unusable key: this private key is not encrypted: wxpay.LoadPrivateKey reads it
}

// exampleFile writes the merchant's file apiclient_cert.p12.
func exampleFile(merchant sandbox.Merchant) (path string, remove func()) {
	dir, err := os.MkdirTemp("", "pkcs12")
	if err != nil {
		log.Fatal(err)
	}
	data, err := p12.LegacyRC2.Encode(merchant.PrivateKey, merchant.Certificate, nil, merchant.ID)
	if err != nil {
		log.Fatal(err)
	}
	path = filepath.Join(dir, "apiclient_cert.p12")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		log.Fatal(err)
	}
	return path, func() { _ = os.RemoveAll(dir) }
}
