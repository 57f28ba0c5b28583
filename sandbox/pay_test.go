package sandbox_test

import (
	"encoding/base64"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/sandbox"
)

const orderPath = "/v3/pay/transactions/out-trade-no/ORDER-0001"

// native is a small native order.
func native(s *sandbox.Sandbox) map[string]any {
	return map[string]any{
		"appid": "wx0123456789abcdef", "mchid": s.Merchant().ID, "description": "形象店-深圳腾大", "out_trade_no": "ORDER-0001",
		"notify_url": "https://shop.example.com/notify", "amount": map[string]any{"total": 1.0},
	}
}

func with(m map[string]any, name string, value any) map[string]any {
	m = maps.Clone(m)
	m[name] = value
	return m
}

func TestOrderLife(t *testing.T) {
	s := newSandbox(t)
	query := orderPath + "?mchid=" + s.Merchant().ID
	closing := map[string]any{"mchid": s.Merchant().ID}
	missing := map[string]any{"code": "ORDER_NOT_EXIST", "message": "订单不存在"}

	a := ask(t, s, "GET", query, nil)
	assert.Equal(t, 404, a.StatusCode)
	assert.Equal(t, missing, a.json(t))
	verify(t, s, time.Now(), a)
	a = ask(t, s, "POST", orderPath+"/close", closing)
	assert.Equal(t, 404, a.StatusCode)
	assert.Equal(t, missing, a.json(t))

	order := with(with(native(s), "attach", "自定义"), "settle_info", map[string]any{"profit_sharing": false})
	order["goods_tag"] = nil
	first := ask(t, s, "POST", "/v3/pay/transactions/native", order)
	require.Equal(t, 200, first.StatusCode, "%s", first.body)
	assert.Regexp(t, `^weixin://wxpay/bizpayurl\?pr=\w{11}$`, first.json(t)["code_url"])
	assert.Len(t, first.json(t), 1)

	again := ask(t, s, "POST", "/v3/pay/transactions/native", order)
	require.Equal(t, 200, again.StatusCode, "the same number with the same parameters is accepted again")
	assert.NotEqual(t, first.json(t)["code_url"], again.json(t)["code_url"])
	other := ask(t, s, "POST", "/v3/pay/transactions/native", with(order, "amount", map[string]any{"total": 2}))
	assert.Equal(t, 403, other.StatusCode)
	assert.Equal(t, "OUT_TRADE_NO_USED", other.json(t)["code"])
	assert.Regexp(t, `-268498688$`, other.Header.Get("Request-ID"))
	verify(t, s, time.Now(), other)

	want := map[string]any{
		"appid": "wx0123456789abcdef", "mchid": s.Merchant().ID, "description": "形象店-深圳腾大", "out_trade_no": "ORDER-0001",
		"notify_url": "https://shop.example.com/notify", "amount": map[string]any{"total": 1.0, "payer_currency": "CNY"},
		"promotion_detail": []any{}, "scene_info": map[string]any{"device_id": ""},
		"trade_state": "NOTPAY", "trade_state_desc": "订单未支付",
	}
	a = ask(t, s, "GET", query, nil)
	require.Equal(t, 200, a.StatusCode)
	assert.Equal(t, want, a.json(t))
	verify(t, s, time.Now(), a)

	for range 2 { // closing again is answered the same
		a = ask(t, s, "POST", orderPath+"/close", closing)
		require.Equal(t, 204, a.StatusCode)
		assert.Empty(t, a.body)
		verify(t, s, time.Now(), a)
	}
	want["trade_state"], want["trade_state_desc"] = "CLOSED", "订单已关闭"
	assert.Equal(t, want, ask(t, s, "GET", query, nil).json(t))
	a = ask(t, s, "POST", "/v3/pay/transactions/native", order)
	assert.Equal(t, 400, a.StatusCode)
	assert.Equal(t, "ORDER_CLOSED", a.json(t)["code"])

	other2 := newSandbox(t)
	assert.Equal(t, 404, ask(t, other2, "GET", query, nil).StatusCode, "another sandbox has other orders")
}

func TestOrderParameters(t *testing.T) {
	s := newSandbox(t, sandbox.WithClassicErrors())
	mchid := s.Merchant().ID
	good := native(s)
	closing := map[string]any{"mchid": mchid}
	for name, test := range map[string]struct {
		method, target           string
		body                     any
		field, location, english string
	}{
		"create, foreign mchid": {"POST", "/v3/pay/transactions/native", with(good, "mchid", "1900000110"), "/mchid", "body",
			"it differs from mchid in the HTTP header Authorization"},
		"create, no amount":    {"POST", "/v3/pay/transactions/native", with(good, "amount", nil), "/amount", "body", "this field is required"},
		"create, empty amount": {"POST", "/v3/pay/transactions/native", with(good, "amount", map[string]any{}), "/amount/total", "body", "this field is required"},
		"create, amount text":  {"POST", "/v3/pay/transactions/native", with(good, "amount", "1"), "/amount", "body", "its type must be object"},
		"create, total text": {"POST", "/v3/pay/transactions/native", with(good, "amount", map[string]any{"total": "1"}),
			"/amount/total", "body", "its type must be integer"},
		"create, total fraction": {"POST", "/v3/pay/transactions/native", with(good, "amount", map[string]any{"total": 1.5}),
			"/amount/total", "body", "its type must be integer"},
		"create, total zero": {"POST", "/v3/pay/transactions/native", with(good, "amount", map[string]any{"total": 0}),
			"/amount/total", "body", "it is below the minimum of 1"},
		"create, other currency": {"POST", "/v3/pay/transactions/native", with(good, "amount",
			map[string]any{"total": 1, "currency": "XYZ"}), "/amount/currency", "body", "mainland merchants have CNY only"},
		"create, nested unknown": {"POST", "/v3/pay/transactions/native", with(good, "amount",
			map[string]any{"total": 1, "x": 1}), "/amount/x", "body", "the parameter is not known"},
		"create, number of 5": {"POST", "/v3/pay/transactions/native", with(good, "out_trade_no", "12345"), "/out_trade_no",
			"body", "it has 5 bytes, at least 6 are needed"},
		"create, number of 33": {"POST", "/v3/pay/transactions/native", with(good, "out_trade_no", strings.Repeat("1", 33)),
			"/out_trade_no", "body", "it has 33 bytes, at most 32 are allowed"},
		"create, number with @": {"POST", "/v3/pay/transactions/native", with(good, "out_trade_no", "12345@"), "/out_trade_no",
			"body", "it has a character that is not allowed"},
		"create, description": {"POST", "/v3/pay/transactions/native", with(good, "description", strings.Repeat("字", 128)),
			"/description", "body", "it has 128 characters, at most 127 are allowed"},
		"create, notify relative": {"POST", "/v3/pay/transactions/native", with(good, "notify_url", "/notify"), "/notify_url",
			"body", "it must be an absolute URL without a query"},
		"create, notify query": {"POST", "/v3/pay/transactions/native", with(good, "notify_url", "https://a.example/?x=1"),
			"/notify_url", "body", "it must be an absolute URL without a query"},
		"create, notify ftp": {"POST", "/v3/pay/transactions/native", with(good, "notify_url", "ftp://a.example/"),
			"/notify_url", "body", "it must be an absolute URL without a query"},
		"create, time": {"POST", "/v3/pay/transactions/native", with(good, "time_expire", "2025-01-01 00:00:00"),
			"/time_expire", "body", "it is not a time in the form of RFC 3339"},
		"create, list not a list": {"POST", "/v3/pay/transactions/native", with(good, "limit_pay", "no_credit"), "/limit_pay", "body", "its type must be string[]"},
		"create, list of numbers": {"POST", "/v3/pay/transactions/native", with(good, "limit_pay", []any{"no_credit", 1}),
			"/limit_pay/1", "body", "its type must be string"},
		"create, not a boolean": {"POST", "/v3/pay/transactions/native", with(good, "support_fapiao", "true"), "/support_fapiao",
			"body", "its type must be boolean"},
		"create, list of objects": {"POST", "/v3/pay/transactions/native",
			with(good, "detail", map[string]any{"goods_detail": []any{map[string]any{"merchant_goods_id": "1",
				"quantity": 1}}}), "/detail/goods_detail/0/unit_price", "body", "this field is required"},
		"query, no mchid":      {"GET", orderPath, nil, "mchid", "query", "this field is required"},
		"query, empty mchid":   {"GET", orderPath + "?mchid=", nil, "mchid", "query", "this field is required"},
		"query, foreign mchid": {"GET", orderPath + "?mchid=1900000110", nil, "mchid", "query", "it differs from mchid in the HTTP header Authorization"},
		"query, bad query":     {"GET", orderPath + "?mchid=%zz", nil, "", "query", "the query string is malformed"},
		"query, short number": {"GET", "/v3/pay/transactions/out-trade-no/12345?mchid=" + mchid, nil, "out_trade_no", "url",
			"it has 5 bytes, at least 6 are needed"},
		"query, odd number": {"GET", "/v3/pay/transactions/out-trade-no/1234%2F5?mchid=" + mchid, nil, "out_trade_no", "url",
			"it has a character that is not allowed"},
		"close, foreign mchid": {"POST", orderPath + "/close", map[string]any{"mchid": "1900000110"}, "/mchid", "body",
			"it differs from mchid in the HTTP header Authorization"},
		"close, no mchid":        {"POST", orderPath + "/close", map[string]any{}, "/mchid", "body", "this field is required"},
		"close, unknown member":  {"POST", orderPath + "/close", with(closing, "x", "y"), "/x", "body", "the parameter is not known"},
		"certificates, any type": {"GET", "/v3/certificates?algorithm_type=DSA", nil, "algorithm_type", "query", "it must be RSA, SM2 or ALL"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCall(s, time.Now(), test.method, test.target, test.body)
			c.header.Set("Accept-Language", "en")
			a := c.sign(s).send(t, s.Transport(), inProcess)
			require.Equal(t, 400, a.StatusCode, "%s", a.body)
			verify(t, s, time.Now(), a)
			assert.Equal(t, "PARAM_ERROR", a.json(t)["code"])
			detail := a.json(t)["detail"].(map[string]any)
			if test.field == "" {
				assert.NotContains(t, detail, "field")
			} else {
				assert.Equal(t, test.field, detail["field"])
			}
			assert.Equal(t, test.location, detail["location"])
			assert.Equal(t, test.english, detail["issue"])
			assert.Contains(t, detail, "value")
		})
	}
	assert.Equal(t, 404, ask(t, s, "GET", orderPath+"?mchid="+mchid, nil).StatusCode, "nothing was created")
}

func TestOrderNumbersInThePath(t *testing.T) {
	s := newSandbox(t)
	require.Equal(t, 200, ask(t, s, "POST", "/v3/pay/transactions/native", with(native(s), "out_trade_no", "AB|CD*EF_1")).StatusCode)
	for _, segment := range []string{"AB%7CCD*EF_1", "AB%7cCD%2AEF_1", "%41B%7CCD*EF_1"} {
		a := ask(t, s, "GET", "/v3/pay/transactions/out-trade-no/"+segment+"?mchid="+s.Merchant().ID, nil)
		assert.Equal(t, 200, a.StatusCode, "%s: %s", segment, a.body)
	}
	assert.Equal(t, 404, ask(t, s, "GET", "/v3/pay/transactions/out-trade-no/ab%7CCD*EF_1?mchid="+s.Merchant().ID, nil).StatusCode, "letter case counts")
}

func TestEncryptedMembers(t *testing.T) {
	s := newSandbox(t)
	seal := func(key any, text string) string {
		b, err := apiv3.RSA().Encrypt(key, []byte(text))
		require.NoError(t, err)
		return base64.StdEncoding.EncodeToString(b)
	}
	newer := s.Keys.Certificates()[1]
	order := func(number, name string) map[string]any {
		return with(native(s), "payer", map[string]any{"identity": map[string]any{"type": "IDCARD", "number": number, "name": name}})
	}
	for name, test := range map[string]struct {
		serial string
		body   map[string]any
		zh     string // empty: accepted
	}{
		"for the public key":  {s.Keys.PublicKeyID(), order(seal(s.Keys.PublicKey(), "11010119900101001X"), seal(s.Keys.PublicKey(), "张三")), ""},
		"the same, resealed":  {s.Keys.PublicKeyID(), order(seal(s.Keys.PublicKey(), "11010119900101001X"), seal(s.Keys.PublicKey(), "张三")), ""},
		"for the certificate": {apiv3.Serial(newer), order(seal(newer.PublicKey, "11010119900101001X"), seal(newer.PublicKey, "张三")), ""},
		"plain text":          {s.Keys.PublicKeyID(), order("11010119900101001X", "张三"), "平台私钥解密失败"},
		"for another key":     {s.Keys.PublicKeyID(), order(seal(newer.PublicKey, "1"), seal(newer.PublicKey, "2")), "平台私钥解密失败"},
		"no serial":           {"", order(seal(s.Keys.PublicKey(), "1"), seal(s.Keys.PublicKey(), "2")), "HTTP header缺少微信支付平台证书序列号(Wechatpay-Serial)"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCall(s, time.Now(), "POST", "/v3/pay/transactions/native", test.body)
			c.header.Del("Wechatpay-Serial")
			if test.serial != "" {
				c.header.Set("Wechatpay-Serial", test.serial)
			}
			a := c.sign(s).send(t, s.Transport(), inProcess)
			if test.zh == "" {
				require.Equal(t, 200, a.StatusCode, "%s", a.body)
				return
			}
			assert.Equal(t, 400, a.StatusCode)
			assert.Equal(t, map[string]any{"code": "PARAM_ERROR", "message": test.zh}, a.json(t))
		})
	}
	a := ask(t, s, "GET", orderPath+"?mchid="+s.Merchant().ID, nil)
	assert.NotContains(t, string(a.body), "张三")
	assert.NotContains(t, string(a.body), `"payer"`)
}

func TestWaysToOrder(t *testing.T) {
	s := newSandbox(t)
	payer := map[string]any{"openid": "obLatjnx9gnqzS4myYGmLZ7LgLBA"}
	scene := map[string]any{"payer_client_ip": "14.23.150.211", "h5_info": map[string]any{"type": "Wap"}}
	for way, test := range map[string]struct {
		extra           map[string]any
		member, pattern string
		kind, openid    string
	}{
		"jsapi": {map[string]any{"payer": payer}, "prepay_id", `^wx\d{14}[0-9a-f]{20}$`, "JSAPI", "obLatjnx9gnqzS4myYGmLZ7LgLBA"},
		"app":   {nil, "prepay_id", `^wx\d{14}[0-9a-f]{20}$`, "APP", "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"},
		"h5": {map[string]any{"scene_info": scene}, "h5_url", `^https://wx\.tenpay\.com/.*prepay_id=wx\w{34}&package=\d+$`,
			"MWEB", "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"},
		"native": {nil, "code_url", `^weixin://`, "NATIVE", "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"},
	} {
		t.Run(way, func(t *testing.T) {
			number := "ORDER-" + way
			body := with(native(s), "out_trade_no", number)
			maps.Copy(body, test.extra)
			path := "/v3/pay/transactions/" + way
			first := ask(t, s, "POST", path, body)
			require.Equal(t, 200, first.StatusCode, "%s", first.body)
			assert.Len(t, first.json(t), 1)
			assert.Regexp(t, test.pattern, first.json(t)[test.member])
			assert.NotEqual(t, first.json(t), ask(t, s, "POST", path, body).json(t))

			transaction, err := s.Users.Pay(number)
			require.NoError(t, err)
			again := ask(t, s, "POST", path, body)
			assert.Equal(t, 400, again.StatusCode)
			assert.Equal(t, "ORDER_PAID", again.json(t)["code"])
			closing := ask(t, s, "POST", "/v3/pay/transactions/out-trade-no/"+number+"/close", map[string]any{"mchid": s.Merchant().ID})
			assert.Equal(t, "ORDER_PAID", closing.json(t)["code"], "a paid order is not closed")

			byNumber := ask(t, s, "GET", "/v3/pay/transactions/out-trade-no/"+number+"?mchid="+s.Merchant().ID, nil)
			byID := ask(t, s, "GET", "/v3/pay/transactions/id/"+transaction+"?mchid="+s.Merchant().ID, nil)
			require.Equal(t, 200, byNumber.StatusCode)
			assert.Equal(t, byNumber.json(t), byID.json(t))
			got := byID.json(t)
			success, err := time.Parse(time.RFC3339, got["success_time"].(string))
			require.NoError(t, err)
			assert.WithinDuration(t, time.Now(), success, time.Minute)
			assert.Equal(t, []any{"SUCCESS", test.kind, transaction}, []any{got["trade_state"], got["trade_type"], got["transaction_id"]})
			assert.Equal(t, map[string]any{"openid": test.openid}, got["payer"])
			assert.Equal(t, map[string]any{"total": 1.0, "currency": "CNY", "payer_total": 1.0, "payer_currency": "CNY"}, got["amount"])
			assert.NotContains(t, string(byID.body), "h5_info")
		})
	}
	other := ask(t, s, "POST", "/v3/pay/transactions/app", with(native(s), "out_trade_no", "ORDER-native"))
	assert.Equal(t, "OUT_TRADE_NO_USED", other.json(t)["code"], "the same parameters in another way are another order")
	assert.Len(t, s.Ledger.Effects(sandbox.OrderEffect), 4)
	assert.Len(t, s.Ledger.Effects(sandbox.PaymentEffect), 4)
	assert.Equal(t, 404, ask(t, s, "GET", "/v3/pay/transactions/id/4200?mchid="+s.Merchant().ID, nil).StatusCode)
	assert.Equal(t, 400, ask(t, s, "POST", "/v3/pay/transactions/jsapi", with(native(s), "out_trade_no", "ORDER-x")).StatusCode, "JSAPI needs a payer")
	assert.Equal(t, 400, ask(t, s, "POST", "/v3/pay/transactions/h5", with(native(s), "out_trade_no", "ORDER-x")).StatusCode, "H5 needs a scene")
}

func TestPay(t *testing.T) {
	s := newSandbox(t)
	require.Equal(t, 200, ask(t, s, "POST", "/v3/pay/transactions/native", native(s)).StatusCode)
	require.Equal(t, 204, ask(t, s, "POST", orderPath+"/close", map[string]any{"mchid": s.Merchant().ID}).StatusCode)
	paid, err := s.Users.AddPaidOrder("ORDER-0002", 5)
	require.NoError(t, err)
	other, err := s.Users.AddPaidOrder("ORDER-0003", 5)
	require.NoError(t, err)
	assert.NotEqual(t, paid, other)
	for want, call := range map[string]func() (string, error){
		`sandbox: pay: the order "ORDER-0001" is closed`:                             func() (string, error) { return s.Users.Pay("ORDER-0001") },
		`sandbox: pay: the order "ORDER-0002" is paid`:                               func() (string, error) { return s.Users.Pay("ORDER-0002") },
		`sandbox: pay: there is no order "ORDER-0009"`:                               func() (string, error) { return s.Users.Pay("ORDER-0009") },
		`sandbox: AddPaidOrder: there is an order "ORDER-0002" already`:              func() (string, error) { return s.Users.AddPaidOrder("ORDER-0002", 5) },
		`sandbox: AddPaidOrder: the total is below 1 fen`:                            func() (string, error) { return s.Users.AddPaidOrder("ORDER-0004", 0) },
		`sandbox: AddPaidOrder: out_trade_no: it has 5 bytes, at least 6 are needed`: func() (string, error) { return s.Users.AddPaidOrder("ORDER", 1) },
	} {
		_, err := call()
		assert.EqualError(t, err, want)
	}
	assert.Equal(t, "CLOSED", s.Ledger.Effects(sandbox.OrderEffect)[0].State)
	assert.Len(t, s.Ledger.Effects(sandbox.PaymentEffect), 2)
}
