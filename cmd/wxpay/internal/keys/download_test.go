package keys_test

import (
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/sandbox"
)

// TestKeysDownload writes what the platform has, and leaves what is newer or not a certificate.
func TestKeysDownload(t *testing.T) {
	t.Parallel()
	b := newBench(t, 0)
	listed := b.box.Keys.Certificates()
	dir := filepath.Join(b.dir, "new", "certificates")
	path := func(certificate *x509.Certificate) string {
		return filepath.Join(dir, "wechatpay_"+apiv3.Serial(certificate)+".pem")
	}
	code, stdout, stderr := b.run("download", "--output", dir)
	require.Equal(t, 0, code, stderr)
	for _, certificate := range listed {
		data, err := os.ReadFile(path(certificate))
		require.NoError(t, err)
		assert.Equal(t, string(certPEM(certificate)), string(data))
		assert.Contains(t, stdout, "wrote "+path(certificate)+" (")
	}
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, files, len(listed), "nothing else is left behind")

	code, stdout, _ = b.run("download", "--output", dir)
	assert.Equal(t, 0, code)
	assert.Equal(t, 2, strings.Count(stdout, ", which is the same ("))

	// An older one is replaced, a newer one stays.
	older := issue(t, b.box.Merchant().PrivateKey, listed[0].SerialNumber, listed[0].Subject, listed[0].NotBefore,
		listed[0].NotAfter.Add(-time.Hour))
	newer := issue(t, b.box.Merchant().PrivateKey, listed[1].SerialNumber, listed[1].Subject, listed[1].NotBefore,
		listed[1].NotAfter.Add(time.Hour))
	require.NoError(t, os.WriteFile(path(older), certPEM(older), 0o600))
	require.NoError(t, os.WriteFile(path(newer), certPEM(newer), 0o600))
	code, stdout, _ = b.run("download", "--output", dir)
	assert.Equal(t, 0, code)
	assert.Contains(t, stdout, "replaced "+path(older)+", which was older (")
	assert.Contains(t, stdout, "kept "+path(newer)+", which is newer (")
	for name, want := range map[string][]byte{path(older): certPEM(listed[0]), path(newer): certPEM(newer)} {
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		assert.Equal(t, string(want), string(data))
	}

	// What is no certificate, or another, is not the program's to overwrite; the others are written all the same.
	require.NoError(t, os.WriteFile(path(listed[0]), []byte("my notes"), 0o600))
	require.NoError(t, os.Remove(path(listed[1])))
	code, stdout, stderr = b.run("download", "--output", dir)
	assert.Equal(t, 1, code)
	assert.Contains(t, stderr, "is in the way, and contains no certificate: move it away")
	assert.Contains(t, stdout, "wrote "+path(listed[1]))
	data, err := os.ReadFile(path(listed[0]))
	require.NoError(t, err)
	assert.Equal(t, "my notes", string(data))
	require.NoError(t, os.WriteFile(path(listed[0]), certPEM(listed[1]), 0o600))
	code, _, stderr = b.run("download", "--output", dir)
	assert.Equal(t, 1, code)
	assert.Contains(t, stderr, "is in the way, and contains the certificate "+apiv3.Serial(listed[1]))
}

// TestKeysDownloadFails writes nothing where the list cannot be had or trusted, and says why.
func TestKeysDownloadFails(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, variable, value string
		mode                  sandbox.KeyMode
		code                  int
		want                  string
	}{
		{"public key only", "", "", sandbox.PublicKeyOnly, 1, "this merchant has no platform certificates, only the " +
			"WeChat Pay public key, and there is nothing to download: save the key"},
		{"another APIv3 key", "WXPAY_APIV3_KEY", strings.Repeat("k", 32), sandbox.BothKeys, 1,
			"the platform's certificates do not decrypt: set WXPAY_APIV3_KEY"},
		{"no APIv3 key", "WXPAY_APIV3_KEY", "", sandbox.BothKeys, 2, "WXPAY_APIV3_KEY is not set"},
		{"short APIv3 key", "WXPAY_APIV3_KEY", "k", sandbox.BothKeys, 2, "the APIv3 key has 1 bytes"},
		{"not a key", "WXPAY_PRIVATE_KEY", "nofile", sandbox.BothKeys, 2, "neither the text of a key nor the path of a readable file"},
		{"another serial", "WXPAY_SERIAL", strings.Repeat("A", 40), sandbox.BothKeys, 1, "SIGN_ERROR"},
		{"no connection", "WXPAY_BASE_URL", "http://127.0.0.1:1", sandbox.BothKeys, 4, "127.0.0.1:1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t, 0, sandbox.WithKeyMode(test.mode))
			if test.variable != "" {
				b.set(test.variable, test.value)
			}
			dir := filepath.Join(b.dir, "certificates")
			code, stdout, stderr := b.run("download", "--output", dir)
			assert.Equal(t, test.code, code, stderr)
			assert.Empty(t, stdout)
			assert.Contains(t, stderr, test.want)
			assert.NoDirExists(t, dir)
		})
	}
}
