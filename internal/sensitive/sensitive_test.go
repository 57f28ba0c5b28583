package sensitive_test

import (
	"context"
	"crypto"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/jsonwalk"
	"github.com/wxpay-go/wxpay/internal/sensitive"
	"github.com/wxpay-go/wxpay/internal/target"
)

// bracketed is a scheme whose ciphertext is the text in brackets.
type bracketed struct{ apiv3.Scheme }

func (bracketed) Encrypt(_ crypto.PublicKey, text []byte) ([]byte, error) {
	return []byte("[" + string(text) + "]"), nil
}

func encrypted(text string) string {
	return base64.StdEncoding.EncodeToString([]byte("[" + text + "]"))
}

// decrypted opens what bracketed made.
func decrypted(value []byte) ([]byte, error) {
	plain, err := base64.StdEncoding.DecodeString(string(value))
	if text := string(plain); err == nil && strings.HasPrefix(text, "[") {
		return []byte(strings.Trim(text, "[]")), nil
	}
	return nil, errors.New("no ciphertext")
}

var operation = fact.Operation{
	In: fact.Request{
		JSON: []fact.Field{
			{Name: "name", Alt: []string{"alias"}, Type: fact.String, Cipher: fact.RSA}, {Name: "note", Type: fact.String},
			{Name: "list", Type: "object[]", Fields: []fact.Field{{Name: "phones", Type: fact.Strings, Cipher: fact.RSA}}},
			{Name: "text", Type: fact.String, JSONText: true, Fields: []fact.Field{{Name: "name", Type: fact.String, Cipher: fact.RSA}}},
		},
		Query: []fact.Field{{Name: "phone", Type: fact.String, Cipher: fact.RSA}},
	},
}

var plans sensitive.Plans

func request(body string, rules ...sensitive.Rule) *sensitive.Request {
	r := &sensitive.Request{Plan: plans.Of(&operation), Rules: rules, Note: true}
	if body != "" {
		r.Body = []byte(body)
	}
	return r
}

func rule(t *testing.T, pointer string, plain bool) sensitive.Rule {
	t.Helper()
	names, err := jsonwalk.ParsePointer(pointer)
	require.NoError(t, err)
	return sensitive.Rule{Pointer: pointer, Names: names, Plain: plain}
}

var key = sensitive.Key{PlatformKey: apiv3.PlatformKey{Serial: "S1"}}

func TestEncrypt(t *testing.T) {
	token := string(sensitive.Token("张三"))
	for name, tt := range map[string]struct {
		body   string
		rules  []sensitive.Rule
		want   string
		serial string
		noted  []string
	}{
		"marked fields": {`{ "alias":"a","note":"b","list":[{"phones":["1","",null]}] }`, nil,
			`{ "alias":"` + encrypted("a") + `","note":"b","list":[{"phones":["` + encrypted("1") + `","",null]}] }`, "S1", []string{"/alias", "/list/0/phones/0"}},
		"inside of a text": {`{"text":"{\"name\":\"a\",\"x\":\"\u00e9\"}"}`, nil,
			`{"text":"{\"name\":\"` + encrypted("a") + `\",\"x\":\"\u00e9\"}"}`, "S1", []string{"/text/name"}},
		"a Secret": {`{"other":["` + token + `"]}`, nil, `{"other":["` + encrypted("张三") + `"]}`, "S1", nil},
		"rules win": {`{"name":"a","note":"b","list":[{"phones":["1"]},{"phones":["2"]}]}`, []sensitive.Rule{
			rule(t, "/list/1", true), rule(t, "/list/*/phones", false), rule(t, "/note", false), rule(t, "/name", true)},
			`{"name":"a","note":"` + encrypted("b") + `","list":[{"phones":["` + encrypted("1") + `"]},{"phones":["2"]}]}`, "S1", nil},
		"nothing marked": {`{"note":"b"}`, nil, `{"note":"b"}`, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := request(tt.body, tt.rules...).Encrypt(t.Context(), bracketed{}, key)
			require.NoError(t, err)
			assert.Equal(t, tt.want, string(got.Body))
			assert.Equal(t, tt.serial, got.Serial)
			assert.Equal(t, tt.noted, got.Noted)
		})
	}
}

func TestEncryptQuery(t *testing.T) {
	r := request("")
	r.Query = []target.Param{
		{Name: "phone", Values: []string{"1", ""}}, {Name: "other", Values: []string{string(sensitive.Token("x")), "y"}},
		{Name: "plain", Values: []string{"z"}},
	}
	require.True(t, r.Concerned())
	got, err := r.Encrypt(t.Context(), bracketed{}, key)
	require.NoError(t, err)
	assert.Equal(t, []target.Param{
		{Name: "phone", Values: []string{encrypted("1"), ""}}, {Name: "other", Values: []string{encrypted("x"), "y"}}, {Name: "plain", Values: []string{"z"}},
	}, got.Query)
	assert.Equal(t, "1", r.Query[0].Values[0], "the chain's own values stay")
}

func TestEncryptMistakes(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	broken := string(sensitive.Token("a")) + "x"
	for name, tt := range map[string]struct {
		body    string
		ctx     context.Context
		key     sensitive.Key
		rules   []sensitive.Rule
		pointer string // of a FieldError
		says    string
	}{
		"no key":                 {body: `{"name":"a"}`, key: sensitive.Key{Err: errors.New("no key today")}, pointer: "/name", says: "no key today"},
		"an ended context":       {body: `{"name":"a"}`, ctx: ended, pointer: "/name", says: "context canceled"},
		"an object":              {body: `{"name":{"a":1}}`, pointer: "/name", says: "is an object"},
		"an array":               {body: `{"name":["a"]}`, pointer: "/name", says: "is an array"},
		"a number":               {body: `{"list":[{"phones":[7]}]}`, pointer: "/list/0/phones/0", says: "quote it"},
		"encrypted already":      {body: `{"name":"` + base64.StdEncoding.EncodeToString(make([]byte, 256)) + `"}`, pointer: "/name", says: "encrypted already"},
		"a broken token":         {body: `{"note":"` + broken + `"}`, pointer: "/note", says: "Secret that was changed"},
		"a token amid text":      {body: `{"note":"a ` + broken + `"}`, pointer: "/note", says: "amid other text"},
		"a token as a name":      {body: `{"` + broken + `":1}`, pointer: "/" + broken, says: "name of a"},
		"no JSON in a text":      {body: `{"text":"x"}`, pointer: "/text", says: "text that is not JSON"},
		"no JSON":                {body: `{"name":`, says: "cannot be read"},
		"a rule without a field": {body: `{}`, rules: []sensitive.Rule{rule(t, "/a", true)}, says: `Plain("/a")`},
		"a rule without a body":  {rules: []sensitive.Rule{rule(t, "/a", false)}, says: `Encrypt("/a")`},
	} {
		t.Run(name, func(t *testing.T) {
			if tt.ctx == nil {
				tt.ctx = t.Context()
			}
			r := request(tt.body, tt.rules...)
			require.True(t, r.Concerned())
			_, err := r.Encrypt(tt.ctx, bracketed{}, tt.key)
			require.ErrorContains(t, err, tt.says)
			var at *jsonwalk.FieldError
			if assert.Equal(t, tt.pointer != "", errors.As(err, &at)) && at != nil {
				assert.Equal(t, tt.pointer, at.Pointer)
			}
		})
	}
	assert.False(t, (&sensitive.Request{Plan: plans.Of(nil), Body: []byte(`{"name":"a"}`)}).Concerned())
}

func TestToken(t *testing.T) {
	token := sensitive.Token("a")
	assert.True(t, sensitive.IsToken(token))
	assert.True(t, sensitive.HasToken("x"+string(token)))
	assert.Equal(t, token, sensitive.Token(string(token)), "it stays itself")
	assert.NotEqual(t, token, sensitive.Token("a"), "one is like no other")
	assert.Empty(t, sensitive.Token(""))
}

func TestDecrypt(t *testing.T) {
	root := &sensitive.Field{Inner: sensitive.NewShape(operation.In.JSON, false)}
	text := `{ "alias":"` + encrypted("<\n>") + `", "note":"\u00e9","list":[{"phones":["` + encrypted("1") +
		`","x",7]}],"text":"{\"name\":\"` + encrypted(`"`) + `\"}","name":{}}`
	got, faults, err := sensitive.Decrypt([]byte(text), root, decrypted)
	require.NoError(t, err)
	assert.Equal(t, `{ "alias":"<\n>", "note":"\u00e9","list":[{"phones":["1","x",7]}],"text":"{\"name\":\"\\\"\"}","name":{}}`, string(got))
	require.Len(t, faults, 3)
	assert.EqualError(t, faults[0].Err, "no ciphertext")
	assert.Equal(t, "/list/0/phones/1", faults[0].Pointer)
	for i, pointer := range []string{"/list/0/phones/2", "/name"} {
		assert.Equal(t, pointer, faults[i+1].Pointer)
		assert.ErrorIs(t, faults[i+1], sensitive.ErrPlain)
	}
	_, faults, err = sensitive.Decrypt([]byte(`{"name":"`+base64.StdEncoding.EncodeToString([]byte("[\xff]"))+`"}`), root, decrypted)
	require.NoError(t, err)
	require.Len(t, faults, 1)
	assert.ErrorContains(t, faults[0], "not UTF-8")
	_, _, err = sensitive.Decrypt([]byte(`{"name":`), root, decrypted)
	require.ErrorIs(t, err, jsonwalk.ErrNotJSON)
}

// The key of an encrypted bill is no text: it stays as it came.
func TestKeyOfABill(t *testing.T) {
	fields := []fact.Field{{Name: "encrypt_key", Cipher: fact.RSA}, {Name: "download_url"}, {Name: "nonce"}}
	assert.Nil(t, sensitive.NewShape(fields, false))
	assert.NotNil(t, sensitive.NewShape(fields[:2], false))
}
