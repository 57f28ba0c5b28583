//go:build go1.25

package wxpay_test

import (
	"context"
	"crypto"
	"encoding/base64"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/fact"
)

// answering is an operation whose answer has marked members in every form.
var answering = facts{{Method: "GET", Path: "/v3/marked", Out: []fact.Field{
	{Name: "name", Type: fact.String, Cipher: fact.RSA},
	{Name: "plain", Type: fact.String},
	{Name: "data", Type: fact.Objects, Fields: []fact.Field{
		{Name: "phone", Type: fact.String, Cipher: fact.RSA}, {Name: "chosen", Type: fact.Strings, Cipher: fact.RSA}, {Name: "id", Type: fact.Integer},
	}},
	{Name: "text", Type: fact.String, JSONText: true, Fields: []fact.Field{{Name: "phone", Type: fact.String, Cipher: fact.RSA}}},
	{Name: "bills", Type: fact.Objects, Fields: []fact.Field{
		{Name: "download_url", Type: fact.String}, {Name: "encrypt_key", Type: fact.String, Cipher: fact.RSA}, {Name: "nonce", Type: fact.String},
	}},
	{Name: "certificate", Type: fact.String, Cipher: fact.AES},
}}}

func TestDecrypt(t *testing.T) {
	seal := func(plain string) string { return ciphertext(t, testKeys().merchant, plain) }
	other := ciphertext(t, testKeys().platform, "not for us")
	slashes := seal("A")
	for !strings.Contains(slashes, "/") {
		slashes = seal("A")
	}
	binary := seal("\xff\x00key")
	tests := []struct {
		name  string
		body  string
		want  string
		fails map[string]string // pointer → what it says
	}{
		{"a member", `{"name":"` + seal("张\"三\n") + `","plain":"x"}`, `{"name":"张\"三\n","plain":"x"}`, nil},
		{"arrays", `{"data":[{"id":1,"phone":"` + seal("1") + `","chosen":["` + seal("a") + `","",null]},{"id":2}]}`,
			`{"data":[{"id":1,"phone":"1","chosen":["a","",null]},{"id":2}]}`, nil},
		{"white space and order stay", " {\n\"plain\" : 1.0e0 , \"name\":\t\"" + seal("A") + "\"}\n", " {\n\"plain\" : 1.0e0 , \"name\":\t\"A\"}\n", nil},
		{"escaped slashes of base64", `{"name":"` + strings.ReplaceAll(slashes, "/", `\/`) + `"}`, `{"name":"A"}`, nil},
		{"in a JSON text", `{"text":"{\"phone\":\"` + seal(`"`) + `\"}"}`, `{"text":"{\"phone\":\"\\\"\"}"}`, nil},
		{"what is not UTF-8", "{\"name\":\"" + seal("A") + "\",\"plain\":\"\xff\"}", "{\"name\":\"A\",\"plain\":\"\ufffd\"}", nil},
		{"nothing marked", `{"plain":"x","certificate":"y"}`, `{"plain":"x","certificate":"y"}`, nil},
		{"null and empty", `{"name":null,"data":[{"phone":""}],"text":""}`, `{"name":null,"data":[{"phone":""}],"text":""}`, nil},
		{"the key of a bill stays", `{"bills":[{"download_url":"u","encrypt_key":"` + binary + `","nonce":"n"}]}`,
			`{"bills":[{"download_url":"u","encrypt_key":"` + binary + `","nonce":"n"}]}`, nil},
		{"in clear", `{"name":"张三","data":[{"phone":"` + seal("1") + `"}]}`, `{"name":"张三","data":[{"phone":"1"}]}`, map[string]string{"/name": "it is not base64"}},
		{"for another key", `{"name":"` + other + `"}`, `{"name":"` + other + `"}`, map[string]string{"/name": "decryption failed"}},
		{"a binary", `{"name":"` + binary + `"}`, `{"name":"` + binary + `"}`, map[string]string{"/name": "its plaintext is not UTF-8"}},
		{"wrong types", `{"name":1,"data":[{"phone":{},"chosen":"` + seal("a") + `"},{"phone":["x"]}]}`,
			`{"name":1,"data":[{"phone":{},"chosen":"a"},{"phone":["x"]}]}`,
			map[string]string{"/name": "is not", "/data/0/phone": "is documented as encrypted and is not", "/data/1/phone": "is not"}},
		{"a text that is not JSON", `{"text":"x","name":"` + seal("A") + `"}`, `{"text":"x","name":"A"}`, map[string]string{"/text": "is not"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			client := newClient(t, wxpay.WithCatalog(answering), wxpay.WithTransport(answer{body: tt.body}))
			res, err := client.Chain("v3/marked").Get(context.Background())
			require.NoError(t, err, "a member that cannot be decrypted never makes a success an error")
			assert.Equal(t, strings.TrimSpace(tt.want), strings.TrimSpace(res.Get("@this").Raw))
			assert.Equal(t, tt.body, string(res.Raw()))
			var decoded, want any
			require.NoError(t, res.Decode(&decoded))
			plain := newClient(t, wxpay.WithTransport(answer{body: tt.want}))
			res2, err := plain.Chain("v3/marked").Get(context.Background())
			require.NoError(t, err)
			require.NoError(t, res2.Decode(&want))
			assert.Equal(t, want, decoded)
			require.NoError(t, res2.DecryptErr())

			failed := res.DecryptErr()
			if len(tt.fails) == 0 {
				require.NoError(t, failed)
				return
			}
			joined, ok := failed.(interface{ Unwrap() []error })
			require.True(t, ok)
			require.Len(t, joined.Unwrap(), len(tt.fails))
			for _, err := range joined.Unwrap() {
				var member *wxpay.FieldError
				require.ErrorAs(t, err, &member)
				require.Contains(t, tt.fails, member.Pointer)
				assert.ErrorContains(t, member.Err, tt.fails[member.Pointer])
			}
			assert.NotContains(t, failed.Error(), "张三")
			assert.NotContains(t, failed.Error(), "\n")
		})
	}
	t.Run("the cause can be asked for", func(t *testing.T) {
		client := newClient(t, wxpay.WithCatalog(answering), wxpay.WithTransport(answer{body: `{"name":"` + other + `"}`}))
		res, err := client.Chain("v3/marked").Get(context.Background())
		require.NoError(t, err)
		require.ErrorIs(t, res.DecryptErr(), apiv3.ErrDecrypt)
	})
	t.Run("many faults are cut short", func(t *testing.T) {
		body := `{"data":[` + strings.Repeat(`{"phone":"in clear"},`, 99) + `{}]}`
		client := newClient(t, wxpay.WithCatalog(answering), wxpay.WithTransport(answer{body: body}))
		res, err := client.Chain("v3/marked").Get(context.Background())
		require.NoError(t, err)
		assert.ErrorContains(t, res.DecryptErr(), "99 fields of the response could not be decrypted: field /data/0/phone: it is not base64; ")
		assert.ErrorContains(t, res.DecryptErr(), "and 94 more")
	})
}

// What no member is marked of costs nothing and is never touched.
func TestDecryptOnlyWhatIsMarked(t *testing.T) {
	sealed := ciphertext(t, testKeys().merchant, "A")
	body := `{"name":"` + sealed + `"}`
	for name, tt := range map[string]struct {
		options []wxpay.Option
		answer  answer
	}{
		"no catalogue":         {[]wxpay.Option{wxpay.WithCatalog(nil)}, answer{body: body}},
		"an unknown operation": {[]wxpay.Option{wxpay.WithCatalog(facts{})}, answer{body: body}},
		"not JSON":             {[]wxpay.Option{wxpay.WithCatalog(answering)}, answer{body: "name=" + sealed}},
	} {
		t.Run(name, func(t *testing.T) {
			client := newClient(t, append(tt.options, wxpay.WithTransport(tt.answer))...)
			res, err := client.Chain("v3/marked").Get(context.Background())
			require.NoError(t, err)
			require.NoError(t, res.DecryptErr())
			assert.Equal(t, tt.answer.body, string(res.Raw()))
			if res.Get("name").Exists() {
				assert.Equal(t, sealed, res.Get("name").String())
			}
		})
	}
	t.Run("a refusal", func(t *testing.T) {
		client := newClient(t, wxpay.WithCatalog(answering), wxpay.WithTransport(answer{status: 400, body: `{"code":"PARAM_ERROR","name":"` + sealed + `"}`}))
		_, err := client.Chain("v3/marked").Get(context.Background())
		var refusal *wxpay.APIError
		require.ErrorAs(t, err, &refusal)
		assert.Contains(t, string(refusal.Raw), sealed)
	})
	t.Run("deeper than anybody nests", func(t *testing.T) {
		body := `{"name":"` + sealed + `","x":` + strings.Repeat("[", 1500) + strings.Repeat("]", 1500) + `}`
		client := newClient(t, wxpay.WithCatalog(answering), wxpay.WithTransport(answer{body: body}))
		_, err := client.Chain("v3/marked").Get(context.Background())
		assert.ErrorContains(t, err, "nested deeper than 1000")
	})
}

// signOnly is a key that lives where it does not decrypt.
type signOnly struct{ crypto.Signer }

func TestDecryptWithoutADecrypter(t *testing.T) {
	client, err := wxpay.New(wxpay.Merchant{ID: testMerchant, Serial: testSerial, PrivateKey: signOnly{testKeys().merchant}},
		wxpay.WithPublicKey(testKeyID, testKeys().platform.Public()), wxpay.WithCatalog(answering),
		wxpay.WithTransport(answer{body: `{"name":"` + ciphertext(t, testKeys().merchant, "A") + `"}`}))
	require.NoError(t, err)
	res, err := client.Chain("v3/marked").Get(context.Background())
	require.NoError(t, err)
	assert.Len(t, res.Get("name").String(), 344)
	assert.ErrorContains(t, res.DecryptErr(), "crypto.Decrypter")
	_, err = client.Decrypt(context.Background(), res.Get("name").String())
	assert.ErrorContains(t, err, "crypto.Decrypter")
}

func TestDecryptInParallel(t *testing.T) {
	client := newClient(t, wxpay.WithCatalog(answering), wxpay.WithTransport(answer{body: `{"name":"` + ciphertext(t, testKeys().merchant, "A") + `"}`}))
	res, err := client.Chain("v3/marked").Get(context.Background())
	require.NoError(t, err)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			assert.Equal(t, "A", res.Get("name").String())
			assert.NoError(t, res.DecryptErr())
		})
	}
	wg.Wait()
}

// Every operation of the catalogue whose answer has marked members, the response built from the
// facts.
func TestDecryptEveryOperation(t *testing.T) {
	operations := 0
	for operation := range catalog.V3().All() {
		fields := withoutBillKeys(operation.Out)
		_, want, marked := sample(fields, "")
		if marked == 0 {
			continue
		}
		operations++
		text := want
		for i := strings.Index(text, "«"); i >= 0; i = strings.Index(text, "«") {
			plain, rest, _ := strings.Cut(text[i+len("«"):], "»")
			text = text[:i] + ciphertext(t, testKeys().merchant, plain) + rest
		}
		name := operation.Method + " " + operation.Path
		chain := newClient(t, wxpay.WithTransport(answer{body: text})).Chain(operation.Path).Unbind()
		for _, field := range operation.In.Path {
			chain = chain.Var(field.Name, "1")
		}
		res, err := chain.Do(context.Background(), operation.Method, nil)
		require.NoError(t, err, name)
		require.NoError(t, res.DecryptErr(), name)
		assert.Equal(t, strings.NewReplacer("«", "", "»", "").Replace(want), res.Get("@this").Raw, name)
	}
	assert.GreaterOrEqual(t, operations, 10, "operations with marked answers")
}

// withoutBillKeys leaves out encrypt_key, which is no text.
func withoutBillKeys(fields []fact.Field) (rest []fact.Field) {
	for _, field := range fields {
		if field.Name != "encrypt_key" {
			field.Fields = withoutBillKeys(field.Fields)
			rest = append(rest, field)
		}
	}
	return rest
}

func TestByHand(t *testing.T) {
	ctx := context.Background()
	client := newClient(t)
	sealed, serial, err := client.Encrypt(ctx, "张三")
	require.NoError(t, err)
	assert.Equal(t, testKeyID, serial)
	assert.Equal(t, "«张三»", unsealed(t, testKeys().platform, sealed))
	_, _, err = client.Encrypt(ctx, strings.Repeat("S", 215))
	require.ErrorIs(t, err, apiv3.ErrTooLong)

	plain, err := client.Decrypt(ctx, ciphertext(t, testKeys().merchant, "\xffkey"))
	require.NoError(t, err)
	assert.Equal(t, "\xffkey", plain)
	_, err = client.Decrypt(ctx, sealed)
	require.ErrorIs(t, err, apiv3.ErrDecrypt)
	_, err = client.Decrypt(ctx, "***")
	require.ErrorContains(t, err, "it is not base64")

	signature, err := client.Sign(ctx, "message\n")
	require.NoError(t, err)
	raw, err := base64.StdEncoding.DecodeString(signature)
	require.NoError(t, err)
	require.NoError(t, apiv3.RSA().Verify(testKeys().merchant.Public(), []byte("message\n"), raw))

	gone, cancel := context.WithCancelCause(ctx)
	why := errors.New("the caller left")
	cancel(why)
	_, _, err = client.Encrypt(gone, "x")
	require.ErrorIs(t, err, why)
	_, err = client.Decrypt(gone, sealed)
	require.ErrorIs(t, err, why)
	_, err = client.Sign(gone, "x")
	require.ErrorIs(t, err, why)
}
