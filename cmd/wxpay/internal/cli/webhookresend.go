package cli

import (
	"context"

	"github.com/spf13/cobra"
)

func webhookResendCommand(run func(ctx context.Context, id string) error) *cobra.Command {
	return &cobra.Command{
		Use:   "resend ID",
		Short: "Have the running sandbox send a notification once more",
		Long: `Have the running sandbox send a notification once more, at once and whatever became of it, and print how it was
answered. It has the same id and body, and is signed anew, as redeliveries of the platform are: a program that heeds the
id answers it without acting twice. webhook listen and webhook trigger print the id. The sandbox keeps the last 1,000.

` + triggerExitCodes,
		Example: `  wxpay webhook resend 7c5b3f0e-2a41-4c0e-9a6b-6f1d2e3c4b5a`,
		RunE: func(command *cobra.Command, args []string) error {
			switch {
			case len(args) == 0 || args[0] == "":
				return usageError("the id is missing: webhook listen and webhook trigger print it")
			case len(args) > 1:
				return usageError("there are %d ids, one is sent at a time", len(args))
			}
			return run(command.Context(), args[0])
		},
	}
}

func (p *program) webhookResend(ctx context.Context, id string) error {
	ctx, stop := interruptible(ctx)
	defer stop()
	got, err := p.askSandbox(ctx, "resend", id)
	if err != nil {
		return err
	}
	return p.printDelivered(got)
}
