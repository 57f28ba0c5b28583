package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/cmd/wxpay/config"
	"github.com/wxpay-go/wxpay/sandbox"
)

// merchant starts a sandbox, and returns it with a profile of its merchant.
func merchant(t *testing.T, name string) (*sandbox.Server, string) {
	t.Helper()
	s, err := sandbox.New()
	require.NoError(t, err)
	server, err := s.Listen("127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { server.Close() })
	profile := "[" + name + "]\n"
	for _, key := range []string{"mchid", "serial", "private_key", "public_key_id", "public_key", "apiv3_key", "base_url"} {
		value, ok := server.LookupEnv("WXPAY_" + strings.ToUpper(key))
		require.True(t, ok, key)
		profile += key + " = '''" + value + "'''\n"
	}
	return server, profile
}

// write makes a home folder with these profiles.
func write(t *testing.T, mode os.FileMode, profiles ...string) {
	t.Helper()
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("XDG_CONFIG_HOME", "")
	path := filepath.Join(home, ".config", "wxpay", "config.toml")
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(t, os.WriteFile(path, []byte(strings.Join(profiles, "\n")), mode))
}

func TestFromProfile(t *testing.T) {
	usual, ofDefault := merchant(t, "default")
	shop, ofShop := merchant(t, "shop-b")
	write(t, 0o600, ofDefault, ofShop)
	t.Setenv("WXPAY_MCHID", "1") // is not looked at
	for _, test := range []struct {
		name, profile, variable string
		server                  *sandbox.Server
	}{
		{"by its name", "shop-b", "", shop},
		{"the name comes before the variable", "default", "shop-b", usual},
		{"by the variable", "", "shop-b", shop},
		{"without a name", "", "", usual},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("WXPAY_PROFILE", test.variable)
			client, err := config.FromProfile(test.profile)
			require.NoError(t, err)
			before := len(test.server.Journal.All())
			_, err = client.Chain("v3/certificates").Get(t.Context())
			require.NoError(t, err)
			assert.Len(t, test.server.Journal.All(), before+1)
		})
	}
}

func TestFromProfileMistakes(t *testing.T) {
	_, good := merchant(t, "default")
	for _, test := range []struct {
		name, profile, file string
		mode                os.FileMode
		says                string
	}{
		{"another name", "shop-b", good, 0o600, "config: there is no profile shop-b in "},
		{"others may read it", "", good, 0o644, "chmod 600 it"},
		{"a key is missing", "", strings.Replace(good, "serial", "p12_password", 1), 0o600, "config: the profile default: "},
		{"a reference to nothing", "", strings.Replace(good, "mchid = ", "mchid = 'env:WXPAY_TEST_NOTHING' # ", 1), 0o600, "the variable WXPAY_TEST_NOTHING is not set"},
	} {
		t.Run(test.name, func(t *testing.T) {
			write(t, test.mode, test.file)
			client, err := config.FromProfile(test.profile)
			assert.Nil(t, client)
			require.ErrorContains(t, err, test.says)
			assert.NotContains(t, err.Error(), "BEGIN")
		})
	}
	t.Setenv("HOME", t.TempDir())
	_, err := config.FromProfile("")
	require.ErrorContains(t, err, `there is no file of profiles`)
}
