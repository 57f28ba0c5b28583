// Package floor is what a careful programmer writes without a client: net/http and crypto, nothing
// checked twice and nothing left out that money needs (the answer's signature, its window, its
// key).
package floor

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/bench/peers"
)

type caller struct {
	client   *http.Client // without Timeout, which costs a goroutine with every transport but net/http's own
	base     string
	key      *rsa.PrivateKey
	platform *rsa.PublicKey
	gcm      cipher.AEAD
}

// New returns the floor. Its own transport has a pool that is large enough, which net/http's
// default has not.
func New(config peers.Config) (*peers.Client, error) {
	key, platform := peers.Keys()
	block, err := aes.NewCipher([]byte(peers.APIv3Key))
	if err != nil {
		return nil, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	rt := config.Transport
	if rt == nil {
		pool := http.DefaultTransport.(*http.Transport).Clone()
		pool.MaxIdleConns, pool.MaxIdleConnsPerHost = 256, 256
		rt = pool
	}
	c := &caller{&http.Client{Transport: rt}, config.Base, key, &platform.PublicKey, gcm}
	return &peers.Client{Feed: c.feed, Order: c.order, Transfer: c.transfer, Upload: c.upload, Notify: c.notify, Handle: c.handle, Bill: c.bill}, nil
}

func (c *caller) feed(ctx context.Context) error {
	body, err := json.Marshal(&peers.FeedBody)
	if err != nil {
		return err
	}
	var answer struct {
		Number string `json:"out_request_no"`
	}
	if err := c.call(ctx, "POST", peers.FeedPath, body, &answer); err != nil {
		return err
	}
	return peers.Expect(answer.Number, peers.FeedBody.Number)
}

func (c *caller) order(ctx context.Context) error {
	var answer struct {
		State  string `json:"trade_state"`
		Amount struct {
			Total int64 `json:"total"`
		} `json:"amount"`
	}
	if err := c.call(ctx, "GET", peers.OrderPath+peers.OrderNumber+"?mchid="+peers.MerchantID, nil, &answer); err != nil {
		return err
	}
	return peers.Expect(answer.State, "SUCCESS")
}

// batch is a transfer to several receivers.
type batch struct {
	AppID   string   `json:"appid"`
	Number  string   `json:"out_batch_no"`
	Name    string   `json:"batch_name"`
	Remark  string   `json:"batch_remark"`
	Total   int64    `json:"total_amount"`
	Count   int      `json:"total_num"`
	Details []detail `json:"transfer_detail_list"`
}

type detail struct {
	Number string `json:"out_detail_no"`
	Amount int64  `json:"transfer_amount"`
	Remark string `json:"transfer_remark"`
	OpenID string `json:"openid"`
	Name   string `json:"user_name"`
}

func (c *caller) transfer(ctx context.Context) error {
	b := batch{"wxf636efh567hg4356", "plfk2020042013", "一月报销", "一月报销", 100 * peers.Receivers, peers.Receivers, make([]detail, peers.Receivers)}
	for i := range b.Details {
		name, err := rsa.EncryptOAEP(sha1.New(), rand.Reader, c.platform, []byte("张三"), nil)
		if err != nil {
			return err
		}
		b.Details[i] = detail{"x23zy545Bd5436" + strconv.Itoa(i), 100, "一月报销", "o-MYE42l80oelYMDE34nYD456Xoy", base64.StdEncoding.EncodeToString(name)}
	}
	body, err := json.Marshal(&b)
	if err != nil {
		return err
	}
	var answer struct {
		State string `json:"batch_status"`
	}
	if err := c.call(ctx, "POST", peers.TransferPath, body, &answer); err != nil {
		return err
	}
	return peers.Expect(answer.State, "ACCEPTED")
}

func (c *caller) upload(ctx context.Context) error {
	picture := peers.Picture()
	digest := sha256.Sum256(picture)
	meta := `{"filename":"picture.png","sha256":"` + hex.EncodeToString(digest[:]) + `"}`
	boundary := rand.Text()
	head := "--" + boundary + "\r\nContent-Disposition: form-data; name=\"meta\"\r\nContent-Type: application/json\r\n\r\n" + meta +
		"\r\n--" + boundary + "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"picture.png\"\r\nContent-Type: image/png\r\n\r\n"
	tail := "\r\n--" + boundary + "--\r\n"
	req, err := http.NewRequestWithContext(ctx, "POST", c.base+peers.UploadPath, io.MultiReader(strings.NewReader(head), bytes.NewReader(picture), strings.NewReader(tail)))
	if err != nil {
		return err
	}
	req.ContentLength = int64(len(head) + len(picture) + len(tail))
	req.Header.Set("Content-Type", "multipart/form-data; boundary="+boundary)
	var answer struct {
		ID string `json:"media_id"`
	}
	if err := c.send(req, []byte(meta), &answer); err != nil {
		return err
	}
	return peers.Expect(answer.ID, "H1ihR9JUtVj-J7CJqBUY5ZOrG_Je75H-rKhTG7FUmg9sxNTbRN54dFiUHnhg")
}

func (c *caller) call(ctx context.Context, method, target string, body []byte, answer any) error {
	ctx, stop := context.WithTimeout(ctx, 30*time.Second)
	defer stop()
	var reader io.Reader
	if body != nil {
		reader = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+target, reader)
	if err != nil {
		return err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return c.send(req, body, answer)
}

func (c *caller) sign(req *http.Request, body []byte) error {
	nonce, timestamp := rand.Text(), strconv.FormatInt(time.Now().Unix(), 10)
	digest := sha256.Sum256([]byte(req.Method + "\n" + req.URL.RequestURI() + "\n" + timestamp + "\n" + nonce + "\n" + string(body) + "\n"))
	signature, err := rsa.SignPKCS1v15(rand.Reader, c.key, crypto.SHA256, digest[:])
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", fmt.Sprintf(`WECHATPAY2-SHA256-RSA2048 mchid="%s",nonce_str="%s",timestamp="%s",serial_no="%s",signature="%s"`,
		peers.MerchantID, nonce, timestamp, peers.Serial, base64.StdEncoding.EncodeToString(signature)))
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "floor/1.0")
	req.Header.Set("Wechatpay-Serial", peers.PublicKeyID)
	return nil
}

func (c *caller) send(req *http.Request, signed []byte, answer any) error {
	if err := c.sign(req, signed); err != nil {
		return err
	}
	res, err := c.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode != 200 {
		return fmt.Errorf("status %d", res.StatusCode)
	}
	if err := c.verify(res.Header, body); err != nil {
		return err
	}
	return json.Unmarshal(body, answer)
}

func (c *caller) verify(header http.Header, body []byte) error {
	timestamp := header.Get("Wechatpay-Timestamp")
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		return err
	}
	if age := time.Since(time.Unix(seconds, 0)); age > 5*time.Minute || age < -5*time.Minute {
		return errors.New("the answer is too old")
	}
	if header.Get("Wechatpay-Serial") != peers.PublicKeyID {
		return errors.New("the key is unknown")
	}
	signature, err := base64.StdEncoding.DecodeString(header.Get("Wechatpay-Signature"))
	if err != nil {
		return err
	}
	digest := sha256.Sum256([]byte(timestamp + "\n" + header.Get("Wechatpay-Nonce") + "\n" + string(body) + "\n"))
	return rsa.VerifyPKCS1v15(c.platform, crypto.SHA256, digest[:], signature)
}

func (c *caller) handle(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, 1<<20))
	if err == nil {
		err = c.open(req.Header, body)
	}
	if err != nil {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (c *caller) notify(req *http.Request) error {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return err
	}
	return c.open(req.Header, body)
}

func (c *caller) open(header http.Header, body []byte) error {
	if err := c.verify(header, body); err != nil {
		return err
	}
	var event struct {
		ID       string `json:"id"`
		Type     string `json:"event_type"`
		Resource struct {
			Nonce      string `json:"nonce"`
			Associated string `json:"associated_data"`
			Ciphertext string `json:"ciphertext"`
		} `json:"resource"`
	}
	if err := json.Unmarshal(body, &event); err != nil {
		return err
	}
	ciphertext, err := base64.StdEncoding.DecodeString(event.Resource.Ciphertext)
	if err != nil {
		return err
	}
	plaintext, err := c.gcm.Open(nil, []byte(event.Resource.Nonce), ciphertext, []byte(event.Resource.Associated))
	if err != nil {
		return err
	}
	var payment struct {
		Number string `json:"out_trade_no"`
		State  string `json:"trade_state"`
		Amount struct {
			Total int64 `json:"total"`
		} `json:"amount"`
	}
	if err := json.Unmarshal(plaintext, &payment); err != nil {
		return err
	}
	return peers.Expect(payment.Number, peers.OrderNumber)
}

// bill streams: every byte goes through the digest and out.
func (c *caller) bill(ctx context.Context, url string, packed bool, sha1sum string, w io.Writer) error {
	req, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		return err
	}
	if err := c.sign(req, nil); err != nil {
		return err
	}
	req.Header.Set("Accept-Encoding", "identity")
	res, err := c.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != 200 {
		return fmt.Errorf("status %d", res.StatusCode)
	}
	var body io.Reader = res.Body
	if packed {
		if body, err = gzip.NewReader(body); err != nil {
			return err
		}
	}
	digest := sha1.New()
	if _, err := io.Copy(io.MultiWriter(w, digest), body); err != nil {
		return err
	}
	return peers.Expect(hex.EncodeToString(digest.Sum(nil)), sha1sum)
}
