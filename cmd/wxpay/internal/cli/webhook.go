package cli

import (
	"context"

	"github.com/spf13/cobra"
)

// webhookRuns are what the commands below webhook run.
type webhookRuns struct {
	verify  func(webhookVerifyOptions) error
	listen  func(context.Context, webhookListenOptions) error
	trigger func(context.Context, webhookTriggerOptions) error
	resend  func(ctx context.Context, id string) error
}

func webhookCommand(run webhookRuns) *cobra.Command {
	command := &cobra.Command{
		Use:   "webhook",
		Short: "Try out, and look into, the notifications of the platform",
		Long: `Try out, and look into, the notifications that the platform sends to a merchant.

To try out a program that receives them, without an account:
  wxpay webhook listen --forward-to localhost:8080/notify    serves a sandbox, and prints the variables that connect to it
  (paste these variables into two other shells)
  go run ./shop                                              the program, in the second shell
  wxpay webhook trigger TRANSACTION.SUCCESS                  in the third
  wxpay webhook resend ID                                    sends the same one again
What the program calls at the sandbox is notified in the same way, whatever its notify_url.

To look into one that the platform has sent: wxpay webhook verify FILE.`,
		Example: `  wxpay webhook listen --forward-to localhost:8080/notify
  wxpay webhook trigger REFUND.SUCCESS --set out_refund_no=R-001 --set amount.refund=1
  wxpay webhook verify notification.http --at 2026-11-23T10:00:00+08:00`,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError("there is no webhook %s: write wxpay webhook verify, listen, trigger or resend", printable(args[0]))
			}
			return usageError("say what to do: wxpay webhook verify, listen, trigger or resend")
		},
	}
	command.AddCommand(
		webhookVerifyCommand(run.verify),
		webhookListenCommand(run.listen),
		webhookTriggerCommand(run.trigger),
		webhookResendCommand(run.resend),
	)
	return command
}
