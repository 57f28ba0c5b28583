package secret_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/tools/internal/secret"
)

// The samples are put together here, or this file would be a finding.
func TestScan(t *testing.T) {
	letters := strings.Repeat("Ab1", 30)
	begin := "-----BEGIN RSA PRIVATE" + " KEY-----"
	tests := []struct {
		name, file, text, want string
	}{
		{"a PEM block", "a.pem", "+" + begin + "\n+" + letters[:64], "private key"},
		{"a PEM block in a string", "a_test.go", "+const key = `" + begin + "\n+" + letters[:64], "private key"},
		{"a PEM block in one line", "a.json", "+{\"key\":\"" + begin + "\\n" + letters[:64], "private key in one line"},
		{"the head of a block alone", "a.md", "+" + begin + "\n+and so on", ""},
		{"a block that a commit takes away", "a.pem", "-" + begin + "\n-" + letters[:64], ""},
		{"GitHub", "a.txt", "+token=ghp" + "_" + letters[:36], "token of GitHub"},
		{"AWS", "a.txt", "+AKI" + "A" + strings.Repeat("Q2", 8), "access key of AWS"},
		{"Tencent Cloud", "a.txt", "+AKI" + "D" + letters[:32], "key of Tencent Cloud"},
		{"a JWK", "a.json", `+{"d": "` + letters[:43] + `"}`, "private key as JWK"},
		{"a JWK of a test", "x/testdata/a.json", `+{"d": "` + letters[:43] + `"}`, ""},
		{"a PEM block of a test", "x/testdata/a.pem", "+" + begin + "\n+" + letters[:64], "private key"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			found, err := secret.Scan(strings.NewReader("commit:abc\ndiff --git a/x b/x\n+++ b/" + tt.file + "\n@@ -0,0 +1 @@\n" + tt.text + "\n"))
			require.NoError(t, err)
			if tt.want == "" {
				assert.Empty(t, found)
				return
			}
			assert.Equal(t, []secret.Finding{{Commit: "abc", File: tt.file, Kind: tt.want}}, found)
			assert.NotContains(t, found[0].String(), letters[:20])
		})
	}
}
