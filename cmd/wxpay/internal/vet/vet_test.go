package vet_test

import (
	"encoding/json"
	"os"
	"os/exec"
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
	bin := t.TempDir()
	build := exec.Command("go", "build", "-o", filepath.Join(bin, "wxpayvet"), "./cmd/wxpayvet")
	build.Dir = filepath.Join("..", "..", "..", "..", "contrib", "vet")
	build.Env = append(os.Environ(), "GOWORK=off")
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	shop(t)
	environ := append(os.Environ(), "GOWORK=off", "GOPROXY=off")
	code, stdout, stderr := clitest.Run(t, environ, "vet", "-format", "json", "-hints=false", ".")
	assert.Equal(t, 3, code, stderr)
	var reports []map[string]any
	require.NoError(t, json.Unmarshal([]byte(stdout), &reports), stdout)
	require.Len(t, reports, 1)
	assert.Equal(t, "wxbody", reports[0]["check"])
}

func TestNotInstalled(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	code, stdout, stderr := clitest.Run(t, nil, "vet", "./...")
	assert.Equal(t, 2, code)
	assert.Empty(t, stdout)
	assert.Contains(t, stderr, `"go install -C contrib ./vet/cmd/wxpayvet" installs it`)
	code, stdout, _ = clitest.Run(t, nil, "vet", "--help")
	assert.Zero(t, code)
	assert.Contains(t, stdout, "Run the program wxpayvet")
}
