//go:build go1.25

package wxpay_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/middleware"
)

// facts is a catalogue of a test's own.
type facts []fact.Operation

func (f facts) Lookup(method, path string) (*fact.Operation, bool) {
	for i := range f {
		if f[i].Method == method && f[i].Path == path {
			return &f[i], true
		}
	}
	return nil, false
}

// marked has every form in which members are marked: {name}, nested, in arrays of objects, in arrays of strings, in a JSON
// text, under another name, and in the query.
var marked = facts{
	{Method: "POST", Path: "/v3/marked", In: fact.Request{JSON: []fact.Field{
		{Name: "name", Type: fact.String, Cipher: fact.RSA, Alt: []string{"full_name"}},
		{Name: "names", Type: fact.Strings, Cipher: fact.RSA},
		{Name: "plain", Type: fact.String},
		{Name: "payer", Type: fact.Object, Fields: []fact.Field{
			{Name: "name", Type: fact.String, Cipher: fact.RSA},
			{Name: "identity", Type: fact.Object, Fields: []fact.Field{{Name: "number", Type: fact.String, Cipher: fact.RSA}}},
		}},
		{Name: "receivers", Type: fact.Objects, Fields: []fact.Field{{Name: "name", Type: fact.String, Cipher: fact.RSA}, {Name: "amount", Type: fact.Integer}}},
		{Name: "text", Type: fact.String, JSONText: true, Fields: []fact.Field{{Name: "phone", Type: fact.String, Cipher: fact.RSA}}},
	}}},
	{Method: "GET", Path: "/v3/marked", In: fact.Request{Query: []fact.Field{
		{Name: "number", Type: fact.String, Cipher: fact.RSA}, {Name: "offset", Type: fact.Integer},
		{Name: "text", Type: fact.String, JSONText: true, Fields: []fact.Field{{Name: "phone", Type: fact.String, Cipher: fact.RSA}}},
	}}},
	{Method: "POST", Path: "/v3/unmarked", In: fact.Request{JSON: []fact.Field{{Name: "name", Type: fact.String}}}},
}

var ciphertexts = regexp.MustCompile(`[A-Za-z0-9+/]{342}==`)

// unsealed returns text with every ciphertext for key replaced by its plain text in angle quotes.
func unsealed(t testing.TB, key *rsa.PrivateKey, text string) string {
	return ciphertexts.ReplaceAllStringFunc(text, func(ciphertext string) string {
		sealed, err := base64.StdEncoding.DecodeString(ciphertext)
		require.NoError(t, err)
		plain, err := rsa.DecryptOAEP(sha1.New(), nil, key, sealed, nil)
		require.NoError(t, err)
		return "«" + string(plain) + "»"
	})
}

func ciphertext(t testing.TB, key *rsa.PrivateKey, plain string) string {
	sealed, err := apiv3.RSA().Encrypt(key.Public(), []byte(plain))
	require.NoError(t, err)
	return base64.StdEncoding.EncodeToString(sealed)
}

func bodyText(t testing.TB, req *http.Request) string {
	body, err := io.ReadAll(req.Body)
	require.NoError(t, err)
	return string(body)
}

func TestEncrypt(t *testing.T) {
	type identity struct {
		Number string `json:"number"`
	}
	type payer struct {
		Name     string    `json:"name"`
		Identity *identity `json:"identity,omitempty"`
	}
	type order struct {
		Payer payer `json:"payer"`
		Plain string
	}
	tests := []struct {
		name string
		body any
		want string
	}{
		{"a map", wxpay.JSON{"name": "张三", "plain": "张三"}, `{"name":"«张三»","plain":"张三"}`},
		{"a map of maps", map[string]any{"payer": map[string]string{"name": "A", "other": "B"}}, `{"payer":{"name":"«A»","other":"B"}}`},
		{"a struct", order{payer{"A", &identity{"1"}}, "x"}, `{"payer":{"name":"«A»","identity":{"number":"«1»"}},"Plain":"x"}`},
		{"bytes", []byte(`{"name":"A"}`), `{"name":"«A»"}`},
		{"a raw message", json.RawMessage(`{"name":"A"}`), `{"name":"«A»"}`},
		{"a string", `{"name":"A"}`, `{"name":"«A»"}`},
		{"another name", `{"full_name":"A"}`, `{"full_name":"«A»"}`},
		{"an array of objects", wxpay.JSON{"receivers": []wxpay.JSON{{"name": "A", "amount": 1}, {"amount": 2}, {"name": "B"}}},
			`{"receivers":[{"amount":1,"name":"«A»"},{"amount":2},{"name":"«B»"}]}`},
		{"an array of strings", wxpay.JSON{"names": []any{"A", nil, "", "B"}}, `{"names":["«A»",null,"","«B»"]}`},
		{"empty arrays and objects", `{"names":[],"receivers":[ ],"payer":{}}`, `{"names":[],"receivers":[ ],"payer":{}}`},
		{"an object where an array is documented", `{"receivers":{"name":"A"}}`, `{"receivers":{"name":"«A»"}}`},
		{"an array where an object is documented", `{"payer":[{"name":"A"}]}`, `{"payer":[{"name":"«A»"}]}`},
		{"null and empty stay", `{"name":null,"payer":{"name":""},"receivers":null}`, `{"name":null,"payer":{"name":""},"receivers":null}`},
		{"order, white space and numbers stay", " {\r\n\t\"plain\" : 1.50e+01 ,\"name\":\n\"A\" , \"x\":[ 1 , true,{} ] }\n",
			" {\r\n\t\"plain\" : 1.50e+01 ,\"name\":\n\"«A»\" , \"x\":[ 1 , true,{} ] }\n"},
		{"duplicate keys", `{"name":"A","name":"B","payer":{"name":"C"},"payer":{"name":"D"}}`,
			`{"name":"«A»","name":"«B»","payer":{"name":"«C»"},"payer":{"name":"«D»"}}`},
		{"escapes elsewhere stay", `{"plain":"\u00e9\/\n","name":"A"}`, `{"plain":"\u00e9\/\n","name":"«A»"}`},
		{"escapes inside are read", `{"name":"\u5f20\u4e09\/\"\\\b\f\n\r\t\ud83d\ude00"}`, "{\"name\":\"«张三/\"\\\b\f\n\r\t😀»\"}"},
		{"a name that is half a character", `{"\ud800":1,"name":"A"}`, `{"\ud800":1,"name":"«A»"}`},
		{"an escaped name", `{"n\u0061me":"A"}`, `{"n\u0061me":"«A»"}`},
		{"the case of names counts", `{"Name":"A"}`, `{"Name":"A"}`},
		{"the same name elsewhere", `{"other":{"name":"A"},"plain":"name"}`, `{"other":{"name":"A"},"plain":"name"}`},
		{"a JSON text in a string", `{"text":"{ \"phone\" : \"1\", \"\\u0061\":\"\\\/\u00e9\" }"}`, `{"text":"{ \"phone\" : \"«1»\", \"\\u0061\":\"\\\/\u00e9\" }"}`},
		{"escapes before what is inside a JSON text", `{"text":"{\"\u00e9\ud83d\ude00é\/\":\t1,\"phone\":\"1\",\"phone\":\"2\"}"}`,
			`{"text":"{\"\u00e9\ud83d\ude00é\/\":\t1,\"phone\":\"«1»\",\"phone\":\"«2»\"}"}`},
		{"a JSON text in a plain string", wxpay.JSON{"text": `{"phone":"1"}`}, `{"text":"{\"phone\":\"«1»\"}"}`},
		{"an empty JSON text", `{"text":" "}`, `{"text":" "}`},
		{"the object that a JSON text stands for", `{"text":{"phone":"1"}}`, `{"text":{"phone":"«1»"}}`},
		{"a JSON text where an object is documented", `{"payer":"{\"name\":\"A\"}"}`, `{"payer":"{\"name\":\"«A»\"}"}`},
		{"the longest value", wxpay.JSON{"name": strings.Repeat("x", 214)}, `{"name":"«` + strings.Repeat("x", 214) + `»"}`},
		{"a top level that is an array", `[1,{"name":"A"}]`, `[1,{"name":"«A»"}]`},
		{"a top level that is neither", `12`, `12`},
		{"nothing marked", `{"plain":"A"}`, `{"plain":"A"}`},
	}
	client := newClient(t, wxpay.WithCatalog(marked))
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before, err := json.Marshal(tt.body)
			require.NoError(t, err)
			req, err := client.Chain("v3/marked").Request(context.Background(), "POST", tt.body)
			require.NoError(t, err)
			sent := bodyText(t, req)
			assert.Equal(t, tt.want, unsealed(t, testKeys().platform, sent))
			assert.Equal(t, testKeyID, req.Header.Get("Wechatpay-Serial"))
			assert.Equal(t, int64(len(sent)), req.ContentLength)
			requireSigned(t, req, "/v3/marked", sent)
			after, err := json.Marshal(tt.body)
			require.NoError(t, err)
			assert.Equal(t, string(before), string(after), "the caller's value is never changed")
		})
	}
}

func TestEncryptByPointer(t *testing.T) {
	encrypt := func(pointers ...string) func(wxpay.Chain) wxpay.Chain {
		return func(c wxpay.Chain) wxpay.Chain {
			for _, pointer := range pointers {
				c = c.Encrypt(pointer)
			}
			return c
		}
	}
	tests := []struct {
		name string
		do   func(wxpay.Chain) wxpay.Chain
		body any
		want string
	}{
		{"a member", encrypt("/plain"), `{"plain":"A","name":"B"}`, `{"plain":"«A»","name":"«B»"}`},
		{"what is marked anyway", encrypt("/name"), `{"name":"B"}`, `{"name":"«B»"}`},
		{"nested", encrypt("/a/b/c"), `{"a":{"b":{"c":"A","d":"B"}},"c":"C"}`, `{"a":{"b":{"c":"«A»","d":"B"}},"c":"C"}`},
		{"an element", encrypt("/a/1", "/b/0/c"), `{"a":["A","B"],"b":[{"c":"C"},{"c":"D"}]}`, `{"a":["A","«B»"],"b":[{"c":"«C»"},{"c":"D"}]}`},
		{"every element", encrypt("/b/*/c"), `{"b":[{"c":"C"},{},{"c":"D"}]}`, `{"b":[{"c":"«C»"},{},{"c":"«D»"}]}`},
		{"every element of none", encrypt("/b/*/c"), `{"b":[]}`, `{"b":[]}`},
		{"an array", encrypt("/a"), `{"a":["A","",null,"B"]}`, `{"a":["«A»","",null,"«B»"]}`},
		{"a star is a name in an object", encrypt("/*"), `{"*":"A","b":"B"}`, `{"*":"«A»","b":"B"}`},
		{"escapes of pointers", encrypt("/a~1b/c~0d"), `{"a/b":{"c~d":"A"}}`, `{"a/b":{"c~d":"«A»"}}`},
		{"an empty name", encrypt("/"), `{"":"A"}`, `{"":"«A»"}`},
		{"into a JSON text", encrypt("/plain/a/0"), `{"plain":"{\"a\":[\"A\"]}"}`, `{"plain":"{\"a\":[\"«A»\"]}"}`},
		{"null and empty", encrypt("/a", "/b"), `{"a":null,"b":""}`, `{"a":null,"b":""}`},
		{"plain", func(c wxpay.Chain) wxpay.Chain { return c.Plain("/name") }, `{"name":"A","payer":{"name":"B"}}`, `{"name":"A","payer":{"name":"«B»"}}`},
		{"everything inside is plain", func(c wxpay.Chain) wxpay.Chain { return c.Plain("/payer") },
			`{"name":"A","payer":{"name":"B","identity":{"number":"C"}}}`, `{"name":"«A»","payer":{"name":"B","identity":{"number":"C"}}}`},
		{"an element is plain", func(c wxpay.Chain) wxpay.Chain { return c.Plain("/names/0") }, `{"names":["A","B"]}`, `{"names":["A","«B»"]}`},
		{"what is not JSON may be plain", func(c wxpay.Chain) wxpay.Chain { return c.Plain("/text") }, `{"text":"no JSON"}`, `{"text":"no JSON"}`},
		{"the later wins: Encrypt", func(c wxpay.Chain) wxpay.Chain { return c.Plain("/payer").Encrypt("/payer/name") },
			`{"payer":{"name":"B","identity":{"number":"C"}}}`, `{"payer":{"name":"«B»","identity":{"number":"C"}}}`},
		{"the later wins: Plain", func(c wxpay.Chain) wxpay.Chain { return c.Encrypt("/a").Plain("/a") }, `{"a":"A"}`, `{"a":"A"}`},
		{"the later wins: Plain above", func(c wxpay.Chain) wxpay.Chain { return c.Encrypt("/payer/name").Plain("/payer") },
			`{"payer":{"name":"B"}}`, `{"payer":{"name":"B"}}`},
		{"the later wins: the star", func(c wxpay.Chain) wxpay.Chain { return c.Encrypt("/a/*").Plain("/a/1") }, `{"a":["A","B"]}`, `{"a":["«A»","B"]}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			client := newClient(t, wxpay.WithCatalog(marked))
			req, err := tt.do(client.Chain("v3/marked")).Request(context.Background(), "POST", tt.body)
			require.NoError(t, err)
			assert.Equal(t, tt.want, unsealed(t, testKeys().platform, bodyText(t, req)))
		})
	}
	t.Run("without a catalogue", func(t *testing.T) {
		req, err := newClient(t, wxpay.WithCatalog(nil)).Chain("v3/new").Encrypt("/a/*/name").Request(context.Background(), "POST", `{"name":"A","a":[{"name":"B"}]}`)
		require.NoError(t, err)
		assert.Equal(t, `{"name":"A","a":[{"name":"«B»"}]}`, unsealed(t, testKeys().platform, bodyText(t, req)))
	})
}

func TestEncryptRefuses(t *testing.T) {
	deep := strings.Repeat("[", 2000)
	tests := []struct {
		name string
		do   func(wxpay.Chain) wxpay.Chain
		body any
		says string
	}{
		{"a number", nil, `{"payer":{"identity":{"number":42}}}`, "field /payer/identity/number: it is to be encrypted and is no string"},
		{"a boolean", nil, `{"name":true}`, "field /name: it is to be encrypted and is no string"},
		{"an object", nil, `{"receivers":[{},{"name":{"secret":"SECRET"}}]}`, "field /receivers/1/name: it is to be encrypted and is an object"},
		{"an array", nil, `{"name":["SECRET"]}`, "field /name: it is to be encrypted and is an array"},
		{"a number in an array", nil, `{"names":["A",1]}`, "field /names/1: it is to be encrypted and is no string"},
		{"too long", nil, wxpay.JSON{"name": strings.Repeat("SECRET ", 31)}, "field /name: plaintext too long: 217 bytes of UTF-8, at most 214 fit"},
		{"too long by one, in UTF-8", nil, wxpay.JSON{"name": strings.Repeat("秘", 71) + "xx"},
			"field /name: plaintext too long: 215 bytes of UTF-8, at most 214 fit"},
		{"no JSON", nil, `name=SECRET`, "the body may hold what is to be encrypted and cannot be read: it is not JSON: a value is missing or unknown at byte 0"},
		{"half of it", nil, `{"name":"SECRET`, "cannot be read: it is not JSON: a string does not end"},
		{"something after it", nil, `{"plain":"x"}{"name":"SECRET"}`, "something follows the value at byte 13"},
		{"a trailing comma", nil, `{"plain":1,}`, "a field's name is missing"},
		{"a control character", nil, "{\"name\":\"SECRET\n\"}", "a string has a control character"},
		{"an unknown escape", nil, `{"name":"\xSECRET"}`, "an escape is not known"},
		{"no UTF-8", nil, "{\"name\":\"SECRET\xff\"}", "field /name: it is not UTF-8"},
		{"no UTF-8 amid escapes", nil, "{\"name\":\"\\nSECRET\xff\"}", "field /name: it is not UTF-8"},
		{"half a character before another", nil, `{"name":"SECRET\ud83d\u0041"}`, "field /name: it has half a character"},
		{"an end in an escape", nil, `{"name":"SECRET\`, "a string does not end"},
		{"an end in a number", nil, `{"name":"SECRET\u12`, "an escape is not complete"},
		{"half a character", nil, `{"name":"SECRET\ud800"}`, "field /name: it has half a character"},
		{"too deep", nil, `{"plain":` + deep, "nested deeper than 1000"},
		{"a text that is not JSON", nil, `{"text":"SECRET"}`, "field /text: what is to be encrypted is inside, and it is a text that is not JSON"},
		{"a JSON text that is not UTF-8", nil, "{\"text\":\"{\xff}\"}", "field /text: it is not UTF-8"},
		{"a text in place of the body", nil, `"SECRET"`, "not sent: the body: what is to be encrypted is inside, and it is a text that is not JSON"},
		{"a mistake inside a JSON text", nil, `{"text":"{\"phone\":1}"}`, "field /text/phone: it is to be encrypted and is no string"},
		{"a pointer to nothing", func(c wxpay.Chain) wxpay.Chain { return c.Encrypt("/nmae") }, `{"name":"A"}`, `Encrypt("/nmae"): the request has no such field`},
		{"a plain pointer to nothing", func(c wxpay.Chain) wxpay.Chain { return c.Plain("/payer/nmae") }, `{"payer":{"name":"A"}}`,
			`Plain("/payer/nmae"): the request has no such field`},
		{"a pointer past an array", func(c wxpay.Chain) wxpay.Chain { return c.Encrypt("/receivers/name") }, `{"receivers":[{"name":"A"}]}`,
			"write * for each element"},
		{"an index past the end", func(c wxpay.Chain) wxpay.Chain { return c.Encrypt("/names/2") }, `{"names":["A","B"]}`, "the request has no such field"},
		{"an index with a zero before it", func(c wxpay.Chain) wxpay.Chain { return c.Encrypt("/names/00") }, `{"names":["A","B"]}`, "the request has no such field"},
		{"a pointer and no body", func(c wxpay.Chain) wxpay.Chain { return c.Encrypt("/name") }, nil, "the request has no such field"},
		{"a pointer to an object", func(c wxpay.Chain) wxpay.Chain { return c.Encrypt("/payer") }, `{"payer":{"name":"A"}}`,
			"field /payer: it is to be encrypted and is an object: name its fields"},
		{"a pointer to a number", func(c wxpay.Chain) wxpay.Chain { return c.Encrypt("/plain") }, `{"plain":1}`,
			"field /plain: it is to be encrypted and is no string"},
		{"a pointer without a slash", func(c wxpay.Chain) wxpay.Chain { return c.Encrypt("name") }, `{}`,
			`Encrypt: "name" is not a JSON pointer to a field: it begins with a slash`},
		{"a pointer with a bad escape", func(c wxpay.Chain) wxpay.Chain { return c.Plain("/a~2") }, `{}`, `Plain: "/a~2" is not a JSON pointer: after ~ comes 0`},
		{"the empty pointer", func(c wxpay.Chain) wxpay.Chain { return c.Encrypt("") }, `{}`, "is not a JSON pointer to a field"},
	}
	client := newClient(t, wxpay.WithCatalog(marked), wxpay.WithTransport(answer{trip: func(*http.Request) { t.Error("something was sent") }}))
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			chain := client.Chain("v3/marked")
			if tt.do != nil {
				chain = tt.do(chain)
			}
			_, err := chain.Post(context.Background(), tt.body)
			require.ErrorContains(t, err, tt.says)
			assert.Equal(t, wxpay.NotSent, wxpay.OutcomeOf(err))
			require.ErrorIs(t, err, wxpay.StageBuild)
			assert.NotContains(t, err.Error(), "SECRET")
			assert.NotContains(t, err.Error(), "\n")
			_, err = chain.PostAsync(context.Background(), tt.body).Wait(context.Background())
			require.ErrorContains(t, err, tt.says)
		})
	}
	_, err := client.Chain("v3/marked").Post(context.Background(), `{"payer":{"name":1}}`)
	var member *wxpay.FieldError
	require.ErrorAs(t, err, &member)
	assert.Equal(t, "/payer/name", member.Pointer)
	_, err = client.Chain("v3/marked").Post(context.Background(), wxpay.JSON{"name": strings.Repeat("x", 215)})
	require.ErrorIs(t, err, apiv3.ErrTooLong)
}

// What is JSON, and what is not, is as encoding/json has it.
func TestEncryptReadsJSON(t *testing.T) {
	client := newClient(t, wxpay.WithCatalog(marked))
	for _, body := range []string{
		`{}`, `[]`, ` [ ] `, `{"a":{}}`, `0`, `-0`, `-1.5E+10`, `1e5`, `0.0e-0`, `true`, `false`, `"\u00eF\"\\\/\b\f\n\r\t"`,
		`[1,[2,{"a":[null]}]]`, "\t{}\r\n", `{"\ud800":1}`,
		``, `{`, `}`, `{"a"`, `{"a":`, `{"a":1`, `{"a" 1}`, `{"a":1 "b":2}`, `{a:1}`, `{,}`, `{"a":1,}`, `{"a":}`, `[`, `[1`, `[1,`, `[,]`,
		`[1 2]`, `[1]]`, `{}{}`, `01`, `-`, `-a`, `+1`, `.5`, `1.`, `1.e1`, `1e`, `1e+`,
		`0x1`, `tru`, `truex`, `nul`, `True`, `"`, `"\`, `"\"`, `"\u12"`, `"\u12g4"`, `"\uD83D`, `"\x"`, "\"\n\"", "\"\x00\"", `'a'`, "\ufeff{}",
		"{}\x00", `// {}`, `NaN`,
	} {
		body = `{"plain":` + body + `}`
		_, err := client.Chain("v3/marked").Request(context.Background(), "POST", body)
		if json.Valid([]byte(body)) {
			require.NoError(t, err, body)
		} else {
			require.ErrorContains(t, err, "it is not JSON", body)
		}
	}
}

// otherKey is a key whose ciphertexts have no form of their own, and otherScheme one for such keys.
type (
	otherKey    struct{ *rsa.PublicKey }
	otherScheme struct{ apiv3.Scheme }
)

func (otherKey) Size()                                    {} // hides that of RSA
func (k otherKey) Equal(other crypto.PublicKey) bool      { return other == crypto.PublicKey(k) }
func (otherScheme) CheckPublicKey(crypto.PublicKey) error { return nil }
func (otherScheme) Encrypt(_ crypto.PublicKey, plain []byte) ([]byte, error) {
	return append([]byte("sealed "), plain...), nil
}

// Another scheme encrypts in its own way, and its ciphertexts cannot be told from texts.
func TestEncryptByAnotherScheme(t *testing.T) {
	client, err := wxpay.New(wxpay.Merchant{ID: testMerchant, Serial: testSerial, PrivateKey: testKeys().merchant},
		wxpay.WithPublicKey(testKeyID, otherKey{&testKeys().platform.PublicKey}), wxpay.WithScheme(otherScheme{apiv3.RSA()}), wxpay.WithCatalog(marked))
	require.NoError(t, err)
	text := strings.Repeat("A", 342) + "=="
	req, err := client.Chain("v3/marked").Request(context.Background(), "POST", wxpay.JSON{"name": text})
	require.NoError(t, err)
	assert.Equal(t, `{"name":"`+base64.StdEncoding.EncodeToString([]byte("sealed "+text))+`"}`, bodyText(t, req))
}

// What is not to be encrypted travels as it is, however it is written.
func TestEncryptLeavesTheRestAlone(t *testing.T) {
	client := newClient(t, wxpay.WithCatalog(marked))
	for _, body := range []string{`{"name":"A"`, `{"name":1}`, strings.Repeat("[", 5000)} {
		req, err := client.Chain("v3/unmarked").Request(context.Background(), "POST", body)
		require.NoError(t, err)
		assert.Equal(t, body, bodyText(t, req))
	}
}

// certificate returns a platform certificate for key that is valid at those times.
func certificate(t testing.TB, key *rsa.PrivateKey, serial int64, from, to time.Time) *x509.Certificate {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: new(big.Int).Lsh(big.NewInt(serial), 150), Subject: pkix.Name{CommonName: "Tenpay.com sign"}, NotBefore: from, NotAfter: to,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	parsed, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return parsed
}

// The key is the client's one choice, or the one that the caller names; the header always names the key that was used.
func TestEncryptChoosesOneKey(t *testing.T) {
	keys := testKeys()
	now := time.Now()
	older := certificate(t, keys.platform, 5, now.Add(-time.Hour), now.Add(time.Hour))
	newer := certificate(t, keys.other, 6, now.Add(-time.Hour), now.Add(2*time.Hour))
	expired := certificate(t, keys.platform, 7, now.Add(-2*time.Hour), now.Add(-time.Hour))
	public := wxpay.WithPublicKey(testKeyID, keys.platform.Public())
	certificates := wxpay.WithPlatformCertificates
	inClear, inCipher := `{"name":"SECRET"}`, `{"name":"`+ciphertext(t, keys.other, "A")+`"}`
	both := `{"name":"B","payer":{"name":"` + ciphertext(t, keys.other, "A") + `"}}`
	tests := []struct {
		name   string
		keys   []wxpay.Option
		serial string // set by the caller
		body   string
		key    *rsa.PrivateKey // opens what is sent
		want   string
		header string
		says   string
	}{
		{"the public key goes first", []wxpay.Option{certificates(newer), public}, "", inClear, keys.platform, `{"name":"«SECRET»"}`, testKeyID, ""},
		{"the certificate that expires last", []wxpay.Option{certificates(older, newer, expired)}, "", inClear, keys.other, `{"name":"«SECRET»"}`,
			apiv3.Serial(newer), ""},
		{"the named one", []wxpay.Option{certificates(older, newer), public}, apiv3.Serial(newer), inClear, keys.other, `{"name":"«SECRET»"}`,
			apiv3.Serial(newer), ""},
		{"the named one, also for what remains", []wxpay.Option{certificates(newer), public}, apiv3.Serial(newer), both, keys.other,
			`{"name":"«B»","payer":{"name":"«A»"}}`, apiv3.Serial(newer), ""},
		{"an unknown one with nothing in clear", []wxpay.Option{public}, "PUB_KEY_ID_9", inCipher, keys.other, `{"name":"«A»"}`, "PUB_KEY_ID_9", ""},
		{"an expired one with nothing in clear", []wxpay.Option{public, certificates(expired)}, apiv3.Serial(expired), inCipher, keys.other,
			`{"name":"«A»"}`, apiv3.Serial(expired), ""},
		{"an unknown one", []wxpay.Option{public}, "PUB_KEY_ID_9", inClear, nil, "", "",
			`field /name: it cannot be encrypted with the key that Wechatpay-Serial names, "PUB_KEY_ID_9": unknown platform key`},
		{"an unknown one for what remains", []wxpay.Option{public}, "PUB_KEY_ID_9", both, nil, "", "", "unknown platform key"},
		{"an expired one", []wxpay.Option{public, certificates(expired)}, apiv3.Serial(expired), inClear, nil, "", "", "outside its validity"},
		{"expired certificates only", []wxpay.Option{certificates(expired)}, "", inClear, nil, "", "",
			"field /name: there is no platform key to encrypt with: every certificate is outside its validity"},
		{"ciphertext of a key that is not named", []wxpay.Option{public}, "", inCipher, nil, "", "",
			`field /name: it is encrypted already: name its key with Header("Wechatpay-Serial", …)`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			options := append([]wxpay.Option{wxpay.WithCatalog(marked),
				wxpay.WithTransport(answer{trip: func(*http.Request) { t.Error("something was sent") }})}, tt.keys...)
			client, err := wxpay.New(wxpay.Merchant{ID: testMerchant, Serial: testSerial, PrivateKey: keys.merchant}, options...)
			require.NoError(t, err)
			chain := client.Chain("v3/marked")
			if tt.serial != "" {
				chain = chain.Header("wechatpay-serial", tt.serial)
			}
			req, err := chain.Request(context.Background(), "POST", tt.body)
			if tt.says != "" {
				require.ErrorContains(t, err, tt.says)
				assert.NotContains(t, err.Error(), "SECRET")
				_, err = chain.Post(context.Background(), tt.body)
				require.ErrorContains(t, err, tt.says)
				assert.Equal(t, wxpay.NotSent, wxpay.OutcomeOf(err))
				// A call without any key may be made as it is once there is one: an outbox must not end it.
				assert.Equal(t, strings.Contains(tt.says, "there is no platform key"), errors.Is(err, wxpay.StageKeys))
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tt.want, unsealed(t, tt.key, bodyText(t, req)))
			assert.Equal(t, tt.header, req.Header.Get("Wechatpay-Serial"))
		})
	}
	t.Run("almost a ciphertext is a text", func(t *testing.T) {
		client := newClient(t, wxpay.WithCatalog(marked))
		for name, text := range map[string]string{
			"one character less": strings.Repeat("A", 343), "another alphabet": strings.Repeat("-", 342) + "==", "another length": strings.Repeat("A", 344),
		} {
			_, err := client.Chain("v3/marked").Request(context.Background(), "POST", wxpay.JSON{"name": text})
			require.ErrorIs(t, err, apiv3.ErrTooLong, name)
		}
	})
}

func TestEncryptQuery(t *testing.T) {
	client := newClient(t, wxpay.WithCatalog(marked))
	ctx := context.Background()
	tests := []struct {
		name  string
		chain wxpay.Chain
		want  string
	}{
		{"marked", client.Chain("v3/marked").Query("number", "张三").Query("offset", 1), "number=«张三»&offset=1"},
		{"not marked", client.Chain("v3/marked").Query("offset", 1).Query("other", "A"), "offset=1&other=A"},
		{"empty", client.Chain("v3/marked").Query("number", ""), "number="},
		{"several", client.Chain("v3/marked").Query("number", []string{"A", "", "B"}), "number=«A»&number=&number=«B»"},
		{"a JSON text", client.Chain("v3/marked").Query("text", `{"phone":"1"}`), `text={"phone":"«1»"}`},
		{"by pointer", client.Chain("v3/marked").Query("other", "A").Encrypt("/other"), "other=«A»"},
		{"by pointer into a JSON text", client.Chain("v3/marked").Query("other", `{"a":["A"]}`).Encrypt("/other/a/*"), `other={"a":["«A»"]}`},
		{"plain", client.Chain("v3/marked").Query("number", "A").Plain("/number"), "number=A"},
		{"a Secret", client.Chain("v3/marked").Query("other", wxpay.Secret("A&=")), "other=«A&=»"},
		{"Secrets", client.Chain("v3/marked").Query("other", []wxpay.Secret{"A", "", "B"}), "other=«A»&other=&other=«B»"},
		{"a Secret in a marked one", client.Chain("v3/marked").Query("number", wxpay.Secret("A")), "number=«A»"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for range 2 { // a chain is a value
				req, err := tt.chain.Request(ctx, "GET", nil)
				require.NoError(t, err)
				requireSigned(t, req, req.URL.RequestURI(), "")
				var got []string
				for pair := range strings.SplitSeq(req.URL.RawQuery, "&") {
					name, value, _ := strings.Cut(pair, "=")
					plain, err := url.PathUnescape(value)
					require.NoError(t, err)
					got = append(got, name+"="+unsealed(t, testKeys().platform, plain))
				}
				assert.Equal(t, tt.want, strings.Join(got, "&"))
				assert.Equal(t, testKeyID, req.Header.Get("Wechatpay-Serial"))
			}
		})
	}
	for name, tt := range map[string]struct {
		chain wxpay.Chain
		says  string
	}{
		"too long":           {client.Chain("v3/marked").Query("number", strings.Repeat("S", 215)), "field /number: plaintext too long"},
		"no UTF-8":           {client.Chain("v3/marked").Query("number", "S\xff"), `query field "number": it is not UTF-8`},
		"no JSON text":       {client.Chain("v3/marked").Query("text", "S"), "field /text: what is to be encrypted is inside"},
		"a plain Secret":     {client.Chain("v3/marked").Query("x", wxpay.Secret("S")).Plain("/x"), "field /x: it is a Secret, which never travels plain"},
		"no such member":     {client.Chain("v3/marked").Query("x", "S").Encrypt("/y"), `Encrypt("/y"): the request has no such field`},
		"ciphertext unnamed": {client.Chain("v3/marked").Query("number", ciphertext(t, testKeys().platform, "S")), "it is encrypted already"},
	} {
		_, err := tt.chain.Get(ctx)
		require.ErrorContains(t, err, tt.says, name)
		assert.Equal(t, wxpay.NotSent, wxpay.OutcomeOf(err), name)
	}
	// One pointer may name a member of both.
	req, err := client.Chain("v3/unmarked").Query("a", "A").Encrypt("/a").Request(ctx, "POST", `{"a":"B"}`)
	require.NoError(t, err)
	assert.Equal(t, `{"a":"«B»"}`, unsealed(t, testKeys().platform, bodyText(t, req)))
	assert.NotEqual(t, "a=A", req.URL.RawQuery)
}

// Encryption is random, so it happens once per call: what is sent again is the same, byte for byte. A new call is sealed
// anew.
func TestEncryptOncePerCall(t *testing.T) {
	var sent []string
	twice := func(next http.RoundTripper) http.RoundTripper {
		return middleware.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
			again := req.Clone(req.Context())
			again.Body, _ = req.GetBody()
			if _, err := next.RoundTrip(req); err != nil {
				return nil, err
			}
			return next.RoundTrip(again)
		})
	}
	client := newClient(t, wxpay.WithCatalog(marked), wxpay.WithMiddleware(twice), wxpay.WithTransport(answer{trip: func(req *http.Request) {
		sent = append(sent, bodyText(t, req)+req.URL.RawQuery)
	}}))
	for range 2 {
		_, err := client.Chain("v3/marked").Query("q", wxpay.Secret("Q")).Post(context.Background(), wxpay.JSON{"name": "A"})
		require.NoError(t, err)
	}
	require.Len(t, sent, 4)
	assert.Equal(t, sent[0], sent[1])
	assert.Equal(t, sent[2], sent[3])
	assert.NotEqual(t, sent[0], sent[2])
}

// A call in the background is encrypted before the verb returns, too.
func TestEncryptBeforeAsyncReturns(t *testing.T) {
	var sent string
	client := newClient(t, wxpay.WithCatalog(marked), wxpay.WithTransport(answer{trip: func(req *http.Request) { sent = bodyText(t, req) }}))
	body := wxpay.JSON{"name": "A"}
	future := client.Chain("v3/marked").PostAsync(context.Background(), body)
	body["name"] = "changed"
	_, err := future.Wait(context.Background())
	require.NoError(t, err)
	assert.Equal(t, `{"name":"«A»"}`, unsealed(t, testKeys().platform, sent))
}

func TestEncryptEndsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	why := errors.New("the caller left")
	cancel(why)
	_, err := newClient(t, wxpay.WithCatalog(marked)).Chain("v3/marked").Post(ctx, wxpay.JSON{"name": "A"})
	require.ErrorIs(t, err, why)
	assert.Equal(t, wxpay.NotSent, wxpay.OutcomeOf(err))
}

func TestEncryptInParallel(t *testing.T) {
	client := newClient(t)
	stem := client.Chain("v3/pay/transactions/native").Encrypt("/attach")
	body := wxpay.JSON{"attach": "A", "payer": wxpay.JSON{"identity": wxpay.JSON{"number": wxpay.Secret("N"), "name": "B"}}}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			req, err := stem.Request(context.Background(), "POST", body)
			if assert.NoError(t, err) {
				assert.Equal(t, `{"attach":"«A»","payer":{"identity":{"name":"«B»","number":"«N»"}}}`, unsealed(t, testKeys().platform, bodyText(t, req)))
			}
		})
	}
	wg.Wait()
}
