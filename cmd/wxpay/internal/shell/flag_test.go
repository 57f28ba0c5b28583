package shell_test

import (
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

func TestFormatFlag(t *testing.T) {
	json := false
	command := new(cobra.Command)
	shell.FormatFlag(command, &json)
	assert.Equal(t, "text", command.Flags().Lookup("format").DefValue)
	require.NoError(t, command.ParseFlags([]string{"--format", "json"}))
	assert.True(t, json)
	require.NoError(t, command.ParseFlags([]string{"--format", "text"}))
	assert.False(t, json)
	assert.ErrorContains(t, command.ParseFlags([]string{"--format", "xml"}), "it is not one of text, json")
}
