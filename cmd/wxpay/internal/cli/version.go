package cli

import (
	"bytes"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/wxpay-go/wxpay"
)

func versionCommand(run func() error) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print what this program is made of",
		Long:  "Print the version of this program, of the client it is built on, and of Go, with operating system and architecture.",
		Args:  cobra.NoArgs,
		RunE:  func(*cobra.Command, []string) error { return run() },
	}
}

func (p *program) version() error {
	var out bytes.Buffer
	fmt.Fprintf(&out, "wxpay   %s\nclient  %s\ngo      %s %s/%s\n",
		programVersion(), wxpay.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return p.write(&out)
}

// programVersion is the version of the main module, and the commit where that says no more than that it is a working
// copy.
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
