package sm_test

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"log"

	"github.com/emmansun/gmsm/sm2"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/contrib/sm"
)

// A client that signs with SM2, and takes only answers that are signed with SM2.
func ExampleScheme() {
	// In production: sm.ParsePrivateKey and sm.ParsePublicKey, with what stands in the files.
	own, err := sm2.GenerateKey(rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	platform, err := sm2.GenerateKey(rand.Reader)
	if err != nil {
		log.Fatal(err)
	}

	client, err := wxpay.New(wxpay.Merchant{ID: mchid, Serial: merchantSerial, PrivateKey: own},
		wxpay.WithScheme(sm.Scheme()),
		wxpay.WithPublicKey(keyID, platform.Public()),
		wxpay.WithTransport(gateway{merchant: own.Public(), key: platform, serial: keyID, scheme: sm.Scheme()}), // in production: nothing
	)
	if err != nil {
		log.Fatal(err)
	}
	res, err := client.Chain("v3/pay/transactions/native").Post(context.Background(), wxpay.JSON{"out_trade_no": "ABC-001"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(res.Status, res.Verified)
	// Output: 200 true
}

// The resource of a notification, or an entry of the certificate list, whose algorithm is AEAD_SM4_GCM.
func ExampleOpen() {
	ciphertext, err := base64.StdEncoding.DecodeString("fUHCYcUSqkC+TtDWj4ET18/PccyLseLIUMzD6LRKPfU6Ww==")
	if err != nil {
		log.Fatal(err)
	}
	plaintext, err := sm.Open([]byte("TestOnlyAPIv3Key0123456789abcdef"), []byte("uluk4a9R25RW"), []byte("certificate"), ciphertext)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(plaintext))
	// Output: 国密证书明文
}

// A sensitive member, there and back. Each encryption gives another text.
func ExampleScheme_encrypt() {
	key, err := sm2.GenerateKey(rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	ciphertext, err := sm.Scheme().Encrypt(key.Public(), []byte("张三"))
	if err != nil {
		log.Fatal(err)
	}
	plaintext, err := sm.Scheme().Decrypt(key, ciphertext)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(plaintext))
	// Output: 张三
}

// A file that was mixed up is named.
func ExampleParsePrivateKey() {
	_, err := sm.ParsePrivateKey([]byte("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"))
	fmt.Println(err)
	// Output: unusable key: this is a certificate, not a private key
}
