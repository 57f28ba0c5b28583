package peers_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"regexp"
	"testing"

	"github.com/wxpay-go/wxpay/bench/peers"
	"github.com/wxpay-go/wxpay/bench/peers/internal/bill"
)

// inspector looks at every request before the gateway responds.
type inspector struct {
	gateway *peers.Gateway
	look    func(req *http.Request, body []byte) error
	spoil   bool // responds with a signature that is not the platform's
}

func (i *inspector) RoundTrip(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		var err error
		if body, err = io.ReadAll(req.Body); err != nil {
			return nil, err
		}
		req.Body = io.NopCloser(bytes.NewReader(body))
	}
	if err := i.look(req, body); err != nil {
		return nil, err
	}
	res, err := i.gateway.RoundTrip(req)
	if err == nil && i.spoil {
		res.Header = res.Header.Clone()
		res.Header.Set("Wechatpay-Signature", base64.StdEncoding.EncodeToString(make([]byte, 256)))
	}
	return res, err
}

var authorization = regexp.MustCompile(`^WECHATPAY2-SHA256-RSA2048 mchid="(\d+)",nonce_str="(\w+)",(?:signature="([^"]+)",` +
	`)?timestamp="(\d+)",serial_no="(\w+)"(?:,signature="([^"]+)")?$`)

// signed checks a request's signature as the platform would.
func signed(req *http.Request, body []byte) error {
	found := authorization.FindStringSubmatch(req.Header.Get("Authorization"))
	if found == nil {
		return fmt.Errorf("the header is %s", req.Header.Get("Authorization"))
	}
	signature, err := base64.StdEncoding.DecodeString(found[3] + found[6])
	if err != nil {
		return err
	}
	merchant, _ := peers.Keys()
	digest := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%s\n%s\n%s\n", req.Method, req.URL.RequestURI(), found[4], found[2], body))
	return rsa.VerifyPKCS1v15(&merchant.PublicKey, crypto.SHA256, digest[:], signature)
}

// The comparison is worth nothing unless everybody does the work: signs what is sent, encrypts
// every name, and sends the file with its digest.
func TestEverybodyDoesTheWork(t *testing.T) {
	if rsaOut() {
		t.Skip("RSA is taken out")
	}
	_, platform := peers.Keys()
	for _, c := range contestants {
		t.Run(c.name, func(t *testing.T) {
			transport := &inspector{gateway: peers.NewGateway()}
			client := c.new(t, peers.Config{Transport: transport})
			ctx := context.Background()

			transport.look = func(req *http.Request, body []byte) error {
				var feed peers.Feed
				if err := json.Unmarshal(body, &feed); err != nil {
					return err
				}
				if feed != peers.FeedBody {
					return fmt.Errorf("the body is %s", body)
				}
				return signed(req, body)
			}
			check(t, client.Feed(ctx))

			transport.look = func(req *http.Request, body []byte) error {
				if target := req.URL.RequestURI(); target != peers.OrderPath+peers.OrderNumber+"?mchid="+peers.MerchantID {
					return fmt.Errorf("the target is %s", target)
				}
				return signed(req, body)
			}
			check(t, client.Order(ctx))

			transport.look = func(req *http.Request, body []byte) error {
				var transfer struct {
					Details []struct {
						Name string `json:"user_name"`
					} `json:"transfer_detail_list"`
				}
				if err := json.Unmarshal(body, &transfer); err != nil {
					return err
				}
				if len(transfer.Details) != peers.Receivers || req.Header.Get("Wechatpay-Serial") != peers.PublicKeyID {
					return fmt.Errorf("%d receivers, key %s", len(transfer.Details), req.Header.Get("Wechatpay-Serial"))
				}
				for _, detail := range transfer.Details {
					ciphertext, err := base64.StdEncoding.DecodeString(detail.Name)
					if err != nil {
						return err
					}
					name, err := rsa.DecryptOAEP(sha1.New(), nil, platform, ciphertext, nil)
					if err != nil || string(name) != "张三" {
						return fmt.Errorf("the name is %s, %w", name, err)
					}
				}
				return signed(req, body)
			}
			check(t, client.Transfer(ctx))

			transport.look = func(req *http.Request, body []byte) error {
				_, parameters, err := mime.ParseMediaType(req.Header.Get("Content-Type"))
				if err != nil {
					return err
				}
				form, err := multipart.NewReader(bytes.NewReader(body), parameters["boundary"]).ReadForm(8 << 20)
				if err != nil {
					return err
				}
				file, err := form.File["file"][0].Open()
				if err != nil {
					return err
				}
				sum := sha256.New()
				if _, err := io.Copy(sum, file); err != nil {
					return err
				}
				meta := form.Value["meta"][0]
				var told struct{ SHA256 string }
				if err := json.Unmarshal([]byte(meta), &told); err != nil {
					return err
				}
				if want := fmt.Sprintf("%x", sum.Sum(nil)); told.SHA256 != want {
					return fmt.Errorf("the digest is %s, not %s", told.SHA256, want)
				}
				return signed(req, []byte(meta))
			}
			check(t, client.Upload(ctx))

			header, body := peers.Notification()
			check(t, client.Notify(notification(header, body)))
			if status := handled(client, header, body); status != http.StatusNoContent && client.Handle != nil {
				t.Errorf("a notification was responded to with %d", status)
			}
		})
	}
}

// handled returns the status of a client's handler, 0 without one.
func handled(client *peers.Client, header http.Header, body []byte) int {
	if client.Handle == nil {
		return 0
	}
	w := connection{}
	client.Handle(&w, notification(header, body))
	return w.status
}

// And everybody looks at what comes back: one that did not would be faster, and wrong.
func TestEverybodyVerifies(t *testing.T) {
	if rsaOut() {
		t.Skip("RSA is taken out")
	}
	for _, c := range contestants {
		t.Run(c.name, func(t *testing.T) {
			client := c.new(t, peers.Config{Transport: &inspector{gateway: peers.NewGateway(), look: signedOrNot, spoil: true}})
			for name, work := range map[string]func(context.Context) error{"feed": client.Feed, "order": client.Order,
				"transfer": client.Transfer, "upload": client.Upload} {
				if err := work(context.Background()); err == nil {
					t.Errorf("%s: an answer that the platform did not sign was accepted", name)
				}
			}
			header, body := peers.Notification()
			body = bytes.Replace(body, []byte("EV-"), []byte("EX-"), 1)
			if err := client.Notify(notification(header, body)); err == nil {
				t.Error("a notification that the platform did not sign was accepted")
			}
			if status := handled(client, header, body); status != http.StatusUnauthorized && client.Handle != nil {
				t.Errorf("a notification that the platform did not sign was responded to with %d", status)
			}
		})
	}
}

func signedOrNot(*http.Request, []byte) error { return nil }

// Everybody brings the whole bill, packed or not.
func TestEverybodyFetchesBills(t *testing.T) {
	server, err := bill.NewServer()
	if err != nil {
		t.Fatal(err)
	}
	gateway := httptest.NewTLSServer(server)
	defer gateway.Close()
	const mib = 32
	for _, c := range contestants {
		client := c.new(t, peers.Config{Base: gateway.URL, Transport: gateway.Client().Transport})
		for token, packed := range map[string]bool{"32": false, "32-gzip": true} {
			sum := sha1.New()
			check(t, client.Bill(context.Background(), gateway.URL+bill.Path+"?token="+token, packed, server.Digest(mib), sum))
			if got := fmt.Sprintf("%x", sum.Sum(nil)); got != server.Digest(mib) {
				t.Errorf("%s, %s: another bill came", c.name, token)
			}
		}
	}
}

func notification(header http.Header, body []byte) *http.Request {
	req := httptest.NewRequest("POST", "https://merchant.example.com/notify", bytes.NewReader(body))
	req.Header = header
	return req
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}
