// Package vet runs wxpay vet, which starts the program wxpayvet.
package vet

import (
	"errors"
	"os/exec"

	"github.com/spf13/cobra"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

// Command returns wxpay vet.
func Command(sh *shell.Shell) *cobra.Command {
	return &cobra.Command{
		Use:   "vet [PACKAGE]...",
		Short: "Check the calls of a Go program against the documentation",
		Long: `Run the program wxpayvet with the same arguments. It checks the calls of a Go program to WeChat Pay before that runs: paths,
verbs, fields, constants, response paths, events and error codes against the documentation, and habits that lose money.
It is a separate program because it contains a type checker and every generated chain; in a clone of this project

  go install -C contrib ./vet/cmd/wxpayvet

installs it, and "wxpayvet help" lists the checks.`,
		Example: `  wxpay vet ./...
  wxpay vet -format sarif ./... > wxpay.sarif
  wxpay vet help wxoutcome`,
		DisableFlagParsing: true, // all flags belong to that program
		RunE: func(command *cobra.Command, args []string) error {
			err := sh.RunProgram(command.Context(), "wxpayvet", "-C contrib ./vet/cmd/wxpayvet", args)
			if errors.Is(err, exec.ErrNotFound) && shell.AsksForHelp(args) {
				return command.Help()
			}
			return err
		},
	}
}
