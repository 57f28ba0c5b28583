package golangci_test

import (
	"os"
	"strings"
	"testing"

	"github.com/golangci/plugin-module-register/register"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/contrib/vet"
	_ "github.com/wxpay-go/wxpay/contrib/vet/golangci"
)

// golangci-lint finds the plugin by its name, and gives it the settings of its configuration, decoded from YAML.
func TestPlugin(t *testing.T) {
	newPlugin, err := register.GetPlugin("wxpayvet")
	require.NoError(t, err)
	for name, tt := range map[string]struct {
		settings any
		checks   int
		hints    string
		fault    string
	}{
		"none":            {settings: nil, checks: len(vet.Analyzers()), hints: "true"},
		"empty":           {settings: map[string]any{}, checks: len(vet.Analyzers()), hints: "true"},
		"no hints":        {settings: map[string]any{"hints": false}, checks: len(vet.Analyzers()), hints: "false"},
		"disable":         {settings: map[string]any{"disable": []any{"wxstate", "wxcode"}}, checks: len(vet.Analyzers()) - 2, hints: "true"},
		"unknown check":   {settings: map[string]any{"disable": []any{"wxstat"}}, fault: `wxpayvet: settings: disable: there is no check "wxstat"`},
		"unknown setting": {settings: map[string]any{"hint": false}, fault: "wxpayvet: settings: "},
		"wrong type":      {settings: map[string]any{"hints": "no"}, fault: "wxpayvet: settings: "},
	} {
		t.Run(name, func(t *testing.T) {
			plugin, err := newPlugin(tt.settings)
			if tt.fault != "" {
				require.ErrorContains(t, err, tt.fault)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, register.LoadModeTypesInfo, plugin.GetLoadMode())
			checks, err := plugin.BuildAnalyzers()
			require.NoError(t, err)
			require.Len(t, checks, tt.checks)
			for _, check := range checks {
				assert.Equal(t, tt.hints, check.Flags.Lookup("hints").Value.String(), check.Name)
			}
		})
	}
}

// The settings of the configuration in docs/vet.md are known: those that stand under the innermost settings.
func TestDocumentedSettings(t *testing.T) {
	text, err := os.ReadFile("../../../docs/vet.md")
	require.NoError(t, err)
	_, block, found := strings.Cut(string(text), "# .golangci.yml\n")
	require.True(t, found)
	block, _, _ = strings.Cut(block, "```")
	_, block, found = strings.Cut(block, "type: module\n        settings:\n")
	require.True(t, found)
	settings := map[string]any{}
	var list []any
	for line := range strings.Lines(block) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		switch {
		case strings.HasPrefix(name, "- "):
			list = append(list, strings.TrimPrefix(name, "- "))
			settings["disable"] = list
		case value != "":
			settings[name] = strings.TrimSpace(value) == "true"
		default:
			settings[name] = nil
		}
	}
	require.Len(t, settings, 2)
	newPlugin, err := register.GetPlugin("wxpayvet")
	require.NoError(t, err)
	_, err = newPlugin(settings)
	assert.NoError(t, err)
}
