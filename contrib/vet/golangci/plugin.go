// Package golangci offers the checks of package vet to golangci-lint, as the linter wxpayvet. It is a plugin in the module
// form (https://golangci-lint.run/docs/plugins/module-plugins/): golangci-lint custom builds a golangci-lint that imports
// this package. Nothing else needs it.
//
// Guide: docs/vet.md.
package golangci

import (
	"fmt"
	"slices"

	"github.com/golangci/plugin-module-register/register"
	"golang.org/x/tools/go/analysis"

	"github.com/wxpay-go/wxpay/contrib/vet"
)

// settings are what linters.settings.custom.wxpayvet.settings of a configuration may say.
type settings struct {
	// Hints shows what the documentation alone says, too. The default is true.
	Hints *bool `json:"hints"`
	// Disable leaves checks out, by their names, such as wxstate.
	Disable []string `json:"disable"`
}

func init() { register.Plugin("wxpayvet", newPlugin) }

// newPlugin returns the plugin. An unknown setting or check is an error.
func newPlugin(configured any) (register.LinterPlugin, error) {
	s, err := register.DecodeSettings[settings](configured)
	if err != nil {
		return nil, fmt.Errorf("wxpayvet: settings: %w", err)
	}
	p := &plugin{hints: s.Hints == nil || *s.Hints}
	all := vet.Analyzers()
	for _, name := range s.Disable {
		if !slices.ContainsFunc(all, func(a *analysis.Analyzer) bool { return a.Name == name }) {
			return nil, fmt.Errorf("wxpayvet: settings: disable: there is no check %q", name)
		}
	}
	p.checks = slices.DeleteFunc(all, func(a *analysis.Analyzer) bool { return slices.Contains(s.Disable, a.Name) })
	return p, nil
}

type plugin struct {
	checks []*analysis.Analyzer
	hints  bool
}

// BuildAnalyzers returns the checks that the settings leave.
func (p *plugin) BuildAnalyzers() ([]*analysis.Analyzer, error) {
	for _, check := range p.checks {
		if err := check.Flags.Set("hints", fmt.Sprint(p.hints)); err != nil {
			return nil, fmt.Errorf("wxpayvet: %s: %w", check.Name, err)
		}
	}
	return p.checks, nil
}

// GetLoadMode says that the checks need types.
func (p *plugin) GetLoadMode() string { return register.LoadModeTypesInfo }
