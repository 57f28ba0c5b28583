package wxpay_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/fact"
)

// What the tests of trouble need and the sandbox, which behaves, does not give: a gateway whose
// every response can be bent.

const (
	testMerchant = "1900000109"
	testSerial   = "5A3C9E0B7D1F4826A0B1C2D3E4F5061728394A5B"
	testKeyID    = "PUB_KEY_ID_0119000001092025010100000000000001"
)

var testKeys = sync.OnceValue(func() (keys struct{ merchant, platform, other *rsa.PrivateKey }) {
	for _, key := range []**rsa.PrivateKey{&keys.merchant, &keys.platform, &keys.other} {
		var err error
		if *key, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			panic(err)
		}
	}
	return keys
})

// quickly makes a client that signs with nothing, for tests of many calls whose requests nobody verifies.
var quickly = wxpay.WithScheme(nothing{apiv3.RSA()})

type nothing struct{ apiv3.Scheme }

func (nothing) Sign(crypto.Signer, []byte) ([]byte, error) { return make([]byte, 256), nil }

// newClient returns a client whose platform key is testKeys().platform.
func newClient(t testing.TB, options ...wxpay.Option) *wxpay.Client {
	t.Helper()
	client, err := wxpay.New(
		wxpay.Merchant{ID: testMerchant, Serial: testSerial, PrivateKey: testKeys().merchant},
		append([]wxpay.Option{wxpay.WithPublicKey(testKeyID, testKeys().platform.Public())}, options...)...)
	require.NoError(t, err)
	return client
}

// newClientFor is newClient for whom an operation is documented for: a merchant or a brand.
func newClientFor(t testing.TB, scheme fact.Scheme, options ...wxpay.Option) *wxpay.Client {
	t.Helper()
	if scheme == fact.MerchantScheme {
		return newClient(t, options...)
	}
	client, err := wxpay.New(wxpay.Merchant{ID: "1004", Serial: testSerial, PrivateKey: testKeys().merchant},
		append([]wxpay.Option{wxpay.WithScheme(apiv3.Brand()), wxpay.WithPublicKey(testKeyID, testKeys().platform.Public())}, options...)...)
	require.NoError(t, err)
	return client
}

// answer is one response of the bent gateway. The zero value is 200 with an empty body, signed
// right.
type answer struct {
	status   int
	body     string
	header   http.Header               // added before signing
	unsigned bool                      // no signature headers
	key      *rsa.PrivateKey           // signs instead of the platform's
	ahead    time.Duration             // the signature's time, from now
	bend     func(*http.Response)      // last, after signing
	trip     func(*http.Request)       // sees the request first
	fail     func(*http.Request) error // fails instead of answering
}

// RoundTrip makes a response a round tripper that always gives it.
func (a answer) RoundTrip(req *http.Request) (*http.Response, error) {
	if a.trip != nil {
		a.trip(req)
	}
	if req.Body != nil {
		_, _ = io.Copy(io.Discard, req.Body)
		_ = req.Body.Close()
	}
	if a.fail != nil {
		return nil, a.fail(req)
	}
	status := a.status
	if status == 0 {
		status = 200
	}
	res := &http.Response{
		StatusCode: status, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Request: req,
		Body: io.NopCloser(bytes.NewReader([]byte(a.body))), ContentLength: int64(len(a.body)),
	}
	res.Header.Set("Content-Type", "application/json; charset=utf-8")
	res.Header.Set("Request-ID", "08F78BB5AF0610D302189F8FCC5A20AA2D28D6E0E1048901-0")
	for name, values := range a.header {
		res.Header[name] = values
	}
	if !a.unsigned {
		a.sign(res.Header, a.body)
	}
	if a.bend != nil {
		a.bend(res)
	}
	return res, nil
}

func (a answer) sign(header http.Header, body string) {
	key := a.key
	if key == nil {
		key = testKeys().platform
	}
	timestamp := strconv.FormatInt(time.Now().Add(a.ahead).Unix(), 10)
	message := apiv3.AppendResponseMessage(nil, timestamp, "nonce", []byte(body))
	setSignature(header, timestamp, testKeyID, signatureOf(key, message))
}

// signatures are those that were made: a key makes the same of a message each time, and most answers
// are given many times.
var signatures sync.Map

func signatureOf(key *rsa.PrivateKey, message []byte) []byte {
	type signed struct {
		key    *rsa.PrivateKey
		digest [sha256.Size]byte
	}
	what := signed{key, sha256.Sum256(message)}
	if known, ok := signatures.Load(what); ok {
		return known.([]byte)
	}
	signature, err := apiv3.RSA().Sign(key, message)
	if err != nil {
		panic(err)
	}
	signatures.Store(what, signature)
	return signature
}

func setSignature(header http.Header, timestamp, serial string, signature []byte) {
	header.Set(apiv3.HeaderTimestamp, timestamp)
	header.Set(apiv3.HeaderNonce, "nonce")
	header.Set(apiv3.HeaderSerial, serial)
	header.Set(apiv3.HeaderSignature, base64.StdEncoding.EncodeToString(signature))
	header.Set(apiv3.HeaderSignatureType, "WECHATPAY2-SHA256-RSA2048")
}

// requireSigned checks that the Authorization of req covers exactly this target and body.
func requireSigned(t testing.TB, req *http.Request, target, body string) {
	t.Helper()
	a, err := apiv3.ParseAuthorization(req.Header.Get("Authorization"))
	require.NoError(t, err)
	signature, err := base64.StdEncoding.DecodeString(a.Signature)
	require.NoError(t, err)
	message := apiv3.AppendRequestMessage(nil, req.Method, target, a.Timestamp, a.Nonce, []byte(body))
	require.NoError(t, apiv3.RSA().Verify(testKeys().merchant.Public(), message, signature))
}
