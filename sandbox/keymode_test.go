//go:build go1.25

package sandbox_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/sandbox"
)

// naming sends a feed that names a key, none if it is empty.
func naming(t testing.TB, s *sandbox.Sandbox, serial string) answer {
	t.Helper()
	a := callNaming(s, serial).send(t, s.Transport(), inProcess)
	verify(t, s, time.Now(), a)
	return a
}

// callNaming is a signed call, which may be sent several times.
func callNaming(s *sandbox.Sandbox, serial string) *call {
	c := newCall(s, time.Now(), "POST", feedPath, feed())
	if serial == "" {
		c.header.Del("Wechatpay-Serial")
	} else {
		c.header.Set("Wechatpay-Serial", serial)
	}
	return c.sign(s)
}

func TestKeyModes(t *testing.T) {
	s := unpaced(t)
	certificate, public := apiv3.Serial(s.Keys.Certificates()[0]), s.Keys.PublicKeyID()
	for _, mode := range []struct {
		mode           sandbox.KeyMode
		list           int
		named          map[string]int    // status by the key that is named
		signed         map[string]string // by whom the response is signed, likewise
		publicKeyInEnv bool
	}{
		{sandbox.BothKeys, 200, map[string]int{"": 200, certificate: 200, public: 200},
			map[string]string{"": certificate, certificate: certificate, public: public}, true},
		{sandbox.CertificatesOnly, 200, map[string]int{"": 200, certificate: 200, public: 200},
			map[string]string{"": certificate, certificate: certificate, public: certificate}, false},
		{sandbox.PublicKeyOnly, 404, map[string]int{"": 200, certificate: 200, public: 200},
			map[string]string{"": public, certificate: public, public: public}, true},
	} {
		t.Run(fmt.Sprint(mode.mode), func(t *testing.T) {
			require.NoError(t, s.Keys.SetMode(mode.mode))
			made := unpaced(t, sandbox.WithKeyMode(mode.mode))
			for _, path := range []string{"/v3/certificates", "/v3/global/certificates"} {
				for _, s := range []*sandbox.Sandbox{s, made} {
					c := newCall(s, time.Now(), "GET", path, nil)
					c.header.Del("Wechatpay-Serial")
					a := c.sign(s).send(t, s.Transport(), inProcess)
					require.Equal(t, mode.list, a.StatusCode)
					verify(t, s, time.Now(), a)
					if mode.list == 404 {
						assert.Equal(t, "RESOURCE_NOT_EXISTS", a.json(t)["code"])
						assert.Equal(t, "无可用的平台证书，请在商户平台-API安全申请使用微信支付公钥", a.json(t)["message"])
					}
				}
			}
			for serial, status := range mode.named {
				a := naming(t, s, serial)
				assert.Equal(t, status, a.StatusCode, serial)
				assert.Equal(t, mode.signed[serial], a.Header.Get("Wechatpay-Serial"), serial)
			}
			_, ok := s.LookupEnv("WXPAY_PUBLIC_KEY_ID")
			assert.Equal(t, mode.publicKeyInEnv, ok)
		})
	}
	assert.Error(t, s.Keys.SetMode(3))
	_, err := sandbox.New(sandbox.WithKeyMode(-1))
	assert.Error(t, err)
}

// A replacement, step by step: the certificate is listed, signs a growing share, signs all, and the old ones go.
func TestRotation(t *testing.T) {
	s := newSandbox(t)
	older := apiv3.Serial(s.Keys.Certificates()[0])
	certificate, err := s.Keys.AddCertificate(time.Hour)
	require.NoError(t, err)
	added := apiv3.Serial(certificate)
	require.Len(t, s.Keys.Certificates(), 3)
	pool := x509.NewCertPool()
	pool.AddCert(s.Keys.Root())
	for _, c := range append(s.Keys.Certificates(), s.Merchant().Certificate) {
		_, err := c.Verify(x509.VerifyOptions{Roots: pool, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
		require.NoError(t, err)
	}

	count := func(named string) map[string]int {
		signed := map[string]int{}
		c := callNaming(s, named)
		for range 100 {
			a := c.send(t, s.Transport(), inProcess)
			verify(t, s, time.Now(), a)
			signed[a.Header.Get("Wechatpay-Serial")]++
		}
		return signed
	}
	assert.Equal(t, map[string]int{older: 100}, count(""), "it is listed and does not sign yet")
	assert.Equal(t, map[string]int{added: 100}, count(added), "unless it is asked for")
	for _, percent := range []int{1, 50} {
		require.NoError(t, s.Keys.SignWith(added, float64(percent)))
		assert.Equal(t, map[string]int{older: 100 - percent, added: percent}, count(""))
		assert.Equal(t, map[string]int{older: 100 - percent, added: percent}, count(older), "from now on the platform chooses the certificate")
		assert.Equal(t, map[string]int{s.Keys.PublicKeyID(): 100}, count(s.Keys.PublicKeyID()))
	}
	assert.ErrorContains(t, s.Keys.RemoveCertificate(older), "signs")
	assert.ErrorContains(t, s.Keys.RemoveCertificate(added), "signs")
	require.NoError(t, s.Keys.SignWith(added, 100))
	assert.Equal(t, map[string]int{added: 100}, count(""))
	require.NoError(t, s.Keys.RemoveCertificate(older))
	c := newCall(s, time.Now(), "POST", "/v3/security/echo", map[string]any{"echo_message": "a"})
	c.header.Set("Wechatpay-Serial", older)
	assert.Equal(t, "平台证书序列号Wechatpay-Serial错误", c.sign(s).send(t, s.Transport(), inProcess).json(t)["message"])

	for _, err := range []error{s.Keys.SignWith(older, 1), s.Keys.SignWith(added, 101), s.Keys.SignWith(added, -1),
		s.Keys.RemoveCertificate(older), s.Keys.ExpireCertificate("x"), s.Keys.SetPublicKeyShare(100.1)} {
		assert.Error(t, err)
	}
	_, err = s.Keys.AddCertificate(0)
	assert.Error(t, err)
	assert.Equal(t, map[string]int{added: 100}, count(""), "what failed changed nothing")
}

func TestExpireCertificate(t *testing.T) {
	s := newSandbox(t)
	serial := apiv3.Serial(s.Keys.Certificates()[1])
	require.NoError(t, s.Keys.ExpireCertificate(serial))
	ended := s.Keys.Certificates()[1]
	assert.Equal(t, serial, apiv3.Serial(ended))
	assert.True(t, ended.NotAfter.Before(time.Now()))
	c := newCall(s, time.Now(), "POST", feedPath, feed())
	c.header.Set("Wechatpay-Serial", serial)
	a := c.sign(s).send(t, s.Transport(), inProcess)
	signature, err := apiv3.ReadSignature(a.Header)
	require.NoError(t, err)
	assert.Equal(t, serial, signature.Serial)
	require.NoError(t, signature.Verify(apiv3.RSA(), ended.PublicKey, a.body), "its key is the same")
}

// The merchant signs with a key of its own, whose private half the sandbox never sees.
func TestAddMerchantKey(t *testing.T) {
	s := newSandbox(t)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	const serial = "5157F09EFDC096DE15EBE81A47057A7232F1B8E1"
	asked := func(serial string) int {
		c := newCall(s, time.Now(), "GET", "/v3/certificates", nil)
		c.authorization.Serial = serial
		header, _, err := apiv3.SignRequest(apiv3.RSA(), key, c.authorization, c.method, c.target, c.body)
		require.NoError(t, err)
		c.header.Set("Authorization", header)
		return c.send(t, s.Transport(), inProcess).StatusCode
	}
	assert.Equal(t, 401, asked(serial))
	require.NoError(t, s.Keys.AddMerchantKey(serial, &key.PublicKey))
	assert.Equal(t, 200, asked(serial))
	assert.Equal(t, 401, asked(s.Merchant().Serial), "the key belongs to its own serial")
	require.NoError(t, s.Keys.RevokeMerchantCertificate(serial))
	assert.Equal(t, 401, asked(serial))

	small, err := rsa.GenerateKey(rand.Reader, 1024)
	require.NoError(t, err)
	for want, err := range map[string]error{
		"40 upper-case hex digits": s.Keys.AddMerchantKey("5157f09e", &key.PublicKey),
		"not an RSA key":           s.Keys.AddMerchantKey(serial, nil),
		"2048 bits":                s.Keys.AddMerchantKey(serial, &small.PublicKey),
		"already has":              s.Keys.AddMerchantKey(serial, &key.PublicKey),
	} {
		assert.ErrorContains(t, err, want)
	}

	// the same over the control API, with the key in PEM
	box := newSandbox(t)
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	require.NoError(t, err)
	order, err := json.Marshal(map[string]any{"serial": serial, "public_key": string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))})
	require.NoError(t, err)
	control := controlled{t, box.Control()}
	control.ok("POST", "keys/merchant-keys", string(order))
	assert.Contains(t, control.refused("POST", "keys/merchant-keys", string(order)), "already has")
	assert.Contains(t, control.refused("POST", "keys/merchant-keys", `{"serial":"`+serial+`","public_key":"x"}`), "public_key")
}

// The merchant replaces its own certificate.
func TestMerchantCertificates(t *testing.T) {
	s := newSandbox(t)
	added, err := s.Keys.AddMerchantCertificate()
	require.NoError(t, err)
	assert.Equal(t, s.Merchant().ID, added.ID)
	assert.NotEqual(t, s.Merchant().Serial, added.Serial)
	assert.Equal(t, added.Serial, apiv3.Serial(added.Certificate))
	assert.False(t, added.PrivateKey.Equal(s.Merchant().PrivateKey))

	as := func(m sandbox.Merchant) answer {
		c := newCall(s, time.Now(), "POST", "/v3/security/echo", map[string]any{"echo_message": "a", "encrypted_echo_message": sealed(t, s, "秘密")})
		c.authorization.Serial = m.Serial
		header, _, err := apiv3.SignRequest(apiv3.RSA(), m.PrivateKey, c.authorization, c.method, c.target, c.body)
		require.NoError(t, err)
		c.header.Set("Authorization", header)
		return c.send(t, s.Transport(), inProcess)
	}
	for _, m := range []sandbox.Merchant{s.Merchant(), added} {
		a := as(m)
		require.Equal(t, 200, a.StatusCode)
		assert.Equal(t, "a", a.json(t)["echo_message"])
		ciphertext, err := base64.StdEncoding.DecodeString(a.json(t)["encrypted_echo_message"].(string))
		require.NoError(t, err)
		opened, err := apiv3.RSA().Decrypt(m.PrivateKey, ciphertext)
		require.NoError(t, err, "answers are encrypted for the certificate that signed the request")
		assert.Equal(t, "秘密", string(opened))
	}
	require.NoError(t, s.Keys.RevokeMerchantCertificate(s.Merchant().Serial))
	a := as(s.Merchant())
	assert.Equal(t, 401, a.StatusCode)
	assert.Equal(t, "已更换证书，请使用新证书", a.json(t)["message"])
	assert.Equal(t, 200, as(added).StatusCode)
	assert.Error(t, s.Keys.RevokeMerchantCertificate(s.Merchant().Serial))
}

// sealed encrypts a text with the public key, which newCall names.
func sealed(t testing.TB, s *sandbox.Sandbox, text string) string {
	t.Helper()
	ciphertext, err := apiv3.RSA().Encrypt(s.Keys.PublicKey(), []byte(text))
	require.NoError(t, err)
	return base64.StdEncoding.EncodeToString(ciphertext)
}

func TestEcho(t *testing.T) {
	s := newSandbox(t)
	a := ask(t, s, "POST", "/v3/security/echo", map[string]any{"echo_message": "hello"})
	require.Equal(t, 200, a.StatusCode)
	assert.Equal(t, map[string]any{"echo_message": "hello"}, a.json(t))
	for name, test := range map[string]struct {
		body map[string]any
		edit func(*call)
		text string
	}{
		"no message": {map[string]any{}, nil, "此字段为必填项"},
		"in clear":   {map[string]any{"echo_message": "a", "encrypted_echo_message": "plain"}, nil, "平台私钥解密失败"},
		"no serial":  {map[string]any{"echo_message": "a"}, func(c *call) { c.header.Del("Wechatpay-Serial") }, "HTTP header缺少微信支付平台证书序列号(Wechatpay-Serial)"},
	} {
		c := newCall(s, time.Now(), "POST", "/v3/security/echo", test.body)
		if test.edit != nil {
			test.edit(c)
		}
		a := c.sign(s).send(t, s.Transport(), inProcess)
		assert.Equal(t, 400, a.StatusCode, name)
		assert.Contains(t, a.json(t)["message"], test.text, name)
	}
}

func TestBrand(t *testing.T) {
	s := newSandbox(t)
	const target = "/brand/card-member/cards?offset=0&limit=20"
	send := func(b sandbox.Brand, edit func(*call)) answer {
		c := newCall(s, time.Now(), "GET", target, nil)
		c.header.Set("Wechatpay-Serial", b.PublicKeyID)
		c.authorization = apiv3.Authorization{Scheme: apiv3.Brand().Name(), Identity: "brand_id", ID: b.ID, Serial: b.Serial,
			Nonce: "N", Timestamp: c.authorization.Timestamp}
		if edit != nil {
			edit(c)
		}
		header, _, err := apiv3.SignRequest(apiv3.Brand(), b.PrivateKey, c.authorization, c.method, c.target, nil)
		require.NoError(t, err)
		c.header.Set("Authorization", header)
		return c.send(t, s.Transport(), inProcess)
	}
	m := s.Merchant()
	nobody := send(sandbox.Brand{ID: "1004", Serial: m.Serial, PrivateKey: m.PrivateKey}, nil)
	assert.Equal(t, 401, nobody.StatusCode)
	assert.Equal(t, "商户未申请过证书", nobody.json(t)["message"])

	b, err := s.Brand()
	require.NoError(t, err)
	again, err := s.Brand()
	require.NoError(t, err)
	assert.Equal(t, b, again)
	a := send(b, nil)
	require.Equal(t, 200, a.StatusCode, "%s", a.body)
	assert.Equal(t, "stateful", a.Header.Get("X-Sandbox"))
	assert.EqualValues(t, 1, a.json(t)["total_count"], "the sample card")
	signature, err := apiv3.ReadSignature(a.Header)
	require.NoError(t, err)
	assert.Equal(t, b.PublicKeyID, signature.Serial)
	assert.Equal(t, "WECHATPAY-BRAND-SHA256-RSA2048", signature.Type)
	require.NoError(t, signature.Verify(apiv3.Brand(), b.PublicKey, a.body))
	for _, text := range []string{fmt.Sprintf("%+v", b), fmt.Sprintf("%#v", b), b.LogValue().String()} {
		assert.Contains(t, text, "1004")
		assert.NotContains(t, text, b.Key)
	}

	for name, test := range map[string]struct {
		edit   func(*call)
		status int
		code   string
	}{
		"no public key id":          {func(c *call) { c.header.Del("Wechatpay-Serial") }, 400, "INVALID_REQUEST"},
		"the merchant's public key": {func(c *call) { c.header.Set("Wechatpay-Serial", s.Keys.PublicKeyID()) }, 400, "INVALID_REQUEST"},
		"another brand":             {func(c *call) { c.authorization.ID = "1005" }, 401, "SIGN_ERROR"},
		"another serial":            {func(c *call) { c.authorization.Serial = m.Serial }, 401, "SIGN_ERROR"},
		"a limit of 21":             {func(c *call) { c.target = strings.Replace(target, "20", "21", 1) }, 400, "PARAM_ERROR"},
		"no offset":                 {func(c *call) { c.target = "/brand/card-member/cards?limit=1" }, 400, "PARAM_ERROR"},
	} {
		a := send(b, test.edit)
		assert.Equal(t, test.status, a.StatusCode, name)
		assert.Equal(t, test.code, a.json(t)["code"], name)
	}
	// A merchant has no business under /brand/, and a brand none elsewhere.
	a = newCall(s, time.Now(), "GET", target, nil).sign(s).send(t, s.Transport(), inProcess)
	assert.Equal(t, "Http头Authorization认证类型不正确", a.json(t)["message"])
	a = send(b, func(c *call) { c.target = "/v3/certificates" })
	assert.Equal(t, "Http头Authorization认证类型不正确", a.json(t)["message"])
}

// Notifications are signed by the key whose turn it is.
func TestPublicKeyShare(t *testing.T) {
	s := newSandbox(t, sandbox.WithScheme(quick{apiv3.RSA()}))
	certificate := apiv3.Serial(s.Keys.Certificates()[0])
	signers := func() map[string]int {
		signed := map[string]int{}
		for range 200 {
			request, err := s.Deliveries.Notify("TRANSACTION.SUCCESS", nil)
			require.NoError(t, err)
			signed[request.Header.Get("Wechatpay-Serial")]++
		}
		return signed
	}
	for percent, hits := range map[float64]int{0.5: 1, 1: 2, 50: 100, 99: 198} {
		require.NoError(t, s.Keys.SetPublicKeyShare(percent))
		assert.Equal(t, map[string]int{s.Keys.PublicKeyID(): hits, certificate: 200 - hits}, signers(), "%v %%", percent)
	}
	require.NoError(t, s.Keys.SetPublicKeyShare(0))
	assert.Equal(t, map[string]int{certificate: 200}, signers())
	require.NoError(t, s.Keys.SetPublicKeyShare(100))
	assert.Equal(t, map[string]int{s.Keys.PublicKeyID(): 200}, signers())
	require.NoError(t, s.Keys.SetMode(sandbox.CertificatesOnly))
	assert.Equal(t, map[string]int{certificate: 200}, signers())
	require.NoError(t, s.Keys.SetMode(sandbox.PublicKeyOnly))
	assert.Equal(t, map[string]int{s.Keys.PublicKeyID(): 200}, signers())
}

// Keys change while requests are under way: each is answered by one state of the keys.
func TestKeysChangeUnderLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := unpaced(t)
		var wait sync.WaitGroup
		for range 8 {
			wait.Go(func() {
				for range 20 {
					assert.Equal(t, 200, naming(t, s, s.Keys.PublicKeyID()).StatusCode)
				}
			})
		}
		for range 10 {
			certificate, err := s.Keys.AddCertificate(time.Hour)
			require.NoError(t, err)
			require.NoError(t, s.Keys.SignWith(apiv3.Serial(certificate), 100))
			for _, old := range s.Keys.Certificates()[:len(s.Keys.Certificates())-1] {
				require.NoError(t, s.Keys.RemoveCertificate(apiv3.Serial(old)))
			}
		}
		wait.Wait()
		assert.Len(t, s.Keys.Certificates(), 1)
	})
}
