package console_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/sandbox"
)

var inputField = regexp.MustCompile(`<(?:input|textarea) id="([^"]+)" name="[^"]+" value="([^"]*)"`)

// filled returns the form of an operation as its page fills it in.
func (d *desk) filled(t testing.TB, method, path string) url.Values {
	t.Helper()
	page := d.get(t, "/explorer/operation?"+url.Values{"method": {method}, "path": {path}}.Encode())
	values := url.Values{"method": {method}, "path": {path}, "merchant": {"1900000109"}}
	for _, found := range inputField.FindAllStringSubmatch(page, -1) {
		values.Set(html.UnescapeString(found[1]), html.UnescapeString(found[2]))
	}
	return values
}

// TestFormOfEveryOperation: each operation has a form, with samples of code.
func TestFormOfEveryOperation(t *testing.T) {
	t.Parallel()
	d := open(t)
	count := 0
	for operation := range catalog.V3().All() {
		if count++; count%7 != 0 && !strings.HasPrefix(operation.Path, "/v3/pay/") { // a seventh of all, to save time
			continue
		}
		page := d.get(t, "/explorer/operation?"+url.Values{"method": {operation.Method}, "path": {operation.Path}}.Encode())
		assert.Contains(t, page, "client.Chain(", operation.Path)
		assert.Contains(t, page, "wxpay call "+operation.Method, operation.Path)
		assert.NotContains(t, page, `<p class="problem"`, operation.Path)
		for _, field := range operation.In.JSON {
			assert.Contains(t, page, "<code>"+field.Name+"</code>", operation.Path)
		}
	}
	require.Greater(t, count, 1000)
}

func TestExplorerSearch(t *testing.T) {
	t.Parallel()
	d := open(t)
	assert.Contains(t, d.get(t, "/explorer?q=native"), "/v3/pay/transactions/native")
	assert.Contains(t, d.get(t, "/explorer?q="+url.QueryEscape("退款")), "/v3/refund/domestic/refunds")
	assert.Contains(t, d.get(t, "/explorer?q=zzzzzz"), "nothing like that")
	for _, words := range []string{"transaction.success", "退款", "refund_status"} { // type, name, field
		assert.Contains(t, d.get(t, "/explorer?q="+url.QueryEscape(words)), "/explorer/event?type=", words)
	}
	assert.Contains(t, d.get(t, "/explorer?events=1"), "/explorer/event?type=TRANSACTION.SUCCESS")
	event := d.get(t, "/explorer/event?type=TRANSACTION.SUCCESS")
	assert.Contains(t, event, "transaction_id")
	assert.Contains(t, event, "订单金额信息", "labels")
	assert.Contains(t, event, "/events?event=TRANSACTION.SUCCESS")
	missing, _ := d.do(t, must(http.NewRequest(http.MethodGet, d.base+"/explorer/event?type=NOPE", nil)))
	assert.Equal(t, 404, missing)
	assert.Contains(t, d.get(t, "/explorer?tag="+url.QueryEscape("基础支付")), "/v3/pay/transactions/native")
	status, page := d.do(t, must(http.NewRequest(http.MethodGet, d.base+"/explorer/operation?method=GET&path=/v3/none", nil)))
	assert.Equal(t, 404, status)
	assert.Contains(t, page, "no such operation")
}

// TestExplorerSends places an order from the form as it is, and one that is wrong.
func TestExplorerSends(t *testing.T) {
	t.Parallel()
	d := open(t)
	form := d.filled(t, "POST", "/v3/pay/transactions/native")
	require.NotEmpty(t, form.Get("body/out_trade_no"))
	form.Set("body/description", `一件 "衣服"`)
	status, page := d.post(t, "/explorer/send", form)
	assert.Equal(t, 200, status)
	assert.Contains(t, page, "confirmed 200")
	assert.Contains(t, page, "code_url")
	assert.Contains(t, page, "serial_no", "Authorization is taken apart")
	assert.Contains(t, page, "data-message")
	require.Len(t, d.Ledger.Effects(sandbox.OrderEffect), 1)
	assert.Equal(t, form.Get("body/out_trade_no"), d.Ledger.Effects()[0].Number)
	assert.Contains(t, d.get(t, "/phone"), "衣服")

	form.Set("body/out_trade_no", "x")
	_, page = d.post(t, "/explorer/send", form)
	assert.Contains(t, page, "PARAM_ERROR")
	assert.Contains(t, page, `class="bad">rejected`)
	form.Set("body/amount/total", "many")
	_, page = d.post(t, "/explorer/send", form)
	assert.Contains(t, page, "total: a whole number is wanted")
	assert.Contains(t, page, "not sent")
	form.Del("body/amount/total")
	_, page = d.post(t, "/explorer/send", form)
	assert.Contains(t, page, "Differences from the documentation")
	assert.Contains(t, page, "/amount")

	query := d.filled(t, "GET", "/v3/pay/transactions/out-trade-no/{out_trade_no}")
	query.Set("path/out_trade_no", d.Ledger.Effects()[0].Number)
	_, page = d.post(t, "/explorer/send", query)
	assert.Contains(t, page, "NOTPAY")
	_, page = d.post(t, "/explorer/send", d.filled(t, "GET", "/brand/card-member/cards"))
	assert.Contains(t, page, "confirmed 200", "a brand signs for itself")
	require.NoError(t, d.AddSubMerchant("1900000110"))
	other, err := d.AddMerchant("1900000200")
	require.NoError(t, err)
	certificates := d.filled(t, "GET", "/v3/certificates")
	certificates.Set("merchant", "1900000200")
	_, page = d.post(t, "/explorer/send", certificates)
	assert.Contains(t, page, "confirmed 200")
	entries := other.Journal.Find(sandbox.Match{Merchant: "1900000200"})
	assert.Len(t, entries, 1)
}

// TestSamplesFollowTheForm: what is typed is in all six samples and in the command line.
func TestSamplesFollowTheForm(t *testing.T) {
	t.Parallel()
	d := open(t)
	form := d.filled(t, "POST", "/v3/pay/transactions/jsapi")
	form.Set("body/description", "一件衣服")
	form.Set("body/payer/openid", "oSOMEBODY")
	form.Set("body/amount/total", "4711")
	form.Set("body/attach", "optional one")
	_, page := d.post(t, "/explorer/preview", form)
	text := html.UnescapeString(page)
	assert.Equal(t, 6, strings.Count(text, "(ctx, body)"), text)
	for _, want := range []string{`"一件衣服"`, `"oSOMEBODY"`, "4711", `"optional one"`, "wxpay call POST v3/pay/transactions/jsapi"} {
		assert.Contains(t, text, want)
	}
	assert.Equal(t, 3, strings.Count(text, "一件衣服"), "Go, command line and body")
	for _, nasty := range []string{"`", `"`, "\\", "\x00", "</script>", "\u202e", "' $(reboot)", "\n"} {
		form.Set("body/description", nasty)
		status, page := d.post(t, "/explorer/preview", form)
		assert.Equal(t, 200, status, "%q", nasty)
		assert.NotContains(t, page, "</script>", "%q", nasty)
	}
	uploads := 0
	for operation := range catalog.V3().All() {
		if len(operation.In.Form) > 0 && operation.Status == fact.Current && uploads == 0 {
			uploads++
			page := d.get(t, "/explorer/operation?"+url.Values{"method": {operation.Method}, "path": {operation.Path}}.Encode())
			assert.Contains(t, page, "from code only")
		}
	}
	assert.Equal(t, 1, uploads)
}
