//go:build go1.25

package middleware_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/middleware"
)

// dumped returns the dump of one call, which gets a response with this status and body.
func dumped(t *testing.T, call *middleware.Call, address, body string, status int, response string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(middleware.WithCall(context.Background(), call), call.Method, address, nil)
	require.NoError(t, err)
	if body != "" {
		call.SetBody(req, []byte(body), []byte(body))
	}
	req.Header.Set("Authorization", apiv3.RSA().Name()+` mchid="1900000109",serial_no="5157F09E",nonce_str="593BEC0C",timestamp="1735689600",signature="`+strings.Repeat("MARKED", 57)+`"`)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Cookie", "MARKED")
	call.Vouched = true
	verify := middleware.Verify(&middleware.VerifyConfig{Scheme: apiv3.RSA(), Clock: time.Now, MaxResponse: 1 << 20})
	var out bytes.Buffer
	retry := middleware.Retry(&middleware.RetryConfig{Attempts: 1})
	stack := middleware.Dump(&out)(retry(verify(middleware.RoundTripFunc(func(*http.Request) (*http.Response, error) {
		header := http.Header{"Request-Id": {"08C7-1"}}
		return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(response)), ContentLength: int64(len(response))}, nil
	}))))
	_, _ = stack.RoundTrip(req) // a stream whose header has no digest is not accepted
	return out.String()
}

func TestDump(t *testing.T) {
	op, known := catalog.V3().Lookup("POST", "/v3/pay/transactions/jsapi")
	require.True(t, known)
	text := dumped(t, &middleware.Call{Method: "POST", Template: op.Path, Operation: op}, "https://api.mch.weixin.qq.com"+op.Path,
		`{"appid":"wxd678efh567hg6787","mchid":"1900000109","out_trade_no":"ORDER-1","description":"tea for Li","notify_url":"https://example.com/n","amount":{"total":100,"currency":"CNY"},"payer":{"openid":"oMARKED"},"oops":["x",1]}`,
		200, `{"prepay_id":"wx201410272009395522657a690389285100"}`)
	took := text[strings.Index(text, " after ")+7:]
	took = took[:strings.Index(took, ",")]
	assert.Equal(t, `> curl -X POST 'https://api.mch.weixin.qq.com/v3/pay/transactions/jsapi' \
>   -H 'Authorization: WECHATPAY2-SHA256-RSA2048 mchid="1900000109",serial_no="5157F09E",nonce_str="593BEC0C",timestamp="1735689600",signature="MARKEDMA…(342 characters)"' \
>   -H 'Content-Type: application/json' \
>   -H 'Cookie: …(6 characters)' \
>   --data '{
>     "appid": "wxd678efh567hg6787",
>     "mchid": "1900000109",
>     "out_trade_no": "ORDER-1",
>     "description": …(10 characters),
>     "notify_url": …(21 characters),
>     "amount": {
>       "total": 100,
>       "currency": "CNY"
>     },
>     "payer": {
>       "openid": …(7 characters)
>     },
>     "oops": [
>       …(1 characters),
>       …(number)
>     ]
>   }'
< 200 after TOOK, not verified, request id "08C7-1": confirmed
< {
<   "prepay_id": …(36 characters)
< }
`, strings.Replace(text, took, "TOOK", 1))
}

// TestDumpShowsNoSecret fills every field of every operation, of the request and of the response, with marked texts: one
// that is no number of an object, one that looks like one where the name says otherwise, and a telephone number that came as a
// JSON number.
func TestDumpShowsNoSecret(t *testing.T) {
	const phone = 13800138000
	fills := map[string]func(f *fact.Field) any{
		"a text": func(*fact.Field) any { return "MARKED 姓名" },
		"a word": func(f *fact.Field) any {
			for _, word := range []string{"openid", "open_id", "unionid", "name", "phone", "mobile", "email", "address", "key", "token", "password", "card"} {
				if strings.Contains(f.Name, word) || f.Cipher != fact.Plain {
					return "MARKED_" + word
				}
			}
			return "MARKED 姓名"
		},
		"a number": func(f *fact.Field) any {
			if f.Type == fact.Integer || f.Type == fact.Number || f.Type == fact.Integers || f.Type == fact.Numbers {
				return 1
			}
			return phone
		},
	}
	calls, numbers := 0, 0
	for op := range catalog.V3().All() {
		path := op.Path
		for _, f := range op.In.Path {
			path = strings.Replace(path, "{"+f.Name+"}", "MARKED 姓名 "+f.Name, 1)
		}
		address := url.URL{Scheme: "https", Host: "api.mch.weixin.qq.com", Path: path}
		query := url.Values{}
		for _, f := range op.In.Query {
			query.Set(f.Name, "MARKED 姓名")
		}
		address.RawQuery = query.Encode()
		for name, fill := range fills {
			request, response := filled(t, op.In.JSON, fill), filled(t, op.Out, fill)
			rejection := filled(t, op.Out, fill, "code", "message") // which are shown, as in the text of an APIError
			numbers += strings.Count(request+response, fmt.Sprint(phone))
			for _, known := range []*fact.Operation{op, nil} {
				for status, response := range map[int]string{200: response, 400: rejection} {
					text := dumped(t, &middleware.Call{Method: op.Method, Template: op.Path, Operation: known}, address.String(), request, status, response)
					calls++
					if strings.Contains(strings.Replace(text, "MARKEDMA…", "", 1), "MARKED") || strings.Contains(text, fmt.Sprint(phone)) {
						t.Errorf("%s %s, %s: a secret is in the dump:\n%s", op.Method, op.Path, name, text)
					}
				}
			}
		}
	}
	assert.Greater(t, calls, 12_000)
	assert.Greater(t, numbers, 10_000)
}

// filled is an object with these fields, and with one that is not documented.
func filled(t *testing.T, fields []fact.Field, fill func(*fact.Field) any, without ...string) string {
	t.Helper()
	var object func(fields []fact.Field) map[string]any
	object = func(fields []fact.Field) map[string]any {
		o := map[string]any{"undocumented": "MARKED 姓名"}
		for i := range fields {
			f := &fields[i]
			switch {
			case len(f.Fields) > 0 && f.Type == fact.Object:
				o[f.Name] = object(f.Fields)
			case len(f.Fields) > 0:
				o[f.Name] = []any{object(f.Fields), fill(f)}
			default:
				o[f.Name] = fill(f)
			}
		}
		return o
	}
	o := object(fields)
	for _, name := range without {
		delete(o, name)
	}
	text, err := json.Marshal(o)
	require.NoError(t, err)
	return string(text)
}

// TestDumpOfAnUpload shows the signed part of a form, and not the file.
func TestDumpOfAnUpload(t *testing.T) {
	op, known := catalog.V3().Lookup("POST", "/v3/merchant/media/upload")
	require.True(t, known)
	call := &middleware.Call{Method: op.Method, Template: op.Path, Operation: op}
	req, err := http.NewRequestWithContext(middleware.WithCall(context.Background(), call), op.Method, "https://api.mch.weixin.qq.com"+op.Path, nil)
	require.NoError(t, err)
	call.SetStream(req, 1234, []byte(`{"filename":"MARKED.png","sha256":"ab"}`), func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader("MARKED")), nil
	})
	var out bytes.Buffer
	_, err = middleware.Dump(&out)(failing(errors.New("MARKED"))).RoundTrip(req)
	require.Error(t, err)
	assert.Contains(t, out.String(), "--data-binary '(1234 bytes, of which these are signed)'\n>   {\n>     \"filename\": …(10 characters),\n>     \"sha256\": …(2 characters)\n>   }\n< no usable")
	assert.NotContains(t, out.String(), "MARKED")
}

// TestDumpOfAttempts shows each attempt once: the last one is the response.
func TestDumpOfAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		statuses := []int{503, 500, 404}
		next := middleware.RoundTripFunc(func(*http.Request) (*http.Response, error) {
			status := statuses[0]
			statuses = statuses[1:]
			return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(`{"code":"CODE"}`)), ContentLength: 15}, nil
		})
		verify := middleware.Verify(&middleware.VerifyConfig{Scheme: apiv3.RSA(), Clock: time.Now, MaxResponse: 1 << 20})
		retry := middleware.Retry(&middleware.RetryConfig{Attempts: 3})
		_, err := middleware.Dump(&out)(retry(verify(next))).RoundTrip(request(t, &middleware.Call{Method: "GET", Template: "/v3/x/{id}"}))
		require.NoError(t, err)
		text := out.String()
		assert.Equal(t, []int{1, 1, 1}, []int{strings.Count(text, "status 503 CODE"), strings.Count(text, "status 500 CODE"), strings.Count(text, "< 404 after")})
		assert.NotContains(t, text, "status 404")
		assert.True(t, strings.HasPrefix(text, "> curl -X GET 'https://api.mch.weixin.qq.com/v3/x/{id}?openid=…(7 characters)'\n- attempt"), text)
	})
}

// TestDumpOfFieldsWithAReason holds what the catalogue has no example of today.
func TestDumpOfFieldsWithAReason(t *testing.T) {
	op := &fact.Operation{Method: "POST", Path: "/v3/x/{openid}", Out: []fact.Field{
		{Name: "state", Type: fact.String, Enum: []any{"DONE"}, Cipher: fact.RSA}, {Name: "sub_openid", Type: fact.String},
		{Name: "age", Type: fact.Integer, Cipher: fact.RSA}, {Name: "sub_appid", Type: fact.String}, {Name: "at", Type: fact.String, Format: "rfc3339"},
		{Name: "order_no", Type: fact.String}, {Name: "sub_mchid", Type: fact.String},
	}}
	op.Number.Field = "{openid}"
	op.Bind = []fact.Copy{{To: "sub_openid", From: "user.sub_openid"}, {To: "order_no", From: "order_no"}}
	text := dumped(t, &middleware.Call{Method: op.Method, Template: op.Path, Operation: op}, "https://api.mch.weixin.qq.com/v3/x/oMARKED", "", 200,
		`{"state":"DONE","sub_openid":"oMARKED","age":41424344,"sub_appid":"MARKED","at":"2025-13-01","order_no":"MARKED'S","sub_mchid":"19000x"}`)
	assert.NotContains(t, strings.Replace(text, "MARKEDMA…", "", 1), "MARKED")
	assert.Contains(t, text, "/v3/x/{openid}'")
	for _, hidden := range []string{"DONE", "41424344", "2025-13-01", "19000x"} { // the text has a duration, too
		assert.NotContains(t, text, hidden)
	}
}

// TestDumpOfStates sends a text in a field whose constants the documentation does not list, or not all.
func TestDumpOfStates(t *testing.T) {
	op := &fact.Operation{Method: "GET", Path: "/v3/x"}
	for _, name := range []string{"trade_state", "state", "detail_status", "trade_type", "fail_reason", "close_reason", "name", "estate", "reason",
		"order_no"} {
		op.Out = append(op.Out, fact.Field{Name: name, Type: fact.String})
	}
	op.Out = append(op.Out, fact.Field{Name: "status", Type: fact.String, Enum: []any{"DONE"}},
		fact.Field{Name: "id_type", Type: fact.String, Cipher: fact.RSA})
	show := func(name, text string) bool {
		return strings.Contains(dumped(t, &middleware.Call{Method: op.Method, Template: op.Path, Operation: op}, "https://api.mch.weixin.qq.com/v3/x",
			"", 200, fmt.Sprintf("{%q:%q}", name, text)), fmt.Sprintf("%q: %q", name, text))
	}
	for _, name := range []string{"trade_state", "state", "detail_status", "trade_type", "fail_reason", "close_reason", "status"} {
		for _, text := range []string{"SUCCESS", "NOTPAY", "H5", "BLOCK_B2C_USERLIMITAMOUNT_MONTH", "CERTIFICATE_TYPE_2388"} {
			assert.True(t, show(name, text), "%s %s", name, text)
		}
		for _, text := range []string{"oUpF8uMuAJO_M2pxb1Q9zNjWeS6o", "13800138000", "11010119900307123X", "E12345678", "A_6222000000000000", "张三", "Li Ming",
			"LI MING", "a@example.com", "A", strings.Repeat("A", 65)} {
			assert.False(t, show(name, text), "%s %s", name, text)
		}
	}
	for _, name := range []string{"name", "estate", "reason", "order_no", "id_type"} {
		assert.False(t, show(name, "SUCCESS"), name)
	}
}

func TestDumpOfOtherResponses(t *testing.T) {
	op, known := catalog.V3().Lookup("GET", "/v3/pay/transactions/out-trade-no/{out_trade_no}")
	require.True(t, known)
	address := "https://api.mch.weixin.qq.com/v3/pay/transactions/out-trade-no/ORDER-1?mchid=1900000109&other=MARKED"
	call := func() *middleware.Call { return &middleware.Call{Method: "GET", Template: op.Path, Operation: op} }
	for name, tt := range map[string]struct {
		status   int
		response string
		want     string
	}{
		"an API error":      {404, `{"code":"ORDER_NOT_EXIST","message":"订单不存在","detail":{"field":"out_trade_no","value":"MARKED"}}`, "\"code\": \"ORDER_NOT_EXIST\",\n<   \"message\": \"订单不存在\",\n<   \"detail\": {\n<     \"field\": \"out_trade_no\",\n<     \"value\": …(6 characters)\n"},
		"not JSON":          {502, `<html>MARKED</html>`, "< (19 bytes that are not JSON)\n"},
		"nothing":           {204, ``, ": confirmed\n"},
		"documented values": {200, `{"trade_state":"SUCCESS","success_time":"2018-06-08T10:34:56+08:00","payer":{"openid":"MARKED"}}`, "\"trade_state\": \"SUCCESS\",\n<   \"success_time\": \"2018-06-08T10:34:56+08:00\""},
		"undocumented ones": {200, `{"trade_state":"oMARKED","success_time":"MARKED"}`, "\"trade_state\": …(7 characters),\n<   \"success_time\": …(6 characters)"},
	} {
		t.Run(name, func(t *testing.T) {
			text := dumped(t, call(), address, "", tt.status, tt.response)
			assert.Contains(t, text, "/v3/pay/transactions/out-trade-no/ORDER-1?mchid=1900000109&other=…(6 characters)'")
			assert.Contains(t, text, tt.want)
			assert.NotContains(t, strings.Replace(text, "MARKEDMA…", "", 1), "MARKED")
		})
	}
}

func TestDumpOfAFailure(t *testing.T) {
	var out bytes.Buffer
	call := &middleware.Call{Method: "GET", Template: "/v3/certificates"}
	_, err := middleware.Dump(&out)(failing(fmt.Errorf("dial MARKED: %w", context.DeadlineExceeded))).RoundTrip(request(t, call))
	require.Error(t, err)
	assert.Contains(t, out.String(), "< no usable response after 0s (timeout; status 0, request id \"\"): ")
	assert.NotContains(t, out.String(), "MARKED")
	assert.NotContains(t, out.String(), "oSECRET")
}
