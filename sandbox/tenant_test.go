package sandbox_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/sandbox"
)

// nativeOrder is the body of an order of the merchant.
func nativeOrder(s *sandbox.Sandbox, number string) map[string]any {
	return map[string]any{
		"appid": "wxd678efh567hg6787", "mchid": s.Merchant().ID, "description": "x", "out_trade_no": number,
		"notify_url": "https://merchant.example/notify", "amount": map[string]any{"total": 100},
	}
}

func TestMerchantsShareNothingButTheGateway(t *testing.T) {
	first := newSandbox(t)
	second, err := first.AddMerchant("1900000110")
	require.NoError(t, err)
	require.NotEqual(t, first.Merchant().Serial, second.Merchant().Serial)
	require.NotEqual(t, first.Merchant().APIv3Key, second.Merchant().APIv3Key)
	require.NotEqual(t, first.Keys.PublicKeyID(), second.Keys.PublicKeyID())
	again, err := first.AddMerchant("1900000110")
	require.NoError(t, err)
	assert.Same(t, second, again)
	assert.Equal(t, []*sandbox.Sandbox{first, second}, second.Merchants())

	const native = "/v3/pay/transactions/native"
	for _, s := range []*sandbox.Sandbox{first, second} {
		a := newCall(s, time.Now(), "POST", native, nativeOrder(s, "ABC-001")).sign(s).send(t, first.Transport(), inProcess)
		require.Equal(t, 200, a.StatusCode, "%s", a.body)
		verify(t, s, time.Now(), a)
		assert.Equal(t, s.Keys.PublicKeyID(), a.Header.Get("Wechatpay-Serial"))
	}
	one, err := first.Users.Pay("ABC-001")
	require.NoError(t, err)
	assert.Equal(t, "NOTPAY", second.Ledger.Effects(sandbox.OrderEffect)[0].State, "it is the other's order that is paid")
	other, err := second.Users.Pay("ABC-001")
	require.NoError(t, err)
	assert.NotEqual(t, one, other, "the platform's numbers are its own")

	a := newCall(first, time.Now(), "GET", "/v3/pay/transactions/id/"+other+"?mchid="+first.Merchant().ID, nil).sign(first).send(t, second.Transport(), inProcess)
	assert.Equal(t, 404, a.StatusCode)

	entries := second.Journal.All()
	require.Len(t, entries, 3)
	assert.Equal(t, []string{"1900000109", "1900000110", "1900000109"}, []string{entries[0].Merchant, entries[1].Merchant, entries[2].Merchant})

	require.NoError(t, second.Keys.SetMode(sandbox.PublicKeyOnly))
	assert.Equal(t, 200, ask(t, first, "GET", "/v3/certificates", nil).StatusCode)
	assert.Equal(t, 404, ask(t, second, "GET", "/v3/certificates", nil).StatusCode)

	deliveries := first.Deliveries.All()
	require.Len(t, deliveries, 2)
	assert.Equal(t, "1900000110", deliveries[1].Merchant)
}

func TestMerchantsOfNobody(t *testing.T) {
	s := newSandbox(t)
	_, err := s.AddMerchant("1900000110")
	require.NoError(t, err)

	c := newCall(s, time.Now(), "GET", "/v3/certificates", nil)
	c.authorization.ID = "1900000199"
	a := c.sign(s).send(t, s.Transport(), inProcess)
	assert.Equal(t, 401, a.StatusCode)
	e := s.Journal.All()[0]
	assert.Empty(t, e.Merchant)
	assert.Equal(t, "the sandbox's mchid is 1900000109, 1900000110", e.Reason)

	c = newCall(s, time.Now(), "GET", "/v3/certificates", nil)
	c.authorization.ID = "1900000110" // signed by another merchant
	a = c.sign(s).send(t, s.Transport(), inProcess)
	assert.Equal(t, 401, a.StatusCode)
	assert.Equal(t, "1900000110", s.Journal.All()[1].Merchant)
	assert.False(t, s.Journal.All()[1].Verified)

	for _, id := range []string{"", "1234567", "12345678901", "19000001x0"} {
		_, err := s.AddMerchant(id)
		assert.ErrorContains(t, err, "8 to 10 digits", id)
		assert.ErrorContains(t, s.AddSubMerchant(id), "8 to 10 digits", id)
	}
	assert.Len(t, s.Merchants(), 2)
}

func TestSubMerchants(t *testing.T) {
	s := newSandbox(t)
	other, err := s.AddMerchant("1900000110")
	require.NoError(t, err)
	require.NoError(t, s.AddSubMerchant("1900000220"))
	require.NoError(t, s.AddSubMerchant("1900000110"))
	require.NoError(t, s.AddSubMerchant("1900000110"))
	require.Error(t, s.AddSubMerchant(s.Merchant().ID))
	assert.Equal(t, []string{"1900000110", "1900000220"}, s.SubMerchants())
	assert.Empty(t, other.SubMerchants())
}
