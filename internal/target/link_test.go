package target_test

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/internal/target"
)

func TestLink(t *testing.T) {
	for name, tt := range map[string]struct {
		base, address string
		host, says    string
	}{
		"the gateway":              {"https://pay.example.com", "https://PAY.example.com:443/a/b?c=d", "pay.example.com", ""},
		"a backup":                 {"https://pay.example.com", "https://backup.example.com/a/b?c=d", "backup.example.com", ""},
		"one platform for another": {"https://api.mch.weixin.qq.com", "https://api.wechatpay.cn/a/b?c=d", "api.wechatpay.cn", ""},
		"through the gateway":      {"https://pay.example.com", "https://api.wechatpay.cn/a/b?c=d", "pay.example.com", ""},
		"a sandbox is no way":      {"http://localhost:1", "https://api.wechatpay.cn/a/b?c=d", "", "is not this client's gateway"},
		"elsewhere":                {"https://pay.example.com", "https://other.example.com/a/b?c=d", "", `leads to "https://other.example.com"`},
		"not encrypted":            {"https://pay.example.com", "http://pay.example.com/a/b?c=d", "", "is not this client's gateway"},
		"no address":               {"https://pay.example.com", "/a/b?c=d", "", "not of the form https://host/path?query"},
	} {
		t.Run(name, func(t *testing.T) {
			base, err := url.Parse(tt.base)
			require.NoError(t, err)
			u, path, err := target.Gateway{Base: base, Backups: []string{"backup.example.com"}}.Link(tt.address)
			if tt.says != "" {
				require.ErrorContains(t, err, tt.says)
				assert.NotContains(t, err.Error(), "c=d", "it is a token")
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tt.host, u.Host)
			assert.Equal(t, "/a/b", path)
			assert.Equal(t, "/a/b?c=d", u.RequestURI())
		})
	}
	// The target stays as it is, also where net/url would write it in another way.
	base, err := url.Parse("https://pay.example.com")
	require.NoError(t, err)
	u, path, err := target.Gateway{Base: base}.Link("https://pay.example.com/a%7Eb?x=%zz")
	require.NoError(t, err)
	assert.Equal(t, "/a%7Eb", path)
	assert.Equal(t, "/a%7Eb?x=%zz", u.RequestURI())
}

// An address that two readers might read differently leads nowhere, and its token is in no error.
func TestLinkInTwoWays(t *testing.T) {
	base, err := url.Parse("https://host")
	require.NoError(t, err)
	for address, says := range map[string]string{
		"": "form", "https://host": "form", "https://user@host/SECRET": "form", "https://host/x#SECRET": "form", `https://host\x/SECRET`: "form",
		"https:/host/x": "form", "https://host/x y": "form", "https://host//SECRET": "two slashes", "https://host/../SECRET": "dots",
		"https://host/a/./SECRET": "dots",
	} {
		_, _, err := target.Gateway{Base: base}.Link(address)
		require.ErrorContains(t, err, says, address)
		assert.NotContains(t, err.Error(), "SECRET")
	}
}
