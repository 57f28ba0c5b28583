package wxpaytest

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"net/http"
	"sync"
	"testing"

	"github.com/wxpay-go/wxpay/apiv3"
)

// MchID is the merchant number of every double.
const MchID = "1900000109"

const (
	merchantSerial = "3775B6A45ACD588826D15E583A95F5DD2BAC3D1F"
	publicKeyID    = "PUB_KEY_ID_0119000001092025010100000000000001"
	apiv3Key       = "wxpaytestwxpaytestwxpaytestwxpay"
)

type keys struct {
	merchant, platform *rsa.PrivateKey
	err                error
}

var made = sync.OnceValue(func() (k keys) {
	if k.merchant, k.err = rsa.GenerateKey(rand.Reader, 2048); k.err == nil {
		k.platform, k.err = rsa.GenerateKey(rand.Reader, 2048)
	}
	return k
})

func keysOf(t testing.TB) keys {
	t.Helper()
	k := made()
	if k.err != nil {
		t.Fatalf("wxpaytest: %v", k.err)
	}
	return k
}

// sign signs a response or a notification of the platform; timestamp is in seconds since 1970.
func sign(t testing.TB, header http.Header, timestamp string, body []byte) {
	t.Helper()
	nonce := rand.Text()
	signature, err := apiv3.RSA().Sign(keysOf(t).platform, apiv3.AppendResponseMessage(nil, timestamp, nonce, body))
	if err != nil {
		t.Fatalf("wxpaytest: %v", err)
	}
	header.Set(apiv3.HeaderTimestamp, timestamp)
	header.Set(apiv3.HeaderNonce, nonce)
	header.Set(apiv3.HeaderSerial, publicKeyID)
	header.Set(apiv3.HeaderSignature, base64.StdEncoding.EncodeToString(signature))
	header.Set(apiv3.HeaderSignatureType, apiv3.RSA().SignatureType())
}
