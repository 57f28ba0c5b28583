// Package plumbing has the code that users of a general HTTP client write once for WeChat Pay: a
// transport that signs requests and verifies responses, encryption of fields, and decryption of
// notifications.
package plumbing

import (
	"bytes"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/bench/tasks"
)

// Base is the gateway.
const Base = "https://api.mch.weixin.qq.com"

// Signed is a transport that signs requests and verifies responses.
type Signed struct{ tasks.Config }

// MetaHeader carries the signed part of an upload in place of its body. It is not sent.
const MetaHeader = "X-Signed-Meta"

// RoundTrip implements http.RoundTripper.
func (s Signed) RoundTrip(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		var err error
		if body, err = io.ReadAll(req.Body); err != nil {
			return nil, err
		}
	}
	req = req.Clone(req.Context())
	req.Body = io.NopCloser(bytes.NewReader(body))
	message := string(body)
	if meta := req.Header.Get(MetaHeader); meta != "" {
		message = meta
		req.Header.Del(MetaHeader)
	}
	timestamp, nonce := strconv.FormatInt(time.Now().Unix(), 10), rand.Text()
	digest := sha256.Sum256([]byte(req.Method + "\n" + req.URL.RequestURI() + "\n" + timestamp + "\n" + nonce + "\n" + message + "\n"))
	signature, err := rsa.SignPKCS1v15(rand.Reader, s.Key, crypto.SHA256, digest[:])
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", fmt.Sprintf(`WECHATPAY2-SHA256-RSA2048 mchid="%s",nonce_str="%s",timestamp="%s",serial_no="%s",signature="%s"`,
		s.MchID, nonce, timestamp, s.Serial, base64.StdEncoding.EncodeToString(signature)))
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Wechatpay-Serial", s.PublicKeyID)
	res, err := s.Transport.RoundTrip(req)
	if err != nil || strings.HasPrefix(req.URL.Path, "/v3/billdownload/") { // files carry no signature
		return res, err
	}
	answer, err := io.ReadAll(res.Body)
	res.Body.Close()
	if err != nil {
		return nil, err
	}
	if err := s.Verify(res.Header, answer); err != nil {
		return nil, err
	}
	res.Body = io.NopCloser(bytes.NewReader(answer))
	return res, nil
}

// Verify checks the platform's signature of a response or a notification.
func (s Signed) Verify(h http.Header, body []byte) error {
	timestamp := h.Get("Wechatpay-Timestamp")
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || time.Since(time.Unix(seconds, 0)).Abs() > 5*time.Minute {
		return errors.New("the signature is too old, or has no time")
	}
	if h.Get("Wechatpay-Serial") != s.PublicKeyID {
		return errors.New("the signature is by an unknown key")
	}
	signature, err := base64.StdEncoding.DecodeString(h.Get("Wechatpay-Signature"))
	if err != nil {
		return err
	}
	digest := sha256.Sum256([]byte(timestamp + "\n" + h.Get("Wechatpay-Nonce") + "\n" + string(body) + "\n"))
	return rsa.VerifyPKCS1v15(s.PublicKey, crypto.SHA256, digest[:], signature)
}

// Encrypt encrypts a sensitive field.
func (s Signed) Encrypt(text string) (string, error) {
	ciphertext, err := rsa.EncryptOAEP(sha1.New(), rand.Reader, s.PublicKey, []byte(text), nil)
	return base64.StdEncoding.EncodeToString(ciphertext), err
}

// Open verifies and decrypts a notification.
func (s Signed) Open(h http.Header, body []byte) (event string, resource []byte, err error) {
	if err := s.Verify(h, body); err != nil {
		return "", nil, err
	}
	var n struct {
		Event    string `json:"event_type"`
		Resource struct {
			Ciphertext string `json:"ciphertext"`
			Nonce      string `json:"nonce"`
			Associated string `json:"associated_data"`
		} `json:"resource"`
	}
	if err := json.Unmarshal(body, &n); err != nil {
		return "", nil, err
	}
	block, err := aes.NewCipher([]byte(s.APIv3Key))
	if err != nil {
		return "", nil, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return "", nil, err
	}
	ciphertext, err := base64.StdEncoding.DecodeString(n.Resource.Ciphertext)
	if err != nil {
		return "", nil, err
	}
	resource, err = gcm.Open(nil, []byte(n.Resource.Nonce), ciphertext, []byte(n.Resource.Associated))
	return n.Event, resource, err
}

// Fail is the error of a rejected call.
type Fail struct {
	Status  int    `json:"-"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

func (f *Fail) Error() string { return fmt.Sprintf("%d %s: %s", f.Status, f.Code, f.Message) }
