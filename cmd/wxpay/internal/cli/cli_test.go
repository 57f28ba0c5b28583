package cli_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/clitest"
)

// The exit codes are documented in three places: in the package comment, in --help, and in call --help.
func TestExitCodesAreDocumentedAlike(t *testing.T) {
	source, err := os.ReadFile("../../main.go")
	require.NoError(t, err)
	for _, args := range [][]string{{"--help"}, {"call", "--help"}} {
		code, help, _ := clitest.Run(t, nil, args...)
		require.Zero(t, code)
		_, codes, found := strings.Cut(help, "Exit codes:\n")
		require.True(t, found)
		codes, _, _ = strings.Cut(codes, "\n\n")
		lines := strings.Split(codes, "\n")
		require.Len(t, lines, 8)
		for _, line := range lines {
			assert.Contains(t, string(source), "//\t"+strings.TrimPrefix(line, "  ")+"\n")
		}
	}
}
