package wxpaytest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/webhook"
	"github.com/wxpay-go/wxpay/wxcode"
	"github.com/wxpay-go/wxpay/wxpaytest"
)

const nativePath, orderPath = "v3/pay/transactions/native", "v3/pay/transactions/out-trade-no/{out_trade_no}"

func order() wxpay.JSON {
	return wxpay.JSON{
		"appid": "wx0123456789abcdef", "mchid": wxpaytest.MchID, "description": "tea", "out_trade_no": "ORDER-0001",
		"notify_url": "https://shop.example/notify", "amount": wxpay.JSON{"total": 100, "currency": "CNY"},
	}
}

// One answer takes three lines.
func TestClient(t *testing.T) {
	client := wxpaytest.Client(t, wxpaytest.Answer(200, `{"code_url":"weixin://wxpay/1"}`))
	res, err := client.Chain(nativePath).Post(t.Context(), order())
	require.NoError(t, err)
	assert.Equal(t, "weixin://wxpay/1", res.Get("code_url").String())
	assert.True(t, res.Verified)
}

// What becomes of a call by the double's answer.
func TestOutcomes(t *testing.T) {
	for name, tt := range map[string]struct {
		answer   http.Handler
		outcome  wxpay.Outcome
		verified bool
	}{
		"a success":           {wxpaytest.Answer(200, wxpay.JSON{"code_url": "weixin://wxpay/1"}), wxpay.Confirmed, true},
		"a rejection":         {wxpaytest.Answer(400, `{"code":"PARAM_ERROR"}`), wxpay.Rejected, true},
		"not authenticated":   {wxpaytest.Answer(401, `{"code":"SIGN_ERROR"}`), wxpay.Unknown, false},
		"no such path":        {wxpaytest.Answer(404, nil), wxpay.Unknown, false},
		"trouble":             {wxpaytest.Answer(500, `{"code":"SYSTEM_ERROR"}`), wxpay.Unknown, true},
		"a lost response":     {wxpaytest.Lost(), wxpay.Unknown, false},
		"a signature by hand": {badSignature(), wxpay.Unknown, false},
	} {
		t.Run(name, func(t *testing.T) {
			client := wxpaytest.Client(t, tt.answer, wxpay.WithAttempts(1))
			res, err := client.Chain(nativePath).Post(t.Context(), order())
			assert.Equal(t, tt.outcome, wxpay.OutcomeOf(err))
			var rejection *wxpay.APIError
			if errors.As(err, &rejection) {
				assert.Equal(t, tt.verified, rejection.Verified)
			}
			assert.Equal(t, err == nil, res != nil && res.Verified)
		})
	}
}

func badSignature() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set(apiv3.HeaderSignature, "AAAA")
		_, _ = io.WriteString(w, `{}`)
	})
}

// A handler sees the request as it was sent, and its response may depend on it.
func TestHandlerSeesTheRequest(t *testing.T) {
	client := wxpaytest.Client(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		assert.Contains(t, string(body), `"out_trade_no":"ORDER-0001"`)
		assert.Equal(t, "/v3/pay/transactions/native?x=1", r.RequestURI)
		assert.NotEmpty(t, r.Header.Get("Authorization"))
		_, _ = io.WriteString(w, `{"code_url":"weixin://wxpay/1"}`)
	}))
	_, err := client.Chain(nativePath).Query("x", 1).Post(t.Context(), order())
	require.NoError(t, err)
}

// A table answers by method and path. It says which request it does not know, and fails the test.
func TestAnswers(t *testing.T) {
	test := &recording{TB: t}
	client := wxpaytest.Client(test, wxpaytest.Answers{
		"POST /" + nativePath: wxpaytest.Answer(200, `{"code_url":"weixin://wxpay/1"}`),
		"GET /" + orderPath:   wxpaytest.Answer(404, `{"code":"ORDER_NOT_EXIST"}`),
	})
	_, err := client.Chain(nativePath).Post(t.Context(), order())
	require.NoError(t, err)
	_, err = client.Chain(orderPath, "A|*1").Query("mchid", wxpaytest.MchID).Get(t.Context())
	assert.True(t, wxpay.IsCode(err, wxcode.OrderNotExist), "%v", err)
	assert.Empty(t, test.said)

	_, err = client.Chain("v3/certificates").Get(t.Context())
	require.Error(t, err)
	require.Len(t, test.said, 1)
	assert.Equal(t, "wxpaytest: no answer for GET /v3/certificates; there are answers for: "+
		"GET /"+orderPath+", POST /"+nativePath, test.said[0])
}

// What is wrong about a double ends its test and names itself.
func TestMistakes(t *testing.T) {
	for name, tt := range map[string]struct {
		make func(testing.TB)
		says string
	}{
		"an option":  {func(t testing.TB) { wxpaytest.Client(t, wxpaytest.Lost(), wxpay.WithAttempts(0)) }, "WithAttempts is 0"},
		"a pattern":  {func(t testing.TB) { wxpaytest.Client(t, wxpaytest.Answers{"GET /{": wxpaytest.Lost()}) }, `the answer for "GET /{"`},
		"a resource": {func(t testing.TB) { wxpaytest.Event(t, webhook.TransactionSuccess, `{"a":1,"a":2}`) }, "the event TRANSACTION.SUCCESS"},
	} {
		t.Run(name, func(t *testing.T) {
			test := &recording{TB: t}
			func() {
				defer func() { assert.Equal(t, errFatal, recover()) }()
				tt.make(test)
			}()
			assert.Contains(t, strings.Join(test.said, ""), tt.says)
		})
	}
	assert.PanicsWithValue(t, "wxpaytest: the body cannot be marshalled: json: unsupported type: func()", func() { wxpaytest.Answer(200, func() {}) })
}

// recording is a test that keeps what it is told.
type recording struct {
	testing.TB
	said []string
}

var errFatal = errors.New("the test ended")

func (r *recording) Errorf(format string, args ...any) {
	r.said = append(r.said, fmt.Sprintf(format, args...))
}
func (r *recording) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	panic(errFatal)
}

// A function of a webhook handler takes an event that the test made.
func TestEvent(t *testing.T) {
	e := wxpaytest.Event(t, webhook.TransactionSuccess, wxpay.JSON{"out_trade_no": "ORDER-0001", "amount": wxpay.JSON{"total": 100}})
	total, err := e.Fen("amount.total")
	require.NoError(t, err)
	assert.Equal(t, int64(100), total)
	assert.Equal(t, []any{"TRANSACTION.SUCCESS", "transaction", wxpaytest.MchID}, []any{e.Type, e.OriginalType, e.Merchant})
	assert.Equal(t, "mch_payment", wxpaytest.Event(t, "MCHTRANSFER.BILL.FINISHED", "{}").OriginalType, "from the catalogue")
	assert.NotEqual(t, e.ID, wxpaytest.Event(t, webhook.TransactionSuccess, "{}").ID)
}

// A whole handler takes a signed notification, and rejects it when its clock is another.
func TestNotification(t *testing.T) {
	clock := wxpaytest.NewClock(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC))
	handler, err := webhook.New(wxpaytest.Receiver(t), webhook.WithClock(clock.Now))
	require.NoError(t, err)
	var seen []string
	handler.On(webhook.TransactionSuccess, func(_ context.Context, e *webhook.Event) error {
		seen = append(seen, e.Get("out_trade_no").String())
		return nil
	})
	deliver := func(r *http.Request) int {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w.Code
	}
	paid := `{"out_trade_no":"ORDER-0001"}`
	assert.Equal(t, 204, deliver(wxpaytest.NotificationAt(t, clock.Now(), webhook.TransactionSuccess, paid)))
	clock.Advance(-time.Hour)
	assert.NotEqual(t, 204, deliver(wxpaytest.Notification(t, webhook.TransactionSuccess, paid)))
	assert.Equal(t, []string{"ORDER-0001"}, seen)
}

// The double's signatures follow the client's clock.
func TestClock(t *testing.T) {
	clock := wxpaytest.NewClock(time.Unix(1_700_000_000, 0))
	client := wxpaytest.Client(t, wxpaytest.Answer(200, `{"prepay_id":"wx1"}`), wxpay.WithClock(clock.Now))
	clock.Advance(time.Second)
	res, err := client.Chain("v3/pay/transactions/jsapi").Post(t.Context(), order())
	require.NoError(t, err)
	params, err := client.Invoke().JSAPI(t.Context(), "wx0123456789abcdef", res.Get("prepay_id").String())
	require.NoError(t, err)
	assert.Equal(t, "1700000001", params.TimeStamp)
}

// What the platform encrypts for the merchant, client and handler decrypt.
func TestEncrypt(t *testing.T) {
	phone := wxpaytest.Encrypt(t, "13800000000")
	client := wxpaytest.Client(t, wxpaytest.Answer(200, wxpay.JSON{"complaint_id": "1", "payer_phone": phone}))
	res, err := client.Chain("v3/merchant-service/complaints-v2/{complaint_id}", "1").Get(t.Context())
	require.NoError(t, err)
	require.NoError(t, res.DecryptErr())
	assert.Equal(t, "13800000000", res.Get("payer_phone").String())
}

// A call ends with its context, as on a network.
func TestContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	client := wxpaytest.Client(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { cancel() }))
	_, err := client.Chain(nativePath).Post(ctx, order())
	require.ErrorIs(t, err, context.Canceled)
}
