package peers_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/wxpay-go/wxpay/bench/peers"
)

// The least that a work costs anybody: "harness" is what its benchmark does by itself, and "least"
// adds what the protocol asks of everybody, written as cheaply as we know how. The texts are ready,
// and nothing looks into an answer. A target below least is out of reach. The reasons in package report
// cite these figures; the record has none of them.
func BenchmarkBound(b *testing.B) {
	gateway := peers.NewGateway()
	for _, w := range []struct {
		name, method, path, query string
		body                      int // bytes
		prepare                   func() error
	}{
		{"Feed", "POST", peers.FeedPath, "", 204, nil},
		{"Order", "GET", peers.OrderPath + peers.OrderNumber, "mchid=" + peers.MerchantID, 0, nil},
		{"Transfer", "POST", peers.TransferPath, "", 5500, encryptNames},
	} {
		target := url.URL{Scheme: "https", Host: "api.mch.weixin.qq.com", Path: w.path, RawQuery: w.query}
		body := bytes.Repeat([]byte("x"), w.body)
		reader := bytes.NewReader(body)
		req := &http.Request{Method: w.method, URL: &target, Body: io.NopCloser(reader)}
		bound(b, w.name+"/harness", func() error {
			reader.Reset(body)
			_, err := gateway.RoundTrip(req)
			return err
		})
		bound(b, w.name+"/least", func() error {
			if w.prepare != nil {
				if err := w.prepare(); err != nil {
					return err
				}
			}
			return leastCall(gateway, w.method, target, body)
		})
	}
	header, body := peers.Notification()
	arrive := func() (*http.Request, error) {
		req, err := http.NewRequest("POST", "https://merchant.example.com/notify", io.NopCloser(bytes.NewReader(body)))
		if err == nil {
			req.Header = header
		}
		return req, err
	}
	bound(b, "Notify/harness", func() error { _, err := arrive(); return err })
	open := leastOpen(b, len(body))
	notify := func() error {
		req, err := arrive()
		if err != nil {
			return err
		}
		return open(req)
	}
	bound(b, "Notify/least", notify)
	// A function that hangs must not keep the response back, so it has a goroutine of its own.
	bound(b, "Handle/least", func() error {
		if err := notify(); err != nil {
			return err
		}
		ctx, stop := context.WithTimeout(context.Background(), 5*time.Second)
		defer stop()
		ended := make(chan struct{})
		go close(ended)
		select {
		case <-ended:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
}

func bound(b *testing.B, name string, do func() error) {
	b.Run(name, func(b *testing.B) {
		b.ReportAllocs()
		defer reportProcessorTime(b, peers.ProcessorTime())
		for b.Loop() {
			if err := do(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func encryptNames() error {
	_, platform := peers.Keys()
	var text [400]byte
	for range peers.Receivers {
		name, err := rsa.EncryptOAEP(sha1.New(), rand.Reader, &platform.PublicKey, []byte("张三"), nil)
		if err != nil {
			return err
		}
		base64.StdEncoding.Encode(text[:], name)
	}
	return nil
}

// Values of headers that a client makes once.
var (
	isJSON     = []string{"application/json"}
	leastAgent = []string{"least/1.0"}
	leastKey   = []string{peers.PublicKeyID}
)

type readerBody struct{ bytes.Reader }

func (*readerBody) Close() error { return nil }

// leastCall signs a request, sends it within a time limit, and reads and verifies the answer.
func leastCall(gateway http.RoundTripper, method string, target url.URL, body []byte) error {
	ctx, stop := context.WithTimeout(context.Background(), 30*time.Second)
	defer stop()
	all := &struct { // one piece of memory
		target url.URL
		body   readerBody
		signed [1]string
	}{target: target}
	var messageSpace, headerSpace [640]byte
	nonce := rand.Text()
	message := append(append(messageSpace[:0], method...), '\n')
	message = append(append(message, target.RequestURI()...), '\n')
	begin := len(message)
	message = strconv.AppendInt(message, time.Now().Unix(), 10)
	end := len(message)
	message = append(append(append(message, '\n'), nonce...), '\n')
	message = append(append(message, body...), '\n')
	digest := sha256.Sum256(message)
	key, _ := peers.Keys()
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
	if err != nil {
		return err
	}
	header := append(headerSpace[:0], `WECHATPAY2-SHA256-RSA2048 mchid="`+peers.MerchantID+`",nonce_str="`...)
	header = append(append(header, nonce...), `",timestamp="`...)
	header = append(append(header, message[begin:end]...), `",serial_no="`+peers.Serial+`",signature="`...)
	header = append(base64.StdEncoding.AppendEncode(header, signature), '"')
	all.signed[0] = string(header)
	req := http.Request{
		Method: method, URL: &all.target, Host: target.Host, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Accept": isJSON, "User-Agent": leastAgent, "Wechatpay-Serial": leastKey, "Authorization": all.signed[:]},
	}
	if len(body) > 0 {
		all.body.Reset(body)
		req.Body, req.ContentLength, req.Header["Content-Type"] = &all.body, int64(len(body)), isJSON
	}
	res, err := gateway.RoundTrip(req.WithContext(ctx))
	if err != nil {
		return err
	}
	defer res.Body.Close()
	answer := make([]byte, res.ContentLength)
	if _, err := io.ReadFull(res.Body, answer); err != nil {
		return err
	}
	return leastVerify(res.Header, answer)
}

func leastVerify(header http.Header, body []byte) error {
	timestamp, nonce := header["Wechatpay-Timestamp"][0], header["Wechatpay-Nonce"][0]
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		return err
	}
	if age := time.Now().Unix() - seconds; age > 300 || age < -300 || header["Wechatpay-Serial"][0] != peers.PublicKeyID {
		return errors.New("the answer is too old, or its key is unknown")
	}
	var space [2048]byte
	message := append(append(space[:0], timestamp...), '\n')
	message = append(append(message, nonce...), '\n')
	message = append(append(message, body...), '\n')
	digest := sha256.Sum256(message)
	var signature [400]byte
	n, err := base64.StdEncoding.Decode(signature[:], []byte(header["Wechatpay-Signature"][0]))
	if err != nil {
		return err
	}
	_, platform := peers.Keys()
	return rsa.VerifyPKCS1v15(&platform.PublicKey, crypto.SHA256, digest[:], signature[:n])
}

// leastOpen returns a function that reads and verifies a notification of size bytes, and decrypts a
// resource that is as long as the one in it.
func leastOpen(b *testing.B, size int) func(*http.Request) error {
	block, err := aes.NewCipher([]byte(peers.APIv3Key))
	if err != nil {
		b.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		b.Fatal(err)
	}
	nonce, associated := []byte("fdasfjihihih"), []byte("transaction")
	resource := []byte(base64.StdEncoding.EncodeToString(gcm.Seal(nil, nonce, make([]byte, 410), associated)))
	return func(req *http.Request) error {
		body := make([]byte, size)
		if _, err := io.ReadFull(req.Body, body); err != nil {
			return err
		}
		if err := leastVerify(req.Header, body); err != nil {
			return err
		}
		sealed, err := base64.StdEncoding.AppendDecode(nil, resource)
		if err != nil {
			return err
		}
		_, err = gcm.Open(sealed[:0], nonce, sealed, associated)
		return err
	}
}
