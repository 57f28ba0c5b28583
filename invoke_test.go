package wxpay_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"maps"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/internal/vectors"
)

// frontClient signs as the vectors do, at their time and with their nonce.
func frontClient(t testing.TB, nonce string) *wxpay.Client {
	t.Helper()
	p := vectors.Load(t).Parameters
	client, err := wxpay.New(wxpay.Merchant{ID: p.MchID, Serial: p.MerchantSerial, PrivateKey: vectors.Key(t, "merchant")},
		wxpay.WithPublicKey(testKeyID, testKeys().platform.Public()), wxpay.WithClock(p.Now), wxpay.WithNonce(func() string { return nonce }))
	require.NoError(t, err)
	return client
}

// The front-end vectors: every member, its name and its type, as JSON.
func TestFrontEndVectors(t *testing.T) {
	p := vectors.Load(t).Parameters
	ran := map[string]bool{}
	for _, v := range vectors.Load(t).Vectors {
		var made any
		var err error
		params := maps.Clone(v.Params)
		nonce := ""
		for _, name := range []string{"nonceStr", "noncestr", "nonce_str"} {
			nonce += v.Params[name]
		}
		invoke := frontClient(t, nonce).Invoke()
		prepay := "wx01080000000000testonly0000000001"
		switch v.ID {
		case "fe-01-jsapi":
			made, err = invoke.JSAPI(t.Context(), v.Lines[0], prepay)
		case "fe-02-miniprogram":
			made, err = invoke.MiniProgram(t.Context(), v.Lines[0], prepay)
		case "fe-03-app":
			made, err = invoke.App(t.Context(), v.Lines[0], prepay)
		case "fe-04-payscore":
			made, err = invoke.PayScore(p.APIv2Key, v.Params["package"])
			params["sign"] = v.Signature
		default:
			continue
		}
		require.NoError(t, err, v.ID)
		text, err := json.Marshal(made)
		require.NoError(t, err)
		wanted, err := json.Marshal(params) // texts, all of them
		require.NoError(t, err)
		assert.JSONEq(t, string(wanted), string(text), v.ID)
		ran[v.ID] = true
	}
	assert.Len(t, ran, 4)
}

func TestInstallments(t *testing.T) {
	client := frontClient(t, "N")
	ctx := t.Context()
	const pack = "prepay_id=wx01&subsidy_period_type=PERIOD&selected_installment_number=6"
	jsapi, err := client.Invoke().JSAPI(ctx, "wx0123456789abcdef", "wx01", wxpay.Installments(6))
	require.NoError(t, err)
	assert.Equal(t, pack, jsapi.Package)
	signed, err := client.Sign(ctx, "wx0123456789abcdef\n1735689600\nN\n"+pack+"\n")
	require.NoError(t, err)
	assert.Equal(t, signed, jsapi.PaySign, "the whole package is signed")
	mini, err := client.Invoke().MiniProgram(ctx, "wx0123456789abcdef", "wx01", wxpay.Installments(6))
	require.NoError(t, err)
	assert.Equal(t, jsapi.PaySign, mini.PaySign)

	app, err := client.Invoke().App(ctx, "wx0123456789abcdef", "wx01", wxpay.Installments(6))
	require.NoError(t, err)
	assert.Equal(t, "Sign=WXPay&subsidy_period_type=PERIOD&selected_installment_number=6", app.Package)
	plain, err := client.Invoke().App(ctx, "wx0123456789abcdef", "wx01")
	require.NoError(t, err)
	assert.Equal(t, plain.Sign, app.Sign, "in an app the package is not signed")
	_, err = client.Invoke().JSAPI(ctx, "wx0123456789abcdef", "wx01", wxpay.Installments(0))
	assert.ErrorContains(t, err, "Installments is 0")
}

func TestH5AndNative(t *testing.T) {
	invoke := frontClient(t, "N").Invoke()
	const h5 = "https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=wx01&package=1"
	got, err := invoke.H5(h5, "https://shop.example/ok")
	require.NoError(t, err)
	assert.Equal(t, h5+"&redirect_url=https%3A%2F%2Fshop.example%2Fok", got)
	code, err := invoke.Native("weixin://wxpay/bizpayurl?pr=abc")
	require.NoError(t, err)
	assert.Equal(t, "weixin://wxpay/bizpayurl?pr=abc", code)
}

func TestTransferConfirmation(t *testing.T) {
	invoke := frontClient(t, "N").Invoke()
	transfer, err := invoke.Transfer("wx0123456789abcdef", "affffddafdfafddffda==")
	require.NoError(t, err)
	text, err := json.Marshal(transfer)
	require.NoError(t, err)
	assert.JSONEq(t, `{"mchId":"1900000109","appId":"wx0123456789abcdef","package":"affffddafdfafddffda=="}`, string(text))
	app, err := json.Marshal(transfer.App())
	require.NoError(t, err)
	assert.JSONEq(t, `{"businessType":"requestMerchantTransfer",`+
		`"query":"mchId=1900000109\u0026appId=wx0123456789abcdef\u0026package=affffddafdfafddffda%3D%3D"}`, string(app))

	transfer.SubMchID, transfer.SubAppID, transfer.OpenID = "1900000110", "wxsub", "o1"
	text, err = json.Marshal(transfer)
	require.NoError(t, err)
	assert.JSONEq(t, `{"mchId":"1900000109","appId":"wx0123456789abcdef","package":"affffddafdfafddffda==","subMchId":"1900000110",`+
		`"subAppId":"wxsub","openId":"o1"}`, string(text))
	_, err = invoke.Transfer("1900000109", "x")
	assert.ErrorContains(t, err, "not an appid")
	_, err = invoke.Transfer("wx1", "")
	assert.ErrorContains(t, err, "package_info is empty")
}

func TestPayScore(t *testing.T) {
	p := vectors.Load(t).Parameters
	invoke := frontClient(t, "5K8264ILTKCH16CQ2502SI8ZNMTM67VS").Invoke()
	use, err := invoke.PayScore(p.APIv2Key, "TestOnlyPayscorePackage==")
	require.NoError(t, err)
	assert.Equal(t, "mch_id=1900000109&package=TestOnlyPayscorePackage%3D%3D&timestamp=1735689600&nonce_str=5K8264ILTKCH16CQ2502SI8ZNMTM67VS&"+
		"sign_type=HMAC-SHA256&sign="+use.Sign, use.Query())
	assert.Equal(t, wxpay.OpenBusinessView{BusinessType: "wxpayScoreUse", Query: use.Query(), ExtInfo: `{"miniProgramType":0}`}, use.App())

	detail, err := invoke.PayScoreDetail(p.APIv2Key, "500001", "ORDER-1")
	require.NoError(t, err)
	text, err := json.Marshal(detail)
	require.NoError(t, err)
	assert.JSONEq(t, fmt.Sprintf(
		`{"mch_id":"1900000109","service_id":"500001","out_order_no":"ORDER-1","timestamp":"1735689600",`+
			`"nonce_str":"5K8264ILTKCH16CQ2502SI8ZNMTM67VS","sign_type":"HMAC-SHA256","sign":%q}`, detail.Sign), string(text))
	assert.Equal(t, "wxpayScoreDetail", detail.App().BusinessType)
	assert.NotEqual(t, use.Sign, detail.Sign)

	_, err = invoke.PayScore(p.APIv2Key, "")
	assert.ErrorContains(t, err, "package is empty")
	_, err = invoke.PayScoreDetail(p.APIv2Key, "", "ORDER-1")
	assert.ErrorContains(t, err, "service_id and out_order_no")
}

// Every way to pay refuses what no front end could use.
func TestInvokeRefuses(t *testing.T) {
	invoke := frontClient(t, "N").Invoke()
	_, err := invoke.JSAPI(t.Context(), "1900000109", "wx01")
	assert.ErrorContains(t, err, "is not an appid")
	_, err = invoke.App(t.Context(), "wx1", "prepay_id=wx01")
	assert.ErrorContains(t, err, "pass the bare id")
	mini, err := invoke.MiniProgram(t.Context(), "wx1", "")
	assert.ErrorContains(t, err, "prepay_id is empty")
	assert.Zero(t, mini)
}

// Parameters of a payment, as the page inside WeChat takes them.
func ExampleInvoke_JSAPI() {
	client, ctx := exampleClient(), context.Background()
	prepayID := "wx201410272009395522657a690389285100" // of the answer that created the order
	payment, err := client.Invoke().JSAPI(ctx, "wx8888888888888888", prepayID)
	if err != nil {
		log.Fatal(err)
	}
	text, err := json.Marshal(payment) // goes to the page as it is
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(text) > 400, payment.Package, payment.SignType)
	// Output: true prepay_id=wx201410272009395522657a690389285100 RSA
}
