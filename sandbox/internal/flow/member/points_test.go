package member_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const sync = base + "user-points/sync"

func balance(number string, points int) map[string]any {
	return sample(map[string]any{"out_request_no": number, "point_balance": points})
}

func TestPoints(t *testing.T) {
	t.Parallel()
	b := newBench(t, false)
	require.NoError(t, b.flow.AskForPoints(sampleCard, sampleUser))
	b.Reload()
	assert.True(t, b.flow.MemberCards()[0].Awaited)
	assert.Equal(t, []map[string]any{sample(nil)}, b.Notified("BRAND_MEMBER_CARD_SP.SYNC_USER_POINT"))
	assert.EqualValues(t, 70, b.Do("POST", sync, balance("P1", 70))["point_balance"])
	assert.False(t, b.flow.MemberCards()[0].Awaited)
	b.Do("POST", sync, balance("P2", 90))
	b.Reload()
	assert.EqualValues(t, 90, b.flow.MemberCards()[0].Points)
	b.Do("POST", sync, balance("P1", 70))
	assert.EqualValues(t, 70, b.flow.MemberCards()[0].Points, "a late repetition overwrites a newer balance")
	assert.Equal(t, "400 ALREADY_EXISTS", b.Rejected("POST", sync, balance("P1", 71)))
	assert.Equal(t, "400 PARAM_ERROR", b.Rejected("POST", sync, balance("P3", -1)))
	assert.EqualValues(t, 70, b.flow.MemberCards()[0].Points, "a rejection changes nothing")
	assert.ErrorContains(t, b.flow.AskForPoints(sampleCard, "other"), "has no card")
}

// TestExchange lets users exchange points, and tells the results under both names that sources give.
func TestExchange(t *testing.T) {
	t.Parallel()
	const confirm = base + "user-points/exchange-coupon/confirm"
	for name, test := range map[string]struct {
		field, result string
		more          map[string]any // that the result needs
		missing       string         // what the request gets without it; empty if nothing is needed
	}{
		"success as state":  {"state", "POINT_EXCHANGE_COUPON_SUCCESS", map[string]any{"coupon_code": "K"}, "400 PARAM_ERROR"},
		"success as result": {"result", "POINT_EXCHANGE_COUPON_SUCCESS", map[string]any{"coupon_code": "K"}, "400 PARAM_ERROR"},
		"allowed":           {"result", "POINT_EXCHANGE_COUPON_ALLOW", map[string]any{"coupon_code": "K"}, "400 PARAM_ERROR"},
		"failure":           {"state", "POINT_EXCHANGE_COUPON_FAIL", map[string]any{"fail_reason": "r"}, ""},
		"rejection":         {"result", "POINT_EXCHANGE_COUPON_REJECT", map[string]any{"reject_reason": "r"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, false)
			b.Do("POST", sync, balance("P1", 70))
			record, err := b.flow.ExchangePoints(sampleCard, sampleUser, "T", "S", 70)
			require.NoError(t, err)
			b.Reload()
			assert.Equal(t, []map[string]any{sample(map[string]any{
				"record_id": record, "exchange_coupon_template_id": "T", "stock_id": "S", "deduct_points": 70.0,
			})}, b.Notified("BRAND_MEMBER_CARD_SP.POINT_EXCHANGE_COUPON"))
			assert.Empty(t, b.flow.PointExchanges()[0].State, "the provider has not told the result")

			body := sample(map[string]any{"record_id": record, "exchange_coupon_template_id": "T", test.field: test.result})
			if test.missing != "" {
				assert.Equal(t, test.missing, b.Rejected("POST", confirm, body))
			}
			for field, want := range map[string]string{
				"record_id": "404 RESOURCE_NOT_EXISTS", "brand_id": "404 RESOURCE_NOT_EXISTS", "openid": "400 PARAM_ERROR",
				"card_id": "400 PARAM_ERROR", "user_card_code": "400 PARAM_ERROR", test.field: "400 PARAM_ERROR",
			} {
				assert.Equal(t, want, b.Rejected("POST", confirm, with(body, map[string]any{field: "1"})), field)
			}
			body = with(body, test.more)
			told := b.Do("POST", confirm, body)
			b.Reload()
			assert.Equal(t, told, b.Do("POST", confirm, body), "a repetition gets the same response")
			other := with(body, map[string]any{"coupon_code": "L"})
			assert.Equal(t, "400 INVALID_REQUEST", b.Rejected("POST", confirm, other), "the result is told")

			exchanges := b.flow.PointExchanges()
			require.Len(t, exchanges, 1)
			e := exchanges[0]
			assert.Equal(t, test.result, e.State)
			assert.EqualValues(t, 70, e.Points)
			want := test.more["coupon_code"]
			if want == nil {
				assert.Equal(t, "r", e.FailReason)
				want = ""
			}
			assert.Equal(t, want, e.CouponCode)
		})
	}
}

func TestExchangeNeedsPoints(t *testing.T) {
	t.Parallel()
	b := newBench(t, false)
	b.Do("POST", sync, balance("P1", 70))
	_, err := b.flow.ExchangePoints(sampleCard, sampleUser, "T", "S", 71)
	assert.ErrorContains(t, err, "has 70 points")
	_, err = b.flow.ExchangePoints(sampleCard, sampleUser, "T", "S", 0)
	assert.ErrorContains(t, err, "a number of points above 0")
	_, err = b.flow.ExchangePoints(sampleCard, "other", "T", "S", 1)
	assert.ErrorContains(t, err, "has no card")
	assert.Empty(t, b.flow.PointExchanges())
}
