// Package profile runs wxpay profiles and wxpay init, which list and make the profiles of merchants.
package profile

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

// Profiles returns wxpay profiles.
func Profiles(sh *shell.Shell) *cobra.Command {
	json := false
	command := &cobra.Command{
		Use:   "profiles",
		Short: "List the merchants whose credentials are in the file of profiles",
		Long: `List the profiles, without their secrets.

` + shell.ProfilesHelp,
		Example: `  wxpay profiles
  wxpay call v3/certificates --profile shop-b`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return list(sh, json) },
	}
	shell.FormatFlag(command, &json)
	return command
}

func list(sh *shell.Shell, json bool) error {
	profiles, err := sh.Profiles()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return shell.Usage("there is no file of profiles: %w; \"wxpay init\" writes it", err)
	case err != nil:
		return shell.Usage("%w", err)
	}
	if json {
		document := make(map[string]map[string]string)
		for name, profile := range profiles {
			document[name] = make(map[string]string)
			for _, row := range profile.Rows() {
				document[name][row.Name] = row.Value
			}
		}
		return sh.WriteJSON(document)
	}
	var out bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(profiles)) {
		fmt.Fprintf(&out, "%s\n", sh.Colours().Bold(shell.OneLine(name)))
		for _, row := range profiles[name].Rows() {
			value := row.Value
			if value == shell.NotShown {
				value = sh.Words(value)
			}
			fmt.Fprintf(&out, "  %-18s  %s\n", row.Name, value)
		}
	}
	return sh.Write(out.Bytes())
}
