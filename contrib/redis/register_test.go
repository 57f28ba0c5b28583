package wxredis_test

import (
	"strings"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/sandbox"
)

// A configuration names the server that keeps certificates and limits.
func TestConfigNamesTheServer(t *testing.T) {
	server := miniredis.RunT(t)
	gateway := sandbox.Start(t, sandbox.WithKeyMode(sandbox.CertificatesOnly))
	open := func(url string) (*wxpay.Client, error) {
		values := map[string]string{"WXPAY_FETCH_CERTIFICATES": "true", "WXPAY_KEY_STORE": url, "WXPAY_LIMITER": url}
		return wxpay.FromLookupEnv(func(name string) (string, bool) {
			if value, ok := values[name]; ok {
				return value, true
			}
			return gateway.LookupEnv(name)
		})
	}
	client, err := open("redis://" + server.Addr() + "/0")
	require.NoError(t, err)
	_, err = client.Chain("v3/pay/transactions/out-trade-no/{out_trade_no}/close", "ABC-001").Post(t.Context(), wxpay.JSON{"mchid": client.MchID()})
	require.Error(t, err, "there is no such order")
	require.NoError(t, client.Close())
	kinds := map[string]bool{}
	for _, key := range server.Keys() {
		kind, _, _ := strings.Cut(strings.TrimPrefix(key, "wxpay:"), ":")
		kinds[kind] = true
	}
	assert.Equal(t, map[string]bool{"keys": true, "limit": true}, kinds)

	_, err = open("redis://user:secret@host/nonsense")
	require.ErrorContains(t, err, "it is not a URL such as redis://user:password@host:6379/0")
	assert.NotContains(t, err.Error(), "secret")
}
