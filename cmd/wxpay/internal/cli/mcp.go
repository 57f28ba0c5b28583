package cli

import (
	"errors"
	"os/exec"

	"github.com/spf13/cobra"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

// mcpCommand returns wxpay mcp. It starts a program of its own, which calls this one and contains the protocol's library.
func mcpCommand(sh *shell.Shell) *cobra.Command {
	return &cobra.Command{
		Use:   "mcp",
		Short: "Serve the documentation and a sandbox to an assistant, by the Model Context Protocol",
		Long: `Run the program wxpay-mcp with the same arguments. It serves tools to an assistant: to look operations up, to check
requests, to explain errors and signatures, and to practise on a sandbox. Without --live nothing reaches the platform.
It is a separate program because it contains the protocol's library. The archives and packages of wxpay have it beside
wxpay; in a clone of this project

  go install ./cmd/wxpay/cmd/wxpay-mcp

installs it. "wxpay mcp --help" then prints its help.`,
		Example: `  wxpay mcp
  wxpay mcp --http 127.0.0.1:8931`,
		DisableFlagParsing: true, // all flags belong to that program
		RunE: func(command *cobra.Command, args []string) error {
			err := sh.RunProgram(command.Context(), "wxpay-mcp", "./cmd/wxpay/cmd/wxpay-mcp", args)
			switch {
			case !errors.Is(err, exec.ErrNotFound):
				return err
			case shell.AsksForHelp(args):
				return command.Help()
			}
			return shell.Usage("there is no program wxpay-mcp beside wxpay or in PATH: the archives and packages of wxpay have it, and " +
				"in a clone of this project \"go install ./cmd/wxpay/cmd/wxpay-mcp\" installs it")
		},
	}
}
