package webhook

import (
	"github.com/spf13/cobra"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/serve"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

func resendCommand(sh *shell.Shell) *cobra.Command {
	return &cobra.Command{
		Use:   "resend ID",
		Short: "Let the running sandbox send a notification once more",
		Long: `Let the running sandbox send a notification once more, at once and whatever its outcome was, and print the response. It
has the same id and body and a new signature, like redeliveries of the platform: a program that remembers the id responds
without acting twice. webhook listen and webhook trigger print the id. The sandbox keeps the last 1,000.

` + triggerExitCodes,
		Example: `  wxpay webhook resend 7c5b3f0e-2a41-4c0e-9a6b-6f1d2e3c4b5a`,
		RunE: func(command *cobra.Command, args []string) error {
			switch {
			case len(args) == 0 || args[0] == "":
				return shell.Usage("the id is missing: webhook listen and webhook trigger print it")
			case len(args) > 1:
				return shell.Usage("there are %d ids, give one at a time", len(args))
			}
			ctx, stop := shell.Interruptible(command.Context())
			defer stop()
			got, err := serve.Ask(ctx, sh, "resend", args[0])
			if err != nil {
				return err
			}
			return printDelivered(sh, got)
		},
	}
}
