//go:build go1.25

package wxpay_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/wxpaytest"
)

// The text of an Ensure or a Resolve is one sentence about one call: operation, outcome and advice stand in it once, whatever
// errors of requests and queries it holds.
func TestEnsureTextSaysThingsOnce(t *testing.T) {
	refund := wxpay.JSON{"out_trade_no": "A1", "out_refund_no": "R1", "amount": wxpay.JSON{"refund": 1, "total": 1, "currency": "CNY"}}
	trouble := wxpaytest.Answer(500, `{"code":"SYSTEM_ERROR","message":"系统错误"}`)
	for name, query := range map[string]http.Handler{
		"trouble": trouble, "lost": wxpaytest.Lost(),
		"no permission": wxpaytest.Answer(403, `{"code":"NO_AUTH","message":"没有权限"}`),
		"unsigned":      wxpaytest.Answer(401, `{"code":"SIGN_ERROR","message":"签名错误"}`),
		"missing":       wxpaytest.Answer(404, `{"code":"RESOURCE_NOT_EXISTS","message":"退款单不存在"}`),
		"conflict":      wxpaytest.Answer(200, `{"out_refund_no":"R1","out_trade_no":"A2","status":"SUCCESS","amount":{"refund":1,"total":1}}`),
	} {
		for writing, write := range map[string]http.Handler{"lost": wxpaytest.Lost(), "trouble": trouble} {
			synctest.Test(t, func(t *testing.T) {
				client := wxpaytest.Client(t, wxpaytest.Answers{"POST /v3/refund/domestic/refunds": write, "GET /v3/refund/domestic/refunds/{number}": query})
				chain := client.Chain("v3/refund/domestic/refunds")
				ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
				defer cancel()
				_, ensured := chain.Ensure(ctx, refund)
				_, posted := chain.Post(t.Context(), refund)
				_, resolved := client.Resolve(t.Context(), posted)
				for _, err := range []error{ensured, posted, resolved} {
					require.ErrorIs(t, err, wxpay.ErrOutcomeUnknown)
					for text, most := range map[string]int{"wxpay: ": 1, "POST /": 1, "GET /": 1, "outcome unknown": 1, "may have taken effect": 1, "retrying is safe": 0} {
						assert.LessOrEqual(t, strings.Count(err.Error(), text), most, "%s, then %s: %s", writing, name, err)
					}
				}
			})
		}
	}
}

// A response that does not verify says what may be the reason.
func TestVerifyHints(t *testing.T) {
	for name, tt := range map[string]struct {
		answer answer
		says   string
	}{
		"another key":   {answer{body: "{}", key: testKeys().other}, "signature does not match (is pub_key.pem the key of the id " + testKeyID + "?"},
		"a probe":       {probed, "(a signature test of the platform, rejected as it should be: the response to a retry is signed correctly)"},
		"no signature":  {answer{body: "{}", unsigned: true}, "not signed: the header Wechatpay-Signature is missing (the operation may"},
		"another clock": {answer{body: "{}", ahead: -time.Hour}, "check this machine's clock first (the operation may"},
	} {
		_, err := newClient(t, wxpay.WithTransport(tt.answer), wxpay.WithAttempts(1)).Chain(codepayPath).Post(t.Context(), wxpay.JSON{"a": 1})
		assert.ErrorContains(t, err, tt.says, name)
	}
}
