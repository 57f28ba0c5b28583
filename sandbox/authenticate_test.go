package sandbox_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/sandbox"
)

// noon is the sandbox's clock in tests with fixed time; it is not on a whole second.
var noon = time.Date(2025, 1, 1, 12, 0, 0, 700_000_000, time.UTC)

func fixed(now time.Time) sandbox.Option { return sandbox.WithClock(func() time.Time { return now }) }

// TestOrderOfChecks sends a request with every fault there is, and mends one after the other: what is answered each
// time is the next check in the platform's order.
func TestOrderOfChecks(t *testing.T) {
	s := newSandbox(t, fixed(noon))
	good := newCall(s, noon, "POST", feedPath, feed())
	c := newCall(s, noon, "DELETE", "/v3/brand/partner/card-member/nothing", `{"brand_id":`)
	c.header = http.Header{"User-Agent": {""}, "Authorization": {"Bearer x"}, "Wechatpay-Serial": {"PUB_KEY_ID_0"}}
	c.authorization = apiv3.Authorization{Scheme: "WECHATPAY2-MD5", Identity: "mchid", ID: "1900000110",
		Serial: strings.Repeat("A", 40), Nonce: "n", Timestamp: "1"}
	wrong := []byte("{}")

	steps := []struct {
		name   string
		mend   func() // before the step
		signed bool   // whether the Authorization header is built
		status int
		code   string
		zh     string
	}{
		{"path", func() {}, false, 404, "", ""},
		{"method", func() { c.target = feedPath }, false, 405, "", ""},
		{"accept", func() { c.method = "POST" }, false, 400, "INVALID_REQUEST", "Http头缺少Accept或User-Agent"},
		{"agent", func() { c.header.Set("Accept", "*/*") }, false, 400, "INVALID_REQUEST", "Http头缺少Accept或User-Agent"},
		{"form", func() { c.header.Set("User-Agent", "x") }, false, 401, "SIGN_ERROR", "Http头Authorization值格式错误，请参考《微信支付商户REST API签名规则》"},
		{"scheme", func() { c.body2 = &wrong }, true, 401, "SIGN_ERROR", "Http头Authorization认证类型不正确"},
		{"window", func() { c.authorization.Scheme = good.authorization.Scheme }, true, 401, "SIGN_ERROR", "Http头Authorization中的timestamp与发起请求的时间不得超过5分钟"},
		{"merchant", func() { c.authorization.Timestamp = good.authorization.Timestamp }, true, 401, "SIGN_ERROR", "商户未申请过证书"},
		{"serial", func() { c.authorization.ID = s.Merchant().ID }, true, 401, "SIGN_ERROR", "商户证书序列号有误。请使用签名私钥匹配的证书序列号"},
		{"signature", func() { c.authorization.Serial = s.Merchant().Serial }, true, 401, "SIGN_ERROR", "错误的签名，导致验签失败"},
		{"content type", func() { c.body2 = nil; c.header.Del("Content-Type") }, true,
			400, "INVALID_REQUEST", "Http头Content-Type必须为application/json"},
		{"json", func() { c.header.Set("Content-Type", "application/json") }, true, 400, "PARAM_ERROR", "输入源“/body”校验失败：请求体不是JSON对象"},
		{"member", func() { c.body = []byte(`{"brand_id":""}`) }, true, 400, "PARAM_ERROR", "输入源“/body/brand_id”映射到字段“品牌ID”必填性规则校验失败，此字段为必填项"},
		{"none", func() { c.body = good.body }, true, 200, "", ""},
	}
	authenticated := false
	for _, step := range steps {
		step.mend()
		if step.signed {
			c.sign(s)
		}
		a := c.send(t, s.Transport(), inProcess)
		require.Equal(t, step.status, a.StatusCode, "%s: %s", step.name, a.body)
		entries := s.Journal.All()
		entry := entries[len(entries)-1]
		authenticated = authenticated || step.name == "content type"
		assert.Equal(t, authenticated, entry.Verified, step.name)
		if authenticated {
			verify(t, s, noon, a)
		} else {
			unsigned(t, a)
		}
		switch {
		case step.status == 200:
			assert.Empty(t, entry.Reason)
			continue
		case step.code == "":
			assert.Empty(t, a.body, step.name)
			assert.Empty(t, a.Header.Get("Request-ID"), step.name)
			assert.Empty(t, a.Header.Get("Content-Type"), step.name)
		default:
			body := a.json(t)
			assert.Equal(t, step.code, body["code"], step.name)
			assert.Equal(t, step.zh, body["message"], step.name)
			assert.NotEmpty(t, a.Header.Get("Request-ID"), step.name)
		}
		assert.NotEmpty(t, entry.Reason, step.name)
		assert.NotContains(t, string(a.body), entry.Reason, "%s: the reason is for the journal", step.name)
	}
}

func TestAuthorizationForms(t *testing.T) {
	s := newSandbox(t, fixed(noon))
	value := newCall(s, noon, "GET", "/v3/certificates", nil).sign(s).header.Get("Authorization")
	form := "Http头Authorization值格式错误，请参考《微信支付商户REST API签名规则》"
	scheme := "Http头Authorization认证类型不正确"
	for name, test := range map[string]struct {
		values []string
		zh     string
	}{
		"missing":            {nil, form},
		"empty":              {[]string{""}, form},
		"twice":              {[]string{value, value}, form},
		"scheme only":        {[]string{"WECHATPAY2-SHA256-RSA2048"}, form},
		"no quotes":          {[]string{strings.ReplaceAll(value, `"`, "")}, form},
		"member missing":     {[]string{strings.Replace(value, `nonce_str="`, `nonce="`, 1)}, form},
		"member unknown":     {[]string{value + `,extra="1"`}, form},
		"member twice":       {[]string{value + `,mchid="1900000109"`}, form},
		"blanks at commas":   {[]string{strings.ReplaceAll(value, ",", " , ")}, form},
		"timestamp no digit": {[]string{strings.Replace(value, `timestamp="`, `timestamp="+`, 1)}, form},
		"timestamp fraction": {[]string{strings.Replace(value, `",serial_no`, `.5",serial_no`, 1)}, form},
		"brand member":       {[]string{strings.Replace(value, "mchid=", "brand_id=", 1)}, form},
		"brand scheme":       {[]string{strings.Replace(strings.Replace(value, "WECHATPAY2-", "WECHATPAY-BRAND-", 1), "mchid=", "brand_id=", 1)}, scheme},
		"SM scheme":          {[]string{strings.Replace(value, "SHA256-RSA2048", "SM2-WITH-SM3", 1)}, scheme},
		"scheme lower case":  {[]string{strings.Replace(value, "WECHATPAY2", "wechatpay2", 1)}, scheme},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCall(s, noon, "GET", "/v3/certificates", nil)
			if test.values != nil {
				c.header["Authorization"] = test.values
			}
			a := c.send(t, s.Transport(), inProcess)
			assert.Equal(t, 401, a.StatusCode)
			assert.Equal(t, "SIGN_ERROR", a.json(t)["code"])
			assert.Equal(t, test.zh, a.json(t)["message"])
			assert.Nil(t, a.json(t)["detail"])
			assert.Regexp(t, `^[0-9A-F]{32}-268443699$`, a.Header.Get("Request-ID"))
			unsigned(t, a)
		})
	}
	t.Run("members in another order", func(t *testing.T) {
		c := newCall(s, noon, "GET", "/v3/certificates", nil).sign(s)
		members := strings.Split(strings.TrimPrefix(c.header.Get("Authorization"), "WECHATPAY2-SHA256-RSA2048 "), ",")
		for i, j := 0, len(members)-1; i < j; i, j = i+1, j-1 {
			members[i], members[j] = members[j], members[i]
		}
		c.header.Set("Authorization", "WECHATPAY2-SHA256-RSA2048 "+strings.Join(members, ","))
		assert.Equal(t, 200, c.send(t, s.Transport(), inProcess).StatusCode)
	})
}

func TestWindow(t *testing.T) {
	s := newSandbox(t, fixed(noon))
	for offset, status := range map[int64]int{-301: 401, -300: 200, -1: 200, 0: 200, 1: 200, 300: 200, 301: 401} {
		c := newCall(s, noon, "GET", "/v3/certificates", nil)
		c.authorization.Timestamp = strconv.FormatInt(noon.Unix()+offset, 10)
		assert.Equal(t, status, c.sign(s).send(t, s.Transport(), inProcess).StatusCode, "%+d s", offset)
	}
	entries := s.Journal.All()
	var reasons []string
	for _, entry := range entries {
		if entry.Reason != "" {
			reasons = append(reasons, entry.Reason)
		}
	}
	assert.ElementsMatch(t, []string{
		"the timestamp is +301 s from the sandbox's clock, at most 300 s are allowed: the timestamp is 5m1s ahead: the client's clock is fast, " +
			"or the sandbox's was moved",
		"the timestamp is -301 s from the sandbox's clock, at most 300 s are allowed: the timestamp is 5m1s old: the client's clock is slow, or " +
			"the request was signed that long before it was sent",
	}, reasons)
}

func TestSignErrorDetail(t *testing.T) {
	for name, test := range map[string]struct {
		method, target, body, shown string
		options                     []sandbox.Option
		issue                       map[string]any
	}{
		"long body":  {"POST", feedPath, `{"brand_id":"品牌"}`, `{"brand_`, nil, map[string]any{"detail": map[string]any{"issue": "sign not match"}}},
		"short body": {"POST", feedPath, `{}`, `{}`, nil, map[string]any{"detail": map[string]any{"issue": "sign not match"}}},
		"no body":    {"GET", "/v3/certificates?algorithm_type=RSA", "", "", nil, map[string]any{"detail": map[string]any{"issue": "sign not match"}}},
		"classic":    {"POST", feedPath, `{}`, `{}`, []sandbox.Option{sandbox.WithClassicErrors()}, map[string]any{"issue": "sign not match"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSandbox(t, append(test.options, fixed(noon))...)
			var body any
			if test.body != "" {
				body = test.body
			}
			c := newCall(s, noon, test.method, test.target, body)
			c.authorization.Nonce = "593BEC0C930BF1AFEB40B4A08C8FB242"
			c.target2 = "/v3/another"
			a := c.sign(s).send(t, s.Transport(), inProcess)
			require.Equal(t, 401, a.StatusCode)
			head := fmt.Sprintf("%s\n%s\n%d\n593BEC0C930BF1AFEB40B4A08C8FB242\n", test.method, test.target, noon.Unix())
			detail := map[string]any{
				"field": "signature", "location": "authorization",
				"sign_information": map[string]any{
					"method": test.method, "url": test.target, "truncated_sign_message": head + test.shown + "\n",
					"sign_message_length": float64(len(head) + len(test.body) + 1),
				},
			}
			maps.Copy(detail, test.issue)
			assert.Equal(t, map[string]any{"code": "SIGN_ERROR", "message": "错误的签名，导致验签失败", "detail": detail}, a.json(t))
			unsigned(t, a)
			entry := s.Journal.All()[len(s.Journal.All())-1]
			for _, line := range strings.SplitAfter(head+test.body+"\n", "\n") {
				assert.Contains(t, entry.Explanation, strings.Trim(strconv.Quote(line), `"`), "the journal has the five lines")
			}
		})
	}
}

// TestOneByte changes one byte of each part of a good request: it must never be carried out.
func TestOneByte(t *testing.T) {
	s := newSandbox(t)
	transport := s.Transport()
	good := newCall(s, time.Now(), "POST", feedPath, feed()).sign(s)
	send := func(c call) int {
		request, err := http.NewRequest(c.method, inProcess+c.target, bytes.NewReader(c.body))
		if err != nil {
			return 0 // cannot even be sent
		}
		request.Header = c.header
		response, err := transport.RoundTrip(request)
		if err != nil {
			return 0
		}
		response.Body.Close()
		return response.StatusCode
	}
	require.Equal(t, 200, send(*good))

	flip := func(s string, i int) string { b := []byte(s); b[i] ^= 1; return string(b) }
	for i := range good.method {
		c := *good
		c.method = flip(c.method, i)
		assert.NotEqual(t, 200, send(c), "method, byte %d", i)
	}
	for i := range good.target {
		c := *good
		c.target = flip(c.target, i)
		assert.NotEqual(t, 200, send(c), "target, byte %d", i)
	}
	for i := range good.body {
		c := *good
		c.body = []byte(flip(string(c.body), i))
		assert.NotEqual(t, 200, send(c), "body, byte %d", i)
	}
	authorization := good.header.Get("Authorization")
	for i := range authorization {
		c := *good
		c.header = c.header.Clone()
		c.header.Set("Authorization", flip(authorization, i))
		assert.NotEqual(t, 200, send(c), "Authorization, byte %d", i)
	}
	for _, extra := range []struct{ name, target, body string }{
		{"query added", feedPath + "?a=1", string(good.body)}, {"bare ? added", feedPath + "?", string(good.body)},
		{"body longer", feedPath, string(good.body) + "\n"}, {"body shorter", feedPath, string(good.body[:len(good.body)-1])},
	} {
		c := *good
		c.target, c.body = extra.target, []byte(extra.body)
		assert.Equal(t, 401, send(c), extra.name)
	}
	refused := 0
	for _, entry := range s.Journal.All() {
		if !entry.Verified {
			refused++
		}
	}
	assert.Greater(t, refused, len(good.body)+len(authorization)/2, "the changed requests arrived")
	require.Equal(t, 200, send(*good), "the request itself stayed good; nonces may repeat")
}

// TestAnswerKeyFollowsTheRequest: the platform looks at Wechatpay-Serial where a field is encrypted,
// and signs with a key of its choice where the header names none of its keys.
func TestAnswerKeyFollowsTheRequest(t *testing.T) {
	s := newSandbox(t)
	older, newer := apiv3.Serial(s.Keys.Certificates()[0]), apiv3.Serial(s.Keys.Certificates()[1])
	const missing, wrong = "HTTP header缺少微信支付平台证书序列号(Wechatpay-Serial)", "平台证书序列号Wechatpay-Serial错误"
	for name, test := range map[string]struct {
		named  []string
		serial string
		refuse string // of a request with an encrypted field; empty takes it
	}{
		"public key":        {[]string{s.Keys.PublicKeyID()}, s.Keys.PublicKeyID(), ""},
		"older certificate": {[]string{older}, older, ""},
		"newer certificate": {[]string{newer}, newer, ""},
		"none":              {nil, older, missing},
		"empty":             {[]string{""}, older, missing},
		"unknown":           {[]string{strings.Repeat("7", 40)}, older, wrong},
		"lower case":        {[]string{strings.ToLower(newer)}, older, wrong},
		"zero lost":         {[]string{strings.TrimLeft(newer, "0")}, older, wrong},
		"merchant's own":    {[]string{s.Merchant().Serial}, older, wrong},
		"twice":             {[]string{newer, newer}, older, wrong},
	} {
		t.Run(name, func(t *testing.T) {
			send := func(method, target string, body any) answer {
				c := newCall(s, time.Now(), method, target, body)
				delete(c.header, "Wechatpay-Serial")
				if test.named != nil {
					c.header["Wechatpay-Serial"] = test.named
				}
				a := c.sign(s).send(t, s.Transport(), inProcess)
				assert.Equal(t, test.serial, a.Header.Get("Wechatpay-Serial"))
				verify(t, s, time.Now(), a)
				return a
			}
			require.Equal(t, 200, send("GET", "/v3/certificates", nil).StatusCode)

			key := any(s.Keys.PublicKey())
			for _, certificate := range s.Keys.Certificates() {
				if len(test.named) == 1 && apiv3.Serial(certificate) == test.named[0] {
					key = certificate.PublicKey
				}
			}
			secret, err := apiv3.RSA().Encrypt(key, []byte("秘密"))
			require.NoError(t, err)
			a := send("POST", "/v3/security/echo", map[string]any{
				"echo_message": "a", "encrypted_echo_message": base64.StdEncoding.EncodeToString(secret),
			})
			if test.refuse == "" {
				require.Equal(t, 200, a.StatusCode, "%s", a.body)
				return
			}
			require.Equal(t, 400, a.StatusCode)
			assert.Equal(t, map[string]any{"code": "PARAM_ERROR", "message": test.refuse}, a.json(t))
			assert.Regexp(t, `^[0-9A-F]{32}-268435461$`, a.Header.Get("Request-ID"))
		})
	}
}

// TestBareQuery: a ? without parameters is signed as it is sent. Without the rule, it may be left out.
func TestBareQuery(t *testing.T) {
	s := newSandbox(t)
	send := func(sent, signed string) int {
		c := newCall(s, time.Now(), "GET", sent, nil)
		c.target2 = signed
		return c.sign(s).send(t, s.Transport(), inProcess).StatusCode
	}
	const bare = "/v3/certificates?"
	assert.Equal(t, 200, send(bare, bare))
	assert.Equal(t, 401, send(bare, "/v3/certificates"))
	assert.Contains(t, lastEntry(t, s).Explanation, "bare-query")
	require.NoError(t, s.Rules.Relax(sandbox.BareQuery))
	assert.Equal(t, 200, send(bare, bare))
	assert.Equal(t, 200, send(bare, "/v3/certificates"))
	assert.Equal(t, 401, send("/v3/certificates?a=1", "/v3/certificates"), "with parameters nothing changes")
	assert.Equal(t, 401, send("/v3/certificates", bare), "nor the other way round")
}

func TestLanguages(t *testing.T) {
	s := unpaced(t)
	for accept, language := range map[string]string{
		"": "zh-CN", "zh-CN": "zh-CN", "zh-HK": "zh-CN", "fr": "zh-CN", "*": "zh-CN", "en-US": "zh-CN", "zh-CN, en": "zh-CN",
		"en": "en", "EN": "en", "en, zh-CN;q=0.5": "en", "en;q=0.9": "en",
	} {
		c := newCall(s, time.Now(), "POST", feedPath, map[string]any{})
		if accept != "" {
			c.header.Set("Accept-Language", accept)
		}
		a := c.sign(s).send(t, s.Transport(), inProcess)
		assert.Equal(t, language, a.Header.Get("Content-Language"), accept)
		message := map[string]string{
			"zh-CN": "输入源“/body/brand_id”映射到字段“品牌ID”必填性规则校验失败，此字段为必填项", "en": "the input “/body/brand_id” was refused: this field is required",
		}[language]
		assert.Equal(t, message, a.json(t)["message"], accept)
	}
}

func TestAnswerHeaders(t *testing.T) {
	server := sandbox.Start(t)
	s := server.Sandbox
	const signedNames = "Wechatpay-Nonce Wechatpay-Serial Wechatpay-Signature Wechatpay-Signature-Type Wechatpay-Timestamp"
	json := http.Header{
		"Server": {"nginx"}, "Content-Type": {"application/json; charset=utf-8"}, "Cache-Control": {"no-cache, must-revalidate"},
		"X-Content-Type-Options": {"nosniff"}, "Content-Language": {"zh-CN"}, "Keep-Alive": {"timeout=8"},
		"X-Sandbox": {"stateful"},
	}
	empty := json.Clone()
	empty.Del("Content-Type")
	bare := http.Header{"Server": {"nginx"}, "Keep-Alive": {"timeout=8"}, "Content-Length": {"0"}}

	require.Equal(t, 200, ask(t, s, "POST", "/v3/pay/transactions/native", native(s)).StatusCode)
	closing := map[string]any{"mchid": s.Merchant().ID}
	unauthorised := newCall(s, time.Now(), "GET", "/v3/certificates", nil)
	for name, test := range map[string]struct {
		call   *call
		status int
		header http.Header
		number string // of Request-ID; empty for none
		signed bool
	}{
		"200":         {newCall(s, time.Now(), "POST", feedPath, feed()).sign(s), 200, json, "0", true},
		"204":         {newCall(s, time.Now(), "POST", orderPath+"/close", closing).sign(s), 204, empty, "0", true},
		"400":         {newCall(s, time.Now(), "POST", feedPath, `{}`).sign(s), 400, json, "268435461", true},
		"404 signed":  {newCall(s, time.Now(), "GET", "/v3/pay/transactions/out-trade-no/NOTHING?mchid="+s.Merchant().ID, nil).sign(s), 404, json, "268512771", true},
		"401":         {unauthorised, 401, json, "268443699", false},
		"404 unknown": {newCall(s, time.Now(), "GET", "/v3/nothing", nil).sign(s), 404, bare, "", false},
		"405":         {newCall(s, time.Now(), "PUT", feedPath, feed()).sign(s), 405, bare, "", false},
	} {
		for way, send := range map[string]func() answer{
			"loopback":   func() answer { return test.call.send(t, newTransport(t), server.URL) },
			"in process": func() answer { return test.call.send(t, s.Transport(), inProcess) },
		} {
			t.Run(name+" "+way, func(t *testing.T) {
				a := send()
				require.Equal(t, test.status, a.StatusCode, "%s", a.body)
				got := a.Header.Clone()
				assert.NotEmpty(t, got.Get("Date"))
				got.Del("Date")
				if test.number != "" {
					assert.Regexp(t, `^[0-9A-F]{32}-`+test.number+`$`, got.Get("Request-ID"))
					got.Del("Request-ID")
				}
				if len(a.body) > 0 {
					assert.Equal(t, strconv.Itoa(len(a.body)), got.Get("Content-Length"))
					assert.EqualValues(t, len(a.body), a.ContentLength)
					got.Del("Content-Length")
				}
				if test.signed {
					verify(t, s, time.Now(), a)
					for _, name := range strings.Fields(signedNames) {
						assert.NotEmpty(t, got.Get(name), name)
						got.Del(name)
					}
				}
				assert.Equal(t, test.header, got, "no other header")
			})
		}
	}
}

func TestRequestIDsDiffer(t *testing.T) {
	s := newSandbox(t)
	a, b := ask(t, s, "GET", "/v3/certificates", nil), ask(t, s, "GET", "/v3/certificates", nil)
	assert.NotEqual(t, a.Header.Get("Request-ID"), b.Header.Get("Request-ID"))
	assert.NotEqual(t, a.Header.Get("Wechatpay-Nonce"), b.Header.Get("Wechatpay-Nonce"))
	entries := s.Journal.All()
	require.Len(t, entries, 2)
	assert.Equal(t, a.Header.Get("Request-ID"), entries[0].ID)
}

// TestAnswersAreNotEscaped keeps the bytes of responses as the platform writes them.
func TestAnswersAreNotEscaped(t *testing.T) {
	s := newSandbox(t)
	body := feed()
	body["cell_message"] = "<a>&b 会员"
	a := ask(t, s, "POST", feedPath, body)
	assert.Contains(t, string(a.body), `"<a>&b 会员"`)
	assert.False(t, bytes.HasSuffix(a.body, []byte("\n")))
	assert.True(t, json.Valid(a.body))
}
