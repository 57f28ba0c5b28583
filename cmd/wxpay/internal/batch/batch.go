// Package batch runs wxpay batch, which starts the program wxpay-batch.
package batch

import (
	"errors"
	"os/exec"

	"github.com/spf13/cobra"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

// program contains the engine, which this program does not.
const program = "wxpay-batch"

// Command returns wxpay batch.
func Command(sh *shell.Shell) *cobra.Command {
	return &cobra.Command{
		Use:   "batch FILE [METHOD] PATH",
		Short: "Make very many calls from a list, within the platform's limits",
		Long: `Run the program wxpay-batch with the same arguments. It makes a call for every line of a file, such as a CSV file of refunds
or transfers, survives crashes, and records the outcome of each call. It is a separate program because it contains a queue;
in a clone of this project

  go install -C contrib ./fleet/cmd/wxpay-batch

installs it. "wxpay batch --help" then prints its help.`,
		Example: `  wxpay batch feeds.ndjson v3/brand/partner/card-member/user-feeds -o results.ndjson
  wxpay batch refunds.csv v3/refund/domestic/refunds -o results.ndjson
  wxpay batch status`,
		DisableFlagParsing: true, // all flags belong to that program
		RunE: func(command *cobra.Command, args []string) error {
			err := sh.RunProgram(command.Context(), program, "-C contrib ./fleet/cmd/"+program, args)
			if errors.Is(err, exec.ErrNotFound) && shell.AsksForHelp(args) {
				return command.Help()
			}
			return err
		},
	}
}
