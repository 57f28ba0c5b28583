//go:build go1.25

package wxpay_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/apiv3"
)

// A chain is a value: what is derived from a stem never changes the stem or a sibling, also in parallel.
func TestChainIsImmutable(t *testing.T) {
	client := newClient(t)
	stem := client.Chain("v3/pay/{mode}").Var("mode", "stem").Query("q", "stem").Header("X-A", "stem")
	target := func(c wxpay.Chain) string {
		req, err := c.Request(context.Background(), "GET", nil)
		require.NoError(t, err)
		return req.URL.RequestURI() + " " + req.Header.Get("X-A")
	}
	const want = "/v3/pay/stem?q=stem stem"
	require.Equal(t, want, target(stem))

	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			name := string(rune('a' + i))
			branch := stem.Chain(name).Var("mode", name).Query("q", name).Query("r", name).Header("X-A", name).Timeout(time.Second)
			other := stem.At(name).Query("s", i)
			assert.Equal(t, "/v3/pay/"+name+"/"+name+"?q="+name+"&r="+name+" "+name, target(branch))
			assert.Contains(t, target(other), "/v3/pay/stem/"+name+"?q=stem&s=")
			assert.Equal(t, want, target(stem))
		})
	}
	wg.Wait()
	assert.Equal(t, want, target(stem))

	broken := stem.Query("", 1)
	require.Error(t, broken.Err())
	require.NoError(t, stem.Err())
	assert.Equal(t, "/v3/pay/{mode}", stem.String())
}

func TestBody(t *testing.T) {
	type order struct {
		Number string `json:"out_trade_no"`
		Note   string `json:"note,omitempty"`
	}
	client := newClient(t)
	tests := []struct {
		name string
		body any
		want string
	}{
		{"none", nil, ""},
		{"a struct", order{Number: "A"}, `{"out_trade_no":"A"}`},
		{"a pointer", &order{Number: "A"}, `{"out_trade_no":"A"}`},
		{"no HTML escaping in a struct", order{Note: "<a>&b"}, `{"out_trade_no":"","note":"<a>&b"}`},
		{"no HTML escaping in a map", wxpay.JSON{"note": "<a>&b"}, `{"note":"<a>&b"}`},
		{"members sorted", wxpay.JSON{"b": 1, "a": "x", "c": true, "d": nil, "e": int64(9)}, `{"a":"x","b":1,"c":true,"d":null,"e":9}`},
		{"nested", wxpay.JSON{"amount": wxpay.JSON{"total": 1}, "goods": []wxpay.JSON{{"id": "1"}}, "any": []any{1, "2", nil},
			"m": map[string]any{}, "s": []string{"x"}}, `{"amount":{"total":1},"any":[1,"2",null],"goods":[{"id":"1"}],"m":{},"s":["x"]}`},
		{"mixed with structs", wxpay.JSON{"o": order{Note: "<"}, "f": 1.5}, `{"f":1.5,"o":{"out_trade_no":"","note":"<"}}`},
		{"empty object", wxpay.JSON{}, `{}`},
		{"raw message", json.RawMessage(" {\"b\": 1,\n\"a\": 2}\n"), " {\"b\": 1,\n\"a\": 2}\n"},
		{"bytes", []byte(`{"x":1}`), `{"x":1}`},
		{"string", `{"x":1}`, `{"x":1}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req, err := client.Chain("v3/x").Request(context.Background(), "POST", tt.body)
			require.NoError(t, err)
			requireSigned(t, req, "/v3/x", tt.want)
			if tt.want == "" {
				assert.Nil(t, req.Body)
				assert.Empty(t, req.Header.Get("Content-Type"))
				return
			}
			sent, err := io.ReadAll(req.Body)
			require.NoError(t, err)
			assert.Equal(t, tt.want, string(sent))
			assert.Equal(t, int64(len(tt.want)), req.ContentLength)
			assert.Equal(t, "application/json", req.Header.Get("Content-Type"))
		})
	}
}

func TestBodyMistakes(t *testing.T) {
	type cycle struct{ Next *cycle }
	loop := &cycle{}
	loop.Next = loop
	self := wxpay.JSON{}
	self["self"] = self
	client := newClient(t, wxpay.WithTransport(answer{trip: func(*http.Request) { t.Error("something was sent") }}))
	tests := []struct {
		name, method string
		body         any
		says         string
	}{
		{"nil map", "POST", wxpay.JSON(nil), "the body is null"},
		{"nil pointer", "POST", (*cycle)(nil), "the body is null"},
		{"null text", "POST", " null\n", "the body is null"},
		{"nil bytes", "POST", []byte(nil), "the body is empty"},
		{"empty string", "POST", "", "the body is empty"},
		{"blank string", "POST", " \n", "the body is empty"},
		{"a channel", "POST", make(chan int), "cannot be marshalled"},
		{"a channel inside", "POST", wxpay.JSON{"a": wxpay.JSON{"b": make(chan int)}}, "field /a/b: json: unsupported type"},
		{"a struct that contains itself", "POST", loop, "cannot be marshalled"},
		{"a map that contains itself", "POST", self, "cannot be marshalled to JSON: field /"},
		{"a reader", "POST", strings.NewReader("{}"), "the body is a reader"},
		{"GET with a body", "GET", wxpay.JSON{}, "a GET has no body: use Query"},
		{"an unknown method", "HEAD", nil, `the method "HEAD" is not one of GET, POST, PUT, PATCH, DELETE`},
		{"a method in lower case", "post", nil, `the method "post" is not one of`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := client.Chain("v3/x").Do(context.Background(), tt.method, tt.body)
			require.ErrorContains(t, err, tt.says)
			assert.ErrorIs(t, err, wxpay.StageBuild)
			assert.Equal(t, wxpay.NotSent, wxpay.OutcomeOf(err))
			var field *wxpay.FieldError
			assert.Equal(t, strings.Contains(tt.says, "field /"), errors.As(err, &field), "a fault at one place names it")
		})
	}
}

// FuzzBody: bodies made in place are written as encoding/json writes them, less the HTML escaping, if they are UTF-8.
func FuzzBody(f *testing.F) {
	for _, seed := range []string{"", "a", `"\/`, "\x00\x1f\b\f\n\r\t\x7f", "张三", "\u2028\u2029", "\xff\xc3", "<&>", "😀"} {
		f.Add(seed, int64(7))
	}
	client := newClient(f)
	f.Fuzz(func(t *testing.T, text string, number int64) {
		body := wxpay.JSON{text: text, "n": number, "a": []any{text, []string{text}, map[string]any{text: nil}}, "o": wxpay.JSON{"b": true}}
		var want strings.Builder
		encoder := json.NewEncoder(&want)
		encoder.SetEscapeHTML(false)
		require.NoError(t, encoder.Encode(map[string]any(body)))
		req, err := client.Chain("v3/x").Request(context.Background(), "POST", body)
		if !utf8.ValidString(text) {
			require.ErrorContains(t, err, "it is not UTF-8")
			return
		}
		require.NoError(t, err)
		sent, err := io.ReadAll(req.Body)
		require.NoError(t, err)
		require.Equal(t, strings.TrimSuffix(want.String(), "\n"), string(sent))
	})
}

func TestHeaders(t *testing.T) {
	client := newClient(t, wxpay.WithUserAgent("shop/1.2"), wxpay.WithLanguage("en"))
	req, err := client.Chain("v3/x").Header("X-Trace", "1").Header("x-trace", "2").Header("accept", "*/*").
		Request(context.Background(), "POST", wxpay.JSON{})
	require.NoError(t, err)
	assert.Equal(t, []string{"2"}, req.Header["X-Trace"])
	assert.Equal(t, []string{"*/*"}, req.Header["Accept"])
	assert.Equal(t, []string{"en"}, req.Header["Accept-Language"])
	assert.Equal(t, []string{testKeyID}, req.Header[apiv3.HeaderSerial])
	assert.True(t, strings.HasPrefix(req.Header.Get("User-Agent"), "shop/1.2 wxpay-go/"))

	// The header's values share memory inside the request; appending to one must not reach its neighbour.
	req.Header.Add("Accept", "more")
	assert.Equal(t, []string{"application/json"}, req.Header["Content-Type"])
}

func TestRequestIsNotSent(t *testing.T) {
	client := newClient(t, wxpay.WithTransport(answer{trip: func(*http.Request) { t.Error("something was sent") }}))
	req, err := client.Chain("v3/x").Request(context.Background(), "DELETE", nil)
	require.NoError(t, err)
	requireSigned(t, req, "/v3/x", "")
	assert.Equal(t, "api.mch.weixin.qq.com", req.Host)
	assert.NoError(t, req.Context().Err())

	// It can be sent by anybody, and replayed.
	body := wxpay.JSON{"a": 1}
	req, err = client.Chain("v3/x").Request(context.Background(), "POST", body)
	require.NoError(t, err)
	again, err := req.GetBody()
	require.NoError(t, err)
	text, err := io.ReadAll(again)
	require.NoError(t, err)
	assert.Equal(t, `{"a":1}`, string(text))
}

func TestVerbs(t *testing.T) {
	var got *http.Request
	client := newClient(t, wxpay.WithTransport(answer{status: 204, trip: func(req *http.Request) { got = req }}))
	chain, ctx := client.Chain("v3/x"), context.Background()
	wait := func(f *wxpay.Future) (*wxpay.Response, error) { return f.Wait(ctx) }
	for name, call := range map[string]func() (*wxpay.Response, error){
		"GET":          func() (*wxpay.Response, error) { return chain.Get(ctx) },
		"DELETE":       func() (*wxpay.Response, error) { return chain.Delete(ctx) },
		"POST":         func() (*wxpay.Response, error) { return chain.Post(ctx, wxpay.JSON{}) },
		"PUT":          func() (*wxpay.Response, error) { return chain.Put(ctx, wxpay.JSON{}) },
		"PATCH":        func() (*wxpay.Response, error) { return chain.Patch(ctx, wxpay.JSON{}) },
		"DELETE body":  func() (*wxpay.Response, error) { return chain.Do(ctx, "DELETE", wxpay.JSON{}) },
		"GET async":    func() (*wxpay.Response, error) { return wait(chain.GetAsync(ctx)) },
		"DELETE async": func() (*wxpay.Response, error) { return wait(chain.DeleteAsync(ctx)) },
		"POST async":   func() (*wxpay.Response, error) { return wait(chain.PostAsync(ctx, wxpay.JSON{})) },
		"PUT async":    func() (*wxpay.Response, error) { return wait(chain.PutAsync(ctx, wxpay.JSON{})) },
		"PATCH async":  func() (*wxpay.Response, error) { return wait(chain.PatchAsync(ctx, wxpay.JSON{})) },
	} {
		res, err := call()
		require.NoError(t, err, name)
		assert.Equal(t, 204, res.Status)
		assert.True(t, res.Verified)
		method, _, _ := strings.Cut(name, " ")
		assert.Equal(t, method, got.Method)
	}
}

// tagged, worded and selfmade are values that encoding/json writes in one way or another.
type (
	tagged struct {
		Attach string `json:"attach,omitempty"`
		Hidden string `json:"-"`
		hidden string
		embedded
		Next *tagged `json:"next"`
	}
	embedded struct {
		Amount map[string]string `json:"amount"`
		List   []any
	}
	worded   struct{ text string }
	label    string
	selfmade struct{ text string }
)

func (w worded) MarshalText() ([]byte, error)   { return []byte(w.text), nil }
func (s selfmade) MarshalJSON() ([]byte, error) { return json.Marshal(s.text) }

// Text that is not UTF-8 is never sent, and never changed in silence: the error names its place.
func TestTextThatIsNotUTF8(t *testing.T) {
	const half = "a\xe5\xbc"
	client := newClient(t, wxpay.WithTransport(answer{trip: func(*http.Request) { t.Error("something was sent") }}))
	for name, tt := range map[string]struct {
		body any
		says string
	}{
		"a map":                   {wxpay.JSON{"attach": half}, "field /attach: "},
		"a name":                  {wxpay.JSON{"o": wxpay.JSON{half: 1}}, `field "/o/a\xe5\xbc": `},
		"an array":                {wxpay.JSON{"a": []any{1, []string{"x", half}}}, "field /a/1/1: "},
		"a surrogate":             {wxpay.JSON{"a": "\xed\xa0\x80"}, "field /a: "},
		"sealed":                  {wxpay.JSON{"user_name": wxpay.Secret(half)}, "field /user_name: "},
		"sealed in a struct":      {struct{ Name wxpay.Secret }{half}, "field /Name: "},
		"a struct":                {tagged{Attach: half}, "field /attach: "},
		"a struct in a map":       {wxpay.JSON{"o": []any{&tagged{Attach: half}}}, "field /o/0/attach: "},
		"deep in a struct":        {&tagged{Next: &tagged{embedded: embedded{Amount: map[string]string{"total": half}}}}, "field /next/amount/total: "},
		"the key of a map":        {tagged{embedded: embedded{Amount: map[string]string{half: ""}}}, `field "/amount/a\xe5\xbc": `},
		"a list of any":           {tagged{embedded: embedded{List: []any{map[string]any{"x": half}}}}, "field /List/0/x: "},
		"a map of strings":        {map[string]string{"attach": half}, "field /attach: "},
		"a text of its own":       {wxpay.JSON{"w": worded{half}}, "field /w: "},
		"what writes itself":      {wxpay.JSON{"s": struct{ S *selfmade }{&selfmade{half}}}, "field /s/S/text: "},
		"raw JSON inside":         {wxpay.JSON{"r": json.RawMessage(`{"x":["` + half + `"]}`)}, "field /r/x/0: "},
		"raw JSON":                {json.RawMessage(`{"x":["` + half + `"]}`), "field /x/0: "},
		"bytes":                   {[]byte(`{"` + half + `":1}`), `field "/a\xe5\xbc": `},
		"a text":                  {`{"x":"` + half + `"}`, "field /x: "},
		"a text that is not JSON": {half, "the body: "},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := client.Chain("v3/x").Post(context.Background(), tt.body)
			require.ErrorContains(t, err, "not sent: "+tt.says+"it is not UTF-8")
			assert.Equal(t, wxpay.NotSent, wxpay.OutcomeOf(err))
			assert.ErrorIs(t, err, wxpay.StageBuild)
			var member *wxpay.FieldError
			assert.ErrorAs(t, err, &member)
		})
	}
	for name, chain := range map[string]wxpay.Chain{
		`query field "q": `:         client.Chain("v3/x").Query("q", half),
		`query field "n": `:         client.Chain("v3/x").Query("n", []string{"x", half}),
		`query field "a\xe5\xbc": `: client.Chain("v3/x").Query(half, "x"),
		"field /q: ":                client.Chain("v3/x").Query("q", wxpay.Secret(half)),
		"the value of {v}: ":        client.Chain("v3/{v}").Var("v", half),
		"the value of {w}: ":        client.Chain("v3/{v}/{w}", "x", half),
		"the value of {named}: ":    client.Chain("v3/{named}").Var("named", label(half)),
		`query field "from_struct": `: client.Chain("v3/x").Queries(struct {
			X string `url:"from_struct"`
		}{half}),
	} {
		_, err := chain.Get(context.Background())
		assert.ErrorContains(t, err, "not sent: "+name+"it is not UTF-8")
	}
	_, _, err := client.Encrypt(context.Background(), half)
	require.ErrorContains(t, err, "it is not UTF-8")
}

// The character that stands for others is a character, and what only looks like it is no mistake.
func TestTextThatIsUTF8(t *testing.T) {
	client := newClient(t)
	for _, body := range []any{
		wxpay.JSON{"a": "\ufffd"}, tagged{Attach: "\ufffd"}, tagged{Attach: `\ufffd`}, json.RawMessage(`{"a":"\ufffd"}`),
		tagged{Hidden: "\xff", hidden: "\xff", Attach: `\ufffd`},
		wxpay.JSON{"raw": json.RawMessage(`{"a":"\ufffd"}`), "time": time.Unix(1, 0)},
		struct{ A []byte }{[]byte("\xff\xfe")},
	} {
		want, err := json.Marshal(body)
		require.NoError(t, err)
		req, err := client.Chain("v3/x").Request(context.Background(), "POST", body)
		require.NoError(t, err)
		assert.JSONEq(t, string(want), bodyText(t, req))
	}
}
