package webhook_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/vectors"
	"github.com/wxpay-go/wxpay/webhook"
)

// FuzzParse: whatever arrives, Parse does not panic, and takes nothing that the key it names did not sign just now. The
// judge is written without package apiv3.
func FuzzParse(f *testing.F) {
	p := vectors.Load(f).Parameters
	keys := map[string]*rsa.PublicKey{
		p.PublicKeyID:        vectors.PublicKey(f, "keys/wechatpay_pub_key.pem"),
		p.CertificateASerial: vectors.PublicKey(f, "keys/platform_a_cert.pem"),
		p.CertificateBSerial: vectors.PublicKey(f, "keys/platform_b_cert.pem"),
	}
	h := vectorHandler(f)
	seeds := 0
	for _, v := range vectors.Load(f).Vectors {
		if v.Kind == "callback" {
			seeds++
			f.Add(v.Headers["Wechatpay-Signature"], v.Headers["Wechatpay-Serial"], v.Headers["Wechatpay-Timestamp"],
				v.Headers["Wechatpay-Nonce"], v.Headers["Wechatpay-Signature-Type"], []byte(v.Body), 0)
			f.Add(v.Headers["Wechatpay-Signature"], p.CertificateBSerial, v.Headers["Wechatpay-Timestamp"],
				v.Headers["Wechatpay-Nonce"], "", []byte(v.Body+"\n"), 3)
		}
	}
	if seeds == 0 {
		f.Fatal("there are no callback vectors")
	}
	f.Add("", "", "", "", "", []byte(nil), 31)
	f.Fuzz(func(t *testing.T, signature, serial, timestamp, nonce, kind string, body []byte, twice int) {
		header := make(map[string][]string)
		for i, pair := range [...][2]string{
			{"Wechatpay-Signature", signature}, {"Wechatpay-Serial", serial}, {"Wechatpay-Timestamp", timestamp},
			{"wechatpay-nonce", nonce}, {"WECHATPAY-SIGNATURE-TYPE", kind},
		} {
			header[pair[0]] = []string{pair[1]}
			if twice>>i&1 == 1 {
				header[pair[0]] = append(header[pair[0]], pair[1])
			}
		}
		e, err := h.Parse(t.Context(), header, body)
		if (e == nil) == (err == nil) {
			t.Fatalf("event %v with error %v", e, err)
		}
		if err != nil {
			if strings.ContainsAny(err.Error(), "\r\n\x00") {
				t.Fatalf("the error breaks the line: %q", err)
			}
			return
		}
		seconds, err := strconv.Atoi(timestamp)
		if skew := p.Now().Unix() - int64(seconds); err != nil || skew > 300 || skew < -300 {
			t.Fatalf("it took the timestamp %q", timestamp)
		}
		raw, err := base64.StdEncoding.DecodeString(signature)
		if err != nil {
			t.Fatalf("it took the signature %q", signature)
		}
		digest := sha256.Sum256([]byte(timestamp + "\n" + nonce + "\n" + string(body) + "\n"))
		if keys[serial] == nil || rsa.VerifyPKCS1v15(keys[serial], crypto.SHA256, digest[:], raw) != nil {
			t.Fatalf("it took what %q did not sign", serial)
		}
		if twice&31 != 0 {
			t.Fatal("it took a header that stands twice")
		}
	})
}

// trusting is a scheme that believes every signature, so that a fuzzer gets behind it.
type trusting struct{ apiv3.Scheme }

func (trusting) Verify(crypto.PublicKey, []byte, []byte) error { return nil }

func trustingHandler(t testing.TB) *webhook.Handler {
	t.Helper()
	m := merchant(t)
	m.Scheme = trusting{apiv3.RSA()}
	begin := time.Now()
	h, err := webhook.New(m, webhook.WithClock(func() time.Time { return begin })) // a long run leaves no window
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func trustedHeader() http.Header {
	n := payment()
	header, _ := n.build()
	return header
}

// FuzzEnvelope: a body that was signed is read as encoding/json reads it, or not at all.
func FuzzEnvelope(f *testing.F) {
	h, header := trustingHandler(f), trustedHeader()
	valid := string(payment().body())
	for _, body := range []string{
		valid, "{}", "null", "[]", `{"resource":null}`, `{"event_type":"A",` + valid[1:], `{"id":null,` + valid[1:],
		valid[:len(valid)-1] + `,"id":null}`, `{"id":"\ud800"}`,
		strings.Repeat("[", 10_000), strings.Repeat(`{"resource":`, 1000), valid + valid, "\xff" + valid, "\x00",
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		e, err := h.Parse(t.Context(), header, body)
		if err != nil {
			return
		}
		var members map[string]any
		if err := json.Unmarshal(body, &members); err != nil {
			t.Fatalf("it read what is not JSON: %v", err)
		}
		for name, got := range map[string]string{"id": e.ID, "event_type": e.Type, "resource_type": e.ResourceType, "summary": e.Summary} {
			if want, _ := members[name].(string); got != want {
				t.Fatalf("%s is %q, encoding/json reads %q", name, got, want)
			}
		}
	})
}

// FuzzResource: whatever was encrypted, Get and Decode say the same of it.
func FuzzResource(f *testing.F) {
	h, header := trustingHandler(f), trustedHeader()
	for _, resource := range []string{
		paid, "", "null", "[]", `"[1]"`, "{\"a\":\"\xff\\ud800\"}", `[1e400]`, `{"a":1,"A":1}`, `{"a":1,"a":1}`,
		`{"a":1,"a":2}`, `{"a":{"b":[{"c":1,"c":2}]}}`, `{"\u0061":1,"a":2}`, strings.Repeat("[", 10_000),
	} {
		f.Add([]byte(resource))
	}
	f.Fuzz(func(t *testing.T, resource []byte) {
		n := payment()
		n.resource = string(resource)
		e, err := h.Parse(t.Context(), header, n.body())
		if err != nil {
			return
		}
		if string(e.Resource()) != string(resource) {
			t.Fatalf("the resource changed to %q", e.Resource())
		}
		var decoded any
		switch err := e.Decode(&decoded); decoded.(type) {
		case map[string]any, []any:
			if got := e.Get("@this").Value(); !reflect.DeepEqual(got, decoded) {
				t.Fatalf("%q by Get and %q by Decode", got, decoded)
			}
		default: // nothing is in it, or it is not JSON
			if e.Get("@this").Exists() || json.Valid(resource) == (err != nil) {
				t.Fatalf("%q by Get and %q by Decode, which ends with %v", e.Get("@this").Raw, decoded, err)
			}
		}
	})
}
