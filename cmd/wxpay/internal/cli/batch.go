package cli

import (
	"context"
	"errors"
	"os/exec"

	"github.com/spf13/cobra"
)

// batchProgram carries an engine of its own, which this program does not.
const batchProgram = "wxpay-batch"

func batchCommand(run func(context.Context, []string) error) *cobra.Command {
	return &cobra.Command{
		Use:   "batch FILE [METHOD] PATH",
		Short: "Make very many calls, each once, paced by the platform's limits",
		Long: `Run the program wxpay-batch with the same arguments. It makes a call of every line of a file, survives whatever happens to it,
and writes down what came of each. It is a program of its own because it has a queue inside; in a clone of this project

  go install ./contrib/fleet/cmd/wxpay-batch

installs it. "wxpay batch --help" then prints its help.`,
		Example: `  wxpay batch feeds.ndjson v3/brand/partner/card-member/user-feeds -o results.ndjson
  wxpay batch status`,
		DisableFlagParsing: true, // all flags are that program's
		RunE: func(command *cobra.Command, args []string) error {
			err := run(command.Context(), args)
			if errors.Is(err, exec.ErrNotFound) && len(args) > 0 && (args[0] == "--help" || args[0] == "-h") {
				return command.Help()
			}
			return err
		},
	}
}

func (p *program) batch(ctx context.Context, args []string) error {
	path, err := exec.LookPath(batchProgram)
	if err != nil {
		return usageError("%w\nIt is a program of its own. In a clone of this project, \"go install ./contrib/fleet/cmd/%s\" installs it.", err, batchProgram)
	}
	return p.runWith(ctx, nil, append([]string{path}, args...))
}
