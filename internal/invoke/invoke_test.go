package invoke_test

import (
	"context"
	"crypto"
	"encoding/base64"
	"errors"
	"io"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/invoke"
	"github.com/wxpay-go/wxpay/internal/vectors"
	"github.com/wxpay-go/wxpay/middleware"
)

const appID = "wx0123456789abcdef"

func signer(t testing.TB, scheme apiv3.Scheme, key crypto.Signer) *middleware.Signer {
	p := vectors.Load(t).Parameters
	return &middleware.Signer{
		Scheme: scheme, ID: p.MchID, Identity: middleware.Certificate{Serial: p.MerchantSerial, Key: key},
		Clock: p.Now, Nonce: func() string { return "N" },
	}
}

// What is signed are four lines, of which the caller names the last.
func TestPayment(t *testing.T) {
	key := vectors.Key(t, "merchant")
	for _, last := range []string{"prepay_id=wx01", "wx01"} {
		s, err := invoke.Payment(t.Context(), signer(t, apiv3.RSA(), key), appID, "wx01", last)
		require.NoError(t, err)
		assert.Equal(t, []string{"1735689600", "N"}, []string{s.Timestamp, s.Nonce})
		signature, err := base64.StdEncoding.DecodeString(s.Signature)
		require.NoError(t, err)
		require.NoError(t, apiv3.RSA().Verify(key.Public(), []byte(appID+"\n1735689600\nN\n"+last+"\n"), signature))
	}
}

func TestPaymentMistakes(t *testing.T) {
	for name, tt := range map[string]struct{ appID, prepay, says string }{
		"no appid":            {"", "wx01", "is not an appid"},
		"a merchant number":   {"1900000109", "wx01", "is not an appid"},
		"a line in the appid": {"wx1\n1", "wx01", "is not an appid"},
		"no prepay_id":        {"wx1", "", "prepay_id is empty"},
		"the package":         {"wx1", "prepay_id=wx01", "pass the bare id"},
		"a line in the id":    {"wx1", "wx01\nx", "a character that none has"},
		"a field in the id":   {"wx1", "wx01&a=b", "a character that none has"},
		"another script":      {"wx1", "订单", "a character that none has"},
	} {
		s, err := invoke.Payment(t.Context(), signer(t, apiv3.RSA(), vectors.Key(t, "merchant")), tt.appID, tt.prepay, "x")
		require.ErrorContains(t, err, tt.says, name)
		assert.NotContains(t, err.Error(), "\n", name)
		assert.Zero(t, s, name)
	}
	_, err := invoke.Payment(t.Context(), signer(t, apiv3.Brand(), vectors.Key(t, "merchant")), appID, "wx01", "x")
	require.ErrorContains(t, err, "a brand takes no payments")
	_, err = invoke.Payment(t.Context(), signer(t, apiv3.RSA(), broken{vectors.Key(t, "merchant")}), appID, "wx01", "x")
	require.ErrorIs(t, err, errBroken)
	assert.ErrorContains(t, err, "front-end parameters could not be signed")
	assert.NotContains(t, err.Error(), "the request", "there is none")
}

var errBroken = errors.New("the key is gone")

// broken is a key that cannot sign.
type broken struct{ crypto.Signer }

func (broken) SignContext(context.Context, io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errBroken
}

func TestH5(t *testing.T) {
	const h5 = "https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=wx01&package=1"
	for redirect, want := range map[string]string{
		"":                                 h5,
		"https://shop.example/ok":          h5 + "&redirect_url=https%3A%2F%2Fshop.example%2Fok",
		"https://shop.example/?a=1&b=订单#x": h5 + "&redirect_url=https%3A%2F%2Fshop.example%2F%3Fa%3D1%26b%3D%E8%AE%A2%E5%8D%95%23x",
	} {
		got, err := invoke.H5(h5, redirect)
		require.NoError(t, err)
		assert.Equal(t, want, got)
		u, err := url.Parse(got)
		require.NoError(t, err)
		assert.Equal(t, redirect, u.Query().Get("redirect_url"), "it comes out as it went in")
	}
	for _, bad := range []string{"", "http://wx.tenpay.com/x?a=1", "weixin://x", "https://wx.tenpay.com/x", h5 + "#a"} {
		_, err := invoke.H5(bad, "")
		assert.ErrorContains(t, err, "h5_url", bad)
	}
	for _, bad := range []string{"shop.example", "/paid", "javascript:alert(1)"} {
		_, err := invoke.H5(h5, bad)
		assert.ErrorContains(t, err, "redirect_url is not a whole address", bad)
	}
}

func TestNative(t *testing.T) {
	code, err := invoke.Native("weixin://wxpay/bizpayurl?pr=abc")
	require.NoError(t, err)
	assert.Equal(t, "weixin://wxpay/bizpayurl?pr=abc", code)
	_, err = invoke.Native("https://wx.tenpay.com/x?a=1")
	assert.ErrorContains(t, err, "code_url does not begin with weixin://")
}

// A query has the pairs that are not empty, in their order, escaped.
func TestQuery(t *testing.T) {
	assert.Empty(t, invoke.Query(nil))
	assert.Equal(t, "b=1&package=a%3D%3D&a=%E8%AE%A2", invoke.Query(invoke.Pairs{{"b", "1"}, {"none", ""}, {"package", "a=="}, {"a", "订"}}))
}

// The order of the pairs is not signed, and what is empty neither.
func TestSignPayScore(t *testing.T) {
	key := vectors.Load(t).Parameters.APIv2Key
	one, err := invoke.SignPayScore(key, invoke.Pairs{{"b", "2"}, {"a", "1"}, {"c", ""}})
	require.NoError(t, err)
	assert.Equal(t, apiv3.SignHMAC(map[string]string{"a": "1", "b": "2"}, key), one)
	for bad, says := range map[string]string{"short": "5 bytes instead of 32", key + " ": "a blank (U+0020)", strings.Repeat("订", 11): "character 1 is"} {
		_, err = invoke.SignPayScore(bad, nil)
		require.ErrorContains(t, err, says)
		assert.NotContains(t, err.Error(), bad)
	}
}

func TestChecks(t *testing.T) {
	require.NoError(t, invoke.CheckTransfer(appID, "x"))
	assert.ErrorContains(t, invoke.CheckTransfer("1900000109", "x"), "not an appid")
	assert.ErrorContains(t, invoke.CheckTransfer(appID, ""), "package_info is empty")
	require.NoError(t, invoke.CheckPayScore("x"))
	assert.ErrorContains(t, invoke.CheckPayScore(""), "package is empty")
	require.NoError(t, invoke.CheckPayScoreDetail("s", "o"))
	for _, pair := range [][2]string{{"", "o"}, {"s", ""}} {
		assert.ErrorContains(t, invoke.CheckPayScoreDetail(pair[0], pair[1]), "service_id and out_order_no")
	}
}
