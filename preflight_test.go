package wxpay_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/fact"
)

// nativeOrder is a Native order with all that is usual.
func nativeOrder() wxpay.JSON {
	return wxpay.JSON{
		"appid": "wxd678efh567hg6787", "mchid": testMerchant, "description": "Image形象店-深圳腾大-QQ公仔", "out_trade_no": "1217752501201407033233368018",
		"time_expire": "2018-06-08T10:34:56+08:00", "attach": "自定义数据说明", "notify_url": "https://www.weixin.qq.com/wxpay/pay.php",
		"goods_tag": "WXG", "support_fapiao": false, "amount": wxpay.JSON{"total": 100, "currency": "CNY"},
		"detail": wxpay.JSON{"cost_price": 608800, "invoice_id": "微信123", "goods_detail": []wxpay.JSON{
			{"merchant_goods_id": "1246464644", "wechatpay_goods_id": "1001", "goods_name": "iPhoneX 256G", "quantity": 1, "unit_price": 528800},
		}},
		"scene_info": wxpay.JSON{"payer_client_ip": "14.23.150.211", "device_id": "013467007045764", "store_info": wxpay.JSON{
			"id": "0001", "name": "腾讯大厦分店", "area_code": "440305", "address": "广东省深圳市南山区科技中一道10000号",
		}},
		"settle_info": wxpay.JSON{"profit_sharing": false},
	}
}

// changed returns a Native order with one member set, or left out where value is nil.
func changed(value any, names ...string) wxpay.JSON {
	order := nativeOrder()
	at := order
	for _, name := range names[:len(names)-1] {
		at = at[name].(wxpay.JSON)
	}
	if at[names[len(names)-1]] = value; value == nil {
		delete(at, names[len(names)-1])
	}
	return order
}

// checked has members of the kinds that no operation of the test's choice has.
var checked = facts{
	{Method: "POST", Path: "/v3/checked/{id}", In: fact.Request{
		Path: []fact.Field{{Name: "id", Type: fact.Integer, Required: true}},
		Query: []fact.Field{{Name: "note", Type: fact.String, Min: 2}, {Name: "state", Type: fact.String, Enum: []any{"ON", "OFF"}},
			{Name: "limit", Type: fact.Integer, Required: true, Confirmed: true, Max: 100}, {Name: "all", Type: fact.Boolean},
			{Name: "kind", Type: fact.Integer, Enum: []any{int64(1), int64(2)}},
			{Name: "partner", Type: fact.String, JSONText: true, Fields: []fact.Field{{Name: "type", Type: fact.String, Required: true}}}},
		Header: []fact.Field{{Name: "Idempotency-Key", Type: fact.String, Required: true}, {Name: "Wechatpay-Serial", Type: fact.String, Required: true}},
		JSON: []fact.Field{
			{Name: "reviewed", Type: fact.String, Enum: []any{"A", "B"}, Reviewed: true},
			{Name: "level", Type: fact.Integer, Enum: []any{int64(1), int64(2)}}, {Name: "rate", Type: fact.Number, Enum: []any{0.5, int64(1)}},
			{Name: "flag", Type: fact.Boolean, Enum: []any{true}}, {Name: "tags", Type: fact.Strings, Enum: []any{"X"}}, {Name: "counts", Type: fact.Integers},
			{Name: "free", Type: fact.Object},
			{Name: "text", Type: fact.String, JSONText: true, Fields: []fact.Field{{Name: "period", Type: fact.Strings, Required: true}}},
			{Name: "alt", Type: fact.String, Required: true, Confirmed: true, Alt: []string{"other"}},
			{Name: "short", Type: fact.Strings, Min: 2, Max: 3}, {Name: "fen", Type: fact.Integer, Unit: fact.Fen, Min: 1},
		},
	}},
	{Method: "POST", Path: "/v3/hinted", In: fact.Request{JSON: []fact.Field{{Name: "a", Type: fact.String, Required: true}, {Name: "b", Type: fact.String}}}},
	{Method: "POST", Path: "/v3/inferred", Inferred: true, In: fact.Request{JSON: []fact.Field{
		{Name: "a", Type: fact.String, Required: true, Confirmed: true}, {Name: "b", Type: fact.Integer},
		{Name: "c", Type: fact.String, Cipher: fact.RSA}, {Name: "d", Type: fact.Strings, Cipher: fact.RSA},
	}}},
	{Method: "POST", Path: "/v3/for-brands", Scheme: fact.BrandScheme},
	{Method: "POST", Path: "/v3/joined", Joined: true, In: fact.Request{JSON: []fact.Field{
		{Name: "mchid", Type: fact.String}, {Name: "sp_mchid", Type: fact.String}, {Name: "number", Type: fact.String, Required: true, Confirmed: true},
		{Name: "payer", Type: fact.Object,
			Fields: []fact.Field{{Name: "openid", Type: fact.String}, {Name: "kind", Type: fact.String, Required: true, Confirmed: true}}},
	}}},
	{Method: "POST", Path: "/v3/bare"},
	{Method: "POST", Path: "/v3/wide", In: fact.Request{JSON: wide}},
	{Method: "POST", Path: "/v3/gone", Status: fact.Offline, ReplacedBy: []string{"POST /v3/new", "PUT /v3/newer"}},
	{Method: "POST", Path: "/v3/old", Status: fact.Superseded},
	{Method: "POST", Path: "/v3/elsewhere", Host: "apihk.mch.weixin.qq.com", HostRequired: true},
	{Method: "POST", Path: "/v3/better-elsewhere", Host: "apihk.mch.weixin.qq.com"},
}

// wide has more members than any operation.
var wide = func() (fields []fact.Field) {
	for i := range 300 {
		fields = append(fields, fact.Field{Name: fmt.Sprintf("m%d", i), Type: fact.Integer, Required: i%100 == 99, Confirmed: i%100 == 99})
	}
	fields[0].Enum = []any{int64(1), 2.5, "3", int64(4), int64(5), int64(6), int64(7), int64(8), int64(9)}
	return fields
}()

type found map[string]string // "place pointer" → kind

func TestPreflightStrict(t *testing.T) {
	v3 := catalog.V3()
	native := func(c *wxpay.Client) wxpay.Chain { return c.Chain("v3/pay/transactions/native") }
	full := func(c *wxpay.Client) wxpay.Chain {
		return c.Chain("v3/checked/{id}").Var("id", "1").Query("limit", 1).Header("Idempotency-Key", "k")
	}
	tests := []struct {
		name  string
		facts wxpay.Catalog
		chain func(*wxpay.Client) wxpay.Chain
		body  any
		want  found
		says  string
	}{
		{"a Native order", v3, native, nativeOrder(), nil, ""},
		{"one missing", v3, native, changed(nil, "description"), found{"body /description": "missing field"},
			"body /description (商品描述): it is missing and documented as required (confirmed by a second source)"},
		{"null is missing", v3, native,
			`{"appid":null,"mchid":"1","description":"d","out_trade_no":"123456","notify_url":"u","amount":{"total":1},"attach":null}`,
			found{"body /appid": "missing field"}, ""},
		{"one missing inside", v3, native, changed(nil, "amount", "total"), found{"body /amount/total": "missing field"}, ""},
		{"one missing in an element", v3, native,
			changed([]wxpay.JSON{{"merchant_goods_id": "1", "unit_price": 1, "quantity": 1}, {"merchant_goods_id": "1", "unit_price": 1}}, "detail", "goods_detail"),
			found{"body /detail/goods_detail/1/quantity": "missing field"}, ""},
		{"an optional object left out needs nothing", v3, native, changed(nil, "scene_info"), nil, ""},
		{"no body", v3, native, nil, found{"body /appid": "missing field", "body /mchid": "missing field", "body /description": "missing field",
			"body /out_trade_no": "missing field", "body /amount": "missing field"}, "and 1 more"},
		{"a text for a number", v3, native, changed("SECRET", "amount", "total"), found{"body /amount/total": "wrong type"},
			"it is a string and documented as integer: send an integer without quotes"},
		{"a number for a text", v3, native, changed(12345, "out_trade_no"), found{"body /out_trade_no": "wrong type"},
			"it is a number and documented as string: quote it"},
		{"a fraction", v3, native, changed(json.RawMessage("1.00"), "amount", "total"), found{"body /amount/total": "wrong type"},
			"a number with a fraction or an exponent"},
		{"an object for a text", v3, native, changed(wxpay.JSON{"a": "SECRET"}, "attach"), found{"body /attach": "wrong type"}, ""},
		{"an array for an object", v3, native, changed([]int{1}, "amount"), found{"body /amount": "wrong type"}, "it is an array and documented as object"},
		{"an object for an array", v3, native, changed(wxpay.JSON{"merchant_goods_id": 1}, "detail", "goods_detail"),
			found{"body /detail/goods_detail": "wrong type"}, ""},
		{"a text for an array", v3, native, changed("no_credit", "limit_pay"), found{"body /limit_pay": "wrong type"}, "put it into an array"},
		{"a boolean for a text", v3, native, changed(true, "attach"), found{"body /attach": "wrong type"}, "it is a boolean and documented as string"},
		{"emoji", v3, native, changed("SECRET 😀", "description"), found{"body /description": "supplementary character"}, "emoji"},
		{"escaped emoji", v3, native,
			`{"appid":"a","mchid":"1","description":"\ud83d\ude00","out_trade_no":"123456","notify_url":"u","amount":{"total":1}}`,
			found{"body /description": "supplementary character"}, ""},
		{"emoji in what nobody knows", checked, full, `{"alt":"x","free":{"a":[{"b~/":"😀"}]}}`, found{"body /free/a/0/b~0~1": "supplementary character"}, ""},
		{"not JSON", checked, full, `{"alt":"SECRET" "`, found{"body ": "not JSON"}, "body: it is not JSON: a comma or a closing bracket is missing at byte 16"},
		{"not JSON in what is free-form", checked, full, `{"alt":"x","free":{"a":1 2}}`, found{"body ": "not JSON"}, ""},
		{"no object", checked, full, `["SECRET"]`, found{"body ": "wrong type"}, "body: it is not a JSON object"},
		{"a better host", checked, func(c *wxpay.Client) wxpay.Chain { return c.Chain("v3/better-elsewhere") }, nil, nil, ""},
		{"brand-direct", checked, func(c *wxpay.Client) wxpay.Chain { return c.Chain("brand/card-member/cards") }, nil,
			found{"operation ": "wrong scheme"}, "WithScheme(apiv3.Brand()) makes a client"},
		{"a brand's by its facts", checked, func(c *wxpay.Client) wxpay.Chain { return c.Chain("v3/for-brands") }, nil,
			found{"operation ": "wrong scheme"}, "a brand signs it"},
		{"joined modes: direct", checked, func(c *wxpay.Client) wxpay.Chain { return c.Chain("v3/joined") },
			`{"mchid":"1","number":"1","payer":{"kind":"k"}}`, nil, ""},
		{"joined modes: the rest stays required", checked, func(c *wxpay.Client) wxpay.Chain { return c.Chain("v3/joined") },
			`{"sp_mchid":"1","payer":{}}`, found{"body /number": "missing field", "body /payer/kind": "missing field"}, ""},
		{"path, query and header", checked, func(c *wxpay.Client) wxpay.Chain {
			return c.Chain("v3/checked/{id}").Var("id", "SECRET").Query("all", "SECRET").Query("partner", `{"type":1}`)
		}, `{"alt":"x"}`, found{"path /id": "wrong type", "query /all": "wrong type", "query /limit": "missing field",
			"query /partner/type": "wrong type"}, `call Query("limit", …)`},
		{"query values", checked, func(c *wxpay.Client) wxpay.Chain {
			return full(c).Query("limit", "1.5").Query("note", "SECRET😀").Query("partner", "SECRET")
		}, `{"alt":"x"}`, found{"query /limit": "wrong type", "query /note": "supplementary character", "query /partner": "wrong type"}, ""},
		{"query values that are right", checked, func(c *wxpay.Client) wxpay.Chain {
			return full(c).Query("state", "ON").Query("all", true).Query("kind", 2).Query("partner", `{"type":"x"}`)
		}, `{"alt":"x"}`, nil, ""},
		{"the other name", checked, full, `{"other":"x"}`, nil, ""},
		{"neither name", checked, full, `{}`, found{"body /alt": "missing field"}, "it is missing and documented as required (also as other)"},
		{"a reviewed list", checked, full, `{"alt":"x","reviewed":"SECRET"}`, found{"body /reviewed": "unknown constant"}, "it has to be one of A B"},
		{"elements", checked, full, `{"alt":"x","counts":[1,"2",[3]],"tags":["X"]}`, found{"body /counts/1": "wrong type", "body /counts/2": "wrong type"}, ""},
		{"a JSON text", checked, full, `{"alt":"x","text":"{\"period\":[\"a\"]}"}`, nil, ""},
		{"a JSON text of another form", checked, full, `{"alt":"x","text":"[1]"}`, nil, ""},
		{"inside a JSON text", checked, full, `{"alt":"x","text":"{\"period\":\"a\"}"}`, found{"body /text/period": "wrong type"}, ""},
		{"a text that is not JSON", checked, full, `{"alt":"x","text":"SECRET"}`, found{"body /text": "wrong type"}, "not JSON"},
		{"a blank JSON text", checked, full, `{"alt":"x","text":" "}`, nil, ""},
		{"many members", checked, func(c *wxpay.Client) wxpay.Chain { return c.Chain("v3/wide") }, `{"m99":1,"m298":1}`,
			found{"body /m199": "missing field", "body /m299": "missing field"}, ""},
		{"what a JSON text stands for", checked, full, `{"alt":"x","text":{"period":["a"]}}`, found{"body /text": "wrong type"},
			"it is an object and documented as string"},
		{"free-form", checked, full, `{"alt":"x","free":{"a":[1,{"b":null}]}}`, nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			sent := false
			client := newClient(t, wxpay.WithCatalog(tt.facts), wxpay.WithPreflight(wxpay.PreflightStrict),
				wxpay.WithLogger(slog.New(slog.DiscardHandler)), wxpay.WithTransport(answer{body: `{"code_url":"x"}`, trip: func(*http.Request) { sent = true }}))
			_, err := tt.chain(client).Post(context.Background(), tt.body)
			if tt.want == nil {
				require.NoError(t, err)
				assert.True(t, sent)
				return
			}
			assert.False(t, sent, "it was sent")
			var refused *wxpay.PreflightError
			require.ErrorAs(t, err, &refused)
			require.ErrorIs(t, err, wxpay.StageBuild)
			assert.Equal(t, wxpay.NotSent, wxpay.OutcomeOf(err))
			got := found{}
			for _, finding := range refused.Findings {
				if assert.NotContains(t, finding.String(), "SECRET"); !finding.Warning {
					got[finding.Place+" "+finding.Pointer] = finding.Kind
				}
			}
			assert.Equal(t, tt.want, got)
			assert.ErrorContains(t, err, tt.says)
			assert.NotContains(t, err.Error(), "\n")

			kinds := []string{}
			for _, kind := range tt.want {
				kinds = append(kinds, kind)
			}
			silent := newClient(t, wxpay.WithCatalog(tt.facts), wxpay.WithPreflight(wxpay.PreflightStrict, kinds...),
				wxpay.WithTransport(answer{body: `{"code_url":"x"}`}))
			_, err = tt.chain(silent).Post(context.Background(), tt.body)
			require.NoError(t, err, "every kind can be silenced")
		})
	}
}

// What is not certain is a warning: the catalogue may be out of date, and the platform may know more.
func TestPreflightWarnings(t *testing.T) {
	chain := func(c *wxpay.Client) wxpay.Chain {
		return c.Chain("v3/checked/{id}").Var("id", "1").Query("limit", 1).Header("Idempotency-Key", "k")
	}
	at := func(path string) func(*wxpay.Client) wxpay.Chain {
		return func(c *wxpay.Client) wxpay.Chain { return c.Chain(path) }
	}
	for name, tt := range map[string]struct {
		chain func(*wxpay.Client) wxpay.Chain
		body  string
		want  []string
	}{
		"a member":                  {chain, `{"alt":"x","new":1}`, []string{"unknown field body /new"}},
		"a member with a wild name": {chain, `{"alt":"x","a\nb\u0000":1}`, []string{"unknown field body \"/a\\nb\\x00\""}},
		"a long name":               {chain, `{"alt":"x","` + strings.Repeat("é", 200) + `":1}`, []string{"unknown field body /" + strings.Repeat("é", 99) + "…"}},
		"a constant of a long list": {func(c *wxpay.Client) wxpay.Chain { return c.Chain("v3/wide") }, `{"m0":3,"m99":1,"m199":1,"m299":1}`,
			[]string{"unknown constant body /m0"}},
		"a query member": {func(c *wxpay.Client) wxpay.Chain { return chain(c).Query("new", "SECRET") }, `{"alt":"x"}`,
			[]string{"unknown field query /new"}},
		"constants": {chain, `{"alt":"x","level":3,"rate":0.6,"flag":false,"tags":["X","SECRET"]}`,
			[]string{"unknown constant body /level", "unknown constant body /rate", "unknown constant body /flag", "unknown constant body /tags/1"}},
		"constants in the query": {func(c *wxpay.Client) wxpay.Chain { return chain(c).Query("state", "SECRET").Query("kind", 3) },
			`{"alt":"x"}`, []string{"unknown constant query /state", "unknown constant query /kind"}},
		"known constants":            {chain, `{"alt":"x","level":2,"rate":1.0,"flag":true,"tags":["X"],"reviewed":"B"}`, nil},
		"a body where none is known": {func(c *wxpay.Client) wxpay.Chain { return c.Chain("v3/bare") }, `{"a":1}`, []string{"unknown field body "}},
		"a typo in the path":         {at("v3/pay/transaction/native"), `{}`, []string{"unknown operation operation "}},
		"another path with values":   {at("v3/gon"), `{}`, []string{"unknown operation operation "}},
		"offline":                    {at("v3/gone"), `{}`, []string{"offline operation operation "}},
		"superseded":                 {at("v3/old"), `{}`, []string{"superseded operation operation "}},
		"another host":               {at("v3/elsewhere"), `{}`, []string{"wrong host operation "}},
		"required by one source":     {at("v3/hinted"), `{}`, []string{"missing field body /a"}},
		"a required header": {func(c *wxpay.Client) wxpay.Chain { return c.Chain("v3/checked/{id}").Var("id", "1").Query("limit", 1) },
			`{"alt":"x"}`, []string{"missing field header /Idempotency-Key"}},
		"inferred members": {at("v3/inferred"), `{"b":"SECRET"}`, []string{"wrong type body /b", "missing field body /a"}},
		"inferred encryption": {at("v3/inferred"), `{"a":"x","c":"SECRET","d":["SECRET","SECRET"]}`,
			[]string{"inferred encryption body /c", "inferred encryption body /d/0"}},
		"encrypted by the caller": {func(c *wxpay.Client) wxpay.Chain { return at("v3/inferred")(c).Encrypt("/c").Plain("/d") },
			`{"a":"x","c":"SECRET","d":["y"]}`, nil},
		"lengths and bounds": {func(c *wxpay.Client) wxpay.Chain { return chain(c).Query("note", "x").Query("limit", 101) },
			`{"alt":"x","short":["a","ab","中文字","\u4e2d\u6587\u5b57\u5b57"],"fen":0}`,
			[]string{"out of bounds query /note", "out of bounds query /limit", "out of bounds body /short/0", "out of bounds body /fen"}},
		"an empty body where none is ": {func(c *wxpay.Client) wxpay.Chain { return c.Chain("v3/bare") }, `{}`, nil},
	} {
		for _, mode := range []wxpay.PreflightMode{wxpay.PreflightWarn, wxpay.PreflightStrict} {
			t.Run(fmt.Sprint(name, " ", mode), func(t *testing.T) {
				var log bytes.Buffer
				client := newClient(t, wxpay.WithCatalog(checked), wxpay.WithPreflight(mode), wxpay.WithTransport(answer{body: `{"code_url":"x"}`}),
					wxpay.WithLogger(slog.New(slog.NewJSONHandler(&log, nil))))
				_, err := tt.chain(client).Post(context.Background(), tt.body)
				require.NoError(t, err)
				assert.Equal(t, tt.want, records(t, log.String()))
				assert.NotContains(t, log.String(), "SECRET")
			})
		}
	}
	t.Run("in an error they are named too", func(t *testing.T) {
		client := newClient(t, wxpay.WithCatalog(checked), wxpay.WithPreflight(wxpay.PreflightStrict))
		_, err := chain(client).Post(context.Background(), "{\"a\\n\":1,\"alt\":\"x\"")
		require.ErrorContains(t, err, `found body "/a\n": the operation documents no such field; body: it is not JSON`)
		_, err = chain(client).Post(context.Background(), `{"new":1}`)
		var refused *wxpay.PreflightError
		require.ErrorAs(t, err, &refused)
		require.Len(t, refused.Findings, 2)
		assert.Equal(t, []bool{true, false}, []bool{refused.Findings[0].Warning, refused.Findings[1].Warning})
	})
}

// Whether or not they were logged, the findings about a call that was refused are in its error.
func TestFindingsInErrors(t *testing.T) {
	for name, tt := range map[string]struct {
		chain  string
		body   any
		answer answer
		says   string // empty: nothing
	}{
		"a path": {"v3/pay/transactions/nativ", wxpay.JSON{}, answer{status: 404, unsigned: true},
			"the platform does not know this path; compare it with the manual letter by letter; near are POST /v3/pay/transactions/native,"},
		"far from all": {"x/y/z", wxpay.JSON{}, answer{status: 404, unsigned: true},
			"the platform does not know this path; compare it with the manual letter by letter"},
		"a method": {"v3/pay/transactions/id/1", wxpay.JSON{}, answer{status: 405, unsigned: true},
			"the checks before sending found operation: the path is known with GET only"},
		"a member": {"v3/pay/transactions/native", changed("SECRET", "amount", "total"),
			answer{status: 400, body: `{"code":"PARAM_ERROR"}`},
			"PARAM_ERROR; the checks before sending found body /amount/total (总金额, fen): it is a string and documented as integer"},
		"too many requests":    {"v3/pay/transactions/native", changed("SECRET", "amount", "total"), answer{status: 429, body: `{"code":"RATELIMIT_EXCEEDED"}`}, ""},
		"the platform's fault": {"v3/pay/transactions/native", changed("SECRET", "amount", "total"), answer{status: 500, body: `{"code":"SYSTEM_ERROR"}`}, ""},
		"a wrong key":          {"v3/pay/transactions/native", changed("SECRET", "amount", "total"), answer{status: 401, body: `{"code":"SIGN_ERROR"}`}, ""},
		"nothing found":        {"v3/pay/transactions/native", nativeOrder(), answer{status: 400, body: `{"code":"PARAM_ERROR"}`}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := newClient(t, wxpay.WithAttempts(1), wxpay.WithTransport(tt.answer)).Chain(tt.chain).Post(context.Background(), tt.body)
			var refused *wxpay.APIError
			require.ErrorAs(t, err, &refused)
			assert.NotContains(t, err.Error(), "SECRET")
			assert.NotContains(t, err.Error(), "\n")
			if tt.says == "" {
				assert.NotContains(t, err.Error(), "checks before sending")
				return
			}
			assert.ErrorContains(t, err, tt.says)
		})
	}
}

// With WithCatalog(nil) nothing is known, so nothing is checked, encrypted or refused.
func TestWithoutACatalogue(t *testing.T) {
	var log bytes.Buffer
	sent := ""
	client := newClient(t, wxpay.WithCatalog(nil), wxpay.WithTransport(answer{trip: func(req *http.Request) { sent = bodyText(t, req) }}),
		wxpay.WithLogger(slog.New(slog.NewJSONHandler(&log, nil))))
	_, err := client.Chain("v3/transfer/batches").Post(context.Background(), `{"transfer_detail_list":[{"user_name":"A"}],"x":"😀"}`)
	require.NoError(t, err)
	assert.Equal(t, `{"transfer_detail_list":[{"user_name":"A"}],"x":"😀"}`, sent)
	assert.Empty(t, records(t, log.String()))
}

// A program that only makes a client pays nothing for the catalogue. The test runs itself again, for in this process others
// have unpacked it.
func TestNewUnpacksNothing(t *testing.T) {
	const child = "WXPAY_TEST_NEW_UNPACKS_NOTHING"
	if os.Getenv(child) == "" {
		command := exec.Command(os.Args[0], "-test.run=^TestNewUnpacksNothing$", "-test.v")
		command.Env = append(os.Environ(), child+"=1")
		out, err := command.CombinedOutput()
		require.NoError(t, err, string(out))
		require.Contains(t, string(out), "--- PASS: TestNewUnpacksNothing")
		return
	}
	testKeys()
	allocated := func(do func()) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		do()
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	var chain wxpay.Chain
	assert.Less(t, allocated(func() { chain = newClient(t).At("v3", "pay", "transactions", "native") }), uint64(200<<10))
	assert.Greater(t, allocated(func() { assert.NoError(t, chain.Check(context.Background(), "POST", nativeOrder())) }), uint64(500<<10))
}

// What is checked is what the caller wrote: marked members are plain then, and a Secret is a text.
func TestPreflightBeforeEncryption(t *testing.T) {
	client := newClient(t, wxpay.WithPreflight(wxpay.PreflightStrict))
	chain := client.Chain("v3/pay/transactions/native")
	req, err := chain.Request(context.Background(), "POST",
		changed(wxpay.JSON{"identity": wxpay.JSON{"type": "IDCARD", "number": wxpay.Secret("1"), "name": "张三"}}, "payer"))
	require.NoError(t, err)
	assert.Contains(t, unsealed(t, testKeys().platform, bodyText(t, req)), `"identity":{"name":"«张三»","number":"«1»","type":"IDCARD"}`)
	_, err = chain.Request(context.Background(), "POST", changed(wxpay.JSON{"identity": wxpay.JSON{"type": "IDCARD", "number": "1", "name": "张😀"}}, "payer"))
	require.ErrorContains(t, err, "/payer/identity/name")
}

func TestPreflightOptions(t *testing.T) {
	good := wxpay.Merchant{ID: testMerchant, Serial: testSerial, PrivateKey: testKeys().merchant}
	public := wxpay.WithPublicKey(testKeyID, testKeys().platform.Public())
	for says, options := range map[string][]wxpay.Option{
		"leave WithCatalog(nil) out":                                    {wxpay.WithCatalog(nil), wxpay.WithPreflight(wxpay.PreflightStrict)},
		`"nonsense" is not a kind of finding; the kinds are not JSON, `: {wxpay.WithPreflight(wxpay.PreflightWarn, "nonsense")},
		"the mode 9 is not one of":                                      {wxpay.WithPreflight(9)},
	} {
		_, err := wxpay.New(good, append(options, public)...)
		require.ErrorContains(t, err, says)
	}
	client, err := wxpay.New(good, public, wxpay.WithPreflight(wxpay.PreflightStrict), wxpay.WithPreflight(wxpay.PreflightWarn), wxpay.WithTransport(answer{}))
	require.NoError(t, err, "the later wins")
	_, err = client.Chain("v3/no/such/thing").Get(context.Background())
	require.NoError(t, err)

	// A host that serves the operation, and this machine, are right for one that is bound to its host.
	for _, base := range []string{"https://apihk.mch.weixin.qq.com", "http://127.0.0.1:8080", "http://localhost:1"} {
		client := newClient(t, wxpay.WithCatalog(checked), wxpay.WithPreflight(wxpay.PreflightStrict), wxpay.WithBaseURL(base), wxpay.WithTransport(answer{}))
		_, err := client.Chain("v3/elsewhere").Post(context.Background(), nil)
		require.NoError(t, err, base)
	}
	// A brand's scheme is for brand-direct paths, and those only.
	brand := newClient(t, wxpay.WithCatalog(checked), wxpay.WithPreflight(wxpay.PreflightStrict), wxpay.WithScheme(brandScheme{apiv3.RSA()}),
		wxpay.WithTransport(answer{}))
	_, err = brand.Chain("brand/card-member/cards").Get(context.Background())
	require.NoError(t, err)
	_, err = brand.Chain("v3/bare").Post(context.Background(), nil)
	require.ErrorContains(t, err, "a client without WithScheme(apiv3.Brand()) calls as a merchant")
}

type brandScheme struct{ apiv3.Scheme }

func (brandScheme) Identity() string { return "brand_id" }

// Deep and wide bodies are checked in linear time and bounded depth.
func TestPreflightOnHugeBodies(t *testing.T) {
	client := newClient(t, wxpay.WithPreflight(wxpay.PreflightStrict))
	_, err := client.Chain("v3/pay/transactions/native").Request(context.Background(), "POST", `{"x":`+strings.Repeat(`[`, 1<<20))
	require.ErrorContains(t, err, "nested deeper than 1000")
	var refused *wxpay.PreflightError
	_, err = client.Chain("v3/pay/transactions/native").Request(context.Background(), "POST", changed(make([]wxpay.JSON, 10_000), "detail", "goods_detail"))
	require.NoError(t, err, "null elements are none")
	list := make([]wxpay.JSON, 10_000)
	for i := range list {
		list[i] = wxpay.JSON{"quantity": 1}
	}
	_, err = client.Chain("v3/pay/transactions/native").Request(context.Background(), "POST", changed(list, "detail", "goods_detail"))
	require.ErrorAs(t, err, &refused)
	assert.Len(t, refused.Findings, 20_000, "every finding is listed")
	assert.Less(t, len(err.Error()), 1000, "and the text is cut")
}

// FuzzPreflight: whatever the body, the check ends, says what it found in one line, and lets pass nothing that is not JSON.
func FuzzPreflight(f *testing.F) {
	for _, body := range []string{
		`{"alt":"x","level":1.5e3,"free":{"a":[null,{"b":"\ud83d"}]},"text":"{\"period\":[1]}"}`,
		`{"tags":["X",1,[{}]],"flag":"true","alt":null}`, `[[]]`, `"`, `{"a":-0.e}`, "{\"\xff\":1}", `{"text":"{\"text\":\"[\"}"}`,
	} {
		f.Add(body)
	}
	client := newClient(f, wxpay.WithCatalog(checked), wxpay.WithPreflight(wxpay.PreflightStrict), wxpay.WithLogger(slog.New(slog.DiscardHandler)))
	chain := client.Chain("v3/checked/{id}").Var("id", "1").Query("limit", 1).Header("Idempotency-Key", "k")
	f.Fuzz(func(t *testing.T, body string) {
		_, err := chain.Request(context.Background(), "POST", body)
		if err == nil {
			require.True(t, json.Valid([]byte(body)))
			return
		}
		require.NotContains(t, err.Error(), "\n")
		var refused *wxpay.PreflightError
		if errors.As(err, &refused) {
			require.NotEmpty(t, refused.Findings)
			for _, finding := range refused.Findings {
				if finding.Kind == "not JSON" {
					deep := strings.Count(body, "[")+strings.Count(body, "{") > 1000
					require.True(t, deep || !json.Valid([]byte(body)) || !utf8.ValidString(body))
				}
			}
		}
	})
}

// The user's own facts take effect as the catalogue's do, and findings say whose they are.
func TestOverlay(t *testing.T) {
	file := filepath.Join(t.TempDir(), "overlay.txt")
	gateway := newSandbox(t)
	client := func(options ...wxpay.Option) (*wxpay.Client, error) {
		return wxpay.FromLookupEnv(func(name string) (string, bool) {
			if name == "WXPAY_CATALOG_OVERLAY" {
				return file, true
			}
			return gateway.LookupEnv(name)
		}, options...)
	}
	_, err := client()
	require.ErrorContains(t, err, `wxpay: WXPAY_CATALOG_OVERLAY: the file "`+file+`" cannot be read`)
	require.NoError(t, os.WriteFile(file, []byte("POST /v3/pay/transactions/native\n  jsn\n"), 0o600))
	_, err = client()
	require.ErrorContains(t, err, `wxpay: WXPAY_CATALOG_OVERLAY: catalog: the overlay is not well-formed: line 2: unknown key "jsn"`)

	require.NoError(t, os.WriteFile(file, []byte(`POST /v3/pay/transactions/native
  json
    goods_tag string!
    attach string ..3
    secret string rsa

POST /v3/new/h5-2
  name 新
  json
    a string
  answer 204 empty
`), 0o600))
	strict, err := client(wxpay.WithPreflight(wxpay.PreflightStrict))
	require.NoError(t, err)
	err = strict.Chain("v3/pay/transactions/native").Check(context.Background(), "POST", changed(nil, "goods_tag"))
	var refused *wxpay.PreflightError
	require.ErrorAs(t, err, &refused)
	var texts []string
	for _, finding := range refused.Findings {
		texts = append(texts, finding.String())
	}
	assert.Equal(t, []string{
		"body /attach (附加数据): its length is 7, and at most 3 characters are documented (your overlay says so)",
		"body /goods_tag (订单优惠标记): it is missing and documented as required (your overlay says so)",
	}, texts)
	req, err := strict.Chain("v3/pay/transactions/native").Request(context.Background(), "POST", changed("A", "secret"))
	require.NoError(t, err)
	assert.Regexp(t, `"secret":"[A-Za-z0-9+/]{342}=="`, bodyText(t, req))
	require.NoError(t, strict.Chain("v3/new/h5-2").Check(context.Background(), "POST", wxpay.JSON{"a": "x"}))

	other, err := client(wxpay.WithCatalog(catalog.V3()))
	require.NoError(t, err, "an option wins over the variable")
	require.NoError(t, other.Chain("v3/pay/transactions/native").Check(context.Background(), "POST", changed(nil, "goods_tag")))
}
