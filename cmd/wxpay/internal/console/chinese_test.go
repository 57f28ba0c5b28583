package console_test

import (
	"html"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	alert = regexp.MustCompile(`<p class="problem"[^>]*>([^<]*)</p>`)
	prose = regexp.MustCompile(`[a-z]{2,} [a-z]{2,}`) // two words; names stand with commas between them
	han   = regexp.MustCompile(`\p{Han}`)
	acts  = regexp.MustCompile(`(?m)^\tcase "([a-z-]+)":`)
)

// mistake is an order with a wrong value.
type mistake struct{ path, do, value string }

// never are the orders that no value makes fail.
var never = map[string]bool{
	"freeze": true, "unfreeze": true, "clear": true, "snapshot": true, "reset": true, "cancel": true,
}

// TestMistakesInChinese: whoever reads Chinese reads Chinese when an order is wrong, whichever it is.
func TestMistakesInChinese(t *testing.T) {
	t.Parallel()
	d := open(t)
	_, err := d.Users.AddPaidOrder("ORDER-0001", 1999)
	require.NoError(t, err)
	prepay := d.order(t, "jsapi", "ORDER-0002", "x").Get("prepay_id").String()
	d.refund(t, "ORDER-0001", "REFUND-0001")
	d.post(t, "/settings", url.Values{"lang": {"zh"}, "back": {"/"}})
	form := func(do, value string) url.Values {
		return url.Values{
			"do": {do}, "value": {value}, "number": {value}, "link": {value}, "event": {value}, "resource": {"{}"}, "url": {"http://127.0.0.1:1/"},
			"coupon_id": {value}, "plan_id": {value}, "out_contract_code": {value}, "contract_id": {value}, "card_id": {value}, "openid": {"o"},
			"type": {"REFUND"},
		}
	}
	mistakes := []mistake{
		{"/platform", "jump", "soon"}, {"/platform", "jump", "-1h"}, {"/platform", "jump", "2000000h"}, {"/platform", "inject", ""},
		{"/platform", "inject", "nothing"}, {"/platform", "inject", "429 p"}, {"/platform", "inject", "429 p=1 p=1"}, {"/platform", "inject", "429 x=1"},
		{"/platform", "inject", "429 p=2x"}, {"/platform", "inject", "429 p=2"}, {"/platform", "inject", "429 count=0"},
		{"/platform", "inject", "delay delay=1"}, {"/platform", "inject", "delay"}, {"/platform", "inject", "delay delay=-1s"},
		{"/platform", "inject", "429 status=x"}, {"/platform", "inject", "delay delay=1s status=400"}, {"/platform", "inject", "refused-after status=1"},
		{"/platform", "inject", "delay delay=1s code=X"}, {"/platform", "inject", "refused-after code=x"}, {"/platform", "inject", "429 method=("},
		{"/platform", "inject", "429 path=x"}, {"/platform", "inject", "429 path=/?x"}, {"/platform", "inject", "429 path=/*x"},
		{"/platform", "inject", "429 merchant=x"}, {"/platform", "inject", "refuse delay=1s"}, {"/platform", "inject", "wrong-apiv3-key"},
		{"/platform", "remove", "429"}, {"/platform", "remove", "nothing"}, {"/platform", "enforce", "nothing"}, {"/platform", "relax", "nothing"},
		{"/platform", "restore", "9"}, {"/platform", "merchant", "x"}, {"/platform", "merchant", "1\t2"}, {"/platform", "nonsense", ""},

		{"/phone/pay", "pay", "nothing"}, {"/phone/pay", "pay", "ORDER-0001"}, {"/phone/pay", "pay", prepay}, {"/phone/pay", "balance", "ORDER-0001"},
		{"/phone/pay", "balance", prepay}, {"/phone/pay", "password", prepay}, {"/phone/pay", "nonsense", prepay},
		{"/phone/transfer", "confirm", "nothing"}, {"/phone/transfer", "fail", "nothing"}, {"/phone/transfer", "confirm", ""},
		{"/phone/act", "confirm-service", "nothing"}, {"/phone/act", "pay-service", "nothing"}, {"/phone/act", "sign", "nothing"},
		{"/phone/act", "terminate", "nothing"}, {"/phone/act", "open-card", "nothing"}, {"/phone/act", "delete-card", "nothing"},
		{"/phone/act", "ask-points", "nothing"}, {"/phone/act", "use-coupon", "nothing"}, {"/phone/act", "complain", "nothing"},
		{"/phone/act", "nonsense", ""},

		{"/objects/settle?kind=order", "", "ORDER-0001"}, {"/objects/settle?kind=refund", "", "REFUND-0001"},
		{"/objects/settle?kind=refund&state=SUCCESS", "", "none"}, {"/objects/settle?kind=refund&state=SUCCESS", "", "REFUND-0001"},
		{"/deliveries/none/resend", "", ""}, {"/events", "", "a/"}, {"/events?event=REFUND.SUCCESS&url=x", "", ""},
		{"/events?event=REFUND.SUCCESS&url=https://shop.example.com", "", ""}, {"/events?event=REFUND.SUCCESS&resource=x", "", ""},
		{"/explorer/send?method=GET&path=none", "", ""},
		{"/explorer/send?method=POST&path=/v3/pay/transactions/native&body/amount/total=x", "", ""},
	}
	given := make(map[string]bool)
	for _, m := range mistakes {
		given[m.do] = true
		u, err := url.Parse(m.path)
		require.NoError(t, err)
		fields := form(m.do, m.value)
		for name, values := range u.Query() { // pages send them in the form, too
			fields[name] = values
		}
		status, page := d.post(t, u.Path, fields)
		said := alert.FindStringSubmatch(page)
		if !assert.NotNil(t, said, "%v: %d", m, status) {
			continue
		}
		text := html.UnescapeString(said[1])
		assert.NotRegexp(t, prose, text, "%v", m)
		assert.Regexp(t, han, text, "%v", m)
	}
	for _, name := range []string{"platform/platform.go", "phone/phone.go"} {
		source, err := os.ReadFile(filepath.FromSlash(name))
		require.NoError(t, err)
		found := acts.FindAllStringSubmatch(string(source), -1)
		require.NotEmpty(t, found)
		for _, act := range found {
			assert.True(t, given[act[1]] || never[act[1]], "give it a wrong value: %s", act[1])
		}
	}
	status, page := d.do(t, must(http.NewRequest(http.MethodGet, d.base+"/events?event=none", nil)))
	assert.Equal(t, 409, status)
	assert.Contains(t, page, "目录没有事件")
}
