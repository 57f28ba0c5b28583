package sm_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/contrib/sm"
)

const (
	mchid          = "1900000109"
	merchantSerial = "5A3C9E0B7D1F4826A0B1C2D3E4F5061728394A5B"
	keyID          = "PUB_KEY_ID_0119000001092025010100000000000001"
)

// gateway is a platform that speaks SM2: it verifies the signature of a request, opens the encrypted member name of its
// body, and signs a response that has the name encrypted for the merchant.
type gateway struct {
	merchant crypto.PublicKey
	key      crypto.Signer // signs responses, opens members
	serial   string        // names key
	scheme   apiv3.Scheme  // of the response
}

func (g gateway) RoundTrip(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		defer req.Body.Close()
		var err error
		if body, err = io.ReadAll(req.Body); err != nil {
			return nil, err
		}
	}
	caller, err := apiv3.ParseAuthorization(req.Header.Get("Authorization"))
	if err != nil {
		return nil, err
	}
	signature, err := base64.StdEncoding.Strict().DecodeString(caller.Signature)
	if err != nil {
		return nil, err
	}
	message := apiv3.AppendRequestMessage(nil, req.Method, req.URL.RequestURI(), caller.Timestamp, caller.Nonce, body)
	switch {
	case caller.Scheme != "WECHATPAY2-SM2-WITH-SM3" || caller.Identity != "mchid" || caller.ID != mchid || caller.Serial != merchantSerial:
		return nil, fmt.Errorf("wrong caller: %s", caller)
	case req.Header.Get(apiv3.HeaderSerial) != g.serial:
		return nil, fmt.Errorf("the request names the key %q", req.Header.Get(apiv3.HeaderSerial))
	}
	if err := sm.Scheme().Verify(g.merchant, message, signature); err != nil {
		return nil, err
	}
	var sealed struct{ Name []byte }
	if err := json.Unmarshal(body, &sealed); err != nil && len(body) > 0 {
		return nil, err
	}
	if sealed.Name != nil {
		name, err := sm.Scheme().Decrypt(g.key.(crypto.Decrypter), sealed.Name)
		if err != nil {
			return nil, err
		}
		if sealed.Name, err = sm.Scheme().Encrypt(g.merchant, append([]byte("您好，"), name...)); err != nil {
			return nil, err
		}
	}
	return g.answer(req, fmt.Sprintf(`{"method":%q,"length":%d,"name":%q,"code_url":"weixin://wxpay/bizpayurl?pr=test"}`, req.Method,
		len(body), base64.StdEncoding.EncodeToString(sealed.Name)))
}

// answer signs text and sends it.
func (g gateway) answer(req *http.Request, text string) (*http.Response, error) {
	timestamp, nonce := strconv.FormatInt(time.Now().Unix(), 10), "593BEC0C930BF1AFEB40B4A08C8FB242"
	signature, err := g.scheme.Sign(g.key, apiv3.AppendResponseMessage(nil, timestamp, nonce, []byte(text)))
	if err != nil {
		return nil, err
	}
	header := http.Header{"Content-Type": {"application/json"}}
	header.Set(apiv3.HeaderTimestamp, timestamp)
	header.Set(apiv3.HeaderNonce, nonce)
	header.Set(apiv3.HeaderSerial, g.serial)
	header.Set(apiv3.HeaderSignature, base64.StdEncoding.EncodeToString(signature))
	header.Set(apiv3.HeaderSignatureType, g.scheme.SignatureType())
	return &http.Response{
		StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: req, Header: header,
		Body: io.NopCloser(bytes.NewReader([]byte(text))), ContentLength: int64(len(text)),
	}, nil
}

func TestCall(t *testing.T) {
	merchant, platform := newKey(t), newKey(t)
	platformCertificate, err := sm.ParseCertificate(certificate(t, platform))
	require.NoError(t, err)
	rsaKey := newRSAKey(t)

	good := gateway{merchant: merchant.Public(), key: platform, serial: keyID, scheme: sm.Scheme()}
	byCertificate, other, byRSA := good, good, good
	byCertificate.serial = apiv3.Serial(platformCertificate)
	other.key = newKey(t)
	byRSA.key, byRSA.scheme = rsaKey, apiv3.RSA()

	for _, test := range []struct {
		name    string
		signer  crypto.Signer
		option  wxpay.Option
		gateway gateway
		is      error
	}{
		{"public key", merchant, wxpay.WithPublicKey(keyID, platform.Public()), good, nil},
		{"certificate", merchant, wxpay.WithPlatformCertificates(platformCertificate), byCertificate, nil},
		{"answer signed with another key", merchant, wxpay.WithPublicKey(keyID, platform.Public()), other, apiv3.ErrSignature},
		{"answer signed with RSA", merchant, wxpay.WithPublicKey(keyID, platform.Public()), byRSA, apiv3.ErrSignatureHeader},
		{"request signed with another key", newKey(t), wxpay.WithPublicKey(keyID, platform.Public()), good, wxpay.StageSend},
		// the gateway says so, and is no platform
		{"request signed with ECDSA", &merchant.PrivateKey, wxpay.WithPublicKey(keyID, platform.Public()), good, apiv3.ErrKey},
	} {
		t.Run(test.name, func(t *testing.T) {
			client, err := wxpay.New(wxpay.Merchant{ID: mchid, Serial: merchantSerial, PrivateKey: test.signer},
				wxpay.WithScheme(sm.Scheme()), test.option, wxpay.WithTransport(test.gateway))
			require.NoError(t, err)

			res, err := client.Chain("v3/certificates").Query("algorithm_type", "SM2").Get(context.Background())
			if test.is != nil {
				require.ErrorIs(t, err, test.is)
				return
			}
			require.NoError(t, err)
			assert.True(t, res.Verified)
			assert.Equal(t, "GET", res.Get("method").String())

			res, err = client.Chain("v3/pay/transactions/native").Post(context.Background(), wxpay.JSON{"description": "测试"})
			require.NoError(t, err)
			assert.True(t, res.Verified)
			assert.Equal(t, int64(len(`{"description":"测试"}`)), res.Get("length").Int())

			res, err = client.Chain("v3/applyment4sub/applyment/").Post(context.Background(), wxpay.JSON{"name": wxpay.Secret("张三")})
			require.NoError(t, err)
			name, err := client.Decrypt(context.Background(), res.Get("name").String())
			require.NoError(t, err)
			assert.Equal(t, "您好，张三", name)
		})
	}
}

// Keys of the two worlds are told apart when the client is made, not by a rejection in production.
func TestNewRefusesOtherKeys(t *testing.T) {
	own, rsaKey := newKey(t), newRSAKey(t)
	platform := wxpay.WithPublicKey(keyID, newKey(t).Public())
	for name, test := range map[string]struct {
		key     crypto.Signer
		options []wxpay.Option
		says    string
	}{
		"an RSA key for SM2":          {rsaKey, []wxpay.Option{wxpay.WithScheme(sm.Scheme()), platform}, "needs SM2"},
		"an RSA platform key for SM2": {own, []wxpay.Option{wxpay.WithScheme(sm.Scheme()), wxpay.WithPublicKey(keyID, rsaKey.Public())}, "needs SM2"},
		"an SM2 key for RSA":          {own, []wxpay.Option{platform}, "needs RSA"},
		"the merchant's own key":      {own, []wxpay.Option{wxpay.WithScheme(sm.Scheme()), wxpay.WithPublicKey(keyID, own.Public())}, "the merchant's own"},
	} {
		_, err := wxpay.New(wxpay.Merchant{ID: mchid, Serial: merchantSerial, PrivateKey: test.key}, test.options...)
		assert.ErrorContains(t, err, test.says, name)
	}
}

// The list of platform certificates, as it comes with algorithm_type=SM2, opened by hand.
func TestCertificateList(t *testing.T) {
	platform := newKey(t)
	nonce, additional := []byte("uluk4a9R25RW"), []byte("certificate")
	sealed, err := sm.Seal([]byte(apiv3Key), nonce, additional, block("CERTIFICATE", certificate(t, platform)))
	require.NoError(t, err)

	opened, err := sm.Open([]byte(apiv3Key), nonce, additional, sealed)
	require.NoError(t, err)
	parsed, err := sm.ParseCertificate(opened)
	require.NoError(t, err)
	set, err := apiv3.NewKeySet(apiv3.CertificateKey(parsed))
	require.NoError(t, err)
	found, err := set.Find(serial, time.Now())
	require.NoError(t, err)
	assert.True(t, platform.PublicKey.Equal(found.Key))
	_, err = set.Find(serial, time.Now().AddDate(6, 0, 0))
	require.ErrorIs(t, err, apiv3.ErrExpired)

	// The standard library alone does not get this far.
	_, err = x509.ParseCertificate(parsed.Raw)
	require.Error(t, err)
	require.False(t, errors.Is(err, apiv3.ErrKey))
}
