package wxpay_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"
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
	signing, _ := ring.SigningKey()
	fmt.Println(signing == issued.Serial, len(ring.Serials()))

	old := ring.Serials()[1]
	fmt.Println(ring.Remove(old), len(ring.Serials())) // once nothing that is encrypted for the old one is awaited
	// Output:
	// true 2
	// <nil> 1
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

// The public key of the platform, from the merchant platform's page; it never expires.
func ExampleWithPublicKey() {
	gateway, merchant, transport := exampleGateway()
	public := gateway.Keys.PublicKey() // LoadPublicKey("pub_key.pem")
	client, err := wxpay.New(merchant, wxpay.WithPublicKey(gateway.Keys.PublicKeyID(), public), transport)
	if err != nil {
		log.Fatal(err)
	}
	res, err := client.Chain("v3/brand/partner/card-member/user-feeds").Post(context.Background(), feed())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(res.Verified, len(client.KeyStatus().Keys))
	// Output: true 1
}

// A key from a file, or from a variable that has its text. An error never shows a text that may be a key.
func ExampleLoadPrivateKey() {
	gateway, err := sandbox.New()
	if err != nil {
		log.Fatal(err)
	}
	text, _ := gateway.LookupEnv("WXPAY_PRIVATE_KEY") // or "apiclient_key.pem"
	key, err := wxpay.LoadPrivateKey(text)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%T\n", key)
	_, err = wxpay.LoadPrivateKey(text[:len(text)/2])
	fmt.Println(err != nil && !strings.Contains(err.Error(), text[30:60]))
	// Output:
	// *rsa.PrivateKey
	// true
}

// Try every key in all directions before the first customer does: it signs, encrypts, verifies and decrypts.
func ExampleClient_VerifyKeys() {
	gateway, merchant, transport := exampleGateway()
	client, err := wxpay.New(merchant, wxpay.WithPublicKey(gateway.Keys.PublicKeyID(), gateway.Keys.PublicKey()), transport)
	if err != nil {
		log.Fatal(err)
	}
	checks, err := client.VerifyKeys(context.Background())
	fmt.Println(len(checks), checks[0].Certificate, err)
	// Output: 1 false <nil>
}
