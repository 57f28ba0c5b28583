package manual_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/answer"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/language"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/manual"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/page"
)

func get(t *testing.T, handler http.Handler, target string) (status int, body string) {
	t.Helper()
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, target, nil))
	return w.Code, w.Body.String()
}

// The pages of a browser: the list, a search, an operation at its address, and nothing elsewhere.
func TestHandler(t *testing.T) {
	facts := catalog.V3().Described()
	handler := manual.Handler(page.New(facts.All(), facts.Events(), language.Chinese), facts, nil)
	for name, test := range map[string]struct {
		target string
		status int
		has    []string
	}{
		"list":              {"/", 200, []string{"接口目录", `href="/v3/pay/transactions/native.post"`}},
		"search":            {"/?q=%E4%BC%81%E4%B8%9A%E4%BB%98%E6%AC%BE", 200, []string{`value="企业付款"`, "transfer-bills"}},
		"search in vain":    {"/?q=qwertzuiop", 200, []string{"没有结果"}},
		"operation":         {"/v3/pay/transactions/native.post", 200, []string{"Native下单", "client.Chain(&#34;v3/pay/transactions/native&#34;)", "请求体"}},
		"with a suffix":     {"/v3/pay/transactions/native.post.html", 200, []string{"Native下单"}},
		"with a value":      {"/v3/pay/transactions/id/_transaction_id_.get", 200, []string{"微信支付订单号查询"}},
		"notification":      {"/notifications/REFUND.SUCCESS", 200, []string{"退款成功", "通知内容", "handler.", "wxpay webhook trigger REFUND.SUCCESS"}},
		"found among them":  {"/?q=refund.success", 200, []string{`href="/notifications/REFUND.SUCCESS"`}},
		"types":             {"/v3/pay/transactions/native.post", 200, []string{"wxpay.Into[NativeResponse](client.Chain("}},
		"nothing":           {"/v3/pay/transactions/native.get", 404, nil},
		"markup in a query": {"/?q=%3Cscript%3E", 200, []string{`value="&lt;script&gt;"`}},
	} {
		t.Run(name, func(t *testing.T) {
			status, body := get(t, handler, test.target)
			assert.Equal(t, test.status, status)
			for _, text := range test.has {
				assert.Contains(t, body, text)
			}
			assert.NotContains(t, body, "<script")
		})
	}
	count := 0
	for operation := range facts.All() {
		status, body := get(t, handler, page.Address(operation))
		require.Equal(t, 200, status, operation.Path)
		assert.Contains(t, body, "</html>", operation.Path)
		count++
	}
	assert.Greater(t, count, 1000)
	count = 0
	for event := range facts.Events() {
		status, body := get(t, handler, page.EventAddress(event))
		require.Equal(t, 200, status, event.Type)
		assert.Contains(t, body, "wxpay webhook trigger "+event.Type, event.Type)
		count++
	}
	assert.Greater(t, count, 100)
}

// With a sandbox, a page has what it really responds, also if readers come at once.
func TestHandlerAsksTheSandbox(t *testing.T) {
	facts := catalog.V3().Described()
	sandbox, err := answer.New(slices.Collect(facts.All()))
	require.NoError(t, err)
	defer sandbox.Close()
	handler := manual.Handler(page.New(facts.All(), facts.Events(), language.English), facts, sandbox)
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			_, body := get(t, handler, "/v3/pay/transactions/native.post")
			assert.Contains(t, body, "Response of the sandbox")
			assert.Contains(t, body, "weixin://")
			_, body = get(t, handler, "/notifications/TRANSACTION.SUCCESS")
			assert.Contains(t, body, "Sample of the resource")
			assert.Contains(t, body, "out_trade_no")
		})
	}
	readers.Wait()
}

// A built site: pages with and without their suffix, and files.
func TestStatic(t *testing.T) {
	handler := manual.Static(fstest.MapFS{
		"index.html": {Data: []byte("home")}, "v3/a.post.html": {Data: []byte("page")}, "site.js": {Data: []byte("script")},
	})
	for target, want := range map[string]string{"/": "home", "/v3/a.post": "page", "/v3/a.post.html": "page", "/site.js": "script"} {
		status, body := get(t, handler, target)
		assert.Equal(t, 200, status, target)
		assert.Equal(t, want, body, target)
	}
	for _, target := range []string{"/v3/b", "/../../etc/passwd", "/v3/a"} {
		status, _ := get(t, handler, target)
		assert.NotEqual(t, 200, status, target)
	}
}
