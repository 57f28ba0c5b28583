package wxpay_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/webhook"
	"github.com/wxpay-go/wxpay/wxpaytest"
)

// testdata/mistakes.txt has what a newcomer reads after a wrong input, whole: a change of a message is read in its review.
// go test -run TestMistakes -update . writes it.
func TestMistakes(t *testing.T) {
	const name = "testdata/mistakes.txt"
	dir := t.TempDir()
	var page strings.Builder
	for _, mistake := range mistakes(t, dir) {
		require.Error(t, mistake.err, mistake.name)
		text := strings.ReplaceAll(mistake.err.Error(), dir, "/etc/wxpay")
		assert.NotContains(t, text, "\n", mistake.name)
		assert.NotContains(t, text, gold, mistake.name)
		page.WriteString("# " + mistake.name + "\n" + text + "\n\n")
	}
	if *update {
		require.NoError(t, os.WriteFile(name, []byte(page.String()), 0o644))
		return
	}
	have, err := os.ReadFile(name)
	require.NoError(t, err)
	assert.Equal(t, string(have), page.String(), "if the messages are better now: go test -run TestMistakes -update .")
	assert.Greater(t, strings.Count(page.String(), "\n# "), 40)
}

// mistake is a wrong input and the error that it gets.
type mistake struct {
	name string
	err  error
}

func mistakes(t *testing.T, dir string) (all []mistake) {
	keys, ctx := testKeys(), t.Context()
	add := func(name string, err error) { all = append(all, mistake{name, err}) }
	pkcs8, err := x509.MarshalPKCS8PrivateKey(keys.merchant)
	require.NoError(t, err)
	other, err := x509.MarshalPKCS8PrivateKey(keys.other)
	require.NoError(t, err)
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	sec1, err := x509.MarshalECPrivateKey(curve)
	require.NoError(t, err)
	spki, err := x509.MarshalPKIXPublicKey(keys.platform.Public())
	require.NoError(t, err)
	number, _ := new(big.Int).SetString(testSerial, 16)
	template := &x509.Certificate{SerialNumber: number, NotBefore: time.Unix(0, 0), NotAfter: time.Now().Add(time.Hour), Subject: pkix.Name{CommonName: testMerchant, Organization: []string{"微信商户系统"}}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, keys.merchant.Public(), keys.merchant)
	require.NoError(t, err)
	own, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	text := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	private, certificate := text("PRIVATE KEY", pkcs8), text("CERTIFICATE", der)
	encrypted := "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n"
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}

	good := wxpay.Config{MchID: testMerchant, Serial: testSerial, PrivateKey: private, PublicKeyID: testKeyID, PublicKey: text("PUBLIC KEY", spki)}
	config := func(name string, change func(*wxpay.Config)) {
		c := good
		change(&c)
		_, err := wxpay.FromConfig(c)
		add("configuration: "+name, err)
	}
	config("nothing", func(c *wxpay.Config) { *c = wxpay.Config{} })
	config("a blank behind the merchant number", func(c *wxpay.Config) { c.MchID += " " })
	config("an appid for the merchant number", func(c *wxpay.Config) { c.MchID = "wxd678efh567hg6787" })
	config("a merchant and a brand", func(c *wxpay.Config) { c.BrandID = "1004" })
	config("a serial without its leading zero", func(c *wxpay.Config) { c.Serial = testSerial[1:] })
	config("a serial in lower case", func(c *wxpay.Config) { c.Serial = strings.ToLower(testSerial) })
	config("the id of the public key for the serial", func(c *wxpay.Config) { c.Serial = testKeyID })
	config("no private key file", func(c *wxpay.Config) { c.PrivateKey = filepath.Join(dir, "nothing.pem") })
	config("a directory for the private key", func(c *wxpay.Config) { c.PrivateKey = "file:" + dir })
	config("the certificate for the private key", func(c *wxpay.Config) { c.PrivateKey = write("apiclient_cert.pem", certificate) })
	config("the public key for the private key", func(c *wxpay.Config) { c.PrivateKey = c.PublicKey })
	config("an encrypted private key", func(c *wxpay.Config) { c.PrivateKey = write("encrypted.pem", encrypted) })
	config("half of the private key", func(c *wxpay.Config) { c.PrivateKey = private[:len(private)/2] })
	config("a part of the private key without its lines", func(c *wxpay.Config) {
		c.PrivateKey = "A" + strings.Split(private, "\n")[3][1:] // one line in 256 would begin as a whole key does
	})
	config("two private keys", func(c *wxpay.Config) { c.PrivateKey = private + text("PRIVATE KEY", other) })
	config("a key of another algorithm", func(c *wxpay.Config) { c.PrivateKey = text("EC PRIVATE KEY", sec1) })
	config("the private key of another certificate", func(c *wxpay.Config) { c.PrivateKey, c.Certificate = text("PRIVATE KEY", other), certificate })
	config("a public key without its id", func(c *wxpay.Config) { c.PublicKeyID = "" })
	config("a serial for the id of the public key", func(c *wxpay.Config) { c.PublicKeyID = testSerial })
	config("a certificate for the public key", func(c *wxpay.Config) { c.PublicKey = certificate })
	config("the merchant's own public key", func(c *wxpay.Config) {
		mine, err := x509.MarshalPKIXPublicKey(keys.merchant.Public())
		require.NoError(t, err)
		c.PublicKey = text("PUBLIC KEY", mine)
	})
	config("no key of the platform", func(c *wxpay.Config) { c.PublicKey, c.PublicKeyID = "", "" })
	config("certificates without the APIv3 key", func(c *wxpay.Config) { c.FetchCertificates = true })
	config("an APIv3 key too short", func(c *wxpay.Config) { c.APIv3Key = gold })
	config("a variable that is not set", func(c *wxpay.Config) { c.APIv3Key = "env:NO_SUCH_VARIABLE" })
	config("no base64", func(c *wxpay.Config) { c.APIv3Key = "base64:" + gold + "!" })
	config("a gateway without its scheme", func(c *wxpay.Config) { c.BaseURL = "api.mch.weixin.qq.com" })
	config("a gateway in clear text", func(c *wxpay.Config) { c.BaseURL = "http://api.mch.weixin.qq.com" })

	_, err = wxpay.New(wxpay.Merchant{ID: testMerchant, Serial: testSerial, PrivateKey: keys.merchant}, wxpay.WithPlatformCertificates(own))
	add("client: the merchant's certificate for the platform's", err)
	_, err = wxpay.New(wxpay.Merchant{ID: testMerchant, Serial: testSerial, PrivateKey: keys.merchant}, wxpay.WithTimeout(-1), wxpay.WithAttempts(0), nil)
	add("client: options", err)

	client := newClient(t, wxpay.WithPreflight(wxpay.PreflightStrict), wxpay.WithTransport(answer{fail: func(*http.Request) error { panic("nothing may be sent") }}))
	get := func(name string, chain wxpay.Chain) {
		_, err := chain.Get(ctx)
		add("call: "+name, err)
	}
	const order = "v3/pay/transactions/out-trade-no/{out_trade_no}"
	get("no value for a placeholder", client.Chain(order))
	get("a value for no placeholder", client.Chain("v3/certificates").Var("out_trade_no", "A1"))
	get("an empty value", client.Chain(order, ""))
	get("a value of two dots", client.Chain(order, ".."))
	get("a query in the path", client.Chain("v3/pay/transactions/id/1?mchid=1900000109"))
	get("a value among the names of At", client.At("v3", "pay", "transactions", "outTradeNo", "ABC001"))
	get("a misspelt path", wxpaytest.Client(t, wxpaytest.Answer(404, nil)).Chain("v3/pay/transaction/native"))
	post := func(name string, body any) {
		_, err := client.Chain("v3/pay/transactions/native").Post(ctx, body)
		add("call: "+name, err)
	}
	post("a body that no JSON has", wxpay.JSON{"amount": func() {}})
	post("a body of null", (*int)(nil))
	body := func(change func(wxpay.JSON)) wxpay.JSON {
		b := wxpay.JSON{"appid": "wxd678efh567hg6787", "mchid": testMerchant, "description": "tea", "out_trade_no": "ORDER-0001",
			"notify_url": "https://shop.example.com/notify", "amount": wxpay.JSON{"total": 100}}
		change(b)
		return b
	}
	post("an amount as a text", body(func(b wxpay.JSON) { b["amount"] = wxpay.JSON{"total": "1.00"} }))
	_, err = wxpaytest.Client(t, wxpaytest.Answer(400, `{"code":"PARAM_ERROR","message":"参数错误"}`)).Chain("v3/pay/transactions/native").
		Post(ctx, body(func(b wxpay.JSON) { delete(b, "notify_url") }))
	add("call: a missing field", err)
	_, err = client.Chain("v3/merchant/media/upload").Upload(ctx, wxpay.FileAt("/nonexistent/a.png"))
	add("call: a file that is not there", err)

	respond := func(name string, handler http.Handler) {
		_, err := wxpaytest.Client(t, handler, wxpay.WithAttempts(1)).Chain("v3/refund/domestic/refunds").Post(ctx, wxpay.JSON{
			"out_trade_no": "A1", "out_refund_no": "R1", "amount": wxpay.JSON{"refund": 1, "total": 1, "currency": "CNY"}})
		add("response: "+name, err)
	}
	respond("the signature is rejected", wxpaytest.Answer(401, `{"code":"SIGN_ERROR","message":"签名错误"}`))
	respond("no permission", wxpaytest.Answer(403, `{"code":"NO_AUTH","message":"无权限"}`))
	respond("no balance", wxpaytest.Answer(403, `{"code":"NOT_ENOUGH","message":"余额不足"}`))
	respond("trouble of the platform", wxpaytest.Answer(500, `{"code":"SYSTEM_ERROR","message":"系统错误"}`))
	respond("a page of a proxy", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte("<html>" + gold + "</html>"))
	}))
	respond("it is lost", wxpaytest.Lost())
	forged := func(name string, a answer) {
		_, err := newClient(t, wxpay.WithTransport(a), wxpay.WithAttempts(1)).Chain("v3/refund/domestic/refunds").Post(ctx, exampleRefund)
		add("response: "+name, err)
	}
	forged("another key signed it", answer{body: "{}", key: keys.other})
	forged("a signature test", probed)
	forged("nobody signed it", answer{body: "{}", unsigned: true})
	res, err := wxpaytest.Client(t, wxpaytest.Answer(200, `{"amount":{"total":1.5}}`)).Chain("v3/pay/transactions/id/{transaction_id}", "4200000000").Query("mchid", wxpaytest.MchID).Get(ctx)
	require.NoError(t, err)
	_, err = res.Fen("amount.total")
	add("response: an amount with a fraction", err)
	_, err = res.Fen("amount.totel")
	add("response: a misspelt path of an amount", err)
	_, err = wxpay.ParseYuan("1,234.00")
	add("bill: an amount with a comma", err)

	_, err = webhook.New(webhook.Merchant{})
	add("notification: a handler of nothing", err)
	handler, err := webhook.New(wxpaytest.Receiver(t))
	require.NoError(t, err)
	notify := func(name string, change func(http.Header) []byte) {
		r := wxpaytest.Notification(t, webhook.TransactionSuccess, `{"out_trade_no":"A1"}`)
		_, err := handler.Parse(context.Background(), r.Header, change(r.Header))
		add("notification: "+name, err)
	}
	notify("a proxy dropped the headers", func(h http.Header) []byte { clear(h); return []byte("{}") })
	notify("the body was changed", func(http.Header) []byte { return []byte("{}") })
	notify("the body is gone", func(http.Header) []byte { return nil })
	notify("of the old API", func(h http.Header) []byte { clear(h); return []byte("<xml></xml>") })
	notify("a key that is not configured", func(h http.Header) []byte { h.Set(apiv3.HeaderSerial, "PUB_KEY_ID_1"); return []byte("{}") })
	return all
}
