package wxpay_test

import (
	"bytes"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/sandbox"
)

// TestInsecureHTTP: plain http beyond this machine needs the name of its host, wherever that stands
// among the options, and is warned of once.
func TestInsecureHTTP(t *testing.T) {
	s, err := sandbox.New()
	require.NoError(t, err)
	defer s.Close()
	var log bytes.Buffer
	logged := wxpay.WithLogger(slog.New(slog.NewTextHandler(&log, nil)))
	client := func(options ...wxpay.Option) (*wxpay.Client, error) {
		return wxpay.FromLookupEnv(s.LookupEnv, append(options, logged)...)
	}
	gateway := wxpay.WithBaseURL("http://gate:8080")
	_, err = client(gateway)
	assert.ErrorContains(t, err, "base URL http://gate:8080 is not encrypted")
	_, err = client(gateway, wxpay.WithInsecureHTTP("other"))
	assert.ErrorContains(t, err, "is not encrypted")
	for _, host := range []string{"", "http://gate", "a@gate"} {
		_, err = client(wxpay.WithInsecureHTTP(host))
		assert.ErrorContains(t, err, "is not a host", host)
	}
	assert.Empty(t, log.String())

	for name, options := range map[string][]wxpay.Option{
		"before": {wxpay.WithInsecureHTTP("gate"), gateway}, "after": {gateway, wxpay.WithInsecureHTTP("GATE:8080")},
	} {
		log.Reset()
		_, err := client(options...)
		require.NoError(t, err, name)
		assert.Equal(t, 1, bytes.Count(log.Bytes(), []byte("not encrypted")), "%s: %s", name, &log)
	}
	lookup := func(name string) (string, bool) {
		value, ok := map[string]string{"WXPAY_BASE_URL": "http://gate:8080", "WXPAY_INSECURE_HTTP": "gate"}[name]
		if ok {
			return value, true
		}
		return s.LookupEnv(name)
	}
	_, err = wxpay.FromLookupEnv(lookup, logged)
	assert.NoError(t, err)
}
