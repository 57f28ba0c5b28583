package console_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/sandbox"
)

// order places an order and returns the response.
func (d *desk) order(t testing.TB, way, number, description string) *wxpay.Response {
	t.Helper()
	body := map[string]any{
		"appid": "wx0123456789abcdef", "mchid": "1900000109", "description": description, "out_trade_no": number,
		"notify_url": "https://shop.example.com/notify", "amount": map[string]any{"total": 1999},
	}
	switch way {
	case "jsapi":
		body["payer"] = map[string]any{"openid": "oUSER"}
	case "h5":
		body["scene_info"] = map[string]any{"payer_client_ip": "127.0.0.1", "h5_info": map[string]any{"type": "Wap"}}
	}
	response, err := d.client(t).Chain("v3/pay/transactions/"+way).Post(t.Context(), body)
	require.NoError(t, err)
	return response
}

func TestPhonePays(t *testing.T) {
	t.Parallel()
	d := open(t)
	code := d.order(t, "native", "ORDER-0001", "一件衣服").Get("code_url").String()
	assert.Contains(t, d.get(t, "/phone"), "一件衣服")
	page := d.get(t, "/phone/pay?link="+url.QueryEscape(code))
	assert.Contains(t, page, "¥19.99")
	assert.Contains(t, page, "一件衣服")
	assert.Contains(t, page, "ORDER-0001")

	act := func(do, openid string) (int, string) {
		return d.post(t, "/phone/pay", url.Values{"link": {code}, "do": {do}, "openid": {openid}})
	}
	for do, want := range map[string]string{"password": "The password is wrong", "balance": "not sufficient", "nonsense": "knows no such act"} {
		status, page := act(do, "")
		assert.Equal(t, 409, status, do)
		assert.Contains(t, page, want)
		assert.Contains(t, page, "Pay now", "it can still be paid")
	}
	status, page := act("cancel", "")
	assert.Equal(t, 200, status)
	assert.Contains(t, page, `data-outcome="cancel"`)
	assert.Empty(t, d.Ledger.Effects(sandbox.PaymentEffect))

	status, page = act("pay", "oANOTHER")
	assert.Equal(t, 200, status)
	assert.Contains(t, page, `data-outcome="ok"`)
	assert.Contains(t, page, "SUCCESS")
	require.Len(t, d.Ledger.Effects(sandbox.PaymentEffect), 1)
	query, err := d.client(t).Chain("v3/pay/transactions/out-trade-no/{out_trade_no}", "ORDER-0001").Query("mchid", "1900000109").Get(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "oANOTHER", query.Get("payer.openid").String())
	status, page = act("pay", "")
	assert.Equal(t, 409, status)
	assert.Contains(t, page, "is paid")

	jsapi := d.order(t, "jsapi", "ORDER-0002", "x").Get("prepay_id").String()
	status, page = d.post(t, "/phone/pay", url.Values{"link": {jsapi}, "do": {"pay"}, "openid": {"oANOTHER"}})
	assert.Equal(t, 409, status)
	assert.Contains(t, page, "for another user")

	h5 := d.order(t, "h5", "ORDER-0003", "x").Get("h5_url").String()
	link := h5 + "&redirect_url=" + url.QueryEscape("https://shop.example.com/back")
	_, page = d.post(t, "/phone/pay", url.Values{"link": {link}, "do": {"pay"}})
	assert.Contains(t, page, `href="https://shop.example.com/back"`)
	link = h5 + "&redirect_url=" + url.QueryEscape("javascript:alert(1)")
	_, page = d.post(t, "/phone/pay", url.Values{"link": {link}, "do": {"cancel"}})
	assert.NotContains(t, page, `href="javascript`)

	status, page = d.do(t, must(http.NewRequest(http.MethodGet, d.base+"/phone/pay?link=nothing", nil)))
	assert.Equal(t, 404, status)
	assert.Contains(t, page, "cannot open this")
}

// TestPhoneChecksTheCall: a shop's page that signs its call wrongly learns it before WeChat tells it.
func TestPhoneChecksTheCall(t *testing.T) {
	t.Parallel()
	d := open(t)
	prepay := d.order(t, "jsapi", "ORDER-0001", "x").Get("prepay_id").String()
	sign := func(lines ...string) string {
		signature, err := apiv3.RSA().Sign(d.Merchant().PrivateKey, apiv3.AppendLines(nil, lines...))
		require.NoError(t, err)
		return base64.StdEncoding.EncodeToString(signature)
	}
	right := func() url.Values {
		return url.Values{
			"link": {"prepay_id=" + prepay}, "shop": {"1"}, "appId": {"wx0123456789abcdef"}, "timeStamp": {"1735732800"}, "nonceStr": {"abc"},
			"signType": {"RSA"}, "paySign": {sign("wx0123456789abcdef", "1735732800", "abc", "prepay_id="+prepay)},
		}
	}
	for name, test := range map[string]struct {
		change func(url.Values)
		want   string
	}{
		"right":                  {func(url.Values) {}, ""},
		"of a mini program":      {func(q url.Values) { q.Del("appId") }, ""},
		"without a signature":    {func(q url.Values) { q.Del("paySign") }, "paySign: is missing"},
		"MD5":                    {func(q url.Values) { q.Set("signType", "MD5") }, "signType must be RSA"},
		"no base64":              {func(q url.Values) { q.Set("paySign", "%%%") }, "not base64"},
		"another app":            {func(q url.Values) { q.Set("appId", "wxother") }, "paySign does not verify"},
		"the prepay_id alone":    {func(q url.Values) { q.Set("link", prepay) }, "package must be prepay_id="},
		"signed without package": {func(q url.Values) { q.Set("paySign", sign("wx0123456789abcdef", "1735732800", "abc", prepay)) }, "does not verify"},
	} {
		q := right()
		test.change(q)
		status, page := d.do(t, must(http.NewRequest(http.MethodGet, d.base+"/phone/pay?"+q.Encode(), nil)))
		if test.want == "" {
			assert.Equal(t, 200, status, name)
			assert.Contains(t, page, "Pay now", name)
			continue
		}
		assert.Equal(t, 409, status, name)
		assert.Contains(t, page, test.want, name)
		assert.Contains(t, page, `data-outcome="fail"`, name)
		assert.NotContains(t, page, "Pay now", name)
	}
}

func TestPhoneReceives(t *testing.T) {
	t.Parallel()
	d := open(t)
	transfer := func(number string) string {
		response, err := d.client(t).Chain("v3/fund-app/mch-transfer/transfer-bills").Post(t.Context(), map[string]any{
			"appid": "wx0123456789abcdef", "out_bill_no": number, "openid": "oUSER", "transfer_amount": 100, "transfer_remark": "有礼",
			"transfer_scene_id":           "1000",
			"transfer_scene_report_infos": []any{map[string]any{"info_type": "活动名称", "info_content": "新会员有礼"}},
		})
		require.NoError(t, err)
		return response.Get("package_info").String()
	}
	for do, state := range map[string]string{"confirm": "SUCCESS", "fail": "FAIL", "cancel": "WAIT_USER_CONFIRM", "nonsense": "WAIT_USER_CONFIRM"} {
		number := "BILL" + do
		asked := transfer(number)
		assert.Contains(t, d.get(t, "/phone"), number)
		page := d.get(t, "/phone/transfer?package="+url.QueryEscape(asked))
		assert.Contains(t, page, "¥1.00")
		_, page = d.post(t, "/phone/transfer", url.Values{"number": {number}, "do": {do}})
		assert.Contains(t, page, "data-state>"+state+"<", do)
	}
	status, page := d.post(t, "/phone/transfer", url.Values{"number": {"BILLconfirm"}, "do": {"fail"}})
	assert.Equal(t, 409, status)
	assert.Contains(t, page, "has ended as SUCCESS")
	status, _ = d.post(t, "/phone/transfer", url.Values{"number": {"BILLnone"}, "do": {"fail"}})
	assert.Equal(t, 404, status)
}

// TestPhoneActs does what else a user does: each act reaches the sandbox, whose refusal is shown.
func TestPhoneActs(t *testing.T) {
	t.Parallel()
	d := open(t)
	_, err := d.Users.AddPaidOrder("ORDER-0001", 100)
	require.NoError(t, err)
	status, page := d.post(t, "/phone/act", url.Values{"do": {"complain"}, "number": {"ORDER-0001"}, "detail": {"坏了"}, "type": {"REFUND"}})
	assert.Equal(t, 200, status, page)
	require.Len(t, d.Users.Complaints(), 1)
	assert.Equal(t, "坏了", d.Users.Complaints()[0].Detail)
	card := d.Users.MemberCards()[0]
	status, page = d.post(t, "/phone/act", url.Values{"do": {"open-card"}, "card_id": {card.CardID}, "openid": {"oNEW"}})
	assert.Equal(t, 200, status, page)
	assert.Len(t, d.Users.MemberCards(), 2)
	status, page = d.post(t, "/phone/act", url.Values{"do": {"delete-card"}, "card_id": {card.CardID}, "openid": {"oNEW"}})
	assert.Equal(t, 200, status, page)
	for do, want := range map[string]string{
		"confirm-service": "", "pay-service": "", "sign": "no such contract", "terminate": "", "ask-points": "", "use-coupon": "",
		"complain": "", "nonsense": "knows no such act",
	} {
		status, page := d.post(t, "/phone/act", url.Values{"do": {do}, "number": {"NONE-0001"}})
		assert.Equal(t, 409, status, do)
		assert.Contains(t, page, `role="alert"`, do)
		assert.Contains(t, page, want, do)
		assert.False(t, strings.Contains(page, "sandbox: "), "%s: %s", do, fmt.Sprint(page))
	}
}

// coupon gives a user a coupon that takes 500 fen off orders from a minimum, and returns its number.
func (d *desk) coupon(t testing.TB, name, openID string, minimum int) string {
	t.Helper()
	const base, mchid = "v3/marketing/favor/", "1900000109"
	client, now := d.client(t), d.Clock.Now()
	post := func(data any, path string, values ...any) *wxpay.Response {
		response, err := client.Chain(base+path, values...).Post(t.Context(), data)
		require.NoError(t, err)
		return response
	}
	stock := post(map[string]any{
		"stock_name": name, "belong_merchant": mchid, "out_request_no": "STOCK-" + openID + fmt.Sprint(minimum), "no_cash": true, "stock_type": "NORMAL",
		"available_begin_time": now.Format(time.RFC3339), "available_end_time": now.Add(48 * time.Hour).Format(time.RFC3339),
		"stock_use_rule": map[string]any{
			"max_coupons": 2, "max_amount": 1000, "max_coupons_per_user": 1, "natural_person_limit": false, "prevent_api_abuse": false,
		},
		"coupon_use_rule": map[string]any{"fixed_normal_coupon": map[string]any{"coupon_amount": 500, "transaction_minimum": minimum}},
		"pattern_info":    map[string]any{"description": "说明"},
	}, "coupon-stocks").Get("stock_id").String()
	post(map[string]any{"stock_creator_mchid": mchid}, "stocks/{stock_id}/start", stock)
	return post(map[string]any{
		"stock_id": stock, "out_request_no": "SEND-" + openID + fmt.Sprint(minimum), "appid": "wx0123456789abcdef", "stock_creator_mchid": mchid,
	}, "users/{openid}/coupons", openID).Get("coupon_id").String()
}

// TestPhoneCoupons: the cashier shows the user's coupons that fit the order, and uses one once the order is paid.
func TestPhoneCoupons(t *testing.T) {
	t.Parallel()
	d := open(t)
	fits := d.coupon(t, "满十减五", "oUSER", 1000)
	d.coupon(t, "满百减五", "oUSER", 10000)
	d.coupon(t, "他人的券", "oANOTHER", 1000)
	prepay := d.order(t, "jsapi", "ORDER-0001", "x").Get("prepay_id").String()

	page := d.get(t, "/phone/pay?link="+prepay)
	assert.Equal(t, 1, strings.Count(page, "data-coupon"), "one is for larger orders, one is another's")
	for _, want := range []string{"满十减五", fits, "from ¥10.00 off ¥5.00"} {
		assert.Contains(t, page, want)
	}
	assert.NotContains(t, page, "Use this coupon", "nothing is paid yet")

	status, page := d.post(t, "/phone/pay", url.Values{"link": {prepay}, "do": {"pay"}})
	require.Equal(t, 200, status, page)
	assert.Contains(t, page, "Use this coupon")
	status, page = d.post(t, "/phone/act", url.Values{"do": {"use-coupon"}, "coupon_id": {fits}, "number": {"ORDER-0001"}})
	require.Equal(t, 200, status, page)
	states := make(map[string]string)
	for _, c := range d.Users.Coupons() {
		states[c.Name] = c.State
	}
	assert.Equal(t, map[string]string{"满十减五": "USED", "满百减五": "SENDED", "他人的券": "SENDED"}, states)
	assert.NotContains(t, d.get(t, "/phone/pay?link="+prepay), fits, "a used one is offered no more")
	status, page = d.post(t, "/phone/act", url.Values{"do": {"use-coupon"}, "coupon_id": {fits}, "number": {"ORDER-0001"}})
	assert.Equal(t, 409, status)
	assert.Contains(t, page, "it is USED")
}
