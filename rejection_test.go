//go:build go1.25

package wxpay_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/wxcode"
)

// What the platform, or something on the way, says with a status other than 2xx.
func TestRefusals(t *testing.T) {
	const param = `{"code":"PARAM_ERROR","message":"参数错误","detail":{"field":"/amount/currency","value":"XYZ","issue":"不支持","location":"body"}}`
	tests := []struct {
		name     string
		answer   answer
		outcome  wxpay.Outcome
		code     wxcode.Code
		verified bool
		says     string
	}{
		{"signed refusal", answer{status: 400, body: param}, wxpay.Rejected, "PARAM_ERROR", true, "400 PARAM_ERROR: 参数错误 [body /amount/currency: 不支持]"},
		{"unsigned refusal proves nothing", answer{status: 400, body: param, unsigned: true}, wxpay.Unknown, "PARAM_ERROR", false, "outcome unknown"},
		{"refused before authentication", answer{status: 401, body: `{"code":"SIGN_ERROR","message":"签名错误"}`, unsigned: true}, wxpay.Unknown,
			"SIGN_ERROR", false, "or a machine between you and the platform made the response"},
		{"unknown path", answer{status: 404, unsigned: true}, wxpay.Unknown, "", false, "404 with an empty body; the platform does not know this path"},
		{"wrong method", answer{status: 405, unsigned: true}, wxpay.Unknown, "", false, "not with this method"},
		{"a 404 with somebody's page", answer{status: 404, body: "<html>", unsigned: true}, wxpay.Unknown, "", false, "not the platform's JSON"},
		{"no such order", answer{status: 404, body: `{"code":"ORDER_NOT_EXIST","message":"订单不存在"}`}, wxpay.Rejected, "ORDER_NOT_EXIST", true, "订单不存在"},
		{"too many calls", answer{status: 429, body: `{"code":"FREQUENCY_LIMITED"}`}, wxpay.Rejected, "FREQUENCY_LIMITED", true, "429 FREQUENCY_LIMITED"},
		{"system error, signed", answer{status: 500, body: `{"code":"SYSTEM_ERROR","message":"系统异常"}`}, wxpay.Unknown, "SYSTEM_ERROR", true, "may have taken effect"},
		{"HTML 502", answer{status: 502, body: "<html><h1>502 Bad Gateway</h1></html>", unsigned: true,
			bend: func(res *http.Response) { res.Header.Set("Content-Type", "text/html") }}, wxpay.Unknown, "", false,
			"502 with 37 bytes that are not the platform's JSON (text/html)"},
		{"redirect", answer{status: 302, unsigned: true, header: http.Header{"Location": {"https://elsewhere"}}}, wxpay.Unknown, "", false,
			"redirects are not part of the protocol"},
		{"detail with a number", answer{status: 400, body: `{"code":"PARAM_ERROR","detail":{"location":"body","value":1},"message":"输入源"}`},
			wxpay.Rejected, "PARAM_ERROR", true, "输入源"},
		{"detail of another kind", answer{status: 400, body: `{"code":"PARAM_ERROR","detail":"x","message":7}`}, wxpay.Rejected, "PARAM_ERROR",
			true, "PARAM_ERROR: 7"},
		{"a message of two lines", answer{status: 400, body: `{"code":"X","message":"a\nb"}`}, wxpay.Rejected, "X", true, `"a\nb"`},
		{"JSON that is not an object", answer{status: 400, body: `[1]`}, wxpay.Unknown, "", true, "not the platform's JSON"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			client := newClient(t, wxpay.WithTransport(tt.answer))
			_, err := client.Chain("v3/x/{id}").Var("id", "oSECRET").Post(context.Background(), wxpay.JSON{})
			var refusal *wxpay.APIError
			require.ErrorAs(t, fmt.Errorf("wrapped: %w", err), &refusal)
			assert.ErrorIs(t, err, wxpay.StageResponse)
			assert.ErrorContains(t, err, tt.says)
			assert.ErrorContains(t, err, "wxpay: POST /v3/x/{id}: ")
			assert.Equal(t, tt.outcome, wxpay.OutcomeOf(err))
			assert.Equal(t, tt.outcome == wxpay.Unknown, errors.Is(err, wxpay.ErrOutcomeUnknown))
			assert.Equal(t, tt.code, refusal.Code)
			assert.Equal(t, tt.verified, refusal.Verified)
			assert.Equal(t, tt.answer.status, refusal.Status)
			assert.Equal(t, tt.answer.body, string(refusal.Raw))
			assert.Equal(t, 1, refusal.Attempts)
			assert.True(t, tt.code == "" || wxpay.IsCode(fmt.Errorf("wrapped: %w", err), "OTHER", tt.code))
			assert.NotContains(t, err.Error(), "\n")
			assert.NotContains(t, err.Error(), "SECRET")
			assert.NotContains(t, err.Error(), "XYZ", "a value may identify a person")
		})
	}
	assert.False(t, wxpay.IsCode(nil, wxcode.NotFound))
	assert.False(t, wxpay.IsCode(errors.New("x"), wxcode.NotFound))
	assert.Equal(t, wxpay.Confirmed, wxpay.OutcomeOf(nil))
	assert.Equal(t, wxpay.Unknown, wxpay.OutcomeOf(errors.New("x")))
}

func TestSignErrorHints(t *testing.T) {
	now := time.Now().Truncate(time.Second)            // as a Date header has it
	own := len("POST\n/v3/x\n1735689600\n\n{}\n") + 26 // and the nonce
	information := func(length int) string {
		return fmt.Sprintf(`"sign_information":{"method":"POST","url":"/v3/x","truncated_sign_message":"POST\n/v3/x\n","sign_message_length":%d}`, length)
	}
	tests := []struct{ name, body, date, says string }{
		{"length differs", `{"code":"SIGN_ERROR","detail":{"field":"signature","issue":"sign not match","location":"authorization",` + information(own+7) + `}}`, "",
			fmt.Sprintf("the platform signed %d bytes, this client %d", own+7, own)},
		{"the other shape", `{"code":"SIGN_ERROR","detail":{"detail":{"issue":"sign not match"},"field":"signature","location":"authorization",` +
			information(own) + `}}`, "",
			"the private key does not belong to the certificate serial"},
		{"clock ahead", `{"code":"SIGN_ERROR"}`, now.Add(-6 * time.Minute).UTC().Format(http.TimeFormat), "clock is 6m0s ahead of the platform's"},
		{"clock behind", `{"code":"SIGN_ERROR"}`, now.Add(6 * time.Minute).UTC().Format(http.TimeFormat), "clock is 6m0s behind the platform's"},
		{"nothing known", `{"code":"SIGN_ERROR"}`, now.UTC().Format(http.TimeFormat),
			"check that merchant number, certificate serial and private key belong together"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			refusing := answer{status: 401, body: tt.body, unsigned: true, header: http.Header{}}
			if tt.date != "" {
				refusing.header.Set("Date", tt.date)
			}
			client := newClient(t, wxpay.WithTransport(refusing), wxpay.WithClock(func() time.Time { return now }))
			_, err := client.Chain("v3/x").Post(context.Background(), wxpay.JSON{})
			require.ErrorContains(t, err, tt.says)
			if strings.Contains(tt.body, "issue") {
				var refusal *wxpay.APIError
				require.ErrorAs(t, err, &refusal)
				assert.Equal(t, "sign not match", refusal.Detail.Issue)
				assert.Equal(t, "signature", refusal.Detail.Field)
				assert.Equal(t, "POST\n/v3/x\n", refusal.Detail.SignMessage)
			}
		})
	}
}

// Joined errors of several calls claim nothing that is not true of each: a caller would repeat them all.
func TestOutcomeOfSeveralCalls(t *testing.T) {
	ctx := t.Context()
	reset := newClient(t, wxpay.WithTransport(resetConnection))
	_, unknown := reset.Chain("v3/x").Post(ctx, wxpay.JSON{})
	_, unsent := reset.Chain("v3//x").Post(ctx, wxpay.JSON{})
	_, rejected := newClient(t, wxpay.WithTransport(answer{status: 400, body: `{"code":"PARAM_ERROR","message":"x"}`})).
		Chain("v3/x").Post(ctx, wxpay.JSON{})
	require.Equal(t, []wxpay.Outcome{wxpay.Unknown, wxpay.NotSent, wxpay.Rejected},
		[]wxpay.Outcome{wxpay.OutcomeOf(unknown), wxpay.OutcomeOf(unsent), wxpay.OutcomeOf(rejected)})
	other := errors.New("the database is away")
	for _, tt := range []struct {
		err  error
		want wxpay.Outcome
	}{
		{errors.Join(unsent, unknown), wxpay.Unknown},
		{errors.Join(rejected, fmt.Errorf("only the wait ended: %w", wxpay.ErrOutcomeUnknown)), wxpay.Unknown},
		{fmt.Errorf("two refunds: %w", errors.Join(unsent, fmt.Errorf("the second: %w, and %w", rejected, unknown))), wxpay.Unknown},
		{errors.Join(unsent, rejected), wxpay.Unknown},
		{errors.Join(rejected, rejected), wxpay.Rejected},
		{errors.Join(other, fmt.Errorf("wrapped: %w", unsent), other), wxpay.NotSent},
		{errors.Join(other, other), wxpay.Unknown},
		{alike{unsent}, wxpay.NotSent},
	} {
		assert.Equal(t, tt.want, wxpay.OutcomeOf(tt.err), "%v", tt.err)
	}
	_, err := reset.Resolve(ctx, errors.Join(rejected, other, rejected))
	require.ErrorContains(t, err, "the outcome is known (rejected)")
}

// alike shows its error to errors.As alone.
type alike struct{ error }

func (a alike) As(target any) bool { return errors.As(a.error, target) }
