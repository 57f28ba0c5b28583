package apiv3_test

import (
	"encoding/base64"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/vectors"
)

// TestBrand signs and verifies as a brand: another name and identity, the same messages and algorithms.
func TestBrand(t *testing.T) {
	key, platform := vectors.Key(t, "merchant"), vectors.Key(t, "platform_a")
	p := vectors.Load(t).Parameters
	header, _, err := apiv3.SignRequest(apiv3.Brand(), key,
		apiv3.Authorization{ID: "1004", Serial: p.MerchantSerial, Nonce: "N", Timestamp: "1735689600"}, "GET", "/brand/card-member/cards", nil)
	require.NoError(t, err)
	a, err := apiv3.ParseAuthorization(header)
	require.NoError(t, err)
	assert.Equal(t, "WECHATPAY-BRAND-SHA256-RSA2048", a.Scheme)
	assert.Equal(t, "brand_id", a.Identity)
	assert.Equal(t, "1004", a.ID)
	plain, _, err := apiv3.SignRequest(apiv3.RSA(), key,
		apiv3.Authorization{ID: "1004", Serial: p.MerchantSerial, Nonce: "N", Timestamp: "1735689600"}, "GET", "/brand/card-member/cards", nil)
	require.NoError(t, err)
	b, err := apiv3.ParseAuthorization(plain)
	require.NoError(t, err)
	assert.Equal(t, b.Signature, a.Signature)

	value, err := apiv3.Brand().Sign(platform, []byte("1735689600\nN\n{}\n"))
	require.NoError(t, err)
	s := apiv3.Signature{Serial: "PUB_KEY_ID_1", Timestamp: "1735689600", Nonce: "N", Value: base64.StdEncoding.EncodeToString(value)}
	for kind, good := range map[string]bool{"": true, "WECHATPAY-BRAND-SHA256-RSA2048": true,
		"WECHATPAY2-SHA256-RSA2048": false, "WECHATPAY2-SM2-WITH-SM3": false} {
		s.Type = kind
		err := s.Verify(apiv3.Brand(), &platform.PublicKey, []byte(`{}`))
		assert.Equal(t, good, err == nil, "%s: %v", kind, err)
	}
	require.NoError(t, apiv3.Brand().CheckPublicKey(&platform.PublicKey))
}
