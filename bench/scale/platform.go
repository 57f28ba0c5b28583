package main

import (
	"bytes"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/webhook"
)

const (
	merchantID = "1900000109"
	serial     = "5A3C9E0B7D1F4826A0B1C2D3E4F5061728394A5B"
	keyID      = "PUB_KEY_ID_0119000001092025010100000000000001"
	apiv3Key   = "TestOnlyAPIv3Key0123456789abcdef"
	feedsPath  = "v3/brand/partner/card-member/user-feeds"
)

// platform has the keys of both sides. It answers every call at once with the same signed answer.
type platform struct {
	key, merchant *rsa.PrivateKey
	answer        http.Header
}

const feedAnswer = `{"brand_id":"1004"}`

func newPlatform() (*platform, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	merchant, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	p := &platform{key: key, merchant: merchant}
	p.answer, err = p.sign([]byte(feedAnswer))
	return p, err
}

// sign returns the header of an answer or a notification with this body.
func (p *platform) sign(body []byte) (http.Header, error) {
	timestamp, nonce := strconv.FormatInt(time.Now().Unix(), 10), rand.Text()
	sum := sha256.Sum256([]byte(timestamp + "\n" + nonce + "\n" + string(body) + "\n"))
	signature, err := rsa.SignPKCS1v15(nil, p.key, crypto.SHA256, sum[:])
	if err != nil {
		return nil, err
	}
	return http.Header{
		"Content-Type": {"application/json"}, "Wechatpay-Nonce": {nonce}, "Wechatpay-Timestamp": {timestamp}, "Wechatpay-Serial": {keyID},
		"Wechatpay-Signature": {base64.StdEncoding.EncodeToString(signature)}, "Wechatpay-Signature-Type": {"WECHATPAY2-SHA256-RSA2048"},
	}, nil
}

// RoundTrip answers in the process, so that no network is measured.
func (p *platform) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		if _, err := io.Copy(io.Discard, req.Body); err != nil {
			return nil, err
		}
		_ = req.Body.Close()
	}
	return &http.Response{
		StatusCode: 200, Status: "200 OK", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: p.answer,
		Body: io.NopCloser(bytes.NewReader([]byte(feedAnswer))), ContentLength: int64(len(feedAnswer)), Request: req,
	}, nil
}

// client is a merchant's, who makes member feeds.
func (p *platform) client() (*wxpay.Client, error) {
	var err error
	if p.answer, err = p.sign([]byte(feedAnswer)); err != nil { // the last one may be too old by now
		return nil, err
	}
	return wxpay.New(wxpay.Merchant{ID: merchantID, Serial: serial, PrivateKey: p.merchant, APIv3Key: apiv3Key},
		wxpay.WithPublicKey(keyID, &p.key.PublicKey), wxpay.WithTransport(p))
}

func feed(number string) map[string]string {
	return map[string]string{
		"brand_id": "1004", "card_id": "pbLatjvWOibDc5-TBnbUk1pD12o0", "cell_message": "15_1200_1", "openid": "obLatjnx9gnqzS4myYGmLZ7LgLBA",
		"out_request_no": number, "user_card_code": "478515832665",
	}
}

// handler takes the payments of notification.
func (p *platform) handler(d webhook.Deduper) (*webhook.Handler, error) {
	keys, err := apiv3.NewKeySet(apiv3.PlatformKey{Serial: keyID, Key: &p.key.PublicKey})
	if err != nil {
		return nil, err
	}
	return webhook.New(webhook.Merchant{ID: merchantID, APIv3Key: apiv3Key, Keys: webhook.Static(keys)},
		webhook.WithDeduper(d), webhook.WithLogger(slog.New(slog.DiscardHandler)))
}

// notification is one that a server received.
type notification struct {
	header http.Header
	body   []byte
}

// notifications returns n of different payments.
func (p *platform) notifications(n int, prefix string) ([]notification, error) {
	block, err := aes.NewCipher([]byte(apiv3Key))
	if err != nil {
		return nil, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	const nonce, associated = "fdasfjihihih", "transaction"
	all := make([]notification, n)
	for i := range all {
		number := fmt.Sprintf("%s%06d", prefix, i)
		resource := `{"amount":{"currency":"CNY","payer_currency":"CNY","payer_total":100,"total":100},"appid":"wxd678efh567hg6787","attach":"",` +
			`"bank_type":"OTHERS","mchid":"` + merchantID + `","out_trade_no":"` + number + `","payer":{"openid":"oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"},` +
			`"promotion_detail":[],"success_time":"2026-11-24T10:34:56+08:00","trade_state":"SUCCESS","trade_state_desc":"支付成功",` +
			`"trade_type":"JSAPI","transaction_id":"42000012342026112401` + number + `"}`
		all[i].body, err = json.Marshal(map[string]any{
			"id": "EV-" + number, "create_time": time.Now().Format(time.RFC3339), "resource_type": "encrypt-resource",
			"event_type": "TRANSACTION.SUCCESS", "summary": "支付成功",
			"resource": map[string]string{
				"original_type": "transaction", "algorithm": "AEAD_AES_256_GCM", "nonce": nonce, "associated_data": associated,
				"ciphertext": base64.StdEncoding.EncodeToString(gcm.Seal(nil, []byte(nonce), []byte(resource), []byte(associated))),
			},
		})
		if err == nil {
			all[i].header, err = p.sign(all[i].body)
		}
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}
