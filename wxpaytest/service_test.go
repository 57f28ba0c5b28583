package wxpaytest_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/middleware"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/webhook"
	"github.com/wxpay-go/wxpay/wxpaytest"
)

// The service under test of docs/testing.md, which shows the code of this file.

type shop struct {
	wechat *wxpay.Client
	paid   map[string]int64 // fen, by order
}

func (s *shop) refund(ctx context.Context, number string) (string, error) {
	_, err := s.wechat.Chain("v3/refund/domestic/refunds").Post(ctx, wxpay.JSON{
		"out_trade_no": number, "out_refund_no": number + "-R", "amount": wxpay.JSON{"refund": 100, "total": 100, "currency": "CNY"},
	})
	switch {
	case errors.Is(err, wxpay.ErrOutcomeUnknown):
		return "ask again later", nil
	case err != nil:
		return "", err
	}
	return "refunded", nil
}

func (s *shop) onPaid(_ context.Context, e *webhook.Event) error {
	total, err := e.Fen("amount.total")
	if err != nil {
		return err
	}
	s.paid[e.Get("out_trade_no").String()] = total
	return nil
}

// refunder is all that the cancellation of an order needs of WeChat Pay.
type refunder interface {
	refund(ctx context.Context, number string) (string, error)
}

func cancel(ctx context.Context, r refunder, number string) (string, error) {
	said, err := r.refund(ctx, number)
	if err != nil || said != "refunded" {
		return "cannot be canceled yet", err
	}
	return "canceled", nil
}

type refundSays string

func (r refundSays) refund(context.Context, string) (string, error) { return string(r), nil }

func TestCancel(t *testing.T) {
	for said, want := range map[refundSays]string{"refunded": "canceled", "ask again later": "cannot be canceled yet"} {
		got, err := cancel(t.Context(), said, "ORDER-0001")
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

func TestRefundLost(t *testing.T) {
	client := wxpaytest.Client(t, wxpaytest.Lost())
	said, err := (&shop{wechat: client}).refund(t.Context(), "ORDER-0001")
	require.NoError(t, err)
	require.Equal(t, "ask again later", said)
}

func TestRefundRejected(t *testing.T) {
	client := wxpaytest.Client(t, wxpaytest.Answers{
		"POST /v3/refund/domestic/refunds": wxpaytest.Answer(403, `{"code":"NOT_ENOUGH","message":"余额不足"}`),
	})
	_, err := (&shop{wechat: client}).refund(t.Context(), "ORDER-0001")
	require.ErrorContains(t, err, "NOT_ENOUGH")
}

func TestOnPaid(t *testing.T) {
	s := &shop{paid: map[string]int64{}}
	paid := wxpaytest.Event(t, webhook.TransactionSuccess, wxpay.JSON{
		"out_trade_no": "ORDER-0001", "amount": wxpay.JSON{"total": 100},
	})
	require.NoError(t, s.onPaid(t.Context(), paid))
	require.Equal(t, int64(100), s.paid["ORDER-0001"])
}

func TestNotify(t *testing.T) {
	s := &shop{paid: map[string]int64{}}
	handler, err := webhook.New(wxpaytest.Receiver(t))
	require.NoError(t, err)
	handler.On(webhook.TransactionSuccess, s.onPaid)
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, wxpaytest.Notification(t, webhook.TransactionSuccess, `{"out_trade_no":"ORDER-0001","amount":{"total":100}}`))
	require.Equal(t, http.StatusNoContent, w.Code)
	require.Equal(t, int64(100), s.paid["ORDER-0001"])
}

func TestRefundInTheSandbox(t *testing.T) {
	gateway := sandbox.Start(t)
	_, err := gateway.Users.AddPaidOrder("ORDER-0001", 100)
	require.NoError(t, err)
	client, err := wxpay.FromLookupEnv(gateway.LookupEnv)
	require.NoError(t, err)
	said, err := (&shop{wechat: client}).refund(t.Context(), "ORDER-0001")
	require.NoError(t, err)
	require.Equal(t, "refunded", said)
}

func TestWhatIsSent(t *testing.T) {
	gateway := sandbox.Start(t)
	var seen strings.Builder
	client, err := wxpay.FromLookupEnv(gateway.LookupEnv, wxpay.WithMiddleware(middleware.Dump(&seen)))
	require.NoError(t, err)
	_, err = (&shop{wechat: client}).refund(t.Context(), "ORDER-0001")
	require.Error(t, err) // nobody has paid
	require.Contains(t, seen.String(), "curl -X POST")
}
