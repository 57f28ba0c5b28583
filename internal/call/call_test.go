package call_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/autofill"
	"github.com/wxpay-go/wxpay/internal/call"
	"github.com/wxpay-go/wxpay/internal/calltest"
	"github.com/wxpay-go/wxpay/internal/jsonwalk"
	"github.com/wxpay-go/wxpay/internal/target"
	"github.com/wxpay-go/wxpay/middleware"
)

// Operations of the tests.
var (
	create = operation(http.MethodPost, "/v3/things", fact.Conduct{
		MovesMoney: true, Number: fact.MerchantNumber{Field: "no"},
		Bind: []fact.Copy{{To: "no", From: "no"}, {To: "amount.total", From: "amount.total"}},
	})
	list = operation(http.MethodGet, "/v3/shops/{shop}/things", fact.Conduct{
		Number: fact.MerchantNumber{Field: "{shop}"},
		Bind:   []fact.Copy{{To: "no", From: "?no"}, {To: "shop", From: "{shop}"}},
	})
)

func operation(method, path string, conduct fact.Conduct) fact.Operation {
	return fact.Operation{
		Method: method, Path: path, Response: fact.JSONResponse, Success: http.StatusOK, Conduct: conduct,
		In: fact.Request{
			Query: []fact.Field{{Name: "day", Type: fact.String, Format: "date"}},
			JSON:  []fact.Field{{Name: "no", Type: fact.String}, {Name: "mchid", Type: fact.String, Required: true}},
		},
		Out: []fact.Field{{Name: "no", Type: fact.String}, {Name: "amount"}, {Name: "shop", Type: fact.String}},
	}
}

func newLine(t testing.TB, gateway http.RoundTripper) *call.Line {
	return calltest.NewLine(t, gateway, calltest.NewFacts(create, list))
}

// A spec and a body become a request, or an error that says that nothing was sent.
func TestPrepare(t *testing.T) {
	for name, tt := range map[string]struct {
		spec     call.Spec
		method   string
		body     any
		address  string // path and query
		sent     string
		template string
	}{
		"a path alone": {call.Spec{Path: "/v3/x"}, "GET", nil, "/v3/x", "", "/v3/x"},
		"a value":      {call.Spec{Path: "/v3/x"}, "PUT", map[string]any{"a": 1}, "/v3/x", `{"a":1}`, "/v3/x"},
		"bytes":        {call.Spec{Path: "/v3/x"}, "PATCH", []byte(` {"a": 1} `), "/v3/x", ` {"a": 1} `, "/v3/x"},
		"a text":       {call.Spec{Path: "/v3/x"}, "DELETE", `[]`, "/v3/x", `[]`, "/v3/x"},
		"a placeholder": {call.Spec{Path: "/v3/shops/{shop}/things", Variables: vars("shop", "a/b 订")}, "GET", nil,
			"/v3/shops/a%2Fb%20%E8%AE%A2/things", "", list.Path},
		"the first counts": {call.Spec{Path: "/v3/{x}", Variables: append(vars("x", "new"), vars("x", "old")...)}, "GET", nil, "/v3/new", "", "/v3/{x}"},
		"a query":          {call.Spec{Path: "/v3/x", Query: []target.Param{param("b", "2"), param("a", "1 &")}}, "GET", nil, "/v3/x?a=1%20%26&b=2", "", "/v3/x"},
		"a documented time": {call.Spec{Path: "/v3/shops/{shop}/things", Variables: vars("shop", "1"), Query: []target.Param{moment("day")}},
			"GET", nil, "/v3/shops/1/things?day=2026-11-29", "", list.Path},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := newLine(t, calltest.Play()).Prepare(t.Context(), &tt.spec, tt.method, tt.body)
			require.NoError(t, err)
			assert.Equal(t, tt.address, c.URL.RequestURI())
			assert.Equal(t, "https://api.mch.weixin.qq.com", c.URL.Scheme+"://"+c.URL.Host)
			assert.Equal(t, tt.sent, string(c.Body))
			assert.Equal(t, tt.template, c.Template)
		})
	}
}

func vars(name, value string) []target.Variable { return []target.Variable{{Name: name, Value: value}} }

func param(name, value string) target.Param { return target.Param{Name: name, Values: []string{value}} }

func moment(name string) target.Param {
	return target.Param{Name: name, Values: []string{"2026-11-29T23:59:59+08:00"}, Time: true}
}

func TestPrepareMistakes(t *testing.T) {
	mistake := errors.New("made on the way")
	loop := map[string]any{}
	loop["self"] = loop
	for name, tt := range map[string]struct {
		spec   call.Spec
		method string
		body   any
		says   string
	}{
		"an earlier mistake":      {call.Spec{Path: "/v3/x", Mistake: mistake}, "BREW", nil, "made on the way"},
		"another method":          {call.Spec{Path: "/v3/x"}, "BREW", nil, `the method "BREW" is not one of`},
		"a body that is no use":   {call.Spec{Path: "/v3/x"}, "GET", `{}`, "a GET has no body"},
		"a reader":                {call.Spec{Path: "/v3/x"}, "POST", strings.NewReader("{}"), "the body is a reader"},
		"nothing in the body":     {call.Spec{Path: "/v3/x"}, "POST", " ", "the body is empty"},
		"null":                    {call.Spec{Path: "/v3/x"}, "POST", "null", "the body is null"},
		"what is no JSON":         {call.Spec{Path: "/v3/x"}, "POST", func() {}, "cannot be marshalled"},
		"what has no end":         {call.Spec{Path: "/v3/x"}, "POST", loop, "cannot be marshalled"},
		"what is not UTF-8":       {call.Spec{Path: "/v3/x"}, "POST", "{\"a\":\"\xff\"}", "not UTF-8"},
		"a placeholder too many":  {call.Spec{Path: "/v3/{x}"}, "GET", nil, "{x}"},
		"a value too many":        {call.Spec{Path: "/v3/x", Variables: vars("y", "1")}, "GET", nil, "{y}"},
		"a time nobody documents": {call.Spec{Path: "/v3/x", Query: []target.Param{moment("day")}}, "GET", nil, "the catalogue does not know the form"},
	} {
		for _, before := range []bool{false, true} {
			gateway := calltest.Play(calltest.OK("{}"))
			tt.spec.SentBefore = before
			_, err := newLine(t, gateway).Prepare(t.Context(), &tt.spec, tt.method, tt.body)
			var failure *calltest.Failure
			require.ErrorAs(t, err, &failure, name)
			assert.ErrorContains(t, err, tt.says, name)
			assert.NotContains(t, err.Error(), "\n", name)
			assert.Equal(t, call.StageBuild, failure.Stage, name)
			want := middleware.NotSent
			if before {
				want = middleware.Unknown
			}
			assert.Equal(t, want, failure.Outcome, "%s: an earlier process may have sent it: %v", name, before)
			assert.Empty(t, gateway.Seen(), name)
		}
	}
	_, err := newLine(t, calltest.Play()).Prepare(t.Context(), &call.Spec{Path: "/v3/x"}, "POST", "{\"a\":\"\xff\"}")
	require.ErrorIs(t, err, jsonwalk.ErrNotUTF8)
	var field *jsonwalk.FieldError
	require.ErrorAs(t, err, &field)
	assert.Equal(t, "/a", field.Pointer)
}

// The numbers of the caller are filled in where the operation wants them, and never in a text that travels as it is.
func TestFill(t *testing.T) {
	line := newLine(t, calltest.Play())
	line.Fill = autofill.Caller{MchID: "1900000109"}
	for name, tt := range map[string]struct {
		path string
		body any
		want string
	}{
		"missing":              {"/v3/things", map[string]any{"no": "1"}, `{"no":"1","mchid":"1900000109"}`},
		"given":                {"/v3/things", map[string]any{"mchid": "2"}, `{"mchid":"2"}`},
		"verbatim":             {"/v3/things", `{"no":"1"}`, `{"no":"1"}`},
		"an unknown operation": {"/v3/others", map[string]any{"no": "1"}, `{"no":"1"}`},
	} {
		c, err := line.Prepare(t.Context(), &call.Spec{Path: tt.path}, "POST", tt.body)
		require.NoError(t, err, name)
		assert.JSONEq(t, tt.want, string(c.Body), name)
	}
}

// Limits are those of the line until the call has its own.
func TestLimits(t *testing.T) {
	line := newLine(t, calltest.Play())
	for name, tt := range map[string]struct {
		spec           call.Spec
		total, attempt time.Duration
		bounded        bool
	}{
		"the line's":      {call.Spec{}, 30 * time.Second, 10 * time.Second, false},
		"of the call":     {call.Spec{Total: time.Minute}, time.Minute, 10 * time.Second, true},
		"of its attempts": {call.Spec{Attempt: time.Second}, 30 * time.Second, time.Second, false},
	} {
		tt.spec.Path = "/v3/x"
		c, err := line.Prepare(t.Context(), &tt.spec, "GET", nil)
		require.NoError(t, err, name)
		assert.Equal(t, tt.total, c.Limits.Total, name)
		assert.Equal(t, tt.attempt, c.Limits.Attempt, name)
		assert.Equal(t, tt.bounded, c.Bounded, name)
		assert.ErrorContains(t, c.Limits.TotalErr, tt.total.String(), name)
	}
}

// Headers of the caller replace those of the line, and the newest of a name counts.
func TestRequest(t *testing.T) {
	line := newLine(t, calltest.Play())
	c, err := line.Prepare(t.Context(), &call.Spec{Path: "/v3/x", Header: []call.Header{{"Accept", "a/new"}, {"X-Trace", "1"}, {"Accept", "a/old"}}}, "POST", "{}")
	require.NoError(t, err)
	req, err := c.Signed(t.Context())
	require.NoError(t, err)
	want := map[string]string{
		"Accept": "a/new", "X-Trace": "1", "User-Agent": "test", "Content-Type": "application/json", apiv3.HeaderSerial: line.Keys.Serial(),
	}
	for name, value := range want {
		assert.Equal(t, []string{value}, req.Header[name], name)
	}
	assert.Len(t, req.Header, len(want)+1, "and the signature")
	assert.True(t, strings.HasPrefix(req.Header.Get("Authorization"), "WECHATPAY2-SHA256-RSA2048 mchid="))
	assert.Same(t, &c.Call, middleware.CallFrom(req.Context()))
}

// The number that the log may show is read where the facts say.
func TestOwn(t *testing.T) {
	line := newLine(t, calltest.Play())
	line.LogNumbers = true
	for name, tt := range map[string]struct {
		spec   call.Spec
		method string
		body   any
		want   string
	}{
		"in the body":    {call.Spec{Path: "/v3/things"}, "POST", `{"no":"N1"}`, "N1"},
		"as a number":    {call.Spec{Path: "/v3/things"}, "POST", `{"no":12}`, "12"},
		"in the path":    {call.Spec{Path: list.Path, Variables: vars("shop", "a/b")}, "GET", nil, "a/b"},
		"nowhere":        {call.Spec{Path: "/v3/things"}, "POST", `{}`, ""},
		"nobody says it": {call.Spec{Path: "/v3/x"}, "POST", `{"no":"N1"}`, ""},
	} {
		c, err := line.Prepare(t.Context(), &tt.spec, tt.method, tt.body)
		require.NoError(t, err, name)
		assert.Equal(t, tt.want, c.Number(), name)
	}
}

// What a response shows of its call binds it, says nothing, or speaks against it.
func TestBindings(t *testing.T) {
	post := func(body string) func(*call.Line) (*call.Call, error) {
		return func(l *call.Line) (*call.Call, error) {
			return l.Prepare(t.Context(), &call.Spec{Path: "/v3/things"}, "POST", body)
		}
	}
	get := func(l *call.Line) (*call.Call, error) {
		return l.Prepare(t.Context(), &call.Spec{Path: list.Path, Variables: vars("shop", "a|b"), Query: []target.Param{param("no", "N 1")}}, "GET", nil)
	}
	unbind := func(l *call.Line) (*call.Call, error) {
		return l.Prepare(t.Context(), &call.Spec{Path: "/v3/things", Unbind: true}, "POST", `{"no":"N1"}`)
	}
	other := func(l *call.Line) (*call.Call, error) {
		return l.Prepare(t.Context(), &call.Spec{Path: "/v3/x"}, "POST", `{"no":"N1"}`)
	}
	full := post(`{"no":"N1","amount":{"total":5}}`)
	for name, tt := range map[string]struct {
		make    func(*call.Line) (*call.Call, error)
		body    string
		binding call.Binding
		says    string // why it is no success of this call
	}{
		"the number":               {full, `{"no":"N1"}`, call.Bound, ""},
		"escaped":                  {full, `{"no":"\u004e1"}`, call.Bound, ""},
		"another number":           {full, `{"no":"N2"}`, 0, "another no"},
		"deeper":                   {full, `{"no":"N1","amount":{"total":5.0}}`, call.Bound, ""},
		"another amount":           {full, `{"no":"N1","amount":{"total":6}}`, 0, "another amount.total"},
		"the second alone":         {full, `{"amount":{"total":5}}`, call.Unbound, ""},
		"an empty text":            {full, `{"no":"","amount":{}}`, call.Unbound, ""},
		"nothing sent to compare":  {post(`{}`), `{"no":"N1"}`, call.Unbound, ""},
		"none of its fields":       {full, `{"data":[]}`, 0, "none of the documented"},
		"no JSON object":           {full, `[]`, 0, "none of the documented"},
		"a rejection":              {full, `{"code":"X","message":"m"}`, 0, "API error under a status of success"},
		"a code beside its fields": {full, `{"code":"X","message":"m","no":"N1"}`, call.Bound, ""},
		"query and placeholder":    {get, `{"no":"N 1","shop":"a|b"}`, call.Bound, ""},
		"another placeholder":      {get, `{"no":"N 1","shop":"a%7Cb"}`, 0, "another shop"},
		"a read may show nothing":  {get, `{}`, call.Unbound, ""},
		"the caller knows better":  {unbind, `{"no":"N2"}`, call.Unbindable, ""},
		"an unknown operation":     {other, `{"no":"N2"}`, call.Unbindable, ""},
		"a rejection of that":      {other, `{"code":"X","message":"m"}`, 0, "API error under a status of success"},
		"a field called code":      {other, `{"code":"X","data":1}`, call.Unbindable, ""},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := tt.make(newLine(t, calltest.Play()))
			require.NoError(t, err)
			err = c.JudgeResponse(http.StatusOK, []byte(tt.body))
			if tt.says != "" {
				require.ErrorContains(t, err, tt.says)
				for _, value := range []string{"N1", "N2", "a|b", "a%7Cb"} {
					assert.NotContains(t, err.Error(), value)
				}
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tt.binding, c.Binding)
		})
	}
}

// A call that was rejected, or failed at a stage, makes the error of that.
func TestSend(t *testing.T) {
	for name, tt := range map[string]struct {
		reply   calltest.Reply
		stage   string // empty: a rejection
		outcome middleware.Outcome
	}{
		"a rejection":           {calltest.Rejected(400, "PARAM_ERROR"), "", middleware.Unknown},
		"no connection":         {calltest.Unconnected, call.StageSend, middleware.NotSent},
		"a broken one":          {calltest.Reset, call.StageSend, middleware.Unknown},
		"a wrong signature":     {calltest.Reply{Body: `{"no":"N1"}`, Forged: true}, call.StageVerify, middleware.Unknown},
		"no signature":          {calltest.Reply{Body: `{"no":"N1"}`, Unsigned: true}, call.StageVerify, middleware.Unknown},
		"another's response":    {calltest.OK(`{"no":"N2"}`), call.StageVerify, middleware.Unknown},
		"two readings of it":    {calltest.OK(`{"no":"N1","no":"N1"}`), call.StageVerify, middleware.Unknown},
		"a redirection":         {calltest.Reply{Status: 302, Unsigned: true}, "", middleware.Unknown},
		"an error of the proxy": {calltest.Reply{Status: 502, Body: "<html>", Unsigned: true}, "", middleware.Unknown},
	} {
		line := newLine(t, calltest.Play(tt.reply))
		c, err := line.Prepare(t.Context(), &call.Spec{Path: "/v3/things"}, "POST", `{"no":"N1"}`)
		require.NoError(t, err, name)
		_, err = c.Send(t.Context())
		assert.Equal(t, tt.outcome, line.Errors.Outcome(err), name)
		if tt.stage == "" {
			require.NotNil(t, line.Errors.Rejection(err), name)
			continue
		}
		failure := line.Errors.Failure(err)
		require.NotNil(t, failure, name)
		assert.Equal(t, tt.stage, failure.Stage, name)
	}
	line := newLine(t, calltest.Play(calltest.OK(`{"no":"N1"}`)))
	c, err := line.Prepare(t.Context(), &call.Spec{Path: "/v3/things"}, "POST", `{"no":"N1"}`)
	require.NoError(t, err)
	res, err := c.Send(t.Context())
	require.NoError(t, err)
	assert.True(t, res.Verified)
	assert.Equal(t, `{"no":"N1"}`, string(res.Text()))
	assert.Equal(t, middleware.Confirmed, line.Errors.Outcome(err))
}
