package sandbox_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/sandbox"
)

// quick signs without RSA, in as many bytes; it encrypts as ever.
type quick struct{ apiv3.Scheme }

func (quick) Sign(key crypto.Signer, message []byte) ([]byte, error) {
	sum := sha256.Sum256(append(key.Public().(*rsa.PublicKey).N.Bytes(), message...))
	return bytes.Repeat(sum[:], 256/len(sum)), nil
}

func (q quick) Verify(key crypto.PublicKey, message, signature []byte) error {
	sum := sha256.Sum256(append(key.(*rsa.PublicKey).N.Bytes(), message...))
	if !bytes.Equal(signature, bytes.Repeat(sum[:], 256/len(sum))) {
		return apiv3.ErrSignature
	}
	return nil
}

// sampler makes valid requests from the facts alone.
type sampler struct {
	t testing.TB
	s *sandbox.Sandbox
	// every has the optional members too.
	every bool
	// scheme says who calls.
	scheme fact.Scheme
}

// of returns m for one operation.
func (m sampler) of(o *fact.Operation) sampler {
	m.scheme = o.Scheme
	return m
}

// own is the key that responses are encrypted to.
func (m sampler) own() *rsa.PrivateKey {
	if m.scheme == fact.BrandScheme {
		return m.brand().PrivateKey
	}
	return m.s.Merchant().PrivateKey
}

func (m sampler) text(field *fact.Field) string {
	text := "value-" + field.Name
	switch {
	case len(field.Enum) > 0:
		return fmt.Sprint(field.Enum[len(field.Enum)-1])
	case field.JSONText:
		object, err := json.Marshal(m.object(field.Fields))
		require.NoError(m.t, err)
		return string(object)
	case field.Name == "mchid", field.Name == "sp_mchid":
		return m.s.Merchant().ID
	case field.Format == "rfc3339":
		return "2026-11-24T10:34:56+08:00"
	case field.Format == "date":
		return "2026-11-24"
	case field.Format == "url":
		return "https://merchant.example/notify"
	case field.Name == "notify_url":
		return "https://merchant.example/notify"
	}
	switch field.Type.Element() {
	case fact.Integer, fact.Number:
		text = "7"
	case fact.Boolean:
		text = "true"
	}
	if field.Cipher == fact.RSA {
		return m.seal(text)
	}
	return text
}

func (m sampler) seal(text string) string {
	key := m.s.Keys.PublicKey()
	if m.scheme == fact.BrandScheme {
		key = m.brand().PublicKey
	}
	sealed, err := apiv3.RSA().Encrypt(key, []byte(text))
	require.NoError(m.t, err)
	return base64.StdEncoding.EncodeToString(sealed)
}

func (m sampler) value(field *fact.Field) any {
	if element := field.Type.Element(); element != field.Type {
		one := *field
		one.Type = element
		return []any{m.value(&one)}
	}
	switch field.Type {
	case fact.Object:
		return m.object(field.Fields)
	case fact.Integer, fact.Number, fact.Boolean:
		if len(field.Enum) > 0 {
			return field.Enum[len(field.Enum)-1]
		}
		return json.RawMessage(m.text(field))
	}
	return m.text(field)
}

func (m sampler) object(fields []fact.Field) map[string]any {
	object := make(map[string]any, len(fields))
	for i := range fields {
		if field := &fields[i]; field.Required || m.every {
			object[field.Name] = m.value(field)
		}
	}
	return object
}

// call is a signed call of the operation.
func (m sampler) call(o *fact.Operation, now time.Time) *call {
	m = m.of(o)
	var path []string
	at := 0
	for segment := range strings.SplitSeq(o.Path, "/") {
		if strings.HasPrefix(segment, "{") {
			segment = url.PathEscape(m.text(&o.In.Path[at]))
			at++
		}
		path = append(path, segment)
	}
	target := strings.Join(path, "/")
	query := url.Values{}
	for i := range o.In.Query {
		if field := &o.In.Query[i]; field.Required || m.every {
			query.Set(field.Name, m.text(field))
		}
	}
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	var body any
	if len(o.In.JSON) > 0 {
		body = m.object(o.In.JSON)
	}
	c := newCall(m.s, now, o.Method, target, body)
	if m.scheme == fact.BrandScheme {
		c.header.Set("Wechatpay-Serial", m.brand().PublicKeyID)
	}
	for i := range o.In.Header {
		if field := &o.In.Header[i]; c.header.Get(field.Name) == "" {
			c.header.Set(field.Name, m.text(field))
		}
	}
	if m.scheme == fact.BrandScheme {
		return m.signForBrand(c)
	}
	return m.sign(c)
}

func (m sampler) brand() sandbox.Brand {
	b, err := m.s.Brand()
	require.NoError(m.t, err)
	return b
}

func (m sampler) signForBrand(c *call) *call {
	b, a := m.brand(), c.authorization
	a.Scheme, a.Identity, a.ID, a.Serial = apiv3.Brand().Name(), "brand_id", b.ID, b.Serial
	header, _, err := apiv3.SignRequest(apiv3.Brand(), b.PrivateKey, a, c.method, c.target, c.body)
	require.NoError(m.t, err)
	c.header.Set("Authorization", header)
	return c
}

func (m sampler) sign(c *call) *call {
	a := c.authorization
	signature, err := quick{}.Sign(m.s.Merchant().PrivateKey, apiv3.AppendRequestMessage(nil, c.method, c.target, a.Timestamp, a.Nonce, c.body))
	require.NoError(m.t, err)
	a.Signature = base64.StdEncoding.EncodeToString(signature)
	c.header.Set("Authorization", string(a.AppendTo(nil)))
	return c
}

// answered checks an object of a response against its facts and returns what is wrong with it.
func (m sampler) answered(place string, fields []fact.Field, object map[string]any) (wrong []string) {
	known := make(map[string]bool)
	for i := range fields {
		field := &fields[i]
		known[field.Name] = true
		value, there := object[field.Name]
		for _, alt := range field.Alt {
			known[alt] = true
			if !there {
				value, there = object[alt]
			}
		}
		if !there {
			if field.Required {
				wrong = append(wrong, place+"/"+field.Name+" is missing")
			}
			continue
		}
		wrong = append(wrong, m.fits(place+"/"+field.Name, field, field.Type, value)...)
	}
	for name := range object {
		if !known[name] {
			wrong = append(wrong, place+"/"+name+" is not documented")
		}
	}
	return wrong
}

func (m sampler) fits(place string, field *fact.Field, kind fact.Type, value any) (wrong []string) {
	ok := false
	if element := kind.Element(); element != kind {
		var list []any
		if list, ok = value.([]any); ok {
			for i, one := range list {
				wrong = append(wrong, m.fits(place+"/"+strconv.Itoa(i), field, element, one)...)
			}
		}
	} else {
		switch kind {
		case fact.Object:
			var object map[string]any
			if object, ok = value.(map[string]any); ok {
				return m.answered(place, field.Fields, object)
			}
		case fact.Integer, fact.Number:
			_, ok = value.(float64)
			texts := false
			if len(field.Enum) > 0 {
				_, texts = field.Enum[0].(string) // documented so once, for a number
			}
			ok = ok && (len(field.Enum) == 0 || texts || slices.Contains(field.Enum, any(int64(value.(float64)))))
		case fact.Boolean:
			_, ok = value.(bool)
		default:
			var text string
			text, ok = value.(string)
			switch {
			case !ok:
			case text == "" && field.Required && field.Name != "next_page_token" && !strings.HasPrefix(place, "/links/"):
				return []string{place + " is empty"}
			case field.Cipher == fact.RSA:
				sealed, err := base64.StdEncoding.DecodeString(text)
				if err == nil {
					_, err = apiv3.RSA().Decrypt(m.own(), sealed)
				}
				ok = err == nil
			case field.JSONText:
				ok = json.Valid([]byte(text))
			case field.Format == "rfc3339":
				at, err := time.Parse(time.RFC3339, text)
				_, offset := at.Zone()
				ok = err == nil && offset == 8*60*60
			case field.Format == "date":
				_, err := time.Parse(time.DateOnly, text)
				ok = err == nil
			case len(field.Enum) > 0:
				ok = slices.Contains(field.Enum, any(text))
			}
		}
	}
	if !ok {
		wrong = append(wrong, fmt.Sprintf("%s is %v, no %s of its kind", place, value, kind))
	}
	return wrong
}

// TestEveryOperationAnswers calls all documented operations, with the required members and with every member.
func TestEveryOperationAnswers(t *testing.T) {
	s := newSandbox(t, fixed(noon), sandbox.WithScheme(quick{apiv3.RSA()}))
	count := make(map[string]int)
	for _, every := range []bool{false, true} {
		m := sampler{t: t, s: s, every: every}
		for o := range catalog.V3().All() {
			if len(o.In.Form) > 0 || o.Response == fact.StreamResponse {
				continue
			}
			name := fmt.Sprintf("%s %s (every member: %v)", o.Method, o.Path, every)
			c := m.call(o, noon)
			a := c.send(t, s.Transport(), inProcess)
			depth := a.Header.Get(sandbox.HeaderSandbox)
			count[depth]++
			if depth == "stateful" { // has tests of its own
				assert.NotEmpty(t, a.Header.Get("Request-ID"), name)
				continue
			}
			if !assert.Equal(t, "canned", depth, name) || !assert.Equalf(t, o.Success, a.StatusCode, "%s: %s", name, a.body) {
				continue
			}
			assert.NotEmpty(t, a.Header.Get("Wechatpay-Signature"), name)
			if o.Response == fact.EmptyResponse {
				assert.Empty(t, a.body, name)
				continue
			}
			assert.Empty(t, m.of(o).answered("", o.Out, a.json(t)), name)
			if !varies(o.Out) {
				assert.Equal(t, string(a.body), string(c.send(t, s.Transport(), inProcess).body), "%s: the same request is answered the same", name)
			}
		}
	}
	assert.Greater(t, count["canned"]+count["stateful"], 2*990)
	assert.Greater(t, count["canned"], 2*900)
}

// varies reports whether a response differs each time: encryption is random, and a link is good
// once.
func varies(fields []fact.Field) bool {
	return slices.ContainsFunc(fields, func(field fact.Field) bool {
		return field.Cipher != fact.Plain || strings.HasSuffix(field.Name, "download_url") || varies(field.Fields)
	})
}

// TestCannedLink downloads the file that a canned answer tells of.
func TestCannedLink(t *testing.T) {
	s := newSandbox(t, fixed(noon), sandbox.WithScheme(quick{apiv3.RSA()}))
	told := operationCall(t, s, true, "GET /v3/funds-to-oversea/bill-download-url").send(t, s.Transport(), inProcess).json(t)
	target, ours := strings.CutPrefix(told["download_url"].(string), inProcess)
	require.True(t, ours, told)
	file := sampler{t: t, s: s}.sign(newCall(s, noon, "GET", target, nil)).send(t, s.Transport(), inProcess)
	require.Equal(t, 200, file.StatusCode, "%s", file.body)
	assert.Equal(t, "SHA1", told["hash_type"])
	assert.Equal(t, told["hash_value"], fmt.Sprintf("%x", sha1.Sum(file.body)))
}

// operationCall is a valid call of one operation.
func operationCall(t testing.TB, s *sandbox.Sandbox, every bool, operation string) *call {
	t.Helper()
	method, path, _ := strings.Cut(operation, " ")
	o, known := catalog.V3().Lookup(method, path)
	require.True(t, known, operation)
	return sampler{t: t, s: s, every: every}.call(o, noon)
}

func TestCannedAnswerRepeatsTheRequest(t *testing.T) {
	s := newSandbox(t, fixed(noon), sandbox.WithScheme(quick{apiv3.RSA()}))
	m := sampler{t: t, s: s}
	send := func(method, target string, body any) map[string]any {
		t.Helper()
		a := m.sign(newCall(s, noon, method, target, body)).send(t, s.Transport(), inProcess)
		require.Equal(t, 200, a.StatusCode, "%s", a.body)
		require.Equal(t, "canned", a.Header.Get("X-Sandbox"))
		return a.json(t)
	}
	parking := send("POST", "/v3/vehicle/transactions/parking", map[string]any{
		"appid": "wx1", "description": "d", "out_trade_no": "ORDER-1", "attach": "a", "trade_scene": "PARKING",
		"notify_url": "https://shop.example.com/notify", "amount": map[string]any{"total": 42},
	})
	assert.Equal(t, "ORDER-1", parking["out_trade_no"])
	assert.Equal(t, "a", parking["attach"])
	assert.Equal(t, "wx1", parking["appid"])
	assert.EqualValues(t, 42, parking["amount"].(map[string]any)["total"], "in the same place")
	assert.Equal(t, "SUCCESS", parking["trade_state"], "the state of what went well")
	assert.Regexp(t, `^4200001234\d{18}$`, parking["transaction_id"])

	abroad := operationCall(t, s, false, "POST /v3/global/micropay/transactions/pay").send(t, s.Transport(), inProcess)
	assert.Contains(t, abroad.json(t), "mchid")
	assert.NotContains(t, abroad.json(t), "sp_mchid", "an identity of the other kind of caller")
}

// TestCannedPages reads a list page by page.
func TestCannedPages(t *testing.T) {
	s := newSandbox(t, fixed(noon), sandbox.WithScheme(quick{apiv3.RSA()}))
	m := sampler{t: t, s: s}
	const coupons = "/v3/marketing/busifavor/users/o1/coupons?appid=wx1"
	page := func(target string) map[string]any {
		t.Helper()
		a := m.sign(newCall(s, noon, "GET", target, nil)).send(t, s.Transport(), inProcess)
		require.Equal(t, 200, a.StatusCode, "%s", a.body)
		return a.json(t)
	}
	whole := page(coupons + "&offset=0&limit=10")
	require.Len(t, whole["data"], 2)
	assert.EqualValues(t, 2, whole["total_count"])
	assert.EqualValues(t, 0, whole["offset"])
	assert.EqualValues(t, 10, whole["limit"])
	elements := whole["data"].([]any)
	assert.NotEqual(t, elements[0], elements[1])
	for i, element := range elements {
		one := page(fmt.Sprintf("%s&offset=%d&limit=1", coupons, i))
		assert.Equal(t, []any{element}, one["data"], "a page of the same list")
		assert.EqualValues(t, 2, one["total_count"])
		assert.EqualValues(t, i, one["offset"])
	}
	assert.Empty(t, page(coupons + "&offset=2&limit=10")["data"])
}

func TestCannedAnswerIsTheSameForASeed(t *testing.T) {
	made := make(map[string]int)
	for _, seed := range []uint64{1, 1, 2} {
		s := newSandbox(t, fixed(noon), sandbox.WithSeed(seed), sandbox.WithScheme(quick{apiv3.RSA()}))
		a := operationCall(t, s, false, "POST /v3/vehicle/transactions/parking").send(t, s.Transport(), inProcess)
		require.Equal(t, 200, a.StatusCode, "%s", a.body)
		made[string(a.body)]++
	}
	assert.ElementsMatch(t, []int{2, 1}, slices.Collect(maps.Values(made)))
}

// TestCannedChecks spoils valid requests.
func TestCannedChecks(t *testing.T) {
	s := newSandbox(t, fixed(noon), sandbox.WithScheme(quick{apiv3.RSA()}))
	const (
		applyment = "POST /v3/apply4sub/sub_merchants/{sub_mchid}/modify-settlement" // has an encrypted member
		list      = "GET /v3/marketing/busifavor/users/{openid}/coupons"
		build     = "POST /v3/marketing/partnerships/build"
		exposure  = "POST /v3/pay/instal/exposure"
	)
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	edit := func(name string, value any) func(*call) {
		return func(c *call) {
			var body map[string]any
			require.NoError(t, json.Unmarshal(c.body, &body))
			if body[name] = value; value == nil {
				delete(body, name)
			}
			c.body, err = json.Marshal(body)
			require.NoError(t, err)
		}
	}
	sealed := func(key *rsa.PublicKey) string {
		ciphertext, err := apiv3.RSA().Encrypt(key, []byte("6214"))
		require.NoError(t, err)
		return base64.StdEncoding.EncodeToString(ciphertext)
	}
	for name, test := range map[string]struct {
		operation string
		spoil     func(*call)
		status    int
		message   string // a part of it
	}{
		"valid":                   {applyment, func(*call) {}, 200, ""},
		"missing member":          {applyment, edit("account_type", nil), 400, "“/body/account_type”映射到字段“账户类型”必填性规则校验失败，此字段为必填项"},
		"wrong type":              {applyment, edit("account_type", 1), 400, "/body/account_type"},
		"unknown member":          {applyment, edit("account_kind", "1"), 400, "未知的参数"},
		"plain text":              {applyment, edit("account_number", "6214830012345678"), 400, "平台私钥解密失败"},
		"another's key":           {applyment, edit("account_number", sealed(&other.PublicKey)), 400, "平台私钥解密失败"},
		"the merchant's own key":  {applyment, edit("account_number", sealed(&s.Merchant().PrivateKey.PublicKey)), 400, "平台私钥解密失败"},
		"key that is not named":   {applyment, func(c *call) { c.header.Set("Wechatpay-Serial", apiv3.Serial(s.Keys.Certificates()[0])) }, 400, "平台私钥解密失败"},
		"unknown serial":          {applyment, func(c *call) { c.header.Set("Wechatpay-Serial", "PUB_KEY_ID_0") }, 400, "平台证书序列号Wechatpay-Serial错误"},
		"no serial":               {applyment, func(c *call) { c.header.Del("Wechatpay-Serial") }, 400, "HTTP header缺少微信支付平台证书序列号"},
		"no body":                 {applyment, func(c *call) { c.body = nil }, 400, ""},
		"unknown path":            {applyment, func(c *call) { c.target += "/now" }, 404, ""},
		"wrong method":            {applyment, func(c *call) { c.method = "GET" }, 405, ""},
		"missing query member":    {list, func(c *call) { c.target = "/v3/marketing/busifavor/users/o1/coupons?limit=1" }, 400, "/query/"},
		"query of the wrong type": {list, func(c *call) { c.target += "&limit=many" }, 400, "/query/"},
		"another's number":        {exposure, edit("mchid", "1900000999"), 400, "与Http头Authorization中的mchid不一致"},
		"missing header":          {build, func(c *call) { c.header.Del("Idempotency-Key") }, 400, "/header/Idempotency-Key"},
	} {
		t.Run(name, func(t *testing.T) {
			c := operationCall(t, s, false, test.operation)
			test.spoil(c)
			a := sampler{t: t, s: s}.sign(c).send(t, s.Transport(), inProcess)
			require.Equal(t, test.status, a.StatusCode, "%s", a.body)
			if test.message == "" {
				return
			}
			assert.Equal(t, "PARAM_ERROR", a.json(t)["code"])
			assert.Contains(t, a.json(t)["message"], test.message)
			assert.Equal(t, "canned", a.Header.Get("X-Sandbox"))
		})
	}
}
