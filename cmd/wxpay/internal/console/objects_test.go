package console_test

import (
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/sandbox/fault"
)

// refund asks for a refund of an order that is paid.
func (d *desk) refund(t testing.TB, order, number string) {
	t.Helper()
	_, err := d.client(t).Chain("v3/refund/domestic/refunds").Post(t.Context(), map[string]any{
		"out_trade_no": order, "out_refund_no": number, "amount": map[string]any{"refund": 1, "total": 1999, "currency": "CNY"},
		"notify_url": "https://shop.example.com/refund",
	})
	require.NoError(t, err)
}

func TestObjects(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.Deliveries.To(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, `{"got":true}`) }))
	d.order(t, "native", "ORDER-0001", "一件衣服")
	page := d.get(t, "/objects/one?kind=order&number=ORDER-0001")
	assert.Contains(t, page, "Pay on the phone")
	_, err := d.Users.Pay("ORDER-0001")
	require.NoError(t, err)
	d.Ledger.SetEnding(func(sandbox.EffectKind, string) sandbox.Ending { return sandbox.Ending{After: -1} })
	d.refund(t, "ORDER-0001", "REFUND-0001")
	for _, delivery := range d.Deliveries.All() {
		_, err := d.Deliveries.Await(t.Context(), delivery.ID, 1)
		require.NoError(t, err)
	}

	page = d.get(t, "/objects")
	assert.Equal(t, 3, strings.Count(page, "<tr data-row"))
	page = d.get(t, "/objects?kind=refund")
	assert.Contains(t, page, "REFUND-0001")
	assert.Equal(t, 1, strings.Count(page, "<tr data-row"))
	assert.Contains(t, d.get(t, "/objects?q=none"), "Nothing has taken effect")

	page = d.get(t, "/objects/one?kind=order&number=ORDER-0001")
	assert.NotContains(t, page, "Pay on the phone")
	for _, want := range []string{
		"order ORDER-0001", "payment ORDER-0001", "refund REFUND-0001", "POST /v3/pay/transactions/native",
		"POST /v3/refund/domestic/refunds", "TRANSACTION.SUCCESS", "一件衣服",
	} {
		assert.Contains(t, page, want)
	}
	status, page := d.post(t, "/objects/settle", url.Values{"kind": {"refund"}, "number": {"REFUND-0001"}, "state": {"ABNORMAL"}})
	assert.Equal(t, 200, status)
	assert.Contains(t, page, "data-state>ABNORMAL<")
	status, page = d.post(t, "/objects/settle", url.Values{"kind": {"refund"}, "number": {"REFUND-0001"}, "state": {"NONE"}})
	assert.Equal(t, 409, status)
	assert.Contains(t, page, "ends in SUCCESS")
	status, _ = d.post(t, "/objects/settle", url.Values{"kind": {"order"}, "number": {"ORDER-0001"}, "state": {"SUCCESS"}})
	assert.Equal(t, 409, status)
	status, _ = d.do(t, must(http.NewRequest(http.MethodGet, d.base+"/objects/one?kind=order&number=none", nil)))
	assert.Equal(t, 404, status)
}

func TestObjectsInPages(t *testing.T) {
	t.Parallel()
	d := open(t)
	for i := range 60 {
		_, err := d.Users.AddPaidOrder("ORDER-"+strings.Repeat("0", 3)+string(rune('A'+i/26))+string(rune('A'+i%26)), 100)
		require.NoError(t, err)
	}
	page, rows := d.get(t, "/objects?kind=order"), 0
	for {
		rows += strings.Count(page, "<tr data-row")
		older := regexp.MustCompile(`data-older href="([^"]+)"`).FindStringSubmatch(page)
		if older == nil {
			break
		}
		page = d.get(t, html.UnescapeString(older[1]))
	}
	assert.Equal(t, 60, rows)
}

func TestNotifications(t *testing.T) {
	t.Parallel()
	d := open(t)
	answer := http.StatusInternalServerError
	d.Deliveries.To(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(answer)
		_, _ = io.WriteString(w, `{"code":"FAIL"}`)
	}))
	d.order(t, "native", "ORDER-0001", "一件衣服")
	_, err := d.Users.Pay("ORDER-0001")
	require.NoError(t, err)
	id := d.Deliveries.All()[0].ID
	_, err = d.Deliveries.Await(t.Context(), id, 1)
	require.NoError(t, err)
	assert.Contains(t, d.get(t, "/deliveries"), "TRANSACTION.SUCCESS")
	page := d.get(t, "/deliveries/"+id)
	assert.Contains(t, page, "data-state>waiting<")
	assert.Contains(t, page, "out_trade_no&#34;: &#34;ORDER-0001", "the resource is decrypted")
	assert.Contains(t, page, "Wechatpay-Signature")
	assert.Contains(t, page, "FAIL")
	answer = http.StatusOK
	status, page := d.post(t, "/deliveries/"+id+"/resend", nil)
	assert.Equal(t, 200, status)
	assert.Equal(t, 2, strings.Count(page, "data-attempt"))
	assert.Contains(t, page, "data-state>delivered<")
	status, _ = d.post(t, "/deliveries/none/resend", nil)
	assert.Equal(t, 404, status)

	draft := d.get(t, "/events?event=REFUND.SUCCESS")
	assert.Contains(t, draft, "out_refund_no")
	status, page = d.post(t, "/events", url.Values{"event": {"REFUND.SUCCESS"}, "url": {"http://127.0.0.1:1/notify"}, "resource": {`{"out_refund_no":"MINE"}`}})
	assert.Equal(t, 200, status)
	assert.Contains(t, page, "MINE")
	for _, wrong := range []url.Values{
		{"event": {"REFUND.SUCCESS"}, "url": {"http://127.0.0.1:1/"}, "resource": {"no JSON"}},
		{"event": {"REFUND.SUCCESS"}, "url": {"no address"}, "resource": {"{}"}},
	} {
		status, page = d.post(t, "/events", wrong)
		assert.Equal(t, 409, status)
		assert.Contains(t, page, wrong.Get("resource"), "what was typed stays")
	}
	status, _ = d.do(t, must(http.NewRequest(http.MethodGet, d.base+"/events?event=NO.SUCH.EVENT", nil)))
	assert.Equal(t, 409, status)
}

func TestPlatform(t *testing.T) {
	t.Parallel()
	d := open(t)
	act := func(status int, do, value string) string {
		t.Helper()
		got, page := d.post(t, "/platform", url.Values{"do": {do}, "value": {value}})
		assert.Equal(t, status, got, "%s %s", do, value)
		return page
	}
	before := d.Clock.Now()
	act(200, "jump", "+25h")
	assert.Greater(t, d.Clock.Now().Sub(before).Hours(), 24.9)
	act(409, "jump", "-1h")
	act(409, "jump", "soon")
	assert.Contains(t, act(200, "freeze", ""), "Let it run")
	assert.True(t, d.Clock.Frozen())
	act(200, "unfreeze", "")

	page := act(200, "inject", "500 path=/v3/certificates")
	assert.Contains(t, page, "data-fault>500 path=/v3/certificates<")
	act(200, "inject", "delay delay=1ms")
	act(409, "inject", "nonsense")
	_, err := d.client(t).Chain("v3/certificates").Get(t.Context())
	require.Error(t, err)
	assert.Contains(t, d.get(t, "/platform"), "<dt>500</dt>")
	assert.Contains(t, d.get(t, "/platform"), "data-rule-hits>3 hits<", "the client tried three times")
	act(200, "remove", "delay delay=1ms")
	assert.Contains(t, d.get(t, "/platform"), "data-rule-hits>3 hits<", "the other rule counts on")
	act(200, "inject", "delay delay=1ms")
	act(200, "remove", "500 path=/v3/certificates")
	require.Len(t, d.Faults.All(), 1)
	act(409, "remove", "500 path=/v3/certificates")
	act(200, "clear", "")
	require.Empty(t, d.Faults.All())

	act(200, "relax", "rates")
	assert.NotContains(t, d.Rules.Enforced(), sandbox.Rates)
	act(200, "enforce", "rates")
	assert.Contains(t, d.Rules.Enforced(), sandbox.Rates)
	act(409, "enforce", "nonsense")

	_, err = d.Users.AddPaidOrder("ORDER-0001", 100)
	require.NoError(t, err)
	act(200, "snapshot", "")
	act(200, "reset", "")
	assert.Empty(t, d.Ledger.Effects())
	act(200, "restore", "1")
	assert.Len(t, d.Ledger.Effects(), 2)
	act(409, "restore", "2")
	for range 12 {
		act(200, "snapshot", "")
	}
	assert.Equal(t, 10, strings.Count(d.get(t, "/platform"), `value="restore"`), "the oldest gave way")

	act(200, "merchant", "1900000200")
	require.Len(t, d.Merchants(), 2)
	act(409, "merchant", "x")
	act(409, "nonsense", "")

	_, err = fault.Parse("nonesuch")
	require.Error(t, err)
	_, kinds, found := strings.Cut(err.Error(), "there are ")
	require.True(t, found)
	page = d.get(t, "/platform")
	for kind := range strings.SplitSeq(kinds, ", ") {
		assert.Contains(t, page, "<option>"+kind+"</option>")
	}
}

// nasty is what a user or a client might send to take a page over.
const nasty = "\"><script>alert(1)</script><img src=x onerror=alert(2)>'`\x1b[31m\u202eevil\u2066\x07\u0085"

// TestNothingFromOutsideIsMarkup puts markup, escape sequences and changes of direction into each field that a user or a
// client can fill, and looks at all pages.
func TestNothingFromOutsideIsMarkup(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.Deliveries.To(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Answer", "\"><script>alert(1)</script>")
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = io.WriteString(w, nasty)
	}))
	client := d.client(t)
	body := map[string]any{
		"appid": "wx0123456789abcdef", "mchid": "1900000109", "description": nasty, "attach": nasty, "goods_tag": "<b>", "out_trade_no": "ORDER-0001",
		"notify_url": "https://shop.example.com/notify", "amount": map[string]any{"total": 1999}, "payer": map[string]any{"openid": nasty},
		"detail": map[string]any{"goods_detail": []any{map[string]any{"merchant_goods_id": nasty, "goods_name": nasty, "quantity": 1, "unit_price": 1}}},
	}
	prepay, err := client.Chain("v3/pay/transactions/jsapi").Post(t.Context(), body)
	require.NoError(t, err)
	link := prepay.Get("prepay_id").String()
	pages := []string{
		"/journal", "/journal/1", "/phone", "/phone/pay?link=" + link, "/objects", "/objects/one?kind=order&number=ORDER-0001", "/platform", "/deliveries",
		"/journal?path=" + url.QueryEscape(nasty), "/journal?merchant=" + url.QueryEscape(nasty), "/explorer?q=" + url.QueryEscape(nasty),
		"/explorer?tag=" + url.QueryEscape(nasty), "/objects?q=" + url.QueryEscape(nasty) + "&kind=" + url.QueryEscape(nasty),
		"/explorer/operation?method=POST&path=/v3/pay/transactions/jsapi&merchant=" + url.QueryEscape(nasty),
		"/phone/pay?link=" + url.QueryEscape(nasty), "/phone/transfer?package=" + url.QueryEscape(nasty), "/events?event=" + url.QueryEscape(nasty),
		"/nothing/" + url.PathEscape(nasty),
	}
	_, err = d.Users.Pay("ORDER-0001")
	require.NoError(t, err)
	_, err = d.Users.Complain(sandbox.Complaint{OutTradeNo: "ORDER-0001", Detail: nasty, Problem: nasty, Type: "OTHERS", Phone: nasty})
	require.NoError(t, err)
	card := d.Users.MemberCards()[0]
	_, err = d.Users.OpenMemberCard(card.CardID, nasty, nasty)
	require.NoError(t, err)
	resource, err := json.Marshal(map[string]any{"text": nasty})
	require.NoError(t, err)
	id, err := d.Deliveries.Deliver("http://127.0.0.1:1/?x="+url.QueryEscape(nasty)+"&y=<script>", "X.<script>alert(1)</script>", json.RawMessage(resource))
	require.NoError(t, err)
	for _, delivery := range d.Deliveries.All() {
		_, err := d.Deliveries.Await(t.Context(), delivery.ID, 1)
		require.NoError(t, err)
		pages = append(pages, "/deliveries/"+delivery.ID)
	}
	require.Contains(t, pages, "/deliveries/"+id)

	request := must(http.NewRequest(http.MethodPost, "http://sandbox/v3/pay/transactions/native?"+url.QueryEscape(nasty)+"=<script>alert(1)</script>", strings.NewReader(nasty)))
	request.Header["User-Agent"] = []string{nasty}
	request.Header["Accept"] = []string{nasty}
	request.Header["Content-Type"] = []string{nasty}
	request.Header["X-Odd"] = []string{nasty}
	request.Header["Wechatpay-Serial"] = []string{nasty}
	request.Header["Authorization"] = []string{`WECHATPAY2-SHA256-RSA2048 mchid="1900000109",nonce_str="<script>alert(1)</script>",timestamp="<img src=x>",serial_no="<b>",signature="<script>"`}
	recorder := newRecorder()
	d.ServeHTTP(recorder, request)
	for number := range d.Journal.All() {
		pages = append(pages, "/journal/"+string(rune('1'+number)))
	}

	check := func(name, page string) {
		t.Helper()
		for _, forbidden := range []string{"<script>alert", "<img", "alert(1)</script>", "\x1b", "\u202e", "\u2066", "\x07", "\u0085", "&#x202e", "<b>\"", `onerror=alert(2)>`} {
			assert.NotContains(t, page, forbidden, name)
		}
	}
	seen := 0
	for _, path := range pages {
		_, page := d.do(t, must(http.NewRequest(http.MethodGet, d.base+path, nil)))
		check(path, page)
		if strings.Contains(page, "‹U+202E›") {
			seen++
		}
	}
	assert.Greater(t, seen, 8, "they are shown, and harmless")

	form := d.filled(t, "POST", "/v3/pay/transactions/jsapi")
	for name := range form {
		if strings.HasPrefix(name, "body/") && !strings.HasSuffix(name, "total") {
			form.Set(name, nasty)
		}
	}
	for path, values := range map[string]url.Values{
		"/explorer/preview": form, "/explorer/send": form,
		"/phone/act":      {"do": {"complain"}, "number": {nasty}, "detail": {nasty}, "merchant": {nasty}},
		"/phone/pay":      {"do": {nasty}, "link": {"ORDER-0001"}, "openid": {nasty}},
		"/platform":       {"do": {"inject"}, "value": {nasty}},
		"/events":         {"event": {nasty}, "url": {nasty}, "resource": {nasty}},
		"/objects/settle": {"kind": {nasty}, "number": {nasty}, "state": {nasty}},
		"/settings":       {"back": {"/journal?path=" + url.QueryEscape(nasty)}, "lang": {nasty}},
	} {
		_, page := d.post(t, path, values)
		check(path, page)
	}
	_, page := d.post(t, "/platform", url.Values{"do": {"merchant"}, "value": {nasty}})
	check("merchant", page)
}

// recorder is a response that nobody reads.
type recorder struct{ header http.Header }

func newRecorder() *recorder { return &recorder{make(http.Header)} }

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) Write(p []byte) (int, error) { return len(p), nil }
func (r *recorder) WriteHeader(int)             {}
