package operation_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/operation"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

func TestParseAddress(t *testing.T) {
	for text, want := range map[string]operation.Address{
		"v3/x":               {Path: "v3/x"},
		"/v3/x/{a}":          {Path: "/v3/x/{a}"},
		"v3/x?a=1&b=2&a=3":   {Path: "v3/x", Query: []shell.Pair{{Name: "a", Value: "1"}, {Name: "b", Value: "2"}, {Name: "a", Value: "3"}}},
		"v3/x?a=b=c&d=":      {Path: "v3/x", Query: []shell.Pair{{Name: "a", Value: "b=c"}, {Name: "d", Value: ""}}},
		"v3/x?a=%E9%80%80+1": {Path: "v3/x", Query: []shell.Pair{{Name: "a", Value: "退+1"}}},
	} {
		at, err := operation.ParseAddress(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, at, text)
	}
	for _, text := range []string{
		"", "https://", "https://api.mch.weixin.qq.com", "https:///v3/x", "ftp://api.mch.weixin.qq.com/v3/x", "v3/x?", "v3/x?SECRET",
		"v3/x?a=SECRET&", "v3/x?=SECRET", "v3/x?a=%SECRET", "v3/x#a", "v3/x?a=SECRET#b", "https://u:SECRET@api.mch.weixin.qq.com/v3/x",
	} {
		_, err := operation.ParseAddress(text)
		require.Error(t, err, text)
		assert.Equal(t, shell.ExitUsage, shell.ExitCode(err))
		assert.NotContains(t, err.Error(), "SECRET", text)
	}
}

func TestAddressFits(t *testing.T) {
	const platform, overseas, sandbox = "https://api.mch.weixin.qq.com", "https://apihk.mch.weixin.qq.com", "http://127.0.0.1:8080"
	for _, test := range []struct {
		address, gateway string
		fits             bool
	}{
		{"v3/x", overseas, true},
		{platform + "/v3/x", platform, true},
		{"HTTPS://API.mch.weixin.qq.com/v3/x", platform, true},
		{"https://api2.mch.weixin.qq.com/v3/x", platform, true},
		{platform + "/v3/x", sandbox, true},
		{overseas + "/v3/x", sandbox, true},
		{sandbox + "/v3/x", sandbox, true},
		{platform + "/v3/x", overseas, false},
		{overseas + "/v3/x", platform, false},
		{sandbox + "/v3/x", platform, false},
		{"http://127.0.0.1:8081/v3/x", sandbox, false},
		{"https://evil.example/v3/x", sandbox, false},
	} {
		at, err := operation.ParseAddress(test.address)
		require.NoError(t, err)
		assert.Equal(t, test.fits, at.Fits(test.gateway) == nil, "%s at %s", test.address, test.gateway)
	}
}
