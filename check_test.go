package wxpay_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/sandbox"
)

// Check a line of a file before it is queued. Nothing is signed or sent.
func ExampleChain_Check() {
	gateway, err := sandbox.New()
	if err != nil {
		log.Fatal(err)
	}
	client, err := wxpay.FromLookupEnv(gateway.LookupEnv, wxpay.WithPreflight(wxpay.PreflightStrict))
	if err != nil {
		log.Fatal(err)
	}
	err = client.Chain("v3/refund/domestic/refunds").Check(context.Background(), "POST", `{"out_refund_no":5}`)
	var refused *wxpay.PreflightError
	if errors.As(err, &refused) {
		fmt.Println(refused.Findings[0])
	}
	// Output: body /out_refund_no (商户退款单号): it is a number and documented as string: quote it
}

func TestCheck(t *testing.T) {
	gateway := play(ok("{}"))
	ctx := context.Background()
	strict := newClient(t, wxpay.WithTransport(gateway), wxpay.WithPreflight(wxpay.PreflightStrict))
	require.NoError(t, strict.Chain(ordersPath).Check(ctx, "POST", nativeOrder()))
	for name, c := range map[string]struct {
		err  error
		says string
	}{
		"a finding":           {strict.Chain(ordersPath).Check(ctx, "POST", changed(nil, "appid")), "appid"},
		"a variable":          {strict.Chain("v3/pay/transactions/out-trade-no/{out_trade_no}").Check(ctx, "GET", nil), "out_trade_no"},
		"a method":            {strict.Chain("v3/x").Check(ctx, "LIST", nil), "LIST"},
		"a body that is none": {strict.Chain("v3/x").Check(ctx, "POST", wxpay.JSON{"f": func() {}}), "cannot be marshalled"},
		"an earlier mistake":  {strict.Chain("v3//x").Check(ctx, "POST", nil), "segment"},
		"no client":           {wxpay.Chain{}.Chain("v3/x").Check(ctx, "POST", nil), "has no client"},
	} {
		require.ErrorIs(t, c.err, wxpay.StageBuild, name)
		assert.ErrorContains(t, c.err, c.says, name)
		assert.Equal(t, wxpay.NotSent, wxpay.OutcomeOf(c.err), name)
	}
	require.NoError(t, newClient(t).Chain(ordersPath).Check(ctx, "POST", wxpay.JSON{}), "without preflight only what can never be sent is a mistake")
	assert.Empty(t, gateway.seen)
}

// What has to be encrypted is not, so that no key is asked for: with certificates that cannot be fetched Check works.
func TestCheckNeedsNoKey(t *testing.T) {
	client, err := wxpay.New(wxpay.Merchant{ID: testMerchant, Serial: testSerial, PrivateKey: testKeys().merchant, APIv3Key: secretAPIv3Key},
		wxpay.WithCertificates(), wxpay.WithTransport(play(refusedConnection)), wxpay.WithPreflight(wxpay.PreflightStrict))
	require.NoError(t, err)
	body := wxpay.JSON{"appid": "wx1", "out_bill_no": "B1", "openid": "o1", "user_name": "张三", "transfer_amount": 100, "transfer_remark": "bonus",
		"transfer_scene_id": "1000", "transfer_scene_report_infos": []wxpay.JSON{{"info_type": "a", "info_content": "b"}}}
	require.NoError(t, client.Chain(transferCall).Check(context.Background(), "POST", body))
}

func TestIdentity(t *testing.T) {
	assert.Equal(t, "mchid "+testMerchant, newClient(t).Identity())
}

func BenchmarkCheck(b *testing.B) {
	client := newClient(b, wxpay.WithPreflight(wxpay.PreflightStrict))
	chain, body := client.Chain(feedsPath),
		[]byte(`{"brand_id":"1004","card_id":"pbLatjvWOibDc5","user_card_code":"478515832665","openid":"obLatjnx9gnqzS4myYGmLZ7LgLBA",`+
			`"out_request_no":"100002322019090134234sfdf","cell_message":"15_1200_1"}`)
	for b.Loop() {
		if err := chain.Check(context.Background(), "POST", body); err != nil {
			b.Fatal(err)
		}
	}
}
