package wxpay_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/sandbox"
)

// exampleGateway is a sandbox, with its merchant in the form that New takes.
func exampleGateway(options ...sandbox.Option) (*sandbox.Sandbox, wxpay.Merchant, wxpay.Option) {
	gateway, err := sandbox.New(options...)
	if err != nil {
		log.Fatal(err)
	}
	m := gateway.Merchant()
	merchant := wxpay.Merchant{
		ID:          m.ID,
		Certificate: m.Certificate, // LoadCertificate("apiclient_cert.pem"): the serial is read from it
		PrivateKey:  m.PrivateKey,  // LoadPrivateKey("apiclient_key.pem"), a KMS, an HSM
		APIv3Key:    m.APIv3Key,
	}
	return gateway, merchant, wxpay.WithTransport(gateway.Transport()) // in production: no transport
}

// Platform certificates, fetched when the first call needs them and followed from then on. A copy on disk spares the next
// process the fetch.
func ExampleWithCertificates() {
	dir, err := os.MkdirTemp("", "wxpay")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	_, merchant, transport := exampleGateway(sandbox.WithKeyMode(sandbox.CertificatesOnly))
	client, err := wxpay.New(merchant, wxpay.WithCertificates(wxpay.StoreIn(wxpay.FileStore(filepath.Join(dir, "keys")))), transport)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	fmt.Println("keys before the first call:", len(client.KeyStatus().Keys))
	if _, err := client.Chain("v3/brand/partner/card-member/user-feeds").Post(context.Background(), feed()); err != nil {
		log.Fatal(err)
	}
	fmt.Println("keys after it:", len(client.KeyStatus().Keys))
	// Output:
	// keys before the first call: 0
	// keys after it: 2
}

// A merchant who changes from certificates to the public key: accept both, then name the public key in a growing share of
// the calls.
func ExampleWithPublicKeyShare() {
	gateway, merchant, transport := exampleGateway()
	client, err := wxpay.New(merchant,
		wxpay.WithCertificates(),
		wxpay.WithPublicKey(gateway.Keys.PublicKeyID(), gateway.Keys.PublicKey()),
		wxpay.WithPublicKeyShare(0.1),
		transport)
	if err != nil {
		log.Fatal(err)
	}
	if err := client.RefreshKeys(context.Background()); err != nil {
		log.Fatal(err)
	}
	checks, err := client.VerifyKeys(context.Background()) // all directions, with every key
	if err != nil {
		log.Fatal(err)
	}
	for _, check := range checks {
		fmt.Println("certificate:", check.Certificate, "trouble:", check.Err)
	}
	fmt.Println("percent:", client.KeyStatus().PublicKeyShare)
	// Output:
	// certificate: false trouble: <nil>
	// certificate: true trouble: <nil>
	// certificate: true trouble: <nil>
	// percent: 0.1
}

// A merchant replaces its own certificate while the client is in use.
func ExampleKeyRing() {
	gateway, merchant, transport := exampleGateway()
	ring, err := wxpay.NewKeyRing(wxpay.APICertificate{Certificate: merchant.Certificate, PrivateKey: merchant.PrivateKey})
	if err != nil {
		log.Fatal(err)
	}
	client, err := wxpay.New(wxpay.Merchant{ID: merchant.ID, KeyRing: ring}, wxpay.WithPublicKey(gateway.Keys.PublicKeyID(), gateway.Keys.PublicKey()), transport)
	if err != nil {
		log.Fatal(err)
	}

	issued, err := gateway.Keys.AddMerchantCertificate() // the merchant platform issues the new one
	if err != nil {
		log.Fatal(err)
	}
	replacement := wxpay.APICertificate{Certificate: issued.Certificate, PrivateKey: issued.PrivateKey}
	if err := ring.Add(replacement); err != nil { // refused if key and certificate do not belong together
		log.Fatal(err)
	}
	if err := ring.Switch(issued.Serial); err != nil {
		log.Fatal(err)
	}
	if _, err := client.Chain("v3/brand/partner/card-member/user-feeds").Post(context.Background(), feed()); err != nil {
		log.Fatal(err)
	}
	fmt.Println(ring.Serials()[0] == issued.Serial, len(ring.Serials()))
	// Output: true 2
}

// Several merchants over one pool of connections.
func ExampleClient_As() {
	_, merchant, transport := exampleGateway()
	client, err := wxpay.New(merchant, wxpay.WithCertificates(), transport)
	if err != nil {
		log.Fatal(err)
	}
	another, err := client.As(wxpay.Merchant{
		ID: "1900000110", Serial: "5A3C9E0B7D1F4826A0B1C2D3E4F5061728394A5B", PrivateKey: testKeys().merchant, APIv3Key: secretAPIv3Key,
	}, wxpay.WithTimeout(5*time.Second))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(another)
	// Output: wxpay.Client{merchant 1900000110, serial 5A3C9E0B7D1F4826A0B1C2D3E4F5061728394A5B, https://api.mch.weixin.qq.com}
}

// A brand that calls for itself.
func ExampleWithScheme() {
	gateway, _, transport := exampleGateway()
	b, err := gateway.Brand()
	if err != nil {
		log.Fatal(err)
	}
	client, err := wxpay.New(wxpay.Merchant{ID: b.ID, Certificate: b.Certificate, PrivateKey: b.PrivateKey},
		wxpay.WithScheme(apiv3.Brand()), wxpay.WithPublicKey(b.PublicKeyID, b.PublicKey), transport)
	if err != nil {
		log.Fatal(err)
	}
	res, err := client.Chain("brand/card-member/cards").Query("offset", 0).Query("limit", 20).Get(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(res.Verified, res.Get("total_count"))
	// Output: true 1
}
