package console_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/console"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/console/auth"
	"github.com/wxpay-go/wxpay/sandbox"
)

// desk is a sandbox with its console, and a browser that has been let in.
type desk struct {
	*sandbox.Sandbox
	console *console.Console
	browser *http.Client
	base    string
	csrf    string
}

func open(t testing.TB, options ...sandbox.Option) *desk {
	t.Helper()
	s, err := sandbox.New(options...)
	require.NoError(t, err)
	t.Cleanup(func() { s.Close() })
	c, err := console.Listen(s, console.Options{Addr: "127.0.0.1:0", Facts: catalog.V3()})
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	d := &desk{Sandbox: s, console: c, browser: newBrowser(t), base: strings.Split(c.URL, auth.EnterPath)[0]}
	page := d.get(t, strings.TrimPrefix(c.URL, d.base))
	d.csrf = formToken(t, page)
	return d
}

func newBrowser(t testing.TB) *http.Client {
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	transport := new(http.Transport)
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Jar: jar, Transport: transport}
}

var csrfField = regexp.MustCompile(`name="csrf" value="([A-Z0-9]+)"`)

func formToken(t testing.TB, page string) string {
	t.Helper()
	found := csrfField.FindStringSubmatch(page)
	require.NotNil(t, found, page)
	return found[1]
}

func (d *desk) do(t testing.TB, request *http.Request) (int, string) {
	t.Helper()
	response, err := d.browser.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, string(body)
}

// get returns a page that must be there.
func (d *desk) get(t testing.TB, path string) string {
	t.Helper()
	request, err := http.NewRequest(http.MethodGet, d.base+path, nil)
	require.NoError(t, err)
	status, body := d.do(t, request)
	require.Equal(t, 200, status, "%s: %s", path, body)
	return body
}

// post sends a form as a page of the console does, and follows the redirect.
func (d *desk) post(t testing.TB, path string, fields url.Values) (int, string) {
	t.Helper()
	form := url.Values{"csrf": {d.csrf}}
	for name, values := range fields {
		form[name] = values
	}
	request, err := http.NewRequest(http.MethodPost, d.base+path, strings.NewReader(form.Encode()))
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Origin", d.base)
	return d.do(t, request)
}

// visit sends a request to the sandbox that it knows nothing of.
func (d *desk) visit(t testing.TB, method, target, body string) {
	t.Helper()
	request, err := http.NewRequest(method, "http://sandbox"+target, strings.NewReader(body))
	require.NoError(t, err)
	response, err := d.Transport().RoundTrip(request)
	require.NoError(t, err)
	response.Body.Close()
}

func (d *desk) client(t testing.TB) *wxpay.Client {
	t.Helper()
	client, err := wxpay.FromLookupEnv(d.LookupEnv, wxpay.WithTransport(d.Transport()))
	require.NoError(t, err)
	return client
}

func TestNobodyElseComesIn(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.visit(t, "GET", "/v3/secret", "")
	good := func() *http.Request {
		request, err := http.NewRequest(http.MethodPost, d.base+"/journal/clear", strings.NewReader("csrf="+d.csrf))
		require.NoError(t, err)
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.Header.Set("Origin", d.base)
		return request
	}
	tests := map[string]struct {
		change func(*http.Request)
		status int
	}{
		"no cookie":                       {func(r *http.Request) { r.Header.Set("No-Cookie", "1") }, 401},
		"another site":                    {func(r *http.Request) { r.Header.Set("Origin", "http://evil.example") }, 403},
		"another port":                    {func(r *http.Request) { r.Header.Set("Origin", "http://127.0.0.1:1") }, 403},
		"no origin":                       {func(r *http.Request) { r.Header.Del("Origin") }, 403},
		"origin null":                     {func(r *http.Request) { r.Header.Set("Origin", "null") }, 403},
		"a page of the site, not of this": {func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-site") }, 403},
		"a name that leads here":          {func(r *http.Request) { r.Host = "evil.example"; r.Header.Set("Origin", "http://evil.example") }, 421},
		"no form token":                   {func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader("csrf=")); r.ContentLength = 5 }, 403},
		"a wrong form token": {func(r *http.Request) {
			r.Body = io.NopCloser(strings.NewReader("csrf=AAAA"))
			r.ContentLength = 9
		}, 403},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			request := good()
			test.change(request)
			browser := d
			if request.Header.Get("No-Cookie") != "" {
				browser = &desk{browser: newBrowser(t)}
			}
			status, body := browser.do(t, request)
			assert.Equal(t, test.status, status, body)
			assert.NotContains(t, body, "/v3/secret")
			assert.Len(t, d.Journal.All(), 1, "nothing was done")
		})
	}
	status, _ := d.do(t, good())
	assert.Equal(t, 200, status)
	assert.Empty(t, d.Journal.All(), "the right request is carried out")
}

func TestEachPageWantsTheCookie(t *testing.T) {
	t.Parallel()
	d := open(t)
	stranger := &desk{browser: newBrowser(t)}
	for _, path := range []string{"/", "/journal", "/journal/1", "/journal/live", "/phone", "/explorer", "/objects", "/platform", "/nothing"} {
		request, err := http.NewRequest(http.MethodGet, d.base+path, nil)
		require.NoError(t, err)
		status, body := stranger.do(t, request)
		assert.Equal(t, 401, status, path)
		assert.Contains(t, body, "has not been let in")
		request.Header.Set("Accept-Language", "zh-CN,zh;q=0.9")
		_, body = stranger.do(t, request)
		assert.Contains(t, body, "还没有获准进入")
	}
	for _, path := range []string{"/assets/console.js", "/assets/console.css"} {
		request, err := http.NewRequest(http.MethodGet, d.base+path, nil)
		require.NoError(t, err)
		status, body := stranger.do(t, request)
		assert.Equal(t, 200, status, path)
		assert.Less(t, len(body), 60_000)
	}
}

func TestTokenIsForOneBrowser(t *testing.T) {
	t.Parallel()
	d := open(t)
	second := &desk{browser: newBrowser(t)}
	for _, address := range []string{d.console.URL, d.base + auth.EnterPath, d.base + auth.EnterPath + "?token=AAAA"} {
		request, err := http.NewRequest(http.MethodGet, address, nil)
		require.NoError(t, err)
		status, body := second.do(t, request)
		assert.Equal(t, 403, status)
		assert.Contains(t, body, "lets one browser in, once")
	}
	_, page := d.post(t, "/browsers", nil)
	address := regexp.MustCompile(`data-address>([^<]+)<`).FindStringSubmatch(page)
	require.NotNil(t, address)
	status, page := second.do(t, must(http.NewRequest(http.MethodGet, address[1], nil)))
	assert.Equal(t, 200, status)
	assert.Contains(t, page, "<h1>Journal</h1>")

	u, err := url.Parse(d.base)
	require.NoError(t, err)
	cookies := d.browser.Jar.Cookies(u)
	require.Len(t, cookies, 1)
	assert.Contains(t, cookies[0].Name, u.Port(), "cookies know no ports")

	fresh, err := sandbox.New()
	require.NoError(t, err)
	defer fresh.Close()
	c, err := console.Listen(fresh, console.Options{Addr: "127.0.0.1:0", Facts: catalog.V3()})
	require.NoError(t, err)
	defer c.Close()
	response, err := (&http.Transport{}).RoundTrip(must(http.NewRequest(http.MethodGet, c.URL, nil)))
	require.NoError(t, err)
	response.Body.Close()
	cookie := response.Header.Get("Set-Cookie")
	assert.Contains(t, cookie, "HttpOnly")
	assert.Contains(t, cookie, "SameSite=Strict")
	policy := response.Header.Get("Content-Security-Policy")
	assert.Contains(t, policy, "default-src 'none'")
	assert.NotContains(t, policy, "unsafe")
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// TestLinkOfAnotherSite: a link of a shop's page comes without the strict cookie, and the page opens itself again.
func TestLinkOfAnotherSite(t *testing.T) {
	t.Parallel()
	d := open(t)
	request := must(http.NewRequest(http.MethodGet, d.base+"/journal?path=x", nil))
	request.Header.Set("Sec-Fetch-Site", "cross-site")
	request.Header.Set("Sec-Fetch-Mode", "navigate")
	response, err := newBrowser(t).Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	assert.Equal(t, "0", response.Header.Get("Refresh"))
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	assert.Contains(t, string(body), `href="/journal?path=x"`)
}

func TestWhereItListens(t *testing.T) {
	t.Parallel()
	s, err := sandbox.New()
	require.NoError(t, err)
	defer s.Close()
	for name, test := range map[string]struct {
		options console.Options
		want    string
	}{
		"everywhere":           {console.Options{Addr: "0.0.0.0:0"}, "listens on loopback only"},
		"a name":               {console.Options{Addr: "shop.example.com:0"}, "listens on loopback only"},
		"without a password":   {console.Options{Addr: "0.0.0.0:0", Network: true}, "WXPAY_CONSOLE_PASSWORD must have"},
		"with a short one":     {console.Options{Addr: "127.0.0.1:0", Network: true, Password: "elevenbytes"}, "at least 12 bytes"},
		"without a port":       {console.Options{Addr: "127.0.0.1"}, "a host and a port"},
		"everywhere, unspoken": {console.Options{Addr: ":0"}, "listens on loopback only"},
	} {
		_, err := console.Listen(s, test.options)
		require.ErrorContains(t, err, test.want, name)
		assert.NotContains(t, err.Error(), "elevenbytes")
	}
}

func TestPassword(t *testing.T) {
	t.Parallel()
	s, err := sandbox.New()
	require.NoError(t, err)
	defer s.Close()
	c, err := console.Listen(s, console.Options{Addr: "0.0.0.0:0", Network: true, Password: "correct horse", Facts: catalog.V3()})
	require.NoError(t, err)
	defer c.Close()
	assert.NotContains(t, c.URL, "token")
	d := &desk{browser: newBrowser(t), base: strings.TrimSuffix(c.URL, auth.EnterPath)}
	assert.Contains(t, d.get(t, "/enter"), `type="password"`)
	status, body := d.post(t, "/enter", url.Values{"password": {"wrong horse"}})
	assert.Equal(t, 403, status)
	assert.Contains(t, body, "The password is wrong")
	status, body = d.post(t, "/enter", url.Values{"password": {"correct horse"}})
	assert.Equal(t, 200, status)
	assert.Contains(t, body, "<h1>Journal</h1>")
}

// TestInFlight holds streams and requests open, and counts what is served beside them.
func TestInFlight(t *testing.T) {
	t.Parallel()
	d := open(t)
	var held sync.WaitGroup
	defer held.Wait()
	ctx, end := context.WithCancel(t.Context())
	defer end()
	hold := func(path string, body io.Reader) *http.Request {
		method := http.MethodGet
		if body != nil {
			method = http.MethodPost
		}
		request := must(http.NewRequest(method, d.base+path, body)).WithContext(ctx)
		request.Header.Set("Origin", d.base)
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		return request
	}
	for range auth.Streams {
		response, err := d.browser.Do(hold("/journal/live", nil))
		require.NoError(t, err)
		require.Equal(t, 200, response.StatusCode)
		defer response.Body.Close()
	}
	status, body := d.do(t, hold("/journal/live", nil))
	assert.Equal(t, 503, status)
	assert.Contains(t, body, "try again")
	d.get(t, "/journal") // pages have places of their own

	places := 0
	require.Eventually(t, func() bool {
		if status, _ := d.do(t, hold("/journal", nil)); status == 503 {
			return true
		}
		places++ // or one more than there are: the page may have had the last place when the request before came
		reader, writer := io.Pipe()
		context.AfterFunc(ctx, func() { writer.Close() }) // nothing is written, so the request stays under way
		held.Go(func() {
			if response, err := d.browser.Do(hold("/settings", reader)); err == nil {
				response.Body.Close()
			}
		})
		return false
	}, 30*time.Second, 5*time.Millisecond)
	assert.GreaterOrEqual(t, places, auth.InFlight-auth.Streams)
}

func TestSettings(t *testing.T) {
	t.Parallel()
	d := open(t)
	status, body := d.post(t, "/settings", url.Values{"lang": {"zh"}, "back": {"/journal?path=abc"}})
	assert.Equal(t, 200, status)
	assert.Contains(t, body, "<h1>请求记录</h1>")
	assert.Contains(t, body, `value="abc"`)
	_, body = d.post(t, "/settings", url.Values{"theme": {"dark"}, "back": {"//evil.example"}})
	assert.Contains(t, body, `data-theme="dark"`)
	_, body = d.post(t, "/settings", url.Values{"lang": {"en"}, "back": {"/\\evil.example"}})
	assert.Contains(t, body, "<h1>Journal</h1>")
}

func TestJournalPages(t *testing.T) {
	t.Parallel()
	d := open(t)
	require.NoError(t, d.Rules.Relax(sandbox.Rates))
	client := d.client(t)
	for range 2 {
		_, err := client.Chain("v3/certificates").Get(t.Context())
		require.NoError(t, err)
	}
	for i := range 120 {
		d.visit(t, "GET", fmt.Sprintf("/v3/nothing/%03d", i), "")
	}
	page := d.get(t, "/journal")
	assert.Contains(t, page, "/v3/nothing/119")
	assert.Contains(t, page, "/v3/nothing/070")
	assert.NotContains(t, page, "/v3/nothing/069")
	older := regexp.MustCompile(`data-older href="([^"]+)"`).FindStringSubmatch(page)
	require.NotNil(t, older)
	page = d.get(t, strings.ReplaceAll(older[1], "&amp;", "&"))
	assert.Contains(t, page, "/v3/nothing/069")
	assert.NotContains(t, page, "/v3/nothing/070")
	assert.NotContains(t, page, "data-live=", "an old page does not grow")

	page = d.get(t, "/journal?path=certificates")
	assert.Equal(t, 2, strings.Count(page, "<tr data-row"))
	page = d.get(t, "/journal?status=2")
	assert.Equal(t, 2, strings.Count(page, "<tr data-row"))
	page = d.get(t, "/journal?refused=1&path=nothing%2F00")
	assert.Equal(t, 10, strings.Count(page, "<tr data-row"))
	page = d.get(t, "/journal?merchant=1900000109")
	assert.Equal(t, 2, strings.Count(page, "<tr data-row"))
	page = d.get(t, "/journal?slow=1&path=nothing")
	assert.Contains(t, page, "No request has come")
}

func TestEntryPage(t *testing.T) {
	t.Parallel()
	d := open(t)
	_, err := d.client(t).Chain("v3/pay/transactions/out-trade-no/{out_trade_no}", "ORDER-0001").Query("mchid", "1900000109").Get(t.Context())
	require.Error(t, err)
	operation, ok := catalog.V3().Lookup("GET", "/v3/pay/transactions/out-trade-no/{out_trade_no}")
	require.True(t, ok)
	page := d.get(t, "/journal/1")
	for _, want := range []string{
		operation.Name, "ORDER_NOT_EXIST", "serial_no", "signature verified",
		"wxpay call GET &#39;v3/pay/transactions/out-trade-no/{out_trade_no}&#39;", "--var out_trade_no=ORDER-0001", "-q mchid=1900000109",
		"client.Chain(&#34;v3/pay/transactions/out-trade-no/{out_trade_no}&#34;, &#34;ORDER-0001&#34;)",
	} {
		assert.Contains(t, page, want)
	}
	status, page := d.post(t, "/journal/1/replay", nil)
	assert.Equal(t, 200, status)
	assert.Contains(t, page, "ORDER_NOT_EXIST")
	entries := d.Journal.All()
	require.Len(t, entries, 2)
	assert.True(t, entries[1].Verified, "with a signature of its own")
	assert.NotEqual(t, entries[0].Header.Get("Authorization"), entries[1].Header.Get("Authorization"))
	for _, path := range []string{"/journal/3", "/journal/0", "/journal/-1", "/journal/x"} {
		request := must(http.NewRequest(http.MethodGet, d.base+path, nil))
		status, body := d.do(t, request)
		assert.Equal(t, 404, status, path)
		assert.Contains(t, body, "no such request")
	}
}

// TestClinicPage sends a request whose body was changed after it was signed.
func TestClinicPage(t *testing.T) {
	t.Parallel()
	d := open(t)
	client, err := wxpay.FromLookupEnv(d.LookupEnv, wxpay.WithTransport(spoiler{d.Transport()}), wxpay.WithLogger(slog.New(slog.DiscardHandler)))
	require.NoError(t, err)
	_, err = client.Chain("v3/pay/transactions/native").Post(t.Context(), json.RawMessage(`{"a": 1, "b": "甲乙"}`))
	require.Error(t, err)
	page := d.get(t, "/journal/1")
	assert.Contains(t, page, "data-clinic")
	assert.Contains(t, page, "The client signed")
	assert.Contains(t, page, "<mark> </mark>", "the blank that another encoder left out")
	assert.Contains(t, page, "likely cause")
	d.post(t, "/settings", url.Values{"lang": {"zh"}, "back": {"/journal"}})
	page = d.get(t, "/journal/1")
	assert.Contains(t, page, "可能原因：")
	assert.NotContains(t, page, "likely cause")
	for _, line := range []string{"方法", "目标", "时间戳", "随机串", "请求体"} {
		assert.Contains(t, page, `<th scope="row">`+line+`</th>`)
	}
	assert.Contains(t, d.get(t, "/journal"), "验签不通过")
}

// spoiler encodes a body once more after it was signed, as some HTTP clients do.
type spoiler struct{ http.RoundTripper }

func (s spoiler) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		return nil, errors.New("no body")
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, body); err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.Body, r.ContentLength = io.NopCloser(&compact), int64(compact.Len())
	return s.RoundTripper.RoundTrip(r)
}

// TestLive reads the stream of the journal.
func TestLive(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.visit(t, "GET", "/v3/before", "")
	response, err := d.browser.Do(must(http.NewRequest(http.MethodGet, d.base+"/journal/live?after=1&path=shown", nil)).WithContext(t.Context()))
	require.NoError(t, err)
	defer response.Body.Close()
	assert.Equal(t, "text/event-stream", response.Header.Get("Content-Type"))
	d.visit(t, "GET", "/v3/hidden", "")
	d.visit(t, "GET", "/v3/shown?x=<script>", "")
	var got bytes.Buffer
	buffer := make([]byte, 4096)
	for !strings.Contains(got.String(), "/v3/shown") {
		n, err := response.Body.Read(buffer)
		got.Write(buffer[:n])
		require.NoError(t, err)
	}
	assert.Contains(t, got.String(), "id: 3\n")
	assert.NotContains(t, got.String(), "/v3/before")
	assert.NotContains(t, got.String(), "/v3/hidden")
	assert.NotContains(t, got.String(), "<script>")
}

// BenchmarkFirstPage is the journal's first page with 100,000 entries.
func BenchmarkFirstPage(b *testing.B) {
	d := open(b, sandbox.WithJournal(console.Entries, console.Bytes))
	for i := range console.Entries {
		d.visit(b, "GET", fmt.Sprintf("/v3/nothing/%d", i), "")
	}
	for _, path := range []string{"/journal", "/journal?path=nothing/99", "/journal?merchant=none"} {
		b.Run(path, func(b *testing.B) {
			for b.Loop() {
				d.get(b, path)
			}
		})
	}
}
