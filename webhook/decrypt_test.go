package webhook_test

import (
	"crypto"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/vectors"
	"github.com/wxpay-go/wxpay/webhook"
)

// forMerchant encrypts as the platform does for the merchant's certificate.
func forMerchant(t testing.TB, text string) string {
	t.Helper()
	sealed, err := apiv3.RSA().Encrypt(&merchantKey().PublicKey, []byte(text))
	require.NoError(t, err)
	return base64.StdEncoding.EncodeToString(sealed)
}

func jsonText(t testing.TB, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	require.NoError(t, err)
	return string(text)
}

// onlyDecrypts is a key of a KMS that keeps signing and decrypting apart.
type onlyDecrypts struct{ crypto.Decrypter }

func (onlyDecrypts) Decrypt(r io.Reader, ciphertext []byte, o crypto.DecrypterOpts) ([]byte, error) {
	return merchantKey().Decrypt(r, ciphertext, o)
}
func (onlyDecrypts) Public() crypto.PublicKey { return opaque{} }

// opaque is a public key that does not tell its size.
type opaque struct{}

func TestEncryptedMembers(t *testing.T) {
	const form = `{ "card_id":"K1", "phone_number":"%s","level":9007199254740993,"user_information":{"common_field_list":[{"name":"\u0078",` +
		`"value":"%s"},{"value":""},"odd"],"custom_field_list":[{"user_chosen_values":["%s","plain",7,"%s"]}]},"level2":1e2}`
	resource := fmt.Sprintf(form, forMerchant(t, "13800138000"), forMerchant(t, `"张<三>"`), forMerchant(t, "a"), forMerchant(t, "b"))
	plaintext := fmt.Sprintf(form, "13800138000", `\"张<三>\"`, "a", "b")
	open := func(t testing.TB, m webhook.Merchant, resource string, options ...webhook.Option) (*webhook.Event, error) {
		t.Helper()
		h, err := webhook.New(m, options...)
		require.NoError(t, err)
		header, body := event("BRAND_MEMBER_CARD_SP.USER_CARD.CREATE", "user_card", resource).build()
		return h.Parse(t.Context(), header, body)
	}

	for name, change := range map[string]func(m *webhook.Merchant){
		"private key":     func(m *webhook.Merchant) { m.PrivateKey = merchantKey() },
		"decrypter":       func(m *webhook.Merchant) { m.Decrypter = onlyDecrypts{} },
		"decrypter first": func(m *webhook.Merchant) { m.Decrypter, m.PrivateKey = onlyDecrypts{}, strangerKey() },
	} {
		t.Run(name, func(t *testing.T) {
			m := merchant(t)
			change(&m)
			e, err := open(t, m, resource)
			require.NoError(t, err)
			assert.Equal(t, "13800138000", e.Get("phone_number").String())
			assert.Equal(t, `"张<三>"`, e.Get("user_information.common_field_list.0.value").String())
			assert.Equal(t, "", e.Get("user_information.common_field_list.1.value").String())
			assert.Equal(t, `["a","plain",7,"b"]`, e.Get("user_information.custom_field_list.0.user_chosen_values").Raw)
			assert.Equal(t, plaintext, string(e.Resource()), "every other byte stays")
			var card struct {
				Phone string `json:"phone_number"`
			}
			require.NoError(t, e.Decode(&card))
			assert.Equal(t, "13800138000", card.Phone)
			assert.NotContains(t, string(e.Raw()), "13800138000")
		})
	}

	t.Run("without a key", func(t *testing.T) {
		e, err := open(t, merchant(t), resource)
		require.NoError(t, err)
		assert.Equal(t, resource, string(e.Resource()))
	})
	t.Run("without a catalogue", func(t *testing.T) {
		m := merchant(t)
		m.PrivateKey = merchantKey()
		e, err := open(t, m, resource, webhook.WithCatalog(nil))
		require.NoError(t, err)
		assert.Equal(t, resource, string(e.Resource()))
		phone, err := e.Decrypt(e.Get("phone_number").String())
		require.NoError(t, err)
		assert.Equal(t, "13800138000", phone)
	})
	t.Run("plain after all", func(t *testing.T) {
		m := merchant(t)
		m.PrivateKey = merchantKey()
		for _, phone := range []string{"13800138000", "", base64.StdEncoding.EncodeToString(make([]byte, 255)),
			base64.StdEncoding.EncodeToString(make([]byte, 257))} {
			plain := jsonText(t, map[string]any{"phone_number": phone})
			e, err := open(t, m, plain)
			require.NoError(t, err)
			assert.Equal(t, plain, string(e.Resource()))
		}
	})
	t.Run("another certificate", func(t *testing.T) {
		m := merchant(t)
		m.PrivateKey = strangerKey()
		_, err := open(t, m, resource)
		require.ErrorIs(t, err, apiv3.ErrDecrypt)
		assert.ErrorContains(t, err, "field /phone_number")
		assert.ErrorContains(t, err, "Merchant.PrivateKey")
	})
	t.Run("resource of another shape", func(t *testing.T) {
		m := merchant(t)
		m.PrivateKey = merchantKey()
		for _, other := range []string{`[]`, `null`, `"text"`, `not JSON`, `{"phone_number":7,"user_information":[[{}],null]}`} {
			e, err := open(t, m, other)
			require.NoError(t, err, other)
			assert.Equal(t, other, string(e.Resource()))
		}
	})
	t.Run("under another name", func(t *testing.T) {
		m := merchant(t)
		m.PrivateKey = merchantKey()
		h, err := webhook.New(m, webhook.WithCatalog(oneEvent{Type: "X.Y", Resource: []fact.Field{{Name: "a", Alt: []string{"b"}, Cipher: fact.RSA}}}))
		require.NoError(t, err)
		header, body := event("X.Y", "", jsonText(t, map[string]string{"b": forMerchant(t, "plain")})).build()
		e, err := h.Parse(t.Context(), header, body)
		require.NoError(t, err)
		assert.JSONEq(t, `{"b":"plain"}`, string(e.Resource()))
	})
}

// oneEvent is a catalogue of one event.
type oneEvent fact.Event

func (e oneEvent) Event(eventType string) (*fact.Event, bool) {
	facts := fact.Event(e)
	return &facts, eventType == e.Type
}

func TestDecryptByHand(t *testing.T) {
	v := vector(t, "enc-03-response")
	m := merchant(t)
	m.PrivateKey = vectors.Key(t, "merchant")
	h, err := webhook.New(m)
	require.NoError(t, err)
	header, body := payment().build()
	e, err := h.Parse(t.Context(), header, body)
	require.NoError(t, err)
	text, err := e.Decrypt(v.Ciphertext)
	require.NoError(t, err)
	assert.Equal(t, v.Plaintext, text)
	for _, bad := range []string{"", "*", "AAAA", strings.Repeat("A", 344)} {
		_, err = e.Decrypt(bad)
		require.ErrorIs(t, err, apiv3.ErrDecrypt, bad)
	}

	header, body = payment().build()
	e, err = newHandler(t).Parse(t.Context(), header, body)
	require.NoError(t, err)
	_, err = e.Decrypt(v.Ciphertext)
	require.ErrorIs(t, err, apiv3.ErrKey)
}

// A question that only the catalogue knows is treated as one.
func TestQuestionOfTheCatalogue(t *testing.T) {
	asked := oneEvent{Type: "NEW.QUESTION", Reply: &fact.Reply{Header: []fact.Field{{Name: "Authorization"}}}}
	h := newHandler(t, webhook.WithCatalog(asked), webhook.WithLogger(nil))
	assertFail(t, 500, event("NEW.QUESTION", "", `{}`).send(h))
	assert.Equal(t, 204, event("OLD.NEWS", "", `{}`).send(h).Code)
	assert.Contains(t, panicText(t, func() { h.On("NEW.QUESTION", nil) }), "is nil")
	assert.Contains(t, panicText(t, func() { h.OnInquiry("NEW.QUESTION", nil) }), "is nil")
}
