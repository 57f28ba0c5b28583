package peers

import (
	"bytes"
	"context"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"
)

// Who calls, in every contestant.
const (
	MerchantID  = "1900000109"
	Serial      = "5A3C9E0B7D1F4826A0B1C2D3E4F5061728394A5B"
	PublicKeyID = "PUB_KEY_ID_0119000001092025010100000000000001"
	APIv3Key    = "TestOnlyAPIv3Key0123456789abcdef"
	Platform    = "https://api.mch.weixin.qq.com"
)

// KeysFile is the variable of the environment that names a file with both keys, as SaveKeys writes
// it. Making keys takes memory, which a process that is measured has to be spared.
const KeysFile = "PEERS_KEYS"

// Keys are the merchant's and the platform's, made or read when they are first asked for.
var Keys = sync.OnceValues(func() (merchant, platform *rsa.PrivateKey) {
	if file := os.Getenv(KeysFile); file != "" {
		return load(file)
	}
	return generate(), generate()
})

// SaveKeys writes both keys to a file for processes that this one starts.
func SaveKeys(file string) error {
	merchant, platform := Keys()
	text := append(x509.MarshalPKCS1PrivateKey(merchant), x509.MarshalPKCS1PrivateKey(platform)...)
	return os.WriteFile(file, text, 0o600)
}

func load(file string) (merchant, platform *rsa.PrivateKey) {
	text, err := os.ReadFile(file)
	if err != nil {
		panic(err)
	}
	var keys [2]*rsa.PrivateKey
	for i := range keys {
		var der asn1.RawValue
		if text, err = asn1.Unmarshal(text, &der); err != nil {
			panic(err)
		}
		if keys[i], err = x509.ParsePKCS1PrivateKey(der.FullBytes); err != nil {
			panic(err)
		}
	}
	return keys[0], keys[1]
}

func generate() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
}

// MerchantPEM is the merchant's private key as a file holds it, for those who read it so.
func MerchantPEM() []byte {
	merchant, _ := Keys()
	der, err := x509.MarshalPKCS8PrivateKey(merchant)
	if err != nil {
		panic(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// PlatformPEM is the platform's public key as a file holds it.
func PlatformPEM() []byte {
	_, platform := Keys()
	der, err := x509.MarshalPKIXPublicKey(&platform.PublicKey)
	if err != nil {
		panic(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

// Config has the keys and settings of a contestant.
type Config struct {
	// Transport replaces the contestant's default; nil keeps the default.
	Transport http.RoundTripper
	// Timeout is http.Client's, of those that have one, for a Transport of our own; 0 is none. (A
	// client of net/http starts a goroutine for it, which it does not with its own transport, so it
	// would count against those who have it.) wxpay and the floor have their time limits always.
	Timeout time.Duration
	// Base is scheme and host of the gateway.
	Base string
	// Signer, if set, signs in place of the key in memory. Only wxpay takes one.
	Signer crypto.Signer
}

// Client is a contestant. Each function does a piece of work once, as a user of that client would
// write it, and fails if the result is not the expected one. One that is nil cannot be done, or not
// without leaving the client's own ways.
type Client struct {
	Feed     func(ctx context.Context) error
	Order    func(ctx context.Context) error
	Transfer func(ctx context.Context) error
	Upload   func(ctx context.Context) error
	Notify   func(req *http.Request) error
	// Handle serves a notification with HTTP, as the handler of a server: 204 if it is the expected
	// one. The floor is bare; wxpay remembers in memory what it has processed.
	Handle http.HandlerFunc
	// Bill writes what a download address leads to, unpacked if it was packed, and compares its
	// digest if the client does that.
	Bill func(ctx context.Context, url string, packed bool, sha1sum string, w io.Writer) error
}

// What is sent.
const (
	FeedPath     = "/v3/brand/partner/card-member/user-feeds"
	OrderPath    = "/v3/pay/transactions/out-trade-no/"
	OrderNumber  = "ABC-001"
	TransferPath = "/v3/transfer/batches"
	UploadPath   = "/v3/merchant/media/upload"
	Receivers    = 10
)

// Feed is the body of the member feed.
type Feed struct {
	Brand   string `json:"brand_id"`
	Card    string `json:"card_id"`
	Message string `json:"cell_message"`
	OpenID  string `json:"openid"`
	Number  string `json:"out_request_no"`
	Code    string `json:"user_card_code"`
}

// FeedBody is the body that every contestant sends, in the form that it likes best.
var FeedBody = Feed{
	"1004", "pbLatjvWOibDc5-TBnbUk1pD12o0", "15_1200_1", "obLatjnx9gnqzS4myYGmLZ7LgLBA", "100002322019090134234sfdf", "478515832665",
}

// Picture is the file of the upload: 2 MB that do not compress.
var Picture = sync.OnceValue(func() []byte {
	data := make([]byte, 2<<20)
	_, _ = rand.Read(data)
	return data
})

// Answers of the canned gateway.
const (
	feedAnswer     = `{"brand_id":"1004","card_id":"pbLatjvWOibDc5-TBnbUk1pD12o0","user_card_code":"478515832665","openid":"obLatjnx9gnqzS4myYGmLZ7LgLBA","out_request_no":"100002322019090134234sfdf","cell_message":"15_1200_1"}`
	orderAnswer    = `{"amount":{"currency":"CNY","payer_currency":"CNY","payer_total":100,"total":100},"appid":"wxd678efh567hg6787","attach":"","bank_type":"OTHERS","mchid":"1900000109","out_trade_no":"ABC-001","payer":{"openid":"oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"},"promotion_detail":[],"success_time":"2026-11-24T10:34:56+08:00","trade_state":"SUCCESS","trade_state_desc":"支付成功","trade_type":"JSAPI","transaction_id":"4200001234202611240123456789"}`
	transferAnswer = `{"out_batch_no":"plfk2020042013","batch_id":"1030000071100999991182020050700019480001","create_time":"2026-11-24T10:34:56+08:00","batch_status":"ACCEPTED"}`
	uploadAnswer   = `{"media_id":"H1ihR9JUtVj-J7CJqBUY5ZOrG_Je75H-rKhTG7FUmg9sxNTbRN54dFiUHnhg"}`
)

// Gateway answers every request at once with a signed answer that was made beforehand. It reads the
// request's body, as a connection would, and checks nothing.
type Gateway struct {
	feed, order, transfer, upload *answer
}

type answer struct {
	body   string
	header http.Header
}

// NewGateway signs its answers with the present time: use it within minutes, since clients refuse
// old ones.
func NewGateway() *Gateway {
	return &Gateway{newAnswer(feedAnswer), newAnswer(orderAnswer), newAnswer(transferAnswer), newAnswer(uploadAnswer)}
}

func newAnswer(body string) *answer {
	h := http.Header{}
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Request-Id", "08F78BB5AF0610D302189F8FCC5A20AA2D28D6E0E1048901-0")
	SignHeader(h, []byte(body))
	return &answer{body, h}
}

// SignHeader puts the platform's signature of a body into a header.
func SignHeader(h http.Header, body []byte) {
	_, platform := Keys()
	timestamp, nonce := strconv.FormatInt(time.Now().Unix(), 10), "804c37132dbc174cd7add22556a05f46"
	digest := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%s\n", timestamp, nonce, body))
	signature, err := rsa.SignPKCS1v15(rand.Reader, platform, crypto.SHA256, digest[:])
	if err != nil {
		panic(err)
	}
	h.Set("Wechatpay-Nonce", nonce)
	h.Set("Wechatpay-Serial", PublicKeyID)
	h.Set("Wechatpay-Timestamp", timestamp)
	h.Set("Wechatpay-Signature", base64.StdEncoding.EncodeToString(signature))
	h.Set("Wechatpay-Signature-Type", "WECHATPAY2-SHA256-RSA2048")
}

func (g *Gateway) answer(path string) *answer {
	switch path {
	case TransferPath:
		return g.transfer
	case UploadPath:
		return g.upload
	case OrderPath + OrderNumber:
		return g.order
	}
	return g.feed // and gopay's stand-in for it
}

// RoundTrip responds in process.
func (g *Gateway) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		_, err := io.Copy(io.Discard, req.Body)
		if err != nil {
			return nil, err
		}
		_ = req.Body.Close()
	}
	a := g.answer(req.URL.Path)
	return &http.Response{
		StatusCode: 200, Status: "200 OK", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: a.header,
		Body: io.NopCloser(bytes.NewReader([]byte(a.body))), ContentLength: int64(len(a.body)), Request: req,
	}, nil
}

// ServeHTTP responds over a connection.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	_, _ = io.Copy(io.Discard, req.Body)
	a := g.answer(req.URL.Path)
	for name, values := range a.header {
		w.Header()[name] = values
	}
	_, _ = io.WriteString(w, a.body)
}

// Notification returns header and body of a payment notification.
func Notification() (http.Header, []byte) {
	const resource = `{"amount":{"currency":"CNY","payer_currency":"CNY","payer_total":100,"total":100},"appid":"wxd678efh567hg6787","attach":"","bank_type":"OTHERS","mchid":"1900000109","out_trade_no":"ABC-001","payer":{"openid":"oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"},"success_time":"2026-11-24T10:34:56+08:00","trade_state":"SUCCESS","trade_state_desc":"支付成功","trade_type":"JSAPI","transaction_id":"4200001234202611240123456789"}`
	block, err := aes.NewCipher([]byte(APIv3Key))
	if err != nil {
		panic(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	const nonce, associated = "fdasfjihihih", "transaction"
	body, err := json.Marshal(map[string]any{
		"id": "EV-2018022511223320873", "create_time": time.Now().Format(time.RFC3339), "resource_type": "encrypt-resource",
		"event_type": "TRANSACTION.SUCCESS", "summary": "支付成功",
		"resource": map[string]string{
			"original_type": "transaction", "algorithm": "AEAD_AES_256_GCM", "nonce": nonce, "associated_data": associated,
			"ciphertext": base64.StdEncoding.EncodeToString(gcm.Seal(nil, []byte(nonce), []byte(resource), []byte(associated))),
		},
	})
	if err != nil {
		panic(err)
	}
	header := http.Header{"Content-Type": {"application/json"}}
	SignHeader(header, body)
	return header, body
}

// Expect is the check at the end of every piece of work.
func Expect(got, want string) error {
	if got != want {
		return fmt.Errorf("the result is %q, not %q", got, want)
	}
	return nil
}
