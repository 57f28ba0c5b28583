package sandbox_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/sandbox"
)

// TestFieldsThatCanLack sends requests that real clients send, without fields that were once taken for
// required.
func TestFieldsThatCanLack(t *testing.T) {
	s := unpaced(t)
	require.NoError(t, s.AddSubMerchant(subMerchant))
	store := with(native(s), "scene_info", map[string]any{"payer_client_ip": "127.0.0.1", "store_info": map[string]any{"id": "0001"}})
	direct := combinedOrder("C-DIRECT")
	for _, part := range direct["sub_orders"].([]any) {
		delete(part.(map[string]any), "sub_mchid")
	}
	for name, test := range map[string]struct {
		path string
		body map[string]any
	}{
		"a store without its name":        {"/v3/pay/transactions/native", store},
		"sub_openid alone":                {"/v3/pay/partner/transactions/jsapi", with(partnerOrder("ORDER-SUB"), "payer", map[string]any{"sub_openid": "oSUB"})},
		"combined, of a direct merchant":  {"/v3/combine-transactions/jsapi", direct},
		"a partner's order without payer": {"/v3/pay/partner/transactions/native", with(partnerOrder("ORDER-N"), "payer", nil)},
	} {
		a := ask(t, s, "POST", test.path, test.body)
		assert.Equal(t, 200, a.StatusCode, "%s: %s", name, a.body)
	}
	quickly := newSandbox(t, fixed(noon), sandbox.WithScheme(quick{apiv3.RSA()}))
	for operation, absent := range map[string]string{
		"POST /v3/transfer/batches":             `"transfer_scene_id"`,
		"POST /v3/vehicle/transactions/parking": `"sub_mchid"`,
		"POST /v3/applyment4sub/applyment/":     `"certificate_info"`,
	} {
		c := operationCall(t, quickly, false, operation)
		assert.NotContains(t, string(c.body), absent, operation)
		a := c.send(t, quickly.Transport(), inProcess)
		assert.Equal(t, 200, a.StatusCode, "%s: %s", operation, a.body)
	}
}
