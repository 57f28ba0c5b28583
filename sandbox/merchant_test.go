package sandbox_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/sandbox"
)

var withMerchant = sandbox.WithMerchant

func TestOptions(t *testing.T) {
	for name, test := range map[string]struct {
		option sandbox.Option
		want   string
	}{
		"no clock":        {sandbox.WithClock(nil), "sandbox: WithClock: the clock is nil"},
		"empty merchant":  {withMerchant(""), `sandbox: WithMerchant: a merchant number has 8 to 10 digits, unlike ""`},
		"short merchant":  {withMerchant("1234567"), `sandbox: WithMerchant: a merchant number has 8 to 10 digits, unlike "1234567"`},
		"long merchant":   {withMerchant("12345678901"), `sandbox: WithMerchant: a merchant number has 8 to 10 digits, unlike "12345678901"`},
		"letter merchant": {withMerchant("19000001O9"), `sandbox: WithMerchant: a merchant number has 8 to 10 digits, unlike "19000001O9"`},
	} {
		s, err := sandbox.New(test.option)
		assert.EqualError(t, err, test.want, name)
		assert.Nil(t, s, name)
	}
}

func TestEnvConnects(t *testing.T) {
	server := sandbox.Start(t)
	s := server.Sandbox
	m := s.Merchant()
	type environment interface {
		Env() []string
		LookupEnv(string) (string, bool)
	}
	for name, test := range map[string]struct {
		e     environment
		names string
	}{
		"sandbox": {s, "WXPAY_MCHID WXPAY_SERIAL WXPAY_PRIVATE_KEY WXPAY_APIV3_KEY WXPAY_PUBLIC_KEY_ID WXPAY_PUBLIC_KEY"},
		"server":  {server, "WXPAY_MCHID WXPAY_SERIAL WXPAY_PRIVATE_KEY WXPAY_APIV3_KEY WXPAY_PUBLIC_KEY_ID WXPAY_PUBLIC_KEY WXPAY_BASE_URL"},
	} {
		t.Run(name, func(t *testing.T) {
			var names []string
			for _, line := range test.e.Env() {
				name, value, ok := strings.Cut(line, "=")
				require.True(t, ok)
				names = append(names, name)
				looked, ok := test.e.LookupEnv(name)
				assert.True(t, ok)
				assert.Equal(t, value, looked)
			}
			assert.Equal(t, test.names, strings.Join(names, " "))
			for _, unknown := range []string{"", "WXPAY", "wxpay_mchid", "PATH"} {
				value, ok := test.e.LookupEnv(unknown)
				assert.False(t, ok)
				assert.Empty(t, value)
			}
			get := func(name string) string { v, _ := test.e.LookupEnv(name); return v }
			assert.Equal(t, m.ID, get("WXPAY_MCHID"))
			assert.Equal(t, m.Serial, get("WXPAY_SERIAL"))
			assert.Equal(t, m.APIv3Key, get("WXPAY_APIV3_KEY"))
			assert.Equal(t, s.Keys.PublicKeyID(), get("WXPAY_PUBLIC_KEY_ID"))
			private, err := apiv3.ParsePrivateKey([]byte(get("WXPAY_PRIVATE_KEY")))
			require.NoError(t, err)
			assert.True(t, m.PrivateKey.Equal(private))
			public, err := apiv3.ParsePublicKey([]byte(get("WXPAY_PUBLIC_KEY")))
			require.NoError(t, err)
			assert.True(t, s.Keys.PublicKey().Equal(public))
		})
	}
	_, ok := s.LookupEnv("WXPAY_BASE_URL")
	assert.False(t, ok, "a sandbox that does not listen has no address")
	base, _ := server.LookupEnv("WXPAY_BASE_URL")
	assert.Equal(t, server.URL, base)
	assert.Equal(t, 200, newCall(s, time.Now(), "GET", "/v3/certificates", nil).sign(s).send(t, newTransport(t), base).StatusCode)
}

func TestNothingPrintsKeys(t *testing.T) {
	server := sandbox.Start(t)
	s := server.Sandbox
	m := s.Merchant()
	secrets := []string{m.APIv3Key, m.PrivateKey.D.String(), fmt.Sprintf("%x", m.PrivateKey.D), m.PrivateKey.Primes[0].String(), "PRIVATE KEY"}
	for _, value := range []any{m, &m, s, server, []any{m, s}, struct{ M sandbox.Merchant }{m}} {
		var printed strings.Builder
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%X"} {
			fmt.Fprintf(&printed, verb+"\n", value)
		}
		var logged bytes.Buffer
		slog.New(slog.NewTextHandler(&logged, nil)).Info("x", "value", value)
		slog.New(slog.NewJSONHandler(&logged, nil)).Info("x", "value", value)
		printed.Write(logged.Bytes())
		marshalled, _ := json.Marshal(value)
		printed.Write(marshalled)
		for _, secret := range secrets {
			assert.NotContains(t, printed.String(), secret, "%T", value)
		}
	}
	assert.Equal(t, "merchant 1900000109 (certificate "+m.Serial+", keys not shown)", fmt.Sprintf("%+v", m))
	assert.Equal(t, "sandbox of merchant 1900000109", fmt.Sprintf("%#v", s))
}
