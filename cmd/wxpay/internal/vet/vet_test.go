package vet_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/clitest"
)

// shop is a module beside this repository whose program makes a mistake, and one that only the documentation knows.
func shop(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	root, err := filepath.Abs("../../../..")
	require.NoError(t, err)
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(root, "contrib/vet/testdata", name))
		require.NoError(t, err)
		return string(text)
	}
	for name, text := range map[string]string{
		"go.mod": strings.Replace(read("go.mod"), "../../..", root, 1),
		"go.sum": read("go.sum"),
		"shop.go": `package shop

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

func pay(ctx context.Context, client *wxpay.Client, number string) error {
	_, err := client.Chain("v3/pay/transactions/native").Post(ctx, wxpay.JSON{
		"description": "tea", "out_trade_no": number, "notify_url": "https://example.com/n", "amount": wxpay.JSON{"total": "1"},
	})
	return err
}

func query(ctx context.Context, client *wxpay.Client) error {
	_, err := client.Chain("v3/certificate").Get(ctx)
	return err
}
`,
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	t.Chdir(dir)
}

func TestVet(t *testing.T) {
	shop(t)
	environ := append(os.Environ(), "GOWORK=off", "GOFLAGS=-trimpath", "GOPROXY=off")
	code, stdout, stderr := clitest.Run(t, environ, "vet")
	assert.Equal(t, 1, code, stderr)
	assert.Empty(t, stderr)
	assert.Contains(t, stdout, `shop.go:11:118: error: amount.total is a string and documented as integer (wxbody)`)
	assert.Contains(t, stdout, `shop.go:17:25: hint: the documentation has no operation GET /v3/certificate; did you mean GET /v3/certificates? (wxpath)`)
	assert.Contains(t, stdout, "wxbody is explained at https://")

	code, stdout, _ = clitest.Run(t, environ, "vet", "--hints=false", "--format", "json", ".")
	assert.Equal(t, 1, code)
	var reports []map[string]any
	require.NoError(t, json.Unmarshal([]byte(stdout), &reports))
	require.Len(t, reports, 1)
	assert.Equal(t, "wxbody", reports[0]["check"])

	require.NoError(t, os.WriteFile("broken.go", []byte("package shop\n\nvar a int = \"\"\n"), 0o600))
	code, stdout, stderr = clitest.Run(t, environ, "vet")
	assert.Equal(t, 2, code)
	assert.Empty(t, stdout)
	assert.Contains(t, stderr, "the packages do not compile: ")
}

func TestUsage(t *testing.T) {
	for name, tt := range map[string]struct {
		args []string
		code int
		want string
	}{
		"format":   {[]string{"--format", "xml"}, 2, `the format "xml" is not one of text, json, github, sarif`},
		"explain":  {[]string{"--explain", "wxoutcome"}, 0, "找出被当作失败的未知结果"},
		"no check": {[]string{"--explain", "wxnothing"}, 2, "there is no check wxnothing; there are: wxpath"},
		"both":     {[]string{"--explain", "wxbody", "./..."}, 2, "--explain takes no package"},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := clitest.Run(t, os.Environ(), append([]string{"vet"}, tt.args...)...)
			assert.Equal(t, tt.code, code)
			assert.Contains(t, stdout+stderr, tt.want)
		})
	}
}
