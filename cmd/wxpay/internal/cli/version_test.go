package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/clitest"
)

// A report of a bug has the output of wxpay version --diagnose: it names what is set and shows no value.
func TestDiagnoseShowsNoValue(t *testing.T) {
	gateway := clitest.NewGateway(t)
	file := filepath.Join(t.TempDir(), "of-somebody.pem")
	require.NoError(t, os.WriteFile(file, []byte("content-of-the-file"), 0o600))
	more := []string{"WXPAY_APIV3_KEY=0123456789abcdefghijklmnopqrstuv", "WXPAY_KEY_PASSWORD=hunter2!",
		"HTTPS_PROXY=http://user:pass@proxy.example:3128", "WXPAY_MISTYPED=", "UNRELATED=unrelated-value"}

	for _, tt := range []struct {
		name    string
		environ []string
		want    []string
	}{
		{"a client", append(gateway.Environ, more...), []string{
			"the variables make a client", "WXPAY_MCHID", "WXPAY_PRIVATE_KEY", "PEM text", "HTTPS_PROXY", "WXPAY_MISTYPED", "empty",
			" operations, "}},
		{"a key that is none", append(gateway.Environ, append(more, "WXPAY_PRIVATE_KEY="+file)...),
			[]string{"the variables make no client", "wxpay keys check", "a file"}},
		{"a number with a blank", append(gateway.Environ, "WXPAY_MCHID=1900000777 "), []string{"the variables make no client"}},
		{"nothing", nil, []string{"the variables make no client"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, stdout, stderr := clitest.Run(t, tt.environ, "version", "--diagnose")
			assert.Zero(t, code)
			assert.Empty(t, stderr)
			for _, want := range tt.want {
				assert.Contains(t, stdout, want)
			}
			for _, variable := range tt.environ {
				if _, value, _ := strings.Cut(variable, "="); value != "" {
					assert.NotContains(t, stdout, strings.TrimSpace(value))
				}
			}
			for _, secret := range []string{"content-of-the-file", "user:pass", "UNRELATED", "of-somebody"} {
				assert.NotContains(t, stdout, secret)
			}
		})
	}
	assert.Empty(t, gateway.Requests(), "it makes no call")
}
