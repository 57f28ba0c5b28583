package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

func versionCommand(sh *shell.Shell) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the versions of this program, its client and Go",
		Long:  "Print the version of this program, of its client, and of Go, with operating system and architecture.",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return sh.Write(fmt.Appendf(nil, "wxpay   %s\nclient  %s\ngo      %s %s/%s\n",
				programVersion(), wxpay.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH))
		},
	}
}

// programVersion returns the version of the main module, with the commit if the module is a working copy.
func programVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "(devel)"
	}
	version := info.Main.Version
	if version == "" || version == "(devel)" {
		version = "(devel)"
		for _, setting := range info.Settings {
			switch {
			case setting.Key == "vcs.revision":
				version += " " + setting.Value
			case setting.Key == "vcs.modified" && setting.Value == "true":
				version += " modified"
			}
		}
	}
	return version
}
