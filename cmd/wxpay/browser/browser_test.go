package browser_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/console"
	"github.com/wxpay-go/wxpay/sandbox"
)

// patience bounds each step; only a failure takes as long.
const patience = 60 * time.Second

// desk is a sandbox with its console.
type desk struct {
	*sandbox.Server
	console *console.Console
	base    string

	mu       sync.Mutex
	notified []string // bodies that the shop has received
	shop     *httptest.Server
}

func open(t *testing.T) *desk {
	t.Helper()
	if os.Getenv("WXPAY_TEST_BROWSER") == "" {
		t.Skip("WXPAY_TEST_BROWSER=1 starts chromium")
	}
	d := &desk{Server: sandbox.Start(t, sandbox.WithJournal(console.Entries, console.Bytes))}
	c, err := console.Listen(d.Sandbox, console.Options{Addr: "127.0.0.1:0", Facts: catalog.V3()})
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	d.console, d.base = c, strings.Split(c.URL, "/enter")[0]
	mux := http.NewServeMux()
	mux.HandleFunc("POST /notify", func(w http.ResponseWriter, r *http.Request) {
		var envelope struct {
			Event string `json:"event_type"`
		}
		_ = json.NewDecoder(r.Body).Decode(&envelope) // an odd one is noted as empty
		d.mu.Lock()
		defer d.mu.Unlock()
		d.notified = append(d.notified, envelope.Event)
	})
	mux.HandleFunc("GET /front", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<!doctype html><script src="%s/assets/wx.js"></script><button id="go" onclick='(%s)(o => document.title = o)'>go</button>`,
			d.base, r.URL.Query().Get("do"))
	})
	d.shop = httptest.NewServer(mux)
	t.Cleanup(d.shop.Close)
	return d
}

func (d *desk) events() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]string(nil), d.notified...)
}

func (d *desk) client(t *testing.T) *wxpay.Client {
	t.Helper()
	client, err := wxpay.FromLookupEnv(d.LookupEnv)
	require.NoError(t, err)
	t.Cleanup(func() { client.Close() })
	return client
}

func (d *desk) order(t *testing.T, way, number, description string) *wxpay.Response {
	t.Helper()
	body := map[string]any{
		"appid": "wx0123456789abcdef", "mchid": "1900000109", "description": description, "out_trade_no": number,
		"notify_url": d.shop.URL + "/notify", "amount": map[string]any{"total": 1999},
	}
	if way == "jsapi" {
		body["payer"] = map[string]any{"openid": "oUSER"}
	}
	response, err := d.client(t).Chain("v3/pay/transactions/"+way).Post(t.Context(), body)
	require.NoError(t, err)
	return response
}

// tab is a tab of a browser.
type tab struct {
	t   *testing.T
	ctx context.Context
}

// browse starts a browser, which nobody has let in.
func browse(t *testing.T) *tab {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.WindowSize(1280, 860), chromedp.Flag("lang", "en-US"), chromedp.Flag("disable-popup-blocking", true))
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox) // chromium has none for root
	}
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	b := &tab{t, ctx}
	require.NoError(t, chromedp.Do(ctx)) // starts it; a bound of time would end it
	return b
}

func (b *tab) run(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	require.NoError(b.t, chromedp.Do(ctx, actions...))
}

func (b *tab) goTo(address string) {
	b.t.Helper()
	b.run(chromedp.Navigate(address))
}

// eval returns the value of an expression.
func eval[T any](b *tab, expression string) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	require.NoError(b.t, err, expression)
	return value
}

// wait waits until an expression is true.
func (b *tab) wait(expression string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	for {
		is, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("!!("+expression+")"))
		if err == nil && is {
			return
		}
		if ctx.Err() != nil {
			require.Fail(b.t, "it did not happen: "+expression, "%v\n%s", err, eval[string](b, "document.body.innerText"))
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// see waits for a text on the page.
func (b *tab) see(text string) {
	b.t.Helper()
	quoted, err := json.Marshal(text)
	require.NoError(b.t, err)
	b.wait("document.readyState === 'complete' && document.body.innerText.includes(" + string(quoted) + ")")
}

// press clicks an element, once it is there and can be seen. A tab behind another gets no events of a mouse.
func (b *tab) press(selector string) {
	b.t.Helper()
	quoted, err := json.Marshal(selector)
	require.NoError(b.t, err)
	b.wait(fmt.Sprintf(`document.readyState === "complete" && document.querySelector(%s)?.checkVisibility()`, quoted))
	eval[any](b, fmt.Sprintf(`void setTimeout(() => document.querySelector(%s).click())`, quoted))
}

// submit presses a button of a form, and waits for the page that follows.
func (b *tab) submit(selector string) {
	b.t.Helper()
	before := eval[float64](b, "performance.timeOrigin")
	b.press(selector)
	b.wait(fmt.Sprintf("document.readyState === 'complete' && performance.timeOrigin !== %v", before))
}

// fill types a text into a field in place of what is in it.
func (b *tab) fill(selector, text string) {
	b.t.Helper()
	arguments, err := json.Marshal([]string{selector, text})
	require.NoError(b.t, err)
	b.wait(fmt.Sprintf(`document.readyState === "complete" && document.querySelector(%s[0])`, arguments))
	eval[any](b, fmt.Sprintf(`(([selector, text]) => {
		const field = document.querySelector(selector);
		field.focus();
		field.value = text;
		field.dispatchEvent(new Event("input", {bubbles: true}));
	})(%s)`, arguments))
}

// enter lets the browser in.
func (b *tab) enter(d *desk) {
	b.t.Helper()
	b.goTo(d.console.URL)
	b.see("Journal")
	b.wait(`document.querySelector("[data-live-state]").textContent === "live"`)
}

// An order is placed in the explorer and paid on the phone, and the shop's notification is seen.
func TestOrderIsPlacedAndPaid(t *testing.T) {
	d := open(t)
	b := browse(t)
	b.enter(d)
	b.run(chromedp.KeyEvent("3")) // the explorer
	b.see("Families")
	b.run(chromedp.KeyEvent("/"))
	b.wait(`document.activeElement.matches("[data-search]")`)
	b.run(chromedp.SendKeys(chromedp.CSS("[data-search]"), "native"+kb.Enter))
	b.press(`a[href*="%2Fv3%2Fpay%2Ftransactions%2Fnative"]`)
	b.see("wxpay call POST v3/pay/transactions/native")
	b.fill(`[name="body/description"]`, "一件衣服")
	b.fill(`[name="body/notify_url"]`, d.shop.URL+"/notify")
	b.wait(`document.getElementById("go").textContent.includes("一件衣服")`) // the samples follow
	b.wait(`document.getElementById("cli").textContent.includes("一件衣服")`)
	b.wait(`[...document.querySelectorAll("[data-count]")].some(e => e.textContent === "4 (12 B)")`)
	b.press(`form[data-preview] button.main`)
	b.see("confirmed 200")
	b.see("code_url")
	code := eval[string](b, `JSON.parse(document.querySelector("[data-response]").textContent).code_url`)
	b.goTo(d.base + "/phone")
	b.fill(`[name=link]`, code)
	b.press(`form[action="/phone/pay"] button`)
	b.see("一件衣服")
	b.press(`button[value=password]`)
	b.see("The password is wrong")
	b.press(`button[value=balance]`)
	b.see("not sufficient")
	b.press(`button[value=pay]`)
	b.see("Paid. The merchant is notified.")
	b.goTo(d.base + "/deliveries")
	b.press(`[data-row] a`)
	b.see("TRANSACTION.SUCCESS")
	b.see("out_trade_no")
	id := d.Deliveries.All()[0].ID
	_, err := d.Deliveries.Await(t.Context(), id, 1)
	require.NoError(t, err)
	b.goTo(d.base + "/deliveries/" + id)
	b.see("delivered")
	assert.Equal(t, []string{"TRANSACTION.SUCCESS"}, d.events())
	b.goTo(d.base + "/objects/one?kind=order&number=" + d.Ledger.Effects()[0].Number)
	b.see("payment")
	b.see("POST /v3/pay/transactions/native")
}

// breaker changes bodies after they are signed.
type breaker struct{}

func (breaker) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		r = r.Clone(r.Context())
		text := `{"a":1}`
		r.Body, r.ContentLength = http.NoBody, 0
		if r.Method == http.MethodPost {
			r.Body, r.ContentLength = readCloser{strings.NewReader(text)}, int64(len(text))
		}
	}
	return http.DefaultTransport.RoundTrip(r)
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }

// A wrong signature comes into the journal as it happens, and the clinic marks the byte.
func TestWrongSignatureIsExplained(t *testing.T) {
	d := open(t)
	b := browse(t)
	b.enter(d)
	client, err := wxpay.FromLookupEnv(d.LookupEnv, wxpay.WithTransport(breaker{}), wxpay.WithLogger(slog.New(slog.DiscardHandler)))
	require.NoError(t, err)
	_, err = client.Chain("v3/pay/transactions/native").Post(t.Context(), json.RawMessage(`{"a": 1}`))
	require.Error(t, err)
	b.see("POST /v3/pay/transactions/native") // nobody loads the page again
	b.run(chromedp.KeyEvent("j"))
	b.wait(`document.querySelector("[data-row]").classList.contains("at")`)
	b.run(chromedp.KeyEvent(kb.Enter))
	b.see("Signature clinic")
	b.see("The client signed")
	b.wait(`document.querySelectorAll("[data-clinic] mark").length === 2`)
	assert.Equal(t, "1", eval[string](b, `document.querySelector("[data-clinic] mark").textContent`))
	b.press(`form[action$="/replay"] button`)
	b.wait(`location.pathname === "/journal/2"`)
	b.see("signature verified")
}

// A fault is injected, and a call meets it.
func TestFaultIsSeen(t *testing.T) {
	d := open(t)
	b := browse(t)
	b.enter(d)
	b.goTo(d.base + "/platform")
	b.fill(`input[list=kinds]`, "500 path=/v3/certificates")
	b.submit(`button[value=inject]`)
	b.wait(`document.querySelector("[data-fault]")`)
	b.goTo(d.base + "/explorer/operation?method=GET&path=/v3/certificates")
	b.press(`form[data-preview] button.main`)
	b.see("500")
	b.see("SYSTEM_ERROR")
	b.goTo(d.base + "/platform")
	b.see("hits")
	b.submit(`button[value=remove]`)
	b.see("Nothing goes wrong by itself")
}

// The clock jumps, and an order that nobody paid expires.
func TestOrderExpires(t *testing.T) {
	d := open(t)
	b := browse(t)
	b.enter(d)
	d.order(t, "native", "ORDER-0001", "x")
	b.goTo(d.base + "/objects/one?kind=order&number=ORDER-0001")
	b.see("NOTPAY")
	b.goTo(d.base + "/platform")
	b.submit(`button[value="168h"]`)
	b.see("Done.")
	b.goTo(d.base + "/objects/one?kind=order&number=ORDER-0001")
	b.see("CLOSED")
	b.goTo(d.base + "/phone/pay?link=ORDER-0001")
	b.wait(`!document.querySelector("button[value=pay]")`)
}

// follow returns the tab that the shop's page opens for the phone.
func (b *tab) follow(act func()) *tab {
	b.t.Helper()
	targets := chromedp.WaitNewTarget(b.ctx, func(info *target.Info) bool { return strings.Contains(info.URL, "/phone/") })
	act()
	select {
	case id := <-targets:
		ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithTargetID(id))
		b.t.Cleanup(cancel)
		require.NoError(b.t, chromedp.Do(ctx))
		return &tab{b.t, ctx}
	case <-time.After(patience):
		require.Fail(b.t, "the shop's page opened no phone")
		return nil
	}
}

// A transfer is confirmed on the phone that a page of the shop has opened, which learns the outcome.
func TestTransferIsConfirmed(t *testing.T) {
	d := open(t)
	b := browse(t)
	b.enter(d)
	response, err := d.client(t).Chain("v3/fund-app/mch-transfer/transfer-bills").Post(t.Context(), map[string]any{
		"appid": "wx0123456789abcdef", "out_bill_no": "BILL0001", "openid": "oUSER", "transfer_amount": 100, "transfer_remark": "有礼",
		"transfer_scene_id":           "1000",
		"transfer_scene_report_infos": []any{map[string]any{"info_type": "活动名称", "info_content": "新会员有礼"}},
	})
	require.NoError(t, err)
	given, err := json.Marshal(map[string]string{"mchId": "1900000109", "package": response.Get("package_info").String()})
	require.NoError(t, err)
	shop := strings.Replace(d.shop.URL, "127.0.0.1", "localhost", 1) // another site, to whose links no strict cookie belongs
	b.goTo(shop + "/front?" + "do=" + escape(`done => wx.requestMerchantTransfer({...`+string(given)+`, complete: r => done(r.errMsg)})`))
	phone := b.follow(func() { b.press("#go") })
	phone.press(`button[value=confirm]`)
	phone.see("SUCCESS")
	b.wait(`document.title === "requestMerchantTransfer:ok"`)
	assert.Equal(t, "SUCCESS", d.Ledger.Effects()[0].State)
}

func escape(text string) string {
	return strings.NewReplacer("%", "%25", "+", "%2B", "&", "%26", "#", "%23", "'", "%27").Replace(text)
}

// A page of the shop pays by WeixinJSBridge, with a signature that is right, and with one that is not.
func TestShopPays(t *testing.T) {
	d := open(t)
	b := browse(t)
	b.enter(d)
	prepay := "prepay_id=" + d.order(t, "jsapi", "ORDER-0001", "茶").Get("prepay_id").String()
	for _, test := range []struct {
		sign, outcome string
	}{{"another message", "fail"}, {"wx0123456789abcdef\n1735732800\nabc\n" + prepay + "\n", "ok"}} {
		signature, err := d.client(t).Sign(t.Context(), test.sign)
		require.NoError(t, err)
		given, err := json.Marshal(map[string]string{
			"appId": "wx0123456789abcdef", "timeStamp": "1735732800", "nonceStr": "abc", "package": prepay, "signType": "RSA", "paySign": signature,
		})
		require.NoError(t, err)
		b.goTo(d.shop.URL + "/front?do=" + escape(`done => WeixinJSBridge.invoke("getBrandWCPayRequest", `+string(given)+`, r => done(r.err_msg))`))
		phone := b.follow(func() { b.press("#go") })
		if test.outcome == "ok" {
			phone.see("茶")
			phone.press(`button[value=pay]`)
		} else {
			phone.see("paySign does not verify")
		}
		b.wait(`document.title === "get_brand_wcpay_request:` + test.outcome + `"`)
		require.NoError(t, chromedp.Cancel(phone.ctx))
	}
	require.Len(t, d.Ledger.Effects(sandbox.PaymentEffect), 1)
}

// A snapshot brings back what was there.
func TestSnapshotIsRestored(t *testing.T) {
	d := open(t)
	b := browse(t)
	b.enter(d)
	d.order(t, "native", "ORDER-0001", "x")
	b.goTo(d.base + "/platform")
	b.submit(`button[value=snapshot]`)
	b.see("#1")
	b.submit(`button[value=reset]`)
	b.see("Done.")
	b.goTo(d.base + "/objects")
	b.see("Nothing has taken effect")
	b.goTo(d.base + "/platform")
	b.submit(`button[value=restore]`)
	b.see("Done.")
	b.goTo(d.base + "/objects")
	b.see("ORDER-0001")
}

// Two browsers look at one sandbox, the second with an address that the first has made.
func TestTwoBrowsers(t *testing.T) {
	d := open(t)
	first, second := browse(t), browse(t)
	first.enter(d)
	second.goTo(d.base + "/journal")
	second.see("has not been let in")
	first.press(`form[action="/browsers"] button`)
	first.see("It lets one browser in")
	second.goTo(eval[string](first, `document.querySelector("[data-address]").textContent`))
	second.wait(`document.querySelector("[data-live-state]")?.textContent === "live"`)
	first.goTo(d.base + "/journal")
	first.wait(`document.querySelector("[data-live-state]")?.textContent === "live"`)
	d.order(t, "native", "ORDER-0001", "x")
	for _, b := range []*tab{first, second} {
		b.see("POST /v3/pay/transactions/native")
	}
}

// Without a token there is nothing to see, and a used one is worth nothing.
func TestTokenIsMissing(t *testing.T) {
	d := open(t)
	first, second := browse(t), browse(t)
	first.enter(d)
	for _, address := range []string{d.base, d.base + "/platform", d.console.URL, d.base + "/enter?token=AAAA"} {
		second.goTo(address)
		second.wait(`document.querySelector(".notice")`)
		assert.False(t, eval[bool](second, `!!document.querySelector("nav")`), address)
	}
}

// Words of users and clients stay words.
func TestWordsStayWords(t *testing.T) {
	d := open(t)
	b := browse(t)
	b.enter(d)
	const nasty = "\"><script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">\u202e"
	d.order(t, "native", "ORDER-0001", nasty)
	b.see("POST /v3/pay/transactions/native")
	id, err := d.Deliveries.Deliver(d.shop.URL+"/notify?<script>", "X.<img src=x>", json.RawMessage(`{"a":"<script>document.title='taken'</script>"}`))
	require.NoError(t, err)
	for _, path := range []string{
		"/journal", "/journal/1", "/phone", "/phone/pay?link=ORDER-0001", "/objects/one?kind=order&number=ORDER-0001", "/deliveries", "/deliveries/" + id,
	} {
		b.goTo(d.base + path)
		b.wait(`document.querySelector("main")`)
		assert.NotEqual(t, "taken", eval[string](b, "document.title"), path)
		assert.Zero(t, eval[int](b, `document.querySelectorAll("main script, main img").length`), path)
		assert.False(t, eval[bool](b, `document.body.textContent.includes("\u202e")`), path)
	}
	eval[any](b, `(() => { const s = document.createElement("script"); s.textContent = "document.title='taken'"; document.body.append(s); })()`)
	assert.NotEqual(t, "taken", eval[string](b, "document.title"), "the policy permits no script in a page")
}

// Ten thousand entries: the page stays short while they come, and each can be reached.
func TestTenThousandEntries(t *testing.T) {
	d := open(t)
	b := browse(t)
	b.enter(d)
	for i := range 10_000 {
		request, err := http.NewRequest(http.MethodGet, "http://sandbox/v3/nothing/"+fmt.Sprint(i), nil)
		require.NoError(t, err)
		response, err := d.Transport().RoundTrip(request)
		require.NoError(t, err)
		response.Body.Close()
	}
	b.see("/v3/nothing/9999")
	b.wait(`document.querySelectorAll("[data-row]").length <= 500`)
	eval[any](b, `window.scrollTo(0, document.body.scrollHeight)`)
	begin := time.Now()
	b.goTo(d.base + "/journal")
	b.wait(`document.querySelectorAll("[data-row]").length === 50`)
	t.Logf("the first page of 10,000 entries is there after %s", time.Since(begin))
	for range 5 {
		eval[any](b, `document.querySelector("[data-older]").scrollIntoView()`)
		b.submit(`[data-older]`)
	}
	b.see("/v3/nothing/9700")
	b.fill(`[data-search]`, "nothing/77")
	b.run(chromedp.KeyEvent(kb.Enter))
	b.see("/v3/nothing/7799")
	b.wait(`!document.body.innerText.includes("/v3/nothing/9700")`)
}

// TestPictures takes pictures of six pages, in both themes and languages and on a phone, for people to look at.
func TestPictures(t *testing.T) {
	d := open(t)
	b := browse(t)
	b.enter(d)
	d.order(t, "native", "ORDER-0001", "一件衣服")
	d.order(t, "jsapi", "ORDER-0002", "一杯茶")
	_, err := d.Users.Pay("ORDER-0001")
	require.NoError(t, err)
	client, err := wxpay.FromLookupEnv(d.LookupEnv, wxpay.WithTransport(breaker{}), wxpay.WithLogger(slog.New(slog.DiscardHandler)))
	require.NoError(t, err)
	_, err = client.Chain("v3/pay/transactions/native").Post(t.Context(), json.RawMessage(`{"a": 1}`))
	require.Error(t, err)
	_, err = d.client(t).Chain("v3/pay/transactions/out-trade-no/{out_trade_no}", "ORDER-0003").Query("mchid", "1900000109").Get(t.Context())
	require.Error(t, err)
	require.NoError(t, os.MkdirAll("pictures", 0o755))
	pages := map[string]string{
		"journal": "/journal", "clinic": "/journal/3", "phone": "/phone/pay?link=ORDER-0002", "explorer": "/explorer/operation?method=POST&path=/v3/pay/transactions/native",
		"object": "/objects/one?kind=order&number=ORDER-0001", "platform": "/platform",
	}
	take := func(name string) {
		picture, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join("pictures", name+".png"), picture, 0o644))
	}
	for _, language := range []string{"en", "zh"} {
		for _, theme := range []string{"light", "dark"} {
			eval[any](b, fmt.Sprintf(`document.cookie = "lang=%s;path=/"; document.cookie = "theme=%s;path=/"`, language, theme))
			for name, path := range pages {
				b.goTo(d.base + path)
				b.wait(fmt.Sprintf(`document.documentElement.lang === %q && document.documentElement.dataset.theme === %q`, language, theme))
				take(name + "-" + language + "-" + theme)
				assert.LessOrEqual(t, eval[float64](b, `document.documentElement.scrollWidth - document.documentElement.clientWidth`), 0.0,
					"%s scrolls sideways", name)
			}
		}
	}
	b.run(chromedp.EmulateViewport(390, 844))
	for name, path := range pages {
		b.goTo(d.base + path)
		b.wait(`document.querySelector("main")`)
		take(name + "-narrow")
		assert.LessOrEqual(t, eval[float64](b, `document.documentElement.scrollWidth - document.documentElement.clientWidth`), 0.0,
			"%s scrolls sideways on a phone", name)
	}
}
