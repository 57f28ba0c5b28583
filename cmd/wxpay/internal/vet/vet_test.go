package vet_test

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/clitest"
)

// The program gets all arguments, its flags too, and its exit code is that of the command. What it does with them is tested
// where it stands, in contrib/vet.
func TestVet(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the program of this test is a shell script")
	}
	bin := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(bin, "wxpayvet"), []byte("#!/bin/sh\necho got \"$@\"\nexit 3\n"), 0o700))
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	code, stdout, stderr := clitest.Run(t, os.Environ(), "vet", "-format", "json", "-hints=false", "--help", ".")
	assert.Equal(t, 3, code)
	assert.Equal(t, "got -format json -hints=false --help .\n", stdout)
	assert.Empty(t, stderr)
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
