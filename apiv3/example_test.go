package apiv3_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"
	"log"
	"net/http"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
)

func exampleKey() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		log.Fatal(err)
	}
	return key
}

// The value of the Authorization header, for a request made by other means than the client of this module.
func ExampleSignRequest() {
	caller := apiv3.Authorization{
		ID: "1900000109", Serial: "5A3C9E0B7D1F4826A0B1C2D3E4F5061728394A5B",
		Nonce: "593BEC0C930BF1AFEB40B4A08C8FB242", Timestamp: "1735689600",
	}
	header, size, err := apiv3.SignRequest(apiv3.RSA(), exampleKey(), caller, "GET", "/v3/certificates", nil)
	if err != nil {
		log.Fatal(err)
	}
	shown, _ := apiv3.ParseAuthorization(header)
	fmt.Println(shown) // without the signature
	fmt.Println(size, "bytes were signed")
	// Output:
	// WECHATPAY2-SHA256-RSA2048 mchid="1900000109",nonce_str="593BEC0C930BF1AFEB40B4A08C8FB242",timestamp="1735689600",serial_no="5A3C9E0B7D1F4826A0B1C2D3E4F5061728394A5B",signature="…"
	// 66 bytes were signed
}

// What a receiver does with a response or a notification, before it reads the body.
func ExampleSignature_Verify() {
	platform := exampleKey()
	keys, err := apiv3.NewKeySet(apiv3.PlatformKey{Serial: "PUB_KEY_ID_0119000001092025010100000000000001", Key: &platform.PublicKey})
	if err != nil {
		log.Fatal(err)
	}
	body := []byte(`{"code_url":"weixin://wxpay/bizpayurl?pr=1"}`)
	made, _ := apiv3.RSA().Sign(platform, apiv3.AppendResponseMessage(nil, "1735689600", "n", body))
	header := http.Header{}
	header.Set("Wechatpay-Timestamp", "1735689600")
	header.Set("Wechatpay-Nonce", "n")
	header.Set("Wechatpay-Serial", "PUB_KEY_ID_0119000001092025010100000000000001")
	header.Set("Wechatpay-Signature", base64.StdEncoding.EncodeToString(made))

	verify := func(now time.Time, body []byte) error {
		signature, err := apiv3.ReadSignature(header)
		if err != nil {
			return err
		}
		if err := signature.CheckWindow(now); err != nil {
			return err
		}
		key, err := keys.Find(signature.Serial, now)
		if err != nil {
			return err
		}
		return signature.Verify(apiv3.RSA(), key.Key, body)
	}
	now := time.Unix(1735689600, 0)
	fmt.Println(verify(now, body))
	fmt.Println(verify(now, []byte(`{}`)))
	err = verify(now.Add(6*time.Minute), body)
	fmt.Println(errors.Is(err, apiv3.ErrClock), err)
	// Output:
	// <nil>
	// signature does not match
	// true the timestamp is 6m0s before the local clock, at most 5m0s are allowed: check this machine's clock first
}

// The resource of a notification is opened with the APIv3 key, as typed.
func ExampleOpenAESGCM() {
	key := []byte("TestOnlyAPIv3Key0123456789abcdef")
	ciphertext, err := apiv3.SealAESGCM(key, []byte("gZiqzlfayUu2"), []byte("transaction"), []byte(`{"trade_state":"SUCCESS"}`))
	if err != nil {
		log.Fatal(err)
	}
	plaintext, err := apiv3.OpenAESGCM(key, []byte("gZiqzlfayUu2"), []byte("transaction"), ciphertext)
	fmt.Printf("%s %v\n", plaintext, err)
	_, err = apiv3.OpenAESGCM(key, []byte("gZiqzlfayUu2"), []byte("refund"), ciphertext)
	fmt.Println(err)
	// Output:
	// {"trade_state":"SUCCESS"} <nil>
	// decryption failed
}

// A sensitive member is encrypted for the platform, and only the platform can open it.
func ExampleScheme() {
	scheme, platform := apiv3.RSA(), exampleKey()
	sealed, err := scheme.Encrypt(&platform.PublicKey, []byte("张三"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(base64.StdEncoding.EncodeToString(sealed)))
	opened, err := scheme.Decrypt(platform, sealed)
	fmt.Println(string(opened), err)
	_, err = scheme.Encrypt(&platform.PublicKey, []byte(strings.Repeat("x", 215)))
	fmt.Println(err)
	// Output:
	// 344
	// 张三 <nil>
	// plaintext too long: 215 bytes of UTF-8, at most 214 fit
}

// The four lines that JSAPI and mini programs sign.
func ExampleAppendLines() {
	message := apiv3.AppendLines(nil, "wx0123456789abcdef", "1735689600", "5K8264ILTKCH16CQ2502SI8ZNMTM67VS", "prepay_id=wx01080000000000testonly0000000001")
	fmt.Printf("%s", message)
	// Output:
	// wx0123456789abcdef
	// 1735689600
	// 5K8264ILTKCH16CQ2502SI8ZNMTM67VS
	// prepay_id=wx01080000000000testonly0000000001
}

func ExampleSignHMAC() {
	fmt.Println(apiv3.SignHMAC(map[string]string{
		"mch_id": "1900000109", "package": "TestOnlyPayscorePackage==", "timestamp": "1735689600",
		"nonce_str": "5K8264ILTKCH16CQ2502SI8ZNMTM67VS", "sign_type": "HMAC-SHA256",
	}, "TestOnlyAPIv2Key0123456789abcdef"))
	// Output: 2D7F9368BF0070735CBBCB6735A3DF0B6FAA09659D81854D417118A3B0989C29
}

// A wrong file is named, because mixing them up is the usual mistake.
func ExampleParsePrivateKey() {
	_, err := apiv3.ParsePrivateKey([]byte(publicPEM))
	fmt.Println(err)
	// Output: unusable key: this is a public key; the private key is the file apiclient_key.pem
}
