package middleware_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
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
>   --data {
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
>   }
< 200 after TOOK, not verified, request id "08C7-1": confirmed
< {
<   "prepay_id": …(36 characters)
< }
`, strings.Replace(text, took, "TOOK", 1))
}

// TestDumpShowsNoSecret fills every field of every operation, of the request and of the response, with a marked text,
// and the fields with constants, too.
func TestDumpShowsNoSecret(t *testing.T) {
	n := 0
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
		for _, known := range []*fact.Operation{op, nil} {
			for _, status := range []int{200, 400} {
				text := dumped(t, &middleware.Call{Method: op.Method, Template: op.Path, Operation: known}, address.String(),
					marked(t, op.In.JSON), status, marked(t, op.Out))
				n++
				if strings.Contains(strings.Replace(text, "MARKEDMA…", "", 1), "MARKED") {
					t.Errorf("%s %s: a secret is in the dump:\n%s", op.Method, op.Path, text)
				}
			}
		}
	}
	assert.Greater(t, n, 4000)
}

// marked is an object with these fields.
func marked(t *testing.T, fields []fact.Field) string {
	t.Helper()
	var fill func(fields []fact.Field) map[string]any
	fill = func(fields []fact.Field) map[string]any {
		object := map[string]any{"undocumented": "MARKED 姓名"}
		for _, f := range fields {
			switch {
			case len(f.Fields) > 0 && f.Type == fact.Object:
				object[f.Name] = fill(f.Fields)
			case len(f.Fields) > 0:
				object[f.Name] = []any{fill(f.Fields), "MARKED 姓名"}
			default:
				object[f.Name] = "MARKED 姓名"
			}
			for _, word := range []string{"openid", "open_id", "unionid", "name", "phone", "mobile", "email", "address", "key", "token", "password", "card"} {
				if strings.Contains(f.Name, word) && len(f.Fields) == 0 && f.Cipher == fact.Plain {
					object[f.Name] = "MARKED_" + word // looks like a number
				}
			}
		}
		return object
	}
	object := fill(fields)
	delete(object, "code") // these two of an API error are shown, as in its text
	delete(object, "message")
	text, err := json.Marshal(object)
	require.NoError(t, err)
	return string(text)
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
		"undocumented ones": {200, `{"trade_state":"MARKED","success_time":"MARKED"}`, "\"trade_state\": …(6 characters),\n<   \"success_time\": …(6 characters)"},
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
