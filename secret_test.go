package wxpay_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
)

func TestSecret(t *testing.T) {
	type person struct {
		Name  wxpay.Secret  `json:"name"`
		Phone *wxpay.Secret `json:"phone"`
		Email wxpay.Secret  `json:"email,omitempty"`
		Note  string        `json:"note"`
	}
	phone := wxpay.Secret("1<2>&\"\\\u2028")
	marshalled, err := json.Marshal(wxpay.JSON{"name": wxpay.Secret("A")})
	require.NoError(t, err)
	text, err := json.Marshal(map[string]wxpay.Secret{"phone": "1"})
	require.NoError(t, err)
	var again wxpay.JSON
	require.NoError(t, json.Unmarshal(marshalled, &again))
	var member person
	require.NoError(t, json.Unmarshal(marshalled, &member), "a token unmarshalled into a Secret is that Secret")
	tests := []struct {
		name string
		body any
		want string
	}{
		{"in a map", wxpay.JSON{"a": wxpay.Secret("张三"), "b": "B"}, `{"a":"«张三»","b":"B"}`},
		{"in a struct", person{Name: "A", Phone: &phone}, "{\"name\":\"«A»\",\"phone\":\"«1<2>&\"\\\u2028»\",\"note\":\"\"}"},
		{"in a map of Secrets", map[string]wxpay.Secret{"a": "A"}, `{"a":"«A»"}`},
		{"in slices", wxpay.JSON{"a": []wxpay.Secret{"A", "B"}, "b": []any{wxpay.Secret("C"), 1}}, `{"a":["«A»","«B»"],"b":["«C»",1]}`},
		{"empty", wxpay.JSON{"a": wxpay.Secret("")}, `{"a":""}`},
		{"marshalled beforehand", marshalled, `{"name":"«A»"}`},
		{"marshalled and unmarshalled", again, `{"name":"«A»"}`},
		{"unmarshalled into a Secret", member, `{"name":"«A»","phone":null,"note":""}`},
		{"in a JSON text in a string", wxpay.JSON{"meta": string(text)}, `{"meta":"{\"phone\":\"«1»\"}"}`},
		{"in a JSON text in a JSON text", wxpay.JSON{"meta": fmt.Sprintf("[%q]", text)}, `{"meta":"[\"{\\\"phone\\\":\\\"«1»\\\"}\"]"}`},
		{"as the whole body", wxpay.Secret("A"), `"«A»"`},
	}
	for _, tt := range tests {
		for _, with := range []struct {
			name    string
			options []wxpay.Option
			path    string
		}{{"without a catalogue", []wxpay.Option{wxpay.WithCatalog(nil)}, "v3/any"}, {"with one", []wxpay.Option{wxpay.WithCatalog(marked)}, "v3/unmarked"}} {
			t.Run(tt.name+" "+with.name, func(t *testing.T) {
				req, err := newClient(t, with.options...).Chain(with.path).Request(context.Background(), "POST", tt.body)
				require.NoError(t, err)
				sent := bodyText(t, req)
				assert.Equal(t, tt.want, unsealed(t, testKeys().platform, sent))
				assert.NotContains(t, sent, "wxpay-secret.")
				assert.Equal(t, testKeyID, req.Header.Get("Wechatpay-Serial"))
			})
		}
	}
	t.Run("in a marked member", func(t *testing.T) {
		req, err := newClient(t, wxpay.WithCatalog(marked)).Chain("v3/marked").
			Request(context.Background(), "POST", wxpay.JSON{"name": wxpay.Secret("A"), "names": []wxpay.Secret{"B"}})
		require.NoError(t, err)
		assert.Equal(t, `{"name":"«A»","names":["«B»"]}`, unsealed(t, testKeys().platform, bodyText(t, req)))
	})
	t.Run("that is ciphertext", func(t *testing.T) {
		sealed := ciphertext(t, testKeys().platform, "A")
		chain := newClient(t).Chain("v3/any")
		_, err := chain.Request(context.Background(), "POST", wxpay.JSON{"name": wxpay.Secret(sealed)})
		require.ErrorContains(t, err, "it is encrypted already")
		req, err := chain.Header("Wechatpay-Serial", testKeyID).Request(context.Background(), "POST", wxpay.JSON{"name": wxpay.Secret(sealed)})
		require.NoError(t, err)
		assert.Equal(t, `{"name":"`+sealed+`"}`, bodyText(t, req))
	})
}

// Where a Secret cannot be encrypted nothing is sent.
func TestSecretRefuses(t *testing.T) {
	token := func(text string) string {
		b, err := wxpay.Secret(text).MarshalText()
		require.NoError(t, err)
		return string(b)
	}
	changed := []byte(token("SECRET"))
	changed[len(changed)-2] ^= 1
	tests := []struct {
		name string
		do   func(wxpay.Chain) wxpay.Chain
		body any
		says string
	}{
		{"kept plain", func(c wxpay.Chain) wxpay.Chain { return c.Plain("/a") }, wxpay.JSON{"a": wxpay.Secret("SECRET")},
			"field /a: it is a Secret, which never travels plain"},
		{"kept plain from above", func(c wxpay.Chain) wxpay.Chain { return c.Plain("/a") },
			wxpay.JSON{"a": []any{wxpay.JSON{"b": wxpay.Secret("SECRET")}}}, "field /a/0/b: it is a Secret"},
		{"as a name", nil, map[string]string{token("SECRET"): "x"}, "a Secret is the name of a field"},
		{"amid other text", nil, wxpay.JSON{"a": "Mr " + token("SECRET")}, "field /a: a Secret stands amid other text"},
		{"before other text", nil, wxpay.JSON{"a": token("SECRET") + "."}, "field /a: it is a Secret that was changed, or has other text around it"},
		{"amid a marked text", func(c wxpay.Chain) wxpay.Chain { return c.Encrypt("/a") }, wxpay.JSON{"a": "Mr " + token("SECRET")},
			"field /a: it is a Secret that was changed"},
		{"changed", nil, wxpay.JSON{"a": string(changed)}, "field /a: it is a Secret that was changed"},
		{"too long", nil, wxpay.JSON{"a": wxpay.JSON{"b": []any{wxpay.Secret(strings.Repeat("SECRET ", 31))}}}, "field /a/b/0: plaintext too long: 217 bytes"},
		{"in a body that is not JSON", nil, "a=" + token("SECRET"), "cannot be read: it is not JSON"},
		{"no UTF-8", nil, wxpay.JSON{"a": wxpay.Secret("SECRET\xff")}, "field /a: it is not UTF-8"},
	}
	client := newClient(t, wxpay.WithTransport(answer{trip: func(*http.Request) { t.Error("something was sent") }}))
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			chain := client.Chain("v3/any")
			if tt.do != nil {
				chain = tt.do(chain)
			}
			_, err := chain.Post(context.Background(), tt.body)
			require.ErrorContains(t, err, tt.says)
			assert.Equal(t, wxpay.NotSent, wxpay.OutcomeOf(err))
			assert.NotContains(t, err.Error(), "SECRET")
		})
	}
}

// Whatever prints or marshals a Secret outside a client tells nothing.
func TestSecretTellsNothing(t *testing.T) {
	secret := wxpay.Secret("topSECRET")
	values := map[string]any{
		"itself": secret, "a pointer": &secret, "a map": wxpay.JSON{"a": secret}, "a slice": []wxpay.Secret{secret}, "a struct": struct{ A wxpay.Secret }{secret},
	}
	for name, v := range values {
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "v", v)
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "v", v)
		marshalled, err := json.Marshal(v)
		require.NoError(t, err)
		texts := []string{log.String(), string(marshalled)}
		for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
			texts = append(texts, fmt.Sprintf(format, v))
		}
		for _, text := range texts {
			require.NotEmpty(t, text)
			for _, form := range []string{"SECRET", fmt.Sprintf("%x", "SECRET"), fmt.Sprintf("%X", "SECRET"),
				base64.StdEncoding.EncodeToString([]byte("topSECRET")), "dG9wU0VDUkVU"} {
				assert.NotContains(t, text, form, name)
			}
		}
	}
	type element struct{ A wxpay.Secret }
	document, err := xml.Marshal(element{secret})
	require.NoError(t, err)
	assert.NotContains(t, string(document), "SECRET")
	one, _ := json.Marshal(secret)
	two, _ := json.Marshal(secret)
	assert.NotEqual(t, one, two, "equal Secrets do not show")
}

// A response may be decoded into a Secret.
func TestSecretDecodes(t *testing.T) {
	client := newClient(t, wxpay.WithTransport(answer{body: `{"name":"A"}`}))
	person, err := wxpay.Into[struct{ Name wxpay.Secret }](client.Chain("v3/x").Get(context.Background()))
	require.NoError(t, err)
	assert.Equal(t, wxpay.Secret("A"), person.Name)
	assert.Equal(t, "A", string(person.Name))
}

// No words of a user stop a call or are taken for a Secret, also those of somebody who knows how this package works.
func TestWordsThatLookLikeASecret(t *testing.T) {
	token, err := wxpay.Secret("x").MarshalText()
	require.NoError(t, err)
	mark := string(token[:bytes.LastIndexByte(token, '.')+1])
	other := strings.Repeat("A", len(mark)-len("wxpay-secret.")-1)
	client := newClient(t, wxpay.WithCatalog(nil))
	for _, words := range []string{"wxpay-secret.", "about wxpay-secret.AAAA",
		"wxpay-secret." + other + "." + base64.RawURLEncoding.EncodeToString(bytes.Repeat([]byte{7}, 40)), `{"a":"wxpay-secret."}`} {
		body := wxpay.JSON{"description": words, "name": wxpay.Secret("A")}
		req, err := client.Chain("v3/any").Query("q", words).Request(context.Background(), "POST", body)
		require.NoError(t, err)
		want, err := json.Marshal(map[string]string{"description": words, "name": "«A»"})
		require.NoError(t, err)
		assert.Equal(t, string(want), unsealed(t, testKeys().platform, bodyText(t, req)))
		assert.Equal(t, words, req.URL.Query().Get("q"))
	}
	assert.GreaterOrEqual(t, len(other), 26, "128 bits of chance")
}
